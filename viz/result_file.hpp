// Reads a result file (HDF5): knows its layout, not what its channels mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace urja::viz {

struct Channel {
  std::string asset, name, unit, description, kind;
  std::size_t rows = 0;
  std::size_t members = 1;
  bool fleet = false;  // has an axis of members
  bool laned = false;  // has an axis of lanes, of which the first is read
  std::string group = "channels";
};

struct Event {
  double time = 0;
  std::string asset, kind, text;
};

class ResultFile {
 public:
  // Throws std::runtime_error: no such file, no HDF5, cut off, no /time.
  explicit ResultFile(const std::string& path);
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;

  const std::string& path() const { return path_; }
  const std::vector<double>& time() const { return time_; }  // UTC seconds of each interval's start
  const std::vector<Channel>& channels() const { return channels_; }
  const std::vector<Channel>& measured() const { return measured_; }  // as sensors and links show them
  const std::vector<Channel>& references() const {
    return references_;
  }  // what was measured at the plant that this is a model of
  const std::vector<Channel>& without_faults() const { return without_faults_; }  // of the same, simulated without any fault
  const std::vector<std::string>& skipped() const { return skipped_; }            // datasets under /channels that are no channel
  std::size_t lanes() const { return lanes_; }

  std::string text(const char* attribute, const std::string& otherwise = "") const;
  std::optional<double> number(const char* attribute) const;

  // Rows [first, first + rows) of a channel into out, row by row, its members side by side.
  void read(const Channel& channel, std::size_t first, std::size_t rows, double* out) const;

  std::size_t event_count() const { return event_count_; }
  std::vector<Event> events(std::size_t first, std::size_t count) const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  std::vector<Channel> channels_of(const char* group);
  void find_events();

  std::string path_;
  std::int64_t file_ = -1;
  std::vector<double> time_;
  std::vector<Channel> channels_, measured_, references_, without_faults_;
  std::vector<std::string> skipped_;
  std::size_t lanes_ = 1, event_count_ = 0;
};

}  // namespace urja::viz

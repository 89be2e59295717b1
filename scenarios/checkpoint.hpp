#pragma once
// Where a run stood, so that it can go on: written beside the result every few seconds, gone when the run is done.
//
// <result>.checkpoint holds the whole state of the lane (a snapshot), the sums of the KPIs and how many rows the result had. A run
// that goes on from there ends with the same bits as one that was never stopped. It is written under another name and renamed:
// there is always a whole one.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace urja {

// A checkpoint that is not there, cannot be read, or belongs to another run.
struct CheckpointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Checkpoint {
  // What must be the same for the run to go on: program, scenario's text, options, data. Key -> value.
  std::vector<std::pair<std::string, std::string>> identity;
  std::int64_t steps = 0, rows = 0;
  double wall_s = 0;
  std::vector<double> lane;  // Batch::save
  std::vector<double> sums;  // KpiCounter::sums
  std::vector<double> rest;  // Recorder::waiting
  std::string faults;        // FaultLog::state, as JSON

  static std::string path_for(const std::string& result) { return result + ".checkpoint"; }
  void write(const std::string& path) const;
  // Throws CheckpointError.
  static Checkpoint read(const std::string& path);
  // Throws CheckpointError that says what has changed.
  void must_be(const std::vector<std::pair<std::string, std::string>>& identity) const;
};

}  // namespace urja

#pragma once
// Small data files in a folder of their own, and what the tests of their readers share.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "scenarios/data_file.hpp"
#include "tests/catch.hpp"

namespace urja::tests::files {

inline const std::string data_folder = std::string(URJA_SOURCE_DIR) + "/scenarios/data/";
inline const std::string csv_folder = std::string(URJA_SOURCE_DIR) + "/tests/data/csv/";

// A folder of its own that goes away.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("urja_test_data_file_{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator()(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline Zone zone(const std::string& name) { return *Zone::find(name); }
inline std::int64_t utc(const std::string& text) {
  const auto time = parse_time(text);
  REQUIRE(time);
  return time->wall - time->offset.value_or(0);
}

// value,0 value,1 .. in column v: row i holds i.
inline std::string counted(std::size_t rows) {
  std::string text = "v\n";
  for (std::size_t i = 0; i < rows; ++i) text += std::to_string(i) + "\n";
  return text;
}

inline DataFileSpec spec_of(const std::string& path, const std::string& zone_name, const std::string& first, double every,
                            const std::string& start, const std::string& end, double step) {
  DataFileSpec spec{.name = "set",
                    .path = path,
                    .stamps = {},
                    .columns = {{"v", "v", "1", "", {}, {}, ""}},
                    .members = 1,
                    .zone = zone(zone_name),
                    .start = 0,
                    .end = 0,
                    .step = step};
  spec.stamps.first = first;
  spec.stamps.every = every;
  spec.start = static_cast<double>(utc(start));
  spec.end = static_cast<double>(utc(end));
  return spec;
}

inline DataFileSpec stamped(const std::string& path, const std::string& zone_name, const std::string& start,
                            const std::string& end, double step) {
  DataFileSpec spec = spec_of(path, zone_name, "", 0, start, end, step);
  spec.stamps.column = std::string("t");
  return spec;
}

inline DataSet good(const LoadedData& loaded) {
  for (const FileProblem& p : loaded.problems) UNSCOPED_INFO(p.text());
  REQUIRE(loaded.good());
  return loaded.set;
}

inline std::string text_of(const std::vector<FileProblem>& problems) {
  std::string all;
  for (const FileProblem& p : problems) all += p.text() + "\n";
  return all;
}

inline std::string problems_of(const DataFileSpec& spec) {
  const LoadedData loaded = load_data_file(spec);
  CHECK_FALSE(loaded.good());
  return text_of(loaded.problems);
}

inline const std::vector<double>& values(const DataSet& set, const std::string& column = "v") {
  return set.columns.at(column).values;
}

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

}  // namespace urja::tests::files

#pragma once
// Runs a scenario: one lane, recorded, counted, watched.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scenarios/scenario.hpp"

namespace urja {

struct RunOptions {
  std::string out;  // HDF5 file; empty: none is written
  int threads = 1;
  std::string version;  // for the file's attributes
  std::string machine;
  // Called about ten times a second with steps done and steps in all; returns false to stop cleanly.
  std::function<bool(std::int64_t done, std::int64_t all)> progress;
};

struct RunResult {
  bool finished = false;  // false: stopped by `progress` or by trouble
  std::string trouble;    // of the lane, when it was stopped for that
  double until = 0;       // UTC seconds that were reached
  std::int64_t steps = 0;
  double wall_s = 0;
};

// KPIs as in the contract go to `kpis`. Throws RecordError when the file cannot be written.
RunResult run_scenario(const Scenario& scenario, const RunOptions& options, nlohmann::json& kpis);

}  // namespace urja

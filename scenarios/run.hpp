#pragma once
// Runs a scenario: one lane, recorded, counted, watched.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/recorder.hpp"
#include "scenarios/kpi.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

struct RunOptions {
  std::string out;  // HDF5 file; empty: none is written
  int threads = 1;
  bool resume = false;          // go on from the checkpoint beside `out`
  double checkpoint_every = 5;  // s of wall time
  std::string version;          // for the file's attributes
  std::string machine;
  // Called about ten times a second with steps done and steps in all; returns false to stop cleanly.
  std::function<bool(std::int64_t done, std::int64_t all)> progress;
};

struct RunResult {
  bool finished = false;  // false: stopped by `progress` or by trouble
  bool resumable = true;  // false: its policy remembers what no checkpoint holds
  std::string trouble;    // of the lane, when it was stopped for that
  double until = 0;       // UTC seconds that were reached
  std::int64_t steps = 0;
  double wall_s = 0;  // of all the processes that ran it
};

// What a result file says of the run that made it.
void describe_run(Recorder& recorder, const Scenario& scenario, const std::string& version, const std::string& machine);
// The channels that a scenario's result holds, prices in its currency.
std::vector<Channel> result_channels(const Scenario& scenario, const std::vector<std::string>& choices);
// All key figures of a lane that are the same whoever ran it, `steps` steps long; `trouble` says why they must not be trusted, if so.
nlohmann::json key_figures(const Scenario& scenario, const Batch& batch, const KpiCounter& counter, int lane, std::int64_t steps,
                           std::string& trouble);

// KPIs as in the contract go to `kpis`. A run that is stopped, or that stops, leaves <out>.checkpoint beside its file, from which
// `resume` goes on; the end has the same bits. Throws RecordError when the file cannot be written, CheckpointError when the run
// cannot go on.
RunResult run_scenario(const Scenario& scenario, const RunOptions& options, nlohmann::json& kpis);

}  // namespace urja

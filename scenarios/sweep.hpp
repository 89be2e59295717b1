#pragma once
// Runs all variants of a sweep.
//
//   variants ──keys that change the plan (a model, a file, the step)──> groups, one plan each
//   group    ──variants that differ in start values only───────────────> lanes of a batch, up to 256 at a time
//
// A parameter (a fault's too), a start state, a constant input, a feeder's limit or the seed is a start value: such variants step side by side as fast
// as any batch. A lane gives the same bits as the variant run alone (`urja run --set ..`). Jobs of lanes are shared out over threads.
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "scenarios/sweep_file.hpp"

namespace urja {

struct SweepOptions {
  LoadOptions load;  // for all variants
  int threads = 1;
  std::string folder;  // of results, <folder>/variants/<number>.h5, where the sweep asks for them
  // Each variant that has ended is noted in this file at once, so that a sweep can go on: with `resume`, those in it are not run again.
  std::string journal;
  bool resume = false;
  std::string version;  // for their attributes
  std::string machine;
  // Called about ten times a second, from any thread but one at a time, with steps of variants done and in all (as far as is known)
  // and variants ended; returns false to stop cleanly.
  std::function<bool(double steps, double all, std::int64_t variants)> progress;
};

struct VariantResult {
  enum class Status {
    not_run,
    complete,
    error,
    trouble
  } status = Status::not_run;  // error: it did not load; trouble: it was stopped
  std::string message;
  std::vector<std::pair<std::string, double>> kpis;  // flat: unserved_kwh_by_zone.critical
  std::string state_hash;
};
const char* status_text(VariantResult::Status status);

struct SweepResult {
  std::vector<VariantResult> variants;
  std::string currency, scenario;  // of those that ran; the scenario's name
  std::string scenario_text;
  double wall_s = 0;
  std::int64_t groups = 0;  // plans that were made
  double steps = 0;         // of all variants
};

// Throws CheckpointError where the journal is of another sweep.
// Throws ScenarioError where no variant can run or a key is wrong for all that have it. A variant that fails does not stop the others.
SweepResult run_sweep(const std::string& scenario, const Sweep& sweep, const SweepOptions& options);

}  // namespace urja

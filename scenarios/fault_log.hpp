#pragma once
// What faults did in a run: when they came and went, and what they cost.
//
// Beside the plant runs its like without any fault, and, of up to six faults, without each of them in turn, in the lanes of the
// block that would idle otherwise: same data, same random numbers. What a fault costs is the difference.
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "engine/recorder.hpp"
#include "scenarios/kpi.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

class FaultLog {
 public:
  explicit FaultLog(const Scenario& scenario);
  // Of the batch: the plant, then those it is compared with. One without faults.
  int lanes() const { return lanes_; }
  // After the reset of all lanes.
  void disarm(Batch& batch) const;
  // After each recorded interval: notes those that have come or gone.
  void watch(const Batch& batch);
  void write_events(Recorder& recorder) const;
  // All that has been noted, to go on from in another process.
  nlohmann::json state() const;
  void set_state(const nlohmann::json& state);
  // `kpis` of the plant get `faults` (one object each: id, kind, on, times, active_h, and what was more or less than without it) and
  // `without_faults`.
  void add_to(nlohmann::json& kpis, const Scenario& scenario, const Batch& batch, const KpiCounter& counter,
              std::int64_t steps) const;

 private:
  struct One {
    Scenario::Fault fault;
    Quantity active, begins, ends, occurrence;
    double come = 0, ended = 0, end = 0;
  };
  double start_;
  int lanes_ = 1;
  std::vector<One> faults_;
  struct Event {
    double time;
    std::string fault, text;
  };
  std::vector<Event> events_;
};

}  // namespace urja

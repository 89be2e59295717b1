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
  // What the result holds of the plant without faults, beside what is `recorded` of the one with them.
  std::vector<Channel> channels(const Plan& plan, const std::vector<Channel>& recorded) const;
  // After the reset of all lanes.
  void disarm(Batch& batch) const;
  // After each recorded interval, of `seconds`: notes those that have come or gone, and what controllers do otherwise than without them.
  void watch(const Batch& batch, double seconds);
  void write_events(Recorder& recorder) const;
  // All that has been noted, to go on from in another process.
  nlohmann::json state() const;
  void set_state(const nlohmann::json& state);
  // `kpis` of the plant get `faults` (one object each: id, kind, on, times, active_h, and what was more or less than without it),
  // `without_faults`, and of both `decisions`: what controllers commanded otherwise, for how many hours, first when, and what instead of what.
  void add_to(nlohmann::json& kpis, const Scenario& scenario, const Batch& batch, const KpiCounter& counter,
              std::int64_t steps) const;

 private:
  struct One {
    Scenario::Fault fault;
    Quantity active, begins, ends, occurrence;
    double come = 0, ended = 0, end = 0;
  };
  double start_;
  std::string zone_;
  int lanes_ = 1;
  std::vector<One> faults_;
  // What a controller commands, against that in each other lane.
  struct Command {
    Quantity quantity;
    struct Otherwise {
      double seconds = 0, first = 0, with = 0, without = 0;
    };
    std::vector<Otherwise> lanes;  // [lane - 1]
  };
  std::vector<Command> commands_;
  nlohmann::json decisions(int lane) const;
  struct Event {
    double time;
    std::string fault, text;
  };
  std::vector<Event> events_;
};

}  // namespace urja

// A sensor that drifts away from the truth at a steady rate, until it is repaired.
// Signature: the difference grows linearly; no other channel follows (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorDrift : FaultClock {
  using Settings = FaultSettings;
  Lanes drift, per;
  Lanes bias;

  static void declare(Declare& d) {
    FaultClock::declare<SensorDrift>(d, {"sensor"});
    d.effect("measured", Sign::rises);
    d.parameter<&SensorDrift::drift>("of channel, difference", 0, {-1e12, 1e12}, "that the reading moves away from the truth",
                                     needed);
    d.parameter<&SensorDrift::per>("s", 86400, {1, 1e9}, "in each such time");
    d.output<&SensorDrift::bias>("of channel, difference", "added to each reading").onto("target.bias", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    // At the step's end, when it is sampled.
    bias = pick(active > 0.5, level * drift * (s.time + s.dt - pick(active > 0.5, begins, 0.0)) / per, 0.0);
    keep_running(s);
  }
};

const Registered<SensorDrift> registered{"sensor_drift", "sensor that drifts away from the truth"};

}  // namespace
}  // namespace urja

// A sensor of which samples are missing. Whoever reads it keeps the last one, whose age grows. For bursts: rate, duration, length: random; one
// that comes and goes so is a Gilbert-Elliott channel.
// Signature: gaps; the age of the value grows (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorDropout : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share;
  Lanes missing;

  static void declare(Declare& d) {
    FaultClock::declare<SensorDropout>(d, {"sensor"});
    d.effect("age", Sign::rises);
    d.parameter<&SensorDropout::lost_share>("1", 1, {0, 1}, "probability that a sample is missing");
    d.output<&SensorDropout::missing>("1", "probability that a sample is missing").onto("target.missing", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    missing = level * lost_share;
  }
};

const Registered<SensorDropout> registered{"sensor_dropout", "sensor of which samples are missing"};

}  // namespace
}  // namespace urja

// Two channels whose wires are swapped: each shows the other's value.
// Signature: two residuals of the same size and opposite sign (handbook 12.8).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorSwapped : FaultClock {
  using Settings = FaultSettings;
  Lanes mine, theirs;

  static void declare(Declare& d) {
    FaultClock::declare<SensorSwapped>(d, {"sensor"});
    d.effect("measured", Sign::changes);
    d.role({.name = "with",
            .models = {"sensor"},
            .tag = "",
            .many = false,
            .optional = false,
            .doc = "the other channel, of the same unit"});
    d.output<&SensorSwapped::mine>("1", "1: reads the other").onto("target.swapped", Effect::term);
    d.output<&SensorSwapped::theirs>("1", "1: reads the first").onto("with.swapped", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    mine = theirs = one_if(level > 0.5);
  }
};

const Registered<SensorSwapped> registered{"sensor_swapped", "two channels that show each other's value"};

}  // namespace
}  // namespace urja

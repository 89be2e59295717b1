// Raised resistance: a bad weld or worn cells (handbook 12.3). Signature: voltage and heat deviate in proportion to the current and its
// square, nothing at rest.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct BatteryResistance : FaultClock {
  using Settings = FaultSettings;
  Lanes times, resistance_scale;

  static void declare(Declare& d) {
    FaultClock::declare<BatteryResistance>(d, {"battery"}, "temperature");
    d.effect("heat", Sign::rises);
    d.parameter<&BatteryResistance::times>("1", 2, {1, 10}, "series resistance against the healthy one");
    d.output<&BatteryResistance::resistance_scale>("1", "factor on the series resistance")
        .onto("target.resistance_scale", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    resistance_scale = 1 + level * (times - 1);
  }
};

const Registered<BatteryResistance> registered{"battery_resistance", "higher series resistance of the cells"};

}  // namespace
}  // namespace urja

// Cooling fails: heat leaves the cells worse. Signature: temperature rises with the time constant C R, then limits fall (handbook 12.3).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct BatteryCoolingFailure : FaultClock {
  using Settings = FaultSettings;
  Lanes times, thermal_resistance;

  static void declare(Declare& d) {
    FaultClock::declare<BatteryCoolingFailure>(d, {"battery"}, "temperature");
    d.effect("temperature", Sign::rises);
    d.parameter<&BatteryCoolingFailure::times>("1", 5, {1, 100}, "thermal resistance against the healthy one");
    d.output<&BatteryCoolingFailure::thermal_resistance>("1", "factor on the thermal resistance")
        .onto("target.thermal_resistance", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    thermal_resistance = 1 + level * (times - 1);
  }
};

const Registered<BatteryCoolingFailure> registered{"battery_cooling_failure", "worse cooling of the cells"};

}  // namespace
}  // namespace urja

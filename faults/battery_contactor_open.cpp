// The contactors open: no power in spite of commands, the converter and the battery management draw nothing from the cells.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct BatteryContactorOpen : FaultClock {
  using Settings = FaultSettings;
  Lanes tripped, own_use;

  static void declare(Declare& d) {
    FaultClock::declare<BatteryContactorOpen>(d, {"battery"});
    d.effect("power_max", Sign::falls);
    d.output<&BatteryContactorOpen::tripped>("1", "1: open").onto("target.tripped", Effect::term);
    d.output<&BatteryContactorOpen::own_use>("1", "0: nothing is drawn").onto("target.own_use", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    tripped = one_if(level > 0.5);
    own_use = 1 - tripped;
  }
};

const Registered<BatteryContactorOpen> registered{"battery_contactor_open", "pack parted from its converter"};

}  // namespace
}  // namespace urja

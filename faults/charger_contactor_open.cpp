// The charger's contactor does not close: the vehicle is there, the pilot says go, no current (handbook 12.4).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct ChargerContactorOpen : FaultClock {
  using Settings = FaultSettings;
  Lanes derate;

  static void declare(Declare& d) {
    FaultClock::declare<ChargerContactorOpen>(d, {"ev_charger"});
    d.effect("delivered_power", Sign::falls);
    d.output<&ChargerContactorOpen::derate>("1", "0: no current").onto("target.derate", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    derate = 1 - one_if(level > 0.5);
  }
};

const Registered<ChargerContactorOpen> registered{"charger_contactor_open", "charger that gives no current"};

}  // namespace
}  // namespace urja

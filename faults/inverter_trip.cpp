// An inverter trips: its gates are blocked, no power flows either way; afterwards it waits for its return delay like after any trip
// (handbook 12.2). Signature: power steps to zero while the light is there.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct InverterTrip : FaultClock {
  using Settings = FaultSettings;
  Lanes tripped;

  static void declare(Declare& d) {
    FaultClock::declare<InverterTrip>(d, {"pv", "pv_profile", "battery", "ev_charger"}, "temperature");
    d.effect("power_max", Sign::falls);
    d.output<&InverterTrip::tripped>("1", "1: stopped").onto("target.tripped", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    tripped = one_if(level > 0.5);
  }
};

const Registered<InverterTrip> registered{"inverter_trip", "inverter or converter stopped by its own protection"};

}  // namespace
}  // namespace urja

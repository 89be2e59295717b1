// A load's relay does not open: commands to shed do nothing, and nobody else can shed it (handbook 12.6).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct RelayStuckClosed : FaultClock {
  using Settings = FaultSettings;
  Lanes stuck_closed;

  static void declare(Declare& d) {
    FaultClock::declare<RelayStuckClosed>(d, {"load", "deferrable_load", "shiftable_load"});
    d.effect("power_max", Sign::falls);
    d.output<&RelayStuckClosed::stuck_closed>("1", "1: closed").onto("target.stuck_closed", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    stuck_closed = one_if(level > 0.5);
  }
};

const Registered<RelayStuckClosed> registered{"relay_stuck_closed", "relay that does not open"};

}  // namespace
}  // namespace urja

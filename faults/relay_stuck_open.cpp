// A load's relay does not close: the zone is dead while the bus is alive (handbook 12.6).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct RelayStuckOpen : FaultClock {
  using Settings = FaultSettings;
  Lanes stuck_open;

  static void declare(Declare& d) {
    FaultClock::declare<RelayStuckOpen>(d, {"load", "deferrable_load", "shiftable_load"});
    d.effect("power", Sign::rises);
    d.output<&RelayStuckOpen::stuck_open>("1", "1: open").onto("target.stuck_open", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    stuck_open = one_if(level > 0.5);
  }
};

const Registered<RelayStuckOpen> registered{"relay_stuck_open", "relay that does not close"};

}  // namespace
}  // namespace urja

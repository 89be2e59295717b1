// The grid is gone: nobody imports or exports, and whoever can form the bus does. It is back after its reconnect delay.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GridOutage : FaultClock {
  using Settings = FaultSettings;
  Lanes outage;

  static void declare(Declare& d) {
    FaultClock::declare<GridOutage>(d, {"grid"});
    d.effect("power_max", Sign::falls);
    d.output<&GridOutage::outage>("1", "1: gone").onto("target.outage", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    outage = one_if(level > 0.5);
  }
};

const Registered<GridOutage> registered{"grid_outage", "public grid gone"};

}  // namespace
}  // namespace urja

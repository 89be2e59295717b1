// The genset is stopped by its protection at once, without cooling down, and does not start while the fault is there.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GensetTrip : FaultClock {
  using Settings = FaultSettings;
  Lanes tripped;

  static void declare(Declare& d) {
    FaultClock::declare<GensetTrip>(d, {"genset"});
    d.effect("power", Sign::falls);
    d.output<&GensetTrip::tripped>("1", "1: stopped").onto("target.tripped", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    tripped = one_if(level > 0.5);
  }
};

const Registered<GensetTrip> registered{"genset_trip", "genset stopped by its protection"};

}  // namespace
}  // namespace urja

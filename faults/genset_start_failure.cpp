// The genset cranks and does not start; one that runs goes on (handbook 12.6).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GensetStartFailure : FaultClock {
  using Settings = FaultSettings;
  Lanes start_blocked;

  static void declare(Declare& d) {
    FaultClock::declare<GensetStartFailure>(d, {"genset"});
    d.effect("power", Sign::falls);
    d.output<&GensetStartFailure::start_blocked>("1", "1: it does not start").onto("target.start_blocked", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    start_blocked = one_if(level > 0.5);
  }
};

const Registered<GensetStartFailure> registered{"genset_start_failure", "genset that does not start"};

}  // namespace
}  // namespace urja

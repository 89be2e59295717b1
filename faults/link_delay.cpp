// Messages take long. What is read is old, and says so: its age is the delay.
// Signature: the channel lags its plant by a constant time, seen best where power steps (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkDelay : FaultClock {
  using Settings = FaultSettings;
  Lanes by;
  Lanes delay;

  static void declare(Declare& d) {
    FaultClock::declare<LinkDelay>(d, {"link"});
    d.effect("age", Sign::rises);
    d.parameter<&LinkDelay::by>("s", 60, {0, 1e7}, "that they take longer", held_by_link);
    d.output<&LinkDelay::delay>("s", "that they take longer").onto("target.delay", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    delay = level * by;
  }
};

const Registered<LinkDelay> registered{"link_delay", "messages that take long"};

}  // namespace
}  // namespace urja

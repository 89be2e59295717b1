// Messages take a random time: lognormal, of a mean. Some overtake others.
// Signature: the spread of ages grows (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LinkJitter : FaultClock {
  using Settings = FaultSettings;
  Lanes mean;
  Lanes jitter;

  static void declare(Declare& d) {
    FaultClock::declare<LinkJitter>(d, {"link"});
    d.effect("age", Sign::rises);
    d.parameter<&LinkJitter::mean>("s", 30, {0, 1e7}, "of what is added at random to the time that they take", held_by_link);
    d.output<&LinkJitter::jitter>("s", "mean of what is added").onto("target.jitter", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    jitter = level * mean;
  }
};

const Registered<LinkJitter> registered{"link_jitter", "messages that take a random time"};

}  // namespace
}  // namespace urja

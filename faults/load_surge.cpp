// Consumers draw more than they should: a surge, an inrush (`onset: exponential` reversed by a short duration), a cold-load pick-up.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct LoadSurge : FaultClock {
  using Settings = FaultSettings;
  Lanes times, scale;

  static void declare(Declare& d) {
    FaultClock::declare<LoadSurge>(d, {"load"});
    d.effect("power", Sign::falls);
    d.parameter<&LoadSurge::times>("1", 3, {0, 1000}, "demand against the healthy one");
    d.output<&LoadSurge::scale>("1", "factor on the demand").onto("target.scale", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    scale = 1 + level * (times - 1);
  }
};

const Registered<LoadSurge> registered{"load_surge", "demand multiplied"};

}  // namespace
}  // namespace urja

// The plant opens its own switch to a grid that is there.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GridIslanding : FaultClock {
  using Settings = FaultSettings;
  Lanes islanded;

  static void declare(Declare& d) {
    FaultClock::declare<GridIslanding>(d, {"grid"});
    d.effect("power_max", Sign::falls);
    d.output<&GridIslanding::islanded>("1", "1: open").onto("target.islanded", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    islanded = one_if(level > 0.5);
  }
};

const Registered<GridIslanding> registered{"grid_islanding", "plant parted from the grid by its own switch"};

}  // namespace
}  // namespace urja

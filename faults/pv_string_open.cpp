// Strings of an array open: their current is gone, the voltage stays; the same share at any light (handbook 12.1).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct PvStringOpen : FaultClock {
  using Settings = FaultSettings;
  Lanes strings, open_strings, array_share;

  static void declare(Declare& d) {
    FaultClock::declare<PvStringOpen>(d, {"pv", "pv_profile"});
    d.effect("power", Sign::falls);
    d.parameter<&PvStringOpen::strings>("1", 4, {1, 1e6}, "of the array, side by side");
    d.parameter<&PvStringOpen::open_strings>("1", 1, {0, 1e6}, "of them without current");
    d.output<&PvStringOpen::array_share>("1", "share of the DC power that is left").onto("target.array_share", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    array_share = most(1 - level * open_strings / strings, 0);
  }
};

const Registered<PvStringOpen> registered{"pv_string_open", "strings of the array without current"};

}  // namespace
}  // namespace urja

// Soiling: dust takes light, a little more each day, until somebody or the rain washes it off (the end of the fault).
// transmission = 1 - share of light lost, which grows in proportion to the time since the begin      [Kimber et al. 2006; handbook 12.1]
// Signature: the performance ratio falls by 0.1 to 0.5 % a day and is back at once; the voltage does not change.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct PvSoiling : FaultClock {
  using Settings = FaultSettings;
  Lanes daily_loss, lost_share_max, transmission;

  static void declare(Declare& d) {
    FaultClock::declare<PvSoiling>(d, {"pv", "pv_profile"});
    d.effect("power", Sign::falls);
    d.parameter<&PvSoiling::daily_loss>("1", 0.002, {0, 0.1}, "share of light lost by each day since the begin");
    d.parameter<&PvSoiling::lost_share_max>("1", 0.3, {0, 1}, "most of the light that it takes");
    d.output<&PvSoiling::transmission>("1", "share of light that is left").onto("target.transmission", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    const Lanes days = most(s.time - begins, 0) * (1 / 86400.0);
    transmission = 1 - level * pick(active > 0.5, least(daily_loss * days, lost_share_max), 0.0);
    // Steps of a tenth of a percent of a day's loss would be waste: once an hour.
    due = pick(active > 0.5, least(due, s.time + most(s.dt, 3600)), due);
  }
};

const Registered<PvSoiling> registered{"pv_soiling", "light lost to dust, growing by the day until it is washed off"};

}  // namespace
}  // namespace urja

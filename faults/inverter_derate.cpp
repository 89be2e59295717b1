// An inverter passes on only a share of its rating (handbook 12.2). Signature: a plateau below the clipping level.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct InverterDerate : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, derate;

  static void declare(Declare& d) {
    FaultClock::declare<InverterDerate>(d, {"pv", "pv_profile"});
    d.effect("power_max", Sign::falls);
    d.parameter<&InverterDerate::lost_share>("1", 0.5, {0, 1}, "of the rating");
    d.output<&InverterDerate::derate>("1", "share of the rating that is left").onto("target.derate", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    derate = 1 - level * lost_share;
  }
};

const Registered<InverterDerate> registered{"inverter_derate", "inverter limited to a share of its rating"};

}  // namespace
}  // namespace urja

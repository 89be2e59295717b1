// A step of degradation: cracked cells, PID, hail; modules give less from one moment on (handbook 3.4, 12.1).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct PvDegradationStep : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, array_share;

  static void declare(Declare& d) {
    FaultClock::declare<PvDegradationStep>(d, {"pv", "pv_profile"});
    d.effect("power", Sign::falls);
    d.parameter<&PvDegradationStep::lost_share>("1", 0.05, {0, 1}, "of the DC power");
    d.output<&PvDegradationStep::array_share>("1", "share of the DC power that is left")
        .onto("target.array_share", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    array_share = 1 - level * lost_share;
  }
};

const Registered<PvDegradationStep> registered{"pv_degradation_step", "modules that give less from one moment on"};

}  // namespace
}  // namespace urja

// The charger gives only a share of its rating: hot connector, a missing phase (handbook 12.4).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct ChargerDerate : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, derate;

  static void declare(Declare& d) {
    FaultClock::declare<ChargerDerate>(d, {"ev_charger"});
    d.effect("power", Sign::changes);
    d.parameter<&ChargerDerate::lost_share>("1", 0.5, {0, 1}, "of the rating");
    d.output<&ChargerDerate::derate>("1", "share of the rating that is left").onto("target.derate", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    derate = 1 - level * lost_share;
  }
};

const Registered<ChargerDerate> registered{"charger_derate", "charger limited to a share of its rating"};

}  // namespace
}  // namespace urja

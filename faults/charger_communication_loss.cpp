// The charger loses its controller: the last profile holds for a time-out, then a safe current (handbook 12.4: 6 A or none after 60 to 300 s).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct ChargerCommunicationLoss : FaultClock {
  using Settings = FaultSettings;
  Lanes time_out, safe_power, derate;
  Lanes rated;

  static void declare(Declare& d) {
    FaultClock::declare<ChargerCommunicationLoss>(d, {"ev_charger"});
    d.effect("delivered_power", Sign::falls);
    d.parameter<&ChargerCommunicationLoss::time_out>("s", 120, {0, 86400}, "for which the last profile holds");
    d.parameter<&ChargerCommunicationLoss::safe_power>("W", 1380, {0, 1e6},
                                                       "after it; below the charger's minimum current it is a pause");
    d.output<&ChargerCommunicationLoss::derate>("1", "share of the rating that is allowed").onto("target.derate", Effect::limit);
    d.input<&ChargerCommunicationLoss::rated>("W", 7360, {}, "of the charger").from("target.rated");
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    const Mask safe = level > 0.5 && s.time + 1e-6 >= begins + time_out;
    derate = pick(safe, least(safe_power / most(rated, 1), 1), never);
    due = pick(active > 0.5 && !safe, least(due, begins + time_out), due);
  }
};

const Registered<ChargerCommunicationLoss> registered{"charger_communication_loss",
                                                      "charger that falls back to a safe power without its controller"};

}  // namespace
}  // namespace urja

// An internal short: a current flows inside the cells, discharges them and heats them (handbook 12.3: I = V/R).
// Signature: the state of charge falls at rest, the cells are warmer.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct BatteryInternalShort : FaultClock {
  using Settings = FaultSettings;
  Lanes short_current, leakage;

  static void declare(Declare& d) {
    FaultClock::declare<BatteryInternalShort>(d, {"battery"}, "temperature");
    d.effect("state_of_charge", Sign::falls);
    d.parameter<&BatteryInternalShort::short_current>(
        "A", 0.5, {0, 1000}, "through the short, in every full cell; it falls with the charge like self-discharge");
    d.output<&BatteryInternalShort::leakage>("A", "more self-discharge").onto("target.leakage", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    leakage = level * short_current;
  }
};

const Registered<BatteryInternalShort> registered{"battery_internal_short", "self-discharge inside the cells, with its heat"};

}  // namespace
}  // namespace urja

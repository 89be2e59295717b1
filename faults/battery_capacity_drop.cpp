// Capacity is lost: strings gone, or cells worn. What was in the lost part is lost with it and booked as parameter_change.
// Signature: begin and end of charge deviate, the middle is normal (handbook 12.3).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct BatteryCapacityDrop : FaultClock {
  using Settings = FaultSettings;
  Lanes lost_share, capacity;

  static void declare(Declare& d) {
    FaultClock::declare<BatteryCapacityDrop>(d, {"battery"}, "temperature");
    d.effect("stored_energy", Sign::falls);
    d.parameter<&BatteryCapacityDrop::lost_share>("1", 0.2, {0, 1}, "of the capacity");
    d.output<&BatteryCapacityDrop::capacity>("1", "share of the capacity that is left").onto("target.capacity", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    capacity = most(1 - level * lost_share, 1e-3);
  }
};

const Registered<BatteryCapacityDrop> registered{"battery_capacity_drop", "capacity lost from one moment on"};

}  // namespace
}  // namespace urja

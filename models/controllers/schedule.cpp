// Schedule: commands the battery to the planned_power that a profile gives (discharge > 0), clipped to what the battery can do.
#include "engine/declare.hpp"

namespace urja {
namespace {

struct Schedule {
  Lanes planned_power;
  Lanes command, active;

  static void declare(Declare& d) {
    d.role(
        {.name = "battery", .models = {"battery"}, .tag = "", .many = false, .optional = false, .doc = "follows the schedule"});
    d.input<&Schedule::planned_power>("W", 0, {-1e12, 1e12}, "planned power of the battery, discharge > 0",
                                      observable | actionable);
    d.output<&Schedule::command>("W", "commanded", observable).to("battery.command");
    d.output<&Schedule::active>("1", "1: it commands").to("battery.commanded");
  }
  void control(const Step&) {
    command = planned_power;
    active = Lanes::Ones();
  }
};

const Registered<Schedule> registered{"schedule", "the battery's power follows a profile"};

}  // namespace
}  // namespace urja

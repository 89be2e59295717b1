// Time of use: charges the battery while energy is cheap and keeps a reserve for the dear hours.
//
//   price <= charge_below:   planned import = expected import + charge_power: the battery takes it (planned_import.hpp), as
//                            much as it can and the grid allows, and does not discharge
//   otherwise:               the merit list alone: the battery covers the plant's own use
//   before reserve_until:    the battery does not discharge below the reserve; after it (until local midnight) it may
//
// The reserve is kept, not made: it holds what cheap energy and PV have brought.
#include "models/controllers/planned_import.hpp"

namespace urja {
namespace {

struct TimeOfUse : PlannedImport {
  Lanes charge_below, charge_power, reserve, reserve_until;
  Lanes price;
  Lanes floor;

  static void declare(Declare& d) {
    d.base<TimeOfUse, PlannedImport>();
    d.parameter<&TimeOfUse::charge_below>("money/kWh", -1e6, {-1e6, 1e6},
                                          "price at or below which it charges from the grid; default: never");
    d.parameter<&TimeOfUse::charge_power>("W", 1e12, {0, 1e12},
                                          "most power to charge with; default: as much as battery and grid allow");
    d.parameter<&TimeOfUse::reserve>("1", 0, {0, 1}, "state of charge that is kept for later");
    d.parameter<&TimeOfUse::reserve_until>("s", 0, {0, 86400}, "local time of day until which the reserve is kept (\"16:00\")");
    d.input<&TimeOfUse::price>("money/kWh", 0, {}, "now").from("grid.price");
    d.output<&TimeOfUse::floor>("1", "state of charge down to which it may discharge", observable)
        .to("battery.state_of_charge_floor");
  }
  void control(const Step& s) {
    import_wish = pick(price <= charge_below, expected_import() + charge_power, 0 * price);
    floor = pick(s.second_of_day() < reserve_until, reserve, lanes(0));
  }
  void advance(const Step&) { remember(); }
};

const Registered<TimeOfUse> registered{"time_of_use", "charges while energy is cheap, keeps a reserve until a time of day"};

}  // namespace
}  // namespace urja

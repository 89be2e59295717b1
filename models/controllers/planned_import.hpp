#pragma once
// What the plant will draw from the grid in the step that begins, if the battery rests: the part that controllers of the
// grid's import share.
//
//   expected import = what grid and battery gave in the last step + change of the loads' demand since then
//
// Demands of the present step are known, those of fleets' members too (profiles are read before controllers run); PV and
// chargers are taken to go on as in the last step. A controller turns the expectation into `grid.import_wish`. The merit list
// then lets the battery take whatever the plant really does differently, within the step: an error of the expectation becomes
// a small power of the battery, never a missed import limit, and where the battery is exhausted the grid takes the rest before
// any load is shed. For this the battery stands before the grid in the scenario's `balance`.
#include "engine/declare.hpp"

namespace urja {

struct PlannedImport {
  Lanes grid_power, battery_power, demand;
  Lanes demand_before;
  Lanes import_wish;

  static void declare_members(Declare& d) {
    d.role({.name = "grid", .models = {"grid"}, .tag = "", .many = false, .optional = false, .doc = "whose import is planned"});
    d.role({.name = "battery", .models = {"battery"}, .tag = "", .many = true, .optional = false, .doc = "takes the difference"});
    d.role(
        {.name = "load", .models = {"load"}, .tag = "", .many = true, .optional = true, .doc = "whose present demand is known"});
    d.input<&PlannedImport::grid_power>("W", 0, {}, "of the last step").from("grid.power");
    d.input<&PlannedImport::battery_power>("W", 0, {}, "of the last step").from("battery.power");
    d.input<&PlannedImport::demand>("W", 0, {}, "of all loads, now").from("load.demand*scale");
    d.state<&PlannedImport::demand_before>("W", 0, {}, "of all loads in the last step");
    d.output<&PlannedImport::import_wish>("W", "planned import", observable).to("grid.import_wish");
  }
  Lanes expected_import() const { return grid_power + battery_power + demand - demand_before; }
  // In advance().
  void remember() { demand_before = demand; }
};

}  // namespace urja

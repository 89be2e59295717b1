// Backup genset: the merit list itself while the grid is there; gensets run while it is away, as behind a transfer switch.
//
// An outage that the data tell of (`connected`) is known in the step in which it begins. One that a fault makes shows in what the grid could
// give: one step later, and for one step after its end.
#include "engine/declare.hpp"

namespace urja {
namespace {

struct BackupGenset {
  Lanes genset_loading;
  Lanes connected, grid_most;
  Lanes genset_run;
  Lanes was_connected;

  static void declare(Declare& d) {
    d.role({.name = "grid", .models = {"grid"}, .tag = "", .many = false, .optional = false, .doc = "in whose absence they run"});
    d.role({.name = "genset", .models = {"genset"}, .tag = "", .many = true, .optional = false, .doc = "run in outages"});
    d.parameter<&BackupGenset::genset_loading>("1", 0, {0, 1},
                                               "power over rating that they plan; 0 = their minimum, and what the rest leaves")
        .to("genset.loading");
    d.input<&BackupGenset::connected>("1", 1, {}, "1 while the grid is there").from("grid.connected");
    d.input<&BackupGenset::grid_most>("W", 0, {}, "that the grid could give in the last step").from("grid.power_max");
    d.output<&BackupGenset::genset_run>("1", "1 = run", observable).to("genset.run");
    d.state<&BackupGenset::was_connected>("1", 0, {0, 1}, "1: it was said to be there in the last step");
  }

  void control(const Step&) {
    const Mask gone = connected < 0.5 || (was_connected > 0.5 && grid_most <= 0);
    genset_run = one_if(gone) + 0 * (connected + grid_most);  // a NaN stays one
  }
  void advance(const Step&) { was_connected = one_if(connected > 0.5); }
};

const Registered<BackupGenset> registered{"backup_genset", "the merit list, and gensets that run while the grid is away"};

}  // namespace
}  // namespace urja

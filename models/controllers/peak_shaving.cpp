// Peak shaving: keeps the grid's import at or below a target by discharging the battery, and recharges it below another.
//
//        import   ^            .-----.   load
//   import_target |-----------/#######\-----------   the battery gives what lies above
//                 |          /         \             between the two it rests
//   recharge_below|::::::::./           \.::::::::   and below it takes what is missing up to here
//
//   planned import = clamp(expected import, recharge_below, import_target)          (see planned_import.hpp)
//
// The target holds within the step, also for a load that nobody expected, as long as the battery can give it; then the grid
// takes the rest. Only the choice to rest or to recharge rests on the expectation.
#include "models/controllers/planned_import.hpp"

namespace urja {
namespace {

struct PeakShaving : PlannedImport {
  Lanes import_target, recharge_below;

  static void declare(Declare& d) {
    d.base<PeakShaving, PlannedImport>();
    d.parameter<&PeakShaving::import_target>("W", 1e9, {0, 1e12}, "highest import that is wanted");
    d.parameter<&PeakShaving::recharge_below>("W", 0, {-1e12, 1e12}, "up to this import the battery is recharged");
    d.ordered<&PeakShaving::recharge_below, &PeakShaving::import_target>();
  }
  void control(const Step&) { import_wish = least(most(expected_import(), recharge_below), import_target); }
  void advance(const Step&) { remember(); }
};

const Registered<PeakShaving> registered{"peak_shaving", "keeps the grid's import below a target with the battery"};

}  // namespace
}  // namespace urja

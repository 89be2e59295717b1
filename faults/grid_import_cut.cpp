// The grid allows less import: a congested feeder, a demand-response call.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GridImportCut : FaultClock {
  using Settings = FaultSettings;
  Lanes allowed, import_limit;

  static void declare(Declare& d) {
    FaultClock::declare<GridImportCut>(d, {"grid"});
    d.effect("power_max", Sign::falls);
    d.parameter<&GridImportCut::allowed>("W", 0, {0, 1e12}, "most power from the grid");
    d.output<&GridImportCut::import_limit>("W", "most power from the grid").onto("target.import_limit", Effect::limit);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    import_limit = pick(level > 0, allowed, never);
  }
};

const Registered<GridImportCut> registered{"grid_import_cut", "import limit of the grid cut"};

}  // namespace
}  // namespace urja

// The tank is not filled: from the begin on there are so many litres, then the genset stops until the end of the fault.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GensetFuelRunsOut : FaultClock {
  using Settings = FaultSettings;
  Lanes tank, tripped;
  Lanes fuel, used_before;

  static void declare(Declare& d) {
    FaultClock::declare<GensetFuelRunsOut>(d, {"genset"});
    d.effect("power", Sign::falls);
    d.parameter<&GensetFuelRunsOut::tank>("l", 40, {0, 1e9}, "fuel that is left at the begin");
    d.output<&GensetFuelRunsOut::tripped>("1", "1: no fuel").onto("target.tripped", Effect::term);
    d.input<&GensetFuelRunsOut::fuel>("l", 0, {}, "used by the genset since its start").from("target.fuel");
    d.state<&GensetFuelRunsOut::used_before>("l", -1, {}, "fuel used when it began; -1: it is not there");
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    used_before = pick(active > 0.5, pick(used_before < 0, fuel, used_before), lanes(-1));
    tripped = one_if(level > 0.5) * one_if(fuel - used_before >= tank);
    keep_running(s);
  }
};

const Registered<GensetFuelRunsOut> registered{"genset_fuel_runs_out", "genset that stops when its tank is empty"};

}  // namespace
}  // namespace urja

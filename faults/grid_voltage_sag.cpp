// The grid's voltage falls (IEEE 1159: 0.1 to 0.9 per unit). What rides through it goes on, the rest trips and returns.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GridVoltageSag : FaultClock {
  using Settings = FaultSettings;
  Lanes residual_voltage, voltage_scale;

  static void declare(Declare& d) {
    FaultClock::declare<GridVoltageSag>(d, {"grid"});
    d.effect("bus_voltage", Sign::falls);
    d.parameter<&GridVoltageSag::residual_voltage>("1", 0.5, {0, 1}, "per unit that is left");
    d.output<&GridVoltageSag::voltage_scale>("1", "factor on the voltage").onto("target.voltage_scale", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    voltage_scale = 1 - level * (1 - residual_voltage);
  }
};

const Registered<GridVoltageSag> registered{"grid_voltage_sag", "voltage of the grid below nominal"};

}  // namespace
}  // namespace urja

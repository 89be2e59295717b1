// The grid's voltage rises (IEEE 1159: 1.1 to 1.8 per unit): spikes and swells, as far as a step shows them.
#include "faults/clock.hpp"

namespace urja {
namespace {

struct GridVoltageSwell : FaultClock {
  using Settings = FaultSettings;
  Lanes voltage_reached, voltage_scale;

  static void declare(Declare& d) {
    FaultClock::declare<GridVoltageSwell>(d, {"grid"});
    d.effect("bus_voltage", Sign::rises);
    d.parameter<&GridVoltageSwell::voltage_reached>("1", 1.2, {1, 2}, "per unit");
    d.output<&GridVoltageSwell::voltage_scale>("1", "factor on the voltage").onto("target.voltage_scale", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    voltage_scale = 1 + level * (voltage_reached - 1);
  }
};

const Registered<GridVoltageSwell> registered{"grid_voltage_swell", "voltage of the grid above nominal"};

}  // namespace
}  // namespace urja

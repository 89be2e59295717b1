// A sensor that reads too high or too low by the same amount.
// Signature: the difference to the truth does not change; a single meter that deviates from its neighbours and the bus's balance (handbook 11, 12.5).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorBias : FaultClock {
  using Settings = FaultSettings;
  Lanes offset;
  Lanes bias;

  static void declare(Declare& d) {
    FaultClock::declare<SensorBias>(d, {"sensor"});
    d.effect("measured", Sign::rises);
    d.parameter<&SensorBias::offset>("of channel, difference", 0, {-1e12, 1e12}, "reading minus truth", needed);
    d.output<&SensorBias::bias>("of channel, difference", "added to each reading").onto("target.bias", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    bias = level * offset;
  }
};

const Registered<SensorBias> registered{"sensor_bias", "sensor that reads too high or too low by an amount"};

}  // namespace
}  // namespace urja

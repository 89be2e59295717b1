// A sensor that has become noisy: a loose contact, a bad shield.
// Signature: the spread of its readings grows, their mean does not (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorNoise : FaultClock {
  using Settings = FaultSettings;
  Lanes noise;
  Lanes noise_added;

  static void declare(Declare& d) {
    FaultClock::declare<SensorNoise>(d, {"sensor"});
    d.effect("measured", Sign::changes);
    d.parameter<&SensorNoise::noise>("of channel, difference", 0, {0, 1e12}, "standard deviation, beside the sensor's own noise",
                                     needed);
    d.output<&SensorNoise::noise_added>("of channel, difference", "standard deviation").onto("target.noise_added", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    noise_added = level * noise;
  }
};

const Registered<SensorNoise> registered{"sensor_noise", "sensor that has become noisy"};

}  // namespace
}  // namespace urja

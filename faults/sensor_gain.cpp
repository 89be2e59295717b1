// A sensor that reads a share too much or too little: a wrong ratio of a current transformer, a dirty pyranometer.
// Signature: the difference to the truth grows with the reading and is nothing at zero (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorGain : FaultClock {
  using Settings = FaultSettings;
  Lanes times;
  Lanes gain;

  static void declare(Declare& d) {
    FaultClock::declare<SensorGain>(d, {"sensor"});
    d.effect("measured", Sign::falls);
    d.parameter<&SensorGain::times>("1", 0.9, {-10, 10}, "reading over truth");
    d.output<&SensorGain::gain>("1", "reading over truth").onto("target.gain", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    gain = 1 + level * (times - 1);
  }
};

const Registered<SensorGain> registered{"sensor_gain", "sensor that reads a share too much or too little"};

}  // namespace
}  // namespace urja

// A sensor whose readings have lost digits: a wrong range of its converter.
// Signature: readings stand on multiples of a step; the error is even within half of it, its variance step^2/12 (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorQuantisation : FaultClock {
  using Settings = FaultSettings;
  Lanes step;
  Lanes coarse;

  static void declare(Declare& d) {
    FaultClock::declare<SensorQuantisation>(d, {"sensor"});
    d.effect("measured", Sign::changes);
    d.parameter<&SensorQuantisation::step>("of channel, difference", 0, {0, 1e12}, "of its readings", needed);
    d.output<&SensorQuantisation::coarse>("of channel, difference", "step of its readings").onto("target.coarse", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    coarse = level * step;
  }
};

const Registered<SensorQuantisation> registered{"sensor_quantisation", "sensor whose readings have a coarse step"};

}  // namespace
}  // namespace urja

// A sensor that goes on sending its last reading, with new stamps.
// Signature: no variance at all while its neighbours move; its messages are not late (handbook 11).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorStuck : FaultClock {
  using Settings = FaultSettings;
  Lanes stuck;

  static void declare(Declare& d) {
    FaultClock::declare<SensorStuck>(d, {"sensor"});
    d.effect("measured", Sign::changes);
    d.output<&SensorStuck::stuck>("1", "1: the last reading stays").onto("target.stuck", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    stuck = one_if(level > 0.5);
  }
};

const Registered<SensorStuck> registered{"sensor_stuck", "sensor that repeats its last reading"};

}  // namespace
}  // namespace urja

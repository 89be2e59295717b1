// A sensor's clock is wrong by an offset, and goes wrong by a rate. A stamp in the future is believed when its time has come: what is read is
// late by the offset and looks new. With a stamp in the past the value is new and looks old.
// Signature: the channel lags its neighbours by a constant time, or its age is constant while they are in step (handbook 12.7).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorClockSkew : FaultClock {
  using Settings = FaultSettings;
  Lanes offset, rate_of_clock;
  Lanes clock_offset;

  static void declare(Declare& d) {
    FaultClock::declare<SensorClockSkew>(d, {"link"});
    d.effect("measured", Sign::changes);
    d.parameter<&SensorClockSkew::offset>("s", 300, {-1e6, 1e6}, "its stamp minus the true time", held_by_link);
    d.parameter<&SensorClockSkew::rate_of_clock>("1", 0, {-0.1, 0.1},
                                                 "that it gains per time, beside the offset (1e-6 is 1 ppm)");
    d.output<&SensorClockSkew::clock_offset>("s", "its stamp minus the true time").onto("target.clock_offset", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    clock_offset = pick(active > 0.5, level * (offset + rate_of_clock * (s.time - pick(active > 0.5, begins, 0.0))), 0.0);
    if (some(rate_of_clock != 0)) keep_running(s);
  }
};

const Registered<SensorClockSkew> registered{"sensor_clock_skew", "clock of a sensor that is wrong"};

}  // namespace
}  // namespace urja

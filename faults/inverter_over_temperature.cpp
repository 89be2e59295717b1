// The inverter runs hot: a fan has failed, filters are clogged. Its heat sink is worse cooled, and the inverter takes back power so that it
// does not pass its limit.
//
//   T_sink lags T_air + R P with `time_constant`, exact over a step;  share left = (T_max - T_air) / (R P_rated) at the limit, within [0, 1]
//   R = times * (T_rated_rise / P_rated): healthy, the sink is `rise_at_rating` above the air at full power.       [assumption: linear loss]
//
// Signature: a plateau below the clipping level that follows the air's temperature and is gone in the evening (handbook 12.2).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct InverterOverTemperature : FaultClock {
  using Settings = FaultSettings;
  Lanes times, rise_at_rating, limit_temperature, time_constant;
  Lanes power, rated, air;
  Lanes sink_rise;
  Lanes derate;

  static void declare(Declare& d) {
    FaultClock::declare<InverterOverTemperature>(d, {"pv", "pv_profile"}, "");
    d.effect("power_max", Sign::falls);
    d.parameter<&InverterOverTemperature::times>("1", 2.5, {1, 20},
                                                 "thermal resistance of the heat sink against the healthy one");
    d.parameter<&InverterOverTemperature::rise_at_rating>("K", 40, {1, 200}, "of the healthy sink above the air at full power")
        .cite("assumption");
    d.parameter<&InverterOverTemperature::limit_temperature>("degC", 85, {40, 150}, "of the sink").cite("assumption");
    d.parameter<&InverterOverTemperature::time_constant>("s", 900, {1, 36000}, "of the sink").cite("assumption");
    d.input<&InverterOverTemperature::power>("W", 0, {}, "of the last step").from("target.power");
    d.input<&InverterOverTemperature::rated>("W", 5000, {}, "of the plant").from("target.rated");
    d.input<&InverterOverTemperature::air>("degC", 25, {}, "around the inverter").from("target.ambient_temperature");
    d.state<&InverterOverTemperature::sink_rise>("K", -1, {}, "of the sink above the air; -1: the fault is not there");
    d.output<&InverterOverTemperature::derate>("1", "share of the rating that is left").onto("target.derate", Effect::factor);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    const Lanes resistance = rise_at_rating * (1 + level * (times - 1)) / rated;
    const Lanes kept = (-s.dt / time_constant).exp(), steady = resistance * most(power, 0);
    const Lanes healthy = rise_at_rating * most(power, 0) / rated;  // where the sink was when the fault came
    sink_rise = pick(active > 0.5, pick(sink_rise < 0, healthy, steady + (sink_rise - steady) * kept), -1.0);
    // What may flow so that the sink is at its limit at this step's end, not above.
    const Lanes room = limit_temperature - air - sink_rise * kept;
    derate = pick(level > 0, clamp(room / (resistance * rated * (1 - kept)), lanes(0), lanes(1)), 1.0);
    keep_running(s);
  }
};

const Registered<InverterOverTemperature> registered{"inverter_over_temperature",
                                                     "inverter that takes back power because its heat sink is badly cooled"};

}  // namespace
}  // namespace urja

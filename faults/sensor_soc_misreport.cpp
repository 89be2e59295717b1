// A battery's management reports a wrong state of charge: its coulomb counter has a wrong gain or a leak, or was reset to a wrong value.
//
//   e' = e + gain_error (s' - s) + leak dt        e = reset_error at the begin;    reported = clamp(s + e, 0, 1)
//   where `recalibrates`: e = 0 when the battery is truly full (above 99.5 %), as a real counter is set right there
//
// Signature: coulomb count and open-circuit voltage at rest disagree; the true energy is what it was (handbook 12.3).
#include "faults/clock.hpp"

namespace urja {
namespace {

struct SensorSocMisreport : FaultClock {
  using Settings = FaultSettings;
  Lanes reset_error, gain_error, leak, per, recalibrates;
  Lanes truth;
  Lanes error, before, until;
  Lanes bias;

  static void declare(Declare& d) {
    FaultClock::declare<SensorSocMisreport>(d, {"sensor"});
    d.effect("measured", Sign::rises);
    for (Role& r : d.roles()) r.tag = "state_of_charge";
    d.parameter<&SensorSocMisreport::reset_error>("1", 0.2, {-1, 1}, "reported minus true, from the begin on");
    d.parameter<&SensorSocMisreport::gain_error>("1", 0, {-1, 1}, "counted too much, a share of what is counted");
    d.parameter<&SensorSocMisreport::leak>("1", 0, {-1, 1}, "that the report moves away beside that");
    d.parameter<&SensorSocMisreport::per>("s", 86400, {1, 1e9}, "in each such time");
    d.parameter<&SensorSocMisreport::recalibrates>("1", 0, {0, 1}, "1: set right when the battery is full");
    d.input<&SensorSocMisreport::truth>("1", 0, {}, "true state of charge").from("target.truth");
    d.state<&SensorSocMisreport::error>("1", 0, {}, "reported minus true");
    d.state<&SensorSocMisreport::before>("1", -1, {}, "true state of charge in the last step; -1: the fault was not there");
    d.state<&SensorSocMisreport::until>("s", 0, {}, "counted until then");
    d.output<&SensorSocMisreport::bias>("1", "reported minus true").onto("target.bias", Effect::term);
  }
  void disturb(const Step& s, const Settings& settings) {
    tick(s, settings);
    const Mask there = active > 0.5, first = there && before < 0;
    const Lanes counted = pick(first, reset_error, error + gain_error * (truth - before) + leak * (s.time - until) / per);
    error = pick(there, pick(recalibrates > 0.5 && truth > 0.995, 0.0, counted), 0.0);
    before = pick(there, truth, -1.0);
    until = s.time;
    // The report stays between empty and full.
    bias = pick(there, level * (clamp(truth + error, lanes(0), lanes(1)) - truth), 0.0);
    keep_running(s);
  }
};

const Registered<SensorSocMisreport> registered{"sensor_soc_misreport",
                                                "battery management that reports a wrong state of charge"};

}  // namespace
}  // namespace urja

// Load: replays a profile behind a relay.
//
//   wanted = scale demand;   served = wanted while the relay is closed and the bus is alive, or what the balance leaves of it
//   unserved = wanted - served, whatever the reason: shedding is never free
//   q = p tan(phi): reactive power is drawn with the power that it wishes
//
// When a relay may close again (minimum off time, one zone after the other) is the controller's work.
#include <string>

#include "engine/declare.hpp"

namespace urja {
namespace {

struct Load {
  struct Settings {
    std::string priority;
  };
  Port ac;
  Lanes scale, power_factor, stuck_open, stuck_closed;
  Lanes demand, relay;
  Lanes wanted, served, unserved_power;
  Lanes reactive_share;

  static void declare(Declare& d) {
    d.port<&Load::ac>();
    d.parameter<&Load::scale>("1", 1, {0, 1e6}, "multiplies the demand", hook | estimable);
    d.parameter<&Load::power_factor>("1", 1, {0.05, 1}, "real over apparent power, lagging");
    d.input<&Load::demand>("W", 0, {0, 1e12}, "power that the consumers ask for", observable | needed);
    d.parameter<&Load::stuck_open>("1", 0, {0, 1}, "1: the relay does not close", hook);
    d.parameter<&Load::stuck_closed>("1", 0, {0, 1}, "1: the relay does not open, and nobody can shed what is behind it", hook);
    d.input<&Load::relay>("1", 1, {0, 1}, "1 = closed, 0 = shed", observable | actionable | telemetered);
    d.output<&Load::wanted>("W", "demand, scaled", observable).kpi("load_kwh");
    d.output<&Load::served>("W", "consumed", sink | observable).kpi("served_kwh");
    d.output<&Load::unserved_power>("W", "wanted and not served", unserved | observable).kpi("unserved_kwh");
    d.derived<&Load::reactive_share>();
    d.tag<&Settings::priority>("critical", {"critical", "semi_critical", "non_critical", "deferrable"},
                               "zone in which it is shed");
  }

  void prepare(const Step&) { reactive_share = (1 - power_factor.square()).sqrt() / power_factor; }

  void limits(const Step&) {
    wanted = scale * demand;
    const Lanes on =
        one_if(most(relay * (1 - stuck_open), stuck_closed) > 0.5 && ac.voltage >= 0.5) + 0 * relay;  // a NaN stays one
    ac.p_min = -wanted * on;
    ac.p_max = ac.p_min * stuck_closed;
    ac.p_wish = ac.p_min;
    ac.q = ac.q_min = ac.q_max = ac.p_min * reactive_share;
  }
  void advance(const Step&) {
    served = -ac.p;
    unserved_power = most(wanted - served, 0);
  }
};

const Registered<Load> registered{"load", "consumers that replay a profile behind a relay"};

}  // namespace
}  // namespace urja

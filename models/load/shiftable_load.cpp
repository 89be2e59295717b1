// Shiftable load: replays a profile like `load`, and makes up later for a share of what was shed (heating, cooling, pumping).
//
//   shed = demand - served directly          owed' = payback shed - repaid,  repaid at most with payback_power
//   demand = served directly + (1 - payback) shed [unserved at once] + payback shed [owed, then served or still open]
// Shedding is never free: what is not repaid by the end of the run stands in `owed`.
#include <string>

#include "engine/declare.hpp"

namespace urja {
namespace {

struct ShiftableLoad {
  struct Settings {
    std::string priority;
  };
  Port ac;
  Lanes payback, payback_power, stuck_open, stuck_closed;
  Lanes demand, relay;
  Lanes owed;
  Lanes wanted, served, repaid, unserved_power;

  static void declare(Declare& d) {
    d.port<&ShiftableLoad::ac>();
    d.parameter<&ShiftableLoad::payback>("1", 1, {0, 1}, "share of shed energy that is made up for later").cite("assumption");
    d.parameter<&ShiftableLoad::payback_power>("W", 1000, {0, 1e12}, "most power on top of the demand, to make up for it");
    d.input<&ShiftableLoad::demand>("W", 0, {0, 1e12}, "power that the consumers ask for", observable | needed);
    d.parameter<&ShiftableLoad::stuck_open>("1", 0, {0, 1}, "1: the relay does not close", hook);
    d.parameter<&ShiftableLoad::stuck_closed>("1", 0, {0, 1}, "1: the relay does not open, and nobody can shed what is behind it",
                                              hook);
    d.input<&ShiftableLoad::relay>("1", 1, {0, 1}, "1 = closed, 0 = shed", observable | actionable | telemetered);
    d.state<&ShiftableLoad::owed>("Wh", 0, {0, 1e15}, "shed and not made up for", observable).kpi("deferred_unmet_kwh");
    d.output<&ShiftableLoad::wanted>("W", "demand", observable).kpi("load_kwh");
    d.output<&ShiftableLoad::served>("W", "consumed", sink | observable).kpi("served_kwh");
    d.output<&ShiftableLoad::repaid>("W", "part of it that makes up for what was shed", observable);
    d.output<&ShiftableLoad::unserved_power>("W", "shed and never made up for", unserved | observable).kpi("unserved_kwh");
    d.tag<&Settings::priority>("deferrable", {"critical", "semi_critical", "non_critical", "deferrable"},
                               "zone in which it is shed");
  }

  void limits(const Step& s) {
    wanted = demand;
    const Lanes on =
        one_if(most(relay * (1 - stuck_open), stuck_closed) > 0.5 && ac.voltage >= 0.5) + 0 * relay;  // a NaN stays one
    ac.p_min = -(wanted + least(payback_power, owed * (3600 / s.dt))) * on;
    ac.p_max = ac.p_min * stuck_closed;
    ac.p_wish = ac.p_min;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
  void advance(const Step& s) {
    served = -ac.p;
    const Lanes direct = least(served, wanted), shed = wanted - direct;
    repaid = served - direct;
    unserved_power = (1 - payback) * shed;
    owed = most(owed + (payback * shed - repaid) * s.dt * (1 / 3600.0), 0);
  }
};

const Registered<ShiftableLoad> registered{"shiftable_load", "a profile of which shed energy is made up for later"};

}  // namespace
}  // namespace urja

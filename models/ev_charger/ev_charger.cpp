// AC charger with the vehicle that stands at it; a member of a fleet (a site) or alone.
//
//   sessions (file) -> who stands here -> what the vehicle would take -> bus       (what the site cannot give is the balance's)
//
//   pilot  p0 = min(rating, power_limit, vehicle's charger); a limit below minimum_current is a pause        [IEC 61851-1]
//   takes  P  = min(p0, P_max min(1, (1 - s)/(1 - s_tr))), s the battery's state of charge  [Lee et al. 2019, ACN-Sim, two-stage]
//   exact  while P = p0:  s' = k p0/P_max (1 - s_tr);  from s_p = 1 - (1 - s_tr) p0/P_max on:  s' = k (1 - s),
//          k = eta P_max/(E (1 - s_tr)); the mean over the step in closed form              [handbook 6.2]
//   step   P at the step's begin, held; not more than fills the battery: (1 - s) E/(eta dt) [ACN-Sim's "stepwise"]
//   never more than the energy still wanted. The balance gives any part of P: a lower pilot has that mean.
//   Into the battery goes eta of the power at the plug; 1 - eta is lost in the vehicle's charger.
//
// Energy wanted, delivered and unmet are counted at the plug, as a charging station's meter does:
//   wanted = delivered + unmet, and unmet is booked in the step in which the vehicle leaves.
//
// Sessions. First come first served to the lowest free charger, once for the whole file when the plan is complete; a vehicle
// holds its charger until its departure, whether full or not: only so are all assignments known beforehand. At a full site it
// waits until a charger comes free or it must leave ("queue"), or leaves ("leave"). Who never got a charger is booked as unmet
// by the first charger, at the departure. Events take effect at the step boundary at or after them; a session between two
// boundaries never charges. A vehicle that is there when a run begins starts then, its whole energy still wanted; one that has
// left by then does not count.
//
// State of charge on arrival, where the session does not say: such that the wanted energy ends at the target, in a larger
// battery if it would begin below empty [assumption]. Where the session's own numbers do not fit, the rest stays unmet.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/declare.hpp"
#include "models/ride_through.hpp"

namespace urja {
namespace {

constexpr double never = 1e300;  // s
constexpr double close = 1e-6;   // s: step times are rounded products

struct Session {
  double start;  // s since the plan's start, when it gets its charger; departure likewise
  double departure;
  double energy, maximum_power, state_of_charge, capacity;  // Wh, W, 1, Wh; what is not stated: 0, state of charge -1
};

struct Sessions {
  std::vector<std::vector<double>> sessions;  // as in the file
  std::string when_full, acceptance;
  bool stepwise = false;
  std::vector<std::vector<Session>> of_charger;  // in time order, one after the other
  std::vector<Session> lost;                     // never got a charger; by departure

  std::string finish(const PlanFacts& facts) {
    stepwise = acceptance == "step";
    for (std::size_t k = 0; k < sessions.size(); ++k) {
      const std::string wrong = check(sessions[k]);
      if (!wrong.empty()) return "sessions: record " + std::to_string(k + 1) + ": " + wrong;
    }
    assign(facts);
    return "";
  }

 private:
  static std::string check(const std::vector<double>& r) {
    if (r.size() != 6) return "it has " + std::to_string(r.size()) + " values, not 6";
    for (double value : r) {
      if (!std::isfinite(value)) return "a value is not a finite number";
    }
    if (r[1] <= r[0]) return "the departure is not after the arrival";
    if (r[2] <= 0) return "the energy is not above zero";
    if (r[3] < 0) return "the maximum power is negative";
    if (r[4] > 1) return "the state of charge is above 1";
    if (r[5] < 0) return "the capacity is negative";
    return "";
  }

  // The earlier arrival always has the first choice, so one pass in that order is the queue.
  void assign(const PlanFacts& facts) {
    std::vector<std::vector<double>> by_arrival = sessions;
    std::stable_sort(by_arrival.begin(), by_arrival.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
    std::vector<double> free_from(static_cast<std::size_t>(facts.members), -never);
    of_charger.assign(free_from.size(), {});
    lost.clear();
    for (const auto& r : by_arrival) {
      const double arrival = r[0], departure = r[1];
      auto charger = std::find_if(free_from.begin(), free_from.end(), [&](double t) { return t <= arrival; });
      if (charger == free_from.end()) charger = std::min_element(free_from.begin(), free_from.end());
      const double start = std::max(arrival, *charger);
      const bool served = start == arrival || (when_full == "queue" && start < departure);
      if (served) *charger = departure;
      if (departure <= facts.start) continue;
      auto& list = served ? of_charger[static_cast<std::size_t>(charger - free_from.begin())] : lost;
      list.push_back({start - facts.start, departure - facts.start, r[2], r[3], r[4], r[5]});
    }
    std::stable_sort(lost.begin(), lost.end(), [](const Session& a, const Session& b) { return a.departure < b.departure; });
  }
};

// The first session that ends after `now`.
std::size_t first_after(const std::vector<Session>& list, double now) {
  const auto later = [](double time, const Session& s) { return time < s.departure; };
  return static_cast<std::size_t>(std::upper_bound(list.begin(), list.end(), now, later) - list.begin());
}

struct EvCharger : RideThrough {
  using Settings = Sessions;
  Port ac;
  Lanes rated, derate, minimum_current, voltage, phases, efficiency, capacity, maximum_power, target, transition;
  Lanes power_limit;
  Lanes present, state_of_charge, still_wanted, departure, vehicle_capacity, vehicle_power;
  Lanes session, lost_session, next_event;
  Lanes delivered_power, battery_power, charging_loss, unmet_power, time_left, laxity;
  Lanes rating, floor, per_hour;

  static void declare(Declare& d) {
    d.base<EvCharger, RideThrough>();
    d.port<&EvCharger::ac>("the plug");
    d.parameter<&EvCharger::rated>("W", 7360, {1, 1e6}, "largest power of the charger; 32 A on one phase of 230 V");
    d.parameter<&EvCharger::derate>(
        "1", 1, {0, 1}, "share of the rating that is left (heat, a missing phase; 0: the contactor does not close)", hook);
    d.parameter<&EvCharger::minimum_current>("A", 6, {0, 80}, "smallest current that a pilot can ask for").cite("IEC 61851-1");
    d.parameter<&EvCharger::voltage>("V", 230, {50, 1000}, "phase to neutral (line to line where a vehicle is connected so)");
    d.parameter<&EvCharger::phases>("1", 1, {1, 3}, "that the vehicle charges from");
    d.parameter<&EvCharger::efficiency>("1", 0.9, {0.5, 1}, "of the vehicle's charger; assumed the same at all currents",
                                        hook | estimable)
        .cite("EV2Gym vehicle list 2024: 81 to 90 % at full current");
    d.parameter<&EvCharger::capacity>("Wh", 60e3, {1e3, 1e6},
                                      "of the vehicle's battery where the session does not say; assumption");
    d.parameter<&EvCharger::maximum_power>("W", 11e3, {100, 1e6},
                                           "of the vehicle's charger where the session does not say; assumption");
    d.parameter<&EvCharger::target>("1", 0.9, {0.1, 1}, "state of charge after the wanted energy; assumption");
    d.parameter<&EvCharger::transition>("1", 0.8, {0, 0.99}, "state of charge from which the vehicle takes less", hook)
        .cite("Lee et al. 2019, ACN-Sim");
    d.input<&EvCharger::power_limit>("W", 1e6, {0, 1e6}, "pilot: largest power allowed; less than the minimum current is a pause",
                                     actionable | observable);
    d.state<&EvCharger::present>("1", 0, {0, 1}, "1 while a vehicle is plugged in", observable | telemetered);
    d.state<&EvCharger::state_of_charge>("1", 0, {0, 1}, "of the vehicle's battery; of the last one while nobody is here",
                                         observable);
    d.state<&EvCharger::still_wanted>("Wh", 0, {0, 1e9}, "energy at the plug that the vehicle is still to get", observable);
    d.state<&EvCharger::departure>("s", 0, {}, "of the vehicle, since the plan's start");
    d.state<&EvCharger::vehicle_capacity>("Wh", 60e3, {}, "of the battery of the vehicle that is here");
    d.state<&EvCharger::vehicle_power>("W", 11e3, {}, "largest power that the vehicle takes, at the plug");
    d.state<&EvCharger::session>("1", 0, {}, "how many of this charger's sessions have begun");
    d.state<&EvCharger::lost_session>("1", 0, {}, "how many of the sessions without a charger are over");
    d.state<&EvCharger::next_event>("s", never, {}, "next arrival or departure, since the plan's start");
    d.output<&EvCharger::delivered_power>("W", "taken from the bus", observable | telemetered).kpi("ev_kwh");
    d.output<&EvCharger::battery_power>("W", "into the vehicle's battery", sink);
    d.output<&EvCharger::charging_loss>("W", "in the vehicle's charger", loss);
    d.output<&EvCharger::unmet_power>("W", "energy that vehicles leaving in this step did not get, over the step", observable)
        .kpi("ev_unmet_kwh");
    d.output<&EvCharger::time_left>("s", "until the departure, from the step's begin", observable);
    d.output<&EvCharger::laxity>("s", "time left beyond what full power needs", observable);
    d.derived<&EvCharger::rating, &EvCharger::floor, &EvCharger::per_hour>();
    d.fair_share<&EvCharger::floor, &EvCharger::laxity>();
    d.events<&Settings::sessions>({{"arrival", "time"},
                                   {"departure", "time"},
                                   {"energy", "Wh"},
                                   {"maximum_power", "W", false, 0},
                                   {"state_of_charge", "1", false, -1},
                                   {"capacity", "Wh", false, 0}},
                                  "vehicles that come to the site; energy at the plug");
    d.choice<&Settings::when_full>("queue", {"queue", "leave"}, "what a vehicle does that finds no free charger");
    d.choice<&Settings::acceptance>("exact", {"exact", "step"}, "how the battery's acceptance is followed within a step");
  }

  void prepare(const Step& s) {
    rating = rated * derate;
    prepare_window();
    floor = minimum_current * voltage * phases;
    per_hour = 3600 / s.dt;
  }

  void begin(const Step& s, const Settings& plan) {
    present = still_wanted = Lanes::Zero();
    for (int i = 0; i < width; ++i) {
      const double now = s.time[i] + close;
      session[i] = static_cast<double>(first_after(mine(s, i, plan), now));
      lost_session[i] = static_cast<double>(first_after(plan.lost, now));
      pass_events(i, now, s, plan);
    }
  }

  void limits(const Step& s, const Settings& plan) {
    const Lanes allowed = least(rating, power_limit), full = least(rating, vehicle_power);
    const Lanes p0 = least(allowed, vehicle_power) * one_if(allowed >= floor);
    const Lanes takes = plan.stepwise ? taken_stepwise(p0) : taken(p0, s.dt);
    ac.p_min = -least(takes, still_wanted * per_hour) * connected(ac);
    ac.p_max = Lanes::Zero();
    ac.p_wish = ac.p_min;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
    time_left = present * (departure - s.time);
    laxity = time_left - 3600 * still_wanted / most(full, 1);
  }

  void advance(const Step& s, const Settings& plan) {
    delivered_power = 0 - ac.p;
    battery_power = efficiency * delivered_power;
    charging_loss = (1 - efficiency) * delivered_power;
    state_of_charge = least(state_of_charge + battery_power / (vehicle_capacity * per_hour), 1);
    // What is exactly the rest leaves nothing behind, not even its rounding.
    still_wanted = most(still_wanted - delivered_power / per_hour, 0) * one_if(delivered_power < still_wanted * per_hour);
    unmet_power = Lanes::Zero();
    const Lanes now = (s.index + 1) * s.dt + close;
    if (some(next_event <= now)) {
      for (int i = 0; i < width; ++i) {
        if (next_event[i] <= now[i]) unmet_power[i] = pass_events(i, now[i], s, plan) * per_hour[i];
      }
    }
    pass_time(s, ac);
  }

 private:
  // Mean power over the step that a vehicle takes from the pilot p0. Divisions and exp only where somebody is past s_p.
  Lanes taken(const Lanes& p0, const Lanes& dt) const {
    const Lanes energy = 3600 * vehicle_capacity, linear = 1 - transition, empty = 1 - state_of_charge;  // J
    // Above zero where the acceptance at the end of a step at p0 would be below p0.
    const Lanes over = p0 * linear * energy - (empty * energy - efficiency * p0 * dt) * vehicle_power;
    if (!some(over * still_wanted > 0)) return p0;
    const Lanes at_s_p = linear * p0 / vehicle_power;                                                    // 1 - s_p
    const Lanes first = clamp((empty - at_s_p) * energy / (efficiency * most(p0, 1e-6)), lanes(0), dt);  // s, at constant power
    const Lanes k = efficiency * vehicle_power / (energy * linear);
    const Lanes then = least(at_s_p, most(empty, 0)) / linear * vehicle_power;
    return pick(over * still_wanted > 0, (p0 * first + then * (1 - (-k * (dt - first)).exp()) / k) / dt, p0);
  }
  Lanes taken_stepwise(const Lanes& p0) const {
    const Lanes empty = most(1 - state_of_charge, 0);
    return least(p0, least(vehicle_power * empty / (1 - transition), empty * vehicle_capacity * per_hour / efficiency));
  }

  static const std::vector<Session>& mine(const Step& s, int i, const Settings& plan) {
    return plan.of_charger[static_cast<std::size_t>(s.member[i])];
  }

  // Who has left and come by `now` in lane i; returns the energy [Wh] that those who left did not get.
  double pass_events(int i, double now, const Step& s, const Settings& plan) {
    double unmet = 0;
    if (present[i] > 0 && departure[i] <= now) {
      unmet += still_wanted[i];
      present[i] = still_wanted[i] = 0;
    }
    const auto& list = mine(s, i, plan);
    auto next = static_cast<std::size_t>(session[i]);
    while (present[i] == 0 && next < list.size() && list[next].start <= now) {
      const Session& vehicle = list[next++];
      if (vehicle.departure > now) plug_in(i, vehicle);
      else unmet += vehicle.energy;
    }
    next_event[i] = present[i] > 0 ? departure[i] : next < list.size() ? list[next].start : never;
    session[i] = static_cast<double>(next);

    if (s.member[i] == 0) {
      auto lost = static_cast<std::size_t>(lost_session[i]);
      for (; lost < plan.lost.size() && plan.lost[lost].departure <= now; ++lost) unmet += plan.lost[lost].energy;
      if (lost < plan.lost.size()) next_event[i] = std::min(next_event[i], plan.lost[lost].departure);
      lost_session[i] = static_cast<double>(lost);
    }
    return unmet;
  }

  void plug_in(int i, const Session& v) {
    const double into_battery = efficiency[i] * v.energy;
    double size = v.capacity > 0 ? v.capacity : capacity[i], at = v.state_of_charge;
    if (at < 0) {
      size = std::max(size, into_battery / target[i]);
      at = std::max(target[i] - into_battery / size, 0.0);
    } else if (v.capacity == 0 && at < target[i]) {
      size = std::max(size, into_battery / (target[i] - at));
    }
    present[i] = 1;
    still_wanted[i] = v.energy;
    departure[i] = v.departure;
    state_of_charge[i] = at;
    vehicle_capacity[i] = size;
    vehicle_power[i] = v.maximum_power > 0 ? v.maximum_power : maximum_power[i];
  }
};

const Registered<EvCharger> registered{"ev_charger", "AC charger with the vehicle that stands at it"};

}  // namespace
}  // namespace urja

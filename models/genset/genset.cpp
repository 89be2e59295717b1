// Diesel generator set.
//
//   off --run--> (minimum down time) --> cranks and synchronises --> on line --stop--> (minimum up time) --> cools down, off
//
//   fuel  F = F0 rated + F1 P        [l/h] while on line; cooling down F0 rated                [Skarstein & Uhlen 1989]
//   on line  minimum_load rated <= p <= rated: below that it would soot up (wet stacking)
//   it plans to give `loading` of its rating, at least the minimum; the merit list moves it from there: a battery that stands
//   before it in the list takes what is left over, and where that cannot take more the set goes down before PV is curtailed
//   CO2   2.697 kg/l                                                                       [EPA 2023, 10.21 kg/gal]
//
// Ledger: the source is the fuel's heating value, (F0 rated + F1 P) h with h = 0.82 kg/l 43.2 MJ/kg. The loss is heat by its
// own formula: all of the idling fuel, and of each further unit of fuel the part (F1 h - 1) that is not electricity.
//
// Times within a step are exact, in closed form: a set that comes on line 10 s into a step of 60 s offers 5/6 of its rating
// as the step's mean, and fuel is linear in P, so its mean is exact too. A set told to run while it cools down waits for the
// end of its minimum down time. Warm-up ramps are not modelled.
#include "engine/declare.hpp"

namespace urja {
namespace {

constexpr double heating_value = 0.82 * 43.2e6 / 3600;  // W per l/h
constexpr double carbon_of_fuel = 2.697;                // kg/l

struct Genset {
  Port ac;
  Lanes rating, derate, idle_fuel, marginal_fuel, minimum_load, start_time, cool_down, minimum_up, minimum_down, start_blocked,
      tripped;
  Lanes fuel_price, voltage_setpoint, frequency_setpoint;
  Lanes run, loading;
  Lanes running, timer, start_progress, cooling, run_time, fuel, cost_fuel, emissions;
  Lanes generated, fuel_flow, fuel_power, heat;
  Lanes on_line;

  static void declare(Declare& d) {
    d.port<&Genset::ac>();
    d.parameter<&Genset::rating>("W", 50000, {1, 1e9}, "electric rating");
    d.parameter<&Genset::derate>("1", 1, {0, 1}, "share of the rating left by height, heat or damage", hook | estimable);
    d.parameter<&Genset::idle_fuel>("l/(kW h)", 0.08415, {0, 1}, "F0, fuel per rating while it turns", hook | estimable)
        .cite("Skarstein & Uhlen 1989");
    d.parameter<&Genset::marginal_fuel>("l/kWh", 0.246, {0.1017, 2}, "F1, fuel per energy", hook | estimable)
        .cite("Skarstein & Uhlen 1989");
    d.parameter<&Genset::minimum_load>("1", 0.3, {0, 1}, "least power on line, share of the rating")
        .cite("usual against wet stacking");
    d.parameter<&Genset::start_time>("s", 10, {0, 3600}, "cranking and synchronising");
    d.parameter<&Genset::cool_down>("s", 180, {0, 3600}, "turns without load after it has left the bus");
    d.parameter<&Genset::minimum_up>("s", 600, {0, 86400}, "least time on line");
    d.parameter<&Genset::minimum_down>("s", 300, {0, 86400}, "least time between leaving the bus and the next start");
    d.parameter<&Genset::start_blocked>("1", 0, {0, 1}, "1: it cranks and does not start", hook);
    d.parameter<&Genset::tripped>("1", 0, {0, 1}, "1: its protection has stopped it, or it has no fuel", hook);
    d.parameter<&Genset::fuel_price>("money/l", 0, {0, 1e6}, "of fuel");
    d.parameter<&Genset::voltage_setpoint>("1", 1, {0.5, 1.5}, "of the bus that it forms, per unit", hook);
    d.parameter<&Genset::frequency_setpoint>("1", 1, {0.5, 1.5}, "of the bus that it forms, per unit", hook);
    d.input<&Genset::run>("1", 0, {0, 1}, "1 = run, 0 = stop", observable | actionable | telemetered);
    d.input<&Genset::loading>("1", 0, {0, 1}, "planned power over the rating; 0 = minimum load", actionable);
    d.state<&Genset::running>("1", 0, {0, 1}, "1 while on line", observable | telemetered);
    d.state<&Genset::timer>("s", 0, {0, 86400}, "left of the minimum up or down time", observable);
    d.state<&Genset::start_progress>("s", 0, {0, 3600}, "of cranking and synchronising");
    d.state<&Genset::cooling>("s", 0, {0, 3600}, "left of the cool-down");
    d.state<&Genset::run_time>("s", 0, {0, 1e12}, "on line since the start", observable | telemetered).kpi("genset_run_h");
    d.state<&Genset::fuel>("l", 0, {0, 1e12}, "used since the start", observable | telemetered).kpi("fuel_l");
    d.state<&Genset::cost_fuel>("money", 0, {0, 1e15}, "of the fuel used", observable).kpi("cost_fuel");
    d.state<&Genset::emissions>("kg", 0, {}, "CO2 of the fuel used").kpi("co2_kg");
    d.output<&Genset::generated>("W", "electric power", observable).kpi("genset_kwh");
    d.output<&Genset::fuel_flow>("l/h", "mean of the step", observable | telemetered);
    d.output<&Genset::fuel_power>("W", "heating value of the fuel", source);
    d.output<&Genset::heat>("W", "of engine, exhaust and generator", loss);
    d.scratch<&Genset::on_line>();
    d.forms_bus<&Genset::voltage_setpoint, &Genset::frequency_setpoint>();
  }

  void limits(const Step& s) {
    const Mask able = tripped < 0.5;
    const Mask stays = running > 0.5 && able;
    const Mask wanted = run > 0.5 && able;
    const Lanes until_off = pick(wanted, s.dt, least(timer, s.dt));
    const Lanes after_start =
        pick(wanted && start_blocked < 0.5, most(s.dt - timer - (start_time - start_progress), 0), lanes(0));
    on_line = pick(stays, until_off, after_start) + 0 * run;  // s of this step; a NaN stays one
    const Lanes most_power = rating * derate * (on_line / s.dt);
    ac.p_max = most_power;
    ac.p_min = minimum_load * most_power;
    ac.p_wish = loading * most_power;
    ac.q = Lanes::Zero();
    ac.q_min = -0.75 * most_power;  // power factor 0.8 at the rating
    ac.q_max = 0.75 * most_power;
  }

  void advance(const Step& s) {
    const Mask was = running > 0.5;
    const Mask able = tripped < 0.5;
    const Mask wanted = run > 0.5 && able;
    const Lanes off_line = s.dt - on_line;
    const Lanes cooling_room =
        pick(able, pick(was, cool_down, cooling), lanes(0));  // none is used while it stays on line: off_line is 0
    const Lanes cooled = least(cooling_room, off_line);

    generated = ac.p;
    const Lanes idling = idle_fuel * 1e-3 * rating * ((on_line + cooled) / s.dt);  // l/h
    fuel_flow = idling + marginal_fuel * 1e-3 * ac.p;
    fuel_power = heating_value * fuel_flow;
    heat = heating_value * idling + (1e-3 * heating_value * marginal_fuel - 1) * ac.p;
    const Lanes burnt = fuel_flow * s.dt * (1 / 3600.0);  // l
    fuel += burnt;
    cost_fuel += fuel_price * burnt;
    emissions += carbon_of_fuel * burnt;
    run_time += on_line;

    const Mask stays = was && able && (wanted || timer > s.dt);
    const Mask starts = !was && on_line > 0;
    const Lanes cranked =
        pick(wanted && start_blocked < 0.5, least(start_progress + most(s.dt - timer, 0), start_time), lanes(0));
    start_progress = pick(was || starts, lanes(0), cranked);
    cooling = pick(stays || starts, lanes(0), cooling_room - cooled);
    timer =
        pick(starts, most(minimum_up - on_line, 0), pick(was && !stays, most(minimum_down - off_line, 0), most(timer - s.dt, 0)));
    running = one_if(stays || starts);
  }
};

const Registered<Genset> registered{"genset", "diesel generator set with fuel curve, start and cool-down"};

}  // namespace
}  // namespace urja

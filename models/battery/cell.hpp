#pragma once
// A lithium-ion cell: open-circuit voltage, series resistance, one RC pair, one thermal node.
//
//      OCV(s)      R0(s,T)     R1(s,T)
//   +---( )--------[####]--+--[####]--+----o  V       I > 0 discharges
//                          +---| |----+               V  = OCV - V1 - I R0
//                            C1(s,T), V1              V1' = (I R1 - V1)/(R1 C1)
//
//   s' = -(I + leakage s) / (3600 capacity)
//   C T' = I (OCV - V) + leakage s OCV - (T - T_ambient)/R_thermal
//
// Sources: circuit and its tables over state of charge and temperature, Huria et al. 2012 (eqs. 3-9); heat I (OCV - V),
// Bernardi et al. 1985 without the entropic term; step, handbook 5.1.
//
// One step holds the current constant. The RC pair and the temperature are exact for elements taken in the middle of the
// step. A lone cell always looks them up there; a pack only in lanes whose state of charge moves by more than 0.2 % in the step
// (handbook 5.1), and otherwise takes those of the step's begin to 0.1 % and 0.1 K, because the look-up is the most expensive
// part of the step. Energy is exact in any case: the open-circuit energy is the integral of
// the OCV table between the two ends, the heat in the RC pair has its closed form (handbook 0.3).
#include "engine/declare.hpp"
#include "engine/table.hpp"

namespace urja {

struct Cell {
  struct Settings {
    Curve open_circuit_voltage;
    Sheet<3> circuit;  // R0, R1, C1
    std::string finish(const PlanFacts&) const;
  };
  Lanes capacity, resistance_scale, leakage, heat_capacity, thermal_resistance, voltage_min, voltage_max, charge_current_max,
      discharge_current_max;
  Lanes state_of_charge, rc_voltage, temperature;
  Lanes ambient_temperature;
  Lanes voltage, heat, heat_lost, heat_stored, heat_content;
  Lanes kept_heat, mean_kept_heat, charge, per_charge;   // per_charge: state of charge that an ampere moves in the step
  Lanes open_voltage, open_slope, open_area, open_cell;  // at the step's begin
  // Elements of the circuit somewhere, and what they make of the RC pair over the step.
  struct Elements {
    Lanes table_r0, table_rise;  // ohm, ohm/K; before resistance_scale
    Lanes r1, c1;                // ohm, F
    Lanes kept, mean_kept;       // share of the pair's distance from I R1 that is left at the end, and on average
  };
  Elements begin;
  Lanes looked_up_at, looked_up_warm;  // state of charge and temperature that `begin` belongs to, the latter + never_warm

  static void declare_members(Declare& d) {
    d.table<&Settings::open_circuit_voltage>({{"state_of_charge", "1"}}, {{"open_circuit_voltage", "V"}},
                                             "at rest, mean of charge and discharge");
    d.table<&Settings::circuit>({{"state_of_charge", "1"}, {"temperature", "degC"}},
                                {{"series_resistance", "ohm"}, {"pair_resistance", "ohm"}, {"pair_capacitance", "F"}},
                                "elements of the equivalent circuit");
    d.parameter<&Cell::capacity>("Ah", 27.63, {1e-3, 1e5}, "charge of one cell between empty and full", estimable | hook);
    d.parameter<&Cell::resistance_scale>("1", 1, {0.1, 10}, "series resistance against its table", estimable | hook);
    d.parameter<&Cell::leakage>("A", 1e-3, {0, 100}, "self-discharge of one full cell; falls with its charge", hook);
    d.parameter<&Cell::heat_capacity>("J/K", 810.5328, {1, 1e6}, "of one cell");
    d.parameter<&Cell::thermal_resistance>("K/W", 1.96255446, {1e-3, 1e3}, "of one cell to the ambient", hook);
    d.parameter<&Cell::voltage_min>("V", 3.0, {0, 5}, "of one cell");
    d.parameter<&Cell::voltage_max>("V", 4.2, {0, 5}, "of one cell");
    d.parameter<&Cell::charge_current_max>("A", 27.63, {0, 1e5}, "of one cell", hook);
    d.parameter<&Cell::discharge_current_max>("A", 55.26, {0, 1e5}, "of one cell", hook);
    d.ordered<&Cell::voltage_min, &Cell::voltage_max>();
    d.state<&Cell::state_of_charge>("1", 0.5, {0, 1}, "charge over capacity", observable | telemetered | estimable);
    d.state<&Cell::rc_voltage>("V", 0, {-2, 2}, "over the RC pair of one cell");
    d.state<&Cell::temperature>("degC", 25, {-60, 150}, "of the cells", observable | telemetered);
    d.input<&Cell::ambient_temperature>("degC", 25, {-60, 60}, "around the cells", telemetered);
    d.output<&Cell::heat>("W", "made in the cells", thermal_source);
    d.output<&Cell::heat_lost>("W", "from the cells to the ambient", thermal_loss);
    d.output<&Cell::heat_stored>("W", "rate of the cells' heat content", thermal_stored);
    d.output<&Cell::heat_content>("Wh", "above 0 K, at the end of the step", thermal_content);
    d.derived<&Cell::kept_heat, &Cell::mean_kept_heat, &Cell::charge, &Cell::per_charge>();
    d.scratch<&Cell::open_voltage, &Cell::open_slope, &Cell::open_area, &Cell::open_cell, &Cell::begin, &Cell::looked_up_at,
              &Cell::looked_up_warm>();
  }

  void prepare(const Step& s) {
    const Lag thermal = lag(s.dt, heat_capacity * thermal_resistance);
    kept_heat = thermal.kept;
    mean_kept_heat = thermal.mean_kept;
    charge = 3600 * capacity;
    per_charge = s.dt / charge;
    relax(s, begin);  // what is remembered from the tables stays good
  }

 protected:
  // What a step with a constant current did [W of one cell, means of the step].
  struct Lived {
    Lanes resistance_heat, pair_heat, leakage_heat;
    Lanes chemical;  // power out of the open-circuit voltage
    Lanes in_pair;   // power into the RC pair's capacitor
    Lanes mean_voltage;
  };

  static constexpr double never_warm = 1e4;  // so that the zero of a fresh block is no temperature

  static void relax(const Step& s, Elements& e) {
    const Lag pair = lag(s.dt, e.r1 * e.c1);
    e.kept = pair.kept;
    e.mean_kept = pair.mean_kept;
  }

  // Elements for a state of charge and a temperature in the lanes `where`; `e` keeps its own in the others.
  URJA_INLINE void look_up(const Step& s, const Settings& t, const Lanes& soc, const Lanes& warm, const Mask& where,
                           Elements& e) const {
    const auto found = t.circuit.at(soc, warm);
    e.table_r0 = pick(where, found.values[0], e.table_r0);
    e.table_rise = pick(where, found.rise, e.table_rise);
    e.r1 = pick(where, found.values[1], e.r1);
    e.c1 = pick(where, found.values[2], e.c1);
    relax(s, e);
  }
  Lanes r0_of(const Elements& e) const { return e.table_r0 * resistance_scale; }

  // Elements are those of the middle of bins this wide, and looked up only where a lane has come into another bin; 0: exact.
  struct Bins {
    double state_of_charge, temperature;
  };
  URJA_INLINE void at_begin(const Step& s, const Settings& t, const Bins& bins) {
    const Curve::Point now = t.open_circuit_voltage.at(state_of_charge);
    open_voltage = now.value;
    open_slope = now.slope;
    open_area = now.integral;
    open_cell = now.cell;
    const auto middle = [](const Lanes& x, double bin) { return bin > 0 ? Lanes((x * (1 / bin) + 0.5).floor() * bin) : x; };
    const Lanes at = middle(state_of_charge, bins.state_of_charge), warm = middle(temperature, bins.temperature);
    // Nothing but a memory: the same bin gives the same bits, however a lane came there.
    const Lanes other = (at - looked_up_at).abs() + (warm + never_warm - looked_up_warm).abs();
    if (!some(other)) return;
    look_up(s, t, at, warm, other != 0, begin);
    looked_up_at = at;
    looked_up_warm = warm + never_warm;
  }

  // Elements for the middle of a step with this current; those of the begin in lanes that move by no more than `ignored`.
  // What is looked up lies in `room`.
  URJA_INLINE const Elements& at_middle(const Step& s, const Settings& t, const Lanes& current, double ignored,
                                        Elements& room) const {
    const Lanes half = 0.5 * per_charge * current;
    if (!some(half.abs() > 0.5 * ignored)) return begin;
    room = begin;
    look_up(s, t, state_of_charge - half, temperature, half.abs() > 0.5 * ignored, room);
    return room;
  }
  static void take_where(const Lanes& there, const Elements& from, Elements& to) {
    to.table_r0 = pick(there > 0, from.table_r0, to.table_r0);
    to.table_rise = pick(there > 0, from.table_rise, to.table_rise);
    to.r1 = pick(there > 0, from.r1, to.r1);
    to.c1 = pick(there > 0, from.c1, to.c1);
    to.kept = pick(there > 0, from.kept, to.kept);
    to.mean_kept = pick(there > 0, from.mean_kept, to.mean_kept);
  }

  // The open-circuit voltage over a step in which `total` flows (self-discharge included): mean, and at the end.
  struct Open {
    Lanes mean, end, slope, area;
  };
  URJA_INLINE Open open_over(const Settings& t, const Lanes& total) const {
    const Lanes moved = total * per_charge;
    const Curve::Point end = t.open_circuit_voltage.at(state_of_charge - moved);
    // Within a cell of the table the trapezium is exact; the difference of areas would lose digits there, and has none left
    // below 1e-7.
    const Lanes across = one_if(end.cell != open_cell) * one_if(moved.abs() > 1e-7);
    const Lanes mean =
        pick(across > 0, (open_area - end.integral) / pick(across > 0, moved, 1.0), 0.5 * (open_voltage + end.value));
    return {mean, end.value, end.slope, end.integral};
  }

  Lanes leaking() const { return leakage * state_of_charge; }
  // By how much the voltage lies below the open circuit's: at the step's end with e.kept, on average with e.mean_kept.
  URJA_INLINE Lanes behind(const Elements& e, const Lanes& kept, const Lanes& current) const {
    return rc_voltage * kept + current * (r0_of(e) + e.r1 * (1 - kept));
  }

  // Lives through the step as one of `cells` cells that are all alike; `over` is open_over(current + leaking()). Powers are those
  // of one cell, the heat's outputs those of all.
  URJA_INLINE Lived live(const Step& s, const Elements& e, const Lanes& current, const Open& over, const Lanes& cells) {
    const Lanes leak = leaking(), total = current + leak, &open = over.mean;
    const Lanes r0 = r0_of(e), u = current * e.r1, d = rc_voltage - u, last = u + d * e.kept;
    Lived lived;
    lived.resistance_heat = current.square() * r0;
    // mean of V1^2 over the step, with (1 - kept^2)/2 tau/dt = mean_kept (1 + kept)/2
    lived.pair_heat = (u.square() + 2 * u * d * e.mean_kept + d.square() * e.mean_kept * 0.5 * (1 + e.kept)) / e.r1;
    lived.leakage_heat = leak * open;
    lived.chemical = total * open;
    lived.in_pair = 0.5 * e.c1 * (last - rc_voltage) * (last + rc_voltage) / s.dt;
    lived.mean_voltage = open - u - d * e.mean_kept - current * r0;
    const Lanes made = current * (open - lived.mean_voltage) + lived.leakage_heat;

    rc_voltage = last;
    state_of_charge = state_of_charge - total * per_charge;
    const Lanes hot = ambient_temperature + thermal_resistance * made, before = temperature, above = before - hot;
    temperature = hot + above * kept_heat;
    const Lanes mean_temperature = hot + above * mean_kept_heat;
    heat = cells * made;
    heat_lost = cells * (mean_temperature - ambient_temperature) / thermal_resistance;
    heat_stored = cells * heat_capacity * (temperature - before) / s.dt;
    heat_content = cells * heat_capacity * (temperature + 273.15) * (1 / 3600.0);
    // The voltage shown is that of the step's end, with the resistance there: straight on from begin and middle.
    voltage = over.end - last - current * (2 * r0 - r0_of(begin) + e.table_rise * resistance_scale * (temperature - before));
    return lived;
  }
};

inline std::string Cell::Settings::finish(const PlanFacts&) const {
  if (open_circuit_voltage.total() <= 0) return "no cell is given: name a parameter set (`set: nmc_kokam`) or the tables";
  return "";
}

}  // namespace urja

// Lithium-ion pack behind one bidirectional converter: cells in series and parallel, all alike, with the equations of
// cell.hpp, and the converter between them and the bus.
//
//   cells: P_cells = cells I (OCV_mean - V1_mean - I R0)          power -> current by Newton: d(I OCV_mean)/dI is the OCV at
//                                                                 the step's end, so two passes do, at 1 s and at 15 min
//   bus:   P_bus = P_cells - loss(P_bus) - own use
//   loss = rating (standby min(|x|/x_b, 1) + quadratic x^2), x = P_bus/rating                        [Notton et al. 2010, eq. 2]
//   Below x_b = 2 % of its rating the converter works in bursts: its no-load loss is in proportion there   [assumption]
//
// Limits of a step are the smallest of: rating, current of the cells, temperature, state-of-charge window at the step's end
// (self-discharge included), voltage window at the step's end (with the RC pair's response over the step).
#include <algorithm>

#include "models/battery/cell.hpp"
#include "models/ride_through.hpp"

namespace urja {
namespace {

constexpr double burst = 0.02;
constexpr double ignored_move = 0.002;  // of the state of charge in a step: its elements are those of the begin

struct BatterySettings : Cell::Settings {
  double cold_charge_none = 0, cold_charge_full = 15, hot_charge_full = 45, hot_charge_none = 55, hot_discharge_full = 55,
         hot_discharge_none = 60;
  double grid_forming = 1;
};

struct Battery : Cell, RideThrough {
  using Settings = BatterySettings;
  Port ac;
  Lanes cells_in_series, cells_in_parallel, packs, rating, standby, quadratic, own_use, state_of_charge_min, state_of_charge_max;
  Lanes state_of_charge_floor;
  Lanes equivalent_full_cycles, parameter_change;
  Lanes pair_power, pack_voltage, pack_current, charge_power, discharge_power, converter_loss, cell_loss, stored_power,
      stored_energy;
  Lanes formed_voltage, formed_frequency;
  Lanes cells;
  // Largest power of one cell in this step, its current, and the current at whose middle its elements were looked up.
  struct Extreme {
    Lanes power, current, looked_up;
  };
  Extreme most_out, most_in;

  static void declare(Declare& d) {
    d.base<Battery, Cell>();
    d.base<Battery, RideThrough>();
    d.port<&Battery::ac>();
    d.output<&Cell::voltage>("V", "of one cell, at the end of the step", telemetered);
    d.parameter<&Battery::cells_in_series>("1", 108, {1, 1e6}, "in a string");
    d.parameter<&Battery::cells_in_parallel>("1", 10, {1, 1e6}, "strings side by side");
    d.parameter<&Battery::packs>("1", 1, {1e-3, 1e6},
                                 "of these cells behind the converter: the size, for sweeps; parts of one count");
    d.parameter<&Battery::rating>("W", 50e3, {1, 1e9}, "of the converter, on the bus side", hook);
    d.parameter<&Battery::standby>("1", 0.0072, {0, 0.019}, "no-load loss over the rating").cite("Notton et al. 2010");
    d.parameter<&Battery::quadratic>("1", 0.0345, {0, 0.2}, "load loss at the rating over the rating", hook)
        .cite("Notton et al. 2010");
    d.parameter<&Battery::own_use>("1", 0.0005, {0, 0.01}, "battery management over the rating, drawn from the cells", hook)
        .cite("handbook 5.8");
    d.parameter<&Battery::state_of_charge_min>("1", 0.05, {0, 1}, "never discharged below");
    d.parameter<&Battery::state_of_charge_max>("1", 0.95, {0, 1}, "never charged above");
    d.ordered<&Battery::state_of_charge_min, &Battery::state_of_charge_max>();
    d.input<&Battery::state_of_charge_floor>("1", 0, {0, 1}, "reserve: not discharged below for now", actionable);
    d.state<&Battery::equivalent_full_cycles>("1", 0, {0, 1e9}, "discharged charge over capacity", observable)
        .kpi("equivalent_full_cycles");
    d.state<&Battery::parameter_change>("Wh", 0, {}, "energy that jumps of parameters have brought since the start", jumped)
        .kpi("parameter_change_kwh");
    d.output<&Battery::pack_voltage>("V", "DC, at the end of the step", telemetered);
    d.output<&Battery::pack_current>("A", "DC, discharge > 0", telemetered);
    d.output<&Battery::charge_power>("W", "taken from the bus").kpi("battery_charge_kwh");
    d.output<&Battery::discharge_power>("W", "given to the bus").kpi("battery_discharge_kwh");
    d.output<&Battery::converter_loss>("W", "converter and battery management", loss).kpi("battery_loss_kwh");
    d.output<&Battery::cell_loss>("W", "series resistance, RC pair, self-discharge", loss).kpi("battery_loss_kwh");
    d.output<&Battery::stored_power>("W", "rate of the energy stored, RC pairs included", stored);
    d.output<&Battery::pair_power>("W", "into the RC pairs, part of stored_power");
    d.output<&Battery::stored_energy>("Wh", "below the open-circuit voltage, at the end of the step", content | observable);
    d.output<&Battery::formed_voltage>("1", "that it would give the bus");
    d.output<&Battery::formed_frequency>("1", "that it would give the bus");
    d.forms_bus<&Battery::formed_voltage, &Battery::formed_frequency>();
    d.derived<&Battery::cells>();
    d.scratch<&Battery::most_out, &Battery::most_in>();
    d.setting<&Settings::cold_charge_none>("degC", 0, {-40, 60}, "no charging below");
    d.setting<&Settings::cold_charge_full>("degC", 15, {-40, 60}, "full charging from");
    d.setting<&Settings::hot_charge_full>("degC", 45, {0, 100}, "full charging up to");
    d.setting<&Settings::hot_charge_none>("degC", 55, {0, 100}, "no charging above");
    d.setting<&Settings::hot_discharge_full>("degC", 55, {0, 100}, "full discharging up to");
    d.setting<&Settings::hot_discharge_none>("degC", 60, {0, 100}, "no discharging above");
    d.ordered<&Settings::cold_charge_none, &Settings::cold_charge_full, &Settings::hot_charge_full, &Settings::hot_charge_none>();
    d.ordered<&Settings::hot_discharge_full, &Settings::hot_discharge_none>();
    d.setting<&Settings::grid_forming>(
        "1", 1, {0, 1},
        "1: the converter holds the bus in an island and does not trip; 0: it follows the bus and trips outside its window");
  }

  void prepare(const Step& s) {
    Cell::prepare(s);
    cells = cells_in_series * cells_in_parallel * packs;
    prepare_window();
  }

  Lanes held_energy(const Settings& t) const { return cells * capacity * t.open_circuit_voltage.at(state_of_charge).integral; }

  void limits(const Step& s, const Settings& t) {
    at_begin(s, t, {0.001, 0.1});
    const Lanes lowest = most(state_of_charge_min, state_of_charge_floor);
    const Lanes cool =
        ramp(temperature, t.cold_charge_none, t.cold_charge_full) * (1 - ramp(temperature, t.hot_charge_full, t.hot_charge_none));
    const Lanes out_wanted =
        most(least(discharge_current_max * (1 - ramp(temperature, t.hot_discharge_full, t.hot_discharge_none)),
                   (state_of_charge - lowest) / per_charge - leaking()),
             0);
    const Lanes in_wanted =
        most(least(charge_current_max * cool, (state_of_charge_max - state_of_charge) / per_charge + leaking()), 0);
    const Lanes own = own_power();
    // Mostly the converter's rating is the limit, or nothing is wanted, and it takes no look at the table to see that.
    most_out = most_in = Extreme{Lanes::Zero(), Lanes::Zero(), Lanes::Zero()};
    const Lanes ample_out = ample(t, out_wanted, voltage_min, 1, rating * (1 + standby + quadratic) + own);
    const Lanes ample_in = ample(t, in_wanted, voltage_max, -1, rating + own);
    ac.p_max = ample_out * rating;
    ac.p_min = -ample_in * rating;
    const Lanes look_out = one_if(out_wanted != 0) * (1 - ample_out), look_in = one_if(in_wanted != 0) * (1 - ample_in);
    if (some(look_out)) {
      take_where(look_out, most_power(s, t, out_wanted, voltage_min), most_out);
      ac.p_max = pick(look_out > 0, least(given(most(cells * most_out.power - own, 0)), rating), ac.p_max);
    }
    if (some(look_in)) {
      take_where(look_in, most_power(s, t, -in_wanted, voltage_max), most_in);
      ac.p_min =
          pick(look_in * one_if(most_in.power < 0) > 0, -least(taken(most(own - cells * most_in.power, 0)), rating), ac.p_min);
    }
    if (t.grid_forming < 0.5) {
      const Lanes on = connected(ac);
      ac.p_min *= on;
      ac.p_max *= on;
    }
    formed_voltage = lanes(t.grid_forming);
    if (some(tripped > 0.5)) {
      const Lanes on = one_if(tripped <= 0.5);
      ac.p_min *= on;
      ac.p_max *= on;
      formed_voltage *= on;
    }
    ac.p_wish = Lanes::Zero();
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
    formed_frequency = formed_voltage;
  }

  void advance(const Step& s, const Settings& t) {
    const Lanes x = ac.p / rating;
    converter_loss = rating * (standby * least(x.abs() / burst, 1) + quadratic * x.square()) + own_power();
    const Lanes power = (ac.p + converter_loss) / cells;
    // Where in the state of charge the middle lies: in proportion to the largest power, so that the largest power is reached
    // with exactly the current that its limit was made of.
    const auto discharging = power > 0;
    const Extreme end{pick(discharging, most_out.power, most_in.power), pick(discharging, most_out.current, most_in.current),
                      pick(discharging, most_out.looked_up, most_in.looked_up)};
    const Lanes share = pick(end.power.abs() > 1e-9, power / pick(end.power.abs() > 1e-9, end.power, 1.0), 2.0);
    const Lanes about = pick(share <= 1 + 1e-9, share * end.looked_up, power / open_voltage);
    Elements room;
    const Elements& e = at_middle(s, t, about, ignored_move, room);
    Open over;
    const Lanes current = current_of(t, e, power, share, end.current, over);
    const Lived lived = live(s, e, current, over, cells);
    cell_loss = cells * (lived.resistance_heat + lived.pair_heat + lived.leakage_heat);
    pair_power = cells * lived.in_pair;
    stored_power = pair_power - cells * lived.chemical;
    stored_energy = cells * capacity * over.area;
    pack_voltage = cells_in_series * voltage;
    pack_current = cells_in_parallel * packs * current;
    if (t.grid_forming < 0.5) pass_time(s, ac);
    charge_power = most(-ac.p, 0);
    discharge_power = most(ac.p, 0);
    equivalent_full_cycles = equivalent_full_cycles + most(current, 0) * per_charge;
  }

 private:
  using Cell::take_where;
  static void take_where(const Lanes& there, const Extreme& from, Extreme& to) {
    to.power = pick(there > 0, from.power, to.power);
    to.current = pick(there > 0, from.current, to.current);
    to.looked_up = pick(there > 0, from.looked_up, to.looked_up);
  }

  // 0 up to `from`, 1 from `to` on, linear between; a step where both are the same.
  static Lanes ramp(const Lanes& x, double from, double to) {
    return clamp((x - from) * (1 / std::max(to - from, 1e-9)), lanes(0), lanes(1));
  }

  // Battery management draws from the cells; never more than half of what is left in them.
  Lanes own_power() const { return least(own_use * rating, 0.5 * cells * open_voltage * state_of_charge / per_charge); }

  // Bus power for a power of the cells (own use taken off): the converter's curve inverted exactly.
  Lanes given(const Lanes& dc) const {  // dc >= 0
    const Lanes y = dc / rating, high = root(lanes(1), y - standby);
    if ((high >= burst).all()) return rating * high;
    return rating * pick(high >= burst, high, root(1 + standby / burst, y));
  }
  Lanes taken(const Lanes& dc) const {  // dc >= 0 flows into the cells
    const Lanes y = dc / rating, high = -root(lanes(1), -(y + standby));
    if ((high >= burst).all()) return rating * high;
    return rating * pick(high >= burst, high, -root(1 - standby / burst, -y));
  }
  // x of quadratic x^2 + slope x = y, the root near y/slope.
  Lanes root(const Lanes& slope, const Lanes& y) const {
    return 2 * y / (slope + most(slope.square() + 4 * quadratic * y, 0).sqrt());
  }

  // 1 where a wanted current gives at least `needed` [W of the pack] without the voltage passing its bound, seen from the safe
  // side: nowhere is the open-circuit voltage steeper than `steepest`.
  URJA_INLINE Lanes ample(const Settings& t, const Lanes& wanted, const Lanes& bound, double direction,
                          const Lanes& needed) const {
    const Lanes slow = one_if(per_charge * wanted <= ignored_move);
    if (!some(slow)) return slow;
    const Lanes swing = (wanted + leaking()) * per_charge * t.open_circuit_voltage.steepest(), current = direction * wanted;
    const Lanes end = open_voltage - direction * swing - behind(begin, begin.kept, current);
    const Lanes mean = open_voltage - swing - behind(begin, begin.mean_kept, current);
    return slow * one_if(direction * (end - bound) > 0) * one_if(cells * wanted * mean >= needed);
  }

  // The largest part of a wanted current with which the cell's voltage stays within `bound` until the step's end, and the
  // power of one cell that goes with it. Discharging (wanted > 0) the bound is from below, charging from above.
  URJA_INLINE Extreme most_power(const Step& s, const Settings& t, const Lanes& wanted, const Lanes& bound) const {
    const Lanes leak = leaking(), low = least(wanted, 0), high = most(wanted, 0);
    Elements room;
    const Elements* e = &at_middle(s, t, wanted, ignored_move, room);
    const auto stiffness = [&](const Lanes& slope) {
      return Lanes(r0_of(*e) + e->r1 * (1 - e->kept) + most(slope, 0) * per_charge);
    };
    // The margin falls with the current and is linear within a cell of the table: this guess is exact there.
    const Lanes fall = most(open_slope, 0) * per_charge;
    Extreme most_of;
    most_of.current = clamp((open_voltage - leak * fall - rc_voltage * e->kept - bound) / stiffness(open_slope), low, high);
    Open over;
    for (int round = 0; round < 2; ++round) {
      over = open_over(t, most_of.current + leak);
      for (int pass = 0; pass < 30; ++pass) {
        const Lanes margin = over.end - behind(*e, e->kept, most_of.current) - bound;
        const Lanes next = clamp(most_of.current + margin / stiffness(over.slope), low, high);
        const Lanes open = one_if(margin.abs() > 1e-6) * one_if(next != most_of.current);
        if (!some(open)) break;
        most_of.current = pick(open > 0, next, most_of.current);  // a lane that has arrived stays
        over = open_over(t, most_of.current + leak);
      }
      if (round == 1) break;
      // The second round takes the elements where the first has ended, if that is another place; what moved too little to be looked
      // up moves less now.
      const bool elsewhere = some(most_of.current != wanted);
      most_of.looked_up = most_of.current;
      if (e == &begin || !elsewhere) break;
      e = &at_middle(s, t, most_of.current, ignored_move, room);
    }
    most_of.power = most_of.current * (over.mean - behind(*e, e->mean_kept, most_of.current));
    return most_of;
  }

  // The constant current of one cell that gives this power over the step, and the open-circuit voltage that goes with it.
  // Within a cell of the OCV table the mean voltage is linear in the current, so the first guess is exact there. A steep end of
  // the OCV can bend the power back beyond the largest current: Newton stays between none and that (`share` of whose power is
  // asked for; above 1 there is no such bound).
  URJA_INLINE Lanes current_of(const Settings& t, const Elements& e, const Lanes& power, const Lanes& share, const Lanes& largest,
                               Open& over) const {
    const Lanes leak = leaking(), r = r0_of(e) + e.r1 * (1 - e.mean_kept), back = rc_voltage * e.mean_kept;
    const Lanes fall = 0.5 * open_slope * per_charge, v = open_voltage - back - fall * leak;
    const Lanes tolerance = 5e-11 * power.abs() + 1e-16 / per_charge;
    const Lanes bound = pick(share <= 1 + 1e-9, largest, 1e9 * power), low = least(bound, 0), high = most(bound, 0);
    // Discharging, the power falls behind the current: less than the same share of the largest current will do.
    Lanes i = clamp(2 * power / (v + most(v.square() - 4 * (r + fall) * power, 0).sqrt()), low,
                    pick(share <= 1 + 1e-9, most(share * largest, 0), high));
    over = open_over(t, i + leak);
    for (int pass = 0; pass < 20; ++pass) {
      const Lanes miss = i * (over.mean - back - i * r) - power;
      const auto open = miss.abs() > tolerance;
      if (!some(open)) break;
      i = pick(open, clamp(i - miss / (over.end - back - 2 * i * r), low, high),
               i);  // a lane that has arrived stays: its bits are its own
      over = open_over(t, i + leak);
    }
    return i;
  }
};

const Registered<Battery> registered{"battery", "lithium-ion pack behind one bidirectional converter"};

}  // namespace
}  // namespace urja

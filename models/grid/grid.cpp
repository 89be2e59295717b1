// Grid connection: meter, tariff and carbon at the point where the plant meets the public grid.
//
//   -export_limit <= p <= import_limit while connected, and it gives or takes whatever reactive power is asked of it.
//   It forms the plant's bus: voltage and frequency are the grid's own (a stiff source).
//
//   energy    import and export are billed separately, by the sign of the step's mean power
//   demand    the highest mean import over a clock-aligned window of the billing month, in UTC windows
//             [physics handbook 8.4; usual in industrial tariffs: 15 or 30 min]
//
//                 window |--- 900 s ---|--- 900 s ---|          power is constant within a step, so a step that a window's
//                 steps    |  s0  |  s1  |  s2  |               end cuts in two is shared out between both windows exactly
//
//   A window of which the run has seen only a part counts with that part's energy over the full window.
//   carbon    import times the grid's intensity; export earns no credit
//
// `import_wish` is what the plant plans to draw. The merit list moves the grid from there, so a battery that stands before
// the grid in the list takes the difference, within the step: that is how controllers charge from the grid and shave peaks
// without ever shedding a load for it.
#include "engine/declare.hpp"

namespace urja {
namespace {

struct Grid {
  Port ac;
  Lanes import_limit, export_limit, nominal_frequency, demand_charge, demand_window, reconnect_delay, outage, islanded,
      voltage_scale;
  Lanes price, export_price, carbon, voltage, frequency, connected, billing_month, import_wish;
  Lanes cost_energy, cost_demand, revenue_export, emissions, peak_import, window_energy, month_peak, month, waiting;
  Lanes import_power, export_power, cost_total, bus_voltage, bus_frequency;
  Lanes windows_per_second, linked;
  Lanes relative_frequency, formed_voltage;

  static void declare(Declare& d) {
    d.port<&Grid::ac>();
    d.parameter<&Grid::import_limit>("W", 1e9, {0, 1e12}, "most power from the grid", hook);
    d.parameter<&Grid::export_limit>("W", 1e9, {0, 1e12}, "most power into the grid", hook);
    d.parameter<&Grid::nominal_frequency>("Hz", 50, {40, 70}, "of the grid");
    d.parameter<&Grid::demand_charge>("money/kW", 0, {0, 1e6}, "for the highest window mean of each billing month");
    d.parameter<&Grid::demand_window>("s", 900, {1, 86400}, "over which the demand charge takes the mean");
    d.parameter<&Grid::reconnect_delay>("s", 0, {0, 86400}, "from the return of the grid until it is connected again");
    d.parameter<&Grid::outage>("1", 0, {0, 1}, "1: the grid is gone", hook);
    d.parameter<&Grid::islanded>("1", 0, {0, 1}, "1: the plant has opened its own switch to the grid", hook);
    d.parameter<&Grid::voltage_scale>("1", 1, {0, 2}, "multiplies the grid's voltage: sag, swell", hook);
    d.input<&Grid::price>("money/kWh", 0, {-1e6, 1e6}, "of imported energy", observable);
    d.input<&Grid::export_price>("money/kWh", 0, {-1e6, 1e6}, "paid for exported energy", observable);
    d.input<&Grid::carbon>("kg/kWh", 0, {0, 10}, "CO2 of imported energy", observable);
    d.input<&Grid::voltage>("1", 1, {0, 2}, "of the grid, per unit");
    d.input<&Grid::frequency>("Hz", 0, {0, 100}, "of the grid; 0 = nominal");
    d.input<&Grid::connected>("1", 1, {0, 1}, "1 while the grid is there, 0 in an outage", observable | actionable | telemetered);
    d.input<&Grid::billing_month>("1", 0, {0, 1e6},
                                  "number of the billing month; the peak of a month starts anew when it changes");
    d.input<&Grid::import_wish>("W", 0, {-1e12, 1e12}, "planned import, from which the merit list moves it", actionable);
    d.state<&Grid::cost_energy>("money", 0, {-1e12, 1e12}, "of imported energy", observable).kpi("cost_energy");
    d.state<&Grid::cost_demand>("money", 0, {-1e12, 1e12}, "of the months' peaks, the running month's included", observable)
        .kpi("cost_demand");
    d.state<&Grid::revenue_export>("money", 0, {-1e12, 1e12}, "of exported energy", observable).kpi("revenue_export");
    d.state<&Grid::emissions>("kg", 0, {}, "CO2 of imported energy").kpi("co2_kg");
    d.state<&Grid::peak_import>("W", 0, {0, 1e12}, "highest mean import of a step", observable).kpi("peak_import_kw");
    d.state<&Grid::window_energy>("Wh", 0, {0, 1e12}, "imported in the running demand window", observable);
    d.state<&Grid::month_peak>("W", 0, {0, 1e12}, "highest window mean of the billing month", observable);
    d.state<&Grid::month>("1", 0, {}, "billing month of the last step");
    d.state<&Grid::waiting>("s", 0, {0, 86400}, "until it is connected again");
    d.output<&Grid::import_power>("W", "from the grid", source | observable).kpi("import_kwh");
    d.output<&Grid::export_power>("W", "into the grid", sink | observable).kpi("export_kwh");
    d.output<&Grid::cost_total>("money", "energy and demand less export", observable);
    d.output<&Grid::bus_voltage>("1", "at the meter, per unit", observable | telemetered);
    d.output<&Grid::bus_frequency>("Hz", "at the meter", observable | telemetered);
    d.derived<&Grid::windows_per_second, &Grid::linked>();
    d.scratch<&Grid::relative_frequency, &Grid::formed_voltage>();
    d.forms_bus<&Grid::formed_voltage, &Grid::relative_frequency>(true);
  }

  void prepare(const Step&) {
    windows_per_second = 1 / demand_window;
    linked = (1 - outage) * (1 - islanded);
  }

  void limits(const Step&) {
    const Lanes on = one_if(connected * linked > 0.5 && waiting <= 0) + 0 * connected;  // a NaN stays one
    ac.p_min = -export_limit * on;
    ac.p_max = import_limit * on;
    ac.p_wish = import_wish;
    ac.q = Lanes::Zero();
    ac.q_min = -1e12 * on;
    ac.q_max = 1e12 * on;
    formed_voltage = voltage * voltage_scale;
    relative_frequency = pick(frequency > 0, frequency / nominal_frequency, lanes(1) + 0 * frequency);
  }

  void advance(const Step& s) {
    import_power = most(ac.p, 0);
    export_power = most(-ac.p, 0);
    const Lanes imported = import_power * s.dt * (1 / 3.6e6),
                exported = export_power * s.dt * (1 / 3.6e6);  // kWh
    cost_energy += price * imported;
    revenue_export += export_price * exported;
    emissions += carbon * imported;
    peak_import = most(peak_import, import_power);
    bill_demand(s);
    cost_total = cost_energy + cost_demand - revenue_export;
    bus_voltage = ac.voltage;
    bus_frequency = ac.frequency * nominal_frequency;
    waiting = pick(connected * linked > 0.5, most(waiting - s.dt, 0), reconnect_delay);
  }

  void bill_demand(const Step& s) {
    constexpr double rounding = 1e-5;  // s: a step's end may fall short of the window's by this
    const Lanes begin = s.epoch + s.time;
    const Lanes until_end = ((((begin + rounding) * windows_per_second).floor() + 1) * demand_window - begin);
    const auto closes = until_end <= s.dt + rounding;
    const Lanes rest = most(s.dt - until_end, 0);                    // of the step, in later windows
    const Lanes whole = (rest * windows_per_second + 1e-9).floor();  // windows that lie within the step

    const Lanes energy = window_energy + import_power * least(until_end, s.dt) * (1 / 3600.0);
    const Lanes closed = pick(closes, energy * 3600 * windows_per_second, lanes(0));
    const Lanes before = pick(billing_month == month, month_peak, lanes(0));
    month_peak = most(before, most(closed, pick(whole > 0, import_power, lanes(0))));
    cost_demand += demand_charge * 1e-3 * (month_peak - before);
    window_energy = pick(closes, import_power * most(rest - whole * demand_window, 0) * (1 / 3600.0), energy);
    month = billing_month;
  }
};

const Registered<Grid> registered{"grid", "connection to the public grid, with tariff, demand charge and carbon"};

}  // namespace
}  // namespace urja

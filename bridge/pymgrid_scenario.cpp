// The scenario that comes nearest to a microgrid of python-microgrid, with what differs in its header.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bridge/pymgrid.hpp"
#include "engine/calendar.hpp"

namespace urja {
namespace {

bool weak(const Pymgrid& m) { return m.grid && m.grid->hours_out() > 0; }

// Their hours have no calendar; 2023 has as many, 8760.
std::string time_text(std::size_t hour) { return wall_text(wall_seconds({2023, 1, 1}) + 3600 * static_cast<std::int64_t>(hour)); }

// --- what has no counterpart is approximated ---

// nmc_100kwh: energy at zero current from empty to full, and what its cells lose of the power at 1 C (9.8 mohm of 3.78 V, 27.63 A).
constexpr double kwh_per_pack = 100.2703752, cell_loss_at_1c = 0.0716;

// Converter whose losses, with those of the cells, come as near as it can to a constant efficiency e one way: of the power x at the bus,
// both over the rating, standby/x + quadratic x is lost, which should be L = (1 - e^2)/(1 + e^2) at x = 0.5 and at x = 1.
struct Converter {
  double standby, quadratic, cells;
  explicit Converter(const Pymgrid::Battery& b) : cells(cell_loss_at_1c * b.charge / b.capacity) {
    const double e2 = b.efficiency * b.efficiency, loss = (1 - e2) / (1 + e2);
    standby = std::clamp(loss / 3, 0.0, 0.019);                                   // as much as the model allows
    quadratic = std::clamp((1.5 * loss - 2 * standby) / 1.25 - cells, 0.0, 0.2);  // least squares of the rest
  }
  Converter alone() const {
    Converter c = *this;
    c.cells = 0;
    return c;
  }
  double efficiency(double x) const {  // one way: root of a round trip
    const double loss = standby / x + (quadratic + cells) * x;
    return std::sqrt((1 - loss) / (1 + loss));
  }
};

// A litre of fuel makes so much CO2: burning as many litres a kWh as give theirs, the set has their CO2 and, by the price, their cost.
constexpr double kg_per_litre = 2.697;
double litres_per_kwh(const Pymgrid::Genset& g) { return std::clamp(g.carbon / kg_per_litre, 0.1017, 2.0); }

// --- what is written ---

std::string thousands(double value) {
  std::string text = fmt::format("{:.0f}", value);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

// What the renewable's series is per unit of.
double rated_power(const Pymgrid& m) {
  const double largest = *std::max_element(m.renewable.begin(), m.renewable.end());
  return largest > 0 ? largest : 1;
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

std::string kinds(const Pymgrid& m) {
  std::string text = "load, PV, battery";
  if (m.genset) text += ", genset";
  if (m.grid && !weak(m)) text += ", grid";
  if (weak(m)) text += fmt::format(", weak grid ({} outages, {} h)", m.grid->outages(), m.grid->hours_out());
  return text;
}

// What came from where, for whoever opens the file.
std::string header_text(const Pymgrid& m) {
  const Pymgrid::Battery& b = m.battery;
  const Converter converter(b);
  std::string text = fmt::format(
      R"(# {name} of pymgrid25: {kinds}. Written by `urja import pymgrid25`.
# Source: {file}
#   of python-microgrid (https://github.com/ahalev/python-microgrid), LGPL-3.0. This file and its data are made from it: whoever passes
#   them on keeps that licence.
# Time: its {hours} hours have no calendar; here they begin on 2023-01-01 00:00 UTC, without summer time.
# load: the same series (negative there, as of a sink). What is not served is a KPI in kWh; {lost:g} USD/kWh of it are in the gym's cost.
# pv: the same series, per kW of its largest value; it may be curtailed, as there.
# battery: as many cells of nmc_100kwh as hold {capacity:.10g} kWh, used from {least:.4g} to 1 of their charge, not a store of constant efficiency.
#   The rating is max_charge, {charge:.10g} kW at the bus, both ways; there it limits what is stored, so the bus may give more; what is
#   taken out is limited to {discharge:.10g} there, of which the bus gets less. Efficiency one way: {efficiency:g} there at any power, here about
#   {half:.3f} at half the rating and {full:.3f} at the rating, cells included ({converter_half:.3f} and {converter_full:.3f} of the converter alone), and less
#   below a fifth of it. At rest it keeps its charge, as there. Charging tapers near full, cells warm up; charge is in Ah, and the same
#   window holds 1 to 2 % more kWh.
)",
      fmt::arg("name", m.name), fmt::arg("kinds", kinds(m)), fmt::arg("file", m.file),
      fmt::arg("hours", thousands(static_cast<double>(m.load.size()))), fmt::arg("lost", m.lost_load),
      fmt::arg("capacity", b.capacity), fmt::arg("least", b.least / b.capacity), fmt::arg("charge", b.charge),
      fmt::arg("discharge", b.discharge), fmt::arg("efficiency", b.efficiency), fmt::arg("half", converter.efficiency(0.5)),
      fmt::arg("full", converter.efficiency(1)), fmt::arg("converter_half", converter.alone().efficiency(0.5)),
      fmt::arg("converter_full", converter.alone().efficiency(1)));
  if (const auto& g = m.genset)
    text += fmt::format(
        R"(# genset: {:.10g} to {:.10g} kW while it runs, at {:g} USD/kWh with what its CO2 costs. Litres mean nothing here: as many burn per kWh
#   as make {:.4g} kg of CO2 (there {:g}), at the price that gives this cost.
)",
        g->least, g->most, g->cost, litres_per_kwh(*g) * kg_per_litre, g->carbon);
  if (m.grid) text += "# grid: the same limits and prices; what its CO2 costs there is in the price of an import here.\n";
  if (weak(m)) text += "#   Its status is `connected`: 0 is an outage, in which the plant is an island.\n";
  if (!m.grid)
    text +=
        R"(# controller: the battery first; the genset is always on, gives what is left, and at least its minimum. The battery alone could not carry
#   the load at any charge, and no rule here starts a genset within the hour that needs it, as python-microgrid's do.
)";
  else
    text += fmt::format("# controller: the battery first, then the grid{}.\n",
                        !m.genset ? ""
                        : weak(m) ? "; the genset runs in outages, as behind a transfer switch"
                                  : "; the genset stands still until an agent or a planner runs it");
  return text + "#   One that looks ahead: --set 'controller={model: rolling_lp, every: 1 h}'.\n";
}

// What an agent sees, does and pays. Their reward is the negative cost of an hour; here what is stored counts too, since an episode is a
// day: a battery that is left empty would earn otherwise.
std::string gym_text(const Pymgrid& m) {
  const Pymgrid::Battery& b = m.battery;
  const auto hours = static_cast<double>(m.load.size());
  const double price = m.grid ? sum(m.grid->price) / hours : m.genset->cost;
  const double usual_cost = std::max(price, 0.01) * std::max(sum(m.load) / hours, 1e-3);  // USD in an hour
  const std::string ahead = "ahead: [0 h, 1 h, 2 h, 3 h, 4 h, 6 h, 8 h, 12 h, 16 h, 20 h]}\n";
  // Each season in each part, where the data are long enough.
  std::string text = fmt::format(R"(gym:
  interval: 1 h
  episode: {{length: 1 d, start: "00:00"{}}}
  observations:    # forecasts are true, as theirs
    - battery.state_of_charge
    - battery.power
)",
                                 hours >= 20 * 24 ? ", split: [70 %, 15 %, 15 %], by: 20 d" : "");
  if (m.genset) text += "    - genset.power\n";
  text += "    - {forecast: load.wanted, " + ahead + "    - {forecast: pv.available_power, " + ahead;
  if (m.grid) text += "    - {forecast: grid.price, " + ahead;
  if (weak(m)) text += "    - {forecast: grid.connected, " + ahead;
  text += "    - calendar\n    - remaining\n  actions:\n";
  if (m.grid) {
    // From all that the battery could sell to all that load and battery could take.
    const double most_load = *std::max_element(m.load.begin(), m.load.end());
    const double low = std::min(m.grid->export_most, b.charge), high = std::min(m.grid->import_most, most_load + b.charge);
    text +=
        fmt::format("    - {{path: grid.import_wish, low: {:.10g} kW, high: {:.10g} kW}}    # the battery takes what differs\n",
                    0 - low, std::max(high, 1e-3));
  }
  if (m.genset) text += "    - genset.run\n    - genset.loading\n";
  text += fmt::format("  reward:\n    scale: {:g}\n    cost:\n      cost_total: 1\n",
                      std::pow(10, -std::round(std::log10(usual_cost))));
  const auto cost = [&](const char* amount, double usd, const std::string& remark) {
    text += fmt::format("      {:<40}# {}\n", fmt::format("{}: {:.4g} USD/kWh", amount, usd), remark);
  };
  cost("unserved_kwh", m.lost_load, "loss_load_cost");
  cost("spilled_kwh", m.overgeneration, "overgeneration_cost");
  cost("battery_charge_kwh", b.wear * b.efficiency, fmt::format("battery_cost_cycle, {:g} of what goes into store", b.wear));
  cost("battery_discharge_kwh", b.wear / b.efficiency, "and out of it");
  cost("stored_kwh", -price * b.efficiency,
       m.grid ? "what is left at the end saves an import at the mean price"
              : "what is left at the end saves what the genset would give");
  return text + fmt::format("  randomise: {{battery.state_of_charge: {{uniform: [{:.6g}, 1]}}}}\n", b.least / b.capacity);
}

}  // namespace

std::string pymgrid_data(const Pymgrid& m) {
  const double rated = rated_power(m);
  std::string text = "time,load_kw,pv_kw_per_kw";
  if (m.grid) text += ",price_usd_per_kwh,export_price_usd_per_kwh,carbon_kg_per_kwh";
  if (weak(m)) text += ",connected";
  for (std::size_t k = 0; k < m.load.size(); ++k) {
    text += fmt::format("\n{},{:.10g},{:.10g}", time_text(k), m.load[k], m.renewable[k] / rated);
    if (const auto& g = m.grid) {
      text += fmt::format(",{:.10g},{:.10g},{:.10g}", g->price[k], g->export_price[k], g->carbon[k]);
      if (weak(m)) text += g->connected[k] != 0 ? ",1" : ",0";
    }
  }
  return text + "\n";
}

std::string pymgrid_scenario(const Pymgrid& m) {
  const Pymgrid::Battery& b = m.battery;
  const Converter converter(b);
  std::string text = header_text(m) + fmt::format(R"(urja: 1
title: "pymgrid25 {0}: {1}"
zone: UTC
run: {{from: {2}, to: {3}, step: 1 h, record: 1 h}}
data:
  hours:
    file: data/{0}.csv
    stamps: {{column: time, every: 1 h}}
    columns:
      demand: {{column: load_kw, unit: kW}}
      generation: {{column: pv_kw_per_kw, unit: kW/kW}}
)",
                                                  m.name, kinds(m), time_text(0), time_text(m.load.size()));
  if (m.grid)
    text += R"(      price: {column: price_usd_per_kwh, unit: USD/kWh}
      export_price: {column: export_price_usd_per_kwh, unit: USD/kWh}
      carbon: {column: carbon_kg_per_kwh, unit: kg/kWh}
)";
  if (weak(m)) text += "      connected: {unit: \"1\"}\n";
  text += fmt::format(R"(assets:
  load: {{model: load, priority: critical, demand: hours.demand}}
  pv: {{model: pv_profile, rated: {:.10g} kW, generation: hours.generation}}
  battery:
    model: battery
    set: nmc_100kwh
    packs: {:.8g}
    rating: {:.10g} kW
    standby: {:.4g}
    quadratic: {:.4g}
    own_use: 0
    leakage: 0 A
    state_of_charge_min: {:.8g}
    state_of_charge_max: 1
    state_of_charge: {:.10g}
)",
                      rated_power(m), b.capacity / kwh_per_pack, b.charge, converter.standby, converter.quadratic,
                      b.least / b.capacity, b.state_of_charge);
  if (const auto& g = m.grid)
    text += fmt::format(R"(  grid:
    model: grid
    import_limit: {:.10g} kW
    export_limit: {:.10g} kW
    price: hours.price
    export_price: hours.export_price
    carbon: hours.carbon
{})",
                        g->import_most, g->export_most, weak(m) ? "    connected: hours.connected\n" : "");
  if (const auto& g = m.genset)
    text += fmt::format(R"(  genset:
    model: genset
    rating: {:.10g} kW
    minimum_load: {:.8g}
    idle_fuel: 0 l/(kW h)
    marginal_fuel: {:.8g} l/kWh
    fuel_price: {:.8g} USD/l
    start_time: {:g} h
    cool_down: 0 s
    minimum_up: 0 s
    minimum_down: 0 s
)",
                        g->most, g->least / g->most, litres_per_kwh(*g), g->cost / litres_per_kwh(*g), g->start_up);
  text += fmt::format("balance: [battery{}{}, pv, load]\n", m.grid ? ", grid" : "", m.genset ? ", genset" : "");
  if (m.grid) text += fmt::format("controller: {{model: {}}}\n", m.genset && weak(m) ? "backup_genset" : "self_consumption");
  else
    text += R"(controller:
  model: off_grid
  genset_start: 100 %
  genset_stop: 100 %
  genset_loading: 0 %
  loading_max: 1000000    # nothing is shed
  loading_return: 1000000
  critical_shed: 0 %
  critical_return: 0 %
)";
  return text + gym_text(m);
}

std::string pymgrid_summary(const Pymgrid& m) {
  return fmt::format("{}; load of {} kWh in {} h", kinds(m), thousands(sum(m.load)),
                     thousands(static_cast<double>(m.load.size())));
}

}  // namespace urja

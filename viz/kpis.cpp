#include "viz/kpis.hpp"

#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace urja::viz {
namespace {

using nlohmann::json;

// Plain names. A key that is missing here is shown under its own name, with the unit its suffix tells. What the page
// shows elsewhere (run facts, ledger) has the group "".
struct Known {
  const char* key;
  const char* group;
  const char* name;
  const char* unit;
};
constexpr std::array k_groups{"Demand", "Sources", "Battery", "Grid", "Cost and CO₂"};
constexpr std::array k_known{
    Known{"load_kwh", "Demand", "Demand of the loads", "kWh"},
    Known{"served_kwh", "Demand", "Demand served", "kWh"},
    Known{"unserved_kwh", "Demand", "Demand not served", "kWh"},
    Known{"unserved_h", "Demand", "Time with demand not served", "h"},
    Known{"unserved_kwh_by_zone", "Demand", "Demand not served", "kWh"},
    Known{"deferred_unmet_kwh", "Demand", "Deferred demand never met", "kWh"},
    Known{"ev_kwh", "Demand", "Charged into vehicles", "kWh"},
    Known{"ev_unmet_kwh", "Demand", "Missing in vehicles at departure", "kWh"},
    Known{"pv_available_kwh", "Sources", "PV energy available", "kWh"},
    Known{"pv_kwh", "Sources", "PV energy used", "kWh"},
    Known{"curtailed_kwh", "Sources", "PV energy curtailed", "kWh"},
    Known{"spilled_kwh", "Sources", "Energy that nobody could take", "kWh"},
    Known{"genset_kwh", "Sources", "Energy from the genset", "kWh"},
    Known{"genset_run_h", "Sources", "Genset running", "h"},
    Known{"fuel_l", "Sources", "Fuel burnt", "l"},
    Known{"self_consumption", "Sources", "Self-consumption: share of PV energy used on site", "1"},
    Known{"self_sufficiency", "Sources", "Self-sufficiency: share of the consumption that neither grid nor fuel has provided",
          "1"},
    Known{"battery_charge_kwh", "Battery", "Energy charged", "kWh"},
    Known{"battery_discharge_kwh", "Battery", "Energy discharged", "kWh"},
    Known{"battery_loss_kwh", "Battery", "Energy lost", "kWh"},
    Known{"parameter_change_kwh", "Battery", "Energy that changes of parameters have brought", "kWh"},
    Known{"equivalent_full_cycles", "Battery", "Equivalent full cycles", ""},
    Known{"import_kwh", "Grid", "Energy bought", "kWh"},
    Known{"export_kwh", "Grid", "Energy sold", "kWh"},
    Known{"peak_import_kw", "Grid", "Highest import", "kW"},
    Known{"cost_total", "Cost and CO₂", "Net cost", "money"},
    Known{"scored_cost", "Cost and CO₂", "Net cost, and what was not delivered at its price", "money"},
    Known{"bound_cost", "Cost and CO₂", "Bound: no controller can cost less", "money"},
    Known{"cost_energy", "Cost and CO₂", "Cost of energy", "money"},
    Known{"cost_demand", "Cost and CO₂", "Demand charges", "money"},
    Known{"cost_fuel", "Cost and CO₂", "Cost of fuel", "money"},
    Known{"revenue_export", "Cost and CO₂", "Revenue of energy sold", "money"},
    Known{"co2_kg", "Cost and CO₂", "CO₂ emitted", "kg"},
    Known{"scenario", "", "", ""},
    Known{"seed", "", "", ""},
    Known{"steps", "", "", ""},
    Known{"wall_s", "", "", ""},
    Known{"steps_per_s", "", "", ""},
    Known{"ledger_residual", "", "", ""},
    Known{"heat_residual", "", "", ""},
    Known{"currency", "", "", ""},
    Known{"faults", "", "", ""},
    Known{"without_faults", "", "", ""},
};

std::optional<double> value(const json& kpis, const char* key) {
  const auto it = kpis.find(key);
  if (it == kpis.end() || !it->is_number()) return {};
  return it->get<double>();
}

std::string percent(double share) { return number(std::round(share * 1000) / 10); }

struct Shown {
  std::string text, unit;
};

// For the table: in the unit of the key. For a card or a sentence: in the unit that reads best.
Shown plain(double x, const std::string& unit, const std::string& currency) {
  if (unit == "1") return {percent(x), "%"};
  if (unit == "money") return {number(std::round(x * 100) / 100), currency};
  return {number(x), unit};
}

Shown short_form(double x, const std::string& unit, const std::string& currency) {
  const double a = std::abs(x);
  if (unit == "kWh" && a >= 1e7) return {number(x / 1e6), "GWh"};
  if (unit == "kWh" && a >= 1e4) return {number(x / 1e3), "MWh"};
  if (unit == "kg" && a >= 1e4) return {number(x / 1e3), "t"};
  if (unit == "money" && a >= 1e7) return {number(x / 1e6), "million " + currency};
  if (unit == "money" && a >= 100) return {number(std::round(x)), currency};
  return plain(x, unit, currency);
}

std::string phrase(double x, const char* unit, const std::string& currency) {
  const Shown s = short_form(x, unit, currency);
  return fmt::format("{}\u00a0{}", s.text, escape(s.unit));
}

std::pair<std::string, std::string> unknown_name(const std::string& key) {
  constexpr std::array<std::pair<const char*, const char*>, 11> units{{{"_kwh", "kWh"},
                                                                       {"_kw", "kW"},
                                                                       {"_wh", "Wh"},
                                                                       {"_w", "W"},
                                                                       {"_kg", "kg"},
                                                                       {"_h", "h"},
                                                                       {"_min", "min"},
                                                                       {"_s", "s"},
                                                                       {"_l", "l"},
                                                                       {"_degc", "°C"},
                                                                       {"_v", "V"}}};
  std::string name = key, unit;
  for (const auto& [suffix, its] : units) {
    const std::size_t n = std::char_traits<char>::length(suffix);
    if (name.size() > n && name.compare(name.size() - n, n, suffix) == 0) {
      name.resize(name.size() - n);
      unit = its;
      break;
    }
  }
  for (char& c : name)
    if (c == '_') c = ' ';
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return {name, unit};
}

std::string row(const std::string& name, const Shown& s) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td></tr>\n", name, escape(s.text),
                     escape(s.unit));
}

// One row, or one a key where the figure is an object or a list.
std::string rows(const std::string& name, const json& x, const std::string& unit, const std::string& currency, int depth = 0) {
  if (x.is_number()) return row(name, plain(x.get<double>(), unit, currency));
  if (x.is_boolean()) return row(name, {x.get<bool>() ? "yes" : "no", ""});
  if (x.is_string())
    return fmt::format("<tr><th scope=\"row\">{}</th><td colspan=\"2\">{}</td></tr>\n", name, escape(x.get<std::string>()));
  if (x.is_object() && depth < 3) {
    std::string all;
    for (const auto& [key, part] : x.items())
      all += rows(fmt::format("{}: {}", name, escape(key)), part, unit, currency, depth + 1);
    return all;
  }
  if (x.is_null() || x.empty()) return {};
  return fmt::format("<tr><th scope=\"row\">{}</th><td colspan=\"2\">{}</td></tr>\n", name,
                     escape(x.dump(-1, ' ', false, json::error_handler_t::replace)));
}

}  // namespace

KpiName kpi_name(const std::string& key, const std::string& currency) {
  const std::size_t dot = key.find('.');
  const std::string whole = key.substr(0, dot), part = dot == std::string::npos ? "" : ": " + key.substr(dot + 1);
  for (const Known& k : k_known) {
    if (whole != k.key || *k.name == 0) continue;
    const std::string name = k.name, unit = k.unit;
    return {name.substr(0, name.find(':')) + part, unit == "money" ? currency : unit};
  }
  const auto [name, unit] = unknown_name(whole);
  return {name + part, unit};
}

std::string kpi_sentence(const json& k, const std::string& currency) {
  std::string s;
  const auto load = value(k, "load_kwh"), ev = value(k, "ev_kwh"), unserved = value(k, "unserved_kwh"),
             own = value(k, "self_sufficiency"), bought = value(k, "import_kwh"), sold = value(k, "export_kwh"),
             cost = value(k, "cost_total"), co2 = value(k, "co2_kg");
  if (load) {
    const double demand = *load;
    const std::string what = phrase(demand, "kWh", currency);
    if (!unserved) s += fmt::format("The loads’ demand was {}.", what);
    else if (*unserved <= 1e-9 * demand) s += fmt::format("All demand of the loads, {}, was served.", what);
    else
      s += fmt::format("Of the loads’ demand of {}, <strong>{} ({} %) went unserved</strong>.", what,
                       phrase(*unserved, "kWh", currency), percent(*unserved / demand));
    if (ev && *ev > 0) s += fmt::format(" Vehicles took {}.", phrase(*ev, "kWh", currency));
  }
  if (own) s += fmt::format(" {}\u00a0% of what was used came from neither grid nor fuel.", percent(*own));
  if (bought) {
    s += fmt::format(" {} were bought from the grid", phrase(*bought, "kWh", currency));
    if (sold && *sold > 0) s += fmt::format(" and {} sold to it", phrase(*sold, "kWh", currency));
    s += ".";
  }
  if (cost && !currency.empty()) {
    s += fmt::format(" Net cost {}", phrase(*cost, "money", currency));
    if (co2) s += fmt::format(", {} of CO₂", phrase(*co2, "kg", currency));
    s += ".";
  }
  return s;
}

std::string kpi_cards(const json& k, const std::string& currency) {
  // The first eight that the plant has.
  constexpr std::array<std::array<const char*, 3>, 14> wanted{{{"self_sufficiency", "Self-sufficiency", "1"},
                                                               {"cost_total", "Net cost", "money"},
                                                               {"pv_kwh", "PV energy used", "kWh"},
                                                               {"load_kwh", "Demand of the loads", "kWh"},
                                                               {"import_kwh", "Bought from the grid", "kWh"},
                                                               {"export_kwh", "Sold to the grid", "kWh"},
                                                               {"unserved_kwh", "Not served", "kWh"},
                                                               {"fuel_l", "Fuel", "l"},
                                                               {"genset_run_h", "Genset running", "h"},
                                                               {"co2_kg", "CO₂", "kg"},
                                                               {"equivalent_full_cycles", "Battery cycles", ""},
                                                               {"self_consumption", "PV used on site", "1"},
                                                               {"ev_kwh", "Into vehicles", "kWh"},
                                                               {"battery_loss_kwh", "Battery losses", "kWh"}}};
  std::string all;
  int shown = 0;
  for (const auto& [key, name, unit] : wanted) {
    const auto x = value(k, key);
    if (!x || shown == 8 || (std::string_view(unit) == "money" && currency.empty())) continue;  // nothing has a price
    const Shown s = short_form(*x, unit, currency);
    const bool bad = std::string_view(key) == "unserved_kwh" && *x > 0;
    all += fmt::format("<li{}><span class=\"name\">{}</span><span class=\"value\">{} <small>{}</small></span></li>\n",
                       bad ? " class=\"bad\"" : "", name, s.text, escape(s.unit));
    ++shown;
  }
  return all.empty() ? "" : "<ul class=\"cards\">\n" + all + "</ul>\n";
}

std::vector<std::vector<std::string>> kpi_groups() {
  std::vector<std::vector<std::string>> all;
  for (const std::string_view group : k_groups) {
    all.emplace_back();
    for (const Known& known : k_known) {
      if (known.group == group) all.back().emplace_back(known.key);
    }
  }
  return all;
}

std::string kpi_table(const json& k, const std::string& currency) {
  std::string body;
  for (const char* group : k_groups) {
    std::string part;
    for (const Known& known : k_known) {
      if (std::string_view(known.group) != group || !k.contains(known.key)) continue;
      part += rows(known.name, k[known.key], known.unit, currency);
    }
    if (!part.empty())
      body +=
          fmt::format("<tbody><tr class=\"group\"><th colspan=\"3\" scope=\"rowgroup\">{}</th></tr>\n{}</tbody>\n", group, part);
  }
  std::string other;
  for (const auto& [key, x] : k.items()) {
    bool known = false;
    for (const Known& one : k_known) known |= key == one.key;
    if (known) continue;
    const auto [name, unit] = unknown_name(key);
    other += rows(escape(name), x, unit, currency);
  }
  if (!other.empty())
    body += fmt::format("<tbody><tr class=\"group\"><th colspan=\"3\" scope=\"rowgroup\">More</th></tr>\n{}</tbody>\n", other);
  if (body.empty()) return "<p>The file holds no figures of the run.</p>";
  return "<div class=\"columns\"><table class=\"kpis\"><thead><tr><th scope=\"col\">Figure</th><th scope=\"col\" "
         "class=\"n\">Value</th><th scope=\"col\">Unit</th></tr></thead>\n" +
         body + "</table></div>";
}

}  // namespace urja::viz

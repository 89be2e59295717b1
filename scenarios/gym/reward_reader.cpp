// `reward:` of a gym: amounts by the names of their KPIs, priced limits, and what each costs.
#include <fmt/format.h>

#include <algorithm>

#include "engine/units.hpp"
#include "scenarios/gym/gym_reader.hpp"
#include "scenarios/kpi.hpp"

namespace urja {
namespace {

// Amounts of the plant itself, beside those that assets declare as KPIs.
struct PlantAmount {
  const char *name, *path;
  double factor;
  const char *unit, *doc;
};
constexpr PlantAmount of_the_plant[] = {
    {"clipped_kwh", "plant.clipped", 1 / 3.6e6, "kWh", "commanded energy that limits did not allow"},
    {"spilled_kwh", "plant.spilled_power", 1 / 3.6e6, "kWh", "generated, and nobody could take it"},
    {"unserved_kwh", "plant.unserved_power", 1 / 3.6e6, "kWh", "wanted by loads and not given"},
    {"unserved_h", "plant.interrupted", 1 / 3600.0, "h", "with unserved power"}};

}  // namespace

void GymReader::read_reward(const Node* block) {
  if (!block->is_map()) return problem(*block, "expected prices", "for example reward: {cost: {cost_total: 1}}");
  known_keys(problems_, *block, {"scale", "cost", "penalty"}, "a reward");
  if (const Node* n = block->find("scale")) g_.reward_scale = numbers_.quantity(*n, "1", {1e-12, 1e12}).value_or(1);
  if (const Node* n = block->find("cost")) read_prices(*n, true);
  if (const Node* n = block->find("penalty")) read_prices(*n, false);
  if (g_.columns.empty() && problems_.empty())
    problem(*block, "nothing has a price", "for example reward: {cost: {cost_total: 1}}");
}

void GymReader::read_prices(const Node& block, bool in_cost) {
  if (!block.is_map())
    return problem(block, "expected amounts with their prices", "for example {cost_total: 1, unserved_kwh: 2 USD/kWh}");
  for (const Node::Entry& e : block.entries) {
    if (e.value.is_map()) {
      add_limit_column(e, in_cost);
    } else if (!add_column(e.key, e.value, &e.value, in_cost)) {
      std::vector<std::string> names{"cost_total", "stored_kwh"};
      for (const PlantAmount& amount : of_the_plant) names.emplace_back(amount.name);
      for (const Quantity& q : plan_.quantities()) {
        if (!q.kpi.empty() && std::find(names.begin(), names.end(), q.kpi) == names.end()) names.push_back(q.kpi);
      }
      const std::string close = nearest(e.key, names);
      problems_.add({e.value.file(), e.line, e.column, e.value.path, fmt::format("there is no amount '{}'", e.key),
                     close.empty() ? "known: " + any_of(names) : fmt::format("did you mean '{}'?", close)});
    }
  }
}

// An amount by the name of its KPI; `unserved_kwh.critical` is that of one zone. False where the plant has none.
bool GymReader::add_column(const std::string& key, const Node& at, const Node* price, bool in_cost) {
  using Column = GymSpecification::Column;
  Column c;
  c.name = key, c.in_cost = in_cost, c.unit = "kWh";
  const std::size_t dot = key.find('.');
  const std::string kpi = key.substr(0, dot), zone = dot == std::string::npos ? "" : key.substr(dot + 1);
  const auto* const plant =
      std::find_if(std::begin(of_the_plant), std::end(of_the_plant), [&](const PlantAmount& a) { return a.name == key; });
  if (plant != std::end(of_the_plant)) {
    c.quantities = {*plan_.find(plant->path)}, c.factor = plant->factor, c.unit = plant->unit, c.doc = plant->doc;
  } else if (key == "cost_total") {
    c.what = Column::change, c.unit = s_.currency, c.doc = "energy, demand and fuel less what export earns";
    for (const Quantity& q : plan_.quantities()) {
      for (const CostPart& part : cost_parts) {
        if (q.kpi != part.kpi) continue;
        c.quantities.push_back(q);
        c.signs.push_back(part.sign);
      }
    }
    if (s_.currency.empty()) c.quantities.clear();
  } else if (key == "stored_kwh") {
    c.what = Column::change, c.factor = 1e-3, c.doc = "energy stored in batteries; a negative price is its value";
    for (const Quantity& q : plan_.quantities()) {
      if ((q.flags & content) && (q.flags & observable)) c.quantities.push_back(q);
    }
  } else {
    for (const Quantity& q : plan_.quantities()) {
      if (q.kpi != kpi) continue;
      if (!zone.empty()) {
        const Plan& home = q.fleet < 0 ? plan_ : *plan_.fleets[static_cast<std::size_t>(q.fleet)].plan;
        const Plan::Asset* a = home.asset(q.fleet < 0 ? q.asset : q.asset.substr(q.asset.find('.') + 1));
        if (!a || a->tag != zone) continue;
      }
      const bool state = q.kind == Kind::state;
      c.what = state ? Column::change : Column::flow;
      const KpiScale scale = kpi_scale(q);
      c.factor = scale.factor, c.unit = scale.unit;
      if (c.unit == "money") c.unit = s_.currency;
      c.doc = q.doc;
      c.quantities.push_back(q);
    }
    // As the KPI has them, cycles are of the mean battery, a fleet's members each counted.
    if (!c.quantities.empty() && c.what == Column::change && c.quantities.front().unit == "1") {
      double all = 0;
      for (const Quantity& q : c.quantities)
        c.signs.push_back(q.mean ? plan_.fleets[static_cast<std::size_t>(q.fleet)].members : 1), all += c.signs.back();
      for (double& share : c.signs) share /= all;
    }
  }
  if (c.quantities.empty()) return false;
  if (price) {
    const auto written = price->is_scalar() ? parse_quantity(price->text) : std::nullopt;
    const std::string unit = c.unit == s_.currency ? "1" : "money/" + c.unit;
    if (written && !written->unit.empty() && known_unit(unit)) c.price = numbers_.quantity(at, unit, {-1e9, 1e9}).value_or(0);
    else c.price = numbers_.quantity(at, "1", {-1e9, 1e9}, "a price, " + (unit == "1" ? "a plain number" : unit)).value_or(0);
  }
  for (const Column& other : g_.columns) {
    if (other.name == c.name) problem(at, fmt::format("'{}' has a price already", c.name));
  }
  g_.columns.push_back(std::move(c));
  return true;
}

void GymReader::add_limit_column(const Node::Entry& entry, bool in_cost) {
  using Column = GymSpecification::Column;
  const Node& node = entry.value;
  known_keys(problems_, node, {"of", "above", "below", "ramp", "price"}, "a priced limit");
  const Node *of = node.find("of"), *price = node.find("price");
  Column c;
  c.name = entry.key, c.in_cost = in_cost;
  const Node* limit = nullptr;
  for (const auto& [name, what] : {std::pair{"above", Column::above}, {"below", Column::below}, {"ramp", Column::ramp}}) {
    if (const Node* n = node.find(name)) {
      if (limit) problem(*n, "only one of above, below and ramp");
      limit = n, c.what = what;
    }
  }
  if (!of || !limit || !price)
    return problem(node, "a priced limit needs of, price and one of above, below, ramp",
                   "for example ramp: {of: grid.power, ramp: 500 W, price: 1 USD/kWh}");
  if (!is_name(entry.key)) problem(node, fmt::format("'{}' cannot name an amount", entry.key), "letters, digits, _ and -");
  auto found = quantities(*of, of->text, false);
  if (found.size() != 1) {
    if (!found.empty()) problem(*of, "one channel", "without *");
    return;
  }
  c.quantities = {found.front().second};
  const std::string unit = c.quantities.front().unit;
  c.limit = numbers_.quantity(*limit, unit, {-1e12, 1e12}).value_or(0);
  const bool energy = unit == "W";
  c.unit = energy ? "kWh" : unit + " h";
  c.factor = energy ? 1e-3 : 1;
  c.doc = fmt::format("{} {} {:g} {}, over time", found.front().first,
                      c.what == Column::above   ? "above"
                      : c.what == Column::below ? "below"
                                                : "changes from interval to interval by more than",
                      c.limit, unit);
  const auto written = price->is_scalar() ? parse_quantity(price->text) : std::nullopt;
  c.price = numbers_.quantity(*price, energy && written && !written->unit.empty() ? "money/kWh" : "1", {-1e9, 1e9}).value_or(0);
  g_.columns.push_back(std::move(c));
}

}  // namespace urja

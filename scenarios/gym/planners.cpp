#include "scenarios/gym/planners.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "scenarios/planning/dispatch_lp.hpp"
#include "scenarios/planning/policy.hpp"

namespace urja {
namespace {

using Column = GymSpecification::Column;

double price_of(const GymSpecification& g, const std::string& name) {
  for (const Column& c : g.columns) {
    if (c.name == name && c.in_cost) return c.price;
  }
  return 0;
}

// What each kilowatt-hour and peak costs in the task, which may count the bill in parts.
struct TaskPrices {
  double energy, exported, demand, fuel, unserved, unmet, wear, stored;
  double ramp_limit = DispatchProblem::unlimited, ramp_price = 0;  // W, money/kW
  std::vector<double> zones;

  TaskPrices(const Plan& plan, const GymSpecification& g, const std::vector<std::string>& zone_names, double interval) {
    const double bill = price_of(g, "cost_total");
    energy = bill + price_of(g, "cost_energy");
    exported = bill - price_of(g, "revenue_export");
    demand = bill + price_of(g, "cost_demand");
    fuel = bill + price_of(g, "cost_fuel");
    unserved = price_of(g, "unserved_kwh");
    unmet = price_of(g, "ev_unmet_kwh");
    wear = price_of(g, "battery_discharge_kwh");
    stored = -price_of(g, "stored_kwh");
    for (const std::string& zone : zone_names) zones.push_back(unserved + price_of(g, "unserved_kwh." + zone));
    for (const Column& c : g.columns) {
      if (!c.in_cost) continue;
      const Quantity& of = c.quantities.front();
      const Plan::Asset* asset = of.fleet < 0 ? plan.asset(of.asset) : nullptr;
      const bool of_the_grid = c.what == Column::ramp && of.name == "power" && asset && asset->type->name == "grid";
      if (of_the_grid && ramp_price > 0) throw std::invalid_argument("a planner knows one price of the grid's changes, not two");
      if (of_the_grid) ramp_limit = c.limit, ramp_price = c.price * interval / 3600;
      static const char* const known[] = {"cost_total",   "cost_energy",  "revenue_export",        "cost_demand", "cost_fuel",
                                          "unserved_kwh", "ev_unmet_kwh", "battery_discharge_kwh", "stored_kwh"};
      const bool named = std::any_of(std::begin(known), std::end(known), [&](const char* k) { return c.name == k; });
      if (!of_the_grid &&
          !((c.what == Column::flow || c.what == Column::change) && (named || c.name.starts_with("unserved_kwh."))))
        throw std::invalid_argument("a planner does not know what '" + c.name + "' costs");
    }
    if (energy < 0 || exported < 0 || demand < 0 || fuel < 0 || stored < 0 || wear < 0)
      throw std::invalid_argument("a cost has the wrong sign");
  }

  void apply(DispatchProblem& p) const {
    for (double& v : p.grid.import_price) v *= energy;
    for (double& v : p.grid.export_price) v *= exported;
    p.grid.demand_charge *= demand;
    p.grid.change_limit = ramp_limit, p.grid.change_price = ramp_price;
    for (auto& genset : p.gensets) genset.fuel_cost *= fuel;
    for (std::size_t z = 0; z < p.zones.size(); ++z) p.zones[z].value_of_lost_load = zones[z];
    for (auto& session : p.sessions) session.unmet_price = session.unmet_price > 0 ? unmet : 0;  // nobody is owed after the end
    for (auto& storage : p.storages) storage.wear = wear, storage.terminal_value = stored;
  }
};

PolicyOptions options_of(const std::string& name, const Scenario& scenario) {
  const GymSpecification& g = *scenario.gym;
  PolicyOptions o;
  o.name = name;
  o.every = scenario.plan->step * g.per_interval;
  o.horizon = std::min(86400.0, static_cast<double>(g.episode) * o.every);
  if (name == "perfect_foresight") o.horizon = static_cast<double>(g.episode) * o.every;
  if (name == "rolling_lp") {
    for (const auto& seen : g.observations) o.forecast_error = std::max(o.forecast_error, seen.error);
  }
  return o;
}

class Planner : public GymPolicy {
 public:
  Planner(const std::string& name, const Scenario& scenario, int lanes, bool as_agent) {
    PolicyOptions options = options_of(name, scenario);
    const auto& actions = scenario.gym->actions;
    options.commands_storage =
        as_agent && std::any_of(actions.begin(), actions.end(), [](const auto& a) { return a.quantity.name == "command"; });
    const auto facts = std::make_shared<PlantProblem>(scenario.plan, Purpose::plan, options.every);
    episodes_.first.resize(static_cast<std::size_t>(lanes));
    episodes_.end.resize(static_cast<std::size_t>(lanes));
    episodes_.knows_all = name == "perfect_foresight";
    episodes_.reprice = [prices = TaskPrices(*scenario.plan, *scenario.gym, facts->zones(), options.every)](DispatchProblem& p) {
      prices.apply(p);
    };
    policy_ = make_policy(options, scenario.plan, &episodes_);
  }
  const std::vector<Quantity>& writes() const override { return policy_->writes(); }
  void begin(int lane, std::int64_t first, std::int64_t end) override {
    episodes_.first[static_cast<std::size_t>(lane)] = static_cast<int>(first);
    episodes_.end[static_cast<std::size_t>(lane)] = static_cast<int>(end);
  }
  void act(const Batch& batch, std::span<double> commands) override { policy_->act(batch, commands); }

 private:
  PolicyEpisodes episodes_;
  std::unique_ptr<Policy> policy_;
};

}  // namespace

const std::vector<std::string>& gym_planners() {
  static const std::vector<std::string> names{"hold", "greedy", "rolling_lp", "dynamic_programming", "perfect_foresight"};
  return names;
}

std::unique_ptr<GymPolicy> make_gym_planner(const std::string& name, const Scenario& scenario, int lanes, bool as_agent) {
  return std::make_unique<Planner>(name, scenario, lanes, as_agent);
}

struct EpisodeBound::Parts {
  std::shared_ptr<const Plan> plan;
  int episode;
  PlantProblem plant;
  TaskPrices prices;
  DispatchLp lp;
};

EpisodeBound::EpisodeBound(const Scenario& scenario, const Plan& played) {
  const GymSpecification& g = *scenario.gym;
  if (!g.terminations.empty()) throw std::invalid_argument("`terminate` may end an episode early, which spares its costs");
  for (const Plan::Hook& hook : played.hooks) {
    const Plan& home = hook.fleet < 0 ? played : *played.fleets[static_cast<std::size_t>(hook.fleet)].plan;
    const Plan::Asset* a = hook.asset < 0 ? nullptr : &home.assets[static_cast<std::size_t>(hook.asset)];
    if (a && hook.row == home.row_of(*a, "capacity"))
      throw std::invalid_argument(a->name +
                                  ".capacity: a fault of it may give energy back when it ends, and nothing is proven then");
  }
  const double interval = scenario.plan->step * g.per_interval;
  for (const auto& r : g.randomised) {
    if (r.quantity.name != "state_of_charge")
      throw std::invalid_argument("'" + r.name + "' is drawn anew in each episode: nothing is proven then");
  }
  PlantProblem plant(scenario.plan, Purpose::bound, interval);
  TaskPrices prices(*scenario.plan, g, plant.zones(), interval);
  parts_.reset(new Parts{scenario.plan, static_cast<int>(g.episode), std::move(plant), std::move(prices), {}});
}
EpisodeBound::~EpisodeBound() = default;

double EpisodeBound::of(const Batch& batch, int lane, std::int64_t first) {
  Parts& p = *parts_;
  DispatchProblem problem = p.plant.problem(static_cast<int>(first), p.episode);
  end_after(problem, p.episode);
  p.prices.apply(problem);
  // Who came before the episode owes it nothing: what he had until then is another's story, and less demand costs no more.
  for (auto& session : problem.sessions) {
    if (session.arrival < 0) session.energy = 0, session.unmet_price = 0;
  }
  double held = 0;
  for (std::size_t s = 0; s < problem.storages.size(); ++s) {
    const StorageUnits& units = p.plant.storages()[s];
    Quantity q = *batch.plan().find(units.asset + ".state_of_charge");
    double energy = 0;
    for (std::size_t m = 0; m < units.members.size(); ++m) {
      if (units.fleet >= 0) q.member = static_cast<int>(m);
      energy += units.members[m].energy_at(batch.get(lane, q));
    }
    auto& storage = problem.storages[s];
    storage.energy_start = energy;
    storage.energy_min = std::min(storage.energy_min, energy), storage.energy_max = std::max(storage.energy_max, energy);
    held += energy / 1000 * p.prices.stored;
  }
  const DispatchSolution best = p.lp.solve(problem);
  if (best.status != DispatchStatus::optimal) throw std::invalid_argument("the solver found no bound for this episode");
  return best.cost + held;
}

}  // namespace urja

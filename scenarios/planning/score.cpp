#include "scenarios/planning/score.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "scenarios/planning/dispatch_lp.hpp"

namespace urja {

Score score_of(const std::shared_ptr<const Plan>& plan, double interval, const LostPrices& prices) {
  const PlantProblem plant(plan, Purpose::bound, interval, prices);
  DispatchLp lp;
  const DispatchSolution best = lp.solve(plant.whole());
  if (best.status != DispatchStatus::optimal) throw std::invalid_argument("the solver found no bound for this run");
  // Vehicles that never had a charger are unmet in every run.
  return {best.cost + plant.sessions().lost / 1000 * plant.unmet_price(), plant.lost_load_price("critical"), plant.unmet_price()};
}

double scored_cost(const nlohmann::json& kpis, const Score& score) {
  double cost = kpis.value("cost_total", 0.0) + score.unmet_energy * kpis.value("ev_unmet_kwh", 0.0);
  double by_zones = 0;
  const nlohmann::json zones = kpis.value("unserved_kwh_by_zone", nlohmann::json::object());
  for (const auto& [zone, factor] :
       {std::pair{"critical", 1.0}, {"semi_critical", 0.75}, {"non_critical", 0.5}, {"deferrable", 0.25}}) {
    const double kwh = zones.value(zone, 0.0);
    cost += score.lost_load * factor * kwh;
    by_zones += kwh;
  }
  // What was consumed though nobody gave it.
  return cost + score.lost_load * std::max(0.0, kpis.value("unserved_kwh", 0.0) - by_zones);
}

}  // namespace urja

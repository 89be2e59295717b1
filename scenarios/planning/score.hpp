#pragma once
// What a run is compared by, and the least that it can be.
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "scenarios/planning/plant_problem.hpp"

namespace urja {

// Of the same plant and prices as a policy's plan.
struct Score {
  double bound = 0;  // money; no controller's scored cost is below it: the relaxation's optimum (plant_problem.cpp)
  double lost_load = 0, unmet_energy = 0;  // money/kWh, as in LostPrices, made where they were not given
};
// Throws std::invalid_argument where no bound is proven.
Score score_of(const std::shared_ptr<const Plan>& plan, double interval, const LostPrices& prices = {});

// From a run's KPIs: cost_total, and energy that was not delivered at the score's prices. Stored energy that is left counts for nothing.
double scored_cost(const nlohmann::json& kpis, const Score& score);

}  // namespace urja

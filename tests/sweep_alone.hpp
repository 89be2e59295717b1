#pragma once
// What a variant of a sweep is when it runs alone.
#include <nlohmann/json.hpp>

#include "scenarios/run.hpp"
#include "scenarios/sweep.hpp"

namespace urja::tests {

inline nlohmann::json kpis_alone(const std::string& file, const Sweep& sweep, std::size_t variant) {
  LoadOptions load;
  load.set = sweep.assignments(sweep.variants[variant]);
  Scenario alone = load_scenario(file, load);
  alone.seed += sweep.variants[variant].seed_after;
  nlohmann::json kpis;
  run_scenario(alone, {}, kpis);
  return kpis;
}

}  // namespace urja::tests

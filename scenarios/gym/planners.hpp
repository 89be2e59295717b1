#pragma once
// Baselines in an agent's episodes: the planners of scenarios/planning with the task's prices, and the bound that nobody undercuts.
#include <memory>
#include <string>
#include <vector>

#include "scenarios/gym/environment.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

// "hold", "greedy", "rolling_lp", "dynamic_programming", "perfect_foresight".
const std::vector<std::string>& gym_planners();

// rolling_lp has forecasts as wrong as those that the agent sees; perfect_foresight and dynamic_programming know the episode. Throws
// std::invalid_argument where the plant cannot be described.
// `as_agent`: it writes what the agent's actions are, as far as it can.
std::unique_ptr<GymPolicy> make_gym_planner(const std::string& name, const Scenario& scenario, int lanes, bool as_agent = false);

// The least that an episode can cost (the columns that are `in_cost`): a proven relaxation (planning/plant_problem.cpp) of the healthy
// plant, with the task's prices.
//   energy left    is valued at what is stored below the open-circuit voltage, which the relaxation's energy is not below
//   vehicles       those who came before the episode are left out: less demand costs no more
//   ramps          changes of the interval means, which is what the column counts
//   faults         may only take from the plant; sensors change nothing that is true
class EpisodeBound {
 public:
  // `scenario`: loaded with Gym::bound; `played`: the plan that the agent meets, faults and all. Throws std::invalid_argument where nothing
  // is proven.
  EpisodeBound(const Scenario& scenario, const Plan& played);
  ~EpisodeBound();
  // Of an episode that begins at interval `first` of the plan in a lane of a batch of the same assets, which has just been reset.
  double of(const Batch& batch, int lane, std::int64_t first);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace urja

#pragma once
// Policies that plan between steps, as a scenario names them: `controller: {model: rolling_lp, every: 15 min, forecast_error: 10 %}`.
//
// A controller model lives in the blocks and runs in every step; a policy is a program beside them (a step allocates nothing, a planner
// does) that reads what is measured and writes set-points through the one door, every so often (policy.hpp). Both stand under the same
// key, and the loader, `urja describe` and `urja schema` know a policy's keys from the one list here.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/declare.hpp"

namespace urja {

class AssetReader;
class Problems;
struct Node;

struct PolicyOptions {
  std::string name;
  double every = 900;                                                // s
  double horizon = 86400;                                            // s
  double forecast_error = 0;                                         // sd of the relative error at the horizon's end
  double lost_load = 0, unmet_energy = 0;                            // money/kWh; 0: see LostPrices
  double terminal_value = std::numeric_limits<double>::quiet_NaN();  // money/kWh; NaN: see Planner
  double levels = 201;
  bool commands_storage = false;  // see PlantDoor
};

struct PolicyKey {
  std::string name, unit;
  Range range;
  std::string doc;
  double PolicyOptions::*value;
};
struct PolicyType {
  std::string name, doc;
  std::vector<PolicyKey> keys;
};
const std::vector<PolicyType>& policy_types();
const PolicyType* find_policy(const std::string& name);

// What a scenario says under `controller:`, its `model` being a policy's name. Problems go to the reader's list.
PolicyOptions read_policy(const PolicyType& type, const Node& node, AssetReader& reader, Problems& problems);

}  // namespace urja

#include "scenarios/planning/policy_options.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/assets.hpp"

namespace urja {

const std::vector<PolicyType>& policy_types() {
  const PolicyKey every{
      "every", "s", {1, 86400}, "between two decisions; a whole number of steps; default 15 min", &PolicyOptions::every};
  const PolicyKey lost_load{
      "lost_load",
      "money/kWh",
      {0, 1e6},
      "what critical demand is worth to the plan; semi-critical 3/4, non-critical 1/2, deferrable 1/4 of it; "
      "default: so much that nobody is shed to save money",
      &PolicyOptions::lost_load};
  const PolicyKey unmet{"unmet_energy",
                        "money/kWh",
                        {0, 1e6},
                        "what a vehicle's energy is worth to the plan; default: so much that no vehicle waits to save money",
                        &PolicyOptions::unmet_energy};
  const PolicyKey terminal{"terminal_value",
                           "money/kWh",
                           {0, 1e6},
                           "of energy that is left at the plan's end, given to the bus; default: at the end of the run nothing, "
                           "before it what the cheapest import of the plan costs",
                           &PolicyOptions::terminal_value};
  static const std::vector<PolicyType> types{
      {"greedy", "what is cheapest for the interval that begins, and nothing after it", {every, lost_load, unmet, terminal}},
      {"rolling_lp",
       "plans the time up to the horizon as a linear program, follows the first interval, plans again",
       {every,
        {"horizon",
         "s",
         {60, 14 * 86400.0},
         "how far it looks; a whole number of decisions; default 24 h",
         &PolicyOptions::horizon},
        {"forecast_error",
         "1",
         {0, 2},
         "standard deviation of the relative error of load and PV at the horizon's end; default 0",
         &PolicyOptions::forecast_error},
        lost_load,
        unmet,
        terminal}},
      {"dynamic_programming",
       "knows all that will come, one battery with its losses by power, best moves by backward induction over its state of "
       "charge",
       {every,
        {"levels", "1", {11, 2001}, "of the battery's energy; default 201", &PolicyOptions::levels},
        lost_load,
        unmet,
        terminal}},
      {"perfect_foresight",
       "knows all that will come, plans the whole run as a linear program and follows the plan; the KPIs show the bound beside "
       "it",
       {every, lost_load, unmet, terminal}}};
  return types;
}

const PolicyType* find_policy(const std::string& name) {
  const auto& all = policy_types();
  const auto found = std::find_if(all.begin(), all.end(), [&](const PolicyType& t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}

PolicyOptions read_policy(const PolicyType& type, const Node& node, AssetReader& reader, Problems& problems) {
  std::vector<std::string> known{"model"};
  for (const PolicyKey& key : type.keys) known.push_back(key.name);
  known_keys(problems, node, known, "'" + type.name + "'");
  PolicyOptions options;
  options.name = type.name;
  for (const PolicyKey& key : type.keys) {
    if (const Node* value = node.find(key.name))
      options.*key.value = reader.quantity(*value, key.unit, key.range, key.doc).value_or(options.*key.value);
  }
  const auto fail = [&](const char* key, const std::string& what, const std::string& mend) {
    const Node& at = node.find(key) ? *node.find(key) : node;
    problems.add({at.file(), at.line, at.column, at.path, what, mend});
  };
  const double decisions = options.horizon / options.every;
  if (type.name == "rolling_lp" && (decisions < 1 - 1e-9 || std::abs(decisions - std::round(decisions)) > 1e-6))
    fail(node.find("horizon") ? "horizon" : "every", "the horizon is not a whole number of decisions",
         "it is `horizon` over `every`");
  if (options.levels != std::round(options.levels)) fail("levels", "levels are a whole number", "for example 201");
  return options;
}

}  // namespace urja

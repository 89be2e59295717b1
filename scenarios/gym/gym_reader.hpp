#pragma once
// The `gym:` block of a scenario, against its finished plan.
#include <string>
#include <vector>

#include "scenarios/assets.hpp"
#include "scenarios/gym/specification.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

class GymReader {
 public:
  GymReader(Problems& problems, AssetReader& numbers, const Zone& zone, const Scenario& scenario)
      : problems_(problems), numbers_(numbers), zone_(zone), s_(scenario), plan_(*scenario.plan) {}
  // Without a block: an agent that commands every battery, genset and charger, sees what is measured, and pays the bill.
  GymSpecification read(const Node* block, const Node& root);

 private:
  void read_times(const Node* block);
  void read_episode(const Node* node);
  void list_starts(const Node& at, const std::array<double, 3>& shares, double by, double time_of_day, bool first_only);
  void read_observations(const Node* list);
  void read_observation(const Node& entry);
  void read_forecast(const Node& entry, const Node& path);
  void read_actions(const Node* list);
  void read_action(const Node& entry);
  void read_reward(const Node* block);
  void read_prices(const Node& block, bool in_cost);
  bool add_column(const std::string& key, const Node& at, const Node* price, bool in_cost);
  void add_limit_column(const Node::Entry& entry, bool in_cost);
  void read_terminations(const Node& list);
  void read_randomised(const Node& block);

  std::vector<std::pair<std::string, Quantity>> quantities(const Node& at, const std::string& path, bool measured);
  bool limits(const Node& entry, const std::string& unit, double& low, double& high);
  std::vector<int> intervals(const Node& list, const char* what);
  void fill_bounds();
  void problem(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }
  std::vector<std::string> known_paths() const;

  Problems& problems_;
  AssetReader& numbers_;
  const Zone& zone_;
  const Scenario& s_;
  const Plan& plan_;
  GymSpecification g_;
  double interval_ = 900;                           // s
  bool keeps_controller_ = false;                   // it acts beside the agent
  std::vector<std::pair<std::string, Node>> said_;  // where each action and each forecast stands
  std::vector<Node> made_;                          // of the defaults
};

}  // namespace urja

#pragma once
// A scenario's run under its policy: the policy acts, the steps until it acts again are made. A scenario without one is only stepped.
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "scenarios/planning/policy.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

class PolicyRun {
 public:
  // Throws ScenarioError where the policy cannot describe the plant.
  PolicyRun(const Scenario& scenario, const Batch& batch);
  bool remembers() const { return policy_ && policy_->remembers(); }
  // `steps` steps from step `done` of the run on, with the policy's turns among them.
  void step(Batch& batch, std::int64_t done, int steps, int threads, Meter& meter);
  // bound_cost, the least that any controller can reach, and what this run's cost is beside it (score.hpp); why there is none.
  void add_to(nlohmann::json& kpis) const;

 private:
  const Scenario& scenario_;
  std::unique_ptr<Policy> policy_;
  std::int64_t every_ = 0;  // steps
  std::vector<double> actions_;
};

}  // namespace urja

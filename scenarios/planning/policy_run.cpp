#include "scenarios/planning/policy_run.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "scenarios/planning/score.hpp"

namespace urja {

PolicyRun::PolicyRun(const Scenario& scenario, const Batch& batch) : scenario_(scenario) {
  if (!scenario.policy) return;
  try {
    policy_ = make_policy(*scenario.policy, scenario.plan);
  } catch (const std::invalid_argument& e) {
    Problems problems;
    problems.add({scenario.file, 0, 0, "controller", scenario.policy->name + ": " + e.what(), ""});
    throw ScenarioError{problems};
  }
  every_ = std::llround(scenario.policy->every / scenario.step);
  actions_.resize(policy_->writes().size() * static_cast<std::size_t>(batch.lanes()));
}

void PolicyRun::step(Batch& batch, std::int64_t done, int steps, int threads, Meter& meter) {
  if (!policy_) return batch.step(steps, threads, &meter);
  for (const std::int64_t end = done + steps; done < end;) {
    if (done % every_ == 0) {
      policy_->act(batch, actions_);
      batch.write(policy_->writes(), actions_);
    }
    const std::int64_t next = std::min(end, (done / every_ + 1) * every_);
    batch.step(static_cast<int>(next - done), threads, &meter);
    done = next;
  }
}

void PolicyRun::add_to(nlohmann::json& kpis) const {
  if (!policy_ || scenario_.policy->name != "perfect_foresight") return;
  try {
    const Score score =
        score_of(scenario_.plan, scenario_.policy->every, {scenario_.policy->lost_load, scenario_.policy->unmet_energy});
    kpis["bound_cost"] = score.bound;
    kpis["scored_cost"] = scored_cost(kpis, score);
  } catch (const std::invalid_argument& e) { kpis["no_bound"] = e.what(); }
}

}  // namespace urja

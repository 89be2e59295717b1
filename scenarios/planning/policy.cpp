#include "scenarios/planning/policy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "engine/random.hpp"
#include "scenarios/planning/dispatch_lp.hpp"
#include "scenarios/planning/plant_door.hpp"

namespace urja {
namespace {

// Batteries at 0 W, nothing else.
class Hold : public Policy {
 public:
  explicit Hold(const Plan& plan) {
    for (const Plan::Asset& a : plan.assets) take(plan, a, "");
    for (const Plan::Fleet& f : plan.fleets) {
      for (const Plan::Asset& a : f.plan->assets) take(plan, a, f.name + ".");
    }
  }
  const std::vector<Quantity>& writes() const override { return writes_; }
  void act(const Batch&, std::span<double> actions) override { std::fill(actions.begin(), actions.end(), 0.0); }

 private:
  void take(const Plan& plan, const Plan::Asset& a, const std::string& prefix) {
    if (a.type->name == "battery") writes_.push_back(plan.find(prefix + a.name + ".command").value());
  }
  std::vector<Quantity> writes_;
};

// What all planners share: the plant, the door, one lane after the other.
class Planner : public Policy {
 public:
  Planner(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan)
      : options_(options), plant_(plan, Purpose::plan, options.every, {options.lost_load, options.unmet_energy}), door_(plant_) {}
  const std::vector<Quantity>& writes() const override { return door_.writes(); }
  void act(const Batch& batch, std::span<double> actions) override {
    const std::size_t wide = writes().size();
    for (int lane = 0; lane < batch.lanes(); ++lane) {
      const auto row = actions.subspan(static_cast<std::size_t>(lane) * wide, wide);
      door_.free(row);
      const int now = door_.interval_of(batch, lane);
      if (now < plant_.intervals() && batch.status(lane) == Trouble::none) decide(batch, lane, now, row);
    }
  }

 protected:
  virtual void decide(const Batch& batch, int lane, int now, std::span<double> row) = 0;

  void value_the_end(DispatchProblem& problem) const {
    for (auto& s : problem.storages) s.terminal_value = options_.terminal_value;
  }
  // Set-points from the first interval of a plan that begins now. A plan that was not found commands nothing: the merit list acts.
  void follow(const DispatchSolution& plan, const std::vector<int>& sessions, const Batch& batch, int lane, int now,
              std::span<double> row) const {
    if (plan.status != DispatchStatus::optimal) return;
    if (!door_.islanded(now)) {
      for (std::size_t s = 0; s < plan.storage.size(); ++s) door_.set_storage(batch, lane, s, plan.storage[s][0], row);
    }
    for (std::size_t g = 0; g < plan.genset.size(); ++g) door_.set_genset(g, plan.genset[g][0], row);
    for (std::size_t j = 0; j < sessions.size(); ++j) {
      if (door_.present(sessions[j], now)) door_.set_session(sessions[j], plan.session[j][0], row);
    }
  }

  PolicyOptions options_;
  PlantProblem plant_;
  PlantDoor door_;
};

// A linear program over the time up to the horizon, in every interval again.
//
// What it knows: the present interval, prices and the grid's limits exactly; load and PV later on with an error, the same share for a whole
// zone; of vehicles those that are there, with their departure.
//
//   forecast = truth (1 + e),  e = sd sqrt(lead/horizon) (a z_issue + b z_target),  a^2 + b^2 = 1, both halves here
//
// z_issue is common to all that one forecast says (it is a sunny one), z_target to all that is ever said of one moment (nobody sees that
// cloud); both are functions of (lane's seed, episode, channel, interval), so that a run can be repeated. [assumption]
class RollingLp : public Planner {
 public:
  RollingLp(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan, int intervals)
      : Planner(options, plan), count_(intervals) {}
  bool remembers() const override { return count_ > 1; }  // of several plans of the same cost, the one near the last

 protected:
  void decide(const Batch& batch, int lane, int now, std::span<double> row) override {
    DispatchProblem problem = plant_.problem(now, count_);
    std::vector<int> sessions = plant_.sessions_in(now, count_);
    for (std::size_t j = sessions.size(); j-- > 0;) {
      if (door_.present(sessions[j], now)) continue;
      sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(j));
      problem.sessions.erase(problem.sessions.begin() + static_cast<std::ptrdiff_t>(j));
    }
    door_.measure(batch, lane, now, sessions, problem);
    value_the_end(problem);
    if (options_.forecast_error > 0) disturb(batch, lane, now, problem);
    while (static_cast<int>(lps_.size()) <= lane) lps_.emplace_back();
    Memory& mine = lps_[static_cast<std::size_t>(lane)];
    const int moved_on = now - mine.solved_at;
    if (moved_on < 0) mine.lp.forget();  // another episode
    const DispatchSolution plan = mine.lp.solve(problem, std::max(moved_on, 0));
    mine.solved_at = now;
    follow(plan, sessions, batch, lane, now, row);
  }

 private:
  void disturb(const Batch& batch, int lane, int now, DispatchProblem& problem) const {
    const Step& step = batch.head(lane / width).step;
    const int i = lane % width;
    const auto key = static_cast<std::uint64_t>(step.key_low[i]) | static_cast<std::uint64_t>(step.key_high[i]) << 32;
    const auto episode = static_cast<std::uint32_t>(step.episode[i]);
    const auto normal = [&](int interval, std::uint32_t channel, std::uint32_t which) {
      return draw(key, purpose("policy.forecast", 0), static_cast<std::uint32_t>(interval), purpose("", 2 * channel + which),
                  episode)
          .normal()[0];
    };
    const auto forecast = [&](std::vector<double>& truth, std::uint32_t channel) {
      const double of_issue = normal(now, channel, 0);
      for (int t = 1; t < count_; ++t) {  // the present one is known
        const double sd = options_.forecast_error * std::sqrt(static_cast<double>(t) / count_);
        const double e = sd * std::sqrt(0.5) * (of_issue + normal(now + t, channel, 1));
        truth[static_cast<std::size_t>(t)] *= std::max(0.0, 1 + e);
      }
    };
    forecast(problem.pv, 0);
    for (std::size_t z = 0; z < problem.zones.size(); ++z) forecast(problem.zones[z].demand, static_cast<std::uint32_t>(z) + 1);
  }

  struct Memory {
    DispatchLp lp;
    int solved_at = 0;
  };
  int count_;
  std::vector<Memory> lps_;  // one per lane
};

// A linear program over the whole run, once, then followed. The plant is not linear, so its store drifts from the plan's; it is brought
// back while the plan charges: what it then lacks is bought, and what it has too much not bought, at the price of charging. Discharging
// and resting keep to the planned power, which is what meets the load.
class PerfectForesight : public Planner {
 public:
  PerfectForesight(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan) : Planner(options, plan) {
    DispatchProblem whole = plant_.whole();
    value_the_end(whole);
    for (const auto& s : whole.storages) start_.push_back(s.energy_start);
    DispatchLp lp;
    plan_ = lp.solve(whole);
    if (plan_.status != DispatchStatus::optimal)
      throw std::invalid_argument("perfect_foresight: the solver found no plan for the run");
    for (std::size_t j = 0; j < plan_.session.size(); ++j) {  // Wh delivered by the end of each interval
      double sum = 0;
      for (double& power : plan_.session[j]) power = sum += power * whole.hours();
    }
  }

 protected:
  void decide(const Batch& batch, int lane, int now, std::span<double> row) override {
    const auto t = static_cast<std::size_t>(now);
    const double hours = plant_.interval() / 3600;
    const DispatchProblem here = plant_.problem(now, 1);
    for (std::size_t s = 0; s < plan_.storage.size() && !door_.islanded(now); ++s) {
      double power = plan_.storage[s][t];
      if (power < 0) {
        const double before = t > 0 ? plan_.energy[s][t - 1] : start_[s];
        const double missing = before - door_.energy(batch, lane, s);
        power = std::clamp(power - missing / hours / here.storages[s].charge_efficiency, -here.storages[s].charge_max, 0.0);
      }
      door_.set_storage(batch, lane, s, power, row);
    }
    for (std::size_t g = 0; g < plan_.genset.size(); ++g) door_.set_genset(g, plan_.genset[g][t], row);
    for (const int j : plant_.sessions_in(now, 1)) {
      if (!door_.present(j, now)) continue;
      const SeenSession& s = plant_.sessions().all[static_cast<std::size_t>(j)];
      const double delivered = s.energy - door_.still_wanted(batch, lane, j);
      door_.set_session(j, std::max(0.0, plan_.session[static_cast<std::size_t>(j)][t] - delivered) / hours, row);
    }
  }

 private:
  DispatchSolution plan_;
  std::vector<double> start_;
};

}  // namespace

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan) {
  if (options.name == "hold") return std::make_unique<Hold>(*plan);
  if (options.name == "greedy") return std::make_unique<RollingLp>(options, plan, 1);
  if (options.name == "rolling_lp")
    return std::make_unique<RollingLp>(options, plan, static_cast<int>(std::llround(options.horizon / options.every)));
  if (options.name == "perfect_foresight") return std::make_unique<PerfectForesight>(options, plan);
  throw std::invalid_argument("there is no policy '" + options.name + "'");
}

}  // namespace urja

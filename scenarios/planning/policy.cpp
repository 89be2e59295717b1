#include "scenarios/planning/policy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "engine/random.hpp"
#include "scenarios/planning/dispatch_dp.hpp"
#include "scenarios/planning/dispatch_lp.hpp"
#include "scenarios/planning/forecast_error.hpp"
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

// The solvers of all lanes, each with the basis of its last plan.
class Memory {
 public:
  DispatchSolution solve(int lane, int now, const DispatchProblem& problem) {
    while (static_cast<int>(lanes_.size()) <= lane) lanes_.emplace_back();
    One& mine = lanes_[static_cast<std::size_t>(lane)];
    const int moved_on = now - mine.solved_at;
    if (moved_on < 0) mine.lp.forget();  // another episode
    mine.solved_at = now;
    return mine.lp.solve(problem, std::max(moved_on, 0));
  }

 private:
  struct One {
    DispatchLp lp;
    int solved_at = 0;
  };
  std::vector<One> lanes_;
};

// What all planners share: the plant, the door, one lane after the other.
class Planner : public Policy {
 public:
  Planner(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan, const PolicyEpisodes* episodes = nullptr)
      : options_(options),
        plant_(plan, Purpose::plan, options.every, {options.lost_load, options.unmet_energy}),
        door_(plant_, options.commands_storage),
        episodes_(episodes) {}
  const std::vector<Quantity>& writes() const override { return door_.writes(); }
  void act(const Batch& batch, std::span<double> actions) override {
    const std::size_t wide = writes().size();
    for (int lane = 0; lane < batch.lanes(); ++lane) {
      const auto row = actions.subspan(static_cast<std::size_t>(lane) * wide, wide);
      door_.free(row);
      const int now = door_.interval_of(batch, lane);
      // A lane whose episode is over waits for its reset: there is nothing to plan.
      const int end = episodes_ ? episodes_->end[static_cast<std::size_t>(lane)] : plant_.intervals();
      if (now < std::min(end, plant_.intervals()) && batch.status(lane) == Trouble::none) decide(batch, lane, now, row);
    }
  }

 protected:
  virtual void decide(const Batch& batch, int lane, int now, std::span<double> row) = 0;

  // A problem that begins now; in an episode with its prices, and nothing behind its end.
  DispatchProblem problem_at(int lane, int now, int count) const {
    DispatchProblem problem = plant_.problem(now, count);
    if (!episodes_) return problem;
    end_after(problem, episodes_->end[static_cast<std::size_t>(lane)] - now);
    if (episodes_->reprice) episodes_->reprice(problem);
    return problem;
  }
  // Whether the plan's horizon reaches the end of the lane's run or episode.
  bool sees_end(int lane, int now, int count) const {
    return now + count >= (episodes_ ? episodes_->end[static_cast<std::size_t>(lane)] : plant_.intervals());
  }
  // What is left at the plan's end. By default nothing where the run ends there; else it saves as much as the cheapest import of the plan
  // costs (so that nobody buys energy only to have it: charging loses some).
  void value_the_end(DispatchProblem& problem, bool run_ends) const {
    double value = options_.terminal_value;
    if (std::isnan(value))
      value = run_ends || !plant_.has_grid()
                  ? 0
                  : *std::min_element(problem.grid.import_price.begin(), problem.grid.import_price.end());
    for (auto& s : problem.storages) s.terminal_value = std::max(0.0, value * s.discharge_efficiency);
  }
  // Of plans of the same cost the one that charges early and discharges late, vehicles before batteries: what is stored helps when a forecast
  // was wrong. All of it together, over a day, weighs a thousandth of the dearest import.
  void prefer_to_hold(DispatchProblem& problem) const {
    double dearest = 0;
    for (const double price : problem.grid.import_price) dearest = std::max(dearest, price);
    for (auto& s : problem.storages) s.holding_value = 1e-3 * dearest * problem.interval / 86400;
    for (auto& s : problem.sessions) s.waiting_price = 2e-3 * dearest * problem.interval / 86400;
  }
  void refit(const DispatchSolution& plan, std::vector<DispatchProblem::Storage>& storages) const {
    if (plan.status != DispatchStatus::optimal) return;
    for (std::size_t s = 0; s < storages.size(); ++s) plant_.storages()[s].refit(plan.storage[s], storages[s]);
  }
  // A program over the whole run, with efficiencies at its own powers.
  DispatchSolution solve_fitted(DispatchProblem& whole) const {
    DispatchLp lp;
    DispatchSolution plan = lp.solve(whole);
    for (int round = 0; round < 2; ++round) {
      refit(plan, whole.storages);
      plan = lp.solve(whole);
    }
    return plan;
  }
  // Set-points from the first interval of a plan that begins now. A plan that was not found commands nothing: the merit list acts.
  void follow(const DispatchSolution& plan, const std::vector<int>& sessions, const Batch& batch, int lane, int now,
              std::span<double> row) const {
    if (plan.status != DispatchStatus::optimal) return;
    if (!door_.islanded(batch, lane, now)) {
      if (door_.writes_grid()) door_.set_grid(plan.grid[0], row);
      for (std::size_t s = 0; s < plan.storage.size() && !door_.writes_grid(); ++s)
        door_.set_storage(batch, lane, s, plan.storage[s][0], row);
    }
    for (std::size_t g = 0; g < plan.genset.size(); ++g) door_.set_genset(g, plan.genset[g][0], row);
    door_.set_idle_chargers(row);
    // Those who come within the interval first: who is there now has the charger until he leaves.
    for (const bool there : {false, true}) {
      for (std::size_t j = 0; j < sessions.size(); ++j) {
        if (door_.present(sessions[j], now) == there && door_.comes_by(sessions[j], now + 1))
          door_.set_session(sessions[j], now, plan.session[j][0] * plant_.interval() / 3600, row);
      }
    }
  }

  PolicyOptions options_;
  PlantProblem plant_;
  PlantDoor door_;
  const PolicyEpisodes* episodes_;
};

// A linear program over the time up to the horizon, in every interval again.
//
// What it knows: the present interval, prices and the grid's limits exactly; load and PV later on with an error, the same share for a whole
// zone; of vehicles those that are there, with their departure.
class RollingLp : public Planner {
 public:
  RollingLp(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan, int intervals,
            const PolicyEpisodes* episodes = nullptr)
      : Planner(options, plan, episodes), count_(intervals), knows_all_(episodes && episodes->knows_all) {}
  bool remembers() const override { return count_ > 1; }  // of several plans of the same cost, the one near the last

 protected:
  void decide(const Batch& batch, int lane, int now, std::span<double> row) override {
    DispatchProblem problem = problem_at(lane, now, count_);
    std::vector<int> sessions = plant_.sessions_in(now, count_);
    for (std::size_t j = sessions.size(); j-- > 0;) {
      if (knows_all_ || door_.present(sessions[j], now)) continue;
      sessions.erase(sessions.begin() + static_cast<std::ptrdiff_t>(j));
      problem.sessions.erase(problem.sessions.begin() + static_cast<std::ptrdiff_t>(j));
    }
    door_.measure(batch, lane, now, sessions, problem);
    if (!episodes_ || !sees_end(lane, now, count_)) value_the_end(problem, count_ == 1 || sees_end(lane, now, count_));
    if (count_ > 1) prefer_to_hold(problem);
    if (options_.forecast_error > 0) disturb(batch, lane, now, problem);
    while (static_cast<int>(fitted_.size()) <= lane) fitted_.emplace_back();
    Fitted& mine = fitted_[static_cast<std::size_t>(lane)];
    for (std::size_t s = 0; s < mine.storages.size(); ++s) {
      problem.storages[s].charge_efficiency = mine.storages[s].charge_efficiency;
      problem.storages[s].discharge_efficiency = mine.storages[s].discharge_efficiency;
    }
    DispatchSolution plan = memory_.solve(lane, now, problem);
    if (count_ > 1 && (mine.storages.empty() || now < mine.at || now >= mine.at + count_)) {
      refit(plan, problem.storages);
      plan = memory_.solve(lane, now, problem);
      mine = {problem.storages, now};
    }
    follow(plan, sessions, batch, lane, now, row);
  }

 private:
  void disturb(const Batch& batch, int lane, int now, DispatchProblem& problem) const {
    const Step& step = batch.head(lane / width).step;
    const int i = lane % width;
    const auto key = static_cast<std::uint64_t>(step.key_low[i]) | static_cast<std::uint64_t>(step.key_high[i]) << 32;
    const auto episode = static_cast<std::uint32_t>(step.episode[i]);
    const auto forecast = [&](std::vector<double>& truth, std::uint32_t channel) {
      const ForecastError error(options_.forecast_error, key, episode, now, purpose("policy", channel));
      for (int t = 1; t < count_; ++t)
        truth[static_cast<std::size_t>(t)] *= error.factor(now + t, static_cast<double>(t) / count_);
    };
    forecast(problem.pv, 0);
    for (std::size_t z = 0; z < problem.zones.size(); ++z) forecast(problem.zones[z].demand, static_cast<std::uint32_t>(z) + 1);
  }

  // Efficiencies at the powers of a plan, fitted anew after each horizon: another matrix costs a start from nothing.
  struct Fitted {
    std::vector<DispatchProblem::Storage> storages;
    int at = 0;
  };
  int count_;
  bool knows_all_;
  Memory memory_;
  std::vector<Fitted> fitted_;  // one per lane
};

// A linear program over the whole run, once; then followed by a day's program in every interval again, which knows all that will come too.
//
// The plant is not linear, so its store drifts from the plan's, and a plan that is played back blindly runs dry just when it matters. So
// the day's program starts from what is measured and is told what the long plan wants a day later: the energy stored (what is missing
// of it counts as the dearest import), and each month's peak, which it need not pay again.
class PerfectForesight : public Planner {
 public:
  PerfectForesight(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan)
      : Planner(options, plan), count_(std::min(plant_.intervals(), static_cast<int>(std::ceil(86400 / options.every)))) {
    DispatchProblem whole = plant_.whole();
    value_the_end(whole, true);
    plan_ = solve_fitted(whole);
    storages_ = whole.storages;
    if (plan_.status != DispatchStatus::optimal)
      throw std::invalid_argument("perfect_foresight: the solver found no plan for the run");
    dearest_ = 1e-3;
    for (const double price : whole.grid.import_price) dearest_ = std::max(dearest_, price);
    for (const auto& g : whole.gensets) dearest_ = std::max(dearest_, g.fuel_cost);
  }
  bool remembers() const override { return true; }

 protected:
  void decide(const Batch& batch, int lane, int now, std::span<double> row) override {
    DispatchProblem problem = plant_.problem(now, count_);
    const std::vector<int> sessions = plant_.sessions_in(now, count_);
    door_.measure(batch, lane, now, sessions, problem);
    for (std::size_t s = 0; s < problem.storages.size(); ++s) {
      problem.storages[s].charge_efficiency = storages_[s].charge_efficiency;
      problem.storages[s].discharge_efficiency = storages_[s].discharge_efficiency;
    }
    const int last = now + count_ - 1;
    const bool run_ends = last >= plant_.intervals() - 1;
    value_the_end(problem, run_ends);
    prefer_to_hold(problem);
    for (std::size_t s = 0; s < problem.storages.size() && !run_ends; ++s) {
      problem.storages[s].energy_wanted = plan_.energy[s][static_cast<std::size_t>(last)];
      problem.storages[s].missing_price = dearest_;
    }
    // Windows count months from the first in the problem, the plan from the first of the run.
    for (std::size_t m = 0; m < problem.grid.peak_reached.size(); ++m) {
      double& reached = problem.grid.peak_reached[m];
      reached = std::max(reached, plan_.peak[static_cast<std::size_t>(plant_.first_month(now)) + m]);
    }
    const DispatchSolution day = memory_.solve(lane, now, problem);
    follow(day, sessions, batch, lane, now, row);
  }

 private:
  int count_;
  DispatchSolution plan_;
  std::vector<DispatchProblem::Storage> storages_;  // with the efficiencies of the plan's powers
  double dearest_;
  Memory memory_;
};

// Backward induction over the whole run, once, with the battery's real losses by power; then the best move from what is measured.
// It knows all that will come. A demand charge's peaks are those of the linear program.
class DynamicProgramming : public Planner {
 public:
  DynamicProgramming(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan, const PolicyEpisodes* episodes)
      : Planner(options, plan, episodes) {
    if (!episodes) {
      dp_.push_back({std::make_unique<DispatchDp>(induced(plant_.whole())), 0});
      return;
    }
    DispatchProblem whole = plant_.whole();  // what cannot be done is told at once, not in the first step
    if (episodes->reprice) episodes->reprice(whole);
    DispatchDp::check(whole);
  }

 protected:
  void decide(const Batch& batch, int lane, int now, std::span<double> row) override {
    DispatchProblem here = plant_.problem(now, 1);
    door_.measure(batch, lane, now, {}, here);
    const double reached = here.grid.peak_reached.empty() ? 0 : here.grid.peak_reached[0];
    const Induced& induced_here = of(lane);
    const DispatchDp::Decision best = induced_here.dp->best(now - induced_here.first, here.storages[0].energy_start, reached);
    if (!door_.islanded(batch, lane, now)) {
      if (door_.writes_grid()) door_.set_grid(best.grid, row);
      else door_.set_storage(batch, lane, 0, best.power, row);
    }
    for (std::size_t g = 0; g < best.gensets.size(); ++g) door_.set_genset(g, best.gensets[g], row);
  }

 private:
  struct Induced {
    std::unique_ptr<DispatchDp> dp;
    int first;  // interval of the plan at which it begins
  };
  // Of the run, or of the lane's episode, which is induced when it begins.
  const Induced& of(int lane) {
    if (!episodes_) return dp_.front();
    const auto k = static_cast<std::size_t>(lane);
    while (dp_.size() <= k) dp_.push_back({nullptr, -1});
    const int first = episodes_->first[k];
    if (dp_[k].first != first)
      dp_[k] = {std::make_unique<DispatchDp>(induced(problem_at(lane, first, episodes_->end[k] - first))), first};
    return dp_[k];
  }
  DispatchDp induced(DispatchProblem whole) const {
    if (!episodes_) value_the_end(whole, true);
    DpOptions dp;
    dp.levels = static_cast<int>(options_.levels);
    if (plant_.storages().size() == 1) {
      const std::vector<BatteryFacts>& members = plant_.storages().front().members;
      double rating = 0;
      for (const BatteryFacts& f : members) rating += f.rating;
      dp.drain = [&members, rating](double power) {
        double lost = 0;
        for (const BatteryFacts& f : members) lost += f.loss_at(power * f.rating / rating);
        return power + lost;
      };
    }
    if (!whole.grid.windows.empty() && whole.sessions.empty()) dp.peaks = solve_fitted(whole).peak;
    return DispatchDp(std::move(whole), std::move(dp));
  }
  std::vector<Induced> dp_;
};

}  // namespace

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan,
                                    const PolicyEpisodes* episodes) {
  const auto rolling = [&](double horizon) {
    return std::make_unique<RollingLp>(options, plan, std::max(1, static_cast<int>(std::llround(horizon / options.every))),
                                       episodes);
  };
  if (options.name == "hold") return std::make_unique<Hold>(*plan);
  if (options.name == "greedy") return rolling(options.every);
  if (options.name == "rolling_lp") return rolling(options.horizon);
  if (options.name == "dynamic_programming") return std::make_unique<DynamicProgramming>(options, plan, episodes);
  if (options.name == "perfect_foresight") {
    if (episodes) return rolling(options.horizon);
    return std::make_unique<PerfectForesight>(options, plan);
  }
  throw std::invalid_argument("there is no policy '" + options.name + "'");
}

}  // namespace urja

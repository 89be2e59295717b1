#pragma once
// Many copies of a plant for an agent: a Batch with episodes, observations, rewards. No socket in here; bridge/gym serves it.
//
//     actions [N, A] --> commands --> Batch::step, a Meter beside it --> observations [N, O], columns [C, N] --> reward [N]
//                                        ^                                    |
//                          resets: start, draws  <------ terminated, truncated
//
// Lane i with seed s is bit-identical to a single environment with seed s: start, draws, noise, faults and forecast errors are functions
// of (seed, episode). Everything is made at construction; step() allocates nothing.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "scenarios/gym/specification.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

// Somebody who acts in an agent's place, natively: baselines (planners.hpp).
class GymPolicy {
 public:
  virtual ~GymPolicy() = default;
  virtual const std::vector<Quantity>& writes() const = 0;
  // An episode begins in a lane: intervals [first, end) of the plan.
  virtual void begin(int lane, std::int64_t first, std::int64_t end) = 0;
  // Commands for all lanes [lanes x writes().size()], NaN for none, before the next interval.
  virtual void act(const Batch& batch, std::span<double> commands) = 0;
};

class VectorEnvironment {
 public:
  enum class Autoreset { next_step, same_step, disabled };
  struct Options {
    int lanes = 1;
    Autoreset autoreset = Autoreset::next_step;
    GymSpecification::Split split = GymSpecification::train;
    int threads = 1;
    bool agent = true;  // false: actions are ignored, the scenario's own controller is in charge
  };
  // The scenario must have been loaded with its gym.
  VectorEnvironment(const Scenario& scenario, const Options& options);
  ~VectorEnvironment();

  int lanes() const { return static_cast<int>(lanes_.size()); }
  int observations() const { return static_cast<int>(g_.observations.size()); }
  int actions() const { return static_cast<int>(g_.actions.size()); }
  int columns() const { return static_cast<int>(g_.columns.size()); }
  int draws() const { return static_cast<int>(g_.randomised.size()); }
  const GymSpecification& specification() const { return g_; }
  const Options& options() const { return options_; }
  const Plan& plan() const { return *plan_; }
  const Batch& batch() const { return batch_; }

  // Where a call writes what it has to tell; shapes as in bridge/PROTOCOL.md. All must be there.
  struct Result {
    float* observations;                   // [N, O]
    double* reward;                        // [N]
    std::uint8_t *terminated, *truncated;  // [N]
    double* columns;                       // [C, N]
    double* draws;                         // [D, N]
    // same_step only: of the lanes that ended, how many, which, and what they saw last [ended, O].
    std::uint32_t* final_index = nullptr;
    float* final_observations = nullptr;
    std::uint32_t ended = 0;
  };

  // What is wrong with actions: nothing, or the first of them that is not finite, out of bounds or no choice.
  struct BadAction {
    std::size_t index;
    bool finite;
  };
  std::optional<BadAction> bad_action(std::span<const float> actions) const;
  bool needs_reset() const { return !began_; }
  // A lane that is over and waits for its reset (autoreset disabled), or -1.
  int over() const;

  // seeds: empty (the next episode of each lane's seed) or one per lane; mask: empty (all lanes) or one per lane.
  void reset(std::span<const std::uint64_t> seeds, std::span<const std::uint8_t> mask, Result& result);
  // actions [steps, N, A]; of several steps: rewards and columns summed, flags or-ed.
  void step(std::span<const float> actions, int steps, Result& result);
  // What the present looks like, without a step; reward and columns 0.
  void observe(Result& result);

  // Feasible interval of each box action for one interval, as actions are given [N, A], and which choices are allowed [N, all choices].
  void masks(std::span<float> low, std::span<float> high, std::span<std::uint8_t> allowed);
  int choices() const;
  // The true plant [N, S].
  const std::vector<Quantity>& state_map() const { return state_; }
  void state(std::span<double> values) const;
  // Sums of the columns [C, N] of the running episode and of the last one that ended, whose length was [N] intervals.
  void totals(std::span<double> running, std::span<double> last, std::span<std::uint32_t> length) const;

  // All lanes as they are, kept here; restore() puts back those of the mask.
  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;
  std::size_t snapshot_bytes() const;
  void restore(const Snapshot& snapshot, std::span<const std::uint8_t> mask);
  void branch(int from, int to);

  // Before the first reset.
  void set_policy(std::unique_ptr<GymPolicy> policy);
  // First interval of a lane's episode, if it has made no step yet.
  std::optional<std::int64_t> begins_at(int lane) const;

 private:
  struct Lane {
    std::uint64_t seed = 0;
    std::uint32_t episode = 0;
    std::int64_t first = 0;  // step of the plan at which the episode began
    std::int64_t done = 0;   // intervals of it
    bool over = false;       // and not yet reset
    bool terminated = false;
  };

  void begin(int lane);
  void end(int lane);
  void command(std::span<const float> actions);
  void account(Result& result);
  void keep_final(Result& result);
  void tell_policy(int lane);
  void tell_nothing(Result& result) const;
  void see_present(float* observations);
  void see_all(float* observations, bool on);
  void see_new(std::span<const int> which, float* observations, bool fresh);
  void finish_row(int lane, float* row) const;
  std::size_t ring() const { return static_cast<std::size_t>(deepest_ + 1); }

  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<const GymSpecification> spec_;
  const GymSpecification& g_;
  Options options_;
  Batch batch_;
  std::vector<Lane> lanes_;
  bool began_ = false;
  double interval_;                       // s
  std::vector<int> which_;                // lanes that begin in this call
  std::vector<std::uint32_t> final_row_;  // [N]: of a lane that ended in this call, or none

  // observations
  std::vector<Quantity> direct_, lagged_, at_reset_;  // the first columns; what is seen with a lag; both
  std::vector<int> lagged_at_;                        // [O]: which of the lagged, or -1
  std::vector<std::uint32_t> forecast_names_;         // [O]
  std::vector<float> low_, high_, middle_, slope_;    // [O]
  std::vector<float> looked_, past_;                  // room for what is read
  std::vector<float> history_;                        // [N, ring, lagged], by intervals done
  int deepest_ = 0;                                   // lag, intervals
  std::vector<float> calendar_;                       // [intervals of the plan, 6]

  // actions
  std::vector<Quantity> commands_;
  std::vector<double> commanded_;  // [N, A]
  std::unique_ptr<GymPolicy> policy_;

  // columns
  Meter meter_;
  std::vector<Quantity> changing_;
  std::vector<double> before_, now_;    // [changing, N]
  std::vector<double> mean_before_;     // [C, N]: of the interval before; NaN in the first
  std::vector<double> running_, last_;  // [C, N]
  std::vector<std::uint32_t> last_length_;
  std::vector<double> amount_, part_, reward_;  // room

  std::vector<Quantity> conditions_;
  std::vector<double> condition_values_;
  std::vector<double> drawn_;               // [D, N]
  std::vector<double> own_value_;           // [D]: the scenario's
  std::vector<std::uint32_t> drawn_names_;  // [D]
  std::vector<Quantity> state_;
};

}  // namespace urja

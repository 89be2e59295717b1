#pragma once
// Many copies of a plant for an agent: a Batch with episodes, observations, rewards. No socket in here; bridge/gym serves it.
//
//     actions [N, A] --> commands --> Batch::step, a Meter beside it --> observations [N, O], columns [C, N] --> reward [N]
//                                        ^                                    |
//                          resets: start, draws  <------ terminated, truncated
//
// Lane i with seed s is bit-identical to a single environment with seed s: start, draws, noise, faults and forecast errors are functions
// of (seed, episode). Everything is made at construction; step() allocates nothing. Lanes lie in shards (shard.hpp), each of which goes
// the whole way from its actions to its observations while it lies in a core's cache; threads take shards.
#include <cstdint>
#include <functional>
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
    bool agent = true;       // false: actions are ignored, the scenario's own controller is in charge
    bool one_piece = false;  // all lanes in one Batch, as a GymPolicy wants to see them
  };
  // The scenario must have been loaded with its gym.
  VectorEnvironment(const Scenario& scenario, const Options& options);
  ~VectorEnvironment();

  int lanes() const { return options_.lanes; }
  int observations() const { return static_cast<int>(g_.observations.size()); }
  int actions() const { return static_cast<int>(g_.actions.size()); }
  int columns() const { return static_cast<int>(g_.columns.size()); }
  int draws() const { return static_cast<int>(g_.randomised.size()); }
  const GymSpecification& specification() const { return g_; }
  const Options& options() const { return options_; }
  const Plan& plan() const;
  // Where a lane's plant lies.
  struct Place {
    const Batch& batch;
    int lane;
  };
  Place place(int lane) const;

  // Where a call writes what it has to tell; shapes as in bridge/PROTOCOL.md. All must be there.
  struct Result {
    float* observations;  // [N, O]
    double* reward;       // [N]
    // [N]; 1, or 3 where a lane has begun its next episode within the same call (next_step)
    std::uint8_t *terminated, *truncated;
    double* columns;  // [C, N]
    double* draws;    // [D, N]
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
  const std::vector<Quantity>& state_map() const;
  void state(std::span<double> values) const;
  // Sums of the columns [C, N] of the running episode and of the last one that ended, whose length was [N] intervals.
  void totals(std::span<double> running, std::span<double> last, std::span<std::uint32_t> length) const;

  // All lanes as they are, kept here; restore() puts back those of the mask.
  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;
  std::size_t snapshot_bytes() const;
  void restore(const Snapshot& snapshot, std::span<const std::uint8_t> mask);
  void branch(int from, int to);

  // Before the first reset, and only in one piece.
  void set_policy(std::unique_ptr<GymPolicy> policy);
  // Somebody to ask what he would do: advice() [N, A] in the terms of actions. `make` is called for as many lanes as it is given.
  void set_advisor(const std::function<std::unique_ptr<GymPolicy>(int lanes)>& make);
  void advice(std::span<float> actions);
  // First interval of a lane's episode, if it has made no step yet.
  std::optional<std::int64_t> begins_at(int lane) const;

 private:
  struct Layout;
  class Shard;
  template <class Work> void each_shard(Work&& work);
  Shard& shard_of(int lane) const;
  Result part(const Result& result, const Shard& shard) const;

  std::shared_ptr<const GymSpecification> spec_;
  const GymSpecification& g_;
  Options options_;
  std::unique_ptr<const Layout> layout_;
  int shard_lanes_;
  std::vector<std::unique_ptr<Shard>> shards_;
  bool began_ = false;
};

}  // namespace urja

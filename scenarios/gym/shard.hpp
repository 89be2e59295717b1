#pragma once
// Some lanes of a VectorEnvironment, few enough for what they need to stay in a core's cache from the commands to the observations. A
// shard is an environment of its own: it shares nothing with its neighbours but what does not move, so threads take whole shards.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "scenarios/gym/environment.hpp"

namespace urja {

// What all shards look up and none changes.
struct VectorEnvironment::Layout {
  Layout(const Scenario& scenario, const Options& options);

  std::shared_ptr<const Plan> plan;
  std::shared_ptr<const GymSpecification> spec;
  Options options;
  double interval;  // s
  // observations
  std::vector<Quantity> direct, lagged, at_reset;  // the first columns; what is seen with a lag; both
  std::vector<int> lagged_at;                      // [O]: which of the lagged, or -1
  std::vector<std::uint32_t> forecast_names;       // [O]
  std::vector<float> low, high, middle, slope;     // [O]
  int deepest = 0;                                 // lag, intervals
  std::vector<float> calendar;                     // [intervals of the plan, 6]
  // actions, columns, ends, draws, truth
  std::vector<Quantity> commands, metered, changing, conditions, state;
  struct Scale {
    double low, high, middle, half;
  };
  std::vector<Scale> scales;               // [A]: of a box action, from what an agent says to what is commanded
  std::vector<std::uint32_t> drawn_names;  // [D]
};

class VectorEnvironment::Shard {
 public:
  // Lanes [first, first + lanes) of the environment.
  Shard(const Layout& layout, int first, int lanes);
  ~Shard();

  int first() const { return first_; }
  int lanes() const { return static_cast<int>(lanes_.size()); }
  const Batch& batch() const { return batch_; }
  void set_policy(std::unique_ptr<GymPolicy> policy);
  void set_advisor(std::unique_ptr<GymPolicy> advisor);
  // A lane of this shard that is over, or -1.
  int over() const;
  // First step of the plan of a lane's episode, if it has made no step yet.
  std::optional<std::int64_t> fresh(int lane) const;

  // As in VectorEnvironment. Results are written to this shard's part of the arrays; what belongs to columns and draws lies `all`
  // lanes apart. `stride`: from one step's actions to the next's.
  void reset(std::span<const std::uint64_t> seeds, std::span<const std::uint8_t> mask, const Result& result, std::size_t all);
  void step(const float* actions, std::size_t stride, int steps, const Result& result, std::size_t all);
  void observe(const Result& result, std::size_t all);
  // Of the last step: lanes of this shard that ended (same_step), and what they saw last [ended, O].
  std::span<const std::uint32_t> ended() const { return ended_; }
  const float* final_observations() const { return final_observations_.data(); }

  void advise(float* actions);
  void masks(float* low, float* high, std::uint8_t* allowed);
  void state(double* values) const;
  void totals(double* running, double* last, std::uint32_t* length, std::size_t all) const;
  // Everything that belongs to a lane lies in arrays [.., N] or [N, ..]; a snapshot is all of them.
  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;
  std::size_t snapshot_bytes() const;
  void restore(const Snapshot& snapshot, std::span<const std::uint8_t> mask);
  // A lane becomes what another is, of this or of another shard.
  void become(int lane, const Shard& other, int from);

 private:
  struct Lane {
    std::uint64_t seed = 0;
    std::uint32_t episode = 0;
    std::int64_t first = 0;  // step of the plan at which the episode began
    std::int64_t done = 0;   // intervals of it
    bool over = false;       // and not yet reset
    bool terminated = false;
  };

  void begin();
  void end(int lane);
  void tell_policy(int lane);
  void command(const float* actions);
  void account(const Result& result, std::size_t all);
  void keep_final(const Result& result);
  void tell_draws(const Result& result, std::size_t all) const;
  void tell_nothing(const Result& result, std::size_t all) const;
  void see_present(float* observations);
  void see_all(float* observations, bool on);
  void see_new(std::span<const int> which, float* observations, bool fresh);
  void finish_row(int lane, float* row) const;
  std::size_t ring() const { return static_cast<std::size_t>(l_.deepest + 1); }

  const Layout& l_;
  const GymSpecification& g_;
  int first_;
  Batch batch_;
  std::vector<Lane> lanes_;
  bool began_ = false;
  std::vector<int> which_;  // lanes that begin in this call
  std::vector<Batch::Start> starts_;
  std::unique_ptr<GymPolicy> policy_, advisor_;
  std::vector<int> advised_by_;    // [A]: column of what the advisor writes, or -1
  std::vector<double> advised_;    // [N, what it writes]
  std::vector<double> own_input_;  // [A]: the scenario's

  std::vector<std::uint32_t> ended_, final_row_;  // lanes that ended in this call; [N]: their row, or none
  std::vector<float> final_observations_;
  std::vector<float> looked_, past_;  // room for what is read
  std::vector<float> history_;        // [N, ring, lagged], by intervals done
  std::vector<double> commanded_;     // [N, A]
  Meter meter_;
  std::vector<double> before_, now_;    // [changing, N]
  std::vector<double> mean_before_;     // [C, N]: of the interval before; NaN in the first
  std::vector<double> running_, last_;  // [C, N]
  std::vector<std::uint32_t> last_length_;
  std::vector<double> amount_, part_, reward_;  // room
  std::vector<double> condition_values_;
  std::vector<double> drawn_;  // [D, N]
};

}  // namespace urja

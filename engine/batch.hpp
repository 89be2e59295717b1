#pragma once
// A batch is N copies ("lanes") of a plan's moving state, in blocks of eight.
//
//     Batch                               one block = plan.rows x Lanes, everything that eight plants need in a step
//     blocks  [0] [1] [2] ... [n-1]       8 lanes each; N is rounded up, so there is never a scalar tail
//     fleets  child Batch per fleet       parent lane k owns child blocks [k B, (k+1) B)
//
// One step of a block, in this order (design section 4):
//   disturb   what changes parameters at times of its own (faults): engine/disturb.cpp
//   inputs    rows of profiles whose stamp has come, fleets' too; wires into controllers; control(); wires out (commands)
//   propose   every asset states its limits and its wish; fleets are summed into their mirror ports
//   balance   engine/balance.hpp: who does what; what nobody can take goes to the spill account
//   settle    fleets get their share; every asset advances; fast and slow parts
//   sense     sensors that are not perfect sample, links deliver: engine/sense.cpp (those of inputs: with the inputs)
//   check     finite, in bounds, energy closed; a lane that fails is frozen, marked, and the others go on; index += 1
//
// Invariants, each with a test that runs on every model:
//   - lane k of N is bit-identical to that lane alone, whatever the other lanes do, for any number of threads;
//   - everything that moves lies in the blocks: a copy of them is a snapshot, and going on from it gives the same bits;
//   - a step allocates nothing, takes no lock and does no I/O;
//   - lanes never read each other: only sums over a fleet's members, in a fixed order, and what all of them are told.
//
// Threads take whole blocks, claimed dynamically; the k steps of one call are done block by block, so that a block stays in
// the L1 cache for all of them.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/meter.hpp"
#include "engine/plan.hpp"

namespace urja {

// The clock and the account at the head of a block.
inline Head& head_of(Lanes* block) { return *reinterpret_cast<Head*>(block); }
inline const Head& head_of(const Lanes* block) { return *reinterpret_cast<const Head*>(block); }

class Batch {
 public:
  // All lanes reset to the plan's start values with key = lane number. The plan must outlive the batch.
  Batch(std::shared_ptr<const Plan> plan, int lanes);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const Plan& plan() const { return *plan_; }
  int lanes() const { return lanes_; }
  int blocks() const { return blocks_; }

  // --- single values: for loaders, recorders, tests; not for hot loops ---
  double get(int lane, const Quantity& quantity) const;        // member -1: the members' sum, or mean; as measured where it is so
  void set(int lane, const Quantity& quantity, double value);  // member -1: all of them
  const Head& head(int block) const;
  double time(int lane) const;  // UTC seconds of the next step's begin
  std::int64_t index(int lane) const;

  // --- episodes ---
  struct Start {
    std::uint64_t key = 0;
    std::int64_t index = 0;  // step of the plan at which the lane starts
    std::uint32_t episode = 0;
    double dt = 0;  // s; 0: the plan's step
  };
  // Plan's start values, then begin(). Costs a copy of the lane.
  void reset(int lane, const Start& start);
  // The same of several lanes, in ascending order. Eight that make a block cost little more than one.
  void reset(std::span<const int> which, std::span<const Start> starts);
  // The same with the start values of another plan, which must have the same assets, fleets and feeders, and need not be finished:
  // a variant of a sweep.
  void reset(int lane, const Start& start, const Plan& values);
  // A lane in which a disturbance never comes, or none does (-1): after a reset.
  void disarm(int lane, int disturber = -1);
  // How long it was there since the reset, s; in whole steps.
  double disturbed_for(int lane, const std::string& disturber) const;
  // After parameters or states were set at the begin of an episode: derived members and energy contents again.
  void prepare(int lane);
  void prepare(std::span<const int> which);  // in ascending order: lanes of one block share the effort
  void prepare_all();
  // A parameter jumps between two steps (fault, correction): as set() and prepare(), and the energy that comes or goes with
  // it (a smaller capacity at the same state of charge) is booked in the asset's `parameter_change`.
  void change(int lane, const Quantity& parameter, double value);

  // `steps` steps of every lane that runs; if a meter is given, its rows are added up after every step.
  void step(int steps = 1, int threads = 1, Meter* meter = nullptr);
  // What the begin of the next step looks like in a lane: profiles, controllers and limits() without advancing. That is what a
  // reset lane's first observation shows. Leaves no trace: the whole block is put back.
  void look(int lane, const std::vector<Quantity>& map, std::span<float> observation);
  // The same of several lanes, in ascending order; observations [which.size() x map.size()]. Lanes of one block share the effort.
  // `dt` > 0: of a step of that length, s.
  void look(std::span<const int> which, const std::vector<Quantity>& map, std::span<float> observations, double dt = 0);

  // --- all lanes at once ---
  // actions [lanes x map.size()] row by row, in the quantities' units; clipped to their bounds; NaN means: no command.
  // Returns how many values were clipped or not finite.
  int write(const std::vector<Quantity>& map, std::span<const double> actions);
  // observations [lanes x map.size()] row by row; rows begin `stride` apart where it is given.
  void read(const std::vector<Quantity>& map, std::span<float> observations, std::size_t stride = 0) const;
  // columns [map.size() x lanes], in double; member -1 as in get().
  void read_columns(const std::vector<Quantity>& map, std::span<double> columns) const;

  // --- snapshots ---
  std::size_t snapshot_size() const;  // doubles per lane
  void save(int lane, std::span<double> snapshot) const;
  void restore(int lane, std::span<const double> snapshot);
  void copy_lane(int from, int to);  // key included: a branch shares its randomness

  // --- health ---
  Trouble status(int lane) const;
  std::string trouble(int lane) const;  // "battery.temperature has left its bounds at step 17", empty when well
  bool all_well() const;
  double ledger_residual(int lane) const;  // J missed over J moved since the reset
  double heat_residual(int lane) const;    // the same of the heat ledger
  double ledger_worst(int lane) const;     // worst step's miss as a share of its bound
  std::uint64_t hash(int lane) const;      // over every bit of the lane

 private:
  friend class Balance;
  Batch(std::shared_ptr<const Plan> plan, int lanes, int blocks_per_parent);

  Lanes* block(int b) { return rows_.data() + static_cast<std::ptrdiff_t>(b) * plan_->rows; }
  const Lanes* block(int b) const { return rows_.data() + static_cast<std::ptrdiff_t>(b) * plan_->rows; }
  Batch& child(int fleet) { return *children_[static_cast<std::size_t>(fleet)]; }
  const Batch& child(int fleet) const { return *children_[static_cast<std::size_t>(fleet)]; }
  int child_lane(int lane, int fleet, int member) const;

  void make_image();
  void start_block(int b);
  bool starts_as_image(const Start& start) const { return start.dt <= 0 || start.dt == plan_->step; }
  void reset_block(int b, const Start* starts, int apart);
  static void set_clock(Lanes* rows, int lane_of_block, const Start& start);
  void start_lane(int lane, const Start& start, const Plan* values);
  void reset(int lane, const Start& start, const Plan* values);
  void begin_lane(int lane);
  void prepare_block(int b);
  void renew(int lane, bool book);
  void renew(int b, const Mask& lanes, bool book);
  void copy_block(int b, std::vector<double>& image, bool back);
  void take_contents(int b, const Mask& where, bool book);
  double missed_share(int lane, Lanes Account::*residual, Lanes Account::*throughput) const;
  void set_column(int lane, int row, double value) { block(lane / width)[row][lane % width] = value; }

  void come_near(int b) const;
  void step_block(int b, Meter* meter, int thread);
  void disturb(int b);
  template <class Value> Mask act(Lanes* rows, const Plan::Hook& hook, const Mask& where, Value value);
  Lanes read_target(int b, const Plan::Disturber& disturber, const Plan::Place& from) const;
  void renew_target(int b, const Plan::Hook& hook, const Mask& where);
  void prepare_instruments(int b);
  void begin_instruments(int lane);
  bool senses(int b) const { return plan_->sensing >= 0 && some(block(b)[plan_->sensing]); }  // somebody is awake
  void sense(int b, bool at_end);
  static void sense_one(Lanes* rows, const Plan::Instrument& one, const Lanes& now, const Lanes& due, bool noisy);
  static double shown(const Lanes* rows, const Quantity& q, int lane);
  void read_profiles(int b);
  void control(int b);
  Lanes reduce(int b, const Plan::Place& from) const;
  void broadcast(int b, const Plan::Place& to, const Lanes& value);
  void propose(int b);
  void settle(int b, const Mask& running);
  Mask check(int b);
  void multi_rate(const Plan::Asset& asset, Lanes* model, const Step& step);
  void freeze(int b, const Mask& bad);
  void take_status_of_fleets(int b);

  std::shared_ptr<const Plan> plan_;
  int lanes_, blocks_;
  int blocks_per_parent_;  // 0 in a plant's own batch
  Rows rows_;
  std::vector<double> looked_;              // a block as it was before somebody looked
  Rows image_;                              // freshly reset: a block of lanes, or of a fleet's members all blocks of one lane
  std::vector<char> has_frozen_;            // per block
  std::vector<std::vector<Mask>> ran_;      // per block and disturber: the lanes in which it has just run
  std::vector<std::vector<double>> rooms_;  // per thread: where frozen lanes wait while their block steps
  std::vector<std::unique_ptr<Batch>> children_;
};

}  // namespace urja

#include "engine/batch.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>

#include "engine/balance.hpp"

namespace urja {
namespace {

constexpr int step_row(int offset) { return offset; }
constexpr int account_row(int offset) { return static_cast<int>(sizeof(Step) / sizeof(Lanes)) + offset; }
Head& head_of(Lanes* block) { return *reinterpret_cast<Head*>(block); }
const Head& head_of(const Lanes* block) { return *reinterpret_cast<const Head*>(block); }
const Lanes member_numbers = Lanes::LinSpaced(0, width - 1);

}  // namespace

// ---------------------------------------------------------------------------------------------------------- Rows, Meter

Rows::Rows(std::size_t count)
    : data_(static_cast<Lanes*>(::operator new(std::max<std::size_t>(count, 1) * sizeof(Lanes), std::align_val_t{64}))), count_(count) {
  std::memset(static_cast<void*>(data_), 0, count * sizeof(Lanes));
}
Rows::~Rows() { ::operator delete(data_, std::align_val_t{64}); }

Meter::Meter(const Plan& plan, int blocks, const std::vector<Quantity>& quantities) {
  std::vector<std::vector<Quantity>> of_fleet(plan.fleets.size());
  for (const Quantity& q : quantities) {
    if (q.fleet < 0) {
      // A row that is asked for twice is summed once.
      const auto there = std::find(rows_.begin(), rows_.end(), q.row);
      places_.push_back({-1, static_cast<int>(there - rows_.begin())});
      if (there == rows_.end()) rows_.push_back(q.row);
    } else {
      auto& list = of_fleet[static_cast<std::size_t>(q.fleet)];
      places_.push_back({q.fleet, static_cast<int>(list.size())});
      Quantity inner = q;
      inner.fleet = -1;
      list.push_back(inner);
    }
  }
  sums_ = std::make_unique<Rows>(rows_.size() * static_cast<std::size_t>(blocks));
  for (std::size_t f = 0; f < plan.fleets.size(); ++f) {
    const int per_lane = plan.fleets[f].blocks;
    blocks_per_lane_.push_back(per_lane);
    children_.push_back(of_fleet[f].empty() ? nullptr
                                            : std::make_unique<Meter>(*plan.fleets[f].plan, blocks * width * per_lane, of_fleet[f]));
  }
}

void Meter::clear() {
  std::memset(static_cast<void*>(sums_->data()), 0, sums_->size() * sizeof(Lanes));
  for (auto& c : children_) {
    if (c) c->clear();
  }
}

void Meter::add(int block, const Lanes* rows) {
  Lanes* sums = sums_->data() + static_cast<std::ptrdiff_t>(block) * static_cast<std::ptrdiff_t>(rows_.size());
  for (std::size_t k = 0; k < rows_.size(); ++k) sums[k] += rows[rows_[k]];
}

double Meter::sum(int lane, int k, int member) const {
  const Place place = places_[static_cast<std::size_t>(k)];
  if (place.fleet < 0) return sums_->data()[static_cast<std::size_t>(lane / width) * rows_.size() + static_cast<std::size_t>(place.index)][lane % width];
  const int per_lane = blocks_per_lane_[static_cast<std::size_t>(place.fleet)];
  return children_[static_cast<std::size_t>(place.fleet)]->sum(lane * per_lane * width + member, place.index);
}

// ----------------------------------------------------------------------------------------------------- making, addressing

Batch::Batch(std::shared_ptr<const Plan> plan, int lanes) : Batch(std::move(plan), lanes, 0) {
  for (int lane = 0; lane < lanes_; ++lane) {
    Start start;
    start.key = static_cast<std::uint64_t>(lane);
    reset(lane, start);
  }
}

Batch::Batch(std::shared_ptr<const Plan> plan, int lanes, int blocks_per_parent)
    : plan_(std::move(plan)), lanes_(lanes), blocks_((lanes + width - 1) / width), blocks_per_parent_(blocks_per_parent),
      rows_(static_cast<std::size_t>(blocks_) * static_cast<std::size_t>(plan_->rows)), has_frozen_(static_cast<std::size_t>(blocks_), 0) {
  if (lanes < 1) throw std::invalid_argument("a batch has at least one lane");
  for (const Plan::Fleet& f : plan_->fleets) {
    // The child plan lives in the parent's: share its ownership.
    std::shared_ptr<const Plan> child_plan(plan_, f.plan.get());
    children_.emplace_back(new Batch(std::move(child_plan), lanes * f.blocks * width, f.blocks));
  }
  for (int b = 0; b < blocks_; ++b) start_block(b);
  prepare_all();
  make_image();
}

Batch::~Batch() = default;

int Batch::child_lane(int lane, int fleet, int member) const {
  return lane * plan_->fleets[static_cast<std::size_t>(fleet)].blocks * width + member;
}

void Batch::start_block(int b) {
  Lanes* rows = block(b);
  for (int r = 0; r < plan_->rows; ++r) rows[r] = urja::lanes(plan_->starts[static_cast<std::size_t>(r)]);
  if (blocks_per_parent_ == 0) return;
  // Padding lanes repeat the last member, so that they compute something harmless; no sum includes them.
  for (int i = 0; i < width; ++i) {
    const int member = std::min((b % blocks_per_parent_) * width + i, plan_->members - 1);
    rows[step_row(detail::offset_of<&Step::member>())][i] = member;
    for (const auto& [row, values] : plan_->member_starts) rows[row][i] = values[static_cast<std::size_t>(member)];
  }
}

// A freshly prepared lane; a reset copies it.
void Batch::make_image() {
  const int columns = blocks_per_parent_ == 0 ? 1 : blocks_per_parent_ * width;
  image_.resize(static_cast<std::size_t>(plan_->rows) * static_cast<std::size_t>(columns));
  for (int c = 0; c < columns; ++c) {
    for (int r = 0; r < plan_->rows; ++r) image_[static_cast<std::size_t>(c * plan_->rows + r)] = block(c / width)[r][c % width];
  }
}

double Batch::get(int lane, const Quantity& q) const {
  if (q.fleet < 0) return block(lane / width)[q.row][lane % width];
  const Batch& c = child(q.fleet);
  const auto one = [&](int member) {
    const int at = child_lane(lane, q.fleet, member);
    return c.block(at / width)[q.row][at % width];
  };
  if (q.member >= 0) return one(q.member);
  double sum = 0;
  for (int m = 0; m < plan_->fleets[static_cast<std::size_t>(q.fleet)].members; ++m) sum += one(m);
  return sum;
}

void Batch::set(int lane, const Quantity& q, double value) {
  if (q.fleet < 0) return set_column(lane, q.row, value);
  Batch& c = child(q.fleet);
  const int members = plan_->fleets[static_cast<std::size_t>(q.fleet)].members;
  const int padded = plan_->fleets[static_cast<std::size_t>(q.fleet)].blocks * width;
  for (int m = 0; m < padded; ++m) {  // padding follows the last member
    if (q.member < 0 || std::min(m, members - 1) == q.member) c.set_column(child_lane(lane, q.fleet, m), q.row, value);
  }
}

const Head& Batch::head(int b) const { return head_of(block(b)); }
std::int64_t Batch::index(int lane) const { return static_cast<std::int64_t>(head_of(block(lane / width)).step.index[lane % width]); }
double Batch::time(int lane) const {
  const Step& s = head_of(block(lane / width)).step;
  return s.epoch[lane % width] + s.index[lane % width] * s.dt[lane % width];
}

// --------------------------------------------------------------------------------------------------------------- episodes

void Batch::start_lane(int lane, const Start& start) {
  const int column = blocks_per_parent_ == 0 ? 0 : lane % (blocks_per_parent_ * width);
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  const double* image = image_.data() + static_cast<std::ptrdiff_t>(column) * plan_->rows;
  for (int r = 0; r < plan_->rows; ++r) rows[r][i] = image[r];
  Step& s = head_of(rows).step;
  s.index[i] = static_cast<double>(start.index);
  s.key_low[i] = static_cast<double>(start.key & 0xFFFFFFFFu);
  s.key_high[i] = static_cast<double>(start.key >> 32);
  s.episode[i] = start.episode;
  if (start.dt > 0 && start.dt != plan_->step) {
    s.dt[i] = start.dt;
    prepare(lane);
  }
  s.time[i] = s.index[i] * s.dt[i];
}

void Batch::reset(int lane, const Start& start) {
  start_lane(lane, start);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int members = plan_->fleets[f].blocks * width;
    for (int m = 0; m < members; ++m) children_[f]->reset(child_lane(lane, static_cast<int>(f), m), start);
  }
  begin_lane(lane);
}

// begin() of every model, in one lane of its block only.
void Batch::begin_lane(int lane) {
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  for (const Plan::Asset& a : plan_->assets) {
    if (!a.type->begin) continue;
    std::array<Lanes, most_model_rows> before;
    Lanes* model = rows + a.offset;
    std::copy_n(model, a.type->rows, before.begin());
    a.type->begin(model, head_of(rows).step, a.settings.get());
    for (int r = 0; r < a.type->rows; ++r) {
      const double mine = model[r][i];
      model[r] = before[static_cast<std::size_t>(r)];
      model[r][i] = mine;
    }
  }
}

void Batch::prepare(int lane) {
  Lanes* rows = block(lane / width);
  for (const Plan::Asset& a : plan_->assets) {
    if (a.type->prepare) a.type->prepare(rows + a.offset, head_of(rows).step, a.settings.get());
  }
  for (std::size_t f = 0; f < children_.size(); ++f) {
    for (int k = 0; k < plan_->fleets[f].blocks; ++k) children_[f]->prepare((lane * plan_->fleets[f].blocks + k) * width);
  }
}

void Batch::prepare_all() {
  for (int b = 0; b < blocks_; ++b) {
    Lanes* rows = block(b);
    for (const Plan::Asset& a : plan_->assets) {
      if (a.type->prepare) a.type->prepare(rows + a.offset, head_of(rows).step, a.settings.get());
    }
  }
  for (auto& c : children_) c->prepare_all();
}

// ------------------------------------------------------------------------------------------------------------------- step

void Batch::step(int steps, int threads, Meter* meter) {
  // Room for frozen lanes, once per thread: the step itself allocates nothing.
  while (static_cast<int>(rooms_.size()) < std::max(1, threads)) rooms_.emplace_back(snapshot_size() * width);
  const auto run = [&](int b) {
    for (int k = 0; k < steps; ++k) step_block(b, meter);
  };
  if (threads <= 1 || blocks_ == 1) {
    for (int b = 0; b < blocks_; ++b) run(b);
    return;
  }
  // Blocks are claimed one by one (a block is about a microsecond a step): what a slow core leaves, the other takes.
  const int chunk = std::clamp(blocks_ / (threads * 8), 1, 16);
#pragma omp parallel for num_threads(threads) schedule(dynamic, chunk)
  for (int b = 0; b < blocks_; ++b) run(b);
}

void Batch::step_block(int b, Meter* meter) {
  Lanes* rows = block(b);
  Head& head = head_of(rows);
  const auto frozen_here = has_frozen_[static_cast<std::size_t>(b)];
  // A frozen lane computes on beside its neighbours (there is no cheaper way in full vectors) and is then put back.
  const std::size_t size = frozen_here ? snapshot_size() : 0;
  const auto each_frozen = [&](auto&& what) {
    double* room = rooms_[static_cast<std::size_t>(omp_get_thread_num())].data();
    for (int i = 0; i < width && b * width + i < lanes_; ++i) what(i, std::span<double>(room + static_cast<std::size_t>(i) * size, size));
  };
  if (frozen_here) {
    each_frozen([&](int i, std::span<double> kept) {
      if (head.account.status[i] != 0) save(b * width + i, kept);
    });
  }
  const Mask running = head.account.status == 0;

  read_profiles(b);
  if (!plan_->controllers.empty()) control(b);
  propose(b);
  Balance balance(*this, b);
  balance.solve();
  if (!plan_->fleets.empty()) balance.distribute();
  settle(b, running);

  if (frozen_here) {
    each_frozen([&](int i, std::span<double> kept) {
      if (!running[i]) restore(b * width + i, kept);
    });
  }
  if (meter) {
    meter->add(b, rows);
    for (std::size_t f = 0; f < children_.size(); ++f) {
      Meter* inner = meter->child(static_cast<int>(f));
      if (!inner) continue;
      const int first = b * width * plan_->fleets[f].blocks, count = std::min(width, lanes_ - b * width) * plan_->fleets[f].blocks;
      for (int k = 0; k < count; ++k) inner->add(first + k, children_[f]->block(first + k));
    }
  }
}

void Batch::read_profiles(int b) {
  Lanes* rows = block(b);
  Step& s = head_of(rows).step;
  s.time = s.index * s.dt;
  for (std::size_t k = 0; k < plan_->profiles.size(); ++k) {
    const Profile& profile = plan_->profiles[k];
    Lanes& row = rows[plan_->cursors + 2 * static_cast<int>(k)];
    Lanes& ends = rows[plan_->cursors + 2 * static_cast<int>(k) + 1];
    if (!(s.time + 1e-6 >= ends).any()) continue;
    if (blocks_per_parent_ > 0) {
      // Members of one parent share their time, and their values lie side by side in the row.
      const std::int64_t r = profile.row_at(s.time[0]);
      row = urja::lanes(static_cast<double>(r));
      ends = urja::lanes(profile.end_of(r));
      const int first = (b % blocks_per_parent_) * width;
      profile.read(r, [&](const auto* values) {
        for (const Profile::Target& t : profile.targets) {
          for (int i = 0; i < width; ++i) rows[t.to][i] = static_cast<double>(values[t.column + (t.count > 1 ? first + i : 0)]);
        }
      });
      continue;
    }
    for (int i = 0; i < width; ++i) {
      if (s.time[i] + 1e-6 < ends[i]) continue;
      const std::int64_t r = profile.row_at(s.time[i]);
      row[i] = static_cast<double>(r);
      ends[i] = profile.end_of(r);
      profile.read(r, [&](const auto* values) {
        for (const Profile::Target& t : profile.targets) rows[t.to][i] = static_cast<double>(values[t.column]);
      });
    }
  }
}

void Batch::control(int b) {
  Lanes* rows = block(b);
  const auto pull = [&](const Plan::Wire& wire) {
    Lanes sum = rows[wire.from[0]];
    for (std::size_t k = 1; k < wire.from.size(); ++k) sum += rows[wire.from[k]];
    rows[wire.to] = sum;
  };
  for (const Plan::Wire& wire : plan_->wires_in) pull(wire);
  for (int c : plan_->controllers) {
    const Plan::Asset& a = plan_->assets[static_cast<std::size_t>(c)];
    a.type->control(rows + a.offset, head_of(rows).step, a.settings.get());
  }
  for (const Plan::Wire& wire : plan_->wires_out) pull(wire);
}

void Batch::propose(int b) {
  Lanes* rows = block(b);
  const Step& s = head_of(rows).step;
  for (const Plan::Asset& a : plan_->assets) {
    if (a.type->limits) a.type->limits(rows + a.offset, s, a.settings.get());
  }
  // Wishes and commands, clipped to the limits.
  Lanes under_command = Lanes::Zero();
  for (const Plan::PortRef& ref : plan_->ports) {
    if (ref.asset >= 0) under_command += reinterpret_cast<const Port*>(rows + ref.offset)->commanded;
  }
  const bool somebody = (under_command != 0).any();
  for (const Plan::PortRef& ref : plan_->ports) {
    if (ref.asset < 0) continue;
    Port& p = *reinterpret_cast<Port*>(rows + ref.offset);
    p.p_wish = clamp(somebody ? pick(p.commanded > 0, p.command, p.p_wish) : p.p_wish, p.p_min, p.p_max);
    p.clipped = somebody ? pick(p.commanded > 0, p.command - p.p_wish, 0.0) : Lanes(Lanes::Zero());
  }
  for (std::size_t f = 0; f < children_.size(); ++f) {
    Batch& c = *children_[f];
    const Plan::Fleet& fleet = plan_->fleets[f];
    for (int i = 0; i < width && b * width + i < lanes_; ++i) {
      const int first = (b * width + i) * fleet.blocks;
      for (int k = 0; k < fleet.blocks; ++k) {
        c.read_profiles(first + k);
        if (!c.plan_->controllers.empty()) c.control(first + k);
        c.propose(first + k);
      }
      for (std::size_t m = 0; m < fleet.free_mirror.size(); ++m) {
        // Sums in a fixed order: blocks one after the other, then one tree over the eight.
        struct Sums {
          Lanes low = Lanes::Zero(), high = Lanes::Zero(), wish = Lanes::Zero(), q = Lanes::Zero(), clipped = Lanes::Zero();
        } sums[2];
        for (int k = 0; k < fleet.blocks; ++k) {
          const Port& p = *reinterpret_cast<const Port*>(c.block(first + k) + c.plan_->ports[m].offset);
          if ((k + 1) * width <= fleet.members && !(p.commanded > 0).any()) {  // a full block of free members
            sums[0].low += p.p_min;
            sums[0].high += p.p_max;
            sums[0].wish += p.p_wish;
            sums[0].q += p.q;
            continue;
          }
          const Lanes there = one_if(member_numbers + k * width < fleet.members), commanded = one_if(p.commanded > 0) * there;
          const auto count = [&](Sums& sum, const Lanes& counted) {
            sum.low += pick(counted > 0, p.p_min, 0.0);
            sum.high += pick(counted > 0, p.p_max, 0.0);
            sum.wish += pick(counted > 0, p.p_wish, 0.0);
            sum.q += pick(counted > 0, p.q, 0.0);
          };
          count(sums[0], there - commanded);
          if ((commanded > 0).any()) {
            count(sums[1], commanded);
            sums[1].clipped += pick(commanded > 0, p.clipped.abs(), 0.0);
          }
        }
        for (int side : {0, 1}) {
          Port& up = *reinterpret_cast<Port*>(rows + (side ? fleet.commanded_mirror : fleet.free_mirror)[m]);
          up.p_min[i] = sums[side].low.sum(), up.p_max[i] = sums[side].high.sum();
          up.p_wish[i] = std::min(std::max(sums[side].wish.sum(), up.p_min[i]), up.p_max[i]);  // sums round apart
          up.clipped[i] = sums[side].clipped.sum();
          // The members' range of reactive power is theirs: a mirror port is moved in p only.
          up.q[i] = sums[side].q.sum(), up.q_min[i] = up.q[i], up.q_max[i] = up.q[i];
        }
      }
    }
  }
}

void Batch::multi_rate(const Plan::Asset& a, Lanes* model, const Step& s) {
  std::array<Lanes, most_model_rows> before;
  // Each row is written through the mask of the lanes that are due: a neighbour's sub-steps leave no trace.
  const auto masked = [&](const Mask& due, auto&& part) {
    std::copy_n(model, a.type->rows, before.begin());
    part();
    for (int r = 0; r < a.type->rows; ++r) model[r] = pick(due, model[r], before[static_cast<std::size_t>(r)]);
  };
  if (a.type->fast_steps > 0) {
    const Mask due = a.type->fast_needed ? a.type->fast_needed(model, s, a.settings.get()) : Mask::Constant(true);
    if (due.any()) {
      masked(due, [&] {
        Step sub = s;
        sub.dt = s.dt / a.type->fast_steps;
        for (int k = 0; k < a.type->fast_steps; ++k) {
          sub.time = s.time + k * sub.dt;
          a.type->fast(model, sub, a.settings.get());
        }
      });
    }
  }
  if (a.type->slow_period > 0) {
    // 1e-6 s: the end of a step may fall short of the period's end by rounding.
    const Lanes begin = s.epoch + s.time + 1e-6, end = begin + s.dt;
    const Mask due = (end / a.type->slow_period).floor() > (begin / a.type->slow_period).floor();
    if (due.any()) masked(due, [&] { a.type->slow(model, s, a.settings.get()); });
  }
}

void Batch::settle(int b, const Mask& running) {
  Lanes* rows = block(b);
  Head& head = head_of(rows);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    Batch& c = *children_[f];
    const int per_lane = plan_->fleets[f].blocks;
    for (int i = 0; i < width && b * width + i < lanes_; ++i) {
      const Mask child_runs = Mask::Constant(running[i]);
      for (int k = 0; k < per_lane; ++k) c.settle((b * width + i) * per_lane + k, child_runs);
      // What the members do must be what the balance has counted on.
      for (std::size_t m = 0; m < plan_->fleets[f].free_mirror.size(); ++m) {
        Lanes sum = Lanes::Zero(), through = Lanes::Zero();
        for (int k = 0; k < per_lane; ++k) {
          const Lanes& p = reinterpret_cast<const Port*>(c.block((b * width + i) * per_lane + k) + c.plan_->ports[m].offset)->p;
          const bool full = (k + 1) * width <= plan_->fleets[f].members;
          const Lanes counted = full ? p : pick(member_numbers + k * width < plan_->fleets[f].members, p, 0.0);
          sum += counted;
          through += counted.abs();
        }
        const auto mirrored = [&](const std::vector<int>& mirrors) { return reinterpret_cast<const Port*>(rows + mirrors[m])->p[i]; };
        const double miss = sum.sum() - mirrored(plan_->fleets[f].free_mirror) - mirrored(plan_->fleets[f].commanded_mirror);
        if (!(std::abs(miss) <= 1e-9 * through.sum() + 1e-9) && running[i]) {
          head.account.status[i] = static_cast<double>(Trouble::fleet_not_shared);
          head.account.bad_asset[i] = static_cast<double>(f);
          has_frozen_[static_cast<std::size_t>(b)] = 1;
        }
      }
    }
  }
  for (const Plan::Asset& a : plan_->assets) {
    Lanes* model = rows + a.offset;
    if (a.type->advance) a.type->advance(model, head.step, a.settings.get());
    if (a.type->fast_steps > 0 || a.type->slow_period > 0) multi_rate(a, model, head.step);
  }
  Account& account = head.account;
  account.unserved = most(account.spill, 0);
  account.spilled = most(-account.spill, 0);
  for (int row : plan_->unserved_rows) account.unserved += rows[row];
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const Plan::Fleet& fleet = plan_->fleets[f];
    if (fleet.plan->unserved_rows.empty()) continue;
    for (int i = 0; i < width && b * width + i < lanes_; ++i) {
      for (int m = 0; m < fleet.members; ++m) {
        const int lane = child_lane(b * width + i, static_cast<int>(f), m);
        account.unserved[i] += children_[f]->head(lane / width).account.unserved[lane % width];
      }
    }
  }
  account.interrupted = one_if(account.unserved > 1e-3);

  const Mask bad = check(b);
  if (bad.any()) freeze(b, bad && running);
  if (!children_.empty()) take_status_of_fleets(b);
  head.step.index += one_if(account.status == 0);
}

// Finite, in bounds, energy closed: one pass over the asset's rows, no branch. Who it was is found out by freeze().
Mask Batch::check(int b) {
  Lanes* rows = block(b);
  Account& account = head_of(rows).account;
  const Step& s = head_of(rows).step;
  Lanes poison[4] = {Lanes::Zero(), Lanes::Zero(), Lanes::Zero(), Lanes::Zero()}, inside = Lanes::Zero(), inside2 = Lanes::Zero();
  Lanes missed = Lanes::Zero(), moved = Lanes::Zero(), worst = Lanes::Zero();
  const Lanes per_second = 3600.0 / s.dt;
  for (const Plan::Watch& w : plan_->watches) {
    // Zero times anything finite is zero. Four sums, so that one addition need not wait for the other.
    for (const auto& [first, last] : w.finite) {
      int r = first;
      for (; r + 4 <= last; r += 4) {
        poison[0] += rows[r] * 0;
        poison[1] += rows[r + 1] * 0;
        poison[2] += rows[r + 2] * 0;
        poison[3] += rows[r + 3] * 0;
      }
      for (; r < last; ++r) poison[0] += rows[r] * 0;
    }
    // Plain minimum: a NaN has been found above.
    for (const Plan::Watch::Bound& bound : w.bounds) {
      inside = inside.min(rows[bound.row] - bound.low);
      inside2 = inside2.min(bound.high - rows[bound.row]);
    }
    if (w.flows.empty()) continue;
    Lanes sum = Lanes::Zero(), through = Lanes::Zero();
    for (const Plan::Flow& f : w.flows) {
      sum += f.sign * rows[f.row];
      through += rows[f.row].abs();
    }
    for (int port : w.ports) {
      const Lanes& p = reinterpret_cast<const Port*>(rows + port)->p;
      sum -= p;
      poison[1] += p * 0;
    }
    const Lanes miss = sum.abs();
    // 1e-9 of what moved, and the rounding of the energy stored, which is known to 16 eps; 1e-12 W for an idle asset.
    Lanes bound = 1e-9 * through + 1e-12;
    if (w.content >= 0) bound += (16 * 2.220446049250313e-16) * rows[w.content].abs() * per_second;
    missed += miss;
    moved += through;
    worst = most(worst, miss / bound);
  }
  account.residual += missed * s.dt;
  account.throughput += moved * s.dt;
  account.worst = most(account.worst, worst);
  // One number for all three, NaN kept: the usual answer comes without a branch per lane.
  const Lanes trouble = most(most(-inside.min(inside2), worst - 1), (poison[0] + poison[1]) + (poison[2] + poison[3]));
  if ((trouble <= 0).all()) return Mask::Constant(false);
  return !(trouble <= 0);
}

// Marks the lanes and says which asset and row it was.
void Batch::freeze(int b, const Mask& bad) {
  if (!bad.any()) return;
  Lanes* rows = block(b);
  Account& account = head_of(rows).account;
  has_frozen_[static_cast<std::size_t>(b)] = 1;
  for (int i = 0; i < width; ++i) {
    if (!bad[i] || account.status[i] != 0) continue;
    Trouble what = Trouble::energy_not_closed;
    int who = -1, row = 0;
    for (std::size_t a = 0; a < plan_->watches.size() && who < 0; ++a) {
      const Plan::Watch& w = plan_->watches[a];
      for (const auto& [first, last] : w.finite) {
        for (int r = first; r < last && who < 0; ++r) {
          if (!std::isfinite(rows[r][i])) who = static_cast<int>(a), row = r, what = Trouble::not_finite;
        }
      }
      for (const Plan::Watch::Bound& bound : w.bounds) {
        if (who < 0 && (rows[bound.row][i] < bound.low || rows[bound.row][i] > bound.high)) {
          who = static_cast<int>(a), row = bound.row, what = Trouble::out_of_bounds;
        }
      }
    }
    for (std::size_t a = 0; a < plan_->watches.size() && who < 0; ++a) {
      const Plan::Watch& w = plan_->watches[a];
      double sum = 0, through = 0;
      for (const Plan::Flow& f : w.flows) sum += f.sign * rows[f.row][i], through += std::abs(rows[f.row][i]);
      for (int port : w.ports) sum -= reinterpret_cast<const Port*>(rows + port)->p[i];
      double bound = 1e-9 * through + 1e-12;
      if (w.content >= 0) bound += 16 * 2.220446049250313e-16 * std::abs(rows[w.content][i]) * 3600 / head_of(rows).step.dt[i];
      if (!w.flows.empty() && !(std::abs(sum) <= bound)) who = static_cast<int>(a);
    }
    account.status[i] = static_cast<double>(what);
    account.bad_asset[i] = who;
    account.bad_row[i] = row;
  }
}

void Batch::take_status_of_fleets(int b) {
  Account& account = head_of(block(b)).account;
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int per_lane = plan_->fleets[f].blocks;
    for (int i = 0; i < width && b * width + i < lanes_; ++i) {
      for (int k = 0; k < per_lane; ++k) {
        const int child_block = (b * width + i) * per_lane + k;
        if (!children_[f]->has_frozen_[static_cast<std::size_t>(child_block)] || account.status[i] != 0) continue;
        const Account& theirs = children_[f]->head(child_block).account;
        for (int j = 0; j < width; ++j) {
          if (theirs.status[j] == 0 || account.status[i] != 0 || k * width + j >= plan_->fleets[f].members) continue;
          account.status[i] = static_cast<double>(Trouble::in_fleet);
          account.bad_asset[i] = static_cast<double>(f);
          account.bad_row[i] = k * width + j;
          has_frozen_[static_cast<std::size_t>(b)] = 1;
        }
      }
    }
  }
}

void Batch::look(int lane) {
  const int b = lane / width;
  // The block's other lanes are put back as they were: a reset of one must leave no trace in them.
  const std::size_t size = snapshot_size();
  std::vector<double> others(size * width);
  const auto each_other = [&](auto&& what) {
    for (int i = 0; i < width; ++i) {
      if (b * width + i < lanes_ && b * width + i != lane) what(b * width + i, std::span<double>(others.data() + static_cast<std::size_t>(i) * size, size));
    }
  };
  each_other([&](int other, std::span<double> kept) { save(other, kept); });
  read_profiles(b);
  if (!plan_->controllers.empty()) control(b);
  propose(b);
  each_other([&](int other, std::span<double> kept) { restore(other, kept); });
}

// ---------------------------------------------------------------------------------------------------- actions, observations

int Batch::write(const std::vector<Quantity>& map, std::span<const double> actions) {
  if (actions.size() != map.size() * static_cast<std::size_t>(lanes_)) throw std::invalid_argument("actions: wrong shape");
  static const int command = [] {
    for (const PortField& f : port_fields()) {
      if (std::string_view(f.name) == "command") return f.row;
    }
    return 0;
  }();
  static const int to_commanded = [] {
    for (const PortField& f : port_fields()) {
      if (std::string_view(f.name) == "commanded") return f.row - command;
    }
    return 0;
  }();
  int clipped = 0;
  const std::size_t count = map.size();
  for (std::size_t k = 0; k < count; ++k) {
    const Quantity& q = map[k];
    const bool power = q.name == "command";
    const double low = q.range.low, high = q.range.high;
    if (q.fleet < 0) {
      for (int lane = 0; lane < lanes_; ++lane) {
        double value = actions[static_cast<std::size_t>(lane) * count + k];
        Lanes* rows = block(lane / width);
        const bool finite = std::isfinite(value);
        if (power) rows[q.row + to_commanded][lane % width] = finite ? 1 : 0;
        if (!finite) {
          ++clipped;
          continue;
        }
        const double inside = std::clamp(value, low, high);
        clipped += inside != value;
        rows[q.row][lane % width] = inside;
      }
      continue;
    }
    for (int lane = 0; lane < lanes_; ++lane) {
      const double value = actions[static_cast<std::size_t>(lane) * count + k];
      const bool finite = std::isfinite(value);
      const double inside = finite ? std::clamp(value, low, high) : 0;
      clipped += !finite || inside != value;
      if (power) {
        Quantity flag = q;
        flag.row += to_commanded;
        set(lane, flag, finite ? 1 : 0);
      }
      if (finite) set(lane, q, inside);
    }
  }
  return clipped;
}

void Batch::read(const std::vector<Quantity>& map, std::span<float> observations) const {
  if (observations.size() != map.size() * static_cast<std::size_t>(lanes_)) throw std::invalid_argument("observations: wrong shape");
  const std::size_t count = map.size();
  using Tile = Eigen::Matrix<float, width, width>;
  for (int b = 0; b < blocks_; ++b) {
    const Lanes* rows = block(b);
    const int here = std::min(width, lanes_ - b * width);
    for (std::size_t k = 0; k < count; k += width) {
      const std::size_t wide = std::min<std::size_t>(width, count - k);
      Tile tile;  // column = quantity, row = lane
      for (std::size_t c = 0; c < wide; ++c) {
        const Quantity& q = map[k + c];
        if (q.fleet < 0) {
          tile.col(static_cast<Eigen::Index>(c)) = rows[q.row].cast<float>().matrix();
        } else {
          for (int i = 0; i < here; ++i) tile(i, static_cast<Eigen::Index>(c)) = static_cast<float>(get(b * width + i, q));
        }
      }
      if (wide == width && here == width) {
        const Tile turned = tile.transpose();
        for (int i = 0; i < width; ++i) std::memcpy(&observations[static_cast<std::size_t>(b * width + i) * count + k], turned.data() + i * width, sizeof(float) * width);
      } else {
        for (int i = 0; i < here; ++i) {
          for (std::size_t c = 0; c < wide; ++c) observations[static_cast<std::size_t>(b * width + i) * count + k + c] = tile(i, static_cast<Eigen::Index>(c));
        }
      }
    }
  }
}

// -------------------------------------------------------------------------------------------------------------- snapshots

std::size_t Batch::snapshot_size() const {
  std::size_t size = static_cast<std::size_t>(plan_->rows);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    size += children_[f]->snapshot_size() * static_cast<std::size_t>(plan_->fleets[f].blocks * width);
  }
  return size;
}

void Batch::save(int lane, std::span<double> snapshot) const {
  const double* column = block(lane / width)->data() + lane % width;
  double* to = snapshot.data();
  for (int r = 0; r < plan_->rows; ++r) to[r] = column[static_cast<std::ptrdiff_t>(r) * width];
  to += plan_->rows;
  for (std::size_t f = 0; f < children_.size(); ++f) {
    // Whole blocks, as they lie.
    const std::size_t blocks = static_cast<std::size_t>(plan_->fleets[f].blocks), size = blocks * static_cast<std::size_t>(children_[f]->plan_->rows) * width;
    std::memcpy(to, children_[f]->block(lane * static_cast<int>(blocks))->data(), size * sizeof(double));
    to += size;
  }
}

void Batch::restore(int lane, std::span<const double> snapshot) {
  double* column = block(lane / width)->data() + lane % width;
  const double* from = snapshot.data();
  for (int r = 0; r < plan_->rows; ++r) column[static_cast<std::ptrdiff_t>(r) * width] = from[r];
  from += plan_->rows;
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const std::size_t blocks = static_cast<std::size_t>(plan_->fleets[f].blocks), size = blocks * static_cast<std::size_t>(children_[f]->plan_->rows) * width;
    Batch& c = *children_[f];
    const int first = lane * static_cast<int>(blocks);
    std::memcpy(c.block(first)->data(), from, size * sizeof(double));
    for (int k = 0; k < static_cast<int>(blocks); ++k) {
      if ((c.head(first + k).account.status != 0).any()) c.has_frozen_[static_cast<std::size_t>(first + k)] = 1;
    }
    from += size;
  }
  if (status(lane) != Trouble::none) has_frozen_[static_cast<std::size_t>(lane / width)] = 1;
}

void Batch::copy_lane(int from, int to) {
  std::vector<double> snapshot(snapshot_size());
  save(from, snapshot);
  restore(to, snapshot);
}

// ----------------------------------------------------------------------------------------------------------------- health

Trouble Batch::status(int lane) const { return static_cast<Trouble>(static_cast<int>(head_of(block(lane / width)).account.status[lane % width])); }

std::string Batch::trouble(int lane) const {
  const Trouble what = status(lane);
  if (what == Trouble::none) return "";
  const Account& account = head_of(block(lane / width)).account;
  const int i = lane % width;
  const int who = static_cast<int>(account.bad_asset[i]), row = static_cast<int>(account.bad_row[i]);
  if (what == Trouble::in_fleet) {
    const Plan::Fleet& f = plan_->fleets[static_cast<std::size_t>(who)];
    return f.name + "." + std::to_string(row + 1) + "." + children_[static_cast<std::size_t>(who)]->trouble(child_lane(lane, who, row));
  }
  if (what == Trouble::fleet_not_shared) {
    return "the powers of the members of " + plan_->fleets[static_cast<std::size_t>(who)].name + " do not add up to what the balance gave them at step " + std::to_string(index(lane));
  }
  return plan_->describe_trouble(who, row, what) + " at step " + std::to_string(index(lane));
}

bool Batch::all_well() const {
  for (int lane = 0; lane < lanes_; ++lane) {
    if (status(lane) != Trouble::none) return false;
  }
  return true;
}

double Batch::ledger_residual(int lane) const {
  double missed = 0, moved = 0;
  const auto add = [&](const Batch& batch, int at) {
    const Account& account = batch.head(at / width).account;
    missed += account.residual[at % width];
    moved += account.throughput[at % width];
  };
  add(*this, lane);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    for (int m = 0; m < plan_->fleets[f].members; ++m) add(*children_[f], child_lane(lane, static_cast<int>(f), m));
  }
  return moved > 0 ? missed / moved : 0;
}

double Batch::ledger_worst(int lane) const {
  double worst = head(lane / width).account.worst[lane % width];
  for (std::size_t f = 0; f < children_.size(); ++f) {
    for (int m = 0; m < plan_->fleets[f].members; ++m) {
      const int at = child_lane(lane, static_cast<int>(f), m);
      worst = std::max(worst, children_[f]->head(at / width).account.worst[at % width]);
    }
  }
  return worst;
}

std::uint64_t Batch::hash(int lane) const {
  std::vector<double> snapshot(snapshot_size());
  save(lane, snapshot);
  std::uint64_t h = 1469598103934665603u;  // FNV-1a over 64-bit words
  for (double value : snapshot) {
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    h = (h ^ bits) * 1099511628211u;
  }
  return h;
}

}  // namespace urja

// One step of a block (batch.hpp tells the order). Everything here runs in the innermost loop: no allocation, no lock, no I/O.
#include <algorithm>
#include <array>
#include <vector>

#include "engine/balance.hpp"
#include "engine/batch.hpp"
#include "engine/parallel.hpp"

namespace urja {
namespace {

const Lanes member_numbers = Lanes::LinSpaced(0, width - 1);

}  // namespace

void Batch::step(int steps, int threads, Meter* meter) {
  // Room for frozen lanes, once per thread: the step itself allocates nothing.
  while (static_cast<int>(rooms_.size()) < std::max(1, threads)) rooms_.emplace_back(snapshot_size() * width);
  const auto run = [&](int b, int thread) {
    come_near(b + 1);
    for (int k = 0; k < steps; ++k) step_block(b, meter, thread);
  };
  if (threads <= 1 || blocks_ == 1) {
    for (int b = 0; b < blocks_; ++b) run(b, 0);  // whatever number a caller's own team has given this thread
    return;
  }
  // A block is about a microsecond a step.
  in_parallel(blocks_, threads, std::clamp(blocks_ / (threads * 8), 1, 16), run);
}

// A block that is wanted soon comes to the core while another is computed: many lanes lie in memory, and a block is walked through in no
// order that a processor foresees.
void Batch::come_near(int b) const {
  if (b >= blocks_) return;
  const Lanes* rows = block(b);
  for (const auto& [first, last] : plan_->moving) {
    for (int r = first; r < last; ++r) __builtin_prefetch(rows + r, 1, 2);
  }
}

void Batch::step_block(int b, Meter* meter, int thread) {
  Lanes* rows = block(b);
  Head& head = head_of(rows);
  const auto frozen_here = has_frozen_[static_cast<std::size_t>(b)];
  // A frozen lane computes on beside its neighbours (there is no cheaper way in full vectors) and is then put back.
  const std::size_t size = frozen_here ? snapshot_size() : 0;
  const auto each_frozen = [&](auto&& what) {
    double* room = rooms_[static_cast<std::size_t>(thread)].data();
    for (int i = 0; i < width && b * width + i < lanes_; ++i)
      what(i, std::span<double>(room + static_cast<std::size_t>(i) * size, size));
  };
  if (frozen_here) {
    each_frozen([&](int i, std::span<double> kept) {
      if (head.account.status[i] != 0) save(b * width + i, kept);
    });
  }
  const Mask running = head.account.status == 0;

  if (plan_->wake >= 0) disturb(b);
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
      const int first = b * width * plan_->fleets[f].blocks,
                count = std::min(width, lanes_ - b * width) * plan_->fleets[f].blocks;
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
    if (!some(s.time + 1e-6 >= ends)) continue;
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
  if (senses(b)) sense(b, false);
  // Members too: controllers know the present demand of all, and a command outlives the profile's next row.
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int per_lane = plan_->fleets[f].blocks, first = b * width * per_lane,
              count = std::min(width, lanes_ - b * width) * per_lane;
    for (int k = 0; k < count; ++k) children_[f]->read_profiles(first + k);
  }
}

// What a wire reads in a block: as measured where there is a sensor, times its factor.
static Lanes read_wire(const Lanes* rows, const Plan::Place& from) {
  const Lanes value = as_shown(rows, from.row, from.when, from.instead);
  return from.factor < 0 ? value : Lanes(value * rows[from.factor]);
}

// Per lane the sum over the members of a fleet, in a fixed order: blocks one after the other, then one tree over the eight.
Lanes Batch::reduce(int b, const Plan::Place& from) const {
  const Plan::Fleet& fleet = plan_->fleets[static_cast<std::size_t>(from.fleet)];
  const Batch& c = child(from.fleet);
  Lanes sums = Lanes::Zero();
  for (int i = 0; i < width && b * width + i < lanes_; ++i) {
    Lanes sum = Lanes::Zero();
    for (int k = 0; k < fleet.blocks; ++k) {
      const Lanes* rows = c.block((b * width + i) * fleet.blocks + k);
      const Lanes theirs = read_wire(rows, from);
      const bool full = (k + 1) * width <= fleet.members;
      sum += full ? theirs : pick(member_numbers + k * width < fleet.members, theirs, 0.0);
    }
    sums[i] = sum.sum();
  }
  return sums;
}

// Each lane's value to all members of a fleet; padding follows, it repeats the last one.
void Batch::broadcast(int b, const Plan::Place& to, const Lanes& value) {
  const int per_lane = plan_->fleets[static_cast<std::size_t>(to.fleet)].blocks;
  for (int i = 0; i < width && b * width + i < lanes_; ++i) {
    for (int k = 0; k < per_lane; ++k) child(to.fleet).block((b * width + i) * per_lane + k)[to.row] = urja::lanes(value[i]);
  }
}

void Batch::control(int b) {
  Lanes* rows = block(b);
  for (const Plan::Wire& wire : plan_->wires_in) {
    Lanes sum = Lanes::Zero();
    for (const Plan::Place& from : wire.others) {
      if (from.fleet >= 0) sum += reduce(b, from);
      else sum += read_wire(rows, from);
    }
    if (wire.mean_of > 1) sum /= wire.mean_of;
    rows[wire.own] = sum;
  }
  for (int c : plan_->controllers) {
    const Plan::Asset& a = plan_->assets[static_cast<std::size_t>(c)];
    a.type->control(rows + a.offset, head_of(rows).step, a.settings.get());
  }
  for (const Plan::Wire& wire : plan_->wires_out) {
    for (const Plan::Place& to : wire.others) {
      if (to.fleet < 0) rows[to.row] = rows[wire.own];
      else broadcast(b, to, rows[wire.own]);
    }
  }
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
  const bool somebody = some(under_command != 0);
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
        c.come_near(first + k + 1);
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
          if ((k + 1) * width <= fleet.members && !some(p.commanded > 0)) {  // a full block of free members
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
          if (some(commanded > 0)) {
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
    if (some(due)) {
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
    if (some(due)) masked(due, [&] { a.type->slow(model, s, a.settings.get()); });
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
        const auto mirrored = [&](const std::vector<int>& mirrors) {
          return reinterpret_cast<const Port*>(rows + mirrors[m])->p[i];
        };
        const double miss = sum.sum() - mirrored(plan_->fleets[f].free_mirror) - mirrored(plan_->fleets[f].commanded_mirror);
        if (std::abs(miss) > 1e-9 * through.sum() + 1e-9 && running[i]) {  // a NaN is found where it comes from
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
  // A microwatt is the rounding of sums of megawatts, and nobody's loss.
  account.unserved = pick(account.spill > 1e-6, account.spill, 0.0);
  account.spilled = pick(account.spill < -1e-6, -account.spill, 0.0);
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
  if (some(bad)) freeze(b, bad && running);
  if (!children_.empty()) take_status_of_fleets(b);
  head.step.index += one_if(account.status == 0);
  if (senses(b)) sense(b, true);
}

// A block and what it has of fleets, to or from an image of them.
void Batch::copy_block(int b, std::vector<double>& image, bool back) {
  const int here = std::min(width, lanes_ - b * width);
  std::size_t at = 0;
  const auto one = [&](Lanes* rows, std::size_t count) {
    const std::size_t size = count * width;
    if (image.size() < at + size) image.resize(at + size);
    double* from = reinterpret_cast<double*>(rows);
    if (back) std::copy_n(image.data() + at, size, from);
    else std::copy_n(from, size, image.data() + at);
    at += size;
  };
  one(block(b), static_cast<std::size_t>(plan_->rows));
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int per_lane = plan_->fleets[f].blocks;
    one(children_[f]->block(b * width * per_lane), static_cast<std::size_t>(here * per_lane * children_[f]->plan_->rows));
  }
}

void Batch::look(int lane, const std::vector<Quantity>& map, std::span<float> observation) {
  look(std::span(&lane, 1), map, observation);
}

void Batch::look(std::span<const int> which, const std::vector<Quantity>& map, std::span<float> observations, double dt) {
  for (std::size_t first = 0, last = 0; first < which.size(); first = last) {
    const int b = which[first] / width;
    while (last < which.size() && which[last] / width == b) ++last;
    // The block is put back as it was, these lanes too: whether somebody has looked must not show in what happens next.
    copy_block(b, looked_, false);
    if (plan_->wake >= 0) disturb(b);
    read_profiles(b);
    if (!plan_->controllers.empty()) control(b);
    if (dt > 0) {
      head_of(block(b)).step.dt = urja::lanes(dt);
      prepare_block(b);
      for (std::size_t f = 0; f < children_.size(); ++f) {
        const int per_lane = plan_->fleets[f].blocks, at = b * width * per_lane,
                  count = std::min(width, lanes_ - b * width) * per_lane;
        for (int k = at; k < at + count; ++k) {
          head_of(children_[f]->block(k)).step.dt = urja::lanes(dt);
          children_[f]->prepare_block(k);
        }
      }
    }
    propose(b);
    for (std::size_t c = 0; c < map.size(); ++c) {
      const Quantity& q = map[c];
      float* to = observations.data() + c;
      if (q.fleet < 0) {
        const Lanes value = as_shown(block(b), q.row, q.when, q.instead);
        for (std::size_t k = first; k < last; ++k) to[k * map.size()] = static_cast<float>(value[which[k] % width]);
      } else {
        for (std::size_t k = first; k < last; ++k) to[k * map.size()] = static_cast<float>(get(which[k], q));
      }
    }
    copy_block(b, looked_, true);
  }
}

}  // namespace urja

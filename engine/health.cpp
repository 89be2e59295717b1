// What is checked after every step, who is to blame, and what is said about it.
//
// A lane that fails is frozen: its time stands still and its rows stay as they are, the other lanes go on. Blame goes to
// where the trouble came from, not to where it was first seen: through the balance a NaN reaches every asset of its lane
// within the step.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/batch.hpp"

namespace urja {

// Finite, in bounds, energy closed: one pass over the asset's rows, no branch. Who it was is found out by freeze().
Mask Batch::check(int b) {
  Lanes* rows = block(b);
  Account& account = head_of(rows).account;
  const Step& s = head_of(rows).step;
  Lanes poison[4] = {Lanes::Zero(), Lanes::Zero(), Lanes::Zero(), Lanes::Zero()}, inside = Lanes::Zero(), inside2 = Lanes::Zero();
  Lanes worst = Lanes::Zero();
  struct Sum {
    Lanes missed = Lanes::Zero(), moved = Lanes::Zero();
  } energy, heat;
  const Lanes rounding =
      plan_->keeps_energy || plan_->keeps_heat ? Lanes((16 * 2.220446049250313e-16 * 3600) / s.dt) : Lanes(Lanes::Zero());
  // `out`: power that the asset gave its buses.
  const auto close = [&](const Plan::Ledger& ledger, const Lanes& out, Sum& total) {
    Lanes sum = -out, through = Lanes::Zero();
    for (const Plan::Flow& f : ledger.flows) {
      sum += f.sign * rows[f.row];
      through += rows[f.row].abs();
    }
    const Lanes miss = sum.abs();
    // 1e-9 of what moved, and the rounding of the energy stored, which is known to 16 eps; 1e-12 W for an idle asset.
    Lanes bound = 1e-9 * through + 1e-12;
    if (ledger.content >= 0) bound += rounding * rows[ledger.content].abs();
    total.missed += miss;
    total.moved += through;
    worst = most(worst, miss / bound);
  };
  for (const Plan::Watch& w : plan_->watches) {
    // A sum of finite numbers is finite (none is near 1e308), and zero times that is zero. Four sums, so that one addition
    // need not wait for the other.
    for (const auto& [first, last] : w.finite) {
      int r = first;
      for (; r + 4 <= last; r += 4) {
        poison[0] += rows[r];
        poison[1] += rows[r + 1];
        poison[2] += rows[r + 2];
        poison[3] += rows[r + 3];
      }
      for (; r < last; ++r) poison[0] += rows[r];
    }
    // Plain minimum: a NaN has been found above.
    for (const Plan::Watch::Bound& bound : w.bounds) {
      inside = inside.min(rows[bound.row] - bound.low);
      inside2 = inside2.min(bound.high - rows[bound.row]);
    }
    if (!w.energy.flows.empty()) {
      Lanes out = Lanes::Zero();
      for (int port : w.ports) {
        const Lanes& p = reinterpret_cast<const Port*>(rows + port)->p;
        out += p;
        poison[1] += p;
      }
      close(w.energy, out, energy);
    }
    if (!w.heat.flows.empty()) close(w.heat, Lanes::Zero(), heat);
  }
  account.residual += energy.missed * s.dt;
  account.throughput += energy.moved * s.dt;
  if (plan_->keeps_heat) {
    account.heat_residual += heat.missed * s.dt;
    account.heat_throughput += heat.moved * s.dt;
  }
  account.worst = most(account.worst, worst);
  // One number for all three, NaN kept: the usual answer comes without a branch per lane.
  const Lanes trouble = most(most(-inside.min(inside2), worst - 1), ((poison[0] + poison[1]) + (poison[2] + poison[3])) * 0);
  if ((trouble <= 0).all()) return Mask::Constant(false);
  return !(trouble <= 0);
}

// Marks the lanes and says which asset and row it was.
void Batch::freeze(int b, const Mask& bad) {
  if (!some(bad)) return;
  Lanes* rows = block(b);
  Account& account = head_of(rows).account;
  has_frozen_[static_cast<std::size_t>(b)] = 1;
  for (int i = 0; i < width; ++i) {
    if (!bad[i] || account.status[i] != 0) continue;
    Trouble what = Trouble::energy_not_closed;
    int who = -1, row = 0;
    const auto not_finite = [&](const Port& p) { return !std::isfinite(p.p_min[i] + p.p_max[i] + p.p_wish[i]); };
    const auto blame =
        [&](std::size_t asset) {  // its first row that is not finite, inputs and parameters before what follows from them
          for (const Kind kind : {Kind::parameter, Kind::input, Kind::state, Kind::output}) {
            for (const Member& m : plan_->assets[asset].type->members) {
              for (int r = plan_->assets[asset].offset + m.offset;
                   m.kind == kind && r < plan_->assets[asset].offset + m.offset + m.count; ++r) {
                if (who < 0 && !std::isfinite(rows[r][i])) who = static_cast<int>(asset), row = r, what = Trouble::not_finite;
              }
            }
          }
        };
    // A controller hands on what it reads: who gave it something that is no number?
    for (const Plan::Wire& wire : plan_->wires_in) {
      if (who >= 0 || std::isfinite(rows[wire.own][i])) continue;
      for (const Plan::Place& from : wire.others) {
        const auto good = [&](const Lanes* block, int lane) {
          return std::isfinite(block[from.row][lane] * (from.factor < 0 ? 1 : block[from.factor][lane]));
        };
        if (from.fleet < 0) {
          for (std::size_t a = 0; a < plan_->assets.size() && !good(rows, i); ++a) {
            const Plan::Asset& asset = plan_->assets[a];
            if (from.row >= asset.offset && from.row < asset.offset + asset.type->rows) blame(a);
          }
          continue;
        }
        const Batch& c = child(from.fleet);
        for (int m = 0; m < plan_->fleets[static_cast<std::size_t>(from.fleet)].members && who < 0; ++m) {
          const int at = child_lane(b * width + i, from.fleet, m);
          if (!good(c.block(at / width), at % width)) who = from.fleet, row = m, what = Trouble::in_fleet;
        }
      }
    }
    // Through the balance a NaN reaches everybody in one step: whose own limits are none is where it came from.
    for (const Plan::PortRef& ref : plan_->ports) {
      if (who >= 0 || !not_finite(*reinterpret_cast<const Port*>(rows + ref.offset))) continue;
      if (ref.asset >= 0) {
        blame(static_cast<std::size_t>(ref.asset));
        continue;
      }
      const Batch& c = child(ref.fleet);
      for (int m = 0; m < plan_->fleets[static_cast<std::size_t>(ref.fleet)].members && who < 0; ++m) {
        const int at = child_lane(b * width + i, ref.fleet, m);
        const Port& p =
            *reinterpret_cast<const Port*>(c.block(at / width) + c.plan_->ports[static_cast<std::size_t>(ref.child_port)].offset);
        if (!std::isfinite(p.p_min[at % width] + p.p_max[at % width] + p.p_wish[at % width]))
          who = ref.fleet, row = m, what = Trouble::in_fleet;
      }
    }
    for (std::size_t a = 0; a < plan_->assets.size(); ++a) blame(a);
    for (std::size_t a = 0; a < plan_->watches.size() && who < 0; ++a) {
      for (const Plan::Watch::Bound& bound : plan_->watches[a].bounds) {
        if (who < 0 && (rows[bound.row][i] < bound.low || rows[bound.row][i] > bound.high)) {
          who = static_cast<int>(a), row = bound.row, what = Trouble::out_of_bounds;
        }
      }
    }
    for (std::size_t a = 0; a < plan_->watches.size() && who < 0; ++a) {
      const Plan::Watch& w = plan_->watches[a];
      const auto open = [&](const Plan::Ledger& ledger, double out) {
        double sum = -out, through = 0;
        for (const Plan::Flow& f : ledger.flows) sum += f.sign * rows[f.row][i], through += std::abs(rows[f.row][i]);
        double bound = 1e-9 * through + 1e-12;
        if (ledger.content >= 0)
          bound += 16 * 2.220446049250313e-16 * 3600 / head_of(rows).step.dt[i] * std::abs(rows[ledger.content][i]);
        return !ledger.flows.empty() && !(std::abs(sum) <= bound);
      };
      double out = 0;
      for (int port : w.ports) out += reinterpret_cast<const Port*>(rows + port)->p[i];
      if (open(w.energy, out) || open(w.heat, 0)) who = static_cast<int>(a);
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

Trouble Batch::status(int lane) const {
  return static_cast<Trouble>(static_cast<int>(head_of(block(lane / width)).account.status[lane % width]));
}

std::string Batch::trouble(int lane) const {
  const Trouble what = status(lane);
  if (what == Trouble::none) return "";
  const Account& account = head_of(block(lane / width)).account;
  const int i = lane % width;
  const int who = static_cast<int>(account.bad_asset[i]), row = static_cast<int>(account.bad_row[i]);
  if (what == Trouble::in_fleet) {
    const Plan::Fleet& f = plan_->fleets[static_cast<std::size_t>(who)];
    return f.name + "." + std::to_string(row + 1) + "." +
           children_[static_cast<std::size_t>(who)]->trouble(child_lane(lane, who, row));
  }
  if (what == Trouble::fleet_not_shared) {
    return "the powers of the members of " + plan_->fleets[static_cast<std::size_t>(who)].name +
           " do not add up to what the balance gave them at step " + std::to_string(index(lane));
  }
  return plan_->describe_trouble(who, row, what) + " at step " + std::to_string(index(lane));
}

bool Batch::all_well() const {
  for (int lane = 0; lane < lanes_; ++lane) {
    if (status(lane) != Trouble::none) return false;
  }
  return true;
}

double Batch::missed_share(int lane, Lanes Account::*residual, Lanes Account::*throughput) const {
  double missed = 0, moved = 0;
  const auto add = [&](const Batch& batch, int at) {
    const Account& account = batch.head(at / width).account;
    missed += (account.*residual)[at % width];
    moved += (account.*throughput)[at % width];
  };
  add(*this, lane);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    for (int m = 0; m < plan_->fleets[f].members; ++m) add(*children_[f], child_lane(lane, static_cast<int>(f), m));
  }
  return moved > 0 ? missed / moved : 0;
}

double Batch::ledger_residual(int lane) const { return missed_share(lane, &Account::residual, &Account::throughput); }
double Batch::heat_residual(int lane) const { return missed_share(lane, &Account::heat_residual, &Account::heat_throughput); }

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

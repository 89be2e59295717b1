#include "engine/balance.hpp"

#include <array>

#include "engine/fair_share.hpp"

namespace urja {
namespace {

const Lanes zero = Lanes::Zero();

// Adding +0 turns -0 into +0: a lane's sign of zero must not depend on whether a neighbour made us pass here.
Lanes clean(const Lanes& x) { return x + 0.0; }

}  // namespace

Balance::Balance(Batch& batch, int block)
    : batch_(batch),
      plan_(batch.plan()),
      block_(block),
      rows_(batch.block(block)),
      account_(reinterpret_cast<Head*>(rows_)->account) {
  for (const Plan::Fleet& f : plan_.fleets) fair_ = fair_ || f.fair_port >= 0;
}

void Balance::add_to_path(int bus, const Lanes& change) {
  for (int row : plan_.buses[static_cast<std::size_t>(bus)].up) rows_[row] += change;
}

bool Balance::below(int index, int bus) const {
  for (int b = plan_.ports[static_cast<std::size_t>(index)].bus; b >= 0; b = plan_.buses[static_cast<std::size_t>(b)].parent) {
    if (b == bus) return true;
  }
  return false;
}

void Balance::solve() {
  start_from_wishes();
  const Lanes all = Lanes::Ones();
  if (plan_.buses.size() > 1) relieve_feeders(all);
  if (!plan_.solo) {
    pass(false, all);
    pass(true, all);
    // Chargers that were cut may pause: others get what they leave, in another round in which these take no more, in those
    // lanes only. That may go to the next fleet of chargers, which is rounded in turn.
    for (std::size_t round = 0; fair_ && round <= plan_.fleets.size(); ++round) {
      const Lanes again = round_to_floors();
      if (!some(again > 0)) break;
      if (plan_.buses.size() > 1) relieve_feeders(again);
      pass(false, again);
      pass(true, again);
    }
  }
  // What is left, at feeders and at the plant's bus, by the sum of the ports themselves: the flows carry rounding dust.
  Lanes sum = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) sum += port(static_cast<int>(k)).p;
  account_.spill = clean(-sum);
  flow(0) = Lanes::Zero();
  solve_reactive();
  if (!plan_.forming.empty()) form_bus();
}

void Balance::start_from_wishes() {
  account_.clipped = Lanes::Zero();
  for (std::size_t b = 0; b < plan_.buses.size(); ++b) flow(static_cast<int>(b)) = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) {
    Port& p = port(static_cast<int>(k));
    p.p = clean(p.p_wish);
    account_.clipped += p.clipped.abs();
    add_to_path(plan_.ports[k].bus, p.p);
  }
}

// Moves a port by up to `wanted`, within its own limits and the headroom of every feeder between it and bus `top`. A lane
// that wants nothing keeps its bits, whoever made us pass here: its change is exactly zero, and p lies within its limits.
void Balance::move(int index, const Lanes& wanted, int top) {
  Port& p = port(index);
  Lanes change = clamp(wanted, least(p.p_min - p.p, 0), most(p.p_max - p.p, 0));
  for (int b = plan_.ports[static_cast<std::size_t>(index)].bus; b != top; b = plan_.buses[static_cast<std::size_t>(b)].parent) {
    change = clamp(change, least(-limit(b) - flow(b), 0), most(limit(b) - flow(b), 0));
  }
  p.p = clean(clamp(p.p + change, p.p_min, p.p_max));  // p + (p_max - p) may miss p_max by its last bit
  add_to_path(plan_.ports[static_cast<std::size_t>(index)].bus, change);
}

// 1 in the lanes where it is this port's turn: of those under command, or of the others.
Lanes Balance::in_turn(int index, bool commanded) {
  return one_if(port(index).commanded > 0) * (commanded ? 1.0 : -1.0) + (commanded ? 0.0 : 1.0);
}

void Balance::pass(bool commanded, const Lanes& where) {
  for (int index : plan_.merit) {
    const Lanes residual = flow(0) * where;
    if (!some(residual != 0)) return;
    move(index, -residual * in_turn(index, commanded), 0);
  }
}

void Balance::relieve_feeders(const Lanes& where) {
  for (int bus = static_cast<int>(plan_.buses.size()) - 1; bus > 0; --bus) {
    const auto excess = [&] { return Lanes((flow(bus) - clamp(flow(bus), -limit(bus), limit(bus))) * where); };
    if (!some(excess() != 0)) continue;
    for (bool commanded : {false, true}) {
      for (int index : plan_.merit) {
        if (below(index, bus)) move(index, -excess() * in_turn(index, commanded), bus);
      }
    }
    if (fair_) round_to_floors();
    add_to_path(bus, -Lanes(excess()));  // the rest is spill
  }
}

// Fleets of chargers that got less than they wish: each member at its floor at least, or paused. What that leaves unused
// goes back to the buses; the fleet takes no more in this step. 1 in the lanes where anything was left.
Lanes Balance::round_to_floors() {
  Lanes changed = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) {
    const Plan::PortRef& ref = plan_.ports[k];
    if (ref.fleet < 0 || ref.commanded_members || ref.child_port != plan_.fleets[static_cast<std::size_t>(ref.fleet)].fair_port)
      continue;
    Port& p = port(static_cast<int>(k));
    const Mask cut = p.p > p.p_wish && p.p > p.p_min;  // since it was shared last
    if (!some(cut)) continue;
    Lanes change = Lanes::Zero();
    for (int i = 0; i < width && block_ * width + i < batch_.lanes(); ++i) {
      if (!cut[i]) continue;
      const double used = share_among(ref.fleet, block_ * width + i, -p.p[i]);
      change[i] = -used - p.p[i];
      p.p[i] = 0.0 - used;
      p.p_min[i] = p.p[i];
    }
    changed = most(changed, one_if(change != 0));
    add_to_path(ref.bus, change);
  }
  return changed;
}

// Shares `power` [W of consumption] of one parent lane among its chargers; writes their p and returns what they use.
double Balance::share_among(int fleet, int lane, double power) {
  Batch& child = batch_.child(fleet);
  const Plan::Fleet& facts = plan_.fleets[static_cast<std::size_t>(fleet)];
  const Plan::PortRef& ref = child.plan().ports[static_cast<std::size_t>(facts.fair_port)];
  const Plan::Asset& charger = child.plan().assets[static_cast<std::size_t>(ref.asset)];
  const int first = lane * facts.blocks;
  alignas(64) std::array<double, most_sharers> need, floor, urgency, got;
  const auto part = [](auto& all, int k) { return Eigen::Map<Lanes, Eigen::Aligned64>(all.data() + k * width); };
  for (int k = 0; k < facts.blocks; ++k) {
    const Lanes* rows = child.block(first + k);
    const Port& p = *reinterpret_cast<const Port*>(rows + ref.offset);
    part(need, k) = pick(p.commanded > 0, zero, -p.p_wish);  // who is under command takes no part
    part(floor, k) = least(rows[charger.offset + charger.type->fair_floor], part(need, k));
    part(urgency, k) = rows[charger.offset + charger.type->fair_urgency];
  }
  const double used = share_fairly(facts.members, need.data(), floor.data(), urgency.data(), power, got.data());
  for (int m = facts.members; m < facts.blocks * width; ++m) got[static_cast<std::size_t>(m)] = 0;
  for (int k = 0; k < facts.blocks; ++k) {
    Port& p = *reinterpret_cast<Port*>(child.block(first + k) + ref.offset);
    p.p = clean(pick(p.commanded > 0, p.p, -part(got, k)));
  }
  return used;
}

void Balance::solve_reactive() {
  Lanes any = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) any += port(static_cast<int>(k)).q.abs();
  account_.spill_reactive = Lanes::Zero();
  if (!some(any != 0)) {
    for (std::size_t k = 0; k < plan_.ports.size(); ++k) port(static_cast<int>(k)).q = Lanes::Zero();  // no -0
    return;
  }
  Lanes residual = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) {
    Port& p = port(static_cast<int>(k));
    // Reactive power that hangs on the wish (a load's power factor) follows what became of it.
    const Mask moved = p.q_min == p.q_max && p.p != p.p_wish && p.p_wish != 0;
    const Lanes share = pick(moved, p.p / pick(moved, p.p_wish, 1.0), 1.0);
    p.q = clean(p.q * share);
    residual += p.q;
  }
  for (int index : plan_.merit) {
    Port& p = port(index);
    const Lanes change = pick(residual != 0, clamp(-residual, p.q_min - p.q, p.q_max - p.q), zero);
    p.q = clean(p.q + change);
    residual = residual + change;
  }
  account_.spill_reactive = clean(-residual);
}

// The first of those that may, in the plan's order (`forming`), that is able to give or take power now forms the plant's bus.
void Balance::form_bus() {
  Lanes voltage = Lanes::Zero(), frequency = Lanes::Zero(), unformed = Lanes::Ones();
  for (int index : plan_.forming) {
    const Plan::Asset& a = plan_.assets[static_cast<std::size_t>(index)];
    const Port& p = *reinterpret_cast<const Port*>(rows_ + a.offset + a.type->ports.front());
    const Lanes forms = unformed * one_if(most(p.p_max, -p.p_min) > 0);
    voltage += forms * rows_[a.offset + a.type->forms_voltage];
    frequency += forms * rows_[a.offset + a.type->forms_frequency];
    unformed -= forms;
  }
  // The ports have it already unless it has changed.
  if (!some((voltage - account_.voltage).abs() + (frequency - account_.frequency).abs() != 0)) return;
  account_.voltage = voltage;
  account_.frequency = frequency;
  for (const Plan::PortRef& ref : plan_.ports) {
    Port& p = *reinterpret_cast<Port*>(rows_ + ref.offset);
    p.voltage = voltage;
    p.frequency = frequency;
  }
}

void Balance::distribute() {
  for (const Plan::PortRef& ref : plan_.ports) {
    if (ref.fleet < 0) continue;
    const Plan::Fleet& facts = plan_.fleets[static_cast<std::size_t>(ref.fleet)];
    const Port& mirror = *reinterpret_cast<const Port*>(rows_ + ref.offset);
    Batch& child = batch_.child(ref.fleet);
    const int offset = child.plan().ports[static_cast<std::size_t>(ref.child_port)].offset;
    if (ref.commanded_members && !some(mirror.p_max - mirror.p_min + mirror.p.abs() != 0)) continue;  // nobody is under command
    for (int i = 0; i < width && block_ * width + i < batch_.lanes(); ++i) {
      const double change = mirror.p[i] - mirror.p_wish[i];
      const bool shared =
          ref.child_port == facts.fair_port && !ref.commanded_members && change > 0;  // share_fairly has written them
      const double room = change > 0 ? mirror.p_max[i] - mirror.p_wish[i] : mirror.p_wish[i] - mirror.p_min[i];
      const double share = room > 0 ? change / room : 0;
      for (int k = 0; k < facts.blocks; ++k) {
        Port& p = *reinterpret_cast<Port*>(child.block((block_ * width + i) * facts.blocks + k) + offset);
        p.voltage = lanes(mirror.voltage[i]);
        p.frequency = lanes(mirror.frequency[i]);
        if (shared) continue;
        const Lanes room_here = share > 0 ? Lanes(p.p_max - p.p_wish) : Lanes(p.p_wish - p.p_min);
        const Lanes given = clean(p.p_wish + share * room_here);
        p.p = ref.commanded_members ? pick(p.commanded > 0, given, p.p) : pick(p.commanded > 0, p.p, given);
      }
    }
  }
}

}  // namespace urja

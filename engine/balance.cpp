#include "engine/balance.hpp"

#include <algorithm>
#include <array>

namespace urja {
namespace {

const Lanes zero = Lanes::Zero();

// Adding +0 turns -0 into +0: a lane's sign of zero must not depend on whether a neighbour made us pass here.
Lanes clean(const Lanes& x) { return x + 0.0; }

}  // namespace

Balance::Balance(Batch& batch, int block)
    : batch_(batch), plan_(batch.plan()), block_(block), rows_(batch.block(block)),
      account_(reinterpret_cast<Head*>(rows_)->account) {}

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
  if (plan_.buses.size() > 1) relieve_feeders();
  if (!plan_.solo) {
    pass(false);
    if ((flow(0) != 0).any()) pass(true);
    // Chargers that were cut may pause: others get what they leave, in a last round without them.
    if (round_to_floors()) {
      pass(false);
      if ((flow(0) != 0).any()) pass(true);
    }
  }
  account_.spill -= flow(0);
  account_.spill = clean(account_.spill);
  flow(0) = Lanes::Zero();
  solve_reactive();
  if (!plan_.forming.empty()) form_bus();
}

void Balance::start_from_wishes() {
  account_.spill = Lanes::Zero();
  account_.clipped = Lanes::Zero();
  for (std::size_t b = 0; b < plan_.buses.size(); ++b) flow(static_cast<int>(b)) = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) {
    Port& p = port(static_cast<int>(k));
    p.p = clean(p.p_wish);
    account_.clipped += p.clipped.abs();
    add_to_path(plan_.ports[k].bus, p.p);
  }
}

// Moves a port by up to `wanted`, within its own limits and the headroom of every feeder between it and the plant's bus.
void Balance::move(int index, const Lanes& wanted) {
  Port& p = port(index);
  Lanes change = clamp(wanted, p.p_min - p.p, p.p_max - p.p);
  for (int b = plan_.ports[static_cast<std::size_t>(index)].bus; b > 0; b = plan_.buses[static_cast<std::size_t>(b)].parent) {
    change = clamp(change, least(-limit(b) - flow(b), 0), most(limit(b) - flow(b), 0));
  }
  p.p = clean(p.p + change);
  add_to_path(plan_.ports[static_cast<std::size_t>(index)].bus, change);
}

void Balance::pass(bool commanded) {
  for (int index : plan_.merit) {
    const Port& p = port(index);
    const auto in_turn = commanded ? Mask(p.commanded > 0) : Mask(p.commanded <= 0);
    move(index, in_turn.select(-flow(0), zero));
  }
}

void Balance::relieve_feeders() {
  for (int bus = static_cast<int>(plan_.buses.size()) - 1; bus > 0; --bus) {
    const auto excess = [&] { return Lanes(flow(bus) - clamp(flow(bus), -limit(bus), limit(bus))); };
    if (!(excess() != 0).any()) continue;
    for (bool commanded : {false, true}) {
      for (int index : plan_.merit) {
        if (!below(index, bus)) continue;
        Port& p = port(index);
        const auto in_turn = commanded ? Mask(p.commanded > 0) : Mask(p.commanded <= 0);
        const Lanes change = in_turn.select(clamp(-excess(), p.p_min - p.p, p.p_max - p.p), zero);
        p.p = clean(p.p + change);
        add_to_path(plan_.ports[static_cast<std::size_t>(index)].bus, change);
      }
    }
    round_to_floors();
    const Lanes rest = excess();
    account_.spill -= rest;
    add_to_path(bus, -rest);
  }
}

// Fleets of chargers that got less than they wish: each member at its floor at least, or paused. What that leaves unused
// goes back to the buses. True if anything was left.
bool Balance::round_to_floors() {
  bool changed = false;
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) {
    const Plan::PortRef& ref = plan_.ports[k];
    if (ref.fleet < 0 || ref.commanded_members || !plan_.fleets[static_cast<std::size_t>(ref.fleet)].fair) continue;
    Port& p = port(static_cast<int>(k));
    if (!(p.p > p.p_wish).any()) continue;
    Lanes change = Lanes::Zero();
    for (int i = 0; i < width && block_ * width + i < batch_.lanes(); ++i) {
      if (p.p[i] > p.p_wish[i]) change[i] = -share_fairly(ref.fleet, block_ * width + i, -p.p[i]) - p.p[i];
    }
    if (!(change != 0).any()) continue;
    changed = true;
    p.p = clean(p.p + change);
    p.p_min = (p.p > p.p_wish).select(p.p, p.p_min);  // it has had its turn
    p.p_max = (p.p > p.p_wish).select(p.p, p.p_max);
    add_to_path(ref.bus, change);
  }
  return changed;
}

// Shares `power` [W of consumption] of one parent lane among its chargers; writes their p and returns what they use.
double Balance::share_fairly(int fleet, int lane, double power) {
  Batch& child = batch_.child(fleet);
  const Plan& plan = child.plan();
  const Plan::Fleet& facts = plan_.fleets[static_cast<std::size_t>(fleet)];
  const Plan::Asset* charger = nullptr;
  for (const Plan::Asset& a : plan.assets) {
    if (a.type->fair_floor >= 0) charger = &a;
  }
  const int first = lane * facts.blocks;
  const auto ac = [&](int k) -> Port& { return *reinterpret_cast<Port*>(child.block(first + k) + charger->offset + charger->type->ports.front()); };
  const auto need_of = [&](int k) -> Lanes {  // commanded members and padding take no part
    const Port& p = ac(k);
    Lanes need = (p.commanded > 0).select(zero, -p.p_wish);
    for (int m = facts.members - k * width; m < width; ++m) need[m] = 0;
    return need;
  };
  const auto floor_of = [&](int k) { return least(child.block(first + k)[charger->offset + charger->type->fair_floor], need_of(k)); };

  // Who takes part: everybody, or as many floors as fit, the least slack first.
  double floors = 0;
  for (int k = 0; k < facts.blocks; ++k) floors += floor_of(k).sum();
  double last_urgency = 1e300, room = power;
  int last_member = facts.members;
  std::array<std::uint64_t, 64> excluded{};  // one bit per member, up to 4096 of them
  if (floors > power) {
    // Repeated search for the next most urgent: quadratic in the members, only where floors do not fit.
    double urgency_before = -1e300;
    int member_before = -1;
    for (auto& word : excluded) word = ~std::uint64_t{0};
    for (int n = 0; n < facts.members; ++n) {
      last_urgency = 1e300, last_member = -1;
      for (int m = 0; m < facts.members; ++m) {
        const double urgency = child.block(first + m / width)[charger->offset + charger->type->fair_urgency][m % width];
        const bool later = urgency > urgency_before || (urgency == urgency_before && m > member_before);
        if (later && (urgency < last_urgency || (urgency == last_urgency && m < last_member))) last_urgency = urgency, last_member = m;
      }
      if (last_member < 0) break;
      urgency_before = last_urgency, member_before = last_member;
      const double floor = floor_of(last_member / width)[last_member % width];
      if (floor > room) continue;
      room -= floor;
      excluded[static_cast<std::size_t>(last_member / 64) % 64] &= ~(std::uint64_t{1} << (last_member % 64));
    }
  }
  const auto takes_part = [&](int k) {
    Lanes part;
    for (int i = 0; i < width; ++i) {
      const int m = k * width + i;
      part[i] = (excluded[static_cast<std::size_t>(m / 64) % 64] >> (m % 64)) & 1 ? 0 : 1;
    }
    return part;
  };

  // One level for all: each gets clamp(level, floor, need). The used power grows with the level; Newton inside a bracket.
  double low = 0, high = 0, all = 0;
  for (int k = 0; k < facts.blocks; ++k) {
    const Lanes need = need_of(k) * takes_part(k);
    high = std::max(high, need.maxCoeff());
    all += need.sum();
  }
  double level = high;
  if (all > power) {
    level = power / facts.members;
    for (int round = 0; round < 200; ++round) {
      double used = 0, moving = 0;
      for (int k = 0; k < facts.blocks; ++k) {
        const Lanes part = takes_part(k), need = need_of(k) * part, floor = floor_of(k) * part;
        const Lanes get = clamp(lanes(level), floor, need);
        used += get.sum();
        moving += ((level > floor) && (level < need)).select(part, zero).sum();
      }
      const double miss = power - used;
      if (std::abs(miss) <= 1e-13 * power) break;
      (miss > 0 ? low : high) = level;
      const double next = moving > 0 ? level + miss / moving : 0.5 * (low + high);
      level = next > low && next < high ? next : 0.5 * (low + high);
      if (high - low <= 1e-15 * high) break;
    }
  }
  Lanes used = Lanes::Zero();
  for (int k = 0; k < facts.blocks; ++k) {
    const Lanes part = takes_part(k), get = clamp(lanes(level), floor_of(k) * part, need_of(k) * part);
    Port& p = ac(k);
    p.p = clean((p.commanded > 0).select(p.p, -get));
    used += get;
  }
  return all > power ? power : used.sum();
}

void Balance::solve_reactive() {
  Lanes residual = Lanes::Zero();
  for (std::size_t k = 0; k < plan_.ports.size(); ++k) residual += port(static_cast<int>(k)).q;
  if ((residual != 0).any()) {
    for (int index : plan_.merit) {
      Port& p = port(index);
      const Lanes change = clamp(-residual, p.q_min - p.q, p.q_max - p.q);
      p.q = clean(p.q + change);
      residual = residual + change;
    }
  }
  account_.spill_reactive = clean(-residual);
}

// The first asset in the merit order that is able to give or take power now forms the plant's bus.
void Balance::form_bus() {
  Lanes voltage = Lanes::Zero(), frequency = Lanes::Zero(), formed = Lanes::Zero();
  for (int index : plan_.forming) {
    const Plan::Asset& a = plan_.assets[static_cast<std::size_t>(index)];
    const Port& p = *reinterpret_cast<const Port*>(rows_ + a.offset + a.type->ports.front());
    const Lanes forms = (formed <= 0 && (p.p_max > 0 || p.p_min < 0)).select(lanes(1), zero);
    voltage = (forms > 0).select(rows_[a.offset + a.type->forms_voltage], voltage);
    frequency = (forms > 0).select(rows_[a.offset + a.type->forms_frequency], frequency);
    formed += forms;
  }
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
    for (int i = 0; i < width && block_ * width + i < batch_.lanes(); ++i) {
      const double change = mirror.p[i] - mirror.p_wish[i];
      const bool shared = facts.fair && !ref.commanded_members && change > 0;  // share_fairly has written them
      const double room = change > 0 ? mirror.p_max[i] - mirror.p_wish[i] : mirror.p_wish[i] - mirror.p_min[i];
      const double share = room > 0 ? change / room : 0;
      for (int k = 0; k < facts.blocks; ++k) {
        Port& p = *reinterpret_cast<Port*>(child.block((block_ * width + i) * facts.blocks + k) + offset);
        p.voltage = lanes(mirror.voltage[i]);
        p.frequency = lanes(mirror.frequency[i]);
        if (shared) continue;
        const Lanes room_here = share > 0 ? Lanes(p.p_max - p.p_wish) : Lanes(p.p_wish - p.p_min);
        const Mask meant = ref.commanded_members ? Mask(p.commanded > 0) : Mask(p.commanded <= 0);
        p.p = meant.select(clean(p.p_wish + share * room_here), p.p);
      }
    }
  }
}

}  // namespace urja

// Disturbances: what changes an asset's parameters at times of its own. They run before a step's inputs are read.
//
//   disturbers  each says in its row `due` when it wants to run again; `wake` is the first of these times in a lane
//   hooks       each parameter that somebody acts on: base -> times all factors, plus terms, limits -> the parameter
//
// A parameter is nobody's but its own as long as no disturber acts on it: what others write into it then (a sweep, an agent, the filter)
// is the base from which the next disturbance starts. As a parameter jumps, what it holds of energy is booked (Batch::change).
#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "engine/batch.hpp"

namespace urja {

namespace {
constexpr double disarmed = 1e301;  // later than never
}

int Plan::add_disturber(const std::string& name, const Type& type, std::shared_ptr<void> settings, const std::string& target) {
  const int index = static_cast<int>(disturbers.size());
  Disturber d{{name, &type, lay(type), std::move(settings), -1, "", {}}, target, "", -1, {}, -1};
  set_start(d.self.offset + type.due, -1e300);
  disturbers.push_back(std::move(d));
  return index;
}

// An asset of a plan, or a sensor or a link in it.
struct Plan::Target {
  Plan* home;
  int fleet;
  const Asset* what;
  int asset, instrument;
  int truth() const { return home->instruments[static_cast<std::size_t>(instrument)].truth; }
};

void Plan::resolve_disturbers() {
  if (disturbers.empty()) return;
  wake = rows++;
  starts.resize(static_cast<std::size_t>(rows), 0.0);
  set_start(wake, -1e300);
  for (std::size_t k = 0; k < disturbers.size(); ++k) {
    Disturber& d = disturbers[k];
    const auto targets = targets_of(d, d.target, "target");
    const auto others = d.other.empty() ? std::vector<Target>{} : targets_of(d, d.other, "with");
    for (const Member& m : d.self.type->members) {
      if (m.wire.empty()) continue;
      const std::size_t dot = m.wire.find('.');
      const std::string role = m.wire.substr(0, dot), name = m.wire.substr(dot + 1);
      if (role == "fault") {  // the one that has to begin first
        if (d.after < 0) continue;
        const Asset& other = disturbers[static_cast<std::size_t>(d.after)].self;
        d.reads.push_back({d.self.offset + m.offset, {row_of(other, name), -1, -1}});
        continue;
      }
      const auto& whom = role == "with" ? others : targets;
      if (m.effect == Effect::none) {
        if (whom.empty()) continue;
        const Target& from = whom.front();
        const int row = from.instrument >= 0 && name == "truth" ? from.truth() : from.home->row_of(*from.what, name);
        if (row >= 0) d.reads.push_back({d.self.offset + m.offset, {row, from.fleet, -1}});  // else it keeps its start value
        continue;
      }
      for (const Target& to : whom) add_hook(static_cast<int>(k), m, name, to);
    }
  }
}

void Plan::add_hook(int disturber, const Member& part, const std::string& name, const Target& to) {
  const Disturber& d = disturbers[static_cast<std::size_t>(disturber)];
  const Member* parameter = to.what->type->find(name);
  if (!parameter || parameter->kind != Kind::parameter || !parameter->has(hook))
    throw std::invalid_argument(d.self.name + ": '" + to.what->name + "' has no hook " + name);
  const int row = to.what->offset + parameter->offset;
  auto slot = std::find_if(hooks.begin(), hooks.end(), [&](const Hook& h) { return h.fleet == to.fleet && h.row == row; });
  if (slot == hooks.end()) {
    const int first = to.home->rows;
    to.home->rows += 2;
    to.home->starts.resize(static_cast<std::size_t>(to.home->rows), 0.0);
    hooks.push_back({to.fleet, row, first, first + 1, to.asset, to.instrument, parameter->range, {}});
    slot = hooks.end() - 1;
  }
  slot->parts.push_back({disturber, d.self.offset + part.offset, part.effect});
}

// "battery", "homes.pv", "homes.3.pv"; of sensors "battery.power", of links "battery" too: all that it sends.
std::vector<Plan::Target> Plan::targets_of(Disturber& d, const std::string& path, const std::string& role_name) {
  const auto& roles = d.self.type->roles;
  const auto role = std::find_if(roles.begin(), roles.end(), [&](const Role& r) { return r.name == role_name; });
  if (role == roles.end()) detail::stop(d.self.type->name, "there is no role '" + role_name + "'");
  int fleet = -1;
  Plan* home = this;
  std::string rest = path;
  for (std::size_t f = 0; f < fleets.size(); ++f) {
    if (!path.starts_with(fleets[f].name + ".")) continue;
    rest = path.substr(fleets[f].name.size() + 1);
    int member = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), member);
    if (error == std::errc() && *stop == '.') {
      if (member < 1 || member > fleets[f].members)
        throw std::invalid_argument(d.self.name + ": '" + fleets[f].name + "' has the members 1 to " +
                                    std::to_string(fleets[f].members));
      d.member = member - 1;
      rest = rest.substr(static_cast<std::size_t>(stop - rest.data()) + 1);
    }
    fleet = static_cast<int>(f);
    home = fleets[f].plan.get();
  }
  std::vector<Target> targets;
  const bool of_sensor = role->models.front() == "sensor", of_link = role->models.front() == "link";
  for (std::size_t k = 0; (of_sensor || of_link) && k < home->instruments.size(); ++k) {
    const Instrument& i = home->instruments[k];
    const bool meant = i.self.name == rest || (of_link && i.asset == rest);
    if (meant && of_sensor) targets.push_back({home, fleet, &i.self, -1, static_cast<int>(k)});
    if (meant && of_link && i.link.type) targets.push_back({home, fleet, &i.link, -1, static_cast<int>(k)});
  }
  if (of_sensor || of_link) {
    if (targets.empty()) throw std::invalid_argument(d.self.name + ": nobody measures '" + path + "'");
    return targets;
  }
  const Asset* target = home->asset(rest);
  if (!target) throw std::invalid_argument(d.self.name + ": there is no asset '" + path + "'");
  if (std::find(role->models.begin(), role->models.end(), target->type->name) == role->models.end())
    throw std::invalid_argument(d.self.name + ": '" + path + "' is a " + target->type->name +
                                ", which this kind does not act on");
  return {{home, fleet, target, static_cast<int>(target - home->assets.data()), -1}};
}

// Which rows of a hook's parameter become what: in a block of the plan that the hook lies in. `value(part)` are the parts' values there.
template <class Value> Mask Batch::act(Lanes* rows, const Plan::Hook& hook, const Mask& where, Value value) {
  Lanes factor = Lanes::Ones(), term = Lanes::Zero(), limit = urja::lanes(1e300);
  Mask any = Mask::Constant(false);
  for (const Plan::Hook::Part& part : hook.parts) {
    const Lanes v = value(part);
    any = any || v != neutral(part.effect);
    switch (part.effect) {
      case Effect::factor: factor *= v; break;
      case Effect::term: term += v; break;
      case Effect::limit: limit = least(limit, v); break;
      case Effect::none: break;
    }
  }
  Lanes &parameter = rows[hook.row], &base = rows[hook.base], &active = rows[hook.active];
  const Mask begins = where && any && active < 0.5, ends = where && !any && active > 0.5;
  base = pick(begins, parameter, base);
  const Lanes acted = clamp(least(base * factor + term, limit), urja::lanes(hook.range.low), urja::lanes(hook.range.high));
  const Lanes next = pick(where && any, acted, pick(ends, base, parameter));
  const Mask changed = next != parameter;
  parameter = next;
  active = pick(where, one_if(any), active);
  return changed;
}

void Batch::disarm(int lane, int disturber) {
  for (std::size_t k = 0; k < plan_->disturbers.size(); ++k) {
    const Plan::Asset& self = plan_->disturbers[k].self;
    if (disturber < 0 || static_cast<int>(k) == disturber) set_column(lane, self.offset + self.type->due, disarmed);
  }
}

double Batch::disturbed_for(int lane, const std::string& disturber) const {
  for (const Plan::Disturber& d : plan_->disturbers) {
    if (d.self.name != disturber) continue;
    const Lanes* own = block(lane / width) + d.self.offset;
    const Type& type = *d.self.type;
    const int i = lane % width;
    const Step& s = head_of(block(lane / width)).step;
    return own[type.spent][i] + (own[type.active][i] > 0.5 ? s.index[i] * s.dt[i] - own[type.since][i] : 0.0);
  }
  return 0;
}

void Batch::disturb(int b) {
  Lanes* rows = block(b);
  Head& head = head_of(rows);
  Step& s = head.step;
  s.time = s.index * s.dt;
  Lanes& wake = rows[plan_->wake];
  if (!some(pick(s.time + 1e-6 >= wake, 1.0, 0.0))) return;  // as a rule, and quick
  const Mask now = s.time + 1e-6 >= wake && head.account.status == 0;
  if (!some(now)) return;

  std::array<Lanes, most_disturbance_rows> before;
  std::vector<Mask>& ran = ran_[static_cast<std::size_t>(b)];
  wake = pick(now, urja::lanes(1e300), wake);
  for (std::size_t k = 0; k < plan_->disturbers.size(); ++k) {
    const Plan::Disturber& d = plan_->disturbers[k];
    const Plan::Asset& self = d.self;
    Lanes* own = rows + self.offset;
    Lanes& due = own[self.type->due];
    ran[k] = now && s.time + 1e-6 >= due;
    if (d.after >= 0) ran[k] = ran[k] || (ran[static_cast<std::size_t>(d.after)] && due < disarmed);
    if (some(ran[k])) {
      for (const auto& [to, from] : d.reads) rows[to] = pick(ran[k], read_target(b, d, from), rows[to]);
      std::copy_n(own, self.type->rows, before.begin());
      self.type->disturb(own, s, self.settings.get());
      for (int r = 0; r < self.type->rows; ++r) own[r] = pick(ran[k], own[r], before[static_cast<std::size_t>(r)]);
    }
    wake = pick(now, least(wake, due), wake);
  }

  for (const Plan::Hook& hook : plan_->hooks) {
    Mask where = Mask::Constant(false);
    for (const Plan::Hook::Part& part : hook.parts) where = where || ran[static_cast<std::size_t>(part.disturber)];
    if (!some(where)) continue;
    if (hook.fleet < 0) {
      const Mask changed = act(rows, hook, where, [&](const Plan::Hook::Part& part) -> Lanes { return rows[part.row]; });
      if (some(changed)) renew_target(b, hook, changed);
      continue;
    }
    Batch& c = child(hook.fleet);
    const int per_lane = plan_->fleets[static_cast<std::size_t>(hook.fleet)].blocks;
    for (int i = 0; i < width && b * width + i < lanes_; ++i) {
      if (!where[i]) continue;
      for (int k = 0; k < per_lane; ++k) {
        const int inner = (b * width + i) * per_lane + k;
        const Lanes member = head_of(c.block(inner)).step.member;
        const Mask changed = act(c.block(inner), hook, Mask::Constant(true), [&](const Plan::Hook::Part& part) -> Lanes {
          const int only = plan_->disturbers[static_cast<std::size_t>(part.disturber)].member;
          const Lanes all = urja::lanes(rows[part.row][i]);
          return only < 0 ? all : pick(member == static_cast<double>(only), all, urja::lanes(neutral(part.effect)));
        });
        if (some(changed)) c.renew_target(inner, hook, changed);
      }
    }
  }
}

// The target's quantity: a member's, or the mean of all members.
Lanes Batch::read_target(int b, const Plan::Disturber& d, const Plan::Place& from) const {
  if (from.fleet < 0) return block(b)[from.row];
  const Plan::Fleet& fleet = plan_->fleets[static_cast<std::size_t>(from.fleet)];
  if (d.member < 0) return reduce(b, from) / fleet.members;
  Lanes value = Lanes::Zero();
  for (int i = 0; i < width && b * width + i < lanes_; ++i) {
    const int at = child_lane(b * width + i, from.fleet, d.member);
    value[i] = child(from.fleet).block(at / width)[from.row][at % width];
  }
  return value;
}

// Derived members again, and what came or went of energy.
void Batch::renew_target(int b, const Plan::Hook& hook, const Mask& where) {
  if (hook.instrument >= 0) return prepare_instruments(b);
  const Plan::Asset& a = plan_->assets[static_cast<std::size_t>(hook.asset)];
  if (a.type->prepare) a.type->prepare(block(b) + a.offset, head_of(block(b)).step, a.settings.get());
  if (a.type->held_energy) take_contents(b, where, true);
}

}  // namespace urja

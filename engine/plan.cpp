#include "engine/plan.hpp"

#include "engine/fair_share.hpp"
#include "engine/sensor.hpp"
#include "engine/units.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace urja {
namespace {

// Where a sensor says whether it is awake, and what it then shows.
std::pair<int, int> shown(const Plan::Instrument& i) {
  return {i.self.offset + detail::offset_of<&Sensor::awake>(), i.self.offset + detail::offset_of<&Sensor::measured>()};
}

constexpr int rows_of(std::size_t bytes) { return static_cast<int>(bytes / sizeof(Lanes)); }
constexpr int bus_rows = 3;  // limit, flow, reactive flow
constexpr int most_members = most_sharers;
constexpr int cursor_rows = 2;  // row index, time at which the row ends

template <auto P> int port_row() { return detail::offset_of<P>(); }

// What the plant as a whole shows. `spill` counts as an asset: with it the powers of all assets sum to zero.
struct AccountField {
  const char *owner, *name;
  int row;
  const char *unit, *doc;
};
const std::vector<AccountField>& account_fields() {
  constexpr int first = rows_of(sizeof(Step));
  static const std::vector<AccountField> fields{
      {"spill", "power", first + detail::offset_of<&Account::spill>(), "W", "what nobody could take (< 0) or give (> 0)"},
      {"spill", "reactive_power", first + detail::offset_of<&Account::spill_reactive>(), "var", "what nobody could take or give"},
      {"plant", "spilled_power", first + detail::offset_of<&Account::spilled>(), "W", "generated, and nobody could take it"},
      {"plant", "unserved_power", first + detail::offset_of<&Account::unserved>(), "W",
       "wanted by loads and not given, spill included"},
      {"plant", "interrupted", first + detail::offset_of<&Account::interrupted>(), "1", "share of the time with unserved power"},
      {"plant", "voltage", first + detail::offset_of<&Account::voltage>(), "1", "of the bus, per unit; 0 when nobody forms it"},
      {"plant", "frequency", first + detail::offset_of<&Account::frequency>(), "1", "of the bus, per unit"},
      {"plant", "clipped", first + detail::offset_of<&Account::clipped>(), "W", "commanded power that limits did not allow"},
  };
  return fields;
}

}  // namespace

const std::vector<PortField>& port_fields() {
  static const std::vector<PortField> fields{
      {"power", port_row<&Port::p>(), "W", Kind::port, observable | telemetered, "power out of the asset into its bus"},
      {"reactive_power", port_row<&Port::q>(), "var", Kind::port, observable | telemetered, "reactive power into the bus"},
      {"power_min", port_row<&Port::p_min>(), "W", Kind::scratch, observable, "least power that it could give in this step"},
      {"power_max", port_row<&Port::p_max>(), "W", Kind::scratch, observable, "most power that it could give in this step"},
      {"power_wish", port_row<&Port::p_wish>(), "W", Kind::scratch, none, "power that it would give by itself"},
      {"voltage_of_bus", port_row<&Port::voltage>(), "1", Kind::scratch, none, "of its bus, per unit of nominal"},
      {"frequency_of_bus", port_row<&Port::frequency>(), "1", Kind::scratch, none, "of its bus, per unit of nominal"},
      {"command", port_row<&Port::command>(), "W", Kind::input, actionable, "power commanded from outside"},
      {"commanded", port_row<&Port::commanded>(), "1", Kind::input, none, "1 while a power is commanded"},
      {"clipped", port_row<&Port::clipped>(), "W", Kind::scratch, observable, "part of the command that limits did not allow"},
  };
  return fields;
}

Plan::Plan(double start_, double end_, double step_) : start(start_), end(end_), step(step_), rows(rows_of(sizeof(Head))) {
  starts.assign(static_cast<std::size_t>(rows), 0.0);
  set_start(detail::offset_of<&Step::dt>(), step);
  set_start(detail::offset_of<&Step::epoch>(), start);
  const int account = rows_of(sizeof(Step));
  set_start(account + detail::offset_of<&Account::voltage>(), 1);
  set_start(account + detail::offset_of<&Account::frequency>(), 1);
  add_bus("plant", -1, 1e300);
}

void Plan::set_start(int row, double value) { starts.at(static_cast<std::size_t>(row)) = value; }
void Plan::set_start(int row, std::vector<double> per_member) { member_starts[row] = std::move(per_member); }

int Plan::add_bus(const std::string& name, int parent, double limit) {
  buses.push_back({name, parent, rows, {}});
  rows += bus_rows;
  starts.resize(static_cast<std::size_t>(rows), 0.0);
  set_start(buses.back().row, limit);
  for (int b = static_cast<int>(buses.size()) - 1; b >= 0; b = buses[static_cast<std::size_t>(b)].parent) {
    buses.back().up.push_back(buses[static_cast<std::size_t>(b)].row + 1);
  }
  return static_cast<int>(buses.size()) - 1;
}

int Plan::lay(const Type& type) {
  const int offset = rows;
  rows += type.rows;
  starts.resize(static_cast<std::size_t>(rows), 0.0);
  for (const Member& m : type.members) {
    if (m.kind == Kind::port) continue;
    for (int k = 0; k < m.count; ++k) set_start(offset + m.offset + k, m.effect == Effect::none ? m.start : neutral(m.effect));
  }
  return offset;
}

int Plan::add_asset(const std::string& name, const Type& type, int bus, std::shared_ptr<void> settings, const std::string& tag) {
  if (type.rows > most_model_rows) throw std::invalid_argument(name + ": model '" + type.name + "' has too many rows");
  const int index = static_cast<int>(assets.size()), offset = lay(type);
  assets.push_back({name, &type, offset, std::move(settings), bus, tag, {}});
  for (int port : type.ports) {
    ports.push_back({offset + port, bus, index});
    set_start(offset + port + port_row<&Port::voltage>(), 1);
    set_start(offset + port + port_row<&Port::frequency>(), 1);
  }
  if (type.controller) controllers.push_back(index);
  return index;
}

int Plan::add_fleet(const std::string& name, std::unique_ptr<Plan> child, int count, int bus) {
  Fleet fleet;
  fleet.name = name;
  fleet.members = count;
  fleet.blocks = (count + width - 1) / width;
  fleet.bus = bus;
  child->members = count;
  const int index = static_cast<int>(fleets.size());
  if (count < 1 || count > most_members)
    throw std::invalid_argument(name + ": a fleet has 1 to " + std::to_string(most_members) + " members");
  for (std::size_t c = 0; c < child->ports.size(); ++c) {
    for (bool commanded : {false, true}) {
      (commanded ? fleet.commanded_mirror : fleet.free_mirror).push_back(rows);
      ports.push_back({rows, bus, -1, index, static_cast<int>(c), commanded});
      rows += rows_of(sizeof(Port));
      starts.resize(static_cast<std::size_t>(rows), 0.0);
      set_start(ports.back().offset + port_row<&Port::voltage>(), 1);
      set_start(ports.back().offset + port_row<&Port::frequency>(), 1);
      if (commanded) set_start(ports.back().offset + port_row<&Port::commanded>(), 1);
    }
    const PortRef& port = child->ports[c];
    if (port.asset >= 0 && child->assets[static_cast<std::size_t>(port.asset)].type->fair_floor >= 0)
      fleet.fair_port = static_cast<int>(c);
  }
  fleet.plan = std::move(child);
  fleets.push_back(std::move(fleet));
  return index;
}

void Plan::add_profile(Profile profile) {
  for (Profile& p : profiles) {
    if (p.absorb(profile)) return;
  }
  profiles.push_back(std::move(profile));
}
const Plan::Reference& Plan::add_reference(const std::string& asset_name, const std::string& channel) {
  references.push_back({asset_name, channel, rows++});
  starts.resize(static_cast<std::size_t>(rows), std::numeric_limits<double>::quiet_NaN());
  return references.back();
}
void Plan::set_merit(const std::vector<std::string>& names) { merit_names = names; }

void Plan::make_solo() {
  solo = true;
  for (const PortRef& p : ports) set_start(p.offset + port_row<&Port::commanded>(), 1);
}

void Plan::finish() {
  resolve_disturbers();  // while fleets' plans can still grow
  for (Fleet& f : fleets) {
    f.plan->start = start, f.plan->end = end, f.plan->step = step;
    f.plan->finish();
  }
  if (!instruments.empty()) {
    sensing = rows;
    rows += 2;
    starts.resize(static_cast<std::size_t>(rows), 0.0);
  }
  cursors = rows;
  rows += cursor_rows * static_cast<int>(profiles.size());
  // An odd number of rows keeps the same row of neighbouring blocks out of the same cache set.
  rows |= 1;
  starts.resize(static_cast<std::size_t>(rows), 0.0);
  for (std::size_t p = 0; p < profiles.size(); ++p)
    set_start(cursors + cursor_rows * static_cast<int>(p) + 1, -1e300);  // read at once

  const auto finish_settings = [&](const Asset& a) {
    if (!a.type->finish) return;
    const std::string wrong = a.type->finish(a.settings.get(), {a.name, start, end, step, members});
    if (!wrong.empty()) throw std::invalid_argument(a.name + ": " + wrong);
  };
  for (const Asset& a : assets) finish_settings(a);
  for (const Disturber& d : disturbers) finish_settings(d.self);
  resolve_merit();
  resolve_wires();
  list_watches();
  list_moving();
}

void Plan::resolve_merit() {
  merit.clear();
  const auto listed = [&](int port) { return std::find(merit.begin(), merit.end(), port) != merit.end(); };
  for (const std::string& name : merit_names) {
    bool found = false;
    for (std::size_t p = 0; p < ports.size(); ++p) {
      const PortRef& ref = ports[p];
      std::string port_name;
      if (ref.asset >= 0) {
        port_name = assets[static_cast<std::size_t>(ref.asset)].name;
      } else {
        const Fleet& f = fleets[static_cast<std::size_t>(ref.fleet)];
        const PortRef& child = f.plan->ports[static_cast<std::size_t>(ref.child_port)];
        port_name = f.name + "." + (child.asset >= 0 ? f.plan->assets[static_cast<std::size_t>(child.asset)].name : "");
      }
      if (port_name != name) continue;
      found = true;
      if (!listed(static_cast<int>(p))) merit.push_back(static_cast<int>(p));
    }
    if (!found) throw std::invalid_argument("balance: there is no asset '" + name + "'");
  }
  // Who forms the bus: a stiff source while it is there, else the first that can in merit order, then in the order of the plant.
  forming.clear();
  const auto add = [&](int asset) {
    if (asset >= 0 && assets[static_cast<std::size_t>(asset)].type->forming &&
        std::find(forming.begin(), forming.end(), asset) == forming.end()) {
      forming.push_back(asset);
    }
  };
  for (std::size_t a = 0; a < assets.size(); ++a) {
    if (assets[a].type->stiff) add(static_cast<int>(a));
  }
  for (int p : merit) add(ports[static_cast<std::size_t>(p)].asset);
  for (std::size_t a = 0; a < assets.size(); ++a) add(static_cast<int>(a));
}

void Plan::resolve_wires() {
  wires_in.clear();
  wires_out.clear();
  for (const Asset& controller : assets) {
    for (const Member& m : controller.type->members) {
      if (m.wire.empty()) continue;
      const std::size_t dot = m.wire.find('.');
      const std::string role_name = m.wire.substr(0, dot);
      const std::size_t times = std::min(m.wire.find('*'), m.wire.size());
      const std::string member = m.wire.substr(dot + 1, times - dot - 1),
                        factor = m.wire.substr(std::min(times + 1, m.wire.size()));
      const auto& roles = controller.type->roles;
      const auto role = std::find_if(roles.begin(), roles.end(), [&](const Role& r) { return r.name == role_name; });
      if (role == roles.end()) detail::stop(controller.type->name, "wire '" + m.wire + "' names no declared role");
      const auto chosen = controller.roles.find(role_name);
      Wire wire{controller.offset + m.offset, {}, 1};
      int count = 0;  // members one by one
      std::string names;
      // Who fits, or whom the scenario names.
      const auto connect = [&](const Plan& plan, int fleet, const std::string& prefix) {
        for (const Asset& a : plan.assets) {
          const std::string name = prefix + a.name;
          const bool fits = std::find(role->models.begin(), role->models.end(), a.type->name) != role->models.end() &&
                            (role->tag.empty() || role->tag == a.tag);
          const bool named = chosen != controller.roles.end() &&
                             std::find(chosen->second.begin(), chosen->second.end(), name) != chosen->second.end();
          if (chosen != controller.roles.end() ? !named : !fits) continue;
          const int row = plan.row_of(a, member);
          if (row < 0) throw std::invalid_argument(controller.name + ": '" + name + "' has no " + member);
          wire.others.push_back({row, fleet, factor.empty() ? -1 : plan.row_of(a, factor)});
          const Instrument* sensor = m.kind == Kind::input ? plan.instrument(a.name + "." + member) : nullptr;
          if (sensor) std::tie(wire.others.back().when, wire.others.back().instead) = shown(*sensor);
          count += fleet < 0 ? 1 : plan.members;
          names += (names.empty() ? "" : ", ") + name;
        }
      };
      connect(*this, -1, "");
      for (std::size_t f = 0; f < fleets.size(); ++f) connect(*fleets[f].plan, static_cast<int>(f), fleets[f].name + ".");
      if (wire.others.empty() && !role->optional) {
        std::string models;
        for (const std::string& name : role->models) models += (models.empty() ? "" : " or ") + name;
        throw std::invalid_argument(controller.name + ": no asset fits its role '" + role_name + "' (" + models + ")");
      }
      if (wire.others.size() > 1 && !role->many) {
        throw std::invalid_argument(controller.name + ": several assets fit its role '" + role_name + "': say which one with `" +
                                    role_name + ": NAME` (" + names + ")");
      }
      if (wire.others.empty()) continue;
      if (m.kind == Kind::input && !adds_up(m.unit)) wire.mean_of = count;
      (m.kind == Kind::input ? wires_in : wires_out).push_back(std::move(wire));
    }
  }
}

void Plan::list_moving() {
  std::vector<std::pair<int, int>> rare;
  for (const Instrument& i : instruments) {
    rare.emplace_back(i.self.offset + plain_sensor_rows, i.self.offset + i.self.type->rows);
    if (i.link.type) rare.emplace_back(i.link.offset, i.link.offset + i.link.type->rows);
  }
  std::sort(rare.begin(), rare.end());
  moving = {{0, rows}};
  for (const auto& [first, last] : rare) {
    moving.back().second = first;
    moving.emplace_back(last, rows);
  }
}

void Plan::list_watches() {
  watches.clear();
  unserved_rows.clear();
  for (const Asset& a : assets) {
    Watch w;
    for (int port : a.type->ports) w.ports.push_back(a.offset + port);
    for (const Member& m : a.type->members) {
      const int first = a.offset + m.offset;
      if (m.has(source)) w.energy.flows.push_back({first, 1});
      if (m.has(sink) || m.has(loss) || m.has(stored)) w.energy.flows.push_back({first, -1});
      if (m.has(content)) w.energy.content = first;
      if (m.has(jumped)) w.jumped = first;
      if (m.has(thermal_source)) w.heat.flows.push_back({first, 1});
      if (m.has(thermal_loss) || m.has(thermal_stored)) w.heat.flows.push_back({first, -1});
      if (m.has(thermal_content)) w.heat.content = first;
      if (m.has(unserved)) unserved_rows.push_back(first);
      if (m.kind == Kind::state || m.kind == Kind::output) {
        if (!w.finite.empty() && w.finite.back().second == first) w.finite.back().second = first + m.count;
        else w.finite.emplace_back(first, first + m.count);
      }
      if (m.kind == Kind::state && (m.range.low > -1e299 || m.range.high < 1e299)) {
        // Rounding may carry a state a few units past its bound; more than that is an error.
        const double slack = 1e-9 * std::max({1.0, std::abs(m.range.low) < 1e299 ? std::abs(m.range.low) : 0.0,
                                              std::abs(m.range.high) < 1e299 ? std::abs(m.range.high) : 0.0});
        for (int k = 0; k < m.count; ++k) w.bounds.push_back({first + k, m.range.low - slack, m.range.high + slack});
      }
    }
    keeps_energy = keeps_energy || w.energy.content >= 0;
    keeps_heat = keeps_heat || !w.heat.flows.empty();
    watches.push_back(std::move(w));
  }
}

const Plan::Asset* Plan::asset(std::string_view name) const {
  for (const Asset& a : assets) {
    if (a.name == name) return &a;
  }
  return nullptr;
}

int Plan::row_of(const Asset& a, std::string_view member) const {
  if (const Member* m = a.type->find(member)) return m->kind == Kind::port ? -1 : a.offset + m->offset;
  if (!a.type->ports.empty()) {
    for (const PortField& f : port_fields()) {
      if (member == f.name) return a.offset + a.type->ports.front() + f.row;
    }
  }
  return -1;
}

std::optional<Quantity> Plan::find(std::string_view path) const {
  const auto make = [](const Plan& plan, const Asset& a, std::string_view name, int fleet,
                       int member) -> std::optional<Quantity> {
    const int row = plan.row_of(a, name);
    if (row < 0) return std::nullopt;
    Quantity q{fleet, member, row, a.name, std::string(name), "", "", Kind::output, 0, {}, ""};
    if (const Member* m = a.type->find(name)) {
      q.unit = m->unit, q.doc = m->doc, q.kind = m->kind, q.flags = m->flags, q.range = m->range, q.kpi = m->kpi_key;
    } else {
      for (const PortField& f : port_fields()) {
        if (name == f.name) q.unit = f.unit, q.doc = f.doc, q.kind = f.kind, q.flags = f.flags;
      }
      for (const Member& own : a.type->members) {
        if (own.kind == Kind::port && name == "power") q.kpi = own.kpi_key;
      }
    }
    return q;
  };
  const std::size_t last = path.rfind('.');
  if (last == std::string_view::npos) return std::nullopt;
  const std::string_view owner = path.substr(0, last), name = path.substr(last + 1);
  for (const AccountField& f : account_fields()) {
    if (owner == f.owner && name == f.name)
      return Quantity{-1, -1, f.row, f.owner, f.name, f.unit, f.doc, Kind::output, observable, {}, ""};
  }
  for (const Bus& b : buses) {
    if (owner == b.name && name == "flow" && b.parent >= 0) {
      return Quantity{-1,           -1,         b.row + 1, b.name, "flow", "W", "power from the feeder towards the plant's bus",
                      Kind::output, observable, {},        ""};
    }
  }
  if (const Asset* a = asset(owner)) return make(*this, *a, name, -1, -1);
  if (const Instrument* i = instrument(owner)) {
    auto q = make(*this, i->self, name, -1, -1);
    return q || !i->link.type ? q : make(*this, i->link, name, -1, -1);
  }
  for (const Disturber& d : disturbers) {
    if (d.self.name != owner) continue;
    auto q = make(*this, d.self, name, -1, -1);
    if (q) q->of_disturber = true;
    return q;
  }
  const std::size_t dot = owner.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  for (std::size_t f = 0; f < fleets.size(); ++f) {
    const Fleet& fleet = fleets[f];
    if (owner.substr(0, dot) != fleet.name) continue;
    std::string_view rest = owner.substr(dot + 1);
    int member = -1;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), member);
    if (error == std::errc() && stop != rest.data() + rest.size() && *stop == '.') {
      if (member < 1 || member > fleet.members) return std::nullopt;
      --member;
      rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()) + 1);
    } else {
      member = -1;
    }
    const Asset* a = fleet.plan->asset(rest);
    if (const Instrument* i = a ? nullptr : fleet.plan->instrument(rest)) {
      a = fleet.plan->row_of(i->self, name) >= 0 || !i->link.type ? &i->self : &i->link;
    }
    auto q = a ? make(*fleet.plan, *a, name, static_cast<int>(f), member) : std::nullopt;
    if (q) q->asset = std::string(owner), q->mean = member < 0 && !adds_up(q->unit);
    return q;
  }
  return std::nullopt;
}

std::optional<Quantity> Plan::measured(std::string_view path) const {
  auto q = find(path);
  if (!q) return q;
  const Plan& home = q->fleet < 0 ? *this : *fleets[static_cast<std::size_t>(q->fleet)].plan;
  for (const Instrument& i : home.instruments) {
    if (i.truth == q->row) std::tie(q->when, q->instead) = shown(i);
  }
  return q;
}

std::vector<Quantity> Plan::quantities() const {
  std::vector<Quantity> all;
  const auto list = [&](const Plan& plan, const std::string& prefix) {
    for (const Asset& a : plan.assets) {
      if (!a.type->ports.empty()) {
        for (const PortField& f : port_fields()) {
          if (auto q = find(prefix + a.name + "." + f.name)) all.push_back(std::move(*q));
        }
      }
      for (const Member& m : a.type->members) {
        if (m.kind == Kind::port) continue;
        if (auto q = find(prefix + a.name + "." + m.name)) all.push_back(std::move(*q));
      }
    }
  };
  list(*this, "");
  for (const AccountField& f : account_fields()) all.push_back(*find(std::string(f.owner) + "." + f.name));
  for (const Bus& b : buses) {
    if (auto q = find(b.name + ".flow")) all.push_back(std::move(*q));
  }
  for (const Fleet& f : fleets) list(*f.plan, f.name + ".");
  for (const Disturber& d : disturbers) {
    for (const Member& m : d.self.type->members) all.push_back(*find(d.self.name + "." + m.name));
  }
  return all;
}

std::string Plan::describe_trouble(int asset_index, int row, Trouble what) const {
  if (asset_index < 0 || asset_index >= static_cast<int>(assets.size())) return "the balance";
  const Asset& a = assets[static_cast<std::size_t>(asset_index)];
  std::string name = a.name;
  if (what != Trouble::energy_not_closed) {
    for (const Member& m : a.type->members) {
      if (a.offset + m.offset <= row && row < a.offset + m.offset + m.count) name += "." + m.name;
    }
  }
  switch (what) {
    case Trouble::not_finite: return name + " is not a finite number";
    case Trouble::out_of_bounds: return name + " has left its bounds";
    case Trouble::energy_not_closed: return "the energy ledger of " + name + " does not close";
    default: return name;
  }
}

}  // namespace urja

#include "scenarios/assets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "engine/units.hpp"
#include "scenarios/csv.hpp"
#include "scenarios/data_file.hpp"
#include "scenarios/scenario.hpp"

namespace urja {
namespace {

std::string number(double value) { return fmt::format("{:.12g}", value); }

std::string with_unit(double value, const std::string& unit) {
  return unit == "1" ? number(value) : fmt::format("{} {}", number(value), unit);
}

// "16:00" in seconds.
std::optional<double> time_of_day(const std::string& text) {
  int hour = 0, minute = 0, used = 0;
  if (std::sscanf(text.c_str(), "%d:%d%n", &hour, &minute, &used) != 2 || used != static_cast<int>(text.size()))
    return std::nullopt;
  if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > 1440) return std::nullopt;
  return 3600.0 * hour + 60.0 * minute;
}

std::optional<double> truth(const std::string& text) {
  if (text == "true" || text == "yes" || text == "on" || text == "closed") return 1;
  if (text == "false" || text == "no" || text == "off" || text == "open") return 0;
  return std::nullopt;
}

}  // namespace

void AssetReader::problem(const Node& at, const std::string& what, const std::string& mend) {
  problems_.add({at.file(), at.line, at.column, at.path, what, mend});
}

std::optional<double> AssetReader::quantity(const Node& node, const std::string& unit, const Range& range,
                                            const std::string& meaning) {
  if (!node.is_scalar()) {
    problem(node, (node.kind == Node::Kind::null ? "has no value; expected a number" : "expected a number") +
                      (unit == "1" ? "" : " with a unit, such as " + any_unit(unit, currency_)));
    return std::nullopt;
  }
  std::optional<double> value;
  if (unit == "s") value = time_of_day(node.text);
  if (unit == "1" && !value) value = truth(node.text);
  if (!value) {
    const auto written = parse_quantity(node.text);
    if (!written) {
      problem(node, fmt::format("'{}' is not a number", node.text),
              unit == "1" ? "write for example 0.5 or 50 %"
                          : fmt::format("write for example `{} {}`", number(std::clamp(1.0, range.low, range.high)),
                                        spellings(unit).front()));
      return std::nullopt;
    }
    std::string money;
    value = convert(*written, unit, &money);
    if (!value) {
      const std::string allowed = allowed_units(written->unit, unit, currency_);
      if (written->unit.empty()) problem(node, fmt::format("'{}' has no unit", node.text), allowed);
      else if (written->unit.front() == ',')
        problem(node, fmt::format("'{}' is not a number", node.text), "write a decimal point and no commas");
      else if (unit == "s" && written->unit.front() == ':')
        problem(node, fmt::format("'{}' is no time of day", node.text), "00:00 to 24:00");
      else
        problem(node, fmt::format("'{}' is not a unit that fits", written->unit),
                allowed + (meaning.empty() || !base_unit(written->unit) ? "" : "; " + meaning));
      return std::nullopt;
    }
    if (!money.empty()) {
      if (currency_.empty()) {
        currency_ = money;
        if (currency_from)
          *currency_from = node.line > 0 ? fmt::format("{}:{}:{}", node.file(), node.line, node.column) : node.path;
      }
      if (currency_ != money) {
        problem(node, fmt::format("is in {}, and the scenario counts in {}", money, currency_),
                !currency_from || currency_from->empty() ? "use one currency"
                                                         : "use one currency; the first is in " + *currency_from);
        return std::nullopt;
      }
    }
  }
  if (*value < range.low || *value > range.high) {
    problem(node,
            fmt::format("{} is {} {}", node.text, *value < range.low ? "below" : "above",
                        with_unit(*value < range.low ? range.low : range.high, unit)),
            fmt::format("allowed is {} to {}", with_unit(range.low, unit), with_unit(range.high, unit)));
    return std::nullopt;
  }
  return value;
}

void AssetReader::read(const AssetTarget& target, const Node& entries, const std::set<std::string>& skip) {
  given_.clear();
  const std::size_t before = problems_.list().size();
  if (const Node* set = entries.find("set")) {
    if (set->is_scalar()) apply_set(target, set->text, *set);
    else problem(*set, "expected the name of a parameter set");
  }
  const bool set_is_good = problems_.list().size() == before;
  for (const Node::Entry& entry : entries.entries) {
    if (entry.key != "set" && !skip.count(entry.key))
      take(target, entry, entry.value.line > 0 ? Given::in_file : Given::on_command_line);
  }
  if (set_is_good) check_orders(target);
  if (!driven_alone) check_needed(target, entries);
}

// Inputs that no model can do without.
void AssetReader::check_needed(const AssetTarget& target, const Node& entries) {
  for (const Member& m : target.type().members) {
    if (!m.has(needed) || !m.wire.empty() || given_.count(m.name)) continue;
    const Derivation* source = nullptr;
    bool there = false;
    for (const Derivation& d : target.type().derivations) {
      if (std::find(d.inputs.begin(), d.inputs.end(), m.name) == d.inputs.end()) continue;
      source = &d;
      there = there || given_.count(d.key);
    }
    if (there) continue;
    const std::string key = source ? source->key : m.name;
    const std::string unit = target.unit_of(m);
    problem(entries, fmt::format("{} is not given", key),
            m.kind == Kind::parameter ? fmt::format("write `{}: {}`", key, unit == "1" ? "0.1" : "1 " + unit)
            : source                  ? fmt::format("name a data set: `{}: ..`", key)
            : m.unit == "W"           ? fmt::format("write `{}: 2 kW`, or a column of a data set, `{}: DATA.COLUMN`", key, key)
            : m.unit == "W/W"         ? fmt::format("write `{}: 0.5`, or a column of a data set, `{}: DATA.COLUMN`", key, key)
                              : fmt::format("write `{}: 1 {}`, or a column of a data set, `{}: DATA.COLUMN`", key, m.unit, key));
  }
}

void AssetReader::take(const AssetTarget& target, const Node::Entry& entry, Given::Rank rank) {
  const std::size_t before = problems_.list().size();
  apply(target, entry);
  const Node& at = entry.value;
  given_[entry.key] = {rank, at.file(), at.path, at.line, at.column, problems_.list().size() > before};
}

// Values that contradict each other, at the place of the one that was written later.
void AssetReader::check_orders(const AssetTarget& target) {
  const Plan& plan = *target.plan;
  const Type& type = target.type();
  struct Value {
    std::string unit;
    std::vector<double> of_member;  // or one for all
  };
  const auto value_of = [&](const std::string& key) -> Value {
    if (const Member* m = type.find(key)) {
      const int row = target.asset().offset + m->offset;
      const auto each = plan.member_starts.find(row);
      if (each != plan.member_starts.end()) return {target.unit_of(*m), each->second};
      return {target.unit_of(*m), {plan.starts[static_cast<std::size_t>(row)]}};
    }
    const auto setting = std::find_if(type.settings.begin(), type.settings.end(), [&](const auto& s) { return s.name == key; });
    return {setting->unit, {setting->read(target.asset().settings.get())}};
  };
  // An earlier entry may have said it: of a sensor, `"*.power": {highest: 2 kW}`.
  const auto source = [&](const Given& g, const std::string& key, double value) {
    const Member* m = type.find(key);
    return g.rank == Given::in_set                                    ? " in the parameter set"
           : g.rank == Given::by_default && (!m || m->start == value) ? " by default"
                                                                      : "";
  };
  for (const std::vector<std::string>& order : type.orders) {
    for (std::size_t k = 1; k < order.size(); ++k) {
      const std::string &low = order[k - 1], &high = order[k];
      const Given &of_low = given_[low], &of_high = given_[high];
      if (of_low.wrong || of_high.wrong) continue;
      const Value a = value_of(low), b = value_of(high);
      for (std::size_t m = 0; m < std::max(a.of_member.size(), b.of_member.size()); ++m) {
        const double x = a.of_member[a.of_member.size() > 1 ? m : 0], y = b.of_member[b.of_member.size() > 1 ? m : 0];
        if (x <= y) continue;
        const auto place = [](const Given& g) { return std::tie(g.rank, g.line, g.column); };
        const bool at_low = place(of_low) > place(of_high);
        const Given& at = at_low ? of_low : of_high;
        const std::string who = a.of_member.size() + b.of_member.size() > 2 ? fmt::format("member {}: ", m + 1) : "";
        problems_.add({at.file, at.line, at.column, at.path,
                       at_low ? fmt::format("{}{} is above {}, {}{}", who, with_unit(x, a.unit), high, with_unit(y, b.unit),
                                            source(of_high, high, y))
                              : fmt::format("{}{} is below {}, {}{}", who, with_unit(y, b.unit), low, with_unit(x, a.unit),
                                            source(of_low, low, x)),
                       fmt::format("{} must be at most {}", low, high)});
        break;
      }
    }
  }
}

void AssetReader::apply_set(const AssetTarget& target, const std::string& name, const Node& at) {
  const auto& sets = sets_.of(target.type().name);
  std::vector<std::string> names;
  for (const auto& [known, path] : sets) names.push_back(known);
  const auto found = sets.find(name);
  if (found == sets.end()) {
    const std::string close = nearest(name, names);
    problem(at, fmt::format("there is no parameter set '{}' for model '{}'", name, target.type().name),
            names.empty()   ? "this model has none"
            : close.empty() ? "known: " + any_of(names)
                            : fmt::format("did you mean '{}'? known: {}", close, any_of(names)));
    return;
  }
  const Node& root = sets_.read(found->second, problems_);
  // A pack names the set of its cells; its own values come after.
  if (const Node* cell = root.find("cell"); cell && cell->is_scalar()) {
    const auto& cells = sets_.of("cell");
    if (const auto of_cell = cells.find(cell->text); of_cell != cells.end()) {
      const Node& inner = sets_.read(of_cell->second, problems_);
      for (const char* part : {"values", "tables"}) {
        if (const Node* map = inner.find(part)) {
          for (const Node::Entry& e : map->entries) take(target, e, Given::in_set);
        }
      }
    } else {
      problem(*cell, fmt::format("there is no cell set '{}'", cell->text));
    }
  }
  if (const Node* values = root.find("values"); values && !target.channel_unit.empty()) {
    for (const Node::Entry& e : values->entries) {  // a pyranometer does not measure a battery's power
      const Member* m = target.type().find(e.key);
      const auto written = parse_quantity(e.value.text);
      if (!m || !written || !m->unit.starts_with("of channel") || convert(*written, target.unit_of(*m))) continue;
      problem(at,
              fmt::format("'{}' measures in {}, and {} is in {}", name, written->unit, target.asset().name, target.channel_unit),
              "choose another set, or write the values themselves");
      return;
    }
  }
  for (const char* part : {"values", "tables"}) {
    if (const Node* map = root.find(part)) {
      for (const Node::Entry& e : map->entries) take(target, e, Given::in_set);
    }
  }
}

// What a scenario may write of a model: not an input that a wire fills, and of the states those whose value at a plant somebody
// can know; the others are counters and timers that the model keeps to itself.
bool AssetReader::writable(const Member& m) const { return scenario_may_write(m) || (driven_alone && m.kind == Kind::state); }

bool scenario_may_write(const Member& m) {
  if (m.kind == Kind::input) return m.wire.empty();
  return m.kind == Kind::parameter || (m.kind == Kind::state && (m.has(telemetered) || m.has(estimable)));
}

void AssetReader::apply(const AssetTarget& target, const Node::Entry& entry) {
  const Type& type = target.type();
  Plan::Asset& asset = target.asset();
  const Node& value = entry.value;
  const auto named = [&](const auto& list) {
    return std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name == entry.key; });
  };

  const Member* m = type.find(entry.key);
  if (m && writable(*m)) {
    apply_member(target, *m, value);
    return;
  }
  if (m && (m->kind == Kind::input || m->kind == Kind::state || m->kind == Kind::output)) {
    problems_.add({entry.value.file(), entry.line, entry.column, value.path.empty() ? entry.key : value.path,
                   m->kind == Kind::input ? fmt::format("comes from {} and cannot be set", m->wire)
                                          : fmt::format("is computed by the model '{}' and cannot be set", type.name),
                   "leave it out"});
    return;
  }
  if (const auto s = named(type.settings); s != type.settings.end()) {
    if (const auto v = quantity(value, s->unit, s->range)) s->write(asset.settings.get(), *v);
    return;
  }
  if (const auto c = named(type.choices); c != type.choices.end()) {
    if (!value.is_scalar() ||
        (!c->allowed.empty() && std::find(c->allowed.begin(), c->allowed.end(), value.text) == c->allowed.end())) {
      const std::string close = nearest(value.text, c->allowed);
      problem(value, fmt::format("'{}' is not one of its choices", value.text),
              "allowed: " + any_of(c->allowed) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
      return;
    }
    c->write(asset.settings.get(), value.text);
    if (c->name == type.tag_choice) asset.tag = value.text;
    return;
  }
  if (values_only && (named(type.tables) != type.tables.end() || named(type.files) != type.files.end())) return;
  if (const auto t = named(type.tables); t != type.tables.end()) return apply_table(target, *t, value);
  if (const auto e = named(type.files); e != type.files.end()) return apply_events(target, *e, value);
  for (const Derivation& d : type.derivations) {
    if (d.key != entry.key) continue;
    if (!value.is_scalar() || !data_names_.count(value.text)) {
      const std::vector<std::string> known(data_names_.begin(), data_names_.end());
      const std::string close = nearest(value.text, known);
      problem(value, fmt::format("there is no data set '{}'", value.text),
              known.empty() ? "declare it under `data:`"
                            : "known: " + any_of(known) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
      return;
    }
    derived.push_back({target, &d, value.text, value.file(), value.path, value.line, value.column});
    return;
  }
  if (const auto r = named(type.roles); r != type.roles.end()) {
    std::vector<std::string> known, names;
    for (const Plan::Asset& a : target.plan->assets) {
      if (!a.type->controller) known.push_back(a.name);
    }
    for (const Plan::Fleet& f : target.plan->fleets) {
      for (const Plan::Asset& a : f.plan->assets) known.push_back(f.name + "." + a.name);
    }
    const auto name = [&](const Node& node) {
      names.push_back(node.text);
      if (!node.is_scalar()) return problem(node, "expected the name of an asset", "known: " + any_of(known));
      if (not_loaded.count(node.text) || std::find(known.begin(), known.end(), node.text) != known.end()) return;
      const std::string close = nearest(node.text, known);
      problem(node, fmt::format("there is no asset '{}'", node.text),
              "known: " + any_of(known) + (close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
    };
    if (value.kind != Node::Kind::list) name(value);
    for (const Node& item : value.items) name(item);
    asset.roles[entry.key] = names;
    return;
  }
  std::vector<std::string> known;
  if (!type.disturb) known.push_back("set");
  for (const Member& other : type.members) {
    if (writable(other)) known.push_back(other.name);
  }
  if (type.disturb) {  // its own sizes before those of every fault's clock
    std::erase(known, "start_time");
    std::reverse(known.begin(), known.end());
  }
  for (const auto& s : type.settings) known.push_back(s.name);
  for (const auto& c : type.choices) known.push_back(c.name);
  for (const auto& t : type.tables) known.push_back(t.name);
  for (const auto& f : type.files) known.push_back(f.name);
  for (const auto& d : type.derivations) known.push_back(d.key);
  for (const auto& r : type.roles) {
    if (!type.disturb) known.push_back(r.name);
  }
  const std::string close = nearest(entry.key, known);
  problems_.add({entry.value.file(), entry.line, entry.column, value.path.empty() ? entry.key : value.path,
                 target.what == AssetTarget::What::sensor || target.what == AssetTarget::What::link
                     ? fmt::format("a {} has no '{}'", type.name, entry.key)
                     : fmt::format("{} '{}' has no '{}'", type.disturb ? "fault" : "model", type.name, entry.key),
                 close.empty() ? "it knows " + any_of(known) + fmt::format(" (see `urja describe {}`)", type.name)
                               : fmt::format("did you mean '{}'?", close)});
}

bool AssetReader::apply_member(const AssetTarget& target, const Member& m, const Node& value) {
  const int row = target.asset().offset + m.offset;
  const std::string meaning = m.doc.empty() ? "" : fmt::format("`{}` is: {}", m.name, m.doc);
  if (value.kind == Node::Kind::list) {
    if (target.members == 1 || static_cast<int>(value.items.size()) != target.members) {
      problem(value, target.members == 1 ? std::string("expected one value, not a list")
                                         : fmt::format("has {} values for {} members", value.items.size(), target.members));
      return false;
    }
    std::vector<double> values;
    for (const Node& item : value.items) {
      if (const auto v = quantity(item, target.unit_of(m), m.range, meaning)) values.push_back(*v);
    }
    if (values.size() == value.items.size()) target.plan->set_start(row, std::move(values));
    return true;
  }
  // `price: market.price`; a number with a decimal point is none.
  if (m.kind == Kind::input && value.is_scalar() && !parse_quantity(value.text)) {
    const std::size_t dot = value.text.find('.');
    const std::string data = value.text.substr(0, dot);
    if (dot != std::string::npos && data_names_.count(data)) {
      bindings.push_back(
          {target, row, data, value.text.substr(dot + 1), m.unit, m.range, value.file(), value.path, value.line, value.column});
      return true;
    }
    if (!truth(value.text)) {
      const std::vector<std::string> known(data_names_.begin(), data_names_.end());
      const std::string close = nearest(data, known);
      if (data_names_.count(value.text)) {  // the column is missing
        const std::vector<std::string>& columns = data_columns[value.text];
        std::vector<std::string> names;
        for (const std::string& column : columns) names.push_back(fmt::format("'{}.{}'", value.text, column));
        problem(value, fmt::format("'{}' is a data set, not one of its columns", value.text),
                columns.size() == 1 ? fmt::format("did you mean {}?", names.front())
                : columns.empty()   ? fmt::format("write {}.COLUMN", value.text)
                                    : "write " + any_of(names));
        return false;
      }
      problem(value, fmt::format("'{}' is neither a number nor a column of a data set", value.text),
              known.empty() ? "declare data sets under `data:`"
                            : fmt::format("data sets are {}{}", any_of(known),
                                          close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
      return false;
    }
  }
  const auto v = quantity(value, target.unit_of(m), m.range, meaning);
  if (v) {
    target.plan->set_start(row, *v);
    target.plan->member_starts.erase(row);
  }
  return v.has_value();
}

std::optional<TableAxis> AssetReader::axis(const Node& node, const TableShape::Named& shape) {
  const Node *from = node.find("from"), *to = node.find("to"), *step = node.find("step");
  if (!from || !to || !step) {
    problem(node, "an axis needs from, to and step");
    return std::nullopt;
  }
  const auto a = quantity(*from, shape.unit, {}), b = quantity(*to, shape.unit, {}), h = quantity(*step, shape.unit, {});
  if (!a || !b || !h) return std::nullopt;
  const double cells = (*b - *a) / *h;
  if (!(*h > 0) || cells < 1 || cells > 10'000 || std::abs(cells - std::round(cells)) > 1e-6) {
    problem(node, "from, to and step do not make an even grid");
    return std::nullopt;
  }
  return TableAxis{shape.name, *a, (*b - *a) / std::round(cells), static_cast<int>(std::round(cells)) + 1};
}

bool AssetReader::numbers(const Node& node, const std::string& unit, std::vector<double>& out) {
  if (node.is_scalar()) {
    const auto q = parse_quantity(node.text);
    if (!q || !q->unit.empty()) {
      problem(node, fmt::format("'{}' is not a plain number", node.text), "the unit stands once, as `unit: " + unit + "`");
      return false;
    }
    out.push_back(q->value);
    return true;
  }
  for (const Node& item : node.items) {
    if (!numbers(item, unit, out)) return false;
  }
  return node.kind == Node::Kind::list;
}

void AssetReader::apply_table(const AssetTarget& target, const Table& table, const Node& value) {
  const Node* over = value.find("over");
  if (!over || !over->is_map()) return problem(value, "a table needs `over:` with its axes");
  TableData data;
  std::size_t size = 1;
  for (const TableShape::Named& shape : table.shape.axes) {
    const Node* node = over->find(shape.name);
    if (!node) return problem(*over, fmt::format("the axis '{}' is missing", shape.name));
    const auto one = axis(*node, shape);
    if (!one) return;
    size *= static_cast<std::size_t>(one->size);
    data.axes.push_back(*one);
  }
  const Node* columns = value.find("columns");
  for (const TableShape::Named& shape : table.shape.columns) {
    const Node* column = columns ? columns->find(shape.name) : table.shape.columns.size() == 1 ? &value : nullptr;
    const Node* unit = column ? column->find("unit") : nullptr;
    const Node* values = column ? column->find("values") : nullptr;
    if (!column || !unit || !values) return problem(value, fmt::format("the column '{}' needs unit and values", shape.name));
    const auto factor = convert({1, unit->text}, shape.unit), zero = convert({0, unit->text}, shape.unit);
    if (!factor)
      return problem(*unit, fmt::format("'{}' is not a unit that fits", unit->text),
                     allowed_units(unit->text, shape.unit, currency_));
    TableColumn out{shape.name, shape.unit, {}};
    if (!numbers(*values, unit->text, out.values)) return;
    if (out.values.size() != size)
      return problem(*values, fmt::format("has {} values, its axes make {}", out.values.size(), size));
    for (double& v : out.values) v = v * (*factor - *zero) + *zero;
    data.columns.push_back(std::move(out));
  }
  try {
    table.write(target.asset().settings.get(), data);
  } catch (const std::invalid_argument& e) { problem(value, e.what()); }
}

// sessions: {file: sessions.csv, clock: wall, columns: {arrival: arrival, energy: {column: energy_kwh, unit: kWh}}}
void AssetReader::apply_events(const AssetTarget& target, const EventFile& events, const Node& value) {
  const Node *path = value.find("file"), *columns = value.find("columns"), *clock = value.find("clock");
  if (!path || !path->is_scalar())
    return problem(
        value, "expected {file: .., columns: {..}}", "columns are " + [&] {
          std::vector<std::string> names;
          for (const auto& c : events.columns) names.push_back(c.name);
          return any_of(names);
        }());
  std::optional<Zone> zone = zone_;
  if (clock && clock->text != "wall") {
    zone = Zone::find(clock->text == "utc" ? "UTC" : clock->text);
    if (!zone)
      return problem(*clock, fmt::format("'{}' is no time zone", clock->text),
                     "allowed: wall, utc or an IANA name such as " + any_of(Zone::nearest(clock->text)));
  }
  for (const Node::Entry& e : columns ? columns->entries : std::vector<Node::Entry>{}) {
    if (std::none_of(events.columns.begin(), events.columns.end(), [&](const auto& c) { return c.name == e.key; })) {
      problems_.add({e.value.file(), e.line, e.column, e.value.path, "is not a column of these records", ""});
    }
  }
  std::vector<CsvColumn> wanted;
  std::vector<std::string> units;
  for (const EventFile::Column& c : events.columns) {
    const Node* node = columns ? columns->find(c.name) : nullptr;
    std::string name = node && node->is_scalar() ? node->text : c.name;
    std::string unit;
    if (node && node->is_map()) {
      if (const Node* n = node->find("column")) name = n->text;
      if (const Node* u = node->find("unit")) unit = u->text;
    }
    if (!node && !c.required) {
      units.push_back("");
      wanted.push_back({"", {}, {}});
      continue;
    }
    CsvColumn column{name, {}, {}};
    if (c.unit == "time") {
      column.form = "time such as 2016-08-01 00:00";
      column.read = [&zone](std::string_view cell, double& out) {
        const auto written = parse_time(cell);
        if (!written) return false;
        out = static_cast<double>(written->offset ? written->wall - *written->offset : zone->instants_of(written->wall).first);
        return true;
      };
    } else if (c.unit != "1" && !convert({1, unit}, c.unit)) {
      const Node* given = node && node->is_map() ? node->find("unit") : nullptr;
      const auto allowed = spellings(c.unit);
      if (given)
        return problem(*given, fmt::format("'{}' is not a unit that fits", unit), allowed_units(unit, c.unit, currency_));
      return problem(
          node ? *node : value, fmt::format("the column '{}' needs its unit", c.name),
          fmt::format("write `{}: {{column: {}, unit: {}}}`", c.name, name, allowed.size() > 1 ? allowed[1] : allowed.front()));
    }
    units.push_back(unit);
    wanted.push_back(std::move(column));
  }
  std::vector<CsvColumn> present;
  for (const CsvColumn& c : wanted) {
    if (!c.name.empty()) present.push_back(c);
  }
  std::vector<Problem> found;
  event_files.push_back(relative_to(path->file(), path->text));
  const Csv csv = read_csv(relative_to(path->file(), path->text), present, found);
  for (Problem p : found) {
    if (p.line <= 1) {  // of the file as a whole, or of one of its columns
      const Node* at = path;
      for (const EventFile::Column& c : events.columns) {
        const Node* node = columns && !p.about.empty() ? columns->find(c.name) : nullptr;
        const Node* column = node && node->is_map() ? node->find("column") : node;
        if (node && (column && column->is_scalar() ? column->text : c.name) == p.about) at = column ? column : node;
      }
      p = {at->file(), at->line, at->column, at->path, p.file + ": " + p.what, p.mend};
    }
    problems_.add(p);
  }
  if (!found.empty()) return;
  std::vector<std::vector<double>> records(csv.rows);
  int missing = 0;
  for (std::size_t r = 0; r < csv.rows; ++r) {
    std::size_t at = 0;
    for (std::size_t c = 0; c < events.columns.size(); ++c) {
      const EventFile::Column& column = events.columns[c];
      double v = wanted[c].name.empty() ? std::nan("") : csv.columns[at++][r];
      if (std::isnan(v) && !column.required) {
        v = column.otherwise;
      } else if (std::isnan(v)) {
        if (++missing <= 20)
          problems_.add({event_files.back(), static_cast<int>(r) + 2, 1, "",
                         fmt::format("there is no value in column {}", wanted[c].name), "give it one, or remove the row"});
      } else if (column.unit != "time" && column.unit != "1") {
        v = *convert({v, units[c]}, column.unit);
      }
      records[r].push_back(v);
    }
  }
  if (missing == 0) events.write(target.asset().settings.get(), records);
}

}  // namespace urja

#include "scenarios/fault_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/sensor.hpp"
#include "scenarios/sensor_reader.hpp"

namespace urja {

void FaultReader::read(const Node& faults) {
  if (faults.kind == Node::Kind::null) return;
  if (!faults.is_map())
    return fail(faults, "expected faults by name",
                "for example faults: {storm: {kind: grid_outage, on: grid, at: 2016-08-03 14:00, duration: 2 h}}");
  for (const Node::Entry& e : faults.entries) read_one(e);
}

void FaultReader::read_one(const Node::Entry& e) {
  const auto is_bus = [&](const std::string& name) {
    return std::any_of(s_.plan->buses.begin(), s_.plan->buses.end(), [&](const Plan::Bus& b) { return b.name == name; });
  };
  if (!is_name(e.key) || is_bus(e.key) || s_.models.count(e.key) || e.key == "spill" || e.key == "plant") {
    fail(e.value, fmt::format("'{}' cannot name a fault", e.key), "letters, digits, _ and -; no asset's or feeder's name");
    return;
  }
  const Node *kind = e.value.find("kind"), *on = e.value.find("on"), *at = e.value.find("at"), *after = e.value.find("after");
  std::vector<std::string> kinds;
  for (const auto& [name, type] : disturbances()) kinds.push_back(name);
  const auto found = kind ? disturbances().find(kind->text) : disturbances().end();
  if (found == disturbances().end()) {
    const std::string close = kind ? nearest(kind->text, kinds) : "";
    fail(kind ? *kind : e.value, kind ? fmt::format("there is no fault '{}'", kind->text) : "the key 'kind' is missing",
         (close.empty() ? "" : fmt::format("did you mean '{}'? ", close)) + "`urja describe faults` lists them");
    return;
  }
  const Type& type = found->second;
  const bool measures = type.roles.front().models.front() == "sensor" || type.roles.front().models.front() == "link";
  std::string unit, target = on && on->is_scalar() ? on->text : "";
  if (measures ? !measured_target(type, type.roles.front(), on, e.value, target, unit) : !asset_target(type, on, e.value)) return;
  std::string other;
  const auto with = std::find_if(type.roles.begin(), type.roles.end(), [](const Role& r) { return r.name == "with"; });
  if (with != type.roles.end() && !second_target(type, *with, e.value, target, unit, other)) return;
  auto settings = type.make_settings();
  for (const Setting& setting : type.settings) setting.write(settings.get(), setting.start);
  for (const Choice& choice : type.choices) choice.write(settings.get(), choice.start);
  const int index = s_.plan->add_disturber(e.key, type, settings, target);
  Plan::Disturber& d = s_.plan->disturbers.back();
  d.other = other;
  s_.faults.push_back({e.key, type.name, on->text});
  if (after) {
    std::vector<std::string> before;
    for (int k = 0; k < index; ++k) {
      before.push_back(s_.faults[static_cast<std::size_t>(k)].name);
      if (before.back() == after->text) d.after = k;
    }
    if (d.after < 0)
      fail(*after, fmt::format("there is no fault '{}' before this one", after->text),
           before.empty() ? "write it above the one that follows it" : "known: " + any_of(before));
  }
  assets_.read({s_.plan.get(), index, 1, AssetTarget::What::disturber, unit}, e.value,
               {"kind", "on", "at", "after", "start_time", "with"});
  if (measures) check_link(type, index, target, e.value);
  const auto value = [&](const char* name) { return s_.plan->starts[static_cast<std::size_t>(s_.plan->row_of(d.self, name))]; };
  if (at) {
    const auto time = time_of(*at);
    if (!time) return;
    s_.plan->set_start(s_.plan->row_of(d.self, "start_time"), *time);
    if (*time < 0 || *time >= s_.end - s_.start)
      fail(*at, fmt::format("{} lies outside the run", at->text),
           fmt::format("the run is from {} to {}", zone_.text(static_cast<std::int64_t>(s_.start)),
                       zone_.text(static_cast<std::int64_t>(s_.end))));
    else check_overlap(index, *at, *time, value("every"), value("duration"));
  } else if (value("rate") <= 0 && !after) {
    fail(e.value, "says no time", "write at: 2016-08-03 14:00 (and every: 1 d), rate: 0.1 1/d, or after: another fault");
  }
}

bool FaultReader::asset_target(const Type& type, const Node* on, const Node& fault) {
  const std::vector<std::string>& fits = type.roles.front().models;
  const std::optional<std::string> model = on && on->is_scalar() ? model_at(on->text) : std::nullopt;
  if (model && std::find(fits.begin(), fits.end(), *model) != fits.end()) return true;
  if (on && not_loaded_.count(on->text)) return false;  // what is wrong with it has been said
  std::vector<std::string> can;
  for (const auto& [asset, of] : s_.models) {
    if (std::find(fits.begin(), fits.end(), of) != fits.end()) can.push_back(asset);
  }
  const std::string members = on ? member_missing(on->text) : "";
  fail(on ? *on : fault,
       !on                ? "the key 'on' is missing"
       : !on->is_scalar() ? "expected the name of an asset"
       : !model           ? fmt::format("there is no asset '{}'", on->text)
                          : fmt::format("'{}' is a {}, which {} does not befall", on->text, *model, type.name),
       !members.empty() ? members
       : can.empty()    ? "it befalls " + any_of(fits) + ", and the plant has none"
                        : "it can befall " + any_of(can));
  return false;
}

// A channel, or for links all that an asset sends; what measures it is made if it is not there. `target` becomes the channel's path where the
// kind says of which channel it is (a state of charge); `unit` is that of its sizes, empty where several channels are meant.
bool FaultReader::measured_target(const Type& type, const Role& role, const Node* on, const Node& fault, std::string& target,
                                  std::string& unit) {
  const bool links = role.models.front() == "link";
  const std::string end = role.tag.empty() ? "" : "." + role.tag;
  std::vector<MeasuredChannel> meant;
  if (on && on->is_scalar()) {
    if (!end.empty() && !target.ends_with(end)) target += end;
    meant = channels_meant(*s_.plan, target, links);
    // A member that is not there is none.
    if (!meant.empty() && meant.front().path != target &&
        !model_at(links && model_at(target) ? target : target.substr(0, target.rfind('.'))))
      meant.clear();
  }
  if (target.find('*') != std::string::npos) meant.clear();
  if (meant.empty()) {
    if (on && (not_loaded_.count(on->text) || not_loaded_.count(on->text.substr(0, on->text.rfind('.'))))) return false;
    std::vector<std::string> can, owners;
    for (const MeasuredChannel& c : measurable_channels(*s_.plan, false)) {
      if (end.empty() || c.channel == role.tag)
        can.push_back(end.empty() ? c.path : c.path.substr(0, c.path.size() - end.size()));
      if (links) owners.push_back(c.path.substr(0, c.path.rfind('.')));
    }
    const std::string text = on && on->is_scalar() ? on->text : "", owner = text.substr(0, text.rfind('.'));
    const bool asset = model_at(text).has_value(), pattern = text.find('*') != std::string::npos;
    const bool of_asset = !end.empty() && owner != text && std::find(can.begin(), can.end(), owner) != can.end();
    const std::string example = can.empty() ? "" : "write ASSET.CHANNEL, such as " + can.front();
    if (asset && end.empty()) std::erase_if(can, [&](const std::string& c) { return !c.starts_with(text + "."); });
    const std::string members = member_missing(text);
    owners.insert(owners.end(), can.begin(), can.end());
    const std::string close = pattern ? "" : nearest(text, owners);
    fail(on ? *on : fault,
         !on                    ? "the key 'on' is missing"
         : !on->is_scalar()     ? fmt::format("expected the name of {}", end.empty() ? "a channel" : "an asset")
         : pattern              ? "a fault befalls one channel, and * means any"
         : asset && end.empty() ? fmt::format("'{}' is an asset, and {} befalls one of its channels", text, type.name)
         : asset                ? fmt::format("'{}' has no {}, which {} befalls", text, role.tag, type.name)
         : of_asset             ? fmt::format("{} befalls the {} of an asset, not '{}'", type.name, role.tag, text)
                                : fmt::format("there is no {} '{}'", end.empty() ? "channel" : "asset", text),
         !members.empty()                       ? members
         : of_asset                             ? "write on: " + owner
         : asset && end.empty() && !can.empty() ? "write on: " + any_of(can)
         : !close.empty() && !asset             ? fmt::format("did you mean '{}'?", close)
         : can.empty()                          ? "the plant has none that it can befall"
         : end.empty()                          ? example
                                                : "it can befall " + any_of(can));
    return false;
  }
  unit = meant.front().unit;
  for (const MeasuredChannel& c : meant) {
    if (c.unit != unit) unit = "";
    Plan::Instrument& one = c.plan->sensor(c.asset, c.channel);
    if (links) c.plan->link(one);
  }
  if (unit.empty()) {
    for (const Node::Entry& e : fault.entries) {
      const Member* m = type.find(e.key);
      if (!m || !m->unit.starts_with("of channel")) continue;
      fail(*on, fmt::format("'{}' means channels of several units, and `{}` is of one", on->text, e.key),
           "write a channel, such as on: " + meant.front().path);
      return false;
    }
    unit = "1";
  }
  return true;
}

// The channel that another one is swapped with.
bool FaultReader::second_target(const Type& type, const Role& role, const Node& fault, const std::string& first,
                                const std::string& unit, std::string& other) {
  const Node* with = fault.find("with");
  std::string its_unit;
  if (!with) {
    fail(fault, "the key 'with' is missing", "write the other channel, with: ASSET.CHANNEL");
    return false;
  }
  other = with->is_scalar() ? with->text : "";
  if (!measured_target(type, role, with, fault, other, its_unit)) return false;
  const auto mine = channels_meant(*s_.plan, first, false), theirs = channels_meant(*s_.plan, other, false);
  // "homes.3." of "homes.3.load.power": two meters in one cabinet can be confused, not those of two homes.
  const auto cabinet = [](const std::string& path, const MeasuredChannel& c) {
    return path.substr(0, path.size() - (c.asset + "." + c.channel).size());
  };
  const std::string my_cabinet = cabinet(first, mine.front()), its_cabinet = cabinet(other, theirs.front());
  if (other == first || its_unit != unit || my_cabinet != its_cabinet) {
    fail(*with,
         other == first     ? "is the same channel"
         : its_unit != unit ? fmt::format("is in {}, and {} in {}", unit_text(its_unit), first, unit_text(unit))
                            : fmt::format("is measured elsewhere than {}", first),
         its_unit != unit && other != first ? "two channels of one unit can be swapped"
         : my_cabinet.empty()               ? "two channels of the plant, or of one member of a fleet can be swapped"
                                            : fmt::format("write another channel of {}, with: {}ASSET.CHANNEL",
                                                          my_cabinet.substr(0, my_cabinet.size() - 1), my_cabinet));
    return false;
  }
  Plan& home = *mine.front().plan;
  Plan::Instrument &a = home.sensor(mine.front().asset, mine.front().channel),
                   &b = home.sensor(theirs.front().asset, theirs.front().channel);
  for (const auto& [one, two] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
    if (one->other < 0 || one->other == two->truth) continue;
    fail(*with, fmt::format("{} is swapped with another channel already", one == &a ? first : other),
         "a channel can be swapped with one other in a run");
    return false;
  }
  a.other = b.truth, b.other = a.truth;
  return true;
}

// Seconds since the plan's start, of a local time or of a duration.
std::optional<double> FaultReader::time_of(const Node& at) {
  if (parse_time(at.text)) {
    const auto instant = moment_(at);
    return instant ? std::optional(*instant - s_.start) : std::nullopt;
  }
  return assets_.quantity(at, "s", {});
}

// Messages that a link cannot hold so long are lost, and a fault that delays them would lose them all.
void FaultReader::check_link(const Type& type, int index, const std::string& target, const Node& fault) {
  const Plan::Asset& self = s_.plan->disturbers[static_cast<std::size_t>(index)].self;
  const auto value = [&](const std::string& name) {
    return s_.plan->starts[static_cast<std::size_t>(s_.plan->row_of(self, name))];
  };
  const bool replays =
      std::any_of(type.members.begin(), type.members.end(), [](const Member& m) { return m.wire == "target.replayed"; });
  for (const Member& m : type.members) {
    if (m.kind != Kind::parameter || !m.has(held_by_link)) continue;
    for (const MeasuredChannel& c : channels_meant(*s_.plan, target, true)) {
      const auto too_long = link_too_long(c, value("severity") * value(m.name), replays);
      if (!too_long) continue;
      const Node* size = fault.find(m.name);
      if (size) fail(*size, too_long->what, too_long->mend);
      else
        fail(fault, fmt::format("{} by default, {}", m.name, too_long->what), fmt::format("write {}: ", m.name) + too_long->mend);
      return;
    }
  }
}

// What faults of one kind do to the same thing, or two kinds to one time of a link's messages, cannot be there at a time.
bool FaultReader::exclude(int index, int other) const {
  const auto &mine = s_.faults[static_cast<std::size_t>(index)], &its = s_.faults[static_cast<std::size_t>(other)];
  const Plan::Disturber &a = s_.plan->disturbers[static_cast<std::size_t>(index)],
                        &b = s_.plan->disturbers[static_cast<std::size_t>(other)];
  const std::string role = a.self.type->roles.front().models.front();
  if (role != "sensor" && role != "link") return mine.kind == its.kind && mine.on == its.on;
  if (b.self.type->roles.front().models.front() != role) return false;
  bool both = mine.kind == its.kind;
  for (const Member& m : a.self.type->members) {
    const Member* of_link = m.wire.starts_with("target.") ? link_type().find(m.wire.substr(7)) : nullptr;
    both = both || (of_link && of_link->has(held_by_link) && role == "link" &&
                    std::any_of(b.self.type->members.begin(), b.self.type->members.end(),
                                [&](const Member& o) { return o.wire == m.wire; }));
  }
  if (!both) return false;
  // "battery" is also battery.power where it means all that an asset sends.
  const auto meets = [](const std::string& x, const std::string& y) {
    return !x.empty() && !y.empty() && (x == y || x.starts_with(y + ".") || y.starts_with(x + "."));
  };
  return meets(a.target, b.target) || meets(a.target, b.other) || meets(a.other, b.target) || meets(a.other, b.other);
}

void FaultReader::check_overlap(int index, const Node& at, double start, double every, double duration) {
  const Plan& plan = *s_.plan;
  const double own_end = every > 0 ? 1e300 : start + duration;
  if (every > 0 && duration > every) fail(at, "it comes again before it has ended", "make its duration shorter than `every`");
  for (int k = 0; k < index; ++k) {
    if (!exclude(index, k)) continue;
    const auto &mine = s_.faults[static_cast<std::size_t>(index)], &other = s_.faults[static_cast<std::size_t>(k)];
    const Plan::Asset& self = plan.disturbers[static_cast<std::size_t>(k)].self;
    const auto its = [&](const char* name) { return plan.starts[static_cast<std::size_t>(plan.row_of(self, name))]; };
    const double from = its("start_time"), to = its("every") > 0 ? 1e300 : from + its("duration");
    if (from < 1e299 && start < to && from < own_end)
      fail(at,
           mine.kind != other.kind
               ? fmt::format("overlaps with '{}', {}, which acts on the same messages in the same way", other.name, other.kind)
               : fmt::format("overlaps with '{}', the same fault on the same {}", other.name,
                             mine.on == other.on && mine.on.find('.') == std::string::npos ? "asset" : "target"),
           "part them in time, or keep one");
  }
}

// "homes.7.load.demand" where there are three: says so.
std::string FaultReader::member_missing(const std::string& path) const {
  for (const Plan::Fleet& f : s_.plan->fleets) {
    if (!path.starts_with(f.name + ".")) continue;
    const std::string rest = path.substr(f.name.size() + 1), number = rest.substr(0, rest.find('.'));
    const bool digits = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    if (digits && (number.size() > 5 || std::stoi(number) < 1 || std::stoi(number) > f.members))
      return fmt::format("{} has the members 1 to {}", f.name, f.members);
  }
  return "";
}

// The model of "battery", "homes.pv" or "homes.3.pv".
std::optional<std::string> FaultReader::model_at(const std::string& path) const {
  if (const auto found = s_.models.find(path); found != s_.models.end()) return found->second;
  const std::size_t first = path.find('.'), second = path.find('.', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const std::string number = path.substr(first + 1, second - first - 1);
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos || number.size() > 5) return std::nullopt;
  for (const Plan::Fleet& f : s_.plan->fleets) {
    if (f.name == path.substr(0, first) && (std::stoi(number) < 1 || std::stoi(number) > f.members)) return std::nullopt;
  }
  const auto found = s_.models.find(path.substr(0, first) + path.substr(second));
  return found == s_.models.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace urja

#include "scenarios/fault_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

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
  assets_.read({s_.plan.get(), index, 1, AssetTarget::What::disturber, unit}, e.value, {"kind", "on", "at", "after", "start_time", "with"});
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
  fail(on ? *on : fault,
       !on      ? "the key 'on' is missing"
       : !model ? fmt::format("there is no asset '{}'", on->text)
                : fmt::format("'{}' is a {}, which {} does not befall", on->text, *model, type.name),
       can.empty() ? "it befalls " + any_of(fits) + ", and the plant has none" : "it can befall " + any_of(can));
  return false;
}

// A channel, or for links all that an asset sends; what measures it is made if it is not there. `target` becomes the channel's path where the
// kind says of which channel it is (a state of charge); `unit` is that of its sizes, empty where several channels are meant.
bool FaultReader::measured_target(const Type& type, const Role& role, const Node* on, const Node& fault, std::string& target, std::string& unit) {
  const bool links = role.models.front() == "link";
  const std::string end = role.tag.empty() ? "" : "." + role.tag;
  std::vector<MeasuredChannel> meant;
  if (on && on->is_scalar()) {
    if (!end.empty() && !target.ends_with(end)) target += end;
    meant = channels_meant(*s_.plan, target, links);
    // A member that is not there is none.
    if (!meant.empty() && meant.front().path != target && !model_at(links && model_at(target) ? target : target.substr(0, target.rfind('.')))) meant.clear();
  }
  if (target.find('*') != std::string::npos) meant.clear();
  if (meant.empty()) {
    if (on && (not_loaded_.count(on->text) || not_loaded_.count(on->text.substr(0, on->text.rfind('.'))))) return false;
    std::vector<std::string> can;
    for (const MeasuredChannel& c : measurable_channels(*s_.plan, false)) {
      if (end.empty() || c.channel == role.tag) can.push_back(end.empty() ? c.path : c.path.substr(0, c.path.size() - end.size()));
    }
    const std::string close = on ? nearest(on->text, can) : "";
    const bool asset = on && model_at(on->text).has_value();
    if (asset) std::erase_if(can, [&](const std::string& c) { return !c.starts_with(on->text + "."); });
    fail(on ? *on : fault,
         !on                    ? "the key 'on' is missing"
         : asset && end.empty() ? fmt::format("'{}' is an asset, and {} befalls one of its channels", on->text, type.name)
         : asset                ? fmt::format("'{}' has no {}", on->text, role.tag)
                                : fmt::format("there is no {} '{}'", end.empty() ? "channel" : "asset", on->text),
         asset && !can.empty()  ? "write on: " + any_of(can)
         : !close.empty() ? fmt::format("did you mean '{}'?", close)
         : can.empty()    ? "the plant has none that it can befall"
         : end.empty()    ? "write ASSET.CHANNEL, such as " + can.front()
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
      fail(*on, fmt::format("'{}' means channels of several units, and `{}` is of one", on->text, e.key), "write a channel, such as on: " + meant.front().path);
      return false;
    }
    unit = "1";
  }
  return true;
}

// The channel that another one is swapped with.
bool FaultReader::second_target(const Type& type, const Role& role, const Node& fault, const std::string& first, const std::string& unit, std::string& other) {
  const Node* with = fault.find("with");
  std::string its_unit;
  if (!with) {
    fail(fault, "the key 'with' is missing", "write the other channel, with: ASSET.CHANNEL");
    return false;
  }
  other = with->text;
  if (!measured_target(type, role, with, fault, other, its_unit)) return false;
  const auto mine = channels_meant(*s_.plan, first, false), theirs = channels_meant(*s_.plan, other, false);
  const auto owner = [](const std::string& path) { return path.substr(0, path.find('.')); };
  const bool fleets = mine.front().members > 1 || theirs.front().members > 1;
  if (other == first || its_unit != unit || mine.front().plan != theirs.front().plan || (fleets && owner(first) != owner(other))) {
    fail(*with,
         other == first       ? "is the same channel"
         : its_unit != unit   ? fmt::format("is in {}, and {} in {}", its_unit, first, unit)
                              : "lies in another fleet",
         "two channels of one unit can be swapped");
    return false;
  }
  Plan& home = *mine.front().plan;
  Plan::Instrument &a = home.sensor(mine.front().asset, mine.front().channel), &b = home.sensor(theirs.front().asset, theirs.front().channel);
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

// The same fault on the same asset, twice at a time, says nothing.
void FaultReader::check_overlap(int index, const Node& at, double start, double every, double duration) {
  const Plan& plan = *s_.plan;
  const auto& mine = s_.faults[static_cast<std::size_t>(index)];
  const double own_end = every > 0 ? 1e300 : start + duration;
  if (every > 0 && duration > every) fail(at, "it comes again before it has ended", "make its duration shorter than `every`");
  for (int k = 0; k < index; ++k) {
    const auto& other = s_.faults[static_cast<std::size_t>(k)];
    if (other.kind != mine.kind || other.on != mine.on) continue;
    const Plan::Asset& self = plan.disturbers[static_cast<std::size_t>(k)].self;
    const auto its = [&](const char* name) { return plan.starts[static_cast<std::size_t>(plan.row_of(self, name))]; };
    const double from = its("start_time"), to = its("every") > 0 ? 1e300 : from + its("duration");
    if (from < 1e299 && start < to && from < own_end)
      fail(at, fmt::format("overlaps with '{}', the same fault on the same asset", other.name), "part them in time, or keep one");
  }
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

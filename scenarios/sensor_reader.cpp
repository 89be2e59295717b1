#include "scenarios/sensor_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "engine/channels.hpp"
#include "engine/sensor.hpp"

namespace urja {
namespace {

// Does a controller of the plant read this?
bool is_wired(const Plan& plant, const Plan::Asset& asset, const std::string& channel) {
  for (const Plan::Asset& controller : plant.assets) {
    for (const Member& m : controller.type->members) {
      if (m.kind != Kind::input || m.wire.empty()) continue;
      const std::size_t dot = m.wire.find('.');
      if (m.wire.substr(dot + 1, m.wire.find('*') - dot - 1) != channel) continue;
      for (const Role& r : controller.type->roles) {
        if (r.name == m.wire.substr(0, dot) && std::find(r.models.begin(), r.models.end(), asset.type->name) != r.models.end())
          return true;
      }
    }
  }
  return false;
}

// "homes.3.load.demand" -> "homes.load.demand"
std::string without_member(const std::string& path) {
  const std::size_t first = path.find('.'), second = path.find('.', first + 1);
  if (second == std::string::npos) return path;
  const std::string number = path.substr(first + 1, second - first - 1);
  const bool digits =
      !number.empty() && std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); });
  return digits ? path.substr(0, first) + path.substr(second) : path;
}

}  // namespace

std::string unit_text(const std::string& unit) { return unit == "1" ? "plain numbers" : unit; }

std::vector<MeasuredChannel> measurable_channels(Plan& plan, bool usual) {
  std::vector<MeasuredChannel> all;
  const auto list = [&](Plan& home, const std::string& prefix, int members) {
    for (const Plan::Asset& a : home.assets) {
      if (a.type->controller) continue;
      const auto add = [&](const std::string& name, const std::string& unit, unsigned flags) {
        const bool wired = is_wired(plan, a, name);
        if (wired || (flags & telemetered) || (!usual && (flags & observable)))
          all.push_back({&home, a.name, name, prefix + a.name + "." + name, unit, members});
      };
      if (!a.type->ports.empty()) {
        for (const PortField& f : port_fields()) {
          if (f.kind == Kind::port || f.kind == Kind::scratch)
            add(f.name, f.unit, usual && std::string_view(f.name) == "reactive_power" ? 0 : f.flags);
        }
      }
      for (const Member& m : a.type->members) {
        if (m.count == 1 && (m.kind == Kind::state || m.kind == Kind::input || m.kind == Kind::output))
          add(m.name, m.unit, m.flags);
      }
    }
  };
  list(plan, "", 1);
  for (Plan::Fleet& f : plan.fleets) list(*f.plan, f.name + ".", f.members);
  return all;
}

std::vector<MeasuredChannel> channels_meant(Plan& plan, const std::string& path, bool several) {
  std::vector<MeasuredChannel> meant;
  const std::string name = without_member(path);
  const bool pattern = name.find('*') != std::string::npos;
  for (MeasuredChannel& c : measurable_channels(plan, pattern)) {
    if (c.path == name) return {c};
  }
  if (!several) return meant;
  for (MeasuredChannel& c : measurable_channels(plan, true)) {
    Channel as;
    as.group = "channels/" + c.path.substr(0, c.path.rfind('.'));
    as.name = c.channel;
    if (pattern ? means(name, as) : c.path.substr(0, c.path.rfind('.')) == name) meant.push_back(c);
  }
  return meant;
}

std::optional<LinkTooLong> link_too_long(const MeasuredChannel& c, double longer, bool alone) {
  const Plan& plan = *c.plan;
  const Plan::Instrument* one = plan.instrument(c.asset + "." + c.channel);
  if (!one || !one->link.type) return std::nullopt;
  const auto values = [&](const Plan::Asset& of, const std::string& name) {
    const int row = plan.row_of(of, name);
    const auto each = plan.member_starts.find(row);
    return each != plan.member_starts.end() ? each->second : std::vector<double>{plan.starts[static_cast<std::size_t>(row)]};
  };
  const std::vector<double> intervals = values(one->self, "interval");
  double own = 0;
  for (const Member& m : one->link.type->members) {
    if (alone || !m.has(held_by_link)) continue;
    const auto each = values(one->link, m.name);
    own += std::max(0.0, *std::max_element(each.begin(), each.end()));  // a clock may be slow
  }
  const double interval = std::max(*std::min_element(intervals.begin(), intervals.end()), plan.step), room = Link::room,
               time = own + longer;
  if (time <= room * interval * (1 + 1e-9)) return std::nullopt;
  return LinkTooLong{fmt::format("{:g} s are {:.0f} messages of {}, one each {:g} s, and a link holds {:g}", time,
                                 std::ceil(time / interval - 1e-9), c.path, interval, room),
                     fmt::format("at most {:g} s{}, or sample more rarely: sensors: {{{}: {{interval: {:g} s}}}}",
                                 std::max(0.0, room * interval - (longer > 0 ? own : 0)),
                                 own > 0 && longer > 0 ? fmt::format(" beside the link's own {:g} s", own) : "", c.path,
                                 std::ceil(time / room))};
}

void SensorReader::read(const Node& block, bool links) {
  if (block.kind == Node::Kind::null) return;
  if (!block.is_map()) {
    problems_.add({block.file(), block.line, block.column, block.path, "expected channels by name",
                   links ? "for example links: {battery: {delay: 2 s, loss: 1 %}}"
                         : "for example sensors: {battery.state_of_charge: {noise: 1 %}}"});
    return;
  }
  for (const Node::Entry& e : block.entries) read_entry(e, "", links);
}

// Neither a channel nor an asset nor a pattern of some.
void SensorReader::say_unknown(const Node::Entry& e, const std::string& path, bool links) {
  const std::string owner = path.substr(0, path.rfind('.'));
  for (const std::string& name : {path, owner, path.substr(0, path.find('.'))}) {
    if (not_loaded_.count(name) && !s_.models.count(name)) return;  // what is wrong with it has been said
  }
  const bool pattern = path.find('*') != std::string::npos, asset = s_.models.count(path) > 0;
  std::vector<std::string> known, owners, of_asset, fleets;
  for (const MeasuredChannel& c : measurable_channels(*s_.plan, false)) {
    const std::string its_owner = c.path.substr(0, c.path.rfind('.'));
    if (owners.empty() || owners.back() != its_owner) owners.push_back(its_owner);
    if (pattern) known.push_back("*." + c.channel);
    else known.push_back(c.path);
    if (its_owner == owner) of_asset.push_back(c.path);
    if (its_owner.starts_with(path + ".") && (fleets.empty() || fleets.back() != its_owner)) fleets.push_back(its_owner);
  }
  const bool of_asset_only = path.find('.') == std::string::npos || !nearest(path, owners).empty();
  if (!pattern && of_asset_only) known.insert(known.end(), owners.begin(), owners.end());
  const std::string close = nearest(path, known);
  problems_.add({e.value.file(), e.line, e.column, e.value.path,
                 asset             ? fmt::format("'{}' has no channel that is measured", path)
                 : pattern         ? fmt::format("no channel is meant by '{}'", path)
                 : !fleets.empty() ? fmt::format("'{}' is a fleet", path)
                                   : fmt::format("there is no channel '{}'", path),
                 !fleets.empty()     ? fmt::format("write {}", any_of(fleets)) + (links ? "" : ", or one of its channels")
                 : asset             ? "leave it out"
                 : !close.empty()    ? fmt::format("did you mean '{}'?", close)
                 : !of_asset.empty() ? "its channels: " + any_of(of_asset)
                                     : "write an asset, ASSET.CHANNEL such as " +
                                           (owners.empty() ? "battery.power" : known.front()) + ", or * for any text"});
}

void SensorReader::read_entry(const Node::Entry& e, const std::string& prefix, bool links) {
  const std::string path = prefix + e.key;
  const auto fail = [&](const std::string& what, const std::string& mend) {
    problems_.add({e.value.file(), e.line, e.column, e.value.path, what, mend});
  };
  if (!e.value.is_map())
    return fail(links ? "expected {delay: .., ..}" : "expected {noise: .., ..}",
                links ? "`urja describe link` lists what a link has" : "`urja describe sensor` lists what a sensor has");
  const auto meant = channels_meant(*s_.plan, path, true);
  // --set sensors.battery.power.noise=.. makes maps in maps.
  const Type& type = links ? link_type() : sensor_type();
  const bool nested = !e.value.entries.empty() && std::all_of(e.value.entries.begin(), e.value.entries.end(), [&](const auto& i) {
    return i.value.is_map() && !type.find(i.key);
  });
  if (nested && (meant.empty() || meant.front().path != path)) {
    for (const Node::Entry& i : e.value.entries) read_entry(i, path + ".", links);
    return;
  }
  if (without_member(path) != path)
    return fail(fmt::format("'{}' names one member of a fleet", path),
                fmt::format("write {} with a list of values, one a member", without_member(path)));
  if (meant.empty()) return say_unknown(e, path, links);
  if (meant.size() > 1) {  // of several units, say only what has the same unit everywhere
    for (const Node::Entry& inner : e.value.entries) {
      const Member* m = type.find(inner.key);
      const auto other = std::find_if(meant.begin(), meant.end(), [&](const auto& c) { return c.unit != meant.front().unit; });
      if (m && m->unit.starts_with("of channel") && other != meant.end()) {
        problems_.add({inner.value.file(), inner.line, inner.column, inner.value.path,
                       fmt::format("'{}' means channels of several units, such as {} in {} and {} in {}", path,
                                   meant.front().path, unit_text(meant.front().unit), other->path, unit_text(other->unit)),
                       "write channels of one unit, such as " + meant.front().path});
        return;
      }
    }
  }
  for (const MeasuredChannel& c : meant) {
    Plan::Instrument& one = c.plan->sensor(c.asset, c.channel);
    const auto index = static_cast<int>(&one - c.plan->instruments.data());
    if (links) c.plan->link(one);
    const std::size_t before = problems_.list().size();
    assets_.read({c.plan, index, c.members, links ? AssetTarget::What::link : AssetTarget::What::sensor, c.unit}, e.value, {});
    if (problems_.list().size() > before) return;  // the same would be said of each
    const auto too_long = links ? link_too_long(c, 0, false) : std::nullopt;
    if (!too_long) continue;
    const Node* at = nullptr;
    for (const Node::Entry& i : e.value.entries) {
      const Member* m = type.find(i.key);
      if (m && m->has(held_by_link) && !at) at = &i.value;
    }
    if (at) problems_.add({at->file(), at->line, at->column, at->path, too_long->what, too_long->mend});
    else fail(too_long->what, too_long->mend);
    return;
  }
}

}  // namespace urja

#include "scenarios/sensor_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

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
        if (r.name == m.wire.substr(0, dot) && std::find(r.models.begin(), r.models.end(), asset.type->name) != r.models.end()) return true;
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
  const bool digits = !number.empty() && std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); });
  return digits ? path.substr(0, first) + path.substr(second) : path;
}

}  // namespace

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
          if (f.kind == Kind::port || f.kind == Kind::scratch) add(f.name, f.unit, usual && std::string_view(f.name) == "reactive_power" ? 0 : f.flags);
        }
      }
      for (const Member& m : a.type->members) {
        if (m.count == 1 && (m.kind == Kind::state || m.kind == Kind::input || m.kind == Kind::output)) add(m.name, m.unit, m.flags);
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

void SensorReader::read_entry(const Node::Entry& e, const std::string& prefix, bool links) {
  const std::string path = prefix + e.key;
  const auto fail = [&](const std::string& what, const std::string& mend) {
    problems_.add({e.value.file(), e.line, e.column, e.value.path, what, mend});
  };
  if (!e.value.is_map())
    return fail(links ? "expected {delay: .., ..}" : "expected {noise: .., ..}",
                links ? "`urja describe link` lists what a link has" : "`urja describe sensor` lists what a sensor has");
  // --set sensors.battery.power.noise=.. makes maps in maps.
  if (!e.value.entries.empty() && std::all_of(e.value.entries.begin(), e.value.entries.end(), [](const auto& inner) { return inner.value.is_map(); })) {
    for (const Node::Entry& inner : e.value.entries) read_entry(inner, path + ".", links);
    return;
  }
  if (without_member(path) != path)
    return fail(fmt::format("'{}' names one member of a fleet", path), fmt::format("write {} with a list of values, one a member", without_member(path)));
  const auto meant = channels_meant(*s_.plan, path, true);
  if (meant.empty()) {
    const std::string owner = path.substr(0, path.rfind('.'));
    for (const std::string& name : {path, owner}) {
      if (not_loaded_.count(name) && !s_.models.count(name)) return;  // what is wrong with it has been said
    }
    std::vector<std::string> known;
    for (const MeasuredChannel& c : measurable_channels(*s_.plan, false)) known.push_back(c.path);
    const std::string close = nearest(path, known);
    const bool asset = s_.models.count(path) > 0;
    const bool on_asset = !asset && s_.models.count(path.substr(0, path.rfind('.')));
    std::vector<std::string> of_asset;
    for (const std::string& k : known) {
      if (k.substr(0, k.rfind('.')) == path.substr(0, path.rfind('.'))) of_asset.push_back(k);
    }
    return fail(asset ? fmt::format("'{}' has no channel that is measured", path) : fmt::format("there is no channel '{}'", path),
                !close.empty() ? fmt::format("did you mean '{}'?", close)
                : on_asset     ? "its channels: " + any_of(of_asset)
                               : "write an asset, ASSET.CHANNEL such as battery.power, or * for any text");
  }
  if (!links && meant.size() > 1) {  // of several units, say only what has the same unit everywhere
    for (const Node::Entry& inner : e.value.entries) {
      const Member* m = sensor_type().find(inner.key);
      const bool differ = std::any_of(meant.begin(), meant.end(), [&](const auto& c) { return c.unit != meant.front().unit; });
      if (m && m->unit.starts_with("of channel") && differ) {
        problems_.add({inner.value.file(), inner.line, inner.column, inner.value.path,
                       fmt::format("'{}' means channels of several units ({}, {}, ..)", path, meant.front().path, meant.back().path),
                       "write a channel, such as " + meant.front().path});
        return;
      }
    }
  }
  for (const MeasuredChannel& c : meant) {
    Plan::Instrument& one = c.plan->sensor(c.asset, c.channel);
    const auto index = static_cast<int>(&one - c.plan->instruments.data());
    if (links) c.plan->link(one);
    assets_.read({c.plan, index, c.members, links ? AssetTarget::What::link : AssetTarget::What::sensor, c.unit}, e.value, {});
  }
}

}  // namespace urja

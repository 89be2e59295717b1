#include "engine/channels.hpp"

#include "engine/sensor.hpp"

#include <algorithm>
#include <string_view>

namespace urja {

std::vector<Channel> default_channels(const Plan& plan) {
  std::vector<Channel> channels;
  for (const Quantity& q : plan.quantities()) {
    if (q.of_disturber) {  // its label
      if (q.name == "active") channels.push_back({"faults", q.asset, q.unit, q.doc, "label", q, true});
      continue;
    }
    const bool power = q.name == "power" && (q.kind == Kind::port || q.asset == "spill");
    const bool shown = power || q.kind == Kind::state || q.kind == Kind::output ||
                       (q.kind == Kind::input && (q.flags & (telemetered | observable)) != 0);
    if (!shown) continue;
    const bool at_end = q.kind == Kind::state || (q.flags & (content | thermal_content)) != 0;
    const char* kind = q.kind == Kind::state   ? "state"
                       : q.kind == Kind::input ? "input"
                       : q.kind == Kind::port  ? "port"
                                               : "output";
    const bool feeder = q.name == "flow" && !plan.asset(q.asset) && q.fleet < 0;
    const std::string group = q.asset == "plant" ? "plant" : (feeder ? "feeders/" : "channels/") + q.asset;
    channels.push_back({group, q.name, q.unit, q.doc, kind, q, at_end});
  }
  // What is measured, where somebody measures otherwise than perfectly, and how old it is.
  const auto measured = [&](const Plan& home, const std::string& prefix) {
    for (const Plan::Instrument& i : home.instruments) {
      Quantity q = *plan.measured(prefix + i.self.name);
      const bool at_end = q.kind == Kind::state || (q.flags & (content | thermal_content)) != 0;
      const std::string group = "measured/" + prefix + i.asset;
      Quantity age = q;
      age.row = i.self.offset + detail::offset_of<&Sensor::age>(), age.when = age.instead = -1;
      channels.push_back({group, i.channel, q.unit, "as measured: " + q.doc, "measured", std::move(q), at_end});
      channels.push_back(
          {group, i.channel + "_age", "s", "how old the measured value is by its stamp", "measured", std::move(age), true});
    }
  };
  measured(plan, "");
  for (const Plan::Fleet& f : plan.fleets) measured(*f.plan, f.name + ".");
  // What was measured at the plant that this is a model of, beside what is simulated of it.
  const auto references = [&](const Plan& home, const std::string& prefix) {
    for (const Plan::Reference& r : home.references) {
      Quantity q = *plan.find(prefix + r.asset + "." + r.channel);
      const bool at_end = q.kind == Kind::state || (q.flags & (content | thermal_content)) != 0;
      q.row = r.row;
      channels.push_back({"reference/" + prefix + r.asset, r.channel, q.unit, "measured at the plant: " + q.doc, "reference",
                          std::move(q), at_end});
    }
  };
  references(plan, "");
  for (const Plan::Fleet& f : plan.fleets) references(*f.plan, f.name + ".");
  const auto portless = [&](const Plan& home, const std::string& prefix, int fleet) {
    for (const Plan::Asset& a : home.assets) {
      if (!a.type->ports.empty()) continue;
      Quantity zero;
      zero.fleet = fleet;
      channels.push_back(
          {"channels/" + prefix + a.name, "power", "W", "none: it has no connection to a bus", "port", zero, true});
    }
  };
  portless(plan, "", -1);
  for (std::size_t f = 0; f < plan.fleets.size(); ++f)
    portless(*plan.fleets[f].plan, plan.fleets[f].name + ".", static_cast<int>(f));
  return channels;
}

std::vector<Channel> compared_channels(const Plan& plan, const std::string& group, int lane) {
  std::vector<Channel> channels = default_channels(plan);
  std::erase_if(channels, [&](const Channel& c) {
    const Plan::Asset* a = plan.asset(c.quantity.asset);
    const bool decided = a && a->type->controller && c.quantity.kind == Kind::output;
    const bool state = c.quantity.kind == Kind::state && (c.quantity.flags & telemetered) != 0;
    return !c.group.starts_with("channels/") || c.quantity.row < 0 || !(decided || state || c.quantity.kind == Kind::port);
  });
  for (Channel& c : channels) c.group = group + c.group.substr(std::string_view("channels").size()), c.lane = lane;
  return channels;
}

bool means(const std::string& choice, const Channel& channel) {
  const std::size_t slash = channel.group.find('/');
  const std::string asset = channel.group.substr(slash == std::string::npos ? 0 : slash + 1);
  // Only the last star need ever be tried again, with one letter more: no choice takes long, however many it has.
  const auto fits = [](std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, behind = 0;
    while (t < text.size()) {
      if (p < pattern.size() && pattern[p] == '*') star = p++, behind = t;
      else if (p < pattern.size() && pattern[p] == text[t]) ++p, ++t;
      else if (star != std::string_view::npos) p = star + 1, t = ++behind;
      else return false;
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
  };
  return fits(choice, asset) || fits(choice, asset + "." + channel.name);
}

std::vector<Channel> chosen_channels(const Plan& plan, const std::vector<std::string>& choices) {
  std::vector<Channel> channels = default_channels(plan);
  if (choices.empty()) return channels;
  std::erase_if(channels, [&](const Channel& c) {
    const bool audit = (c.name == "power" && c.group.starts_with("channels/")) || c.group == "faults" ||
                       c.group.starts_with("measured/") || c.group.starts_with("reference/");
    return !audit && std::none_of(choices.begin(), choices.end(), [&](const std::string& choice) { return means(choice, c); });
  });
  return channels;
}

std::vector<Quantity> metered(const std::vector<Channel>& channels) {
  std::vector<Quantity> sums;
  for (const Channel& c : channels) {
    if (!c.at_end) sums.push_back(c.quantity);
  }
  return sums;
}

}  // namespace urja

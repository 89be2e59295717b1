// urja describe: the reference of models, from their declarations.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "bridge/commands.hpp"
#include "engine/declare.hpp"
#include "engine/sensor.hpp"
#include "scenarios/planning/policy_options.hpp"
#include "scenarios/problems.hpp"
#include "scenarios/scenario.hpp"

namespace urja {
namespace {

using nlohmann::ordered_json;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::port: return "ports";
    case Kind::parameter: return "parameters";
    case Kind::state: return "states";
    case Kind::input: return "inputs";
    case Kind::output: return "outputs";
    default: return nullptr;
  }
}

ordered_json flags_of(unsigned flags) {
  constexpr std::pair<unsigned, const char*> names[] = {{observable, "observable"},
                                                        {actionable, "actionable"},
                                                        {estimable, "estimable"},
                                                        {telemetered, "telemetered"},
                                                        {hook, "hook"},
                                                        {source, "source"},
                                                        {sink, "sink"},
                                                        {loss, "loss"},
                                                        {stored, "stored"},
                                                        {content, "content"},
                                                        {unserved, "unserved"},
                                                        {jumped, "jumped"},
                                                        {thermal_source, "thermal_source"},
                                                        {thermal_loss, "thermal_loss"},
                                                        {thermal_stored, "thermal_stored"},
                                                        {thermal_content, "thermal_content"},
                                                        {needed, "needed"},
                                                        {held_by_link, "held_by_link"}};
  ordered_json list = ordered_json::array();
  for (const auto& [flag, name] : names) {
    if (flags & flag) list.push_back(name);
  }
  return list;
}

// Sensors, links and their faults have sizes in the unit of whatever they measure.
std::string unit_of(const Member& m) {
  return m.unit == "of channel"               ? "the channel's unit"
         : m.unit == "of channel, difference" ? "the channel's unit, K for degC"
                                              : m.unit;
}

// The layer of a plant that a fault lies in. What acts on a link and is the sensor's own (its clock) says so in its name.
std::string layer_of(const Type& fault) {
  const Role& role = fault.roles.front();
  const std::string& on = role.models.front();
  if (on == "link") return fault.name.starts_with("sensor_") ? "sensors" : "links";
  if (on == "sensor") return role.tag == "price" ? "grid" : "sensors";
  return on == "grid" ? "grid" : "plant";
}
// Whom it befalls, in words.
std::string befalls(const Type& fault) {
  const Role& role = fault.roles.front();
  if (role.models.front() == "sensor" || role.models.front() == "link")
    return !role.tag.empty()                 ? "an asset with " + role.tag
           : role.models.front() == "sensor" ? "a channel"
                                             : "an asset or a channel";
  return fmt::format("{}", fmt::join(role.models, ", "));
}
const char* text_of(Sign sign) { return sign == Sign::falls ? "falls" : sign == Sign::rises ? "rises" : "changes"; }
std::string effects_of(const Type& fault) {
  std::string all;
  for (const auto& [quantity, sign] : fault.effects) all += (all.empty() ? "" : ", ") + quantity + " " + text_of(sign);
  return all;
}

ordered_json describe(const Type& t) {
  ordered_json all{{"name", t.name}, {"doc", t.doc}, {"controller", t.controller}};
  if (t.disturb) {
    all["layer"] = layer_of(t);
    for (const auto& [quantity, sign] : t.effects) all["effects"].push_back({{"quantity", quantity}, {"sign", text_of(sign)}});
  }
  for (const char* group : {"ports", "parameters", "states", "inputs", "outputs"}) all[group] = ordered_json::array();
  const auto bounds = [](ordered_json& one, const Range& range) {
    if (range.low > -1e299) one["min"] = range.low;
    if (range.high < 1e299) one["max"] = range.high;
  };
  for (const Member& m : t.members) {
    const char* group = name_of(m.kind);
    if (!group) continue;
    ordered_json one{{"name", m.name}, {"unit", unit_of(m)}};
    if (m.kind != Kind::output && m.kind != Kind::port) {
      one["default"] = m.start;
      bounds(one, m.range);
    }
    one["doc"] = m.doc;
    one["flags"] = flags_of(m.flags);
    if (!m.source.empty()) one["source"] = m.source;
    if (!m.kpi_key.empty()) one["kpi"] = m.kpi_key;
    if (!m.wire.empty()) one["wire"] = m.wire;
    all[group].push_back(one);
  }
  if (!t.ports.empty()) {
    all["inputs"].push_back({{"name", "power"},
                             {"unit", "W"},
                             {"doc", "power out of the asset, when it is driven alone; without it, it does as it wishes"},
                             {"flags", ordered_json::array({"actionable"})}});
    all["outputs"].push_back({{"name", "power"},
                              {"unit", "W"},
                              {"doc", "power out of the asset into its bus"},
                              {"flags", ordered_json::array({"observable", "telemetered"})}});
  }
  for (const Setting& s : t.settings) {
    ordered_json one{{"name", s.name}, {"unit", s.unit}, {"default", s.start}};
    bounds(one, s.range);
    one["doc"] = s.doc;
    all["settings"].push_back(one);
  }
  for (const Choice& c : t.choices)
    all["choices"].push_back({{"name", c.name}, {"default", c.start}, {"allowed", c.allowed}, {"doc", c.doc}});
  for (const Table& table : t.tables) {
    ordered_json one{{"name", table.name}, {"doc", table.doc}};
    for (const auto& a : table.shape.axes) one["axes"].push_back({{"name", a.name}, {"unit", a.unit}});
    for (const auto& c : table.shape.columns) one["columns"].push_back({{"name", c.name}, {"unit", c.unit}});
    all["tables"].push_back(one);
  }
  for (const EventFile& f : t.files) {
    ordered_json one{{"name", f.name}, {"doc", f.doc}};
    for (const auto& c : f.columns) one["columns"].push_back({{"name", c.name}, {"unit", c.unit}, {"required", c.required}});
    all["events"].push_back(one);
  }
  for (const Derivation& d : t.derivations) {
    ordered_json one{{"name", d.key}, {"doc", d.doc}, {"fills", d.inputs}};
    for (const auto& c : d.columns) one["columns"].push_back({{"name", c.name}, {"unit", c.unit}, {"required", c.required}});
    all["data"].push_back(one);
  }
  for (const Role& r : t.roles)
    all["roles"].push_back(
        {{"name", r.name}, {"models", r.models}, {"tag", r.tag}, {"many", r.many}, {"optional", r.optional}, {"doc", r.doc}});
  for (const auto& order : t.orders) all["orders"].push_back(order);
  for (const auto& [name, file] : parameter_sets(t.name)) all["sets"].push_back(name);
  return all;
}

std::string number(double v, const std::string& unit) {
  return std::abs(v) < 1e299 ? fmt::format("{:g}", v) : unit == "s" ? "never" : "none";
}

void print(const Type& t) {
  fmt::print("{}: {}\n", t.name, t.doc);
  if (t.disturb) fmt::print("befalls {}; effect: {}; layer: {}\n", befalls(t), effects_of(t), layer_of(t));
  const ordered_json all = describe(t);
  std::size_t unit_width = 12;
  for (const Member& m : t.members) {
    if (name_of(m.kind)) unit_width = std::max(unit_width, unit_of(m).size());
  }
  for (const char* group : {"parameters", "states", "inputs", "outputs", "settings"}) {
    if (!all.contains(group) || all[group].empty()) continue;
    fmt::print("\n{}\n", group);
    for (const auto& one : all[group]) {
      std::string range;
      const std::string unit = one["unit"];
      if (one.contains("default")) range = number(one["default"], unit);
      if (one.contains("min") || one.contains("max")) {
        range += fmt::format(" [{}, {}]", one.contains("min") ? number(one["min"], unit) : "..",
                             one.contains("max") ? number(one["max"], unit) : "..");
      }
      std::string flags;
      if (one.contains("flags")) {
        for (const auto& f : one["flags"]) flags += (flags.empty() ? "" : ", ") + f.get<std::string>();
      }
      fmt::print("  {:<28} {:<{}} {:<26} {}{}{}\n", one["name"].get<std::string>(), one["unit"].get<std::string>(), unit_width,
                 range, one["doc"].get<std::string>(),
                 one.contains("source") ? " [" + one["source"].get<std::string>() + "]" : "",
                 flags.empty() ? "" : " (" + flags + ")");
    }
  }
  for (const char* group : {"choices", "tables", "events", "data", "roles"}) {
    if (!all.contains(group)) continue;
    fmt::print("\n{}\n", group);
    for (const auto& one : all[group]) {
      std::string more;
      for (const char* list : {"allowed", "fills", "models"}) {
        if (!one.contains(list)) continue;
        for (const auto& name : one[list]) more += (more.empty() ? "" : ", ") + name.get<std::string>();
      }
      for (const char* list : {"axes", "columns"}) {
        if (!one.contains(list)) continue;
        for (const auto& c : one[list])
          more += (more.empty() ? "" : ", ") + c["name"].get<std::string>() + " [" + c["unit"].get<std::string>() + "]";
      }
      fmt::print("  {:<28} {} ({})\n", one["name"].get<std::string>(), one["doc"].get<std::string>(), more);
    }
  }
  if (!t.orders.empty()) fmt::print("\norders\n");
  for (const auto& order : t.orders) fmt::print("  {}\n", fmt::join(order, " <= "));
  if (all.contains("sets")) {
    fmt::print("\nparameter sets (set: NAME)\n ");
    for (const auto& name : all["sets"]) fmt::print(" {}", name.get<std::string>());
    fmt::print("\n");
  }
}

ordered_json describe(const PolicyType& policy) {
  ordered_json all{{"name", policy.name}, {"doc", policy.doc}, {"controller", true}, {"policy", true}};
  for (const char* group : {"ports", "states", "inputs", "outputs", "parameters"}) all[group] = ordered_json::array();
  for (const PolicyKey& key : policy.keys) {
    ordered_json one{{"name", key.name}, {"unit", key.unit}};
    if (const double start = PolicyOptions{}.*key.value; std::isfinite(start)) one["default"] = start;
    one["min"] = key.range.low, one["max"] = key.range.high;
    one["doc"] = key.doc;
    all["parameters"].push_back(one);
  }
  return all;
}

void print(const PolicyType& policy) {
  fmt::print("{}: {}\n\nkeys\n", policy.name, policy.doc);
  for (const PolicyKey& key : policy.keys) {
    const double start = PolicyOptions{}.*key.value;
    fmt::print(
        "  {:<28} {:<12} {:<26} {}\n", key.name, key.unit,
        fmt::format("{} [{:g}, {:g}]", std::isfinite(start) ? fmt::format("{:g}", start) : "", key.range.low, key.range.high),
        key.doc);
  }
}

// `describe faults`: each kind by the layer that it lies in, with what it befalls and does.
int describe_faults(bool as_json) {
  if (as_json) {
    ordered_json all = ordered_json::array();
    for (const auto& [name, type] : disturbances()) all.push_back(describe(type));
    fmt::print("{}\n", all.dump());
    return done;
  }
  for (const auto& [layer, title] : {std::pair{"plant", "Plant"}, {"grid", "Grid"}, {"sensors", "Sensors"}, {"links", "Links"}}) {
    fmt::print("{}\n", title);
    for (const auto& [name, type] : disturbances()) {
      if (layer_of(type) == layer)
        fmt::print("  {:<28} {} (on {}); effect: {}\n", name, type.doc, befalls(type), effects_of(type));
    }
    fmt::print("\n");
  }
  fmt::print("urja describe FAULT tells more; `urja describe scenario` how a scenario says when.\n");
  return done;
}

int describe_command(const std::string& model, bool as_json) {
  if (model == "faults") return describe_faults(as_json);
  if (const char* text = language_topic(model); text && !as_json) {
    fmt::print("{}", text);
    return done;
  }
  if (model.empty()) {
    if (as_json) {
      ordered_json all = ordered_json::array();
      for (const auto& [name, type] : registry()) all.push_back(describe(type));
      for (const PolicyType& policy : policy_types()) all.push_back(describe(policy));
      fmt::print("{}\n", all.dump());
      return done;
    }
    for (const bool controllers : {false, true}) {
      fmt::print("{}\n", controllers ? "\ncontrollers" : "models");
      for (const auto& [name, type] : registry()) {
        if (type.controller == controllers) fmt::print("  {:<20} {}\n", name, type.doc);
      }
    }
    fmt::print("\ncontrollers that plan between steps (policies)\n");
    for (const PolicyType& policy : policy_types()) fmt::print("  {:<20} {}\n", policy.name, policy.doc);
    fmt::print(
        "\nurja describe MODEL tells more; urja describe faults lists the faults; urja describe sensor and link what is measured "
        "and sent.\n"
        "The language: urja describe scenario, data, calendar, sweep or gym.\n");
    return done;
  }
  if (const PolicyType* policy = find_policy(model)) {
    if (as_json) fmt::print("{}\n", describe(*policy).dump());
    else print(*policy);
    return done;
  }
  const Type* type = model == "sensor" || model == "sensors" ? &sensor_type()
                     : model == "link" || model == "links"   ? &link_type()
                                                             : find_type(model);
  if (const auto fault = disturbances().find(model); fault != disturbances().end()) type = &fault->second;
  if (!type) {
    std::vector<std::string> names{"faults", "sensor", "link", "scenario", "data", "calendar", "sweep", "gym"};
    for (const auto& [name, t] : disturbances()) names.push_back(name);
    for (const auto& [name, t] : registry()) names.push_back(name);
    for (const PolicyType& policy : policy_types()) names.push_back(policy.name);
    const std::string close = nearest(model, names);
    std::fprintf(stderr, "urja: there is no model, fault or topic '%s'; %s\n", model.c_str(),
                 close.empty() ? ("models: " + any_of(names)).c_str() : ("did you mean '" + close + "'?").c_str());
    return misused;
  }
  if (as_json) fmt::print("{}\n", describe(*type).dump());
  else print(*type);
  return done;
}

}  // namespace

void add_describe(CLI::App& app, Command& chosen) {
  auto model = std::make_shared<std::string>();
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("describe", "reference of models and faults, from their declarations, and of the language");
  command->footer("Example: urja describe battery");
  command->add_option(
      "model", *model,
      "a model, a fault, faults, sensor, link, scenario, data, calendar, sweep or gym; without it, the list of models");
  command->add_flag("--json", *as_json, "as JSON");
  command->callback([model, as_json, &chosen] { chosen = [model, as_json] { return describe_command(*model, *as_json); }; });
}

}  // namespace urja

// urja schema: the scenario language as a JSON schema, for completion and checks in an editor. All of it comes from the models'
// declarations. It is wider than the loader: units and bounds that depend on each other are left to `urja validate`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "bridge/commands.hpp"
#include "engine/declare.hpp"
#include "engine/sensor.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/planning/policy_options.hpp"
#include "scenarios/scenario.hpp"

namespace urja {
namespace {

using nlohmann::ordered_json;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\^$.|?*+()[]{}/").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// "13.5 kWh": a number and one of the units that fit; prices in any currency.
ordered_json quantity(const std::string& unit, bool data) {
  std::string units;
  for (std::string spelling : spellings(unit)) {
    const std::size_t money = spelling.find("USD");
    const std::string text = money == std::string::npos
                                 ? escaped(spelling)
                                 : escaped(spelling.substr(0, money)) + "[A-Z]{3}" + escaped(spelling.substr(money + 3));
    units += (units.empty() ? "" : "|") + text;
  }
  ordered_json any = ordered_json::array();
  const std::string number = "[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?";
  if (unit.starts_with("of channel")) {  // which one, only the plant knows
    any.push_back({{"type", "string"}, {"pattern", "^" + number + "( ?[A-Za-z%1].*)?$"}});
    any.push_back({{"type", "number"}});
    const ordered_json of_any{{"anyOf", any}};
    any.push_back({{"type", "array"}, {"items", of_any}, {"description", "one value for each member of the fleet"}});
    return {{"anyOf", any}};
  }
  const bool plain = convert({1, ""}, unit).has_value();  // shares are written bare, too
  any.push_back({{"type", "string"}, {"pattern", "^" + number + (plain ? " ?(" + units + ")?" : " ?(" + units + ")") + "$"}});
  if (plain) any.push_back({{"type", {"number", "boolean"}}});
  if (unit == "1") any.push_back({{"enum", {"yes", "no", "on", "off", "open", "closed"}}});
  if (unit == "s") any.push_back({{"type", "string"}, {"pattern", "^[0-9]{1,2}:[0-9]{2}$"}, {"description", "time of day"}});
  if (data)
    any.push_back({{"type", "string"},
                   {"pattern", "^[A-Za-z][A-Za-z0-9_-]*\\.[A-Za-z0-9_]+$"},
                   {"description", "column of a data set: set.column"}});
  const ordered_json one{{"anyOf", any}};
  ordered_json each = any;
  each.push_back({{"type", "array"}, {"items", one}, {"description", "one value for each member of the fleet"}});
  return {{"anyOf", each}};
}

ordered_json with_doc(ordered_json schema, const std::string& doc, const std::string& unit = "", const Range* range = nullptr) {
  std::string text = doc;
  if (unit.starts_with("of channel")) text += text.empty() ? "[the channel's unit]" : " [the channel's unit]";
  else if (!unit.empty() && unit != "1") text += (text.empty() ? "[" : " [") + unit + "]";
  if (range && range->low > -1e299 && range->high < 1e299) text += fmt::format(" {:g} to {:g}", range->low, range->high);
  if (!text.empty()) schema["description"] = text;
  return schema;
}

ordered_json model_schema(const Type& t) {
  ordered_json keys{{"model", with_doc({{"const", t.name}}, t.doc)}};
  if (!t.controller) keys["on"] = {{"type", "string"}, {"description", "feeder that it hangs on"}};
  ordered_json names = ordered_json::array();
  for (const auto& [set, file] : parameter_sets(t.name)) names.push_back(set);
  if (!names.empty()) keys["set"] = {{"enum", names}, {"description", "parameter set"}};
  for (const Member& m : t.members) {
    if (scenario_may_write(m)) keys[m.name] = with_doc(quantity(m.unit, m.kind == Kind::input), m.doc, m.unit, &m.range);
  }
  for (const Setting& s : t.settings) keys[s.name] = with_doc(quantity(s.unit, false), s.doc, s.unit, &s.range);
  for (const Choice& c : t.choices) {
    keys[c.name] = with_doc(c.allowed.empty() ? ordered_json{{"type", "string"}} : ordered_json{{"enum", c.allowed}}, c.doc);
  }
  for (const Table& table : t.tables) keys[table.name] = with_doc({{"type", "object"}}, table.doc);
  for (const EventFile& f : t.files) keys[f.name] = with_doc({{"type", "object"}}, f.doc);
  for (const Derivation& d : t.derivations) keys[d.key] = with_doc({{"type", "string"}}, d.doc);
  for (const Role& r : t.roles) {
    keys[r.name] = with_doc({{"anyOf", {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}}}}, r.doc);
  }
  return {{"type", "object"}, {"properties", keys}, {"required", {"model"}}, {"additionalProperties", false}};
}

ordered_json policy_schema(const PolicyType& policy) {
  ordered_json keys{{"model", with_doc({{"const", policy.name}}, policy.doc)}};
  for (const PolicyKey& key : policy.keys) keys[key.name] = with_doc(quantity(key.unit, false), key.doc, key.unit, &key.range);
  return {{"type", "object"}, {"properties", keys}, {"required", {"model"}}, {"additionalProperties", false}};
}

// Each model by the value of its key `model`, so that an editor complains about the right one.
ordered_json one_of_models(bool controllers) {
  ordered_json names = ordered_json::array(), cases = ordered_json::array();
  const auto take = [&](const std::string& name) {
    names.push_back(name);
    cases.push_back({{"if", {{"properties", {{"model", {{"const", name}}}}}, {"required", {"model"}}}},
                     {"then", {{"$ref", "#/$defs/" + name}}}});
  };
  for (const auto& [name, type] : registry()) {
    if (type.controller == controllers) take(name);
  }
  for (const PolicyType& policy : policy_types()) {
    if (controllers) take(policy.name);
  }
  return {{"type", "object"}, {"properties", {{"model", {{"enum", names}}}}}, {"required", {"model"}}, {"allOf", cases}};
}

// Each fault by the value of its key `kind`.
ordered_json faults_schema() {
  ordered_json kinds = ordered_json::array(), cases = ordered_json::array();
  for (const auto& [name, type] : disturbances()) {
    ordered_json one = model_schema(type);
    for (const char* key : {"model", "set", "start_time", "target"}) one["properties"].erase(key);
    one["properties"]["kind"] = with_doc({{"const", name}}, type.doc);
    const bool measured = type.roles.front().models.front() == "sensor" || type.roles.front().models.front() == "link";
    one["properties"]["on"] = {{"type", "string"},
                               {"description", measured ? "asset.channel that it befalls" : "asset that it befalls"}};
    one["properties"]["at"] = {{"type", "string"}, {"description", "local time at which it comes"}};
    one["properties"]["after"] = {{"type", "string"}, {"description", "fault that it follows"}};
    one["required"] = {"kind", "on"};
    if (one["properties"].contains("with")) {
      one["properties"]["with"] = with_doc({{"type", "string"}}, type.roles.back().doc);
      one["required"].push_back("with");
    }
    kinds.push_back(name);
    cases.push_back({{"if", {{"properties", {{"kind", {{"const", name}}}}}, {"required", {"kind"}}}}, {"then", one}});
  }
  return {{"type", {"object", "null"}},
          {"additionalProperties",
           {{"type", "object"}, {"properties", {{"kind", {{"enum", kinds}}}}}, {"required", {"kind", "on"}}, {"allOf", cases}}}};
}

// `sensors:` or `links:`: by channel.
ordered_json channels_schema(const Type& type) {
  ordered_json one = model_schema(type);
  one["properties"].erase("model");
  one["properties"].erase("on");
  one.erase("required");
  return with_doc({{"type", {"object", "null"}}, {"additionalProperties", one}},
                  type.doc + ": by asset.channel, or by asset, with * for any text");
}

// `gym:`, whose paths only the plant knows.
ordered_json gym_schema() {
  const ordered_json text{{"type", "string"}}, path = with_doc(text, "asset.channel; homes.*.load.power is that of each member");
  const ordered_json flag{{"enum", {true, false, "yes", "no"}}}, time = quantity("s", false), free = ordered_json::object();
  const auto object = [](ordered_json properties, ordered_json required = ordered_json::array()) {
    return ordered_json{{"type", "object"},
                        {"properties", std::move(properties)},
                        {"required", std::move(required)},
                        {"additionalProperties", false}};
  };
  const ordered_json times{{"anyOf", {time, {{"type", "array"}, {"items", time}}}}};
  const ordered_json price{
      {"anyOf",
       {{{"type", {"number", "string"}}},
        object({{"of", path}, {"above", free}, {"below", free}, {"ramp", free}, {"price", free}}, {"of", "price"})}}};
  const ordered_json prices{{"type", "object"}, {"additionalProperties", price}};
  const ordered_json seen{
      {"anyOf",
       {text, object({{"path", path}, {"low", free}, {"high", free}, {"lag", times}}, {"path"}),
        object({{"forecast", path}, {"ahead", times}, {"error", quantity("1", false)}, {"low", free}, {"high", free}},
               {"forecast", "ahead"})}}};
  const ordered_json done{
      {"anyOf",
       {text,
        object(
            {{"path", path}, {"low", free}, {"high", free}, {"values", {{"type", "array"}}}, {"choices", {{"type", "integer"}}}},
            {"path"})}}};
  return with_doc(
      object({{"interval", with_doc(time, "between two actions")},
              {"physics_step", with_doc(time, "in place of run.step")},
              {"controller", {{"enum", {"keep", "replace"}}}},
              {"episode", object({{"length", time},
                                  {"start", text},
                                  {"split", {{"type", "array"}, {"minItems", 3}, {"maxItems", 3}}},
                                  {"by", time}})},
              {"observations", {{"type", "array"}, {"items", seen}}},
              {"normalised_observations", flag},
              {"actions", {{"type", "array"}, {"items", done}}},
              {"normalised_actions", flag},
              {"reward", object({{"scale", {{"type", "number"}}}, {"cost", prices}, {"penalty", prices}})},
              {"terminate", {{"type", "array"}, {"items", object({{"of", path}, {"above", free}, {"below", free}}, {"of"})}}},
              {"randomise", {{"type", "object"}, {"additionalProperties", {{"type", "object"}}}}},
              {"faults", faults_schema()}}),
      "what an agent sees, does and is paid for: `urja describe gym`");
}

ordered_json schema() {
  ordered_json defs = ordered_json::object();
  for (const auto& [name, type] : registry()) defs[name] = model_schema(type);
  for (const PolicyType& policy : policy_types()) defs[policy.name] = policy_schema(policy);
  defs["asset"] = one_of_models(false);
  const ordered_json text{{"type", "string"}};
  ordered_json fleet{{"type", "object"},
                     {"properties",
                      {{"fleet", {{"type", {"integer", "string"}}, {"description", "number of members"}}},
                       {"on", text},
                       {"members", {{"type", "object"}, {"additionalProperties", {{"$ref", "#/$defs/asset"}}}}}}},
                     {"required", {"fleet", "members"}},
                     {"additionalProperties", false}};
  const ordered_json time = with_doc(text, "local time, such as 2016-08-01 00:00");
  ordered_json run{
      {"type", "object"},
      {"properties",
       {{"from", time},
        {"to", time},
        {"step", with_doc(quantity("s", false), "20 ms to 1 d")},
        {"record", with_doc(quantity("s", false), "interval of the result; a whole number of steps")},
        {"seed", {{"type", "integer"}, {"minimum", 0}}},
        {"channels", with_doc({{"type", {"array", "string"}}}, "what the result holds: battery, grid.power, *.temperature")}}},
      {"required", {"from", "to"}},
      {"additionalProperties", false}};
  ordered_json feeder{
      {"type", "object"}, {"properties", {{"limit", quantity("W", false)}, {"on", text}}}, {"additionalProperties", false}};
  ordered_json all{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Urja scenario"},
      {"type", "object"},
      {"properties",
       {{"urja", {{"const", 1}}},
        {"title", text},
        {"zone", with_doc(text, "IANA time zone of the plant")},
        {"run", run},
        {"data", {{"type", "object"}, {"additionalProperties", {{"type", "object"}}}}},
        {"feeders", {{"type", "object"}, {"additionalProperties", feeder}}},
        {"include", with_doc({{"type", {"string", "array"}}}, "files whose keys hold as if they stood here, unless they do")},
        {"assets", {{"type", {"object", "null"}}}},
        {"balance", with_doc({{"type", "array"}, {"items", text}}, "who takes what is left over within a step, in this order")},
        {"sensors", channels_schema(sensor_type())},
        {"links", channels_schema(link_type())},
        {"faults", faults_schema()},
        {"gym", gym_schema()},
        {"measurements", with_doc({{"type", {"object", "null"}}}, "what was measured of a channel: pv.dc_power: set.column")},
        {"controller", {{"type", {"object", "null"}}}}}},
      // What is included may hold the rest of an asset, or all of it.
      {"if", {{"required", {"include"}}}},
      {"then", ordered_json::object()},
      {"else",
       {{"properties",
         {{"assets",
           {{"type", "object"},
            {"additionalProperties",
             {{"if", {{"required", {"fleet"}}}}, {"then", fleet}, {"else", {{"$ref", "#/$defs/asset"}}}}}}},
          {"controller", one_of_models(true)}}},
        {"required", {"urja", "zone", "run", "assets", "balance"}}}},
      {"additionalProperties", false},
      {"$defs", defs}};
  return all;
}

}  // namespace

void add_schema(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("schema", "JSON schema of scenarios, for completion in an editor");
  command->footer(
      "Example: urja schema > urja.schema.json\n"
      "         then, first line of a scenario: # yaml-language-server: $schema=urja.schema.json");
  command->callback([&chosen] {
    chosen = [] {
      fmt::print("{}\n", schema().dump(1));
      return done;
    };
  });
}

}  // namespace urja

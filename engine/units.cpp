#include "engine/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace urja {
namespace {

// One spelling of a unit: its dimension, and value_in_base = value * factor + offset. The first of a dimension is its base.
struct Spelling {
  std::string_view name, dimension;
  double factor = 1, offset = 0;
};

// clang-format off
constexpr std::array spellings_of_simple_units{
    Spelling{"1", "number"}, Spelling{"%", "number", 0.01},
    Spelling{"W", "power"}, Spelling{"kW", "power", 1e3}, Spelling{"MW", "power", 1e6}, Spelling{"mW", "power", 1e-3},
    Spelling{"var", "reactive power"}, Spelling{"kvar", "reactive power", 1e3}, Spelling{"Mvar", "reactive power", 1e6},
    Spelling{"VA", "apparent power"}, Spelling{"kVA", "apparent power", 1e3}, Spelling{"MVA", "apparent power", 1e6},
    Spelling{"Wh", "energy"}, Spelling{"kWh", "energy", 1e3}, Spelling{"MWh", "energy", 1e6}, Spelling{"J", "energy", 1 / 3600.0},
    Spelling{"kJ", "energy", 1 / 3.6}, Spelling{"MJ", "energy", 1e3 / 3.6},
    Spelling{"V", "voltage"}, Spelling{"kV", "voltage", 1e3}, Spelling{"mV", "voltage", 1e-3},
    Spelling{"A", "current"}, Spelling{"mA", "current", 1e-3}, Spelling{"kA", "current", 1e3},
    Spelling{"Ah", "charge"}, Spelling{"mAh", "charge", 1e-3},
    Spelling{"ohm", "resistance"}, Spelling{"mohm", "resistance", 1e-3},
    Spelling{"F", "capacitance"}, Spelling{"kF", "capacitance", 1e3}, Spelling{"mF", "capacitance", 1e-3},
    Spelling{"s", "time"}, Spelling{"ms", "time", 1e-3}, Spelling{"min", "time", 60}, Spelling{"h", "time", 3600}, Spelling{"d", "time", 86400},
    Spelling{"Hz", "frequency"}, Spelling{"mHz", "frequency", 1e-3},
    Spelling{"degC", "temperature"}, Spelling{"K", "temperature", 1, -273.15}, Spelling{"degF", "temperature", 5 / 9.0, -160 / 9.0},
    Spelling{"m", "length"}, Spelling{"km", "length", 1e3}, Spelling{"mm", "length", 1e-3},
    Spelling{"deg", "angle"}, Spelling{"rad", "angle", 57.29577951308232},
    Spelling{"m/s", "speed"}, Spelling{"km/h", "speed", 1 / 3.6},
    Spelling{"Pa", "pressure"}, Spelling{"hPa", "pressure", 100}, Spelling{"mbar", "pressure", 100}, Spelling{"kPa", "pressure", 1e3},
    Spelling{"kg", "mass"}, Spelling{"g", "mass", 1e-3}, Spelling{"t", "mass", 1e3},
    Spelling{"l", "volume"}, Spelling{"m3", "volume", 1e3},
    Spelling{"W/m2", "irradiance"}, Spelling{"kW/m2", "irradiance", 1e3}, Spelling{"Wh/m2", "irradiance"},
    Spelling{"K/W", "thermal resistance"}, Spelling{"J/K", "heat capacity"}, Spelling{"kJ/K", "heat capacity", 1e3},
    Spelling{"W/(m2 K)", "heat loss"}, Spelling{"W s/(m3 K)", "heat loss by wind"},
    Spelling{"1/K", "per kelvin"}, Spelling{"%/K", "per kelvin", 0.01},
    Spelling{"1/s", "rate"}, Spelling{"1/min", "rate", 1 / 60.0}, Spelling{"1/h", "rate", 1 / 3600.0}, Spelling{"1/d", "rate", 1 / 86400.0},
    Spelling{"W/s", "power ramp"}, Spelling{"kW/s", "power ramp", 1e3}, Spelling{"kW/min", "power ramp", 1e3 / 60},
    Spelling{"kg/kWh", "carbon intensity"}, Spelling{"g/kWh", "carbon intensity", 1e-3}, Spelling{"kg/MWh", "carbon intensity", 1e-3},
    Spelling{"l/kWh", "fuel per energy"}, Spelling{"l/h", "fuel flow"}, Spelling{"kg/l", "density"}, Spelling{"kg/h", "mass flow"},
    Spelling{"l/(kW h)", "fuel per rating"},
    Spelling{"W/W", "power share"}, Spelling{"W/kW", "power share", 1e-3}, Spelling{"kW/kW", "power share"},
    Spelling{"money", "money"}, Spelling{"money/h", "money flow"},
    Spelling{"money/kWh", "energy price"}, Spelling{"money/MWh", "energy price", 1e-3}, Spelling{"money/Wh", "energy price", 1e3},
    Spelling{"money/kW", "demand price"}, Spelling{"money/MW", "demand price", 1e-3},
    // Of whatever a sensor measures: the loader puts that channel's unit in its place. The second is a difference of two values.
    Spelling{"of channel", "value of a channel"}, Spelling{"of channel, difference", "difference of a channel"},
    Spelling{"money/l", "fuel price"}, Spelling{"money/kg", "mass price"}, Spelling{"money/t", "mass price", 1e-3},
};
// clang-format on

const Spelling* find(std::string_view name) {
  for (const Spelling& s : spellings_of_simple_units) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

// "USD/kWh" -> "money/kWh" and "USD". Mean power over an interval may be written as its energy: kWh/h is kW.
std::string canonical(std::string_view unit, std::string* currency) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (unit.size() >= 3 && upper(unit[0]) && upper(unit[1]) && upper(unit[2]) && (unit.size() == 3 || unit[3] == '/')) {
    if (currency) *currency = std::string(unit.substr(0, 3));
    return "money" + std::string(unit.substr(3));
  }
  if (unit.size() > 3 && unit.ends_with("h/h")) return std::string(unit.substr(0, unit.size() - 3));
  return std::string(unit);
}

}  // namespace

std::optional<WrittenQuantity> parse_quantity(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '_'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  WrittenQuantity q;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), q.value);
  if (error != std::errc() || !std::isfinite(q.value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  // "5e" or "3x": letters that touch the number are a unit only if they are one.
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  q.unit = std::string(text);
  return q;
}

bool known_unit(std::string_view unit) { return find(unit) != nullptr; }

bool adds_up(std::string_view unit) {
  constexpr std::array dimensions{"power",     "reactive power", "apparent power", "power ramp",   "energy",
                                  "current",   "charge",         "mass",           "mass flow",    "volume",
                                  "fuel flow", "money",          "money flow",     "heat capacity"};
  const Spelling* s = find(unit);
  return s && std::find(dimensions.begin(), dimensions.end(), s->dimension) != dimensions.end();
}

std::optional<double> convert(const WrittenQuantity& quantity, std::string_view declared, std::string* currency) {
  const Spelling* to = find(declared);
  if (!to) return std::nullopt;
  std::string seen;
  const std::string name = quantity.unit.empty() ? "1" : canonical(quantity.unit, &seen);
  const Spelling* from = find(name);
  if (!from) return std::nullopt;
  if (declared == "K") return from == to ? std::optional(quantity.value) : std::nullopt;  // a difference, and 3 degC is none
  // A share of a rating is a plain number too.
  const auto dimension = [](const Spelling& s) {
    return s.dimension == "power share" ? std::string_view("number") : s.dimension;
  };
  if (dimension(*from) != dimension(*to)) return std::nullopt;
  if (currency && !seen.empty()) *currency = seen;
  if (from == to) return quantity.value;
  return ((quantity.value * from->factor + from->offset) - to->offset) / to->factor;
}

std::vector<std::string> spellings(std::string_view declared) {
  std::vector<std::string> names;
  if (declared == "K") return {"K"};
  if (const Spelling* unit = find(declared)) {
    for (const Spelling& s : spellings_of_simple_units) {
      if (s.dimension != unit->dimension) continue;
      std::string name(s.name);
      if (name.starts_with("money")) name.replace(0, 5, "USD");
      names.push_back(name == "1" ? "a plain number" : name);
    }
  }
  return names;
}

OutsideUnit outside_unit(std::string_view declared) {
  struct Outside {
    std::string_view unit, suffix;
    double factor = 1;
  };
  // clang-format off
  constexpr std::array outside{
      Outside{"W", "kw", 1e-3}, Outside{"var", "kvar", 1e-3}, Outside{"Wh", "kwh", 1e-3}, Outside{"VA", "kva", 1e-3},
      Outside{"V", "v"}, Outside{"A", "a"}, Outside{"Ah", "ah"}, Outside{"ohm", "ohm"}, Outside{"F", "f"}, Outside{"s", "s"},
      Outside{"Hz", "hz"}, Outside{"degC", "c"}, Outside{"m/s", "m_s"}, Outside{"W/m2", "w_m2"}, Outside{"kg", "kg"},
      Outside{"l", "l"}, Outside{"l/h", "l_h"}, Outside{"Pa", "pa"}, Outside{"kg/kWh", "kg_kwh"}, Outside{"deg", "deg"},
  };
  // clang-format on
  for (const Outside& o : outside) {
    if (o.unit == declared) return {std::string(o.suffix), o.factor};
  }
  return {};
}

std::optional<double> parse_duration(std::string_view text) {
  const auto q = parse_quantity(text);
  return q ? convert(*q, "s") : std::nullopt;
}

}  // namespace urja

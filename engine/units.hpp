#pragma once
// Units: a closed list. A declaration names one of them, a scenario may use any of the same dimension.
//
// `money` stands for the scenario's currency: in YAML it is written with its ISO code (`0.20 USD/kWh`), and one scenario
// has one currency. `1` is a plain number or a share; `%` of it may be written.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace urja {

// A number with a unit as somebody wrote it: "13.5 kWh", "-0.4 %/K", "0.2 USD/kWh", "15".
struct WrittenQuantity {
  double value = 0;
  std::string unit;  // empty: a plain number
};

// Splits "13.5 kWh" into number and unit. Nothing if it does not start with a number or if the number is not finite.
std::optional<WrittenQuantity> parse_quantity(std::string_view text);

// Is this a unit that a declaration may use?
bool known_unit(std::string_view unit);

// Do amounts of this unit add up over assets (power, energy, fuel, money)? The others are compared or averaged: shares,
// temperatures, voltages, prices.
bool adds_up(std::string_view unit);

// The value in the declared unit, or nothing when the units do not fit (`kW` where `Wh` is declared, no unit at all).
// `currency` receives the ISO code where the unit has money in it and is left alone otherwise.
std::optional<double> convert(const WrittenQuantity& quantity, std::string_view declared, std::string* currency = nullptr);

// Every way to write a quantity of this dimension, for messages: {"W", "kW", "MW"}.
std::vector<std::string> spellings(std::string_view declared);

// A name's suffix where data leave us, and the factor from the declared unit: W -> {"kw", 1e-3}, degC -> {"c", 1}.
struct OutsideUnit {
  std::string suffix;
  double factor = 1;
};
OutsideUnit outside_unit(std::string_view declared);

// "15 min", "1 h", "20 ms": seconds.
std::optional<double> parse_duration(std::string_view text);

}  // namespace urja

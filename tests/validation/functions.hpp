#pragma once
// Functions that a validation case may name instead of a model: what `urja probe` cannot drive because no model declares it as its
// inputs and outputs (the sun, light on planes). A new one is a line in functions.cpp.
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace urja::tests {

using Values = std::map<std::string, double>;

struct Function {
  std::vector<std::string> arguments;  // `time` is an instant; all others are numbers
  std::function<Values(const Values& arguments)> call;
};

// By name. Angles in degrees, time in UTC seconds since 1970, else Pa, degC, m, W/m2 as in models/sun.
const std::map<std::string, Function>& functions();

}  // namespace urja::tests

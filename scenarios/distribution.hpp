#pragma once
// Distributions as sweeps and gyms write them:
//
//     {uniform: [4 kW, 8 kW]}   {log_uniform: [1, 100]}   {whole: [1, 6]}   {triangular: [low, most likely, high]}
//     {normal: {mean: 0.30, sd: 0.05, low: 0.05, high: 1}}   {lognormal: {median: 10 s, sigma: 0.5}}   {choice: [a, b]}
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/problems.hpp"
#include "scenarios/tree.hpp"

namespace urja {

struct Distribution {
  std::string unit;                        // of all its numbers, as written; empty: plain numbers
  std::function<double(double)> quantile;  // a value from a probability in (0, 1)
  std::vector<Node> choices;               // instead of numbers
};

// Reports what is wrong and returns nothing then.
std::optional<Distribution> read_distribution(const Node& node, Problems& problems);

}  // namespace urja

#pragma once
// An environment in process, for tests, and a plant that says within a test what it means to say.
#include <cmath>
#include <string>
#include <vector>

#include "scenarios/gym/environment.hpp"
#include "scenarios/run.hpp"
#include "tests/catch.hpp"

namespace urja::tests {

using Mode = VectorEnvironment::Autoreset;

inline const std::string library = std::string(URJA_SOURCE_DIR) + "/scenarios/gym/";

inline Scenario gym_of(const std::string& file, std::vector<std::string> set = {},
                       LoadOptions::Gym gym = LoadOptions::Gym::agent) {
  LoadOptions load;
  load.set = std::move(set);
  load.gym = gym;
  try {
    return load_scenario(file, load);
  } catch (const ScenarioError& e) {
    FAIL(e.problems.text());
    throw;
  }
}

// Results in memory of their own.
class Env {
 public:
  Env(const Scenario& s, int lanes, Mode mode = Mode::next_step, int threads = 1,
      GymSpecification::Split split = GymSpecification::train, bool agent = true)
      : env(s, {lanes, mode, split, threads, agent}) {
    const auto n = static_cast<std::size_t>(lanes), wide = static_cast<std::size_t>(env.observations());
    observations.resize(n * wide), reward.resize(n), terminated.resize(n), truncated.resize(n);
    columns.resize(n * static_cast<std::size_t>(env.columns())), draws.resize(n * static_cast<std::size_t>(env.draws()));
    final_index.resize(n), final_observations.resize(n * wide);
    result = {observations.data(), reward.data(), terminated.data(),  truncated.data(),
              columns.data(),      draws.data(),  final_index.data(), final_observations.data()};
  }
  void reset(std::uint64_t first_seed) {
    std::vector<std::uint64_t> seeds(reward.size());
    for (std::size_t k = 0; k < seeds.size(); ++k) seeds[k] = first_seed + k;
    env.reset(seeds, {}, result);
  }
  void step(const std::vector<float>& actions) { env.step(actions, 1, result); }
  double get(int lane, const Quantity& q) const {
    const auto place = env.place(lane);
    return place.batch.get(place.lane, q);
  }
  std::vector<float> row(int lane) const {
    const auto wide = static_cast<std::size_t>(env.observations());
    const auto begin = observations.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(lane) * wide);
    return {begin, begin + static_cast<std::ptrdiff_t>(wide)};
  }
  std::vector<double> column(int lane) const {
    std::vector<double> all;
    for (std::size_t k = static_cast<std::size_t>(lane); k < columns.size(); k += reward.size()) all.push_back(columns[k]);
    return all;
  }

  VectorEnvironment env;
  VectorEnvironment::Result result{};
  std::vector<float> observations, final_observations;
  std::vector<double> reward, columns, draws;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::uint32_t> final_index;
};

// The same action for a lane whatever batch it is in.
inline std::vector<float> actions_of(int lanes, int actions, int first_lane, int step) {
  std::vector<float> all;
  for (int lane = 0; lane < lanes; ++lane) {
    for (int a = 0; a < actions; ++a)
      all.push_back(static_cast<float>(std::sin(0.7 * (first_lane + lane) + 1.3 * a + 0.31 * step)));
  }
  return all;
}

// A plant that says within a test what it means to say.
inline std::string small(const std::string& gym, const std::string& more = "") {
  return "urja: 1\nzone: UTC\nrun: {from: 2024-01-01 00:00, to: 2024-01-11 00:00, step: 5 min, seed: 3}\n"
         "data:\n  day:\n    format: calendar\n    columns:\n"
         "      wish: {unit: kW, otherwise: 1, periods: [{hours: \"12:00-13:00\", value: 3}]}\n"
         "      price: {unit: EUR/kWh, otherwise: 0.1, periods: [{hours: \"12:00-20:00\", value: 0.4}]}\n"
         "assets:\n  load: {model: load, demand: day.wish}\n"
         "  battery: {model: battery, set: lfp_home_13kwh, state_of_charge: 50 %}\n"
         "  grid: {model: grid, price: day.price, export_price: 0.05 EUR/kWh}\n"
         "balance: [battery, grid, load]\n" +
         more + "gym:\n" + gym;
}

}  // namespace urja::tests

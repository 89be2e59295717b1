// The gym and the members of a fleet: what is said of all of them, and to all of them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/corpus/program.hpp"
#include "tests/gym_env.hpp"

namespace {

using namespace urja;
using namespace urja::tests;

const std::string street =
    "urja: 1\nzone: UTC\nrun: {from: 2024-01-01 00:00, to: 2024-01-11 00:00, step: 15 min, seed: 3}\n"
    "assets:\n"
    "  homes:\n    fleet: 3\n    members:\n"
    "      load: {model: load, demand: 1 kW}\n"
    "      battery: {model: battery, set: lfp_home_13kwh, state_of_charge: [20 %, 50 %, 80 %], packs: [1, 2, 3], temperature: "
    "[20 degC, 25 degC, 30 degC]}\n"
    "  grid: {model: grid, price: 0.3 EUR/kWh}\n"
    "balance: [grid]\n"
    "gym:\n  normalised_observations: no\n  normalised_actions: no\n  episode: {length: 1 d, start: first}\n";

}  // namespace

TEST_CASE("gym: of all members of a fleet a power is their sum, and a temperature or a share their mean", "[gym]") {
  Scratch folder;
  const Scenario s = gym_of(folder.write(
      "s.yaml",
      street +
          "  observations: [homes.battery.state_of_charge, homes.battery.temperature, homes.battery.stored_energy, "
          "homes.*.battery.state_of_charge]\n"
          "  actions: [homes.battery.power]\n"
          "  reward: {cost: {equivalent_full_cycles: 1}, penalty: {cold: {of: homes.battery.temperature, below: 24 degC, price: "
          "1}}}\n"
          "  terminate: [{of: homes.battery.temperature, above: 60 degC}, {of: homes.battery.state_of_charge, above: 99 %}]\n"));
  Env env(s, 2, Mode::disabled);
  env.reset(0);
  CHECK(env.row(0)[0] == Approx(0.5f));
  CHECK(env.row(0)[1] == Approx(25.0f).margin(1));
  CHECK(env.row(0)[2] > 3 * 13000);  // Wh, in six packs
  // What is said to all is said to each: the bounds are what one of them can do, and each does it.
  const auto& action = env.env.specification().actions[0];
  const double rating = s.plan->fleets[0].plan->starts[static_cast<std::size_t>(s.plan->find("homes.1.battery.rating")->row)];
  CHECK(action.high <= 1.1 * rating);
  CHECK(action.high >= 0.5 * rating);
  std::vector<float> low(2), high(2);
  std::vector<std::uint8_t> none;
  env.env.masks(low, high, none);
  CHECK(high[0] <= 1.1 * rating);
  double cycles = 0;
  for (int k = 0; k < 4; ++k) {
    env.step({500, 500});
    CHECK(env.terminated[0] == 0);
    for (int m = 1; m <= 3; ++m)
      CHECK(env.get(0, *s.plan->find("homes." + std::to_string(m) + ".battery.power")) == Approx(500).margin(1e-3));
    cycles += env.columns[0];
    CHECK(env.columns[2] == 0);
  }
  double mean = 0;
  for (int m = 1; m <= 3; ++m)
    mean += env.get(0, *s.plan->find("homes." + std::to_string(m) + ".battery.equivalent_full_cycles")) / 3;
  CHECK(mean > 0);
  CHECK(cycles == Approx(mean).epsilon(1e-9));
  // The truth is that of each.
  std::vector<double> truth(2 * env.env.state_map().size());
  env.env.state(truth);
  int found = 0;
  for (std::size_t q = 0; q < env.env.state_map().size(); ++q) {
    const Quantity& one = env.env.state_map()[q];
    if (one.name != "state_of_charge") continue;
    ++found;
    CHECK(one.member >= 0);
    CHECK(truth[q] == env.get(0, one));
    CHECK(truth[q] < 0.3 * found);
  }
  CHECK(found == 3);
}

TEST_CASE("gym: what multiplies a fleet's parameter does so for each member, and what is drawn widens the bounds that are found",
          "[gym]") {
  Scratch folder;
  const Scenario s =
      gym_of(folder.write("s.yaml", street + "  observations: [homes.battery.temperature, homes.battery.stored_energy]\n"
                                             "  actions: [homes.*.battery.power]\n"
                                             "  randomise: {homes.battery.packs: {times: {uniform: [0.5, 10]}}, "
                                             "homes.battery.temperature: {uniform: [0 degC, 50 degC]}}\n"));
  constexpr int lanes = 200;
  Env env(s, lanes, Mode::disabled);
  env.reset(5);
  int at_bound = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    double mean = 0;
    for (int m = 1; m <= 3; ++m) {
      const double packs = env.get(lane, *s.plan->find("homes." + std::to_string(m) + ".battery.packs"));
      CHECK(packs >= 0.5 * m);
      CHECK(packs <= 10.0 * m);
      mean += packs / 3;
    }
    CHECK(env.draws[static_cast<std::size_t>(lane)] == Approx(mean));
    for (std::size_t o = 0; o < 2; ++o) {
      const auto& seen = env.env.specification().observations[o];
      const float value = env.row(lane)[o];
      at_bound += value <= static_cast<float>(seen.low) || value >= static_cast<float>(seen.high);
    }
  }
  CHECK(at_bound == 0);
}

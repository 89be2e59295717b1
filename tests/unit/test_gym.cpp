// The gym without a socket: episodes, observations, rewards, determinism.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/corpus/program.hpp"
#include "tests/gym_env.hpp"

namespace {

using namespace urja;
using namespace urja::tests;

}  // namespace

TEST_CASE("gym: lane i of a batch seeded s is a single environment seeded s + i, for any threads", "[gym]") {
  constexpr int lanes = 70;
  for (const char* file : {"village_faults.yaml", "workplace_ev.yaml", "cloudy_day.yaml"}) {
    const bool clouds = file == std::string("cloudy_day.yaml");
    const Scenario s =
        gym_of(library + file, {clouds ? "gym.episode.length=1 min" : "gym.episode.length=30 min", "gym.episode.start=random"});
    for (const Mode mode : {Mode::next_step, Mode::same_step}) {
      for (const int threads : {1, 2, 3}) {
        Env batch(s, lanes, mode, threads);  // with three threads in three shards
        batch.reset(40);
        std::vector<std::unique_ptr<Env>> singles;
        for (const int lane : {0, 8, 31, 32, 69}) {
          singles.push_back(std::make_unique<Env>(s, 1, mode));
          singles.back()->reset(static_cast<std::uint64_t>(40 + lane));
        }
        const int steps = clouds ? 40 : 7;
        int apart = 0;
        for (int k = 0; k <= steps; ++k) {
          if (k > 0) batch.step(actions_of(lanes, batch.env.actions(), 0, k));
          std::size_t which = 0;
          for (const int lane : {0, 8, 31, 32, 69}) {
            Env& one = *singles[which++];
            if (k > 0) one.step(actions_of(1, one.env.actions(), lane, k));
            const auto at = static_cast<std::size_t>(lane);
            apart += one.row(0) != batch.row(lane);
            apart += one.reward[0] != batch.reward[at];
            apart += one.terminated[0] != batch.terminated[at] || one.truncated[0] != batch.truncated[at];
            apart += one.column(0) != batch.column(lane);
          }
        }
        INFO(file << " threads " << threads << " mode " << static_cast<int>(mode));
        CHECK(apart == 0);
      }
    }
  }
}

TEST_CASE("gym: lanes in several shards are lanes in one: state, totals, masks, snapshots, branches, last sights", "[gym]") {
  const Scenario s = gym_of(library + "village_faults.yaml", {"gym.episode.length=1 h", "gym.episode.start=random"});
  constexpr int lanes = 70;
  Env one(s, lanes, Mode::same_step, 1), many(s, lanes, Mode::same_step, 3);
  const auto both = [&](auto&& what) { what(one), what(many); };
  const auto alike = [&] {
    const std::size_t n = lanes, states = n * one.env.state_map().size(),
                      columns = n * static_cast<std::size_t>(one.env.columns());
    std::vector<double> state[2], running[2], last[2];
    std::vector<std::uint32_t> length[2];
    std::vector<float> low[2], high[2];
    int k = 0;
    both([&](Env& e) {
      state[k].resize(states), running[k].resize(columns), last[k].resize(columns), length[k].resize(n);
      low[k].resize(n), high[k].resize(n);
      e.env.state(state[k]);
      e.env.totals(running[k], last[k], length[k]);
      e.env.masks(low[k], high[k], {});
      ++k;
    });
    return one.observations == many.observations && one.reward == many.reward && one.columns == many.columns &&
           one.draws == many.draws && state[0] == state[1] && running[0] == running[1] && last[0] == last[1] &&
           length[0] == length[1] && low[0] == low[1] && high[0] == high[1];
  };
  both([&](Env& e) { e.reset(9); });
  std::shared_ptr<const VectorEnvironment::Snapshot> kept[2];
  std::uint32_t ended = 0;
  for (int k = 0; k < 9; ++k) {
    both([&](Env& e) { e.step(actions_of(lanes, e.env.actions(), 0, k)); });
    REQUIRE(alike());
    REQUIRE(one.result.ended == many.result.ended);
    for (std::uint32_t row = 0; row < one.result.ended; ++row) REQUIRE(one.final_index[row] == many.final_index[row]);
    const auto seen = static_cast<std::ptrdiff_t>(one.result.ended) * one.env.observations();
    REQUIRE(std::equal(one.final_observations.begin(), one.final_observations.begin() + seen, many.final_observations.begin()));
    ended += one.result.ended;
    if (k == 2) kept[0] = one.env.snapshot(), kept[1] = many.env.snapshot();
    if (k == 5) {
      std::vector<std::uint8_t> mask(lanes, 0);
      for (std::size_t lane = 20; lane < 50; ++lane) mask[lane] = 1;
      one.env.restore(*kept[0], mask), many.env.restore(*kept[1], mask);
      both([](Env& e) { e.env.branch(3, 69), e.env.branch(68, 0), e.env.branch(33, 32), e.env.observe(e.result); });
      REQUIRE(alike());
      REQUIRE(many.row(3) == many.row(69));
      REQUIRE(many.row(68) == many.row(0));
    }
  }
  CHECK(ended >= lanes);
}

TEST_CASE("gym: the three autoreset modes tell the same story", "[gym]") {
  const Scenario s = gym_of(library + "home_time_of_use.yaml", {"gym.episode.length=1 h", "gym.episode.start=random"});
  constexpr int lanes = 3;
  Env next(s, lanes, Mode::next_step), same(s, lanes, Mode::same_step), by_hand(s, lanes, Mode::disabled);
  next.reset(5), same.reset(5), by_hand.reset(5);
  CHECK(next.observations == same.observations);
  CHECK(next.observations == by_hand.observations);
  for (int episode = 0; episode < 3; ++episode) {
    for (int k = 1; k <= 4; ++k) {
      const auto actions = actions_of(lanes, 1, 0, 10 * episode + k);
      next.step(actions), same.step(actions), by_hand.step(actions);
      CHECK(next.reward == by_hand.reward);
      CHECK(same.reward == by_hand.reward);
      CHECK(same.truncated == by_hand.truncated);
      CHECK(next.truncated == by_hand.truncated);
      CHECK(next.truncated[0] == (k == 4));
      CHECK(next.terminated[0] == 0);
      CHECK(next.observations == by_hand.observations);
      if (k < 4) CHECK(same.observations == by_hand.observations);
    }
    // The end: SAME_STEP has the last observation beside the new one, NEXT_STEP needs a step whose action counts for nothing.
    REQUIRE(same.result.ended == lanes);
    CHECK(same.final_observations == by_hand.observations);
    CHECK(by_hand.env.over() == 0);
    by_hand.env.reset({}, {}, by_hand.result);
    CHECK(by_hand.env.over() == -1);
    CHECK(same.observations == by_hand.observations);
    next.step(actions_of(lanes, 1, 0, 999));
    CHECK(next.observations == by_hand.observations);
    CHECK(next.reward == std::vector<double>(lanes, 0.0));
    CHECK(next.truncated == std::vector<std::uint8_t>(lanes, 0));
  }
}

TEST_CASE("gym: the bill of an episode is that of a run", "[gym]") {
  // With the scenario's own controller, and with an agent that commands what a schedule does.
  Scratch folder;
  const std::string plant = small(
      "  episode: {length: 1 d, start: first}\n  normalised_actions: no\n  actions: [{path: battery.power, low: -5 kW, high: 5 "
      "kW}]\n",
      "controller: {model: time_of_use, reserve: 40 %, reserve_until: \"12:00\"}\n");
  const std::string file = folder.write("s.yaml", plant);
  const auto of_run = [](const Scenario& s) {
    nlohmann::json kpis;
    CHECK(run_scenario(s, {}, kpis).finished);
    return kpis;
  };
  const auto of_episode = [](Env& env, const std::vector<float>& actions) {
    env.reset(3);
    for (int k = 0; k < 96; ++k) env.step(actions);
    CHECK(env.truncated[0] == 1);
    std::map<std::string, double> sums;
    std::vector<double> running(static_cast<std::size_t>(env.env.columns())), last = running;
    std::vector<std::uint32_t> length(1);
    env.env.totals(running, last, length);
    for (std::size_t c = 0; c < running.size(); ++c) sums[env.env.specification().columns[c].name] = running[c];
    return sums;
  };
  LoadOptions day;
  day.to = "2024-01-02 00:00";
  const auto rule = of_run(load_scenario(file, day));
  Env by_rule(gym_of(file, {}, LoadOptions::Gym::rule), 1, Mode::disabled, 1, GymSpecification::all, false);
  auto sums = of_episode(by_rule, {0.0f});
  CHECK(sums.at("cost_total") == Approx(rule.at("cost_total").get<double>()).epsilon(1e-12));

  const std::string scheduled =
      folder.write("scheduled.yaml", small("  {}\n", "controller: {model: schedule, planned_power: 700 W}\n"));
  const Scenario by_schedule = load_scenario(scheduled, day);
  const auto planned = of_run(by_schedule);
  Env agent(gym_of(file), 1, Mode::disabled, 1, GymSpecification::all);
  sums = of_episode(agent, {700.0f});
  CHECK(sums.at("cost_total") == Approx(planned.at("cost_total").get<double>()).epsilon(1e-12));
  // And the same state of charge, to the bit.
  Batch batch(by_schedule.plan, 1);
  Batch::Start start;
  start.key = 3;
  batch.reset(0, start);
  batch.step(288);
  const char* soc = "battery.state_of_charge";
  CHECK(agent.get(0, *agent.env.plan().find(soc)) == batch.get(0, *by_schedule.plan->find(soc)));
}

TEST_CASE("gym: what is seen: channels as measured, lags, forecasts, calendar, bounds", "[gym]") {
  Scratch folder;
  const std::string file = folder.write(
      "s.yaml", small("  interval: 15 min\n  episode: {length: 1 d, start: first}\n  normalised_observations: no\n"
                      "  observations:\n    - battery.state_of_charge\n    - {path: grid.power, low: -9 kW, high: 9 kW, lag: [0 "
                      "s, 15 min, 1 h]}\n"
                      "    - {path: load.power, low: -2 kW, high: 0 kW}\n    - {forecast: grid.price, ahead: [0 h, 1 h, 30 d]}\n"
                      "    - {forecast: load.wanted, ahead: [0 h, 12 h], error: 50 %}\n    - calendar\n    - remaining\n",
                      "sensors: {battery.state_of_charge: {bias: 0.1}}\n"));
  const Scenario s = gym_of(file);
  Env env(s, 2, Mode::disabled, 1, GymSpecification::all);
  std::map<std::string, std::size_t> at;
  for (const auto& o : env.env.specification().observations) at.emplace(o.name, at.size());
  const auto see = [&](const char* name, int lane = 0) { return env.row(lane)[at.at(name)]; };
  env.reset(1);
  CHECK(see("battery.state_of_charge") == Approx(0.6));  // 50 % and an offset
  CHECK(see("grid.price.now") == Approx(0.1));
  CHECK(see("grid.price.in_30d") == Approx(0.1));  // beyond the data: their last
  CHECK(see("load.wanted.now") == Approx(1000));   // the interval that begins is known
  CHECK(see("load.wanted.in_12h") != Approx(3000));
  CHECK(see("load.wanted.in_12h") != see("load.wanted.in_12h", 1));  // another seed, another error
  CHECK(see("calendar.day_sin") == Approx(0).margin(1e-6));
  CHECK(see("calendar.day_cos") == Approx(1));
  CHECK(see("remaining") == 1);
  std::vector<float> powers{see("grid.power")};
  CHECK(see("grid.power.before_1h") == see("grid.power"));
  for (int k = 1; k <= 50; ++k) {
    env.step(actions_of(2, 1, 0, k));
    powers.push_back(see("grid.power"));
    CHECK(see("grid.power.before_15min") == powers[static_cast<std::size_t>(k - 1)]);
    CHECK(see("grid.power.before_1h") == powers[static_cast<std::size_t>(std::max(0, k - 4))]);
    CHECK(see("remaining") == Approx((96 - k) / 96.0));
    if (k == 44) CHECK(see("grid.price.in_1h") == Approx(0.4));  // 11:00
    if (k == 47) CHECK(see("load.power") == -1000);
    if (k == 49) CHECK(see("load.power") == -2000);  // -3 kW, shown at its bound
  }
  CHECK(see("calendar.day_sin") == Approx(std::sin(2 * M_PI * 12.5 / 24)).margin(1e-6));

  // Normalised: the same, from -1 to 1.
  Env scaled(gym_of(file, {"gym.normalised_observations=yes"}), 2, Mode::disabled, 1, GymSpecification::all);
  scaled.reset(1);
  CHECK(scaled.row(0)[at.at("battery.state_of_charge")] == Approx(0.2));
  for (int k = 1; k <= 50; ++k) {
    scaled.step(actions_of(2, 1, 0, k));
    for (const float v : scaled.observations) CHECK((v >= -1 && v <= 1));
  }
}

TEST_CASE("gym: rewards are priced amounts, and amounts are physics", "[gym]") {
  Scratch folder;
  const std::string file =
      folder.write("s.yaml", small("  episode: {length: 1 d, start: first}\n  actions: [{path: battery.power, low: -4 kW, high: "
                                   "4 kW}, {path: load.relay, values: [0, 1]}]\n"
                                   "  reward:\n    scale: 0.5\n    cost: {cost_total: 1, unserved_kwh: 2 EUR/kWh, stored_kwh: "
                                   "-0.2 EUR/kWh, battery_discharge_kwh: 30 EUR/MWh}\n"
                                   "    penalty: {clipped_kwh: 0.1, ramps: {of: grid.power, ramp: 500 W, price: 1 EUR/kWh}, low: "
                                   "{of: battery.state_of_charge, below: 45 %, price: 3}}\n"
                                   "  terminate: [{of: battery.state_of_charge, below: 8 %}]\n"));
  Env env(gym_of(file), 1, Mode::disabled, 1, GymSpecification::all);
  std::map<std::string, std::size_t> at;
  for (const auto& c : env.env.specification().columns) at.emplace(c.name, at.size());
  env.reset(1);
  const auto soc = [&] { return env.get(0, *env.env.plan().find("battery.state_of_charge")); };
  const auto stored = [&] { return env.get(0, *env.env.plan().find("battery.stored_energy")); };
  double before = stored();
  env.step({0.5f, 1});  // discharges 2 kW; the load takes 1
  const auto amount = [&](const char* name) { return env.columns[at.at(name)]; };
  CHECK(amount("battery_discharge_kwh") == Approx(0.5));
  CHECK(amount("cost_total") == Approx(-0.25 * 0.05));
  CHECK(amount("stored_kwh") == Approx((stored() - before) / 1000));
  CHECK(amount("ramps") == 0);  // there was no interval before
  CHECK(amount("unserved_kwh") == 0);
  const double by_hand =
      -0.5 * (amount("cost_total") - 0.2 * amount("stored_kwh") + 0.03 * amount("battery_discharge_kwh") + 3 * amount("low"));
  CHECK(env.reward[0] == Approx(by_hand));
  env.step({-0.5f, 0});  // charges 2 kW, nobody is served: import goes from -1 kW to 2 kW
  CHECK(amount("unserved_kwh") == Approx(0.25));
  CHECK(amount("ramps") == Approx((3 - 0.5) / 4));
  CHECK(amount("cost_total") == Approx(0.5 * 0.1));
  // Down to the end that terminates, which is not the end of time.
  int steps = 2;
  double soc_before = soc();
  while (!env.terminated[0] && !env.truncated[0]) soc_before = soc(), env.step({1.0f, 1}), ++steps;
  CHECK(env.terminated[0] == 1);
  CHECK(env.truncated[0] == 0);
  CHECK(steps < 20);
  CHECK(soc() < 0.08);
  // Its mean over the interval lies between what it was at both ends.
  CHECK(amount("low") >= 0.25 * (0.45 - soc_before));
  CHECK(amount("low") <= 0.25 * (0.45 - soc()));
}

TEST_CASE("gym: episodes of a split begin only there, and randomisation draws what it says", "[gym]") {
  Scratch folder;
  const std::string file = folder.write(
      "s.yaml",
      small(
          "  episode: {length: 6 h, start: random, split: [60 %, 20 %, 20 %], by: 2 d}\n"
          "  randomise: {battery.state_of_charge: {uniform: [20 %, 30 %]}, battery.capacity: {times: {uniform: [0.5, 0.9]}}}\n"));
  const Scenario s = gym_of(file);
  std::set<std::int64_t> seen[3];
  for (const auto split : {GymSpecification::train, GymSpecification::validation, GymSpecification::test}) {
    Env env(s, 512, Mode::disabled, 1, split);
    env.reset(0);
    for (int lane = 0; lane < 512; ++lane) {
      const std::int64_t index = env.env.place(lane).batch.index(env.env.place(lane).lane);
      const double hours = std::fmod(static_cast<double>(index) / 12, 48);
      const double from = split == 0 ? 0 : split == 1 ? 28.8 : 38.4, to = split == 0 ? 28.8 : split == 1 ? 38.4 : 48;
      CHECK(hours >= from);
      CHECK(hours + 6 <= to + 1e-9);
      seen[split].insert(index);
      const double soc = env.get(lane, *env.env.plan().find("battery.state_of_charge"));
      CHECK(soc >= 0.2);
      CHECK(soc <= 0.3);
      CHECK(env.draws[static_cast<std::size_t>(lane)] == soc);
    }
    CHECK(seen[split].size() > 30);
    const auto of_capacity = std::span(env.draws).subspan(512);
    const double own = s.plan->starts[static_cast<std::size_t>(s.plan->find("battery.capacity")->row)];
    for (const double c : of_capacity) CHECK((c >= 0.5 * own && c <= 0.9 * own));
    // The draw is in force: energy that is stored follows capacity and state of charge.
    CHECK(env.get(3, *env.env.plan().find("battery.capacity")) == of_capacity[3]);
  }
  // A new seed is a new episode, the same seed the same one, and the next episode of a seed is another.
  Env env(s, 4, Mode::disabled);
  env.reset(9);
  const auto first = env.observations;
  env.env.reset({}, {}, env.result);
  const auto second = env.observations;
  CHECK(first != second);
  env.reset(9);
  CHECK(env.observations == first);
  env.env.reset({}, {}, env.result);
  CHECK(env.observations == second);
}

TEST_CASE("gym: a snapshot restores and a branch goes on, to the bit", "[gym]") {
  const Scenario s = gym_of(library + "village_faults.yaml");
  Env env(s, 10), other(s, 10);
  env.reset(77);
  for (int k = 0; k < 30; ++k) env.step(actions_of(10, 1, 0, k));
  const auto kept = env.env.snapshot();
  const auto go_on = [&] {
    std::vector<float> seen;
    for (int k = 30; k < 75; ++k) {
      env.step(actions_of(10, 1, 0, k));
      seen.insert(seen.end(), env.observations.begin(), env.observations.end());
      for (const double r : env.reward) seen.push_back(static_cast<float>(r));
    }
    return seen;
  };
  const auto first = go_on();
  env.env.restore(*kept, {});
  CHECK(go_on() == first);
  // Lane 2 becomes lane 7: with the same actions they are one.
  env.env.branch(7, 2);
  for (int k = 0; k < 40; ++k) {
    auto actions = actions_of(10, 1, 0, k);
    actions[2] = actions[7];
    env.step(actions);
    CHECK(env.row(2) == env.row(7));
    CHECK(env.reward[2] == env.reward[7]);
  }
}

TEST_CASE("gym: bad actions are found, masks are feasible", "[gym]") {
  const Scenario s = gym_of(library + "home_time_of_use.yaml", {"gym.actions=[battery.power]"});
  Env env(s, 3);
  env.reset(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(!env.env.bad_action(std::vector<float>{0, 1, -1}));
  CHECK(env.env.bad_action(std::vector<float>{0, nan, 0})->index == 1);
  CHECK(!env.env.bad_action(std::vector<float>{0, nan, 0})->finite);
  CHECK(env.env.bad_action(std::vector<float>{0, 0, 1.1f})->finite);
  // What the mask allows is done without clipping for the whole interval; what it forbids is not.
  std::vector<float> low(3), high(3);
  std::size_t clipped_inside = 0, tight = 0;
  const auto clipped = [&](const Env& e) {
    return e.get(0, *e.env.plan().find("plant.clipped")) + e.get(1, *e.env.plan().find("plant.clipped"));
  };
  for (int k = 0; k < 96; ++k) {
    env.env.masks(low, high, {});
    for (std::size_t lane = 0; lane < 3; ++lane) {
      CHECK(low[lane] <= high[lane]);
      CHECK(low[lane] >= -1);
      CHECK(high[lane] <= 1);
      tight += high[lane] < 0.999f || low[lane] > -0.999f;
    }
    env.step(k < 48 ? high : low);
    clipped_inside += clipped(env) > 50;
  }
  CHECK(tight > 50);
  CHECK(clipped_inside == 0);

  const Scenario d =
      gym_of(library + "home_time_of_use.yaml", {"gym.actions=[{path: battery.power, low: -5 kW, high: 5 kW, choices: 9}]"});
  Env choices(d, 2);
  choices.reset(1);
  CHECK(choices.env.choices() == 9);
  CHECK(choices.env.bad_action(std::vector<float>{9, 0})->index == 0);
  CHECK(choices.env.bad_action(std::vector<float>{0, 2.5f})->index == 1);
  std::vector<std::uint8_t> allowed(18);
  std::vector<float> l(2), h(2);
  choices.env.masks(l, h, allowed);
  CHECK(std::count(allowed.begin(), allowed.begin() + 9, 1) >= 1);
}

TEST_CASE("gym: every scenario of the library has a gym, with or without a block", "[gym]") {
  for (const char* name :
       {"village", "off_grid_village", "home_time_of_use", "commercial_demand_charge", "workplace_ev", "virtual_power_plant",
        "cloudy_day_1s", "weak_grid_clinic_india", "dc_fast_hub", "monsoon_week_india", "reference_microgrid"}) {
    INFO(name);
    const Scenario s = gym_of(std::string(URJA_SOURCE_DIR) + "/scenarios/" + name + ".yaml");
    Env env(s, 9);
    env.reset(0);
    for (int k = 0; k < 4; ++k) env.step(actions_of(9, env.env.actions(), 0, k));
    for (const float v : env.observations) CHECK((v >= -1 && v <= 1));
    for (const double r : env.reward) CHECK(std::isfinite(r));
    CHECK(env.env.place(0).batch.all_well());
    for (const auto& a : s.gym->actions) CHECK(a.low < a.high);
  }
}

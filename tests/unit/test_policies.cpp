// Planners in whole runs of real scenarios: the bound under every controller, baselines where they belong, repeatable to the bit.
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "scenarios/planning/dispatch_lp.hpp"
#include "scenarios/planning/policy.hpp"
#include "scenarios/planning/score.hpp"
#include "scenarios/run.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"

namespace urja::tests {
namespace {

using nlohmann::json;

const std::string library = std::string(URJA_SOURCE_DIR) + "/scenarios/";

json run(const Scenario& scenario) {
  json kpis;
  const RunResult result = run_scenario(scenario, {}, kpis);
  INFO(result.trouble);
  REQUIRE(result.finished);
  return kpis;
}

LoadOptions week(const char* from, const char* to, std::vector<std::string> set = {}) { return {std::move(set), from, to, {}}; }

// A plant with everything that a bound describes: outages, a demand charge over two months, a genset, chargers behind a feeder of their own,
// export that is now and then dearer than import and now and then costs money.
const char* const everything = R"(urja: 1
zone: Asia/Kolkata
run: {from: 2024-01-30 00:00, to: 2024-02-02 00:00, step: 5 min}
data:
  tariff:
    format: calendar
    columns:
      price:
        unit: INR/kWh
        otherwise: 6
        periods: [{hours: ["10:00-13:00"], value: 2}, {hours: ["18:00-22:20"], value: 11}]
      export:
        unit: INR/kWh
        otherwise: 3
        periods: [{hours: ["11:00-12:20"], value: -1}, {hours: ["12:20-14:00"], value: 5}]
      there: {unit: "1", otherwise: 1, periods: [{hours: ["02:10-04:00", "19:00-20:05"], value: 0}]}
      sun: {unit: W/W, otherwise: 0, periods: [{hours: ["07:00-10:00"], value: 0.3}, {hours: ["10:00-15:10"], value: 0.8}]}
      demand: {unit: kW, otherwise: 4, periods: [{hours: ["08:00-09:20"], value: 17}, {hours: ["17:00-23:00"], value: 12}]}
feeders: {parking: {limit: 9 kW}}
assets:
  pv: {model: pv_profile, rated: 15 kW, generation: tariff.sun}
  battery: {model: battery, set: lfp_home_13kwh, packs: 2, state_of_charge: 40 %}
  shop: {model: load, priority: non_critical, demand: tariff.demand}
  clinic: {model: load, demand: 1 kW}
  genset: {model: genset, rating: 10 kW, fuel_price: 90 INR/l}
  chargers:
    fleet: 3
    on: parking
    members: {charger: {model: ev_charger, when_full: leave, sessions: {file: sessions.csv, clock: wall, columns: {energy: {column: energy_kwh, unit: kWh}}}}}
  grid: {model: grid, price: tariff.price, export_price: tariff.export, connected: tariff.there, reconnect_delay: 5 min, import_limit: 20 kW, export_limit: 8 kW, demand_charge: 40 INR/kW}
balance: [battery, grid, genset, pv, chargers.charger, shop, clinic]
)";
const char* const sessions = R"(arrival,departure,energy_kwh
2024-01-30 08:07,2024-01-30 16:40,12
2024-01-30 08:11,2024-01-30 09:02,14
2024-01-30 08:20,2024-01-30 17:00,9
2024-01-30 08:25,2024-01-30 12:00,5
2024-01-31 18:00,2024-01-31 23:30,20
2024-02-01 22:00,2024-02-02 06:00,30
)";

}  // namespace

TEST_CASE("policies: no controller is below the bound", "[policies]") {
  const Scratch scratch;
  scratch.write("sessions.csv", sessions);
  const std::string own = scratch.write("everything.yaml", everything);
  std::mt19937 random(99);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * std::uniform_real_distribution<double>(0, 1)(random);
  };
  struct Plant {
    std::string file;
    std::vector<const char*> days;  // from, to
    const char* money;
    std::vector<std::string> controllers;  // besides its own, or none
    std::string battery = "assets.battery.";
  };
  const std::vector<std::string> planners{"greedy", "rolling_lp", "perfect_foresight"};
  const std::vector<Plant> plants{
      {library + "home_time_of_use.yaml",
       {"2011-09-30 00:00", "2011-10-03 00:00"},
       "AUD",
       {"hold", "self_consumption", "dynamic_programming"}},
      {library + "village.yaml",
       {"2016-08-30 00:00", "2016-09-01 00:00"},
       "USD",
       {"hold", "self_consumption", "dynamic_programming"}},
      {library + "commercial_demand_charge.yaml",
       {"2017-07-31 00:00", "2017-08-02 00:00"},
       "USD",
       {"hold", "self_consumption", "dynamic_programming"}},
      {library + "workplace_ev.yaml", {"2015-06-30 00:00", "2015-07-01 00:00"}, "USD", {"hold", "self_consumption"}},
      {library + "virtual_power_plant.yaml",
       {"2016-08-30 00:00", "2016-08-31 00:00"},
       "USD",
       {"hold", "self_consumption", "dynamic_programming"},
       "assets.homes.members.battery."},
      {own, {}, "INR", {"hold", "self_consumption", "off_grid"}}};
  int compared = 0;
  for (const Plant& plant : plants) {
    for (int draw = 0; draw < 6; ++draw) {
      std::vector<std::string> set{plant.battery + "packs=" + std::to_string(uniform(0.2, 3)),
                                   plant.battery + "state_of_charge=" + std::to_string(uniform(0.1, 0.9)),
                                   plant.battery + "standby=" + std::to_string(uniform(0, 0.019)),
                                   plant.battery + "quadratic=" + std::to_string(uniform(0, 0.2))};
      if (draw % 3 == 1)
        set.push_back("assets.grid.export_price=" + std::to_string(uniform(-0.1, 0.6)) + " " + plant.money + "/kWh");
      if (draw % 3 == 2) set.push_back(plant.battery + "rating=" + std::to_string(uniform(3, 100)) + " kW");
      LoadOptions load{set, {}, {}, {}};
      if (!plant.days.empty()) load.from = plant.days[0], load.to = plant.days[1];
      // Longer intervals loosen the bound and must not break it.
      const Scenario first = load_scenario(plant.file, load);
      const double interval = std::vector<double>{900, 1800, 3600}[static_cast<std::size_t>(draw % 3)];
      const Score score = score_of(first.plan, interval);
      std::vector<std::string> controllers = plant.controllers;
      controllers.insert(controllers.end(), planners.begin(), planners.end());
      controllers.push_back("");
      for (const std::string& controller : controllers) {
        LoadOptions with = load;
        if (!controller.empty()) with.set.push_back("controller=" + controller);
        const json kpis = run(load_scenario(plant.file, with));
        const double cost = scored_cost(kpis, score);
        INFO(plant.file << ", " << with.set.back() << ", draw " << draw << ": " << cost << ", bound " << score.bound);
        CHECK(cost >= score.bound);
        ++compared;
      }
    }
  }
  CHECK(compared > 150);
}

TEST_CASE("policies: where nothing can be decided, the bound is the cost", "[policies]") {
  // Without a battery all terms are exact, the demand charge's windows and its month too. Not so in an outage: inverters trip and loads come
  // back a step late.
  const Scratch scratch;
  scratch.write("sessions.csv", sessions);
  const std::string own = scratch.write("everything.yaml", everything);
  // The same plants without what decides.
  const auto bare = [&](const std::string& name, const std::string& file, const std::string& rest) {
    return scratch.write(name, "include: " + file + "\n" + rest);
  };
  struct Plant {
    std::string file;
    LoadOptions load;
    double interval;
  };
  const std::vector<Plant> plants{
      {bare("demand.yaml", library + "commercial_demand_charge.yaml",
            "assets: {battery: }\nbalance: [grid, pv, hospital]\ncontroller:\n"),
       week("2017-07-27 00:00", "2017-08-03 00:00"), 900},
      {bare("home.yaml", library + "home_time_of_use.yaml", "assets: {battery: }\nbalance: [grid, pv, home]\ncontroller:\n"),
       week("2011-09-29 00:00", "2011-10-06 00:00"), 1800},
      {bare("own.yaml", own, "assets: {battery: , genset: , chargers: }\nfeeders:\nbalance: [grid, pv, shop, clinic]\n"),
       {{"assets.grid.export_price=1 INR/kWh", "assets.grid.connected=1"}, {}, {}, {}},
       300}};
  for (const Plant& plant : plants) {
    const Scenario scenario = load_scenario(plant.file, plant.load);
    const Score score = score_of(scenario.plan, plant.interval);
    INFO(plant.file);
    CHECK(scored_cost(run(scenario), score) == Approx(score.bound).epsilon(1e-9));
  }
}

TEST_CASE("policies: RC pairs of every battery set are passive", "[policies]") {
  // The conditions of the battery's proof in plant_problem.cpp: one C with R1 (k - 1)^2/(4 k) <= R0, k = C/C1, in every place of the tables;
  // and what the pair then holds at the largest current, as a share of the cell's energy.
  int cells = 0;
  for (const char* name : {"lfp_a123", "nmc_kokam"}) {
    ++cells;
    const YAML::Node set = YAML::LoadFile(std::string(URJA_SOURCE_DIR) + "/models/battery/sets/" + name + ".yaml");
    const YAML::Node columns = set["tables"]["circuit"]["columns"];
    using Table = std::vector<std::vector<double>>;
    const auto r0 = columns["series_resistance"]["values"].as<Table>(), r1 = columns["pair_resistance"]["values"].as<Table>(),
               c1 = columns["pair_capacitance"]["values"].as<Table>();
    const auto ocv = set["tables"]["open_circuit_voltage"]["values"].as<std::vector<double>>();
    const auto number = [&](const char* key) { return std::stod(set["values"][key].as<std::string>()); };
    const double largest = std::max(number("charge_current_max"), number("discharge_current_max"));
    double energy = 0;  // J
    for (std::size_t k = 0; k + 1 < ocv.size(); ++k)
      energy += 0.5 * (ocv[k] + ocv[k + 1]) / static_cast<double>(ocv.size() - 1) * number("capacity") * 3600;
    double most_r1 = 0;
    for (const auto& row : r1) most_r1 = std::max(most_r1, *std::max_element(row.begin(), row.end()));
    // Between the nodes all three are bilinear.
    const auto at = [](const Table& t, std::size_t i, std::size_t j, double x, double y) {
      return (1 - x) * ((1 - y) * t[i][j] + y * t[i][j + 1]) + x * ((1 - y) * t[i + 1][j] + y * t[i + 1][j + 1]);
    };
    bool passive = false;
    for (double c = 200; c < 1e5 && !passive; c *= 1.05) {
      if (0.5 * c * std::pow(largest * most_r1, 2) > 0.006 * energy) continue;
      passive = true;
      for (std::size_t i = 0; i + 1 < r0.size(); ++i) {
        for (std::size_t j = 0; j + 1 < r0[i].size(); ++j) {
          for (double x = 0; x <= 1; x += 0.125) {
            for (double y = 0; y <= 1; y += 0.125) {
              const double k = c / at(c1, i, j, x, y);
              passive = passive && at(r1, i, j, x, y) * (k - 1) * (k - 1) / (4 * k) <= at(r0, i, j, x, y);
            }
          }
        }
      }
      if (passive) INFO(name << ": C = " << c);
    }
    INFO(name);
    CHECK(passive);
  }
  CHECK(cells == 2);
}

TEST_CASE("policies: the battery's best efficiency is one", "[policies]") {
  // What the bound takes for it lies above all that the model itself does, at any power.
  const Scenario s = load_scenario(library + "village.yaml", week("2016-08-08 00:00", "2016-08-09 00:00"));
  const PlantProblem bound(s.plan, Purpose::bound, 900);
  const DispatchProblem::Storage limit = bound.whole().storages.front();
  const BatteryFacts& facts = bound.storages().front().members.front();
  int seen = 0;
  for (double share = -1; share <= 1; share += 0.01) {
    const double power = share * facts.rating, drain = power + facts.loss_at(power);
    const double allowed = power > 0 ? power / limit.discharge_efficiency : power * limit.charge_efficiency;
    CHECK(drain >= allowed);
    ++seen;
  }
  CHECK(seen > 190);
}

TEST_CASE("policies: baselines on a week, as shares of what can be saved", "[policies]") {
  struct Case {
    const char *file, *from, *to;
    // Share of (hold - bound) that each saves: as measured on 2026-11-22, rounded down to a percent.
    double rolling, foresight, dynamic;
  };
  for (const Case& c : {Case{"home_time_of_use.yaml", "2011-07-11 00:00", "2011-07-18 00:00", 0.94, 0.94, 0.94},
                        Case{"village.yaml", "2016-08-08 00:00", "2016-08-15 00:00", 0.98, 0.98, 0.98}}) {
    const auto cost = [&](const std::string& controller) {
      const json kpis = run(load_scenario(library + c.file, week(c.from, c.to, {"controller=" + controller})));
      if (controller == "perfect_foresight") CHECK(kpis["scored_cost"].get<double>() == Approx(kpis["cost_total"].get<double>()));
      return kpis;
    };
    const json best = cost("perfect_foresight");
    const double bound = best["bound_cost"], hold = cost("hold")["cost_total"];
    const auto saved = [&](const json& kpis) { return (hold - kpis["cost_total"].get<double>()) / (hold - bound); };
    INFO(c.file << ": hold " << hold << ", bound " << bound);
    CHECK(saved(best) > c.foresight);
    CHECK(saved(cost("rolling_lp")) > c.rolling);
    CHECK(saved(cost("dynamic_programming")) > c.dynamic);
    CHECK(saved(cost("greedy")) < 0.2);
    // Errors of a forecast cost something, and not everything.
    const double wrong = saved(cost("{model: rolling_lp, forecast_error: 10 %}"));
    CHECK(wrong < saved(cost("rolling_lp")));
    CHECK(wrong > 0.9);
  }
}

TEST_CASE("policies: a run can be repeated, forecasts follow the seed", "[policies]") {
  const auto hash = [](std::uint64_t seed, const char* controller) {
    LoadOptions load = week("2016-08-08 00:00", "2016-08-10 00:00", {std::string("controller=") + controller});
    load.seed = seed;
    return run(load_scenario(library + "village.yaml", load))["state_hash"].get<std::string>();
  };
  const char* const uncertain = "{model: rolling_lp, forecast_error: 20 %}";
  CHECK(hash(1, uncertain) == hash(1, uncertain));
  CHECK(hash(1, "perfect_foresight") == hash(1, "perfect_foresight"));
  // What a run ends with depends on the seed through the forecasts only.
  const auto cost = [](std::uint64_t seed, const char* controller) {
    LoadOptions load = week("2016-08-08 00:00", "2016-08-10 00:00", {std::string("controller=") + controller});
    load.seed = seed;
    return run(load_scenario(library + "village.yaml", load))["cost_total"].get<double>();
  };
  CHECK(cost(1, uncertain) != cost(2, uncertain));
  CHECK(cost(1, "rolling_lp") == cost(2, "rolling_lp"));
}

TEST_CASE("policies: lanes do not know of each other", "[policies]") {
  const Scenario s = load_scenario(library + "home_time_of_use.yaml",
                                   week("2011-07-11 00:00", "2011-07-13 00:00", {"controller=self_consumption"}));
  PolicyOptions options;
  options.name = "rolling_lp", options.forecast_error = 0.2;
  const auto costs = [&](const std::vector<std::uint64_t>& keys) {
    Batch batch(s.plan, static_cast<int>(keys.size()));
    for (std::size_t lane = 0; lane < keys.size(); ++lane) batch.reset(static_cast<int>(lane), {keys[lane]});
    const auto policy = make_policy(options, s.plan);
    std::vector<double> actions(policy->writes().size() * keys.size());
    for (int k = 0; k < 192; ++k) {
      policy->act(batch, actions);
      batch.write(policy->writes(), actions);
      batch.step(3);
    }
    std::vector<double> all;
    for (int lane = 0; lane < batch.lanes(); ++lane) all.push_back(batch.get(lane, s.plan->find("grid.cost_total").value()));
    return all;
  };
  const std::vector<double> three = costs({5, 6, 7});
  CHECK(three[0] == costs({5})[0]);
  CHECK(three[1] == costs({6})[0]);
  CHECK(three[2] == costs({7})[0]);
  CHECK(three[0] != three[1]);
}

TEST_CASE("policies: hold is the controller model of that name", "[policies]") {
  const Scenario s = load_scenario(library + "village.yaml", week("2016-08-08 00:00", "2016-08-09 00:00", {"controller=hold"}));
  PolicyOptions options;
  options.name = "hold";
  const Scenario without =
      load_scenario(library + "village.yaml", week("2016-08-08 00:00", "2016-08-09 00:00", {"controller=self_consumption"}));
  const auto policy = make_policy(options, without.plan);
  Batch by_model(s.plan, 1), by_policy(without.plan, 1);
  std::vector<double> actions(policy->writes().size());
  policy->act(by_policy, actions);
  by_policy.write(policy->writes(), actions);
  by_model.step(1440), by_policy.step(1440);
  for (const char* what : {"battery.stored_energy", "grid.cost_total", "battery.temperature"})
    CHECK(by_policy.get(0, without.plan->find(what).value()) == by_model.get(0, s.plan->find(what).value()));
}

TEST_CASE("policies: a stopped run goes on, or says why it cannot", "[policies]") {
  const Scratch scratch;
  const auto run_to = [&](const char* controller, bool stop, bool resume) {
    const Scenario s = load_scenario(library + "home_time_of_use.yaml",
                                     week("2011-07-11 00:00", "2011-07-18 00:00", {std::string("controller=") + controller}));
    RunOptions options;
    options.out = scratch.path("r.h5");
    options.resume = resume;
    options.progress = [&](std::int64_t, std::int64_t) { return !stop; };
    json kpis;
    run_scenario(s, options, kpis);
    return kpis["state_hash"].get<std::string>();
  };
  const std::string whole = run_to("dynamic_programming", false, false);
  run_to("dynamic_programming", true, false);
  CHECK(run_to("dynamic_programming", false, true) == whole);
  run_to("rolling_lp", true, false);
  CHECK_THROWS_WITH(run_to("rolling_lp", false, true), contains("'rolling_lp' cannot go on"));
}

TEST_CASE("policies: what cannot be planned is said in words", "[policies]") {
  const Scratch scratch;
  const auto says = [&](const std::string& file, std::vector<std::string> set, const std::string& words, int status) {
    std::vector<std::string> arguments{"run", file, "--quiet", "--json", "--out", scratch.path("r.h5"), "--force"};
    for (const std::string& s : set) arguments.insert(arguments.end(), {"--set", s});
    const ProgramResult r = program(arguments);
    INFO(r.err << r.out);
    CHECK(r.status == status);
    CHECK((r.err + r.out).find(words) != std::string::npos);
  };
  const std::string home = library + "home_time_of_use.yaml";
  const std::vector<std::string> day{"run.to=2011-07-02 00:00"};
  const auto with = [&](const std::string& controller) {
    std::vector<std::string> all = day;
    all.push_back("controller=" + controller);
    return all;
  };
  says(home, with("{model: rolling_lp, evry: 15 min}"), "'rolling_lp' has no key 'evry'; did you mean 'every'?", 2);
  says(home, with("{model: rolling_lp, every: 7 min}"), "`every` is not a whole number of steps", 2);
  says(home, with("{model: rolling_lp, every: 35 min, horizon: 70 min}"), "the run is not a whole number of decisions long", 2);
  says(home, with("{model: rolling_lp, horizon: 20 min}"), "the horizon is not a whole number of decisions", 2);
  says(home, with("{model: rolling_lp, forecast_error: 2 kW}"), "'kW' is not a unit that fits", 2);
  says(home, with("rolling_pl"), "did you mean 'rolling_lp'?", 2);
  says(library + "workplace_ev.yaml", {"run.to=2015-06-02 00:00", "controller=dynamic_programming"}, "charging sessions", 2);
  // A bound is not claimed where none is proven; the run is made all the same.
  std::vector<std::string> broken = with("perfect_foresight");
  broken.push_back("faults.gone={kind: grid_outage, on: grid, at: 2011-07-01 12:00, duration: 1 h}");
  says(home, broken, "no bound is proven for a plant with faults", 0);
  const std::string sweep = scratch.write("sweep.yaml", "sweep: 1\ngrid: {controller: [greedy, rolling_lp]}\n");
  const ProgramResult r = program({"sweep", home, "--sweep", sweep, "--out", scratch.path("out")});
  CHECK(r.status == 2);
  CHECK(r.err.find("plans between steps, which a sweep does not do") != std::string::npos);
}

}  // namespace urja::tests

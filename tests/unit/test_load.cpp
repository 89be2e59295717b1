// Loads: replay behind a relay, jobs that may wait, profiles that may be paid back.
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

TEST_CASE("load: served, unserved and reactive power", "[load]") {
  Plant plant(60);
  plant.add("load", "load", {{"scale", 2}, {"power_factor", 0.8}}).add("grid", "grid", {{"import_limit", 3000}});
  plant.balance({"grid", "load"});
  plant.set("load.demand", 1000).run();
  CHECK(plant.get("load.wanted") == 2000);
  CHECK(plant.get("load.served") == 2000);
  CHECK(plant.get("load.unserved_power") == 0);
  CHECK(plant.get("load.reactive_power") == Approx(-1500));
  CHECK(plant.get("grid.reactive_power") == Approx(1500));
  plant.set("load.demand", 2500).run();
  CHECK(plant.get("load.served") == 3000);
  CHECK(plant.get("load.unserved_power") == 2000);
  plant.set("load.relay", 0).run();
  CHECK(plant.get("load.served") == 0);
  CHECK(plant.get("load.unserved_power") == 5000);
  CHECK(plant.get("load.reactive_power") == 0);
  CHECK(plant.batch().all_well());
}

TEST_CASE("load: a dead bus serves nothing", "[load]") {
  Plant plant(60);
  plant.add("load", "load").add("grid", "grid");
  plant.balance({"grid"});  // the load is not in the list: the first step without a grid is spill
  plant.set("load.demand", 1000).run();
  plant.set("grid.connected", 0).run(2);
  CHECK(plant.get("load.power") == 0);
  CHECK(plant.get("load.unserved_power") == 1000);
}

TEST_CASE("load: NaN in an input stops the lane", "[load]") {
  for (const char* input : {"demand", "relay"}) {
    Plant plant(60);
    plant.add("load", "load").add("grid", "grid");
    plant.balance({"grid"});
    plant.set("load.demand", 1000).set(std::string("load.") + input, NAN).run();
    CAPTURE(input);
    CHECK_FALSE(plant.batch().all_well());
  }
}

namespace {

using Jobs = std::vector<std::vector<double>>;  // earliest, latest (s after the start), Wh, W, interruptible

constexpr double start = 1467331200;

void give_jobs(Plant& plant, Jobs jobs, const std::string& when = "early") {
  for (auto& job : jobs) job[0] += start, job[1] += start;
  const Type* type = find_type("deferrable_load");
  type->files.front().write(plant.settings("pump").get(), jobs);
  for (const Choice& c : type->choices) {
    if (c.name == "when") c.write(plant.settings("pump").get(), when);
  }
}

Plant& pump_and_grid(Plant& plant) {
  plant.add("pump", "deferrable_load").add("grid", "grid");
  return plant.balance({"grid", "pump"});
}

}  // namespace

TEST_CASE("deferrable load: runs early, waits for its relay, and what is late is unmet in the step of the deadline", "[load]") {
  Plant plant(60, start);
  pump_and_grid(plant);
  give_jobs(plant, {{90, 900, 100, 1000, 1}, {600, 1200, 150, 1000, 1}});
  plant.run();
  CHECK(plant.get("pump.power") == 0);
  plant.run();  // from 90 s on, exactly
  CHECK(plant.get("pump.served") == Approx(500));
  plant.set("pump.relay", 0).run(3);
  CHECK(plant.get("pump.power") == 0);
  CHECK(plant.get("pump.demand") == Approx(1000));
  CHECK(plant.get("pump.open_energy") == Approx(100 - 500 / 60.0));
  plant.set("pump.relay", 1).run(5);
  CHECK(plant.get("pump.open_energy") == Approx(100 - 500 / 60.0 - 5000 / 60.0));
  plant.set("pump.relay", 0).run(5);
  CHECK(plant.get("pump.unmet_power") * 60 / 3600 == Approx(100 - 5500 / 60.0));
  CHECK(plant.get("pump.open_energy") == Approx(150));
  plant.run(5);
  CHECK(plant.get("pump.unmet_power") * 60 / 3600 == Approx(150));
  CHECK(plant.get("pump.open_energy") == 0);
}

TEST_CASE("deferrable load: takes surplus, and runs by itself only at the last moment", "[load]") {
  Plant plant(60, start);
  plant.add("pv", "pv_profile", {{"rated", 1000}}).add("pump", "deferrable_load").add("grid", "grid");
  plant.balance({"pump", "grid"});
  give_jobs(plant, {{0, 3600, 500, 1000, 1}}, "surplus");
  plant.run(5);
  CHECK(plant.get("pump.served") == 0);
  plant.set("pv.generation", 0.3).run(10);
  CHECK(plant.get("pump.served") == Approx(300));
  CHECK(plant.get("pump.open_energy") == Approx(450));
  plant.set("pv.generation", 0).run(18);
  CHECK(plant.get("pump.served") == 0);
  plant.run();
  CHECK(plant.get("pump.served") == Approx(1000));
  plant.run(26);
  CHECK(plant.get("pump.open_energy") == Approx(0).margin(1e-9));
  CHECK(plant.get("pump.unmet_power") == Approx(0).margin(1e-9));
}

TEST_CASE("deferrable load: a job in one piece that is interrupted has failed", "[load]") {
  Plant plant(60, start);
  pump_and_grid(plant);
  give_jobs(plant, {{0, 3600, 200, 1000, 0}});
  plant.set("pump.relay", 0).run(5);
  CHECK(plant.get("pump.open_energy") == Approx(200));  // it has not begun: it may wait
  plant.set("pump.relay", 1).run(6).set("pump.relay", 0).run();
  CHECK(plant.get("pump.unmet_power") / 60 == Approx(100));
  CHECK(plant.get("pump.open_energy") == 0);
  plant.set("pump.relay", 1).run();
  CHECK(plant.get("pump.power") == 0);
}

TEST_CASE("deferrable load: jobs that cannot be are named", "[load]") {
  const auto message = [](const Jobs& jobs) -> std::string {
    Plant plant(60, start);
    pump_and_grid(plant);
    give_jobs(plant, jobs);
    try {
      plant.batch();
    } catch (const std::invalid_argument& e) { return e.what(); }
    return "";
  };
  CHECK_THAT(message({{0, 3600, 100, 1000, 1}, {0, 360, 200, 1000, 1}}), contains("pump: jobs: job 2 cannot be done"));
  CHECK_THAT(message({{600, 600, 100, 1000, 1}}), contains("`latest` must be after"));
  CHECK_THAT(message({{0, 600, 0, 1000, 1}}), contains("must be positive"));
  CHECK_THAT(message(Jobs(5, {0, 3600, 100, 1000, 1})), contains("more than 4 jobs are open at 2016-07-01 00:00 UTC"));
  CHECK(message(Jobs(4, {0, 3600, 100, 1000, 1})).empty());
}

TEST_CASE("deferrable load: owed = served + unmet + open, for any jobs, relays and scarcity", "[load]") {
  std::mt19937 random(11);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  for (int trial = 0; trial < 60; ++trial) {
    const double step = std::vector<double>{7, 60, 900, 3600}[static_cast<std::size_t>(trial % 4)];
    Jobs jobs;
    const double end = 400 * step;
    for (int queue = 0; queue < 4; ++queue) {
      for (double t = uniform(0, 10 * step); t < end;) {
        const double length = uniform(0.3 * step, 40 * step), power = uniform(100, 2000);
        jobs.push_back({t, t + length, uniform(0.1, 1) * power * length / 3600, power, uniform(0, 1) < 0.7 ? 1.0 : 0.0});
        t += length + uniform(1, 10) * step;
      }
    }
    std::shuffle(jobs.begin(), jobs.end(), random);
    Plant plant(step, start);
    pump_and_grid(plant);
    give_jobs(plant, jobs, trial % 8 < 4 ? "early" : "surplus");
    double served = 0, unmet = 0;
    for (int k = 0; k < 400; ++k) {
      plant.set("pump.relay", uniform(0, 1) < 0.8 ? 1 : 0).set("grid.import_limit", uniform(0, 4000)).run();
      served += plant.get("pump.served") * step / 3600;
      unmet += plant.get("pump.unmet_power") * step / 3600;
      if (k % 50 != 49) continue;
      double owed = 0;
      for (const auto& job : jobs) owed += job[0] < (k + 1) * step ? job[2] : 0;
      CAPTURE(trial, step, k);
      CHECK(served + unmet + plant.get("pump.open_energy") == Approx(owed).epsilon(1e-9));
    }
    CHECK(served > 0);
    CHECK(unmet > 0);
    CHECK(plant.batch().all_well());
  }
}

TEST_CASE("deferrable load: an episode that starts later owes only what is still open", "[load]") {
  Plant plant(60, start);
  pump_and_grid(plant);
  give_jobs(plant, {{0, 600, 100, 1000, 1}, {300, 1800, 200, 1000, 1}, {3600, 7200, 300, 1000, 1}});
  Batch::Start later;
  later.index = 20;
  plant.batch().reset(0, later);
  plant.run();
  CHECK(plant.get("pump.open_energy") == Approx(200 - 1000 / 60.0));
  plant.run(50);
  CHECK(plant.get("pump.open_energy") == Approx(300 - 11000 / 60.0));
  CHECK(plant.batch().all_well());
}

TEST_CASE("shiftable load: what is shed is owed, and made up for when there is room", "[load]") {
  std::mt19937 random(5);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
  for (double payback : {1.0, 0.6, 0.0}) {
    Plant plant(60, start);
    plant.add("heat", "shiftable_load", {{"payback", payback}, {"payback_power", 700}}).add("grid", "grid");
    plant.balance({"grid", "heat"});
    double wanted = 0, served = 0, unserved_energy = 0;
    for (int k = 0; k < 500; ++k) {
      plant.set("heat.relay", uniform(0, 1) < 0.7 ? 1 : 0)
          .set("heat.demand", uniform(0, 2000))
          .set("grid.import_limit", uniform(500, 4000))
          .run();
      wanted += plant.get("heat.wanted") / 60;
      served += plant.get("heat.served") / 60;
      unserved_energy += plant.get("heat.unserved_power") / 60;
      CHECK(plant.get("heat.repaid") <= 700 * (1 + 1e-12));
    }
    CHECK(served + unserved_energy + plant.get("heat.owed") == Approx(wanted).epsilon(1e-9));
    plant.set("heat.relay", 1).set("heat.demand", 0).set("grid.import_limit", 1e6).run(5000);
    CHECK(plant.get("heat.owed") == Approx(0).margin(1e-9));
    CHECK(plant.batch().all_well());
  }
}

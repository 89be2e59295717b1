// The genset: fuel curve, ledger, minimum load, start and stop.
#include <cmath>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

Plant& with_load(Plant& plant, const Plant::Values& genset = {}) {
  plant.add("load", "load").add("genset", "genset", genset);
  return plant.balance({"genset", "load"});
}

}  // namespace

TEST_CASE("genset: fuel curve of a 50 kW set", "[genset]") {
  struct Row {
    double power, litres_per_hour, efficiency;
  };
  for (const Row& row : {Row{25e3, 10.36, 0.245}, Row{50e3, 16.51, 0.308}}) {  // handbook 8.1
    Plant plant(60);
    with_load(plant, {{"running", 1}, {"run", 1}, {"fuel_price", 1.5}});
    plant.set("load.demand", row.power).run(60);
    CHECK(plant.get("genset.power") == row.power);
    CHECK(plant.get("genset.fuel_flow") == Approx(row.litres_per_hour).margin(0.005));
    CHECK(plant.get("genset.fuel") == Approx(0.08415 * 50 + 0.246e-3 * row.power).epsilon(1e-12));
    CHECK(row.power / plant.get("genset.fuel_power") == Approx(row.efficiency).margin(0.0005));
    CHECK(plant.get("genset.run_time") == Approx(3600));
    CHECK(plant.get("genset.cost_fuel") == Approx(1.5 * plant.get("genset.fuel")));
    CHECK(plant.get("genset.emissions") == Approx(2.697 * plant.get("genset.fuel")));
    CHECK(plant.batch().all_well());
    CHECK(plant.batch().ledger_worst(0) < 1);
  }
}

TEST_CASE("genset: minimum load is given even when nobody wants it", "[genset]") {
  Plant plant(60);
  with_load(plant, {{"running", 1}, {"run", 1}});
  plant.set("load.demand", 5e3).run();
  CHECK(plant.get("genset.power") == Approx(15e3));
  CHECK(plant.get("genset.power_max") == Approx(50e3));
  plant.set("genset.derate", 0.5).set("load.demand", 40e3).run();
  CHECK(plant.get("genset.power") == Approx(25e3));
  CHECK(plant.get("load.unserved_power") == Approx(15e3));
}

TEST_CASE("genset: starts in 10 s, inside the step where the step is longer", "[genset]") {
  for (double step : {1.0, 5.0, 60.0, 3600.0}) {
    Plant plant(step);
    with_load(plant, {{"run", 1}});
    plant.set("load.demand", 40e3);
    double on_line = 0;
    const int steps = static_cast<int>(3600 / step);
    for (int k = 0; k < steps; ++k) {
      plant.run();
      on_line += plant.get("genset.power_max") / 50e3 * step;
    }
    CAPTURE(step);
    CHECK(on_line == Approx(3590));
    CHECK(plant.get("genset.run_time") == Approx(3590));
    CHECK(plant.get("genset.running") == 1);
    CHECK(plant.get("load.voltage_of_bus") == 1);
  }
}

TEST_CASE("genset: minimum up and down times, cool-down, aborted and blocked starts", "[genset]") {
  for (double step : {10.0, 60.0, 100.0}) {
    CAPTURE(step);
    Plant plant(step);
    with_load(plant, {{"run", 1}, {"minimum_up", 600}, {"minimum_down", 300}, {"cool_down", 180}, {"minimum_load", 0}});
    const auto seconds = [&](double s) { plant.run(static_cast<int>(s / step + 0.5)); };
    seconds(300);
    plant.set("genset.run", 0);
    seconds(300);
    CHECK(plant.get("genset.running") == 1);  // since 590 s
    seconds(300);
    CHECK(plant.get("genset.running") == 0);
    CHECK(plant.get("genset.run_time") == Approx(600));
    // 600 s on line without load and 180 s of cool-down
    CHECK(plant.get("genset.fuel") == Approx(0.08415 * 50 * 780 / 3600));
    CHECK(plant.get("load.voltage_of_bus") == 0);
    plant.set("genset.run", 1);  // left the bus at 610 s: may crank from 910 s on, is there at 920 s
    const int steps = static_cast<int>(std::ceil(100 / step));
    plant.run(steps);
    CHECK(plant.get("genset.run_time") == Approx(600 + steps * step - 20));

    Plant blocked(step);
    with_load(blocked, {{"run", 1}, {"start_blocked", 1}});
    blocked.run(100);
    CHECK(blocked.get("genset.run_time") == 0);
    CHECK(blocked.get("genset.fuel") == 0);
    blocked.set("genset.start_blocked", 0).run(10);
    CHECK(blocked.get("genset.run_time") == Approx(10 * step - 10));
    CHECK(blocked.batch().all_well());
  }
  Plant aborted(4);
  with_load(aborted, {{"run", 1}});
  aborted.run(2).set("genset.run", 0).run().set("genset.run", 1).run(2);
  CHECK(aborted.get("genset.run_time") == 0);  // it begins to crank anew
  aborted.run();
  CHECK(aborted.get("genset.run_time") == Approx(2));
}

TEST_CASE("genset: NaN in an input stops the lane", "[genset]") {
  for (const char* input : {"run", "loading"}) {
    Plant plant(60);
    with_load(plant, {{"running", 1}, {"run", 1}});
    plant.set(std::string("genset.") + input, NAN).run();
    CAPTURE(input);
    CHECK_FALSE(plant.batch().all_well());
  }
}

// The grid connection: limits, outage, tariff, demand charge, carbon.
#include <algorithm>
#include <vector>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

Plant& with_load(Plant& plant, const Plant::Values& grid = {}) {
  plant.add("load", "load");
  plant.add("grid", "grid", grid);
  return plant.balance({"grid", "load"});
}

// Demand charge by the book: mean import of every clock-aligned window of a step series, the highest one counts.
double highest_window_mean(const std::vector<double>& power, double dt, double window, double start) {
  double highest = 0, energy = 0;
  double begin = start;
  for (double p : power) {
    double left = dt;
    while (left > 1e-9) {
      const double end = (std::floor((begin + 1e-9) / window) + 1) * window;
      const double part = std::min(left, end - begin);
      energy += p * part;
      left -= part;
      begin += part;
      if (end - begin < 1e-9) highest = std::max(highest, energy / window), energy = 0;
    }
  }
  return highest;
}

}  // namespace

TEST_CASE("grid: worked example of the handbook, 1 h at 100 kW and 1 h at 40 kW", "[grid]") {
  for (double step : {1.0, 60.0, 900.0, 3600.0}) {
    Plant plant(step);
    with_load(plant, {{"demand_charge", 10}});
    const int steps = static_cast<int>(3600 / step);
    plant.set("load.demand", 100e3).set("grid.price", 0.10).run(steps);
    plant.set("load.demand", 40e3).set("grid.price", 0.20).run(steps);
    CHECK(plant.get("grid.cost_energy") == Approx(18).epsilon(0).margin(1e-9));
    CHECK(plant.get("grid.cost_demand") == Approx(1000).epsilon(0).margin(1e-9));
    CHECK(plant.get("grid.cost_total") == Approx(1018).epsilon(0).margin(1e-9));
    CHECK(plant.get("grid.peak_import") == 100e3);
    CHECK(plant.batch().all_well());
  }
}

TEST_CASE("grid: demand windows are clock aligned whatever the step and the start", "[grid]") {
  for (double step : {7.0, 60.0, 400.0, 900.0, 1000.0, 2000.0, 3600.0}) {
    for (double offset : {0.0, 300.0, 899.0}) {
      for (double window : {900.0, 1800.0}) {
        const double start = 1467331200 + offset;
        Plant plant(step, start);
        with_load(plant, {{"demand_charge", 10}, {"demand_window", window}});
        std::vector<double> power;
        for (int k = 0; k < 300; ++k) {
          power.push_back((k * 7919 + 13) % 1000 * 100.0);
          plant.set("load.demand", power.back()).run();
        }
        CAPTURE(step, offset, window);
        const double expected = highest_window_mean(power, step, window, start);
        CHECK(plant.get("grid.month_peak") == Approx(expected).epsilon(1e-9));
        CHECK(plant.get("grid.cost_demand") == Approx(expected * 0.01).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("grid: each billing month pays for its own peak", "[grid]") {
  Plant plant(900);
  with_load(plant, {{"demand_charge", 10}});
  plant.set("grid.billing_month", 1).set("load.demand", 50e3).run(4);
  plant.set("grid.billing_month", 2).set("load.demand", 20e3).run(4);
  CHECK(plant.get("grid.cost_demand") == Approx(700));
  CHECK(plant.get("grid.month_peak") == Approx(20e3));
  plant.set("load.demand", 30e3).run(1);
  CHECK(plant.get("grid.cost_demand") == Approx(800));
}

TEST_CASE("grid: import and export are billed apart, export earns no carbon", "[grid]") {
  Plant plant(3600);
  plant.add("pv", "pv_profile", {{"rated", 10000}});
  with_load(plant);
  plant.set("grid.price", 0.30).set("grid.export_price", 0.08).set("grid.carbon", 0.4);
  plant.set("pv.generation", 1).set("load.demand", 4000).run();
  CHECK(plant.get("grid.export_power") == Approx(6000));
  CHECK(plant.get("grid.import_power") == 0);
  plant.set("pv.generation", 0).run();
  CHECK(plant.get("grid.import_power") == Approx(4000));
  CHECK(plant.get("grid.cost_energy") == Approx(1.2));
  CHECK(plant.get("grid.revenue_export") == Approx(0.48));
  CHECK(plant.get("grid.cost_total") == Approx(0.72));
  CHECK(plant.get("grid.emissions") == Approx(1.6));
  CHECK(plant.get("grid.power") == Approx(4000));
}

TEST_CASE("grid: limits hold, what it cannot give is unserved, what it cannot take is curtailed", "[grid]") {
  Plant plant(60);
  plant.add("pv", "pv_profile", {{"rated", 10000}});
  plant.add("load", "load").add("grid", "grid", {{"import_limit", 3000}, {"export_limit", 2000}});
  plant.balance({"grid", "pv", "load"});
  plant.set("load.demand", 5000).run();
  CHECK(plant.get("grid.power") == Approx(3000));
  CHECK(plant.get("load.unserved_power") == Approx(2000));
  plant.set("load.demand", 0).set("pv.generation", 0.7).run();
  CHECK(plant.get("grid.power") == Approx(-2000));
  CHECK(plant.get("pv.curtailed") == Approx(5000));
}

TEST_CASE("grid: an outage darkens the bus, and the grid returns after its delay", "[grid]") {
  Plant plant(60);
  with_load(plant, {{"reconnect_delay", 120}});
  plant.set("load.demand", 1000).run(2);
  CHECK(plant.get("load.served") == 1000);
  CHECK(plant.get("grid.bus_frequency") == 50);
  plant.set("grid.connected", 0).run();
  CHECK(plant.get("grid.power") == 0);
  CHECK(plant.get("load.unserved_power") == 1000);
  CHECK(plant.get("grid.bus_voltage") == 0);
  plant.set("grid.connected", 1).run(2);
  CHECK(plant.get("grid.power") == 0);
  plant.run();  // the bus is alive at the end of this step, the load returns in the next
  CHECK(plant.get("grid.bus_voltage") == 1);
  plant.run();
  CHECK(plant.get("load.served") == 1000);
  CHECK(plant.batch().all_well());
}

TEST_CASE("grid: voltage and frequency reach the bus", "[grid]") {
  Plant plant(60);
  with_load(plant, {{"nominal_frequency", 60}});
  plant.set("grid.voltage", 0.97).set("grid.frequency", 59.4).run();
  CHECK(plant.get("load.voltage_of_bus") == 0.97);
  CHECK(plant.get("load.frequency_of_bus") == Approx(0.99));
  CHECK(plant.get("grid.bus_frequency") == Approx(59.4));
}

TEST_CASE("grid: NaN in an input stops the lane", "[grid]") {
  for (const char* input :
       {"price", "export_price", "carbon", "voltage", "frequency", "connected", "billing_month", "import_wish"}) {
    Plant plant(60);
    with_load(plant);
    plant.set("load.demand", 1000).set(std::string("grid.") + input, NAN).run();
    CAPTURE(input);
    CHECK_FALSE(plant.batch().all_well());
  }
}

// Inverters let go of a disturbed bus and come back after a stated time (models/ride_through.hpp).
#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

// A grid whose voltage and frequency the test sets, and a PV plant that follows it.
void site(Plant& plant) {
  plant.add("pv", "pv_profile", {{"rated", 5000}, {"generation", 0.8}, {"return_delay", 120}});
  plant.add("grid", "grid");
  plant.balance({"grid", "pv"});
}

}  // namespace

TEST_CASE("PV trips outside its window of voltage and frequency, and returns after its delay", "[ride_through]") {
  struct Disturbance {
    const char* input;
    double bad, good;
  };
  for (const Disturbance& d : {Disturbance{"grid.voltage", 0.80, 1}, Disturbance{"grid.voltage", 1.15, 1},
                               Disturbance{"grid.frequency", 48.0, 50}, Disturbance{"grid.frequency", 51.5, 50}}) {
    INFO(d.input << " " << d.bad);
    Plant plant(1);
    site(plant);
    plant.run(5);
    CHECK(plant.get("pv.power") == 4000);
    plant.set(d.input, d.bad).run(2);  // it sees what the bus was at the end of the last step
    CHECK(plant.get("pv.power") == 0);
    plant.set(d.input, d.good).run(1);
    CHECK(plant.get("pv.power") == 0);
    plant.run(119);
    CHECK(plant.get("pv.power") == 0);
    plant.run(2);
    CHECK(plant.get("pv.power") == 4000);
  }
}

TEST_CASE("a disturbance inside the window is ridden through", "[ride_through]") {
  Plant plant(1);
  site(plant);
  plant.run(5).set("grid.voltage", 0.9).set("grid.frequency", 49.5).run(10);
  CHECK(plant.get("pv.power") == 4000);
}

TEST_CASE("a bus that nobody forms is dead: PV stops, loads are not served", "[ride_through]") {
  Plant plant(1);
  site(plant);
  plant.add("load", "load", {{"demand", 1000}});
  plant.balance({"grid", "pv", "load"});
  plant.run(5);
  CHECK(plant.get("load.served") == 1000);
  plant.set("grid.connected", 0).run(3);
  CHECK(plant.get("pv.power") == 0);
  CHECK(plant.get("load.served") == 0);
  CHECK(plant.get("load.unserved_power") == 1000);
  CHECK(plant.get("spill.power") == 0);
}

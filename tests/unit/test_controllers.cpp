// Controllers on small plants. The battery is a stand-in without losses, so that every number can be worked out by hand; how
// a controller finds the real one by its model is the loader's business and tested there.
#include <cmath>
#include <vector>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

struct StandInBattery {
  Port ac;
  Lanes capacity, rated;
  Lanes state_of_charge_floor;
  Lanes state_of_charge, energy;
  Lanes charging;

  static void declare(Declare& d) {
    d.port<&StandInBattery::ac>();
    d.parameter<&StandInBattery::capacity>("Wh", 10000, {1, 1e9}, "energy when full");
    d.parameter<&StandInBattery::rated>("W", 5000, {0, 1e9}, "most power");
    d.input<&StandInBattery::state_of_charge_floor>("1", 0, {0, 1}, "down to which it discharges", actionable);
    d.state<&StandInBattery::state_of_charge>("1", 0.5, {0, 1}, "", observable);
    d.state<&StandInBattery::energy>("Wh", 0, {0, 1e9}, "", content);
    d.output<&StandInBattery::charging>("W", "", stored);
    d.forms_bus<&StandInBattery::ones, &StandInBattery::ones>();
    d.derived<&StandInBattery::ones>();
  }
  Lanes ones;
  void prepare(const Step&) { ones = Lanes::Ones(); }
  void limits(const Step& s) {
    const Lanes per_hour = capacity * 3600 / s.dt;
    ac.p_max = clamp((state_of_charge - state_of_charge_floor) * per_hour, lanes(0), rated);
    ac.p_min = -clamp((1 - state_of_charge) * per_hour, lanes(0), rated);
    ac.p_wish = Lanes::Zero();
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
  void advance(const Step& s) {
    charging = -ac.p;
    state_of_charge = clamp(state_of_charge - ac.p * s.dt / 3600 / capacity, lanes(0), lanes(1));
    energy = state_of_charge * capacity;
  }
};

const Registered<StandInBattery> registered{"test_battery", "battery without losses, for tests"};

// Adds a controller last and shows it the stand-in.
Plant& control(Plant& plant, const std::string& model, const Plant::Values& values = {}) {
  plant.add("controller", model, values);
  plant.plan().assets.back().roles["battery"] = {"battery"};
  return plant;
}

constexpr double midnight = 1467331200;  // 2016-07-01, UTC

}  // namespace

TEST_CASE("self_consumption: the merit list, nothing else", "[controllers]") {
  const auto run = [](bool with) {
    Plant plant(60);
    plant.add("pv", "pv_profile", {{"rated", 4000}}).add("battery", "test_battery").add("load", "load").add("grid", "grid");
    if (with) plant.add("controller", "self_consumption");
    plant.balance({"battery", "grid"});
    std::vector<double> powers;
    for (int k = 0; k < 100; ++k) {
      plant.set("pv.generation", (k % 17) / 17.0).set("load.demand", (k % 23) * 300.0).run();
      for (const char* asset : {"pv", "battery", "load", "grid"}) powers.push_back(plant.get(std::string(asset) + ".power"));
    }
    return powers;
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("backup_genset: it runs while the grid is away, whoever says so", "[controllers]") {
  Plant plant(60);
  plant.add("battery", "test_battery").add("load", "load").add("grid", "grid");
  plant.add("genset", "genset", {{"rating", 8000}, {"start_time", 0}, {"minimum_up", 0}, {"minimum_down", 0}, {"cool_down", 0}});
  plant.add("controller", "backup_genset");
  plant.plan().assets.back().roles["grid"] = {"grid"};
  plant.plan().assets.back().roles["genset"] = {"genset"};
  plant.balance({"battery", "grid", "genset", "load"});
  const auto runs = [&](double connected, double outage) {
    plant.set("load.demand", 7000).set("grid.connected", connected).set("grid.outage", outage).run();
    return plant.get("genset.running") == 1;
  };
  CHECK_FALSE(runs(1, 0));
  CHECK_FALSE(runs(1, 0));
  CHECK(runs(0, 0));  // at once
  CHECK(plant.get("genset.power") == 2400);
  CHECK(plant.get("battery.power") == 4600);
  CHECK(runs(0, 0));
  CHECK_FALSE(runs(1, 0));  // and no longer
  CHECK_FALSE(runs(1, 0));
  CHECK_FALSE(runs(1, 1));  // a fault shows in what the grid could give
  CHECK(runs(1, 1));
  CHECK(runs(1, 0));
  CHECK_FALSE(runs(1, 0));
}

TEST_CASE("hold: the battery stays at 0 W", "[controllers]") {
  Plant plant(60);
  plant.add("battery", "test_battery").add("load", "load").add("grid", "grid", {{"import_limit", 3000}});
  control(plant, "hold").balance({"battery", "grid"});
  plant.set("load.demand", 2000).run();
  CHECK(plant.get("battery.power") == 0);
  CHECK(plant.get("grid.power") == 2000);
  plant.set("load.demand", 4000).run();  // all others are exhausted: it moves
  CHECK(plant.get("battery.power") == 1000);
}

TEST_CASE("schedule: the battery follows its profile, clipped to what it can do", "[controllers]") {
  Plant plant(3600);
  plant.add("battery", "test_battery").add("load", "load").add("grid", "grid");
  control(plant, "schedule").balance({"battery", "grid"});
  plant.set("load.demand", 500).set("controller.planned_power", 2000).run();
  CHECK(plant.get("battery.power") == 2000);
  CHECK(plant.get("grid.power") == -1500);
  plant.set("controller.planned_power", -9000).run();
  CHECK(plant.get("battery.power") == -5000);
  CHECK(plant.get("battery.clipped") == -4000);
  CHECK(plant.get("battery.state_of_charge") == Approx(0.8));
}

TEST_CASE("time_of_use: charges while energy is cheap, within what the grid allows", "[controllers]") {
  Plant plant(60);
  plant.add("battery", "test_battery").add("load", "load").add("grid", "grid", {{"import_limit", 4000}});
  control(plant, "time_of_use", {{"charge_below", 0.25}}).balance({"battery", "grid", "load"});
  plant.set("load.demand", 1500).set("grid.price", 0.30).run();
  CHECK(plant.get("battery.power") == 1500);
  CHECK(plant.get("grid.power") == 0);
  plant.set("grid.price", 0.20).run();
  CHECK(plant.get("grid.power") == 4000);
  CHECK(plant.get("battery.power") == -2500);
  plant.set("load.demand", 3900).run();  // in the same step: the charge makes way, no load is shed for it
  CHECK(plant.get("battery.power") == Approx(-100));
  CHECK(plant.get("load.unserved_power") == 0);
  plant.set("battery.state_of_charge", 1).run();
  CHECK(plant.get("battery.power") == 0);  // full, and it does not discharge while energy is cheap
  CHECK(plant.get("grid.power") == 3900);
  plant.set("battery.state_of_charge", 0.5).set("controller.charge_power", 800).set("load.demand", 1000).run();
  CHECK(plant.get("battery.power") == Approx(-800));
  CHECK(plant.get("grid.power") == Approx(1800));
  plant.set("load.demand", 2000).run();  // the demand of this step is known
  CHECK(plant.get("battery.power") == Approx(-800));
  CHECK(plant.batch().all_well());
}

TEST_CASE("time_of_use: keeps its reserve until the local time of day", "[controllers]") {
  Plant plant(900, midnight);
  plant.add("battery", "test_battery").add("load", "load").add("grid", "grid");
  control(plant, "time_of_use", {{"reserve", 0.5}, {"reserve_until", 16 * 3600.0}}).balance({"battery", "grid"});
  Quantity offset;
  offset.row = detail::offset_of<&Step::utc_offset>();
  plant.batch().set(0, offset, 2 * 3600.0);  // local time is two hours ahead
  plant.set("battery.state_of_charge", 0.6).set("load.demand", 1000);
  for (int k = 0; k < 4 * 22; ++k) {
    plant.run();
    CAPTURE(k);
    const bool reserved = k < 4 * 14;
    CHECK(plant.get("battery.state_of_charge_floor") == (reserved ? 0.5 : 0));
    if (reserved) CHECK(plant.get("battery.state_of_charge") >= 0.5 - 1e-9);
  }
  CHECK(plant.get("battery.state_of_charge") == Approx(0).margin(1e-9));
  plant.set("battery.state_of_charge", 0.3).run();  // next local day: kept, not made
  CHECK(plant.get("battery.state_of_charge_floor") == 0.5);
  CHECK(plant.get("battery.power") == 0);
}

TEST_CASE("peak_shaving: import never passes the target while the battery can help", "[controllers]") {
  Plant plant(60);
  plant.add("pv", "pv_profile", {{"rated", 3000}})
      .add("battery", "test_battery", {{"capacity", 20000}})
      .add("load", "load")
      .add("grid", "grid");
  control(plant, "peak_shaving", {{"import_target", 3000}, {"recharge_below", 1000}}).balance({"battery", "grid", "load"});
  plant.set("load.demand", 2000).run();
  CHECK(plant.get("battery.power") == Approx(0).margin(1e-9));  // between the two: it rests
  plant.set("load.demand", 5000).run();                         // at once, not a step later
  CHECK(plant.get("grid.power") == Approx(3000));
  CHECK(plant.get("battery.power") == Approx(2000));
  plant.set("load.demand", 400).run();
  CHECK(plant.get("grid.power") == Approx(1000));
  CHECK(plant.get("battery.power") == Approx(-600));
  // PV is known from the last step only. The target holds all the same: the battery takes the error.
  for (int k = 0; k < 200; ++k) {
    plant.set("pv.generation", (k * 7 % 10) / 10.0).set("load.demand", 500.0 * (k * 3 % 11)).run();
    CHECK(plant.get("grid.power") <= 3000 + 1e-9);
    CHECK(plant.get("load.unserved_power") == 0);
  }
  plant.set("pv.generation", 0).set("battery.state_of_charge", 0).set("load.demand", 5000).run();
  CHECK(plant.get("grid.power") == Approx(5000));  // empty: the grid, before any load is shed
  CHECK(plant.get("load.unserved_power") == 0);
  CHECK(plant.batch().all_well());
}

namespace {

// An island of a battery, PV, a genset and one load per zone.
Plant& island(Plant& plant, const Plant::Values& controller = {}) {
  plant.add("battery", "test_battery").add("pv", "pv_profile", {{"rated", 2000}, {"return_delay", 0}});
  plant.add("genset", "genset", {{"rating", 5000}});
  for (const char* zone : {"critical", "semi_critical", "non_critical", "deferrable"}) plant.add(zone, "load", {}, zone);
  control(plant, "off_grid", controller)
      .balance({"battery", "genset", "pv", "deferrable", "non_critical", "semi_critical", "critical"});
  for (const char* zone : {"critical", "semi_critical", "non_critical", "deferrable"})
    plant.set(std::string(zone) + ".demand", 500);
  return plant;
}

std::string closed(Plant& plant) {
  std::string relays;
  for (const char* zone : {"critical", "semi_critical", "non_critical", "deferrable"}) {
    relays += plant.get(std::string(zone) + ".relay") > 0.5 ? zone[0] : '-';
  }
  return relays;
}

}  // namespace

TEST_CASE("off_grid: the genset starts below 30 % and stops above 60 %", "[controllers]") {
  Plant plant(60);
  island(plant);
  bool ran = false;
  for (int k = 0; k < 24 * 60; ++k) {
    const double before = plant.get("battery.state_of_charge");
    const bool told = plant.get("genset.run") > 0.5;
    plant.run();
    const bool tells = plant.get("genset.run") > 0.5;
    ran = ran || tells;
    if (tells && !told) CHECK(before < 0.30);
    if (!tells && told) CHECK(before > 0.60);
    CHECK(plant.get("battery.state_of_charge") > 0.28);
    CHECK(closed(plant) == "csnd");
  }
  CHECK(ran);
  CHECK(plant.get("genset.run_time") > 3600);
  CHECK(plant.batch().all_well());
}

TEST_CASE("off_grid: zones go in order and return one after the other", "[controllers]") {
  for (double step : {1.0, 10.0}) {
    Plant plant(step);
    island(plant, {{"loading_max", 1e6}, {"loading_return", 1e6}});
    plant.set("genset.start_blocked", 1);
    const auto at = [&](double soc) {
      plant.set("battery.state_of_charge", soc).run();
      return closed(plant);
    };
    CAPTURE(step);
    CHECK(at(0.5) == "csnd");
    CHECK(at(0.21) == "csnd");
    CHECK(at(0.19) == "cs--");
    CHECK(at(0.25) == "cs--");
    CHECK(at(0.09) == "c---");
    CHECK(at(0.04) == "----");
    CHECK(plant.get("battery.power") == 0);
    // Back at 50 %: 60 s of minimum off time for critical, then one zone every 30 s.
    plant.set("battery.state_of_charge", 0.5);
    std::vector<double> when(4, 0);
    for (int k = 1; k * step < 300; ++k) {
      plant.run();
      const std::string now = closed(plant);
      for (std::size_t z = 0; z < 4; ++z) {
        if (when[z] == 0 && now[z] != '-') when[z] = k * step;
      }
    }
    CHECK(when == std::vector<double>{60, 90, 120, 150});
    CHECK(plant.batch().all_well());
  }
}

TEST_CASE("off_grid: sources are loaded to 90 % at most before the lowest zone goes", "[controllers]") {
  Plant plant(60);
  island(plant);
  plant.set("battery.rated", 2000).run();  // 2000 W of 5000 W: what the first step sees
  CHECK(closed(plant) == "csnd");
  plant.run();
  CHECK(closed(plant) == "csn-");  // 1500 W of 2000 W
  plant.set("semi_critical.demand", 1000).run();
  CHECK(closed(plant) == "cs--");  // 2000 W of 2000 W would be too much
  plant.set("semi_critical.demand", 700).run(5);
  CHECK(closed(plant) == "cs--");  // 1700 W of 2000 W: too much to come back
  plant.set("battery.rated", 5000).run(2);
  CHECK(closed(plant) == "csn-");  // more is there since the last step; one zone at a time
  plant.run();
  CHECK(closed(plant) == "csnd");
}

TEST_CASE("off_grid: a black plant comes back with the sun", "[controllers]") {
  Plant plant(60);
  island(plant);
  plant.set("genset.start_blocked", 1).set("battery.state_of_charge", 0).run(10);
  CHECK(closed(plant) == "----");
  CHECK(plant.get("critical.unserved_power") == 500);
  plant.set("pv.generation", 1).run(200);
  CHECK(closed(plant) != "----");
  CHECK(plant.get("battery.state_of_charge") > 0.1);
  CHECK(plant.batch().all_well());
}

TEST_CASE("controllers: a look at a reset lane's first observation changes nothing", "[controllers]") {
  Plant looked(60), plain(60);
  island(looked, {{"loading_max", 0.35}});
  island(plain, {{"loading_max", 0.35}});
  std::vector<float> seen(1);
  looked.batch().look(0, {looked.at("battery.power_max")}, seen);
  CHECK(seen[0] > 0);
  looked.batch().look(0, {looked.at("battery.power_max")}, seen);
  for (int k = 0; k < 30; ++k) {
    looked.set("battery.state_of_charge", k % 7 / 10.0).run();
    plain.set("battery.state_of_charge", k % 7 / 10.0).run();
    CHECK(looked.get("battery.power") == plain.get("battery.power"));
    CHECK(looked.batch().hash(0) == plain.batch().hash(0));
  }
}

TEST_CASE("controllers know the demand as the loads scale it", "[controllers]") {
  Plant plant;
  plant.add("load", "load", {{"demand", 1000}, {"scale", 3}}).add("battery", "test_battery").add("grid", "grid");
  plant.balance({"battery", "grid", "load"});
  control(plant, "peak_shaving", {{"import_target", 500}});
  plant.run(2);
  CHECK(plant.get("controller.demand") == 3000);
  CHECK(plant.get("battery.power") == Approx(2500));
}

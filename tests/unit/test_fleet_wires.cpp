// Controllers and the members of fleets: what is read of them and what is commanded to them, in numbers worked out by hand and
// beside the same plant whose members are plain assets. (`test_battery` is the one without losses of test_controllers.cpp.)
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

constexpr int homes = 11;  // a block and three eighths

// Shows what its wires read, and commands what it is told.
struct Wired {
  Lanes relay_wanted;
  Lanes demand, power, charge, voltage;
  Lanes relay;

  static void declare(Declare& d) {
    d.role({.name = "load", .models = {"load"}, .tag = "", .many = true, .optional = true, .doc = "any"});
    d.role({.name = "battery", .models = {"battery"}, .tag = "", .many = true, .optional = true, .doc = "any"});
    d.parameter<&Wired::relay_wanted>("1", 1, {0, 1}, "for all loads");
    d.input<&Wired::demand>("W", 0, {}, "of all loads, now").from("load.demand");
    d.input<&Wired::power>("W", 0, {}, "of all loads in the last step").from("load.power");
    d.input<&Wired::charge>("1", 0, {}, "of all batteries").from("battery.state_of_charge");
    d.input<&Wired::voltage>("1", 0, {}, "that the loads see").from("load.voltage_of_bus");
    d.output<&Wired::relay>("1", "for all loads").to("load.relay");
  }
  void control(const Step&) { relay = relay_wanted; }
};
const Registered<Wired> registered{"test_wired", "shows what its wires read, for tests"};

std::string member(int m, const std::string& what) { return "homes." + std::to_string(m + 1) + "." + what; }

Plant& controlled_by(Plant& plant, const std::string& model, const Plant::Values& values = {}) {
  plant.add("controller", model, values);
  return plant;
}
std::map<std::string, std::vector<std::string>>& roles(Plant& plant) { return plant.plan().assets.back().roles; }

std::string refused(Plant& plant) {
  try {
    plant.batch();
  } catch (const std::invalid_argument& e) { return e.what(); }
  return "accepted";
}

}  // namespace

TEST_CASE("fleet wires: members are summed or averaged one by one, padding never", "[controllers][fleet]") {
  Plant plant(60);
  plant.add("grid", "grid").add("shop", "load", {{"demand", 4000}}).add("battery", "test_battery", {{"state_of_charge", 0.9}});
  plant.fleet("homes", homes, {{"load", "load"}, {"battery", "test_battery"}});
  controlled_by(plant, "test_wired").balance({"grid"});
  roles(plant)["battery"] = {"battery", "homes.battery"};
  double demand = 4000, charge = 0.9;
  for (int m = 0; m < homes; ++m) {
    plant.set(member(m, "load.demand"), 100.0 * (m + 1)).set(member(m, "battery.state_of_charge"), 0.05 * (m + 1));
    demand += 100.0 * (m + 1), charge += 0.05 * (m + 1);
  }
  plant.run();
  CHECK(plant.get("controller.demand") == Approx(demand).epsilon(1e-15));
  CHECK(plant.get("controller.charge") == Approx(charge / (homes + 1)).epsilon(1e-14));
  CHECK(plant.get("controller.voltage") == 1);
  CHECK(plant.get("controller.power") == 0);  // of the last step: there was none
  plant.run();
  CHECK(plant.get("controller.power") == Approx(-demand).epsilon(1e-12));
  plant.set("controller.relay_wanted", 0).run();  // in the same step
  for (int m = 0; m < homes; ++m) {
    CHECK(plant.get(member(m, "load.relay")) == 0);
    CHECK(plant.get(member(m, "load.unserved_power")) == 100.0 * (m + 1));
  }
  CHECK(plant.get("plant.unserved_power") == Approx(demand).epsilon(1e-12));
  CHECK(plant.get("grid.power") == Approx(0).margin(1e-9));
  CHECK(plant.batch().all_well());
}

TEST_CASE("fleet wires: a command outlives the row of a profile that comes in the same step", "[controllers][fleet]") {
  Plant plant(60);
  plant.add("grid", "grid").fleet("homes", 3, {{"load", "load", {{"demand", 500}}}});
  Plan& home = *plant.plan().fleets[0].plan;
  Profile closed = Profile::even(0, 60, 20, 1, std::vector<double>(20, 1.0));
  closed.targets = {{home.row_of(*home.asset("load"), "relay"), 0, 1}};
  home.add_profile(std::move(closed));
  controlled_by(plant, "test_wired", {{"relay_wanted", 0}}).balance({"grid"});
  for (int k = 0; k < 5; ++k) CHECK(plant.run().get("homes.load.power") == 0);
}

TEST_CASE("fleet wires: a role takes who fits, or those whom the scenario names", "[controllers][fleet]") {
  const auto plant = [] {
    auto p = std::make_unique<Plant>(60);
    p->add("grid", "grid").add("shop", "load", {{"demand", 1000}});
    p->fleet("homes", 2, {{"load", "load", {{"demand", 10}}}, {"pump", "load", {{"demand", 1}}}, {"store", "test_battery"}});
    p->fleet("huts", 3, {{"load", "load", {{"demand", 100}}}});
    controlled_by(*p, "test_wired").balance({"grid"});
    return p;
  };
  const auto demand = [&](const std::vector<std::string>& names) {
    const auto p = plant();
    roles(*p)["load"] = names;
    return p->run().get("controller.demand");
  };
  CHECK(plant()->run().get("controller.demand") == 1000 + 20 + 2 + 300);
  CHECK(demand({"homes.load"}) == 20);
  CHECK(demand({"shop", "huts.load", "homes.pump"}) == 1000 + 300 + 2);
  CHECK(demand({}) == 0);
  const auto wrong = plant();
  roles(*wrong)["load"] = {"homes.store"};
  CHECK(refused(*wrong) == "controller: 'homes.store' has no demand");

  // One asset for a role that takes one: a fleet's is one, two are too many.
  const auto follows = [&](const std::vector<std::string>& names) {
    auto p = std::make_unique<Plant>(60);
    p->add("grid", "grid").add("store", "test_battery").fleet("homes", 2, {{"store", "test_battery"}});
    controlled_by(*p, "schedule", {{"planned_power", 500}}).balance({"grid"});
    roles(*p)["battery"] = names;
    return p;
  };
  const auto both = follows({"store", "homes.store"});
  CHECK(refused(*both) ==
        "controller: several assets fit its role 'battery': say which one with `battery: NAME` (store, homes.store)");
  const auto one = follows({"homes.store"});
  one->run();
  CHECK(one->get("store.power") == 0);
  CHECK(one->get("homes.1.store.power") == 500);  // each as it is commanded
  CHECK(one->get("homes.2.store.power") == 500);
  CHECK(one->get("grid.power") == -1000);
}

namespace {

// An island: a clinic, and homes with lights, a washer and a pump in three zones.
Plant& island(Plant& plant) {
  plant.add("battery", "test_battery").add("clinic", "load", {{"demand", 300}}, "critical");
  plant.fleet("homes", homes,
              {{"lights", "load", {{"demand", 20}}, "semi_critical"},
               {"washer", "load", {{"demand", 40}}, "non_critical"},
               {"pump", "load", {{"demand", 30}}, "deferrable"}});
  controlled_by(plant, "off_grid").balance({"battery", "homes.pump", "homes.washer", "homes.lights", "clinic"});
  roles(plant)["battery"] = {"battery"};
  return plant;
}

}  // namespace

TEST_CASE("off_grid: zones of fleets' members go and return by state of charge", "[controllers][fleet]") {
  Plant plant(10);
  island(plant);
  const auto zones = [&] {  // closed relays, all members alike
    std::string text = plant.get("clinic.relay") > 0.5 ? "c" : "-";
    for (const char* load : {"lights", "washer", "pump"}) {
      int closed = 0;
      for (int m = 0; m < homes; ++m) closed += plant.get(member(m, std::string(load) + ".relay")) > 0.5;
      text += closed == homes ? std::string(1, load[0]) : closed == 0 ? "-" : "?";
    }
    return text;
  };
  const auto at = [&](double state_of_charge) {
    plant.set("battery.state_of_charge", state_of_charge).run();
    return zones();
  };
  const auto unserved = [&] {
    return std::vector<double>{plant.get("clinic.unserved_power"), plant.get("homes.lights.unserved_power"),
                               plant.get("homes.washer.unserved_power"), plant.get("homes.pump.unserved_power")};
  };
  CHECK(at(0.5) == "clwp");
  CHECK(plant.get("controller.non_critical_demand") == 40 * homes);
  CHECK(unserved() == std::vector<double>{0, 0, 0, 0});
  CHECK(plant.get("battery.power") == Approx(300 + 90 * homes));
  CHECK(at(0.19) == "cl--");
  CHECK(unserved() == std::vector<double>{0, 0, 40 * homes, 30 * homes});
  CHECK(plant.get("battery.power") == Approx(300 + 20 * homes));
  CHECK(plant.get("plant.unserved_power") == Approx(70 * homes));
  CHECK(at(0.25) == "cl--");
  CHECK(at(0.09) == "c---");
  CHECK(at(0.04) == "----");
  CHECK(unserved() == std::vector<double>{300, 20 * homes, 40 * homes, 30 * homes});
  CHECK(plant.get("battery.power") == Approx(0).margin(1e-9));
  plant.set("battery.state_of_charge", 0.5);
  std::vector<double> when(4, 0);
  for (int k = 1; k * 10 < 300; ++k) {
    plant.run();
    const std::string now = zones();
    for (std::size_t z = 0; z < 4; ++z) {
      if (when[z] == 0 && now[z] != '-') when[z] = k * 10;
    }
  }
  CHECK(when == std::vector<double>{60, 90, 120, 150});
  CHECK(unserved() == std::vector<double>{0, 0, 0, 0});
  CHECK(plant.batch().all_well());
}

TEST_CASE("off_grid: the demand of fleets' members loads the sources", "[controllers][fleet]") {
  Plant plant(60);
  island(plant);
  plant.set("battery.rated", 1150).run(2);  // 1290 W of 1150 W; without the pumps 960 W are below 90 %
  CHECK(plant.get("homes.pump.relay") == 0);
  CHECK(plant.get("homes.washer.relay") == 1);
  plant.set("battery.rated", 5000).run(3);
  CHECK(plant.get("homes.pump.relay") == 1);
}

TEST_CASE("planned import: members of a fleet count like plain assets", "[controllers][fleet]") {
  constexpr int rows = 240;
  const auto demand = [](int row, int m) { return 100.0 * ((row * 7 + m * 5) % 13) + 10 * m; };
  const auto make = [&](const std::string& model, const Plant::Values& values, bool fleet) {
    auto plant = std::make_unique<Plant>(60);
    plant->add("battery", "test_battery", {{"capacity", 20000}}).add("grid", "grid", {{"price", 0.3}});
    plant->add("pv", "pv_profile", {{"rated", 2000}, {"generation", 0.5}});
    std::vector<double> values_of_all;
    const int wide = fleet ? 16 : homes;
    for (int r = 0; r < rows; ++r) {
      for (int m = 0; m < wide; ++m) values_of_all.push_back(m < homes ? demand(r, m) : 1e7);  // padding is nobody's demand
    }
    Profile profile = Profile::even(0, 60, rows, wide, values_of_all);
    std::vector<std::string> merit{"battery", "grid", "pv"};
    if (fleet) {
      plant->fleet("homes", homes, {{"load", "load"}});
      Plan& home = *plant->plan().fleets[0].plan;
      profile.targets = {{home.row_of(*home.asset("load"), "demand"), 0, wide}};
      home.add_profile(std::move(profile));
      merit.push_back("homes.load");
    } else {
      for (int m = 0; m < homes; ++m) {
        const std::string name = "load_" + std::to_string(m);
        plant->add(name, "load");
        profile.targets.push_back({plant->plan().row_of(*plant->plan().asset(name), "demand"), m, 1});
        merit.push_back(name);
      }
      plant->plan().add_profile(std::move(profile));
    }
    controlled_by(*plant, model, values).balance(merit);
    roles(*plant)["battery"] = {"battery"};
    return plant;
  };
  const std::vector<std::pair<std::string, Plant::Values>> controllers{
      {"peak_shaving", {{"import_target", 6000}, {"recharge_below", 4000}}},
      {"time_of_use", {{"charge_below", 0.35}, {"charge_power", 800}}},
  };
  for (const auto& [model, values] : controllers) {
    CAPTURE(model);
    const auto together = make(model, values, true), singly = make(model, values, false);
    double moved = 0;
    for (int k = 0; k < rows; ++k) {
      CAPTURE(k);
      together->run(), singly->run();
      double known = 0;
      for (int m = 0; m < homes; ++m) known += demand(k, m);
      CHECK(together->get("controller.demand") == Approx(known).epsilon(1e-12));  // of this step
      for (const char* path : {"controller.import_wish", "grid.power", "battery.power", "battery.state_of_charge"})
        CHECK(together->get(path) == Approx(singly->get(path)).epsilon(1e-9).margin(1e-9));
      moved += std::abs(together->get("battery.power"));
    }
    CHECK(moved > 1e4);
    CHECK(together->batch().all_well());
  }
}

TEST_CASE("fleet wires: a lane's bits are its own", "[controllers][fleet][determinism]") {
  // Lane k is the island at its own state of charge and demand; zones go and return in every lane at its own time.
  const auto islands = [](const std::vector<int>& identities) {
    auto plant = std::make_unique<Plant>(60);
    island(*plant);
    plant->batch(static_cast<int>(identities.size()));
    for (std::size_t k = 0; k < identities.size(); ++k) {
      const int lane = static_cast<int>(k), id = identities[k];
      plant->batch().reset(lane, {static_cast<std::uint64_t>(id), 0, 0, 0});
      plant->set("battery.state_of_charge", 0.08 + 0.03 * id, lane).set("battery.capacity", 1500 + 100 * id, lane);
      for (int m = 0; m < homes; ++m) plant->set(member(m, "washer.demand"), 40 + 7.3 * ((id + m) % 5), lane);
    }
    return plant;
  };
  constexpr int steps = 90;
  const std::vector<int> nine{0, 1, 2, 3, 4, 5, 6, 7, 8};
  const auto all = islands(nine);
  int changes = 0;
  for (int k = 0; k < steps; ++k) {
    const double before = all->get("homes.washer.relay", 8) + all->get("homes.lights.relay", 8);
    all->run();
    changes += before != all->get("homes.washer.relay", 8) + all->get("homes.lights.relay", 8);
  }
  CHECK(changes >= 2);
  CHECK(all->batch().all_well());
  const auto same = [&](const Plant& plant, int lane, int id) {
    return const_cast<Plant&>(plant).batch().hash(lane) == all->batch().hash(id);
  };
  for (const int id : nine) {
    const auto alone = islands({id});
    CHECK(same(alone->run(steps), 0, id));
  }
  const auto threads = islands(nine);
  threads->batch().step(steps, 2);
  for (const int id : nine) CHECK(same(*threads, id, id));

  // Snapshot and branch, half way, into other lanes.
  const auto half = islands(nine), other = islands({5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5});
  half->run(steps / 2), other->run(7);
  std::vector<double> snapshot(half->batch().snapshot_size());
  for (const int id : nine) {
    half->batch().save(id, snapshot);
    other->batch().restore(10 - id, snapshot);
  }
  other->batch().copy_lane(10, 0);
  other->run(steps - steps / 2), half->run(steps - steps / 2);
  for (const int id : nine) CHECK((same(*half, id, id) && same(*other, 10 - id, id)));
  CHECK(same(*other, 0, 0));

  // A look, and a lane that is frozen by one of its members, leave no trace in the others.
  const auto hurt = islands(nine);
  hurt->run(10);
  hurt->set("homes.4.washer.scale", std::numeric_limits<double>::quiet_NaN(), 3);
  std::vector<float> seen(1);
  hurt->batch().look(6, {hurt->at("homes.washer.power_min")}, seen);
  hurt->run(1);
  CHECK_THAT(hurt->batch().trouble(3), starts_with("homes.4.washer"));
  const std::uint64_t frozen = hurt->batch().hash(3);
  hurt->run(steps - 11);
  CHECK(hurt->batch().hash(3) == frozen);
  for (const int id : {0, 1, 2, 4, 5, 6, 7, 8}) CHECK(same(*hurt, id, id));
}

// The merit-order balance.
#include <cmath>
#include <limits>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

// A port that does what its inputs say.
struct AnyPort {
  Port ac;
  Lanes low, high, wish, q_low, q_high, q_wish;
  Lanes count;

  static void declare(Declare& d) {
    d.port<&AnyPort::ac>();
    d.input<&AnyPort::low>("W", 0, {}, "least power", observable);
    d.input<&AnyPort::high>("W", 0, {}, "most power", observable);
    d.input<&AnyPort::wish>("W", 0, {}, "wish", observable);
    d.input<&AnyPort::q_low>("var", 0, {}, "least reactive power", observable);
    d.input<&AnyPort::q_high>("var", 0, {}, "most reactive power", observable);
    d.input<&AnyPort::q_wish>("var", 0, {}, "wished reactive power", observable);
    d.state<&AnyPort::count>("1", 0, {0, 1e9}, "steps lived", observable);
  }
  void limits(const Step&) {
    ac.p_min = low;
    ac.p_max = high;
    ac.p_wish = wish;
    ac.q = q_wish;
    ac.q_min = q_low;
    ac.q_max = q_high;
  }
  void advance(const Step&) { count += 1; }
};
const Registered<AnyPort> any_port{"test_port", "a port that does what its inputs say"};

// A charger that does what its inputs say.
struct AnyCharger {
  Port ac;
  Lanes need, floor, slack;

  static void declare(Declare& d) {
    d.port<&AnyCharger::ac>();
    d.input<&AnyCharger::need>("W", 0, {0, 1e9}, "what it would take", observable);
    d.input<&AnyCharger::floor>("W", 0, {0, 1e9}, "least that it can use", observable);
    d.input<&AnyCharger::slack>("s", 0, {}, "urgency", observable);
    d.fair_share<&AnyCharger::floor, &AnyCharger::slack>();
  }
  void limits(const Step&) {
    ac.p_min = ac.p_wish = -need;
    ac.p_max = Lanes::Zero();
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
};
const Registered<AnyCharger> any_charger{"test_charger", "a charger that does what its inputs say"};

// Adds a fleet of test chargers.
void add_chargers(Plant& plant, const std::string& name, int count, int bus = 0) {
  auto child = std::make_unique<Plan>(plant.plan().start, plant.plan().end, plant.plan().step);
  const Type& type = *find_type("test_charger");
  child->add_asset("charger", type, 0, type.make_settings());
  plant.plan().add_fleet(name, std::move(child), count, bus);
}

}  // namespace

TEST_CASE("a feeder stays within its limit while the one above it is relieved", "[balance]") {
  // plant --- outer (10 kW) --- source 30 kW
  //                         --- inner (5 kW) --- battery -20 .. 20 kW
  Plant plant;
  const int outer = plant.plan().add_bus("outer", 0, 10e3), inner = plant.plan().add_bus("inner", outer, 5e3);
  plant.add("source", "test_port", {{"high", 30e3}, {"wish", 30e3}}, "", outer);
  plant.add("battery", "test_port", {{"low", -20e3}, {"high", 20e3}}, "", inner);
  plant.add("grid", "test_port", {{"low", -1e6}, {"high", 1e6}});
  plant.balance({"battery", "grid", "source"}).run();
  CHECK(std::abs(plant.get("inner.flow")) <= 5e3 + 1e-6);
  CHECK(plant.get("battery.power") == Approx(-5e3));
  CHECK(plant.get("source.power") == Approx(15e3));
  CHECK(plant.get("grid.power") == Approx(-10e3));
}

TEST_CASE("a neighbour's reactive power does not touch a lane without any", "[balance][determinism]") {
  const auto hash_beside = [](double q) {
    Plant plant;
    plant.add("load", "test_port").add("other", "test_port", {{"q_low", -1e6}, {"q_high", 1e6}}).balance({"load", "other"});
    plant.batch(2);
    for (const char* zero : {"load.q_wish", "load.q_low", "load.q_high"}) plant.set(zero, -0.0);
    plant.set("other.q_wish", q, 1).run();
    return plant.batch().hash(0);
  };
  CHECK(hash_beside(0) == hash_beside(500));
}

TEST_CASE("a frozen lane stays frozen wherever it is copied", "[engine][frozen]") {
  Plant plant;
  plant.add("port", "test_port");
  plant.batch(9);
  plant.run().set("port.count", -5).run();
  REQUIRE(plant.batch().status(0) == Trouble::out_of_bounds);
  REQUIRE(plant.run(3).get("port.count") == -4);
  plant.batch().copy_lane(0, 8);  // into a block where nobody was frozen
  REQUIRE(plant.batch().status(8) == Trouble::out_of_bounds);
  CHECK(plant.run(3).get("port.count", 8) == -4);
  CHECK(plant.batch().index(8) == 1);
}

TEST_CASE("a neighbour's chargers do not touch a lane's bits", "[balance][determinism]") {
  // In lane 0 the battery is exhausted and the grid takes the rest: the residual is zero exactly. A neighbour whose chargers
  // pause must not make it pass again.
  for (int k = 1; k < 50; ++k) {
    const auto hash_beside = [&](double cut) {
      Plant plant;
      plant.add("load", "test_port", {{"low", -1234.5 * k}, {"high", 0}, {"wish", -1234.5 * k}});
      plant.add("battery", "test_port", {{"low", -1e3}, {"high", 101.1 * k / 3}, {"wish", -700.7 * k / 7}});
      plant.add("grid", "test_port", {{"low", -1e6}, {"high", 1e6}});
      add_chargers(plant, "parking", 2);
      plant.balance({"battery", "grid", "parking.charger"});
      plant.batch(2);
      plant.set("parking.charger.floor", 1400, 1).set("parking.charger.need", 7000, 1).set("grid.high", 1234.5 * k + cut, 1);
      plant.run();
      return plant.batch().hash(0);
    };
    CAPTURE(k);
    REQUIRE(hash_beside(1e5) == hash_beside(500));
  }
}

TEST_CASE("chargers share the same whoever asks again", "[balance][chargers]") {
  // The feeder's relief shares once, the plant's end once more: the second must not pause anybody.
  for (int k = 0; k < 200; ++k) {
    Plant plant;
    const int street = plant.plan().add_bus("street", 0, 0);
    add_chargers(plant, "parking", 3, street);
    plant.add("grid", "test_port", {{"low", -1e6}, {"high", 1e6}});
    plant.balance({"grid", "parking.charger"});
    // Two that want a little, one whose floor does not fit.
    const double a = 100.1 + 0.37 * k, b = 200.3 + 0.73 * k, c = 2000;
    plant.plan().set_start(plant.plan().buses[1].row, a + b + 1000);
    plant.set("parking.1.charger.need", a).set("parking.2.charger.need", b).set("parking.3.charger.need", c);
    plant.set("parking.charger.floor", 1380).set("parking.3.charger.floor", 1380 + 1.0 / 3).set("parking.3.charger.slack", 1);
    plant.run();
    CAPTURE(k);
    CHECK(plant.get("parking.1.charger.power") == Approx(-a));
    CHECK(plant.get("parking.2.charger.power") == Approx(-b));
    CHECK(plant.get("parking.3.charger.power") == 0);
  }
}

}  // namespace urja::tests

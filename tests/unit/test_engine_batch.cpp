// Single promises of batch and profile: what a reset takes over, where the ledger's bound lies, when a row begins.
#include <cmath>
#include <limits>

#include "engine/profile.hpp"
#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

// A consumer whose books miss a share of what it takes.
struct Leaky {
  Port ac;
  Lanes demand, missing;
  Lanes consumed;

  static void declare(Declare& d) {
    d.port<&Leaky::ac>();
    d.input<&Leaky::demand>("W", 1000, {0, 1e9}, "power");
    d.input<&Leaky::missing>("1", 0, {0, 1}, "share that is not booked");
    d.output<&Leaky::consumed>("W", "booked", sink);
  }
  void limits(const Step&) {
    ac.p_min = ac.p_max = ac.p_wish = -demand;
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
  void advance(const Step&) { consumed = -ac.p * (1 - missing); }
};
const Registered<Leaky> leaky{"test_leaky", "a consumer whose books miss a share"};

}  // namespace

TEST_CASE("the ledger's bound is a billionth of what moves", "[engine][ledger]") {
  Plant plant;
  plant.add("load", "test_leaky").add("grid", "grid").balance({"grid"});
  plant.batch(4);
  plant.set("load.missing", 0.4e-9, 1).set("load.missing", 2e-9, 2).set("load.missing", 0.01, 3).run(3);
  CHECK(plant.batch().status(0) == Trouble::none);
  CHECK(plant.batch().status(1) == Trouble::none);
  CHECK(plant.batch().ledger_worst(1) == Approx(0.4).epsilon(1e-3));
  for (const int lane : {2, 3}) {
    CHECK(plant.batch().status(lane) == Trouble::energy_not_closed);
    CHECK_THAT(plant.batch().trouble(lane), contains("load"));
    CHECK(plant.batch().index(lane) == 0);
  }
  CHECK_FALSE(plant.batch().all_well());
}

TEST_CASE("a reset takes over key, episode, first step and length of a step", "[engine]") {
  Plant plant(60), other(900);
  for (Plant* p : {&plant, &other}) p->add("pv", "pv").add("grid", "grid").balance({"grid"});
  plant.batch(3);
  Batch::Start start;
  start.key = 0x0123456789abcdefull;
  start.index = 7;
  start.episode = 3;
  start.dt = 900;
  plant.batch().reset(1, start);
  const Step& s = plant.batch().head(0).step;
  CHECK(s.key_low[1] == 0x89abcdef);
  CHECK(s.key_high[1] == 0x01234567);
  CHECK(s.episode[1] == 3);
  CHECK(plant.batch().index(1) == 7);
  CHECK(plant.batch().time(1) == plant.plan().start + 7 * 900);
  CHECK(plant.batch().time(0) == plant.plan().start);
  // Derived members follow the lane's own dt.
  plant.set("pv.plane_of_array_irradiance", 800, 1).set("pv.plane_of_array_irradiance", 800, 0).run(2);
  other.set("pv.plane_of_array_irradiance", 800).run(2);
  CHECK(plant.get("pv.cell_temperature", 1) == other.get("pv.cell_temperature"));
  CHECK(plant.get("pv.cell_temperature", 1) > plant.get("pv.cell_temperature", 0) + 5);
}

TEST_CASE("a profile's row begins at its stamp, rounding or not", "[engine][profile]") {
  const Profile even = Profile::even(10, 0.3, 5, 1, {0, 1, 2, 3, 4});
  CHECK(even.row_at(0) == 0);
  CHECK(even.row_at(10.29) == 0);
  CHECK(even.row_at(std::nextafter(10.3, 0)) == 1);
  CHECK(even.row_at(10.3 - 5e-7) == 1);
  CHECK(even.row_at(10.9) == 3);
  CHECK(even.row_at(1e9) == 4);
  CHECK(even.end_of(0) == Approx(10.3));
  CHECK(even.end_of(4) == std::numeric_limits<double>::max());
  const Profile stamped = Profile::at_stamps({-5, 100, 250}, 1, {0, 1, 2});
  CHECK(stamped.row_at(-100) == 0);
  CHECK(stamped.row_at(99.9) == 0);
  CHECK(stamped.row_at(std::nextafter(100, 0)) == 1);
  CHECK(stamped.row_at(1e6) == 2);
  CHECK(stamped.end_of(1) == 250);
}

}  // namespace urja::tests

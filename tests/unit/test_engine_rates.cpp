// Fast and slow parts of a model: sub-steps in the lanes that need them, slow parts when a period of UTC is passed.
#include <array>
#include <cmath>

#include "engine/integrate.hpp"
#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

// A generator with inertia and a first-order governor, after a step of load [handbook 8.2]:
//   2 H w' = p - load - D w,  T p' = -w/R - p        (w, p: deviations, per unit)
struct Swing {
  Lanes inertia, droop, lag_time, load;
  Lanes speed, power, lowest, lowest_at, sub_steps, days;

  static void declare(Declare& d) {
    d.parameter<&Swing::inertia>("s", 3, {0.1, 100}, "H");
    d.parameter<&Swing::droop>("1", 0.05, {0.01, 1}, "R");
    d.parameter<&Swing::lag_time>("s", 0.5, {0.01, 100}, "T of the governor");
    d.input<&Swing::load>("1", 0, {-1, 1}, "step of load");
    d.state<&Swing::speed>("1", 0, {-1, 1}, "deviation");
    d.state<&Swing::power>("1", 0, {-2, 2}, "of the governor");
    d.state<&Swing::lowest>("1", 0, {-1, 1}, "speed so far");
    d.state<&Swing::lowest_at>("s", 0, {}, "since the plan's start");
    d.state<&Swing::sub_steps>("1", 0, {}, "that were made");
    d.state<&Swing::days>("1", 0, {}, "slow parts that were made");
    d.fast(1000);
    d.slow(86400);
  }
  Mask fast_needed(const Step&) const { return load != 0 || speed.abs() > 1e-12 || power.abs() > 1e-12; }
  void fast(const Step& s) {
    std::array<Lanes, 2> x{speed, power};
    runge_kutta4(
        [](const void* model, std::span<const Lanes> at, std::span<Lanes> rate, const Lanes&) {
          const auto& m = *static_cast<const Swing*>(model);
          rate[0] = (at[1] - m.load) / (2 * m.inertia);
          rate[1] = (-at[0] / m.droop - at[1]) / m.lag_time;
        },
        this, x, s.time, s.dt, 1);
    speed = x[0];
    power = x[1];
    lowest_at = pick(speed < lowest, s.time + s.dt, lowest_at);
    lowest = least(lowest, speed);
    sub_steps += 1;
  }
  void slow(const Step&) { days += 1; }
};
const Registered<Swing> swing{"test_swing", "a generator with inertia and a governor"};

}  // namespace

TEST_CASE("fast sub-steps find the closed form of the frequency's nadir", "[engine][rates]") {
  Plant plant(1);
  plant.add("swing", "test_swing").set("swing.load", 0.1).run(1);
  CHECK(plant.get("swing.lowest_at") == Approx(0.826934).margin(0.6e-3));
  CHECK(1 + plant.get("swing.lowest") == Approx(0.9921766698).margin(2e-8));
  plant.run(29);
  CHECK(1 + plant.get("swing.speed") == Approx(0.995).margin(1e-9));
  CHECK(plant.get("swing.sub_steps") == 30000);
}

TEST_CASE("sub-steps leave lanes that need none alone", "[engine][rates][determinism]") {
  Plant quiet(1), beside(1);
  quiet.add("swing", "test_swing").batch(8);
  beside.add("swing", "test_swing").batch(8);
  beside.set("swing.load", 0.1, 3).set("swing.load", -0.2, 5);
  for (int k = 0; k < 5; ++k) {
    quiet.run();
    beside.run();
    for (const int lane : {0, 1, 2, 4, 6, 7}) CHECK(beside.batch().hash(lane) == quiet.batch().hash(lane));
  }
  CHECK(beside.get("swing.sub_steps", 0) == 0);
  CHECK(beside.get("swing.sub_steps", 3) == 5000);
  // And a lane's sub-steps are its own.
  Plant alone(1);
  alone.add("swing", "test_swing").batch(8);
  alone.set("swing.load", -0.2, 5).run(5);
  CHECK(alone.batch().hash(5) == beside.batch().hash(5));
}

TEST_CASE("slow parts run in the step in which their period ends, in each lane's own time", "[engine][rates]") {
  constexpr double starts[] = {1467331200, 1467331200 + 5 * 3600.0, 1467331200 - 60};
  for (const double start : starts) {
    Plant plant(60, start);
    plant.add("swing", "test_swing").batch(8);
    constexpr double lengths[] = {60, 7, 900, 3600, 86400, 1234.5, 0.1, 1e4};
    for (int lane = 0; lane < 8; ++lane) {
      Batch::Start from;
      from.dt = lengths[lane];
      from.index = 1000 * lane;
      plant.batch().reset(lane, from);
    }
    int steps = 0;
    for (const int count : {1, 500, 1000, 1500}) {
      plant.run(count);
      steps += count;
      for (int lane = 0; lane < 8; ++lane) {
        const auto day = [&](double index) { return std::floor((start + index * lengths[lane] + 1e-6) / 86400); };
        CAPTURE(start, lane, steps);
        CHECK(plant.get("swing.days", lane) == day(1000.0 * lane + steps) - day(1000.0 * lane));
      }
    }
  }
}

}  // namespace urja::tests

// Integrators against closed forms and each other, and the cell against the adaptive one on its continuous equations.
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/integrate.hpp"
#include "models/battery/cell.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"
#include "tests/plant.hpp"

using namespace urja;
using urja::tests::Plant;

namespace {

// x' = -k x + sin t with a k per lane, x(0) = 1.
struct Forced {
  Lanes k;
  static void rates(const void* context, std::span<const Lanes> x, std::span<Lanes> rate, const Lanes& t) {
    rate[0] = -static_cast<const Forced*>(context)->k * x[0] + t.sin();
  }
  static double exact(double k, double t) {
    return std::exp(-k * t) * (1 + 1 / (1 + k * k)) + (k * std::sin(t) - std::cos(t)) / (1 + k * k);
  }
};

// A pendulum with friction and a lane's own length; templated as models' right-hand sides are.
template <class Real> void pendulum(const double* friction, const Real& per_length, const Real* x, Real* rate) {
  using std::sin;
  rate[0] = x[1];
  rate[1] = -per_length * sin(x[0]) - *friction * x[1];
}
struct Pendulum {
  double friction = 0.1;
  Lanes per_length = Lanes::LinSpaced(0.5, 12);
};

bool same_bits(const Lanes& a, const Lanes& b, int lane) { return std::memcmp(&a[lane], &b[lane], sizeof(double)) == 0; }

}  // namespace

TEST_CASE("fixed Runge-Kutta is of fourth order, with a dt per lane", "[integrate]") {
  const Forced forced{Lanes::LinSpaced(1.2, 4)};
  const Lanes dt = Lanes::LinSpaced(0.5, 0.8);
  const auto error = [&](int steps) {
    std::vector<Lanes> x{Lanes::Ones()};
    runge_kutta4(Forced::rates, &forced, x, Lanes::Zero(), dt, steps);
    Lanes miss;
    for (int i = 0; i < width; ++i) miss[i] = std::abs(x[0][i] - Forced::exact(forced.k[i], dt[i]));
    return miss;
  };
  const Lanes coarse = error(16), fine = error(32);
  for (int i = 0; i < width; ++i) {
    CAPTURE(i, coarse[i], fine[i]);
    CHECK(std::log2(coarse[i] / fine[i]) == Approx(4).margin(0.35));
  }
}

TEST_CASE("fixed Runge-Kutta starts at its time", "[integrate]") {
  const Forced forced{Lanes::Ones()};
  std::vector<Lanes> once{Lanes::Ones()}, twice{Lanes::Ones()};
  runge_kutta4(Forced::rates, &forced, once, Lanes::Zero(), lanes(2), 200);
  runge_kutta4(Forced::rates, &forced, twice, Lanes::Zero(), lanes(0.5), 50);
  runge_kutta4(Forced::rates, &forced, twice, lanes(0.5), lanes(1.5), 150);
  CHECK(once[0][3] == Approx(twice[0][3]).epsilon(1e-12));
}

TEST_CASE("a lane is integrated alone, whatever its neighbours are", "[integrate][determinism]") {
  const auto run = [](const Pendulum& p, const Lanes& start, const Lanes& dt) {
    std::vector<Lanes> x{start, Lanes::Zero()};
    runge_kutta4(
        [](const void* context, std::span<const Lanes> at, std::span<Lanes> rate, const Lanes&) {
          const auto& c = *static_cast<const Pendulum*>(context);
          pendulum(&c.friction, c.per_length, at.data(), rate.data());
        },
        &p, x, Lanes::Zero(), dt, 50);
    return x;
  };
  const Lanes start = Lanes::LinSpaced(0.1, 3), dt = Lanes::LinSpaced(0.3, 4);
  const auto together = run({}, start, dt);
  for (int lane = 0; lane < width; ++lane) {
    Pendulum other;
    Lanes beside = lanes(1e300), long_steps = lanes(1e9);
    beside[(lane + 3) % width] = std::nan("");
    const double mine = other.per_length[lane];
    other.per_length = lanes(-7e5);
    other.per_length[lane] = mine;
    beside[lane] = start[lane], long_steps[lane] = dt[lane];
    const auto alone = run(other, beside, long_steps);
    for (std::size_t k = 0; k < 2; ++k) CHECK(same_bits(alone[k], together[k], lane));
  }
}

TEST_CASE("fixed and adaptive steps agree", "[integrate]") {
  const Pendulum p;
  std::vector<Lanes> x{Lanes::LinSpaced(0.1, 3), Lanes::Zero()};
  runge_kutta4(
      [](const void* context, std::span<const Lanes> at, std::span<Lanes> rate, const Lanes&) {
        const auto& c = *static_cast<const Pendulum*>(context);
        pendulum(&c.friction, c.per_length, at.data(), rate.data());
      },
      &p, x, Lanes::Zero(), lanes(5), 20000);
  for (int lane = 0; lane < width; ++lane) {
    const std::pair<double, double> context{p.friction, p.per_length[lane]};
    std::vector<double> y{Lanes::LinSpaced(0.1, 3)[lane], 0};
    const long steps = dormand_prince(
        [](const void* c, std::span<const double> at, std::span<double> rate, double) {
          const auto& [friction, per_length] = *static_cast<const std::pair<double, double>*>(c);
          pendulum(&friction, per_length, at.data(), rate.data());
        },
        &context, y, 0, 5, 1e-13, 1e-13);
    CHECK(steps > 10);
    CHECK(std::abs(y[0] - x[0][lane]) < 1e-10);
    CHECK(std::abs(y[1] - x[1][lane]) < 1e-10);
  }
}

TEST_CASE("one to eight quantities, no more and no less", "[integrate]") {
  const auto decay = [](const void*, std::span<const Lanes> x, std::span<Lanes> rate, const Lanes&) {
    for (std::size_t k = 0; k < x.size(); ++k) rate[k] = -static_cast<double>(k + 1) * x[k];
  };
  for (std::size_t n = 1; n <= 8; ++n) {
    std::vector<Lanes> x(n, Lanes::Ones());
    runge_kutta4(decay, nullptr, x, Lanes::Zero(), lanes(1), 200);
    for (std::size_t k = 0; k < n; ++k) CHECK(x[k][7] == Approx(std::exp(-static_cast<double>(k + 1))).epsilon(1e-6));
  }
  std::vector<Lanes> none, nine(9, Lanes::Ones());
  CHECK_THROWS_AS(runge_kutta4(decay, nullptr, none, Lanes::Zero(), lanes(1), 1), std::invalid_argument);
  CHECK_THROWS_AS(runge_kutta4(decay, nullptr, nine, Lanes::Zero(), lanes(1), 1), std::invalid_argument);
}

// ------------------------------------------------------------------------------------------------------ the cell's oracle

namespace {

constexpr double piece = 240;  // s for which the drive's current is constant
struct Test {
  const char* set;
  std::vector<double> currents;  // share of the capacity per hour, a piece each
};

struct Continuous {
  const Cell::Settings* tables;
  double capacity, leakage, heat_capacity, thermal_resistance, ambient, current;
};
// state of charge, RC voltage, temperature
void rates_of_cell(const void* context, std::span<const double> x, std::span<double> rate, double) {
  const auto& c = *static_cast<const Continuous*>(context);
  const double open = c.tables->open_circuit_voltage(lanes(x[0]))[0];
  const auto elements = c.tables->circuit.at(lanes(x[0]), lanes(x[2])).values;
  const double r0 = elements[0][0], r1 = elements[1][0], c1 = elements[2][0], leak = c.leakage * x[0];
  rate[0] = -(c.current + leak) / (3600 * c.capacity);
  rate[1] = (c.current * r1 - x[1]) / (r1 * c1);
  rate[2] = (c.current * (x[1] + c.current * r0) + leak * open - (x[2] - c.ambient) / c.thermal_resistance) / c.heat_capacity;
}

// The cell model, driven with steps of dt; the oracle if dt is 0.
std::vector<double> drive(const Test& test, double dt) {
  Plant plant(dt > 0 ? dt : 1);
  plant.add("cell", "cell");
  Problems problems;
  std::string currency;
  AssetReader reader(problems, *Zone::find("UTC"), {}, currency);
  reader.read({&plant.plan(), 0, 1},
              parse_yaml(std::string("{set: ") + test.set + ", state_of_charge: 0.9, temperature: 20 degC, leakage: 5 mA}",
                         "test", problems),
              {});
  INFO(problems.text());
  REQUIRE(problems.empty());
  const double capacity = plant.get("cell.capacity");
  plant.set("cell.ambient_temperature", 15);
  if (dt > 0) {
    for (const double share : test.currents) plant.set("cell.current", share * capacity).run(static_cast<int>(piece / dt));
    REQUIRE(plant.batch().all_well());
    return {plant.get("cell.state_of_charge"), plant.get("cell.rc_voltage"), plant.get("cell.temperature")};
  }
  Continuous c{static_cast<const Cell::Settings*>(plant.settings("cell").get()),
               capacity,
               plant.get("cell.leakage"),
               plant.get("cell.heat_capacity"),
               plant.get("cell.thermal_resistance"),
               15,
               0};
  std::vector<double> x{0.9, 0, 20};
  for (const double share : test.currents) {
    c.current = share * capacity;
    dormand_prince(rates_of_cell, &c, x, 0, piece, 1e-11, 1e-12);
  }
  return x;
}

}  // namespace

// State of charge: the self-discharge of a step is that of its begin, hence first order.
TEST_CASE("the cell follows its continuous equations, and the error falls with the step", "[integrate][cell]") {
  std::vector<double> constant(10, 1.0), driven;
  for (int k = 0; k < 12; ++k) driven.push_back(std::array{1.5, -0.7, 0.0, 2.0, -1.0, 0.4}[static_cast<std::size_t>(k) % 6]);
  for (const char* set : {"lfp_a123", "nmc_kokam"}) {
    for (const auto& currents : {constant, driven}) {
      const Test test{set, currents};
      const auto exact = drive(test, 0);
      const auto error = [&](double dt) {
        const auto got = drive(test, dt);
        return std::array{std::abs(got[0] - exact[0]), std::abs(got[1] - exact[1]), std::abs(got[2] - exact[2])};
      };
      const auto coarse = error(60), fine = error(15), finest = error(1);
      for (std::size_t k = 0; k < 3; ++k) {
        CAPTURE(set, k, exact[k], coarse[k], fine[k], finest[k]);
        CHECK(coarse[k] < std::array{3e-5, 5e-4, 0.05}[k]);
        CHECK(finest[k] < std::array{5e-7, 2e-6, 1e-3}[k]);
        CHECK(finest[k] < std::max(0.2 * fine[k], 1e-9));
        CHECK(fine[k] < std::max(0.5 * coarse[k], 1e-9));
      }
    }
  }
}

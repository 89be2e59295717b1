#include <cmath>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string>

#include "models/sun/irradiance.hpp"
#include "models/sun/solar_position.hpp"
#include "tests/catch.hpp"

using namespace urja::sun;

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_degree = 3.14159265358979323846 / 180;

// "2003-10-17T12:30:30Z"
double unix_seconds(const std::string& text) {
  std::tm t{};
  REQUIRE(std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) ==
          6);
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  return static_cast<double>(timegm(&t));
}

double great_circle_deg(double zenith_a, double azimuth_a, double zenith_b, double azimuth_b) {
  const double dz = std::sin((zenith_a - zenith_b) / 2 * k_degree);
  const double da = std::sin((azimuth_a - azimuth_b) / 2 * k_degree);
  const double h = dz * dz + std::sin(zenith_a * k_degree) * std::sin(zenith_b * k_degree) * da * da;
  return 2 * std::asin(std::sqrt(h)) / k_degree;
}

const Place k_golden{39.742476, -105.1786, 1830.14};
const Place k_delhi{28.57, 77.10, 237};

SunPosition sun_at(double unix_s, const Place& place) {
  return solar_position(unix_s, place, pressure_at(place.elevation_m), 12, delta_t(unix_s));
}

// A sun up in the sky, for the tests of the tilted plane alone.
SunPosition sun_of(double apparent_zenith, double azimuth) { return {apparent_zenith, apparent_zenith, azimuth, 1, 0}; }

}  // namespace

TEST_CASE("sun: the example of the SPA paper", "[sun]") {
  const double t = unix_seconds("2003-10-17T19:30:30Z");
  const SunPosition sun = solar_position(t, k_golden, 82000, 11, 67);
  CHECK(sun.zenith_deg > sun.apparent_zenith_deg);
  CHECK(std::abs(sun.apparent_zenith_deg - 50.11162) < 1e-5);
  CHECK(std::abs(sun.azimuth_deg - 194.34024) < 1e-5);
  CHECK(std::abs(sun.distance_au - 0.9965422974) < 1e-9);
  CHECK(std::abs(sun.equation_of_time_min - 14.641511) < 1e-5);
  CHECK(std::abs(90 - sun.apparent_zenith_deg - 39.888378) < 1e-5);
  CHECK(std::abs(angle_of_incidence(sun, {30, 170}) - 25.18700) < 1e-5);
}

TEST_CASE("sun: the clock agrees with the full algorithm and forgets what it was asked", "[sun]") {
  SolarClock clock, other;
  double worst = 0;
  for (int i = 0; i < 4000; ++i) {
    const double t = 1577836800.0 + i * 7901.0 * 13;  // 13 years, all times of day
    const SunPosition fast = solar_position(clock.at(t), k_delhi, 98500, 25);
    const SunPosition full = solar_position(t, k_delhi, 98500, 25, delta_t(t));
    worst = std::max(worst, great_circle_deg(fast.zenith_deg, fast.azimuth_deg, full.zenith_deg, full.azimuth_deg));
  }
  INFO(worst);
  CHECK(worst < 2e-7);
  CHECK(worst > 0);
  const double t = 1700000123.0;
  other.at(t - 86400);
  CHECK(clock.at(t).right_ascension_deg == other.at(t).right_ascension_deg);
}

TEST_CASE("sun: azimuth runs from east over the meridian to west", "[sun]") {
  const double noon = unix_seconds("2021-03-20T06:59:00Z");  // New Delhi, near 77 E
  CHECK(sun_at(noon - 4 * 3600, k_delhi).azimuth_deg == Approx(120).margin(20));
  CHECK(sun_at(noon, k_delhi).azimuth_deg == Approx(180).margin(2));
  CHECK(sun_at(noon + 4 * 3600, k_delhi).azimuth_deg == Approx(240).margin(20));
  CHECK(sun_at(noon, {-33, 77.10, 0}).azimuth_deg == Approx(0).margin(2));  // or 360: see below
  CHECK(sun_at(noon, {90, 0, 0}).zenith_deg == Approx(90).margin(1));
}

TEST_CASE("sun: light is bent only while some of the disc can be seen", "[sun]") {
  const double midnight = unix_seconds("2021-03-20T18:59:00Z");
  const SunPosition night = sun_at(midnight, k_delhi);
  CHECK(night.zenith_deg > 100);
  CHECK(night.apparent_zenith_deg == night.zenith_deg);
}

TEST_CASE("sun: delta T", "[sun]") {
  CHECK(delta_t(unix_seconds("2024-01-01T00:00:00Z")) == Approx(69.175).margin(0.002));
  CHECK(delta_t(unix_seconds("2000-07-01T00:00:00Z")) == Approx(63.960).margin(0.002));
  CHECK(delta_t(unix_seconds("1900-01-01T00:00:00Z")) == 43.373);
  CHECK(delta_t(unix_seconds("2200-01-01T00:00:00Z")) == 69.308);
  CHECK(std::isnan(delta_t(k_nan)));
}

TEST_CASE("sun: day of the year", "[sun]") {
  CHECK(day_of_year(unix_seconds("2021-01-01T00:00:00Z")) == 1);
  CHECK(day_of_year(unix_seconds("2021-12-31T23:59:59Z")) == 365);
  CHECK(day_of_year(unix_seconds("2020-12-31T00:00:00Z")) == 366);
  CHECK(day_of_year(unix_seconds("1969-12-31T23:59:59Z")) == 365);
}

TEST_CASE("sun: NaN in, NaN out", "[sun]") {
  const SunPosition sun = solar_position(k_nan, k_golden, 82000, 11, 67);
  CHECK(std::isnan(sun.zenith_deg));
  CHECK(std::isnan(sun.apparent_zenith_deg));
  CHECK(std::isnan(sun.azimuth_deg));
  CHECK(std::isnan(SolarClock().at(k_nan).right_ascension_deg));
  CHECK(std::isnan(relative_air_mass(k_nan)));
  CHECK(std::isnan(erbs(k_nan, 30, 1366).direct_normal));
  CHECK(std::isnan(transpose(Transposition::perez, {500, k_nan, 100}, sun_of(30, 180), 1366, {}).total()));
}

TEST_CASE("light: direct and diffuse make up the global light, at any sun and clearness", "[sun]") {
  int lit = 0;
  for (double zenith = 0; zenith <= 120; zenith += 0.5) {
    for (double global = 0; global <= 1500; global += 12.5) {
      const Irradiance light = erbs(global, zenith, 1366.1);
      REQUIRE(std::abs(light.direct_normal * std::cos(zenith * k_degree) + light.diffuse - global) < 1e-9);
      REQUIRE(light.direct_normal >= 0);
      REQUIRE(light.diffuse >= 0);
      lit += light.direct_normal > 0;
    }
  }
  CHECK(lit > 10000);
}

TEST_CASE("light: guards of the transposition", "[sun]") {
  for (const Transposition model : {Transposition::isotropic, Transposition::hay_davies, Transposition::perez}) {
    const PlaneOfArray clear = transpose(model, {700, 808.3, 0}, sun_of(30, 180), 1366, {30, 180});
    CHECK(clear.sky() == 0);  // no diffuse light
    CHECK(clear.beam == Approx(808.3));
    const PlaneOfArray night = transpose(model, {0, 0, 0}, sun_of(120, 10), 1366, {30, 180});
    CHECK(night.total() == 0);
    const PlaneOfArray dusk = transpose(model, {4, 0, 4}, sun_of(91, 270), 1366, {90, 270});
    CHECK(dusk.sky() == Approx(2));  // half the sky
    const PlaneOfArray horizon = transpose(model, {20, 100, 18}, sun_of(90, 270), 1366, {90, 270});
    CHECK(std::isfinite(horizon.total()));
    CHECK(horizon.total() > 100);
    const PlaneOfArray behind = transpose(model, {500, 500, 250}, sun_of(60, 0), 1366, {90, 180});
    CHECK(behind.beam == 0);
    CHECK(behind.circumsolar == 0);
  }
}

TEST_CASE("light: mean over an interval, flat plane gives the global mean", "[sun]") {
  SolarClock clock;
  const double dawn = unix_seconds("2021-03-20T00:30:00Z");  // 06:00 in New Delhi; the sun rises about 06:25
  const Surface flat{0, 180};
  for (int hour = 0; hour < 14; ++hour) {
    const double start = dawn + hour * 3600;
    const double measured = hour == 0 || hour == 12 ? 8 : hour > 12 ? 0 : 300;
    for (const Transposition model : {Transposition::isotropic, Transposition::hay_davies})
      CHECK(plane_of_array_mean(clock, start, 3600, k_delhi, flat, {measured}, model) == Approx(measured).epsilon(1e-12));
    // Perez adds a few W/m2 on the flat plane at low sun, by construction
    CHECK(plane_of_array_mean(clock, start, 3600, k_delhi, flat, {measured}) == Approx(measured).epsilon(0.02).margin(1));
  }
}

TEST_CASE("light: mean over an hour is the mean of its minutes", "[sun]") {
  SolarClock clock;
  const double start = unix_seconds("2021-06-21T02:30:00Z");  // 08:00 to 09:00 in New Delhi
  const Surface east{45, 90, 0};
  const double above = extraterrestrial_spencer(172);
  double sum = 0;
  for (int i = 0; i < 3600; ++i) {
    const SunPosition sun = sun_at(start + i + 0.5, k_delhi);
    sum += transpose(Transposition::hay_davies, {0, 700, 120}, sun, above, east).total();
  }
  const double mean = plane_of_array_mean(clock, start, 3600, k_delhi, east, {500, 700.0, 120.0}, Transposition::hay_davies);
  CHECK(mean == Approx(sum / 3600).epsilon(2e-4));
  // the same light an hour later or earlier is another light on this plane
  CHECK(std::abs(plane_of_array_mean(clock, start + 3600, 3600, k_delhi, east, {500, 700.0, 120.0}, Transposition::hay_davies) /
                     mean -
                 1) > 0.01);
}

TEST_CASE("light: the hour of sunrise keeps its energy", "[sun]") {
  SolarClock clock;
  const double start = unix_seconds("2021-03-20T00:30:00Z");
  // the sun is up in about half of the hour; the means are over all of it
  const double direct = 60, diffuse = 10;
  double beam = 0;
  int samples = 0;
  const Surface east{90, 90, 0};
  for (int i = 0; i < 6; ++i) {
    const SunPosition sun = sun_at(start + 300 + 600 * i, k_delhi);
    if (sun.apparent_zenith_deg >= 90) continue;
    beam += direct * std::cos(angle_of_incidence(sun, east) * k_degree);
    ++samples;
  }
  REQUIRE(samples > 1);
  REQUIRE(samples < 6);
  CHECK(plane_of_array_mean(clock, start, 3600, k_delhi, east, {14, direct, diffuse}, Transposition::isotropic) ==
        Approx(beam / samples + diffuse / 2));
  // direct light follows from the other two, but not for a sun as low as in these ten minutes
  CHECK(plane_of_array_mean(clock, start + 1800, 600, k_delhi, east, {14, {}, diffuse}, Transposition::isotropic) == Approx(7));
}

TEST_CASE("light: twilight, night, missing values and bounds of the interval mean", "[sun]") {
  SolarClock clock;
  const Surface south{30, 180, 0.2};
  const double noon = unix_seconds("2021-03-20T06:30:00Z"), night = noon + 12 * 3600;
  const double view = (1 + std::cos(30 * k_degree)) / 2;
  CHECK(plane_of_array_mean(clock, night, 3600, k_delhi, south, {0}) == 0);
  CHECK(plane_of_array_mean(clock, night, 3600, k_delhi, south, {-3}) == 0);
  CHECK(plane_of_array_mean(clock, night, 3600, k_delhi, south, {5}) == Approx(5 * view + 5 * 0.2 * (1 - view)));
  CHECK(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {1e5, 1e5, 1e5}) == k_most_irradiance);
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {k_nan})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {500, k_nan})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {500, {}, k_nan})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 3600, k_delhi, {k_nan, 180}, {500})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 0, k_delhi, south, {500})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 1e12, k_delhi, south, {500})));
  CHECK(std::isnan(plane_of_array_mean(clock, 1e300, 3600, k_delhi, south, {500})));
  CHECK(std::isnan(plane_of_array_mean(clock, noon, 3600, {k_nan, 77, 0}, south, {500})));

  // A wrong clock puts bright light at a low sun: the direct light that would explain it is brighter than the
  // sun.
  const double evening = unix_seconds("2021-03-20T12:20:00Z");
  CHECK(plane_of_array_mean(clock, evening, 600, k_delhi, {90, 270, 0}, {600, {}, 100}, Transposition::isotropic) <
        extraterrestrial_spencer(79) + 600 / 2.);

  // one of direct and diffuse follows from the other
  const double cos_z = std::cos(sun_at(noon + 1800, k_delhi).zenith_deg * k_degree);
  const double direct = 700, diffuse = 150, global = direct * cos_z + diffuse;
  const double both = plane_of_array_mean(clock, noon, 3600, k_delhi, south, {global, direct, diffuse});
  CHECK(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {global, direct}) == Approx(both).epsilon(0.01));
  CHECK(plane_of_array_mean(clock, noon, 3600, k_delhi, south, {global, {}, diffuse}) == Approx(both).epsilon(0.01));
  CHECK(both > global);  // a plane towards the noon sun gets more than the flat one
}

TEST_CASE("sun: speed", "[.][bench]") {
  volatile double sink = 0;
  const auto time = [&](const char* what, int n, auto&& call) {
    const std::clock_t begin = std::clock();
    for (int i = 0; i < n; ++i) sink = sink + call(i);
    std::printf("%-44s %8.0f ns\n", what, 1e9 * double(std::clock() - begin) / CLOCKS_PER_SEC / n);
  };
  SolarClock clock;
  const double t = 1.6e9;
  const SolarTime now = solar_time(t, 69);
  time("solar_position, all", 100000, [&](int i) { return solar_position(t + i, k_delhi, 1e5, 20, 69).zenith_deg; });
  time("solar_position of a SolarTime", 1000000, [&](int i) {
    return solar_position(now, {i * 1e-5, 77, 0}, 1e5, 20).zenith_deg;
  });
  time("solar_position by clock, every 60 s", 1000000,
       [&](int i) { return solar_position(clock.at(t + 60. * i), k_delhi, 1e5, 20).zenith_deg; });
  time("plane_of_array_mean, an hour", 100000, [&](int i) {
    return plane_of_array_mean(clock, t + 3600. * i, 3600, k_delhi, {30, 180}, {400});
  });
  time("plane_of_array_mean, a minute", 1000000, [&](int i) {
    return plane_of_array_mean(clock, t + 60. * i, 60, k_delhi, {30, 180}, {400});
  });
}

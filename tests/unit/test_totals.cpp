// Duration curves and the calendar of the report.
#include "viz/totals.hpp"

#include "tests/catch.hpp"

#include <cmath>
#include <vector>

using urja::viz::calendar;
using urja::viz::Calendar;
using urja::viz::Total;
using urja::viz::total;

namespace {

const double k_march = 1772928000;     // 2026-03-08 00:00 UTC; at 10:00 UTC the clocks of Los Angeles are set forward
const double k_november = 1793491200;  // 2026-11-01 00:00 UTC; at 09:00 UTC they are set back
const char* const k_zone = "America/Los_Angeles";

std::vector<double> rows(double from, std::size_t n, double step) {
  std::vector<double> t(n);
  for (std::size_t i = 0; i < n; ++i) t[i] = from + step * static_cast<double>(i);
  return t;
}

struct Run {
  std::vector<double> time, seconds;
  Calendar days;
  Run(double from, std::size_t n, double step, const char* zone)
      : time(rows(from, n, step)), seconds(n, step), days(calendar(time, seconds, zone)) {}
};

}  // namespace

TEST_CASE("days of 23 and 25 hours have the hours that their clock showed", "[viz]") {
  SECTION("set forward: the hour from two to three does not exist") {
    const Run run(k_march - 86400 + 8 * 3600, 71 * 4, 900, k_zone);  // from local midnight, three days less an hour
    REQUIRE(run.days.columns == 3);
    CHECK(run.days.days == 1);
    CHECK(run.days.seconds[24 + 2] == 0);
    CHECK(run.days.seconds[24 + 1] == 3600);
    CHECK(run.days.seconds[24 + 3] == 3600);
    CHECK(run.days.seconds[24 + 23] == 3600);
    CHECK(run.days.seconds[48] == 3600);
  }
  SECTION("set back: the hour from one to two comes twice") {
    const Run run(k_november - 86400 + 7 * 3600, 73 * 4, 900, k_zone);
    REQUIRE(run.days.columns == 3);
    CHECK(run.days.seconds[24 + 1] == 7200);
    CHECK(run.days.seconds[24 + 2] == 3600);
    // 3 kW in the first of the two hours, nothing in the second: 1.5 kW on average
    std::vector<double> power(run.time.size(), 0);
    for (std::size_t i = 100; i < 104; ++i) power[i] = 3000;
    const Total t = total("pv", run.time, run.seconds, power, k_zone, run.days);
    CHECK(t.up[24 + 1] == Approx(1500));
    CHECK(t.up[24] == 0);
    CHECK(t.into_bus == Approx(3000 * 3600));
  }
}

TEST_CASE("rows that straddle an hour are shared out", "[viz]") {
  const Run run(k_march, 48, 3600, "Asia/Kolkata");  // half an hour off
  REQUIRE(run.days.columns == 3);
  CHECK(run.days.seconds[5] == 1800);
  CHECK(run.days.seconds[6] == 3600);
  std::vector<double> power(48, 0);
  power[0] = -1000;
  const Total t = total("load", run.time, run.seconds, power, "Asia/Kolkata", run.days);
  CHECK(t.down[5] == Approx(-1000));
  CHECK(t.down[6] == Approx(-500));
  CHECK(t.out_of_bus == Approx(-3.6e6));
}

TEST_CASE("a long run is shown by week, a short one and one of long rows not at all", "[viz]") {
  CHECK(Run(k_march, 401 * 24, 3600, "UTC").days.days == 7);
  CHECK(Run(k_march, 401 * 24, 3600, "UTC").days.columns == 58);
  CHECK(Run(k_march, 60 * 366 * 24, 3600, "UTC").days.days == 14);
  CHECK(Run(k_march, 24, 3600, "UTC").days.columns == 0);
  CHECK(Run(k_march, 100, 86400, "UTC").days.columns == 0);
  CHECK(Run(k_march, 72, 3600, "Nowhere/At_all").days.first_day == 20520);  // an unknown zone is UTC
}

TEST_CASE("a duration curve falls from the highest row to the lowest", "[viz]") {
  const std::size_t n = 10'000;
  const Run run(0, n, 60, "UTC");
  std::vector<double> power(n);
  for (std::size_t i = 0; i < n; ++i) power[i] = static_cast<double>((i * 7919) % n) - 1000;  // -1000 .. 8999, each once
  power[0] = std::nan("");
  const Total t = total("grid", run.time, run.seconds, power, "UTC", run.days);
  REQUIRE(t.duration.size() == urja::viz::k_duration_steps + 1);
  CHECK(t.duration.front() == 8999);
  CHECK(t.duration.back() == -999);
  CHECK(urja::viz::duration_share(180) == Approx(0.5));
  CHECK(t.duration[180] == Approx(4000).margin(1));
  for (std::size_t i = 1; i < t.duration.size(); ++i) CHECK(t.duration[i] <= t.duration[i - 1]);
  CHECK(t.seconds == Approx(60 * (n - 1)));

  CHECK(total("pv", run.time, run.seconds, std::vector<double>(n, 5), "UTC", run.days).duration[200] == 5);
  CHECK(total("pv", run.time, run.seconds, std::vector<double>(n, NAN), "UTC", run.days).duration.empty());
}

// Planners: the linear program against itself, by hand and (tests/python/test_planning.py) against another solver; dynamic programming against
// the linear program; the bound against every controller that there is; policies in whole runs.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/batch.hpp"
#include "scenarios/planning/dispatch_dp.hpp"
#include "scenarios/planning/dispatch_lp.hpp"
#include "tests/catch.hpp"

namespace urja::tests {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  double in(double low, double high) { return low + (high - low) * std::uniform_real_distribution<double>(0, 1)(engine_); }
  int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  std::vector<double> many(int n, double low, double high) {
    std::vector<double> all(static_cast<std::size_t>(n));
    for (double& x : all) x = in(low, high);
    return all;
  }

 private:
  std::mt19937 engine_;
};

// A battery, PV and a load on the grid, as a home has them.
DispatchProblem home(Random& random, int intervals) {
  DispatchProblem p;
  p.intervals = intervals;
  p.interval = 900;
  p.grid.import_price = random.many(intervals, 0.1, 0.5);
  p.grid.export_price = random.many(intervals, 0.0, 0.1);
  p.grid.import_limit.assign(static_cast<std::size_t>(intervals), 1e9);
  p.grid.export_limit.assign(static_cast<std::size_t>(intervals), 1e9);
  p.pv = random.many(intervals, 0, 4000);
  p.zones.push_back({20, random.many(intervals, 0, 3000)});
  DispatchProblem::Storage s;
  s.energy_min = 700, s.energy_max = 12700, s.energy_start = random.in(1000, 12000);
  s.charge_max = s.discharge_max = 5000;
  s.charge_efficiency = random.in(0.9, 0.99), s.discharge_efficiency = random.in(0.9, 0.99);
  p.storages.push_back(s);
  return p;
}

// Anything that a dispatch problem can say, at random.
DispatchProblem anything(Random& random) {
  DispatchProblem p = home(random, random.whole(4, 60));
  const int n = p.intervals;
  const auto sized = static_cast<std::size_t>(n);
  p.interval = random.whole(0, 1) ? 900 : 3600;
  p.grid.import_limit = random.many(n, 500, 6000);
  p.grid.export_limit = random.many(n, 0, 3000);
  for (std::size_t t = 0; t < sized; ++t) {
    if (random.whole(0, 9) == 0) p.grid.import_limit[t] = p.grid.export_limit[t] = 0;  // outage
  }
  if (random.whole(0, 1)) {  // export may be dearer
    p.grid.export_price = random.many(n, -0.1, 0.6);
    p.grid.exclusive.assign(sized, 0);
    for (std::size_t t = 0; t < sized; ++t) p.grid.exclusive[t] = p.grid.export_price[t] > p.grid.import_price[t];
  }
  if (random.whole(0, 1)) {
    const int per_window = random.whole(1, 3), months = random.whole(1, 2);
    p.grid.window = per_window * p.interval;
    p.grid.demand_charge = random.in(0, 20);
    for (int t = 0; t < n; t += per_window)
      p.grid.windows.push_back({t, std::min(n, t + per_window), t == 0 ? random.in(0, 200) : 0.0, 2 * t < n ? 0 : months - 1});
    for (int m = 0; m < months; ++m) p.grid.peak_reached.push_back(random.in(0, 1500));
  }
  if (random.whole(0, 1)) p.zones.push_back({5, random.many(n, 0, 2000)});
  for (int more = random.whole(0, 1); more > 0; --more) p.storages.push_back(p.storages.front());
  for (auto& s : p.storages) {
    s.constant_loss = random.whole(0, 1) ? random.in(0, 60) : 0;
    s.wear = random.in(0, 0.02);
    s.terminal_value = random.in(0, 0.2);
    s.holding_value = random.in(0, 0.001);
    s.may_waste = random.whole(0, 1) == 1;
    if (random.whole(0, 1)) s.energy_wanted = random.in(1000, 12000), s.missing_price = random.in(0.1, 0.4);
  }
  if (random.whole(0, 1)) p.gensets.push_back({random.in(0.2, 0.6), random.many(n, 0, 2000)});
  if (random.whole(0, 1)) {
    p.feeder_limits = {random.in(3000, 9000)};
    for (int k = random.whole(1, 4); k > 0; --k) {
      const double begin = random.in(-2, n - 1) * p.interval;
      p.sessions.push_back({begin, begin + random.in(0.5, n) * p.interval, random.in(500, 20000), random.in(2000, 7000),
                            random.in(1, 5), random.whole(-1, 0), random.in(0, 0.01)});
    }
  }
  if (random.whole(0, 1)) {
    p.grid.change_limit = random.in(500, 3000);
    p.grid.change_price = random.in(0.001, 0.1);
    if (random.whole(0, 1)) p.grid.power_before = random.in(-1000, 3000);
  }
  return p;
}

double total(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

}  // namespace

// For tests/python/test_planning.py, which formulates the same problems anew and solves them with HiGHS.
TEST_CASE("planning: problems for the oracle", "[.oracle]") {
  const char* file = std::getenv("URJA_ORACLE");
  REQUIRE(file);
  Random random(20260101);
  nlohmann::json all = nlohmann::json::array();
  const auto number = [](double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(nullptr); };
  for (int k = 0; k < 60; ++k) {
    const DispatchProblem p = anything(random);
    const DispatchSolution s = DispatchLp().solve(p);
    REQUIRE(s.status == DispatchStatus::optimal);
    nlohmann::json one{{"interval", p.interval},
                       {"import_price", p.grid.import_price},
                       {"export_price", p.grid.export_price},
                       {"import_limit", p.grid.import_limit},
                       {"export_limit", p.grid.export_limit},
                       {"exclusive", std::vector<int>(p.grid.exclusive.begin(), p.grid.exclusive.end())},
                       {"demand_charge", p.grid.demand_charge},
                       {"window", p.grid.window},
                       {"peak_reached", p.grid.peak_reached},
                       {"change_limit", number(p.grid.change_limit)},
                       {"change_price", p.grid.change_price},
                       {"power_before", number(p.grid.power_before)},
                       {"pv", p.pv},
                       {"feeder_limits", p.feeder_limits},
                       {"cost", s.cost}};
    for (const char* list : {"windows", "zones", "storages", "gensets", "sessions"}) one[list] = nlohmann::json::array();
    for (const auto& w : p.grid.windows)
      one["windows"].push_back({{"first", w.first}, {"last", w.last}, {"before", w.energy_before}, {"month", w.month}});
    for (const auto& z : p.zones) one["zones"].push_back({{"value", z.value_of_lost_load}, {"demand", z.demand}});
    for (const auto& b : p.storages)
      one["storages"].push_back({{"low", b.energy_min},
                                 {"high", b.energy_max},
                                 {"start", b.energy_start},
                                 {"charge", b.charge_max},
                                 {"discharge", b.discharge_max},
                                 {"in", b.charge_efficiency},
                                 {"out", b.discharge_efficiency},
                                 {"loss", b.constant_loss},
                                 {"wear", b.wear},
                                 {"terminal", b.terminal_value},
                                 {"holding", b.holding_value},
                                 {"wanted", b.energy_wanted},
                                 {"missing", b.missing_price},
                                 {"waste", b.may_waste}});
    for (const auto& g : p.gensets) one["gensets"].push_back({{"cost", g.fuel_cost}, {"rating", g.rating}});
    for (const auto& e : p.sessions)
      one["sessions"].push_back({{"arrival", e.arrival},
                                 {"departure", e.departure},
                                 {"energy", e.energy},
                                 {"power", e.power_max},
                                 {"unmet", e.unmet_price},
                                 {"feeder", e.feeder},
                                 {"waiting", e.waiting_price}});
    all.push_back(one);
  }
  std::ofstream(file) << all.dump();
}

TEST_CASE("planning: a linear program by hand", "[planning]") {
  // Two hours, 0.1 and 0.5 a kWh, 1 kW wanted in both; a battery of 2 kWh, empty, 80 % in and 100 % out: 1.25 kWh bought early give 1 kWh late.
  DispatchProblem p;
  p.intervals = 2;
  p.interval = 3600;
  p.grid.import_price = {0.1, 0.5};
  p.grid.export_price = {0, 0};
  p.grid.import_limit = {1e6, 1e6};
  p.grid.export_limit = {0, 0};
  p.pv = {0, 0};
  p.zones.push_back({10, {1000, 1000}});
  DispatchProblem::Storage s;
  s.energy_max = 2000, s.charge_max = s.discharge_max = 3000, s.charge_efficiency = 0.8;
  p.storages.push_back(s);
  DispatchSolution best = DispatchLp().solve(p);
  REQUIRE(best.status == DispatchStatus::optimal);
  CHECK(best.cost == Approx(0.1 * 2.25).epsilon(1e-12));
  CHECK(best.storage[0][0] == Approx(-1250));
  CHECK(best.storage[0][1] == Approx(1000));
  CHECK(best.energy[0][0] == Approx(1000));
  // At 3 a kW of peak (of 1 h windows, 1 kW reached) it charges nothing: each kWh stored saves 0.5 - 0.125 and costs 3.75.
  p.grid.demand_charge = 3, p.grid.window = 3600;
  p.grid.windows = {{0, 1, 0, 0}, {1, 2, 0, 0}};
  p.grid.peak_reached = {1000};
  best = DispatchLp().solve(p);
  CHECK(best.cost == Approx(0.6).epsilon(1e-12));
  CHECK(best.peak[0] == Approx(1000));
  // In an outage of the second hour the battery carries it, the peak is paid, and what it cannot hold is lost.
  p.grid.import_limit[1] = 0;
  p.storages[0].energy_max = 600;
  best = DispatchLp().solve(p);
  CHECK(best.lost[0][1] == Approx(400));
  CHECK(best.cost == Approx(0.1 * 1.75 + 3 * 0.75 + 10 * 0.4).epsilon(1e-12));
}

TEST_CASE("planning: a warm solve ends where a cold one does", "[planning]") {
  Random random(7);
  const DispatchProblem year = home(random, 400);
  DispatchLp warm;
  int warm_ones = 0, warm_iterations = 0, cold_iterations = 0;
  for (int now = 0; now + 96 <= 400; ++now) {
    DispatchProblem p = year;
    p.intervals = 96;
    const auto slice = [&](std::vector<double>& v) { v = std::vector<double>(v.begin() + now, v.begin() + now + 96); };
    for (auto* v : {&p.grid.import_price, &p.grid.export_price, &p.grid.import_limit, &p.grid.export_limit, &p.pv}) slice(*v);
    slice(p.zones[0].demand);
    p.storages[0].energy_start = random.in(1000, 12000);
    const DispatchSolution a = warm.solve(p, 1);
    DispatchLp cold;
    const DispatchSolution b = cold.solve(p);
    REQUIRE(a.status == DispatchStatus::optimal);
    CHECK(a.cost == Approx(b.cost).epsilon(1e-9).margin(1e-9));
    warm_ones += warm.warm();
    CHECK(!cold.warm());
    warm_iterations += warm.iterations(), cold_iterations += cold.iterations();
  }
  CHECK(warm_ones == 304);
  CHECK(3 * warm_iterations < cold_iterations);
}

TEST_CASE("planning: whatever is asked, there is a plan, and it keeps its limits", "[planning]") {
  Random random(11);
  for (int k = 0; k < 100; ++k) {
    const DispatchProblem p = anything(random);
    const DispatchSolution s = DispatchLp().solve(p);
    INFO("problem " << k);
    REQUIRE(s.status == DispatchStatus::optimal);
    for (std::size_t t = 0; t < static_cast<std::size_t>(p.intervals); ++t) {
      double balance = s.grid[t] + s.pv[t];
      for (std::size_t z = 0; z < p.zones.size(); ++z) balance += s.lost[z][t] - p.zones[z].demand[t];
      for (const auto& one : s.storage) balance += one[t];
      for (const auto& one : s.genset) balance += one[t];
      for (const auto& one : s.session) balance -= one[t];
      CHECK(std::abs(balance) < 1e-3);  // W; the solver keeps its rows to 1e-7 kW
      for (std::size_t b = 0; b < p.storages.size(); ++b) {
        CHECK(s.energy[b][t] > p.storages[b].energy_min - 1e-3);
        CHECK(s.energy[b][t] < p.storages[b].energy_max + 1e-3);
      }
    }
    for (std::size_t j = 0; j < p.sessions.size(); ++j) CHECK(total(s.session[j]) * p.hours() < p.sessions[j].energy + 1e-3);
  }
  DispatchProblem circle = anything(random);
  circle.grid.exclusive.clear();
  circle.grid.import_limit.assign(static_cast<std::size_t>(circle.intervals), DispatchProblem::unlimited);
  circle.grid.export_limit = circle.grid.import_limit;
  circle.grid.windows.clear(), circle.grid.peak_reached.clear(), circle.grid.change_limit = DispatchProblem::unlimited;
  circle.grid.export_price.assign(static_cast<std::size_t>(circle.intervals), 1.0);
  CHECK(DispatchLp().solve(circle).status == DispatchStatus::unbounded);
  circle.grid.exclusive.assign(static_cast<std::size_t>(circle.intervals), 1);
  CHECK_THROWS_WITH(DispatchLp().solve(circle), contains("without limits of the grid"));
  circle.pv.pop_back();
  CHECK_THROWS_WITH(DispatchLp().solve(circle), contains("pv has not one value for each interval"));
}

TEST_CASE("planning: dynamic programming comes down to the linear program", "[planning]") {
  Random random(3);
  for (int k = 0; k < 5; ++k) {
    DispatchProblem p = home(random, 192);
    p.storages[0].constant_loss = k == 1 ? 20 : 0;
    if (k == 2) p.gensets.push_back({0.15, std::vector<double>(192, 800)});
    if (k == 3) p.grid.import_limit = random.many(192, 0, 2000);
    if (k == 4) p.storages[0].terminal_value = 0.2, p.storages[0].wear = 0.01;
    const DispatchSolution lp = DispatchLp().solve(p);
    REQUIRE(lp.status == DispatchStatus::optimal);
    double before = 1e300;
    for (const int levels : {26, 101, 401}) {
      DpOptions options;
      options.levels = levels, options.moves = levels;
      const DispatchDp dp(p, options);
      const double excess = dp.cost() - lp.cost;
      INFO("problem " << k << ", " << levels << " levels: " << dp.cost() << ", linear program " << lp.cost);
      CHECK(excess > -1e-6 * std::abs(lp.cost));  // fewer moves, and a value that lies above its own chords
      CHECK(excess < 0.5 * before);               // a quarter of the spacing
      before = excess;
      // Following it costs what it says or less: between two levels the value is a chord, which lies above a convex function.
      double energy = p.storages[0].energy_start, paid = 0;
      for (int t = 0; t < p.intervals; ++t) {
        const auto d = dp.best(t, energy);
        const auto& s = p.storages[0];
        const double drain = (d.power > 0 ? d.power / s.discharge_efficiency : d.power * s.charge_efficiency) + s.constant_loss;
        const double after = energy - drain * p.hours();
        double later = 0;
        if (t + 1 < p.intervals) later = dp.best(t + 1, after).cost;
        else later = -1e-3 * s.terminal_value * after;
        paid += d.cost - later;
        energy = after;
      }
      paid -= 1e-3 * p.storages[0].terminal_value * energy;
      CHECK(paid < dp.cost() + 1e-6 * std::abs(dp.cost()));
      CHECK(paid > lp.cost - 1e-6 * std::abs(lp.cost));
    }
    CHECK(before < 2e-3 * std::abs(lp.cost));
  }
}

TEST_CASE("planning: what dynamic programming does not do, it says", "[planning]") {
  Random random(5);
  DispatchProblem p = home(random, 8);
  const auto refuses = [](const DispatchProblem& wrong, const char* why) {
    CHECK_THROWS_WITH(DispatchDp(wrong, {}), contains(why));
  };
  DispatchProblem two = p;
  two.storages.push_back(two.storages.front());
  refuses(two, "exactly one storage");
  DispatchProblem vehicles = p;
  vehicles.sessions.push_back({0, 3600, 1000, 2000, 1, -1, 0});
  refuses(vehicles, "sessions");
  DispatchProblem peak = p;
  peak.grid.demand_charge = 10, peak.grid.windows = {{0, 8, 0, 0}}, peak.grid.peak_reached = {0};
  refuses(peak, "a given peak");
}

}  // namespace urja::tests

// Sensors and links against what they declare: statistics, determinism, and each fault's signature in what is measured.
#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/sensor.hpp"
#include "tests/catch.hpp"
#include "tests/measured.hpp"

namespace urja::tests {
namespace {

struct Moments {
  double n = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0, lag1 = 0;
};
Moments moments(const std::vector<double>& x) {
  Moments m;
  m.n = static_cast<double>(x.size());
  for (double v : x) m.mean += v / m.n;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double d = x[k] - m.mean;
    m.m2 += d * d / m.n, m.m3 += d * d * d / m.n, m.m4 += d * d * d * d / m.n;
    if (k > 0) m.lag1 += d * (x[k - 1] - m.mean) / m.n;
  }
  return m;
}

}  // namespace

TEST_CASE("sensors: noise is white and normal, wander is Gauss-Markov, steps are even: 1e5 samples within 3 sigma", "[sensors]") {
  constexpr int samples = 100'000;
  const auto series = [&](const std::string& sensor, const std::string& demand = "1000 W") {
    Measured plant_(plant("sensors: {load.demand: " + sensor + "}\n", demand));
    std::vector<double> x;
    for (int k = 0; k < samples; ++k) plant_.batch().step(), x.push_back(plant_("load.demand"));
    return x;
  };
  {
    const Moments m = moments(series("{noise: 5 W}"));
    CHECK(std::abs(m.mean - 1000) < 3 * 5 / std::sqrt(samples));
    CHECK(std::abs(m.m2 - 25) < 3 * 25 * std::sqrt(2.0 / samples));
    CHECK(std::abs(m.lag1 / m.m2) < 3 / std::sqrt(samples));
    CHECK(std::abs(m.m3 / std::pow(m.m2, 1.5)) < 3 * std::sqrt(6.0 / samples));
    CHECK(std::abs(m.m4 / (m.m2 * m.m2) - 3) < 3 * std::sqrt(24.0 / samples));
  }
  {
    const auto x = series("{wander: 4 W, wander_time: 50 s}");
    const Moments m = moments(x);
    const double rho = std::exp(-1.0 / 50), independent = samples * (1 - rho) / (1 + rho);
    CHECK(std::abs(m.mean - 1000) < 3 * 4 / std::sqrt(independent));
    CHECK(std::abs(m.m2 - 16) < 3 * 16 * std::sqrt(2 / (samples * (1 - rho * rho) / (1 + rho * rho))));
    CHECK(std::abs(m.lag1 / m.m2 - rho) < 3 * std::sqrt((1 - rho * rho) / samples) + 1e-3);
  }
  {  // mid-tread: multiples of the step; of a noisy value the error's variance is step^2/12
    Measured a(plant("sensors: {load.demand: {noise: 300 W, resolution: 7 W}}\n")),
        b(plant("sensors: {load.demand: {noise: 300 W}}\n"));
    std::vector<double> error;
    for (int k = 0; k < samples; ++k) {
      a.batch().step(), b.batch().step();
      error.push_back(a("load.demand") - b("load.demand"));  // the same noise: it belongs to the channel
      REQUIRE(std::abs(std::remainder(a("load.demand"), 7)) < 1e-9);
    }
    const Moments m = moments(error);
    CHECK(std::abs(m.m2 - 49.0 / 12) < 3 * 49 / 12.0 * std::sqrt(0.8 / samples));
    CHECK(std::abs(m.mean) < 3 * 7 / std::sqrt(12.0 * samples));
  }
}

TEST_CASE("sensors: a class of accuracy is an error for each instrument, even within its limit", "[sensors]") {
  constexpr int lanes = 4000;
  Measured many(plant("sensors: {load.demand: {accuracy: 2 %, offset_accuracy: 5 W}}\n"), lanes);
  many.batch().step();
  std::vector<double> x;
  for (int lane = 0; lane < lanes; ++lane) x.push_back(many("load.demand", lane) - 1000);
  const double before = x[7];
  many.batch().step(10);
  CHECK(many("load.demand", 7) - 1000 == before);  // it stays
  const Moments m = moments(x);
  CHECK(std::abs(m.mean) < 3 * std::sqrt(m.m2 / lanes));
  CHECK(m.m2 == Approx((20.0 * 20 + 5 * 5) / 3).epsilon(0.05));
  CHECK(*std::max_element(x.begin(), x.end()) < 25);
  CHECK(*std::max_element(x.begin(), x.end()) > 20);
}

TEST_CASE("sensors: interval, lag, limits, swapped, stuck, missing, and their ages", "[sensors]") {
  {
    Measured m(plant("sensors: {load.demand: {interval: 15 min}}\n", "day.wish", "1 min"));
    m.go_to(12 * 3600 + 60);
    CHECK(m("load.demand") == 3000);  // sampled at noon, when it is known
    CHECK(m.age("load.demand") == 0);
    m.go_to(13 * 3600 - 60);
    CHECK(m.age("load.demand") == 13 * 60);
    m.go_to(13 * 3600 + 60);
    CHECK(m("load.demand") == 1000);
  }
  {
    Measured m(plant("sensors: {load.demand: {lag: 100 s}}\n", "day.wish"));
    m.go_to(12 * 3600 + 101);  // 101 samples, the first of them at noon, a second after the last one of before
    CHECK(m("load.demand") == Approx(3000 - 2000 * std::exp(-1.01)).epsilon(1e-9));
  }
  {
    Measured m(
        plant("sensors: {load.demand: {highest: 2 kW, lowest: 1.5 kW}, battery.state_of_charge: {bias: 80 %}}\n", "day.wish"));
    m.go_to(3600);
    CHECK(m("load.demand") == 1500);
    CHECK(m("battery.state_of_charge") == 1);
    m.go_to(12 * 3600 + 1);
    CHECK(m("load.demand") == 2000);
  }
  const std::string noon = "at: 2024-06-01 12:30, duration: 1 h";
  {
    Measured m(plant("faults: {f: {kind: sensor_stuck, on: load.demand, " + noon +
                         "}, g: {kind: sensor_dropout, on: load.power, " + noon + "}}\n",
                     "day.wish", "1 min"));
    m.go_to(13 * 3600 + 600);
    CHECK(m("load.demand") == 3000);
    CHECK(m.truth("load.demand") == 1000);
    CHECK(m.age("load.demand") == 0);
    CHECK(m("load.power") == -3000);
    CHECK(m.age("load.power") == 40 * 60);
    m.go_to(13 * 3600 + 1860);
    CHECK(m("load.demand") == 1000);
    CHECK(m("load.power") == -1000);
    CHECK(m.age("load.power") == 0);
  }
  {
    Measured m(plant("faults: {f: {kind: sensor_swapped, on: load.power, with: grid.power, " + noon + "}}\n", "1000 W", "1 min"));
    m.go_to(12 * 3600);
    CHECK(m("load.power") == -1000);
    m.go_to(13 * 3600);
    CHECK(m("load.power") == m.truth("grid.power"));
    CHECK(m("grid.power") == -1000);
    CHECK(m.truth("grid.power") > 1000);
  }
  {  // A member's sensor, its sisters perfect; a sum as measured.
    Measured m(plant("faults: {f: {kind: sensor_gain, on: homes.10.load.demand, times: 3, " + noon + "}}\n", "1000 W", "1 min"));
    m.go_to(13 * 3600);
    CHECK(m("homes.10.load.demand") == 300);
    CHECK(m("homes.9.load.demand") == 100);
    CHECK(m("homes.11.load.demand") == 100);
    CHECK(m("homes.load.demand") == 1300);
    CHECK(m.truth("homes.load.demand") == 1100);
  }
  {  // Missing at random, and half of the time in bursts.
    Measured m(plant("faults: {f: {kind: sensor_dropout, on: load.demand, lost_share: 30 %, at: 2024-06-01 00:00}}\n"));
    double lost = 0, runs = 0, before = 0;
    for (int k = 0; k < 100'000; ++k) {
      m.batch().step();
      const double gone = m.age("load.demand") > 0 ? 1 : 0;
      lost += gone, runs += gone > before ? 1 : 0;
      before = gone;
    }
    CHECK(std::abs(lost / 1e5 - 0.3) < 3 * std::sqrt(0.21 / 1e5));
    CHECK(lost / runs == Approx(1 / 0.7).epsilon(0.02));
  }
}

TEST_CASE("links: delay, jitter, loss, twice, overtaken, false, replayed, and a clock that is wrong", "[sensors]") {
  const auto link = [](const std::string& text, const std::string& step = "1 min") {
    return plant("links: {load.demand: " + text + ", load.power: " + text + "}\n", "day.wish", step);
  };
  {
    Measured m(link("{delay: 10 min}"));
    m.go_to(12 * 3600 + 600);  // the demand of noon, known at noon, comes ten minutes later
    CHECK(m("load.demand") == 1000);
    m.go_to(12 * 3600 + 660);
    CHECK(m("load.demand") == 3000);
    CHECK(m.age("load.demand") == 600);
  }
  {
    Measured m(link("{delay: 30 s, jitter: 30 s}", "1 s"));
    double sum = 0, n = 0;
    for (int k = 0; k < 40'000; ++k) {
      m.batch().step();
      const Lanes* rows = reinterpret_cast<const Lanes*>(&m.batch().head(0));
      const auto& one = *m.scenario().plan->instrument("load.demand");
      const Link& l = *reinterpret_cast<const Link*>(rows + one.link.offset);
      const auto slot = static_cast<std::size_t>(static_cast<std::int64_t>(l.sent[0] - 1) % Link::room);
      sum += l.due[slot][0] - l.stamp[slot][0], n += 1;
    }
    CHECK(sum / n == Approx(60).epsilon(0.04));  // mean of the lognormal, sigma 1: sd 1.31 of 30 s
  }
  {
    Measured m(plant("links: {grid: {loss: 20 %}}\n"));
    double lost = 0, together = 0;
    for (int k = 0; k < 50'000; ++k) {
      m.batch().step();
      const bool gone = m.age("grid.power") > 0;
      lost += gone;
      together += gone == (m.age("grid.bus_voltage") > 0);
    }
    CHECK(std::abs(lost / 5e4 - 0.2) < 3 * std::sqrt(0.16 / 5e4));
    CHECK(together == 5e4);
  }
  {  // The second one comes 25 min later and stands until the next message, which is due each 20 min.
    Measured m(plant("sensors: {load.demand: {interval: 20 min}}\nlinks: {load.demand: {duplicates: 100 %, late_by: 25 min}}\n",
                     "day.wish", "1 min"));
    m.go_to(12 * 3600 + 4 * 60);
    CHECK(m("load.demand") == 3000);
    m.go_to(12 * 3600 + 6 * 60);
    CHECK(m("load.demand") == 1000);  // that of 11:40 again
    CHECK(m.age("load.demand") == 25 * 60);
    m.go_to(12 * 3600 + 21 * 60);
    CHECK(m("load.demand") == 3000);
    Measured ordered(plant(
        "sensors: {load.demand: {interval: 20 min}}\nlinks: {load.demand: {duplicates: 100 %, late_by: 25 min, in_order: yes}}\n",
        "day.wish", "1 min"));
    ordered.go_to(12 * 3600 + 6 * 60);
    CHECK(ordered("load.demand") == 3000);
  }
  {  // Half of the messages come 3 min late: stamps go back.
    Measured m(link("{reordered: 50 %, late_by: 150 s}"));
    int back = 0;
    double before = -1e9;
    for (int k = 0; k < 2000; ++k) {
      m.batch().step();
      const double stamp = m.batch().time(0) - m.age("load.power");
      back += stamp < before - 1;
      before = stamp;
    }
    CHECK(back > 200);
  }
  const std::string noon = "at: 2024-06-01 12:10, duration: 1 h";
  {
    Measured m(plant("faults: {f: {kind: link_falsified, on: load.demand, times: 0.5, add: 100 W, " + noon + "}}\n", "day.wish",
                     "1 min"));
    m.go_to(12 * 3600 + 1800);
    CHECK(m("load.demand") == 1600);
    CHECK(m.age("load.demand") == 0);
    m.go_to(14 * 3600);
    CHECK(m("load.demand") == 1000);
  }
  {  // What came in the 30 min before 12:10, again and again: 20 min of 1 kW, 10 min of 3 kW.
    Measured m(plant("faults: {f: {kind: link_replay, on: load.demand, span: 30 min, " + noon + "}}\n", "day.wish", "1 min"));
    for (int minute = 10; minute < 70; ++minute) {
      m.go_to(12 * 3600 + minute * 60 + 60);
      INFO(minute);
      CHECK(m("load.demand") == ((minute - 10) % 30 < 20 ? 1000 : 3000));
    }
    m.go_to(14 * 3600);
    CHECK(m("load.demand") == 1000);
  }
  for (const double ahead : {600.0, -600.0}) {
    Measured m(plant("faults: {f: {kind: sensor_clock_skew, on: load.demand, offset: " + std::to_string(ahead) +
                         " s, at: 2024-06-01 06:00}}\n",
                     "day.wish", "1 min"));
    m.go_to(12 * 3600 + 300);
    CHECK(m("load.demand") == (ahead > 0 ? 1000 : 3000));
    CHECK(m.age("load.demand") == (ahead > 0 ? 0 : 600));
    m.go_to(12 * 3600 + 720);
    CHECK(m("load.demand") == 3000);
  }
  {
    Measured m(
        plant("faults: {f: {kind: price_signal_loss, on: grid, at: 2024-06-01 10:00, duration: 4 h}}\n", "day.wish", "1 min"));
    m.go_to(13 * 3600);
    CHECK(m("grid.price") == 0.1);
    CHECK(m.truth("grid.price") == 0.4);
    m.go_to(14 * 3600 + 60);
    CHECK(m("grid.price") == 0.4);
  }
  {
    Measured m(
        plant("faults: {f: {kind: sensor_soc_misreport, on: battery, reset_error: 20 %, leak: 24 %, at: 2024-06-01 10:00}}\n",
              "day.wish", "1 min"));
    m.go_to(11 * 3600);
    CHECK(m("battery.state_of_charge") - m.truth("battery.state_of_charge") == Approx(0.21).epsilon(0.01));
  }
}

TEST_CASE("sensors: a perfect one changes no bit, a noisy one the same bits in any batch, from a snapshot, and beside others",
          "[sensors]") {
  const std::string controlled = "controller: {model: peak_shaving, import_target: 1.5 kW}\n",
                    perfect = "sensors: {\"*\": {noise: 0 W}}\n";
  const auto run = [&](const std::string& more) {
    Measured m(plant(controlled + more, "day.wish", "1 min", "[battery, grid]"));
    m.batch().step(1500);
    return std::array{m.truth("battery.state_of_charge"), m.truth("grid.power"), m.truth("grid.cost_energy")};
  };
  const auto plain = run("");
  CHECK(plain == run("sensors: {\"*.power\": {}, battery.state_of_charge: {}}\n"));
  CHECK(plain == run("links: {battery: {}, grid: {}, load: {}}\n"));
  // Awake and yet perfect: what is kept for a replay that is not there yet.
  CHECK(plain == run("faults: {f: {kind: link_replay, on: grid, at: 2024-06-02 20:00}}\n"));
  const std::string noisy =
      "sensors: {\"*.power\": {noise: 50 W, accuracy: 1 %}, load.demand: {noise: 20 W, wander: 30 W}}\nlinks: {grid: {jitter: 1 "
      "min, loss: 5 %}}\n";
  CHECK(plain != run(noisy));

  Measured one(plant(controlled + noisy, "day.wish", "1 min", "[battery, grid]"));
  one.batch().step(700);
  std::vector<double> snapshot(one.batch().snapshot_size());
  one.batch().save(0, snapshot);
  one.batch().step(500);
  Batch again(one.scenario().plan, 1);
  again.restore(0, snapshot);
  again.step(500);
  CHECK(again.hash(0) == one.batch().hash(0));
  for (int threads : {1, 2}) {
    Batch many(one.scenario().plan, 21);
    for (int lane = 0; lane < 21; ++lane) {
      Batch::Start start;
      start.key = lane == 13 ? one.scenario().seed : 500 + static_cast<std::uint64_t>(lane);
      many.reset(lane, start);
    }
    many.step(1200, threads);
    CHECK(many.hash(13) == one.batch().hash(0));
    CHECK(many.hash(12) != one.batch().hash(0));
  }
  // Another sensor or asset moves nobody's noise.
  Measured alone(plant("sensors: {load.demand: {noise: 20 W}}\n")),
      beside(plant("sensors: {\"*.power\": {noise: 5 W}, load.demand: {noise: 20 W}, battery.temperature: {noise: 1 K}}\n"));
  for (int k = 0; k < 50; ++k) {
    alone.batch().step(), beside.batch().step();
    CHECK(alone("load.demand") == beside("load.demand"));
  }
}

TEST_CASE("sensors: controllers see what is measured, KPIs what is true", "[sensors]") {
  const auto kpis = [](const std::string& more) {
    const Scratch folder;
    const Scenario s =
        load_scenario(folder.write("s.yaml", plant("controller: {model: time_of_use, charge_below: 0.2 EUR/kWh}\n" + more,
                                                   "day.wish", "1 min", "[battery, grid]")));
    nlohmann::json all;
    run_scenario(s, {}, all);
    return all;
  };
  const auto healthy = kpis(""), blind = kpis("faults: {f: {kind: price_signal_loss, on: grid, at: 2024-06-01 10:00}}\n");
  CHECK(blind["battery_discharge_kwh"].get<double>() < 0.5 * healthy["battery_discharge_kwh"].get<double>());
  CHECK(blind["cost_total"].get<double>() > healthy["cost_total"].get<double>());
  // What the controller did otherwise: from noon, when the price rose and nobody told it, to eight in the evening, on both days.
  const auto& decisions = blind["without_faults"]["decisions"];
  REQUIRE(decisions.size() == 1);
  CHECK(decisions[0]["command"] == "controller.import_wish");
  CHECK(decisions[0]["otherwise_h"].get<double>() == Approx(16).epsilon(1e-9));
  CHECK(decisions[0]["first"] == "2024-06-01 12:00");
  CHECK(decisions[0]["with"].get<double>() > decisions[0]["without"].get<double>());
  CHECK(blind["faults"][0]["decisions"] == decisions);
  const auto meter = kpis("sensors: {grid.power: {bias: 5 kW}}\n");
  CHECK(meter["import_kwh"] == healthy["import_kwh"]);  // time_of_use does not read it
}

}  // namespace urja::tests

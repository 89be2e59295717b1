// What could break what is measured: lanes beside each other, resets, snapshots, looks, values that are none, times that are odd.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/sensor.hpp"
#include "scenarios/sweep.hpp"
#include "tests/catch.hpp"
#include "tests/measured.hpp"
#include "tests/sweep_alone.hpp"

namespace urja::tests {
namespace {

const std::string shaved = "controller: {model: peak_shaving, import_target: 1.5 kW}\n";
// Everything that draws numbers or keeps a past, in the plant and in its fleet.
const std::string all_kinds =
    shaved +
    "sensors:\n  grid.power: {noise: 40 W, accuracy: 1 %, lag: 90 s, interval: 3 min}\n"
    "  load.demand: {bias: 10 W, wander: 20 W, resolution: 5 W}\n"
    "  homes.load.demand: {offset_accuracy: 3 W, noise: [0 W, 1 W, 2 W, 0 W, 4 W, 5 W, 0 W, 7 W, 8 W, 9 W, 0 W]}\n"
    "links:\n  grid: {delay: 2 min, jitter: 3 min, loss: 5 %, duplicates: 10 %, reordered: 10 %, late_by: 4 min}\n"
    "  homes.load.demand: {delay: 90 s, loss: 10 %}\n"
    "faults:\n  n: {kind: sensor_noise, on: homes.7.load.demand, rate: 6 1/d, duration: 1 h, noise: 30 W}\n"
    "  d: {kind: sensor_dropout, on: load.demand, rate: 8 1/d, duration: 30 min, length: random, lost_share: 60 %}\n"
    "  l: {kind: link_delay, on: battery, rate: 8 1/d, duration: 30 min, by: 10 min}\n"
    "  r: {kind: link_replay, on: load.power, rate: 4 1/d, duration: 2 h, span: 30 min}\n"
    "  c: {kind: sensor_clock_skew, on: battery.state_of_charge, rate: 4 1/d, duration: 2 h, rate_of_clock: 0.01}\n";

std::uint64_t hash_alone(const std::shared_ptr<const Plan>& plan, std::uint64_t key, int steps, std::int64_t from = 0) {
  Batch batch(plan, 1);
  Batch::Start start;
  start.key = key, start.index = from;
  batch.reset(0, start);
  batch.step(steps);
  return batch.hash(0);
}

}  // namespace

TEST_CASE("measured: noise, faults and links of neighbours leave no trace in a lane, whenever they come", "[sensors]") {
  Measured m(plant(all_kinds, "day.wish", "1 min", "[battery, grid]"));
  const auto plan = m.scenario().plan;
  for (int threads : {1, 2}) {
    Batch many(plan, 21);
    for (int lane = 0; lane < 21; ++lane) {
      Batch::Start start;
      start.key = 40 + static_cast<std::uint64_t>(lane), start.index = lane % 3 * 100;
      many.reset(lane, start);
    }
    for (int k = 0; k < 8; ++k) {
      many.step(173, threads);
      Batch::Start again;  // one begins anew beside the others
      again.key = 900 + static_cast<std::uint64_t>(k), again.episode = k;
      many.reset(k, again);
    }
    for (int lane : {9, 13, 20}) {
      CHECK(many.trouble(lane) == "");
      CHECK(many.hash(lane) == hash_alone(plan, 40 + static_cast<std::uint64_t>(lane), 8 * 173, lane % 3 * 100));
    }
  }
}

TEST_CASE("measured: a sweep over sizes of sensors, links and their faults is one plan, with the bits of each alone",
          "[sensors][sweep]") {
  const Scratch folder;
  const std::string file = folder.write("s.yaml", plant(all_kinds, "day.wish", "1 min", "[battery, grid]"));
  const Sweep sweep = load_sweep(folder.write(
      "sweep.yaml",
      "sweep: 1\ngrid:\n  sensors.load.demand.noise: [0 W, 30 W]\n  sensors.load.demand.lag: [0 s, 5 min]\n"
      "  faults.n.noise: [0 W, 50 W]\nlist:\n  - {}\n  - {sensors.load.demand.wander: 0 W, links.grid.loss: 50 %}\n"
      "  - {sensors.grid.power.accuracy: 0 %, links.homes.load.demand.delay: 0 s, sensors.load.demand.bias: 0 W}\nseeds: 2\n"));
  const SweepResult swept = run_sweep(file, sweep, {});
  CHECK(swept.groups == 1);
  std::set<std::string> distinct;
  for (std::size_t v = 0; v < sweep.variants.size(); ++v) {
    const nlohmann::json kpis = kpis_alone(file, sweep, v);
    INFO(v << ": " << swept.variants[v].message);
    CHECK(swept.variants[v].state_hash == kpis["state_hash"]);
    distinct.insert(swept.variants[v].state_hash);
  }
  CHECK(distinct.size() == sweep.variants.size());
}

TEST_CASE("measured: a snapshot at any step goes on with the same bits, and looking changes none", "[sensors]") {
  Measured m(plant(all_kinds, "day.wish", "1 min", "[battery, grid]"));
  std::vector<double> snapshot(m.batch().snapshot_size());
  std::vector<float> seen(1);
  const std::vector<Quantity> map{*m.scenario().plan->measured("grid.power")};
  for (int k = 0; k < 12; ++k) {
    m.batch().step(101);
    m.batch().save(0, snapshot);
    Batch again(m.scenario().plan, 3);
    again.restore(1, snapshot);
    again.step(57);
    m.batch().look(0, map, seen);
    m.batch().step(57);
    CHECK(again.hash(1) == m.batch().hash(0));
  }
}

TEST_CASE("measured: a value that is none stops its own lane, and no other", "[sensors]") {
  Measured m(plant(all_kinds, "day.wish", "1 min", "[battery, grid]"));
  const auto plan = m.scenario().plan;
  const Plan::Instrument& one = *plan->instrument("load.demand");
  Quantity noise;
  noise.row = plan->row_of(one.self, "noise");
  Batch many(plan, 8);
  for (int lane = 0; lane < 8; ++lane) {
    Batch::Start start;
    start.key = static_cast<std::uint64_t>(lane);
    many.reset(lane, start);
  }
  many.step(100);
  many.change(3, noise, std::nan(""));
  many.step(400);
  CHECK(many.trouble(3) != "");
  for (int lane : {0, 2, 4, 7}) {
    CHECK(many.trouble(lane) == "");
    CHECK(many.hash(lane) == hash_alone(plan, static_cast<std::uint64_t>(lane), 500));
  }
}

TEST_CASE("measured: an episode that begins in the middle knows nothing of before, however it was reset", "[sensors]") {
  Measured m(
      plant("links: {load.demand: {delay: 10 min}, grid.price: {delay: 10 min}}\nsensors: {load.power: {interval: 15 min}}\n",
            "day.wish", "1 min"));
  const auto plan = m.scenario().plan;
  Batch batch(plan, 2);
  Batch::Start start;
  start.index = 12 * 60 + 30, start.key = 5;
  batch.reset(0, start);
  batch.reset(1, start, *plan);
  for (int k = 0; k < 40; ++k) {
    batch.step();
    for (int lane : {0, 1}) {
      CHECK(batch.get(lane, *plan->measured("load.demand")) == (k < 40 ? 3000 : 1000));
      CHECK(batch.get(lane, *plan->measured("grid.price")) == 0.4);  // the first one at once: not 0
      CHECK(batch.get(lane, *plan->find("load.demand.age")) == 60.0 * std::min(k, 10));
      CHECK(batch.get(lane, *plan->find("load.power.age")) == 60.0 * ((k + 1) % 15));
    }
  }
  CHECK(batch.hash(0) == batch.hash(1));
}

TEST_CASE("measured: what was on its way when a delay ended does not come when the next one begins", "[sensors]") {
  Measured m(
      plant("faults: {f: {kind: link_delay, on: load.demand, by: 20 min, at: 2024-06-01 11:30, every: 1 h, duration: 40 min}}\n",
            "day.wish", "1 min"));
  for (int minute = 11 * 60; minute < 15 * 60; ++minute) {
    m.go_to(60 * minute + 60);
    INFO(minute);
    CHECK(m.age("load.demand") <= 20 * 60);
    const int into = (minute - 11 * 60 - 30) % 60, at = into < 0 || into >= 40 ? minute
                                                        : into < 20            ? minute - into - 1
                                                                               : minute - 20;
    CHECK(m("load.demand") == (at >= 12 * 60 && at < 13 * 60 ? 3000 : 1000));
  }
}

TEST_CASE("measured: an instrument lags on while its samples are missed", "[sensors]") {
  const std::string lag = "sensors: {load.demand: {lag: 100 s}}\n";
  Measured whole(plant(lag, "day.wish")),
      gaps(plant(lag + "faults: {f: {kind: sensor_dropout, on: load.demand, at: 2024-06-01 12:00:30, duration: 3 min}}\n",
                 "day.wish"));
  for (int second : {29, 211, 240, 300}) {
    whole.go_to(12 * 3600 + second), gaps.go_to(12 * 3600 + second);
    CHECK(gaps("load.demand") == Approx(whole("load.demand")).epsilon(1e-9));
  }
}

TEST_CASE("measured: samples fall on their times at steps of 20 ms after a year, and of an hour", "[sensors]") {
  {
    const Scratch folder;
    const Scenario s = load_scenario(
        folder.write("s.yaml",
                     "urja: 1\nzone: UTC\nrun: {from: 2024-01-01 00:00, to: 2025-06-01 00:00, step: 20 ms, record: 1 min}\n"
                     "assets: {load: {model: load, demand: 1 kW}, grid: {model: grid}}\nbalance: [grid]\n"
                     "sensors: {load.power: {interval: 100 ms}, load.demand: {interval: 60 ms, noise: 1 W}}\n"));
    Batch batch(s.plan, 1);
    Batch::Start start;
    start.index = 366LL * 86400 * 50;
    batch.reset(0, start);
    const auto age = *s.plan->find("load.power.age");
    batch.step(5);
    int sampled = 0;
    for (int k = 0; k < 100'000; ++k) {
      batch.step();
      sampled += batch.get(0, age) < 1e-6;
    }
    CHECK(sampled == 20'000);
    CHECK(batch.get(0, *s.plan->find("load.demand.age")) < 0.0401);
  }
  {  // Shorter intervals and delays than the step: each step, and what is sent comes by the next.
    Measured m(
        plant("sensors: {load.demand: {interval: 15 min}, load.power: {interval: 90 min}}\nlinks: {load.power: {delay: 2 s}}\n",
              "day.wish", "1 h"));
    for (int hour = 1; hour < 24; ++hour) {
      m.go_to(3600 * hour);
      CHECK(m.age("load.demand") == 0);  // sampled when it was known
      CHECK(m.age("load.power") >= 0);
      CHECK(m.age("load.power") <= 3 * 3600);
    }
  }
}

TEST_CASE("measured: one member of a fleet is disturbed, on any lane and thread", "[sensors]") {
  Measured m(
      plant("links: {homes.load.demand: {delay: 5 min}}\nfaults: {f: {kind: sensor_gain, on: homes.10.load.demand, times: 3, at: "
            "2024-06-01 01:00, duration: 1 h}}\n",
            "1000 W", "1 min"));
  const auto plan = m.scenario().plan;
  Batch many(plan, 9);
  for (int k = 0; k < 200; ++k) {
    many.step(1, 2);
    for (int lane : {0, 5, 8}) {
      for (int member : {1, 9, 10, 11}) {
        const double gain = member == 10 && k >= 65 && k < 125 ? 3 : 1;  // five minutes late
        INFO(k << " " << lane << " " << member);
        CHECK(many.get(lane, *plan->measured("homes." + std::to_string(member) + ".load.demand")) == 100 * gain);
      }
    }
  }
}

TEST_CASE("measured: every parameter set of a sensor loads on a channel that it is for", "[sensors]") {
  const std::map<std::string, std::string> channels{{"bms_state_of_charge", "battery.state_of_charge"},
                                                    {"cell_voltage", "battery.voltage"},
                                                    {"meter_class_0_5s", "grid.power"},
                                                    {"meter_class_1", "homes.load.power"},
                                                    {"pack_current", "battery.pack_current"},
                                                    {"pt100_class_b", "battery.temperature"},
                                                    {"pyranometer_class_a", "pv.plane_of_array_irradiance"},
                                                    {"pyranometer_class_c", "pv.plane_of_array_irradiance"}};
  const auto sets = parameter_sets("sensor");
  CHECK(sets.size() == channels.size());
  for (const auto& [set, file] : sets) {
    INFO(set);
    const std::string pv = "include: " + std::string(URJA_SOURCE_DIR) + "/tests/faults/plant.yaml\n";
    const Scratch folder;
    const Scenario s = load_scenario(folder.write("s.yaml", pv + "sensors: {" + channels.at(set) + ": {set: " + set + "}}\n"));
    Batch batch(s.plan, 16);
    batch.step(400);
    double apart = 0;
    for (int lane = 0; lane < 16; ++lane) {
      CHECK(batch.trouble(lane) == "");
      const std::string path = set == "meter_class_1" ? "homes.2.load.power" : channels.at(set);
      apart = std::max(apart, std::abs(batch.get(lane, *s.plan->measured(path)) - batch.get(lane, *s.plan->find(path))));
    }
    CHECK(apart > 0);
    CHECK(contents(file).find("source: ") != std::string::npos);
    CHECK(contents(file).find("licence: ") != std::string::npos);
  }
}

}  // namespace urja::tests

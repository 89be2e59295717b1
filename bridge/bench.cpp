// urja bench: how fast the engine is here, beside what it promises.
//
// Every case runs the shipped models with ledger, bounds and (where said) recording on, and takes the best of several
// repeats: a shared machine only ever makes a run slower. `ratio` sets the value against the limit named in `against`; it is
// above 1 where the promise holds, whatever the unit. The state hash lets two machines or builds compare what they computed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "bridge/bench.hpp"
#include "bridge/commands.hpp"
#include "engine/batch.hpp"
#include "engine/random.hpp"
#include "engine/recorder.hpp"
#include "scenarios/kpi.hpp"
#include "scenarios/planning/dispatch_dp.hpp"
#include "scenarios/planning/dispatch_lp.hpp"
#include "scenarios/planning/plant_problem.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/sweep.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Bytes copied per second between two blocks that fit no cache.
double copy_bandwidth() {
  const std::size_t size = std::size_t{64} << 20;
  std::vector<char> from(size, 1), to(size, 2);
  return 2.0 * static_cast<double>(size) / best_of(5, [&] { std::memcpy(to.data(), from.data(), size); }) * 1e-9;
}

std::shared_ptr<const Plan> plan_of(const std::string& scenario) {
  return load_scenario(data_folder("scenarios/" + scenario)).plan;
}

std::string hash_text(const Batch& batch) { return fmt::format("hash {:016x}", batch.hash(batch.lanes() - 1)); }

// Lanes that all differ: state of charge, size of the PV, key and start.
void vary(Batch& batch, bool starts) {
  const Plan& plan = batch.plan();
  const auto soc = plan.find("battery.state_of_charge"), rated = plan.find("pv.rated");
  const auto horizon = static_cast<std::int64_t>((plan.end - plan.start) / plan.step);
  for (int lane = 0; lane < batch.lanes(); ++lane) {
    const Draw d = draw(static_cast<std::uint64_t>(lane), 0, 0, purpose("bench", 0), 0);
    Batch::Start start;
    start.key = static_cast<std::uint64_t>(lane);
    if (starts) start.index = static_cast<std::int64_t>(d.uniform[2] * static_cast<double>(horizon) * 0.5);
    batch.reset(lane, start);
    batch.set(lane, *soc, 0.2 + 0.6 * d.uniform[0]);
    batch.set(lane, *rated, 30e3 + 60e3 * d.uniform[1]);
  }
  batch.prepare_all();
}

Meter meter_of(const Batch& batch) {
  KpiCounter counter(batch.plan());
  std::vector<Channel> channels = default_channels(batch.plan());
  std::erase_if(channels,
                [](const Channel& c) { return c.group.starts_with("measured/"); });  // the same ones with and without faults
  std::vector<Quantity> rows = metered(channels);
  for (const Quantity& q : counter.metered()) rows.push_back(q);
  return Meter(batch.plan(), batch.blocks(), rows);
}

void one_lane(Bench& bench) {
  const auto plan = plan_of("reference_microgrid.yaml");
  Batch batch(plan, 1);
  Meter meter = meter_of(batch);
  const fs::path file = fs::temp_directory_path() / fmt::format("urja_bench_{}.h5", ::getpid());
  constexpr int minutes = 720;
  double best = 1e300;
  for (int r = 0; r < 5; ++r) {
    batch.reset(0, {});
    Recorder recorder(file.string(), batch, default_channels(*plan));
    best = std::min(best, best_of(1, [&] {
                      for (int k = 0; k < minutes; ++k) {
                        const double time = batch.time(0);
                        meter.clear();
                        batch.step(60, 1, &meter);
                        recorder.append(time, batch, meter, 60);
                      }
                    }));
  }
  fs::remove(file.string() + ".part");
  bench.add({"one_lane_recording", "M steps/s", minutes * 60 / best * 1e-6, 1.0, true, "1.0 (goal 1.5)",
             "N 1, 1 thread, 1 s, a row a minute to HDF5; " + hash_text(batch)});
}

void many_lanes(Bench& bench) {
  const auto plan = plan_of("reference_microgrid.yaml");
  constexpr int lanes = 1024;
  Batch batch(plan, lanes);
  vary(batch, false);
  Meter meter = meter_of(batch);
  batch.step(60);
  const double best = best_of(5, [&] {
    meter.clear();
    batch.step(60, 1, &meter);
  });
  bench.add({"lanes_1024_recording", "M steps/s", lanes * 60 / best * 1e-6, 8, true, "8 (goal 14)",
             "N 1024, 1 thread, 1 s, all channels metered; " + hash_text(batch)});
}

// Variants of one plan against the bare batch: the same plant, hours and key figures, each on one thread.
void sweep(Bench& bench) {
  const std::string scenario = data_folder("scenarios/reference_microgrid.yaml");
  LoadOptions load;
  load.from = "2016-09-01 08:00", load.to = "2016-09-01 14:00";
  constexpr int lanes = 1024;
  Sweep plan;
  plan.keys = {{"assets.battery.state_of_charge", 1, 1, true, "%"}, {"assets.pv.rated", 2, 1, true, "kW"}};
  for (int lane = 0; lane < lanes; ++lane) {
    const Draw d = draw(static_cast<std::uint64_t>(lane), 0, 0, purpose("bench", 0), 0);
    Sweep::Variant v;
    for (const double x : {20 + 60 * d.uniform[0], 30 + 60 * d.uniform[1]}) {
      const auto& key = plan.keys[v.values.size()];
      v.values.push_back({fmt::format("{} {}", x, key.unit), "", x});
    }
    plan.variants.push_back(std::move(v));
  }
  SweepOptions options;
  options.load = load;
  double steps = 0;
  const double swept = best_of(3, [&] { steps = run_sweep(scenario, plan, options).steps; });

  const Scenario alone = load_scenario(scenario, load);
  Batch batch(alone.plan, lanes);
  KpiCounter counter(*alone.plan, lanes);
  Meter meter(*alone.plan, batch.blocks(), counter.metered());
  const double bare = best_of(3, [&] {
    vary(batch, false);
    for (double done = 0; done < steps; done += 60.0 * lanes) {
      meter.clear();
      batch.step(60, 1, &meter);
    }
  });
  bench.add(
      {"sweep_1024", "of the batch's speed", bare / swept, 0.8, true, "0.8",
       fmt::format("N 1024, 1 thread, 6 h at 1 s: {:.2f} against {:.2f} M steps/s", steps / swept * 1e-6, steps / bare * 1e-6)});
}

// Faults that are armed and not there, and there: the reference plant with fifty of them against the same without.
void faults(Bench& bench) {
  const std::string scenario = data_folder("scenarios/reference_microgrid.yaml");
  // Of all four layers.
  const char* kinds[][2] = {{"pv_shading", "pv"},
                            {"inverter_trip", "pv"},
                            {"battery_resistance", "battery"},
                            {"sensor_stuck", "pv.power"},
                            {"grid_outage", "grid"},
                            {"price_signal_loss", "grid"},
                            {"link_delay", "battery"},
                            {"sensor_gain", "grid.power"},
                            {"battery_internal_short", "battery"},
                            {"sensor_soc_misreport", "battery"}};
  const auto batch_of = [&](int count) {
    LoadOptions load;
    for (int k = 0; k < count; ++k) {
      const auto& [kind, on] = kinds[k % 10];
      load.set.push_back(fmt::format("faults.f{}={{kind: {}, on: {}, at: {} h, duration: 1 min}}", k, kind, on, 20 + 0.05 * k));
    }
    return std::make_unique<Batch>(load_scenario(scenario, load).plan, 1024);
  };
  const auto without = batch_of(0), with = batch_of(50);
  Meter meter_without = meter_of(*without), meter_with = meter_of(*with);
  double bare = 1e300, armed = 1e300;
  vary(*without, false), vary(*with, false);
  without->step(60), with->step(60);
  for (int r = 0; r < 30; ++r) {  // by turns: what else the machine does meets both
    meter_without.clear(), meter_with.clear();
    bare = std::min(bare, best_of(1, [&] { without->step(60, 1, &meter_without); }));
    armed = std::min(armed, best_of(1, [&] { with->step(60, 1, &meter_with); }));
  }
  bench.add(
      {"faults_50_armed", "of the speed without", bare / armed, 0.95, true, "0.95",
       fmt::format("N 1024, 1 thread, 1 s: {:.2f} against {:.2f} M steps/s", 1024 * 60 / armed * 1e-6, 1024 * 60 / bare * 1e-6)});
}

// Noise on every telemetered channel of the reference plant: against the same sensors with a bias instead, for each number drawn.
void sensor_noise(Bench& bench) {
  const std::string scenario = data_folder("scenarios/reference_microgrid.yaml");
  const auto batch_of = [&](const char* sensor) {
    LoadOptions load;
    load.set.push_back(
        fmt::format("sensors={{\"*.power\": {0} 1 W}}, \"*.temperature\": {0} 1 K}}, \"*.cell_temperature\": {0} 1 K}}, "
                    "\"*.state_of_charge\": {0} 0.001}}, \"pv.dc_*\": {{}}}}",
                    sensor));
    return std::make_unique<Batch>(load_scenario(scenario, load).plan, 1024);
  };
  const auto biased = batch_of("{bias:"), noisy = batch_of("{noise:");
  const auto without = std::make_unique<Batch>(load_scenario(scenario).plan, 1024);
  std::size_t sensors = 0;
  for (const Plan::Instrument& i : noisy->plan().instruments) sensors += i.self.name.find("dc_") == std::string::npos;
  double bare = 1e300, quiet = 1e300, noise = 1e300;
  for (Batch* b : {without.get(), biased.get(), noisy.get()}) vary(*b, false), b->step(60);
  for (int r = 0; r < 30; ++r) {
    bare = std::min(bare, best_of(1, [&] { without->step(60); }));
    quiet = std::min(quiet, best_of(1, [&] { biased->step(60); }));
    noise = std::min(noise, best_of(1, [&] { noisy->step(60); }));
  }
  const double samples = 1024.0 * 60 * static_cast<double>(sensors);
  bench.add(
      {"sensor_noise", "ns per number drawn and lane", (noise - quiet) / samples * 1e9, 3, false, "3",
       fmt::format("N 1024, {} sensors that sample in each step; without noise a sample takes {:.1f} ns, the step {:.1f} ns",
                   sensors, (quiet - bare) / samples * 1e9, bare / (1024 * 60) * 1e9)});
}

// The reference plant on rows of a second: lanes start anywhere in a day, and every step of every lane reads a new row.
void random_starts(Bench& bench) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("urja_bench_{}", ::getpid());
  fs::create_directories(folder);
  {
    std::string text = "poa,air,wind,d1,d2,d3,d4,price,carbon\n";
    for (int second = 0; second < 86'400; ++second) {
      const double hour = second / 3600.0, wave = 0.5 + 0.5 * std::sin(second * 0.37);
      text += fmt::format("{:.1f},{:.2f},{:.1f},{:.0f},{:.0f},{:.0f},{:.0f},{:.3f},{:.3f}\n",
                          std::max(0.0, 900 * std::sin((hour - 6) / 12 * 3.14159)) * (0.6 + 0.4 * wave), 15 + hour * 0.5,
                          1 + wave, 3000 + 3000 * wave, 8000 + 2000 * wave, 5000 - 2000 * wave, 4000 + 1000 * wave,
                          0.1 + 0.01 * hour, 0.3 + 0.001 * hour);
    }
    std::ofstream(folder / "day.csv") << text;
    std::ofstream(folder / "day.yaml") << R"(urja: 1
zone: UTC
run: {from: 2017-06-01 00:00, to: 2017-06-02 00:00, step: 1 s, record: 1 min}
data:
  day:
    file: day.csv
    stamps: {first: 2017-06-01 00:00, every: 1 s}
    columns:
      poa: {column: poa, unit: W/m2}
      air: {column: air, unit: degC}
      wind: {column: wind, unit: m/s}
      d1: {column: d1, unit: W}
      d2: {column: d2, unit: W}
      d3: {column: d3, unit: W}
      d4: {column: d4, unit: W}
      price: {column: price, unit: USD/kWh}
      carbon: {column: carbon, unit: kg/kWh}
assets:
  pv: {model: pv, rated: 60 kW, dc_ac_ratio: 1.15, plane_of_array_irradiance: day.poa, ambient_temperature: day.air, wind_speed: day.wind}
  battery: {model: battery, set: nmc_100kwh, state_of_charge: 50 %, ambient_temperature: day.air}
  critical: {model: load, priority: critical, demand: day.d1}
  semi_critical: {model: load, priority: semi_critical, demand: day.d2}
  non_critical: {model: load, priority: non_critical, demand: day.d3}
  deferrable: {model: load, priority: deferrable, demand: day.d4}
  grid: {model: grid, import_limit: 100 kW, export_limit: 50 kW, price: day.price, export_price: 0.05 USD/kWh, carbon: day.carbon, demand_charge: 12 USD/kW}
balance: [battery, grid, pv, deferrable, non_critical, semi_critical, critical]
controller: {model: time_of_use, charge_below: 0.22 USD/kWh, charge_power: 20 kW, reserve: 40 %, reserve_until: "16:00"}
)";
  }
  const Scenario s = load_scenario((folder / "day.yaml").string());
  fs::remove_all(folder);
  constexpr int lanes = 1024;
  Batch batch(s.plan, lanes);
  vary(batch, true);
  batch.step(60);
  const double best = best_of(7, [&] { batch.step(60); });
  bench.add({"lanes_1024_random_starts", "M steps/s", lanes * 60 / best * 1e-6, 6, true, "6",
             "N 1024, 1 thread, 1 s, a new profile row in every step; " + hash_text(batch)});
}

// For information: hourly steps on hourly rows, where the battery's limits cost most.
void hourly(Bench& bench) {
  LoadOptions options;
  options.set = {"run.step=1 h", "run.record=1 h"};
  options.to = "2017-06-01 00:00";
  const Scenario s = load_scenario(data_folder("scenarios/reference_microgrid.yaml"), options);
  constexpr int lanes = 1024;
  Batch batch(s.plan, lanes);
  vary(batch, true);
  batch.step(200);
  const double best = best_of(5, [&] { batch.step(200); });
  bench.add({"lanes_1024_hourly", "M steps/s", lanes * 200 / best * 1e-6, 6, true, "6 (promised at 1 s)",
             "N 1024, 1 thread, 1 h, random starts, a new row in every step; " + hash_text(batch)});
}

void threads(Bench& bench) {
  const auto plan = plan_of("reference_microgrid.yaml");
  Batch batch(plan, 1024);
  vary(batch, false);
  batch.step(15, 2);
  for (int steps : {1, 15}) {
    double best_one = 1e300, best_two = 1e300;
    for (int r = 0; r < 15; ++r) {
      best_one = std::min(best_one, best_of(
                                        1,
                                        [&] {
                                          for (int k = 0; k < 60 / steps; ++k) batch.step(steps, 1);
                                        },
                                        Clock::wall));
      best_two = std::min(best_two, best_of(
                                        1,
                                        [&] {
                                          for (int k = 0; k < 60 / steps; ++k) batch.step(steps, 2);
                                        },
                                        Clock::wall));
    }
    bench.add({fmt::format("two_threads_{}_per_call", steps), "x one thread", best_one / best_two, steps == 1 ? 1.7 : 1.9, true,
               steps == 1 ? "1.7" : "1.9", "N 1024, 1 s"});
  }
}

void agents(Bench& bench) {
  const auto plan = plan_of("reference_microgrid.yaml");
  constexpr int lanes = 1024;
  Batch batch(plan, lanes);
  vary(batch, false);
  std::vector<Quantity> actions, observations;
  for (const char* name : {"battery.command", "pv.available_limit", "critical.relay", "deferrable.relay"}) {
    Quantity q = *plan->find(name);
    if (q.name == "command") q.range = {-1e6, 1e6};
    actions.push_back(q);
  }
  for (const Quantity& q : plan->quantities()) {
    if ((q.flags & observable) && observations.size() < 40) observations.push_back(q);
  }
  std::vector<double> in(actions.size() * lanes, 0.5);
  std::vector<float> out(observations.size() * lanes);
  const double step = best_of(9, [&] { batch.step(1); });
  const double doors = best_of(50, [&] {
    batch.write(actions, in);
    batch.read(observations, out);
  });
  bench.add({"actions_and_observations", "of a step", doors / step, 0.6, false, "0.6",
             fmt::format("N 1024, {} actions, {} observations: {:.1f} ns a lane; step {:.1f} ns a lane", actions.size(),
                         observations.size(), doors / lanes * 1e9, step / lanes * 1e9)});
  std::vector<double> snapshot(batch.snapshot_size());
  const double save = best_of(9,
                              [&] {
                                for (int k = 0; k < lanes; ++k) batch.save(k, snapshot);
                              }) /
                      lanes;
  bench.add({"snapshot_of_a_lane", "ns", save * 1e9, 500, false, "500 ns", fmt::format("{} quantities", snapshot.size())});
  const double reset = best_of(9,
                               [&] {
                                 for (int k = 0; k < lanes; ++k) batch.reset(k, {});
                               }) /
                       lanes;
  bench.add({"reset_of_a_lane", "ns", reset * 1e9, 300, false, "300 ns", fmt::format("{} quantities", snapshot.size())});
}

void chargers(Bench& bench) {
  const auto plan = plan_of("bench/chargers.yaml");
  Batch batch(plan, 1);
  batch.step(600);
  const double best = best_of(9, [&] { batch.step(20000); }) / 20000;
  bench.add(
      {"chargers_54", "us/step", best * 1e6, 1, false, "1 us", "N 1, 1 thread, 1 s, shared max-min fair; " + hash_text(batch)});
}

void street(Bench& bench) {
  const auto plan = plan_of("bench/street.yaml");
  Batch batch(plan, 1);
  batch.set(0, *plan->find("grid.price"), 0.2);
  batch.step(100);
  const double best = best_of(5, [&] { batch.step(200); }) / 200;
  bench.add({"street_of_1000_homes", "x real time", 1 / best, 5000, true, "5000",
             fmt::format("N 1, 1 thread, 1 s: {:.0f} us a step; {}", best * 1e6, hash_text(batch))});
}

// A year of minutes of load and weather in one CSV: from the file's name to the end of the first step.
void start_up(Bench& bench) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("urja_bench_{}", ::getpid());
  fs::create_directories(folder);
  {
    std::ofstream csv(folder / "year.csv");
    csv << "load_kw,ghi,air\n";
    std::string text;
    for (int minute = 0; minute < 525'600; ++minute) {
      const double hour = std::fmod(minute / 60.0, 24.0);
      text += fmt::format("{:.3f},{:.1f},{:.2f}\n", 3 + minute % 60 * 0.05,
                          std::max(0.0, 900 * std::sin((hour - 6) / 12 * 3.14159)), 15 + hour * 0.5);
    }
    csv << text;
    std::ofstream(folder / "year.yaml") << R"(urja: 1
zone: Asia/Kolkata
run: {from: 2017-01-01 00:00, to: 2018-01-01 00:00, step: 1 min, record: 15 min}
data:
  year:
    file: year.csv
    stamps: {first: 2017-01-01 00:00, every: 1 min}
    columns:
      demand: {column: load_kw, unit: kW}
      global_horizontal_irradiance: {column: ghi, unit: W/m2}
      ambient_temperature: {column: air, unit: degC}
    place: {latitude: 13 deg, longitude: 77.6 deg, elevation: 920 m}
assets:
  pv: {model: pv, weather: year}
  load: {model: load, demand: year.demand}
  grid: {model: grid}
balance: [grid, pv, load]
)";
  }
  const double best = best_of(3, [&] {
    const Scenario s = load_scenario((folder / "year.yaml").string());
    Batch batch(s.plan, 1);
    batch.step(1);
  });
  fs::remove_all(folder);
  bench.add({"start_up_year_of_minutes", "s", best, 0.3, false, "0.3 s", "525,600 rows of load and weather to the first step"});
}

// Planners on a home with tariff, PV and battery: a day in quarters of an hour, moved on by one and solved again; a year of hours at once.
void planning(Bench& bench) {
  const auto plan = plan_of("home_time_of_use.yaml");
  const PlantProblem quarters(plan, Purpose::plan, 900), hours(plan, Purpose::plan, 3600);
  constexpr int moves = 200;
  std::vector<DispatchProblem> days;
  for (int k = 0; k <= moves; ++k) days.push_back(quarters.problem(k, 96));
  double iterations = 0, cost = 0;
  const double warm = best_of(9, [&] {
    DispatchLp lp;
    lp.solve(days[0]);
    iterations = 0;
    for (int k = 1; k <= moves; ++k) {
      days[static_cast<std::size_t>(k)].storages[0].energy_start = lp.solve(days[static_cast<std::size_t>(k)], 1).energy[0][0];
      iterations += lp.iterations();
    }
  });
  const double first = best_of(9, [&] { DispatchLp().solve(days[0]); });
  bench.add({"plan_of_a_day_moved_on", "us", (warm - first) / moves * 1e6, 250, false, "250 us",
             fmt::format("96 intervals, warm dual simplex, {:.1f} iterations; from nothing {:.0f} us", iterations / moves,
                         first * 1e6)});
  const DispatchProblem year = hours.whole();
  const double lp = best_of(3, [&] { cost = DispatchLp().solve(year).cost; });
  bench.add({"plan_of_a_year_linear", "ms", lp * 1e3, 385, false, "385 ms (scipy-HiGHS)",
             fmt::format("{} hours, primal simplex: {:.3f} AUD", year.intervals, cost)});
  const double dp = best_of(3, [&] { cost = DispatchDp(year, {}).cost(); });
  bench.add({"plan_of_a_year_dynamic", "ms", dp * 1e3, 200, false, "200 ms",
             fmt::format("{} hours, 201 levels, 111 moves: {:.3f} AUD", year.intervals, cost)});
}

int run_bench(const std::vector<std::string>& names, bool as_json) {
  std::vector<BenchCase> cases{{"one_lane_recording", one_lane},
                               {"lanes_1024_recording", many_lanes},
                               {"sweep_1024", sweep},
                               {"faults", faults},
                               {"sensor_noise", sensor_noise},
                               {"lanes_1024_random_starts", random_starts},
                               {"lanes_1024_hourly", hourly},
                               {"two_threads", threads},
                               {"actions_snapshot_reset", agents},
                               {"chargers_54", chargers},
                               {"street_of_1000_homes", street},
                               {"start_up", start_up},
                               {"planning", planning}};
  for (const BenchCase& c : gym_cases()) cases.push_back(c);
  Bench bench(names, as_json);
  const double copy = copy_bandwidth();
  if (!as_json) fmt::print("{}\nurja {}\ncopy {:.1f} GB/s\n\n", machine_text(), version_text(), copy);
  bool any = false;
  for (const auto& [name, work] : cases) {
    if (!bench.wants(name)) continue;
    any = true;
    try {
      work(bench);
    } catch (const ScenarioError& e) {
      std::fputs(e.problems.text().c_str(), stderr);
      return failed;
    }
  }
  if (!any) {
    std::fprintf(stderr, "urja: no benchmark of that name; there are");
    for (const auto& [name, work] : cases) std::fprintf(stderr, " %s", name);
    std::fprintf(stderr, "\n");
    return misused;
  }
  if (as_json) fmt::print("{}\n", bench.result(copy).dump());
  return done;
}

}  // namespace

json Bench::result(double copy_bandwidth) const {
  json all;
  json models = json::array();
  for (const auto& [name, type] : registry()) models.push_back(name);
  all["machine"] = {{"name", machine_text()}, {"version", version_text()}, {"copy_gb_per_s", copy_bandwidth}, {"models", models}};
  all["cases"] = json::array();
  for (const Case& c : cases_) {
    all["cases"].push_back({{"name", c.name},
                            {"value", c.value},
                            {"unit", c.unit},
                            {"ratio", c.more_is_better ? c.value / c.limit : c.limit / c.value},
                            {"against", c.against},
                            {"detail", c.detail}});
  }
  return all;
}

void add_bench(CLI::App& app, Command& chosen) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto as_json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("bench", "how fast the engine is here, beside its limits");
  command->footer("Example: urja bench one_lane chargers --json");
  command->add_option("names", *names, "only cases whose name contains this");
  command->add_flag("--json", *as_json, "as JSON");
  command->callback([names, as_json, &chosen] { chosen = [names, as_json] { return run_bench(*names, *as_json); }; });
}

}  // namespace urja

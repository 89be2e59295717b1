// Every fault that is registered, against what all faults promise, from its declaration; then each one's own signature.
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "scenarios/run.hpp"
#include "scenarios/sensor_reader.hpp"
#include "scenarios/sweep.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"
#include "tests/sweep_alone.hpp"

namespace urja::tests {
namespace {

const std::string plant = std::string(URJA_SOURCE_DIR) + "/tests/faults/plant.yaml";

// The first asset of the plant that a kind befalls, or a channel of one that moves.
std::string target_of(const Type& kind, const Scenario& s) {
  const Role& role = kind.roles.front();
  if (role.models.front() == "sensor" || role.models.front() == "link") {
    if (role.tag == "price") return "grid";
    return !role.tag.empty() ? "battery" : role.models.front() == "link" ? "grid.power" : "pv.power";
  }
  for (const std::string& model : kind.roles.front().models) {
    for (const auto& [asset, of] : s.models) {
      if (of == model && asset.find('.') == std::string::npos) return asset;
    }
  }
  return "";
}

Scenario with(const Scratch& folder, const std::string& faults, const LoadOptions& options = {}) {
  return load_scenario(folder.write("faults.yaml", "include: " + plant + "\nfaults:\n" + faults), options);
}

// All that has no size by default, or one that is not felt within the test's two days: sizes, not the kind's mechanics.
std::string sizes_of(const std::string& name) {
  static const std::map<std::string, std::string> sizes{
      {"genset_fuel_runs_out", "tank: 5 l"},  {"inverter_over_temperature", "times: 6"}, {"sensor_bias", "offset: 300 W"},
      {"sensor_drift", "drift: 300 W"},       {"sensor_noise", "noise: 100 W"},          {"sensor_quantisation", "step: 5 kW"},
      {"sensor_swapped", "with: roof.power"}, {"link_falsified", "add: 1 kW"},           {"link_delay", "by: 20 min"},
      {"link_jitter", "mean: 10 min"},        {"link_duplication", "late: 17 min"},      {"link_reordering", "late: 7 min"},
  };
  const auto found = sizes.find(name);
  return found == sizes.end() ? "" : ", " + found->second;
}

// All quantities of the plant that belong to no fault, true and as measured, after each step: one row a step.
std::vector<std::vector<double>> lived(const Scenario& s, int steps, int lane = 0, int lanes = 1, int threads = 1) {
  Batch batch(s.plan, lanes);
  for (int k = 0; k < lanes; ++k) {
    Batch::Start start;
    start.key = k == lane ? s.seed : 100 + static_cast<std::uint64_t>(k);
    batch.reset(k, start);
  }
  std::vector<Quantity> all;
  for (const Quantity& q : s.plan->quantities()) {
    if (!q.of_disturber && q.kind != Kind::parameter) all.push_back(q);
  }
  for (const MeasuredChannel& c : measurable_channels(*s.plan, false)) {
    if (c.members == 1) all.push_back(*s.plan->measured(c.path));
  }
  std::vector<std::vector<double>> rows;
  for (int k = 0; k < steps; ++k) {
    batch.step(1, threads);
    REQUIRE(batch.trouble(lane) == "");
    rows.emplace_back();
    for (const Quantity& q : all) rows.back().push_back(batch.get(lane, q));
  }
  CHECK(batch.ledger_worst(lane) <= 1);
  CHECK(batch.ledger_residual(lane) <= 1e-9);
  return rows;
}
bool same_bits(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (std::memcmp(a[k].data(), b[k].data(), a[k].size() * sizeof(double)) != 0) return false;
  }
  return true;
}

// A quantity, step by step, in a run with the given faults.
class Story {
 public:
  Story(const std::string& faults, const std::string& set = "") : scenario_(load(faults, set)), batch_(scenario_.plan, 1) {
    Batch::Start start;
    start.key = scenario_.seed;
    batch_.reset(0, start);
  }
  // Value after the step that begins at this time of the first day.
  double at(const std::string& time, const std::string& quantity) {
    int hour = 0, minute = 0;
    REQUIRE(std::sscanf(time.c_str(), "%d:%d", &hour, &minute) == 2);
    const double wanted = scenario_.start + hour * 3600 + minute * 60;
    while (batch_.time(0) < wanted + 1) batch_.step();
    REQUIRE(batch_.trouble(0) == "");
    const auto q = scenario_.plan->find(quantity);
    INFO(quantity);
    REQUIRE(q);
    return batch_.get(0, *q);
  }

 private:
  static Scenario load(const std::string& faults, const std::string& set) {
    const Scratch folder;
    LoadOptions options;
    if (!set.empty()) options.set = {set};
    return with(folder, faults.empty() ? "  {}" : faults, options);
  }
  Scenario scenario_;
  Batch batch_;
};
std::string at(const std::string& rest) { return "  f: {at: 2024-06-01 11:00, " + rest + "}"; }

}  // namespace

TEST_CASE("faults: every kind: nothing of size zero, something of its own size, ledger, label, lanes, snapshots", "[faults]") {
  const Scratch folder;
  const Scenario healthy = load_scenario(plant);
  constexpr int steps = 400;
  const auto without = lived(healthy, steps);
  REQUIRE(disturbances().size() >= 45);
  for (const auto& [name, type] : disturbances()) {
    DYNAMIC_SECTION(name) {
      const std::string on = target_of(type, healthy);
      REQUIRE(on != "");
      const std::string text = "  f: {kind: " + name + ", on: " + on + ", at: 2024-06-01 11:00, duration: 20 h";
      const std::string sizes = sizes_of(name);
      CHECK(same_bits(lived(with(folder, text + sizes + ", severity: 0}"), steps), without));

      const Scenario s = with(folder, text + sizes + "}");
      const auto broken = lived(s, steps);
      CHECK_FALSE(same_bits(broken, without));  // no kind is hollow
      for (int k = 0; k < 11 * 12; ++k)
        REQUIRE(same_bits({broken[static_cast<std::size_t>(k)]}, {without[static_cast<std::size_t>(k)]}));
      // In a full block, on two threads, the same bits.
      CHECK(same_bits(lived(s, steps, 5, 19, 2), broken));

      // The declared sign of its effect, on average while it is there.
      for (const auto& [quantity, sign] : type.effects) {
        const std::string channel = on + (on.find('.') != std::string::npos   ? ""
                                          : type.roles.front().tag == "price" ? ".price"
                                                                              : ".state_of_charge");
        const auto mean = [&](const Scenario& of) {
          Quantity q;
          if (quantity == "measured") q = *of.plan->measured(channel);
          else if (quantity != "age") q = *of.plan->find(on + "." + quantity);
          else if (const auto age = of.plan->find(channel + ".age")) q = *age;
          Batch batch(of.plan, 1);
          Batch::Start start;
          start.key = of.seed;
          batch.reset(0, start);
          double sum = 0, moved = 0, before = 0;
          for (int k = 0; k < 31 * 12; ++k) {
            batch.step();
            const double now = q.row < 0 ? 0 : batch.get(0, q);
            if (k >= 11 * 12) sum += now, moved += std::abs(now - before) * (k % 7 + 1);
            before = now;
          }
          return std::pair{sum, moved};
        };
        const auto [is, is_moved] = mean(s);
        const auto [was, was_moved] = mean(healthy);
        INFO(quantity << " was " << was << " is " << is);
        if (sign == Sign::falls) CHECK(is < was - 1e-9 * std::abs(was));
        if (sign == Sign::rises) CHECK(is > was + 1e-9 * std::abs(was));
        if (sign == Sign::changes) CHECK((is != was || is_moved != was_moved));
      }

      // Label right to the step; going on from a snapshot within the fault gives the same bits.
      Batch batch(s.plan, 1);
      Batch::Start start;
      start.key = s.seed;
      batch.reset(0, start);
      const Quantity active = *s.plan->find("f.active");
      std::vector<double> snapshot(batch.snapshot_size());
      for (int k = 0; k < steps; ++k) {
        if (k == 200) batch.save(0, snapshot);
        batch.step();
        REQUIRE(batch.get(0, active) == (k >= 11 * 12 && k < 31 * 12 ? 1 : 0));
      }
      Batch again(s.plan, 1);
      again.restore(0, snapshot);
      again.step(steps - 200);
      CHECK(again.hash(0) == batch.hash(0));
      // A disarmed lane is the plant without it.
      Batch none(s.plan, 2);
      for (int lane : {0, 1}) none.reset(lane, start);
      none.disarm(1);
      none.step(steps);
      CHECK(none.hash(0) == batch.hash(0));
      std::size_t at = 0;
      bool same = true;
      for (const Quantity& q : s.plan->quantities()) {
        if (!q.of_disturber && q.kind != Kind::parameter) same = same && none.get(1, q) == without.back()[at++];
      }
      for (const MeasuredChannel& c : measurable_channels(*s.plan, false)) {
        if (c.members == 1) same = same && none.get(1, *s.plan->measured(c.path)) == without.back()[at++];
      }
      CHECK(same);
    }
  }
}

TEST_CASE("faults: sizes and times are start values: a sweep over them is one plan, with the bits of each alone",
          "[faults][sweep]") {
  const Scratch folder;
  const std::string file =
      folder.write("faults.yaml", "include: " + plant +
                                      "\nfaults:\n  f: {kind: pv_shading, on: homes.2.pv, at: 2024-06-01 08:00, duration: 1 d}\n"
                                      "  g: {kind: grid_outage, on: grid, rate: 2 1/d, duration: 1 h}\n");
  const Sweep sweep =
      load_sweep(folder.write("sweep.yaml",
                              "sweep: 1\ngrid:\n  faults.f.lost_share: [0 %, 30 %, 90 %]\n  faults.g.rate: [1 1/d, 5 1/d]\n"
                              "  faults.f.severity: [0.5, 1]\nseeds: 2\n"));
  const SweepResult swept = run_sweep(file, sweep, {});
  CHECK(swept.groups == 1);
  std::set<std::string> distinct;
  for (std::size_t v = 0; v < sweep.variants.size(); ++v) {
    const nlohmann::json kpis = kpis_alone(file, sweep, v);
    CHECK(swept.variants[v].state_hash == kpis["state_hash"]);
    distinct.insert(swept.variants[v].state_hash);
  }
  CHECK(distinct.size() == 24);
}

TEST_CASE("faults: when they come: calendar, again, at random, behind another, in every shape", "[faults]") {
  const Scratch folder;
  const auto label = [&](const std::string& faults, const char* of = "f.active", std::uint64_t seed = 3) {
    const Scenario s = with(folder, faults);
    Batch batch(s.plan, 1);
    Batch::Start start;
    start.key = seed;
    batch.reset(0, start);
    std::vector<double> all;
    for (int k = 0; k < 576; ++k) batch.step(), all.push_back(batch.get(0, *s.plan->find(of)));
    return all;
  };
  const std::string surge = "kind: load_surge, on: house, ";
  {
    const auto a = label("  f: {" + surge + "at: 2024-06-01 01:00, every: 6 h, duration: 30 min}");
    for (int k = 0; k < 576; ++k) CHECK(a[static_cast<std::size_t>(k)] == ((k - 12 >= 0 && (k - 12) % 72 < 6) ? 1 : 0));
  }
  {  // within a step: from the next one on
    const auto a = label("  f: {" + surge + "at: 2024-06-01 01:02, duration: 10 min}");
    CHECK(a[12] == 0);
    CHECK(a[13] == 1);
    CHECK(a[14] == 1);
    CHECK(a[15] == 0);
  }
  {
    const auto a =
        label("  f: {" + surge +
                  "at: 2024-06-01 01:00, duration: 1 h}\n  g: {kind: grid_outage, on: grid, after: f, delay: 2 h, duration: 1 h}",
              "g.active");
    for (int k = 0; k < 576; ++k) CHECK(a[static_cast<std::size_t>(k)] == (k >= 36 && k < 48 ? 1 : 0));
  }
  {
    const auto level = label("  f: {" + surge + "at: 2024-06-01 01:00, duration: 4 h, onset: ramp, rise: 1 h}", "f.level");
    for (int k = 12; k < 24; ++k) CHECK(level[static_cast<std::size_t>(k)] == Approx((k - 12 + 0.5) / 12));
    CHECK(level[30] == 1);
    CHECK(level[60] == 0);
    const auto slow = label("  f: {" + surge + "at: 2024-06-01 01:00, duration: 4 h, onset: exponential, rise: 1 h}", "f.level");
    for (int k = 12; k < 60; ++k) CHECK(slow[static_cast<std::size_t>(k)] == Approx(1 - std::exp(-(k - 12 + 0.5) / 12)));
    const auto flicker =
        label("  f: {" + surge + "at: 2024-06-01 01:00, duration: 4 h, onset: intermittent, on_time: 10 min, off_time: 20 min}",
              "f.level");
    for (int k = 12; k < 60; ++k) CHECK(flicker[static_cast<std::size_t>(k)] == ((k - 12) % 6 < 2 ? 1 : 0));
  }
  {  // Mean number of a rate and mean length, over many seeds: 4.8 faults of 30 min in two days, each ending before the next can come.
    double ended = 0, there = 0;
    std::set<std::vector<double>> distinct;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      const std::string random = "  f: {" + surge + "rate: 2.4 1/d, duration: 30 min, length: random}";
      ended += label(random, "f.occurrence", seed).back();  // those too that fell between two steps
      const auto a = label(random, "f.active", seed);
      for (double v : a) there += v;
      distinct.insert(a);
    }
    CHECK(distinct.size() > 190);
    CHECK(ended / 200 == Approx(2 * 24 / (10 + 0.5)).epsilon(0.1));
    CHECK(there / 200 * 5 / 30 == Approx(ended / 200).epsilon(0.15));
    // Its numbers are its own: another fault moves none of them.
    const std::string random = "  f: {" + surge + "rate: 2.4 1/d, duration: 30 min, length: random}";
    CHECK(label(random) == label(random + "\n  g: {kind: grid_outage, on: grid, rate: 5 1/d, duration: 5 min}"));
  }
}

TEST_CASE("faults: rates grow with age and with temperature as they say", "[faults]") {
  const Scratch folder;
  constexpr int lanes = 1500, steps = 576;
  const auto run = [&](const Scenario& s) {
    auto batch = std::make_unique<Batch>(s.plan, lanes);
    for (int lane = 0; lane < lanes; ++lane) {
      Batch::Start start;
      start.key = 1000 + static_cast<std::uint64_t>(lane);
      batch->reset(lane, start);
    }
    batch->step(steps);
    return batch;
  };
  {  // Very short ones at a rate of r exp(a t): in two days r (exp(2 d a) - 1)/a of them.
    const Scenario s = with(folder, "  f: {kind: load_surge, on: house, rate: 1 1/d, ageing: 1 1/d, duration: 1 ms}");
    const auto batch = run(s);
    const double expected = std::exp(2.0) - 1;
    double came = 0;
    for (int lane = 0; lane < lanes; ++lane) came += batch->get(lane, *s.plan->find("f.occurrence"));
    CHECK(std::abs(came / lanes - expected) < 3 * std::sqrt(expected / lanes));
  }
  // Every kind whose rate may grow with a temperature: the share of plants that it has befallen after two days.
  const Scenario healthy = load_scenario(plant);
  Batch one(healthy.plan, 1);
  Batch::Start start;
  start.key = healthy.seed;
  one.reset(0, start);
  double heat = 0;  // integral of 2^((T - 25)/5 K), days; a look every 15 min, as the clock's
  for (int k = 0; k < steps; ++k) {
    if (k % 3 == 0) heat += std::exp2((one.get(0, *healthy.plan->find("battery.temperature")) - 25) / 5) * 900 / 86400;
    one.step();
  }
  REQUIRE(heat > 3.5);  // at 25 degC it would be 2
  int kinds = 0;
  for (const auto& [name, type] : disturbances()) {
    if (type.find("temperature")->wire.empty()) continue;
    DYNAMIC_SECTION(name) {
      const Scenario s = with(folder, "  f: {kind: " + name + ", on: battery, rate: 0.1 1/d, doubling: 5 K}");
      const auto batch = run(s);
      double befallen = 0;
      for (int lane = 0; lane < lanes; ++lane) befallen += batch->get(lane, *s.plan->find("f.active"));
      const double p = 1 - std::exp(-0.1 * heat);
      CHECK(std::abs(befallen / lanes - p) < 3 * std::sqrt(p * (1 - p) / lanes) + 0.005);
    }
    ++kinds;
  }
  CHECK(kinds >= 5);
}

TEST_CASE("faults: each kind's signature", "[faults]") {
  const auto ratio = [](const std::string& fault, const std::string& quantity, const std::string& time = "12:00") {
    return Story(fault).at(time, quantity) / Story("").at(time, quantity);
  };
  SECTION("PV") {
    // Shade: deepest midway, nothing before and after; the light itself is the same.
    const std::string shade = at("kind: pv_shading, on: roof, from: '11:00', to: '13:00', lost_share: 60 %");
    CHECK(ratio(shade, "roof.power", "11:55") ==
          Approx(1 - 0.6 * std::pow(std::sin(3.14159265358979 * 57.5 / 120), 2)).epsilon(1e-9));
    CHECK(ratio(shade, "roof.power", "13:00") == 1);
    CHECK(ratio(at("kind: pv_shading, on: pv, from: '11:00', to: '13:00', lost_share: 60 %"), "pv.plane_of_array_irradiance") ==
          1);
    CHECK(ratio(at("kind: pv_soiling, on: roof, daily_loss: 10 %"), "roof.power", "13:00") ==
          Approx(1 - 0.1 * 2 / 24).epsilon(1e-9));
    CHECK(ratio(at("kind: pv_string_open, on: roof, strings: 5, open_strings: 2"), "roof.power") == Approx(0.6).epsilon(1e-12));
    CHECK(ratio(at("kind: pv_string_open, on: pv, strings: 5, open_strings: 2"), "pv.dc_voltage") == Approx(1).epsilon(1e-9));
    CHECK(ratio(at("kind: pv_string_open, on: pv, strings: 5, open_strings: 2"), "pv.cell_temperature") == 1);
    CHECK(ratio(at("kind: pv_degradation_step, on: roof, lost_share: 7 %"), "roof.power", "16:00") ==
          Approx(0.93).epsilon(1e-12));
    const double stuck = ratio(at("kind: pv_mppt_stuck, on: pv, offset: 0.9"), "pv.dc_power");
    CHECK(stuck > 0.6);
    CHECK(stuck < 0.98);
    CHECK(Story(at("kind: inverter_derate, on: pv, lost_share: 60 %")).at("12:00", "pv.power") ==
          Approx(0.4 * 0.96 * 10000).epsilon(1e-12));
    CHECK(ratio(at("kind: inverter_derate, on: pv, lost_share: 50 %"), "pv.power", "16:00") ==
          1);  // below the plateau nothing is felt
    CHECK(Story(at("kind: inverter_trip, on: roof, duration: 30 min")).at("11:20", "roof.power") == 0);
    CHECK(Story(at("kind: inverter_trip, on: roof, duration: 30 min")).at("11:20", "roof.available_power") > 4000);
    CHECK(Story(at("kind: inverter_trip, on: roof, duration: 30 min")).at("11:30", "roof.power") == 0);  // return delay of 300 s
    CHECK(Story(at("kind: inverter_trip, on: roof, duration: 30 min")).at("11:40", "roof.power") > 4000);
    // Heat: the sink comes from its healthy 40 K x 0.85 and is held at 85 - 25 degC above the air with six times its resistance.
    Story hot(at("kind: inverter_over_temperature, on: roof, times: 6"));
    const double kept = std::exp(-300.0 / 900), room = 60 - 40 * 0.85 * kept;
    CHECK(hot.at("11:00", "roof.power") == Approx(5000 * room / (240 * (1 - kept))).epsilon(1e-9));
    CHECK(hot.at("13:30", "roof.power") == Approx(5000 * 60.0 / 240).epsilon(0.01));
    CHECK(hot.at("16:00", "roof.power") < 0.38 * 5000);
    CHECK(Story(at("kind: inverter_trip, on: homes.2.pv")).at("12:00", "homes.2.pv.power") == 0);
    CHECK(Story(at("kind: inverter_trip, on: homes.2.pv")).at("12:00", "homes.1.pv.power") > 0);
  }
  SECTION("battery") {
    CHECK(ratio(at("kind: battery_resistance, on: battery, times: 3"), "battery.heat", "17:00") >
          1.5);  // the RC pair keeps its own
    CHECK(ratio(at("kind: battery_resistance, on: battery, times: 3"), "battery.heat", "10:55") == 1);
    CHECK(Story(at("kind: battery_internal_short, on: homes.1.battery, short_current: 0.3 A"))
              .at("18:00", "homes.1.battery.state_of_charge") < Story("").at("18:00", "homes.1.battery.state_of_charge") - 0.05);
    CHECK(Story(at("kind: battery_internal_short, on: homes.1.battery, short_current: 0.3 A"))
              .at("18:00", "homes.1.battery.temperature") > Story("").at("18:00", "homes.1.battery.temperature"));
    Story drop(at("kind: battery_capacity_drop, on: battery, lost_share: 20 %"));
    const double before = drop.at("10:55", "battery.stored_energy"), soc = drop.at("10:55", "battery.state_of_charge");
    drop.at("11:00", "battery.stored_energy");
    CHECK(drop.at("11:00", "battery.parameter_change") == Approx(-0.2 * before).epsilon(0.01));
    CHECK(std::abs(drop.at("11:00", "battery.state_of_charge") - soc) < 0.02);
    const auto rise = [](const std::string& fault) { return Story(fault).at("22:00", "battery.temperature") - 30; };
    CHECK(rise(at("kind: battery_cooling_failure, on: battery, times: 20")) > 5 * rise(""));
    CHECK(rise("") > 0);
    CHECK(Story(at("kind: battery_contactor_open, on: battery")).at("17:00", "battery.power") == 0);
    CHECK(std::abs(Story("").at("17:00", "battery.power")) > 5000);
    CHECK(Story(at("kind: battery_contactor_open, on: battery")).at("17:00", "battery.pack_current") == Approx(0).margin(1e-9));
    CHECK(Story(at("kind: converter_derate, on: battery, lost_share: 90 %")).at("17:00", "battery.power") ==
          Approx(3200).epsilon(1e-9));
    CHECK(Story(at("kind: inverter_trip, on: battery")).at("17:00", "battery.power") == 0);
  }
  SECTION("charger") {
    CHECK(Story("").at("12:00", "charger.power") == Approx(-7000).epsilon(1e-9));
    CHECK(Story(at("kind: charger_contactor_open, on: charger")).at("12:00", "charger.power") == 0);
    CHECK(Story(at("kind: charger_contactor_open, on: charger")).at("12:00", "charger.present") == 1);
    CHECK(Story(at("kind: charger_derate, on: charger, lost_share: 40 %")).at("12:00", "charger.power") ==
          Approx(-4200).epsilon(1e-9));
    Story lost(at("kind: charger_communication_loss, on: charger, time_out: 10 min, safe_power: 1.4 kW"));
    CHECK(lost.at("11:05", "charger.power") == Approx(-7000).epsilon(1e-9));
    CHECK(lost.at("11:10", "charger.power") == Approx(-1400).epsilon(1e-9));
  }
  SECTION("loads") {
    CHECK(ratio(at("kind: load_surge, on: house, times: 2.5"), "house.power") == Approx(2.5).epsilon(1e-12));
    CHECK(Story(at("kind: relay_stuck_open, on: house")).at("12:00", "house.power") == 0);
    CHECK(Story(at("kind: relay_stuck_open, on: house")).at("12:00", "house.unserved_power") == 4000);
    // Closed: the command to shed does nothing.
    CHECK(Story("", "assets.house.relay=0").at("12:00", "house.power") == 0);
    CHECK(Story(at("kind: relay_stuck_closed, on: house"), "assets.house.relay=0").at("12:00", "house.power") == -4000);
  }
  SECTION("genset") {  // it is told to run from 12:00 to 20:00
    const auto later = [](const std::string& rest) { return "  f: {at: 2024-06-01 13:00, " + rest + "}"; };
    CHECK(Story("").at("12:30", "genset.running") == 1);
    CHECK(Story(at("kind: genset_start_failure, on: genset")).at("12:30", "genset.running") == 0);
    CHECK(Story(later("kind: genset_start_failure, on: genset")).at("14:00", "genset.running") == 1);  // one that runs goes on
    Story trip(later("kind: genset_trip, on: genset, duration: 1 h"));
    CHECK(trip.at("13:00", "genset.power") == 0);
    CHECK(trip.at("13:05", "genset.fuel_flow") == 0);  // and does not cool down
    CHECK(trip.at("14:10", "genset.running") == 1);
    Story dry(later("kind: genset_fuel_runs_out, on: genset, tank: 6 l"));
    const double used = dry.at("12:55", "genset.fuel");
    CHECK(dry.at("13:30", "genset.running") == 1);
    CHECK(dry.at("19:00", "genset.running") == 0);
    CHECK(dry.at("19:00", "genset.fuel") - used == Approx(6).margin(0.3));  // to the step
  }
  SECTION("grid") {
    Story outage(at("kind: grid_outage, on: grid, duration: 1 h"));
    CHECK(outage.at("11:30", "grid.power") == 0);
    CHECK(outage.at("11:30", "house.power") == -4000);  // the battery forms the bus
    CHECK(Story(at("kind: grid_islanding, on: grid, duration: 1 h")).at("11:30", "grid.power") == 0);
    CHECK(Story(at("kind: grid_voltage_sag, on: grid, residual_voltage: 0.7, duration: 1 h")).at("11:30", "plant.voltage") ==
          Approx(0.7));
    CHECK(Story(at("kind: grid_voltage_sag, on: grid, residual_voltage: 0.7, duration: 1 h")).at("11:30", "roof.power") ==
          0);  // has tripped
    CHECK(Story(at("kind: grid_voltage_sag, on: grid, residual_voltage: 0.95, duration: 1 h")).at("11:30", "roof.power") > 4000);
    CHECK(Story(at("kind: grid_voltage_swell, on: grid, voltage_reached: 1.3, duration: 1 h")).at("11:30", "pv.power") == 0);
    // The grid is stiff: a battery that stands before it in the merit list does not hold the voltage against it.
    CHECK(Story(at("kind: grid_voltage_sag, on: grid, residual_voltage: 0.7, duration: 1 h"), "balance=[battery, grid, roof]")
              .at("11:30", "plant.voltage") == Approx(0.7));
    Story cut("  f: {kind: grid_import_cut, on: grid, at: 2024-06-01 01:00, allowed: 500 W}");
    CHECK(Story("").at("02:00", "grid.power") > 1000);
    CHECK(cut.at("02:00", "grid.power") <= 500);
  }
}

}  // namespace urja::tests

// The scenario language: tests/corpus/bad/*.yaml must fail as their first lines say, tests/corpus/good/*.yaml must load, and
// what they come to is computed here once more by hand.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/calendar.hpp"
#include "scenarios/run.hpp"
#include "scenarios/scenario.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/expect.hpp"
#include "tests/corpus/program.hpp"

namespace {

namespace fs = std::filesystem;
using namespace urja;
using urja::tests::expectations;
using urja::tests::Expected;
using urja::tests::files_of;
using urja::tests::program;
using urja::tests::ProgramResult;
using urja::tests::Scratch;

using urja::tests::corpus;

// With its gym, where it has one, as `urja validate` does.
void load_all(const fs::path& file, LoadOptions options = {}) {
  if (!load_scenario(file.string(), options).has_gym) return;
  options.gym = LoadOptions::Gym::agent;
  load_scenario(file.string(), options);
}

std::string problems_of(const fs::path& file, const LoadOptions& options = {}) {
  try {
    load_all(file, options);
  } catch (const ScenarioError& e) { return e.problems.text(); }
  return "";
}
std::vector<Problem> list_of(const fs::path& file) {
  try {
    load_all(file);
  } catch (const ScenarioError& e) { return e.problems.list(); }
  return {};
}

nlohmann::json kpis_of(const std::string& name, const LoadOptions& options = {}) {
  const Scenario s = load_scenario((corpus / "good" / (name + ".yaml")).string(), options);
  nlohmann::json kpis;
  const RunResult result = run_scenario(s, {}, kpis);
  CHECK(result.trouble == "");
  CHECK(result.finished);
  return kpis;
}

// A scenario written for one test.
std::string small_text(const std::string& run = "from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: 1 h",
                       const std::string& zone = "Asia/Kolkata") {
  return fmt::format(
      "urja: 1\nzone: {}\nrun: {{{}}}\nassets:\n  load: {{model: load, demand: 1 kW}}\n  grid: {{model: grid, price: 5 "
      "INR/kWh}}\nbalance: [grid, load]\n",
      zone, run);
}
Scenario loaded(const Scratch& folder, const std::string& text, const LoadOptions& options = {}) {
  return load_scenario(folder.write("small.yaml", text), options);
}

}  // namespace

TEST_CASE("scenario: every bad one fails at its place with its message", "[scenario]") {
  const auto files = files_of("bad");
  REQUIRE(files.size() >= 40);
  for (const fs::path& file : files) {
    DYNAMIC_SECTION(file.stem().string()) {
      const std::vector<Expected> expected = expectations(file);
      REQUIRE(!expected.empty());
      const std::vector<Problem> problems = list_of(file);
      std::string all = "accepted\n";
      if (!problems.empty()) all = problems_of(file);
      INFO(all);
      CHECK(problems.size() == expected.size());  // all of them, and none that only follows from another
      for (const Expected& e : expected) {
        INFO(fmt::format("expected {}:{}:{}: {}", e.file, e.line, e.column, e.text));
        CHECK(std::any_of(problems.begin(), problems.end(), [&](const Problem& p) { return e.fits(p); }));
      }
    }
  }
}

TEST_CASE("scenario: problems come in the order of the file, each on one line", "[scenario]") {
  const std::string text = problems_of(corpus / "bad" / "many_at_once.yaml");
  int before = 0, lines = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line); ++lines) {
    INFO(line);
    const std::size_t at = line.find(".yaml:");
    REQUIRE(at != std::string::npos);
    const int here = std::atoi(line.c_str() + at + 6);
    CHECK(here >= before);
    before = here;
  }
  CHECK(lines == 10);
}

TEST_CASE("scenario: the program says what is wrong and ends with 2", "[scenario][program]") {
  for (const char* name : {"many_at_once", "key_of_model", "no_yaml", "empty", "file_missing", "from_in_gap", "too_deep"}) {
    const std::string file = (corpus / "bad" / name).string() + ".yaml";
    for (const char* command : {"validate", "run"}) {
      const ProgramResult r = program({command, file});
      INFO(command << " " << name << ": " << r.err);
      CHECK(r.status == 2);
      CHECK(r.out.empty());
      for (const Expected& e : expectations(file)) {
        if (e.line > 0) CHECK_THAT(r.err, contains(fmt::format("{}.yaml:{}:{}: ", name, e.line, e.column)));
      }
    }
  }
  CHECK_THAT(program({"validate", (corpus / "bad" / "many_at_once.yaml").string()}).err, contains("10 problems"));
  CHECK_THAT(program({"validate", "/no/such/file.yaml"}).err, contains("/no/such/file.yaml: cannot be opened"));
  CHECK(program({"validate", "/no/such/file.yaml"}).status == 2);
  CHECK_THAT(program({"validate", corpus.string()}).err, contains("is a folder, not a file"));
  const Scratch folder;
  CHECK_THAT(program({"validate", folder.write("binary.yaml", std::string("urja\0: 1", 8))}).err, contains("is not a text file"));
}

TEST_CASE("scenario: --set is checked like the file, and says that it is the command line", "[scenario]") {
  const Scratch folder;
  const std::string file = folder.write("small.yaml", small_text());
  const auto wrong = [&](const std::string& set) { return problems_of(file, {{set}, {}, {}, {}}); };
  CHECK(wrong("assets.load.demand=2 kW").empty());
  CHECK(wrong("title=a=b").empty());
  CHECK(wrong("run.to=2024-01-01 12:00").empty());
  CHECK_THAT(wrong("nonsense"), contains("--set: 'nonsense' is not key=value"));
  CHECK_THAT(wrong("=3"), contains("--set: '=3' is not key=value"));
  CHECK_THAT(wrong("assets.grid.price=3"), contains("--set assets.grid.price: '3' has no unit"));
  CHECK_THAT(wrong("assets.grid.price=3"), !contains("small.yaml:6"));  // not the place in the file where another value stands
  CHECK_THAT(wrong("assets.load.demnd=1 kW"), contains("assets.load.demnd: model 'load' has no 'demnd'; did you mean 'demand'?"));
  CHECK_THAT(wrong("assets.load.demand="), contains("assets.load.demand: has no value"));
  CHECK_THAT(wrong("run.step=7 h"), contains("run.step: from 'from' to 'to' are 3.42857142857 steps"));
  CHECK_THAT(wrong("assets.b={model: battery"), contains("--set assets.b:1:1: this is not YAML"));
  CHECK_THAT(wrong("assets.b={model: batery}"), contains("--set assets.b.model: there is no model 'batery'"));
  CHECK_THAT(wrong("controller=hld"), contains("controller.model: there is no controller 'hld'; did you mean 'hold'?"));
  CHECK_THAT(wrong("controller=hold"), contains("controller: no asset fits its role 'battery'"));
  CHECK_THAT(wrong("homes.3.x=1"), contains("homes: a scenario has no key 'homes'"));
  CHECK_THAT(wrong("balance=grid"), contains("balance: expected a list"));
  const std::string charger =
      folder.write("charger.yaml", small_text() + "controller: {model: peak_shaving, import_target: 2 kW}\n");
  CHECK_THAT(
      problems_of(charger, {{"controller.recharge_below=3 kW"}, {}, {}, {}}),
      contains("charger.yaml: --set controller.recharge_below: 3000 W is above import_target, 2000 W; recharge_below must"));
  const std::string measured =
      folder.write("measured.yaml", small_text() +
                                        "sensors: {grid.power: {noise: 5 W}}\nlinks: {load: {delay: 2 s}}\n"
                                        "faults: {f: {kind: sensor_bias, on: grid.power, at: 2024-01-01 06:00, offset: 3 W}}\n");
  const auto wrong_there = [&](const std::string& set) { return problems_of(measured, {{set}, {}, {}, {}}); };
  CHECK(wrong_there("sensors.grid.power.noise=7 W").empty());
  CHECK(wrong_there("sensors.load.power.noise=7 W").empty());  // one that the file does not have
  CHECK(wrong_there("sensors.grid.power={interval: 5 s}").empty());
  CHECK_THAT(wrong_there("sensors.grid.power.noise=7"),
             contains("measured.yaml: --set sensors.grid.power.noise: '7' has no unit; allowed: W"));
  CHECK_THAT(wrong_there("sensors.load.power.noise=7 K"),
             contains("--set sensors.load.power.noise: 'K' is not a unit that fits"));
  CHECK_THAT(wrong_there("sensors.grid.power.nose=7 W"),
             contains("sensors.grid.power.nose: a sensor has no 'nose'; did you mean 'noise'?"));
  CHECK_THAT(wrong_there("sensors.grid.powr.noise=7 W"), contains("there is no channel 'grid.powr'; did you mean 'grid.power'?"));
  CHECK_THAT(wrong_there("sensors.gird.power.noise=7 W"),
             contains("there is no channel 'gird.power'; did you mean 'grid.power'?"));
  CHECK_THAT(wrong_there("sensors.grid.power=7 W"), contains("sensors.grid.power: expected {noise: .., ..}"));
  CHECK_THAT(wrong_there("sensors=7 W"), contains("--set sensors: expected channels by name"));
  CHECK_THAT(wrong_there("links.load.delay=200 h"),
             contains("--set links.load.delay: 720000 s are 200 messages of load.power, one each 3600 s, and a link holds 96"));
  CHECK_THAT(wrong_there("faults.f.offset=3 kg"), contains("--set faults.f.offset: 'kg' is not a unit that fits; allowed: W"));
  CHECK_THAT(wrong_there("faults.f.on=grid.powr"), contains("--set faults.f.on: there is no channel 'grid.powr'"));
  // All problems at once, whichever way they came.
  const std::string both = problems_of(file, {{"assets.grid.price=3", "assets.load.demand=1 V"}, {}, {}, {}});
  CHECK_THAT(both, contains("assets.grid.price") && contains("assets.load.demand"));
}

TEST_CASE("scenario: --from, --to and --seed replace the file's", "[scenario]") {
  const Scratch folder;
  const std::string file = folder.write("small.yaml", small_text());
  const Scenario s = load_scenario(file, {{}, "2024-01-01 06:00", "2024-01-01 18:00", 99});
  CHECK(s.seed == 99);
  CHECK(s.end - s.start == 12 * 3600.0);
  CHECK(s.start == 1704067200.0 - 19800 + 6 * 3600);  // Kolkata is 5:30 h before UTC
  CHECK_THAT(problems_of(file, {{}, "soon", {}, {}}), contains("--from: 'soon' is not a time"));
  CHECK_THAT(problems_of(file, {{}, "2024-01-03 00:00", {}, {}}), contains("'to' does not lie after 'from'"));
}

TEST_CASE("scenario: every good one loads", "[scenario]") {
  const auto files = files_of("good");
  REQUIRE(files.size() >= 6);
  for (const fs::path& file : files) {
    INFO(file.string());
    CHECK(problems_of(file) == "");
  }
}

TEST_CASE("scenario: record is a whole number of steps when nobody says it", "[scenario]") {
  const Scratch folder;
  const auto record_of = [&](const char* step) {
    return loaded(folder, small_text(fmt::format("from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: {}", step))).record;
  };
  CHECK(record_of("1 s") == 60);
  CHECK(record_of("45 s") == 90);
  CHECK(record_of("1 min") == 60);
  CHECK(record_of("15 min") == 900);
  CHECK(record_of("20 ms") == Approx(60));
}

TEST_CASE("scenario: a local hour that comes twice or never", "[scenario]") {
  const Scratch folder;
  const auto hours = [&](const char* zone, const char* from, const char* to) {
    const Scenario s = loaded(folder, small_text(fmt::format("from: {}, to: {}, step: 30 min", from, to), zone));
    return (s.end - s.start) / 3600;
  };
  CHECK(hours("Europe/Berlin", "2024-03-31 00:00", "2024-04-01 00:00") == 23);
  CHECK(hours("Europe/Berlin", "2024-10-27 00:00", "2024-10-28 00:00") == 25);
  CHECK(hours("Europe/Berlin", "2024-10-27 02:30+02:00", "2024-10-27 02:30+01:00") == 1);
  CHECK(hours("Australia/Lord_Howe", "2024-04-07 00:00", "2024-04-08 00:00") == 24.5);  // put back by half an hour
  CHECK(hours("Asia/Kolkata", "2024-02-28 00:00", "2024-03-01 00:00") == 48);           // leap day
  CHECK(hours("Asia/Kolkata", "2023-02-28 00:00", "2023-03-01 00:00") == 24);
  CHECK(hours("Asia/Kolkata", "2023-12-31 00:00", "2024-01-01 00:00") == 24);
  CHECK(hours("UTC", "2023-12-31T12:00:00Z", "2024-01-01T00:00:00Z") == 12);
}

// --- what the good ones come to, by hand ---

TEST_CASE("scenario: a grid alone", "[scenario][result]") {
  const auto k = kpis_of("grid_alone");
  CHECK(k["steps"] == 24);
  CHECK(k["import_kwh"] == 0.0);
  CHECK(k["cost_total"] == 0.0);
  CHECK_FALSE(k.contains("currency"));  // nothing has a price
}

TEST_CASE("scenario: what is included holds unless the file says something else", "[scenario][result]") {
  const auto k = kpis_of("include");  // 3 kW for an hour at 0.20; no shed, no controller
  CHECK(k["load_kwh"] == Approx(3).epsilon(1e-12));
  CHECK(k["cost_total"] == Approx(0.6).epsilon(1e-12));
  const Scenario s = load_scenario((corpus / "good/include.yaml").string(), {{"assets.grid.price=0.10 USD/kWh"}, {}, {}, {}});
  CHECK(s.included.size() == 2);
  CHECK(s.models.count("shed") == 0);
  CHECK(kpis_of("include", {{"assets.grid.price=0.10 USD/kWh"}, {}, {}, {}})["cost_total"] == Approx(0.3).epsilon(1e-12));
}

TEST_CASE("scenario: constants for columns, prices by hand", "[scenario][result]") {
  // 2 kW for 24 h, 0.5 kW of PV: 36 kWh at 0.2 and 0.5 kg; PV is used on site.
  const auto k = kpis_of("constants");
  CHECK(k["load_kwh"] == Approx(48).epsilon(1e-12));
  CHECK(k["pv_kwh"] == Approx(12).epsilon(1e-12));
  CHECK(k["import_kwh"] == Approx(36).epsilon(1e-12));
  CHECK(k["export_kwh"] == 0.0);
  CHECK(k["cost_energy"] == Approx(7.2).epsilon(1e-12));
  CHECK(k["cost_total"] == Approx(7.2).epsilon(1e-12));
  CHECK(k["co2_kg"] == Approx(18).epsilon(1e-12));
  CHECK(k["peak_import_kw"] == Approx(1.5).epsilon(1e-12));
  CHECK(k["self_consumption"] == Approx(1));
  CHECK(k["self_sufficiency"] == Approx(0.25).epsilon(1e-12));
  CHECK(k["currency"] == "EUR");
}

TEST_CASE("scenario: a column with its price, row by row by hand", "[scenario][result]") {
  double energy = 0, cost = 0;
  for (int hour = 0; hour < 24; ++hour) {  // as tests/corpus/data/day.csv was written
    energy += 1 + 0.25 * (hour % 4);
    cost += (1 + 0.25 * (hour % 4)) * (0.1 + 0.01 * hour);
  }
  const auto k = kpis_of("columns");
  CHECK(k["import_kwh"] == Approx(energy).epsilon(1e-12));
  CHECK(k["cost_energy"] == Approx(cost).epsilon(1e-9));
  CHECK(k["peak_import_kw"] == Approx(1.75).epsilon(1e-12));
  // Another step gives the same energies and costs: values hold over their hour.
  for (const char* step : {"run.step=1 min", "run.step=2 h", "run.step=40 min"}) {
    const auto other = kpis_of("columns", {{step}, {}, {}, {}});
    INFO(step);
    CHECK(other["import_kwh"] == Approx(energy).epsilon(1e-12));
    if (std::string(step) == "run.step=1 min") CHECK(other["cost_energy"] == Approx(cost).epsilon(1e-9));
  }
}

TEST_CASE("scenario: a fleet of three is the sum of its members", "[scenario][result]") {
  // 1, 2 and 3 kW of load, scaled 1, 1 and 2; 1 kW of PV each: 9 - 3 kW from the grid, over a feeder that allows 6 kW.
  const auto k = kpis_of("fleet");
  CHECK(k["load_kwh"] == Approx(9 * 24).epsilon(1e-12));
  CHECK(k["pv_kwh"] == Approx(3 * 24).epsilon(1e-12));
  CHECK(k["import_kwh"] == Approx(6 * 24).epsilon(1e-12));
  CHECK(k["unserved_kwh"] == Approx(0).margin(1e-9));
  // With less allowed on the feeder, loads go without, and nobody is billed for it.
  const auto tight = kpis_of("fleet", {{"feeders.street.limit=4 kW"}, {}, {}, {}});
  CHECK(tight["import_kwh"] == Approx(4 * 24).epsilon(1e-9));
  CHECK(tight["served_kwh"] == Approx(7 * 24).epsilon(1e-9));
  CHECK(tight["unserved_kwh"] == Approx(2 * 24).epsilon(1e-9));
  CHECK(tight["unserved_kwh_by_zone"]["semi_critical"] == Approx(2 * 24).epsilon(1e-9));
}

TEST_CASE("scenario: off_grid sheds the members of a fleet by zone", "[scenario][result]") {
  // Lights of 10, 20 .. 100 W and a washer of 100 W in each home, a clinic of 200 W; the battery starts below the washers' 60 %.
  const auto k = kpis_of("off_grid_homes");
  CHECK(k["load_kwh"] == Approx(1.75 * 24).epsilon(1e-12));
  CHECK(k["served_kwh"] == Approx(0.75 * 24).epsilon(1e-12));
  CHECK(k["unserved_kwh"] == Approx(24).epsilon(1e-12));
  CHECK(k["unserved_kwh_by_zone"]["non_critical"] == Approx(24).epsilon(1e-12));
  CHECK(k["unserved_kwh_by_zone"]["semi_critical"] == 0.0);
  CHECK(k["unserved_kwh_by_zone"]["critical"] == 0.0);
  CHECK(k["ledger_residual"].get<double>() < 1e-9);
  // A full battery carries all; told to, the controller sheds others.
  const auto full = [](const std::string& more) {
    return kpis_of("off_grid_homes", {{"assets.battery.state_of_charge=95 %", more}, {}, {}, {}});
  };
  CHECK(full("controller.non_critical_shed=10 %")["unserved_kwh"] == Approx(0).margin(1e-9));
  const auto named =
      full("controller={model: off_grid, non_critical: homes.lights, non_critical_shed: 96 %, non_critical_return: 97 %}");
  CHECK(named["unserved_kwh_by_zone"]["semi_critical"] == Approx(0.55 * 24).epsilon(1e-12));
  CHECK(named["unserved_kwh_by_zone"]["non_critical"] == 0.0);
}

TEST_CASE("scenario: no grid and no sun: what nobody gives is unserved", "[scenario][result]") {
  const auto k = kpis_of("nobody_gives");
  CHECK(k["load_kwh"] == Approx(24).epsilon(1e-12));
  CHECK(k["served_kwh"] == Approx(0).margin(1e-12));
  CHECK(k["unserved_kwh"] == Approx(24).epsilon(1e-12));
  CHECK(k["unserved_h"] == Approx(24).epsilon(1e-12));
}

TEST_CASE("scenario: days of 23 and 25 hours, leap day and year end", "[scenario][result]") {
  // 24 rows a day on the wall's clock, 1 kW from 02:00 to 03:00 and 0 elsewhere.
  const auto energy = [](const std::string& from, const std::string& to) {
    return kpis_of("wall_clock", {{}, from, to, {}})["load_kwh"].get<double>();
  };
  CHECK(energy("2024-03-30 00:00", "2024-03-31 00:00") == Approx(1).epsilon(1e-12));
  CHECK(energy("2024-03-31 00:00", "2024-04-01 00:00") == Approx(0).margin(1e-12));   // that hour never was
  CHECK(energy("2024-10-27 00:00", "2024-10-28 00:00") == Approx(2).epsilon(1e-12));  // it came twice
  CHECK(energy("2024-02-28 00:00", "2024-03-01 00:00") == Approx(2).epsilon(1e-12));  // leap day
  const auto year = kpis_of("wall_clock");
  CHECK(year["steps"] == 366 * 48);
  CHECK(year["load_kwh"] == Approx(366).epsilon(1e-12));  // one hour lost, one come twice
}

TEST_CASE("scenario: the demand charge counts each billing month of the zone", "[scenario][result]") {
  // 1 kW in January, 3 kW in the first local hour of February, then 2 kW: 10 EUR/kW x (1 + 3). In UTC it would be 3 + 2.
  const auto k = kpis_of("demand_charge");
  CHECK(k["cost_demand"] == Approx(40).epsilon(1e-9));
  CHECK(k["import_kwh"] == Approx(24 + 3 + 23 * 2).epsilon(1e-12));
}

TEST_CASE("scenario: a battery shifts energy and books what it loses", "[scenario][result]") {
  const auto k = kpis_of("battery");
  const double in = k["import_kwh"].get<double>() + k["pv_kwh"].get<double>(),
               out = k["served_kwh"].get<double>() + k["export_kwh"].get<double>();
  const double through = k["battery_charge_kwh"].get<double>() - k["battery_discharge_kwh"].get<double>();
  CHECK(in - out == Approx(through).margin(1e-9));
  CHECK(k["battery_loss_kwh"].get<double>() > 0);
  CHECK(k["battery_loss_kwh"].get<double>() < 0.2 * k["battery_charge_kwh"].get<double>() + 1);
  CHECK(k["ledger_residual"].get<double>() < 1e-9);
}

TEST_CASE("scenario: temperatures of a battery that are the same make a step, not a hole", "[scenario][result]") {
  // The cells begin at 25 degC, just where charging is allowed or not: that was 0/0.
  for (const char* limits : {"cold_charge_none", "hot_charge_full"}) {
    const std::string other = limits == std::string("cold_charge_none") ? "cold_charge_full" : "hot_charge_none";
    CHECK(kpis_of("battery", {{fmt::format("assets.battery.{}=25 degC", limits), fmt::format("assets.battery.{}=25 degC", other)},
                              {},
                              {},
                              {}})["ledger_residual"] < 1e-9);
  }
}

TEST_CASE("scenario: order of assets and of keys does not change the result", "[scenario][result]") {
  const auto a = kpis_of("constants"), b = kpis_of("constants_reordered");
  for (const char* key : {"import_kwh", "pv_kwh", "cost_total", "co2_kg", "peak_import_kw"}) CHECK(a[key] == b[key]);
}

TEST_CASE("scenario: text, hashes and models are kept for the result file", "[scenario]") {
  const Scenario s = load_scenario((corpus / "good" / "columns.yaml").string());
  CHECK(s.name == "columns");
  CHECK_THAT(s.text, contains("home.demand"));
  REQUIRE(s.data_hashes.size() == 1);
  CHECK_THAT(s.data_hashes.begin()->first, contains("tests/corpus/data/day.csv"));
  CHECK(s.data_hashes.begin()->second.size() == 16);
  CHECK(s.models.at("grid") == "grid");
  CHECK(s.currency == "EUR");
  // Paths are relative to the scenario, from wherever the program is called.
  const ProgramResult r = program({"validate", (corpus / "good" / "columns.yaml").string()}, "/");
  CHECK(r.status == 0);
}

TEST_CASE("scenario: what was filled in is told", "[scenario]") {
  const Scratch folder;
  std::string rows = "time,kw\n";
  for (int h = 0; h < 24; ++h) rows += fmt::format("2024-01-01 {:02d}:00,{}\n", h, h == 5 ? "" : "1");
  folder.write("gap.csv", rows);
  const std::string text =
      "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: 1 h}\ndata:\n  d:\n    file: "
      "gap.csv\n    stamps: {column: time}\n"
      "    columns: {p: {column: kw, unit: kW, gap: hold, longest_gap: 1 h}}\nassets:\n  load: {model: load, demand: d.p}\n  "
      "grid: {model: grid}\nbalance: [grid, load]\n";
  const Scenario s = loaded(folder, text);
  REQUIRE(s.notes.size() == 1);
  CHECK_THAT(s.notes[0], contains("1 gap filled"));
  CHECK_THAT(program({"validate", folder.path("small.yaml")}).err, contains("1 gap filled"));
}

TEST_CASE("scenario: what is allowed and hardly meant is told", "[scenario]") {
  const Scratch folder;
  // Ten days of light as a bell about the noon of UTC+1, in Berlin.
  const auto notes = [&](double scale, int hours_late, const std::string& more = "", const std::string& clock = "standard") {
    std::string rows = "time,ghi,air\n";
    for (int h = 0; h < 240; ++h) {
      const double light = std::max(0.0, 800 * std::cos((h % 24 + 0.5 - 12 - hours_late) * 3.14159 / 14));
      rows += fmt::format("2024-06-{:02d} {:02d}:00{},{:.4f},20\n", 1 + h / 24, h % 24, clock == "utc" ? "Z" : "",
                          std::abs(h % 24 + 0.5 - 12 - hours_late) < 7 ? light * scale : 0);
    }
    folder.write("sky.csv", rows);
    return loaded(folder,
                  "urja: 1\nzone: Europe/Berlin\nrun: {from: 2024-06-02 00:00, to: 2024-06-10 00:00, step: 1 h}\ndata:\n"
                  "  sky:\n    file: sky.csv\n    place: {latitude: 52.5 deg, longitude: 13.4 deg, elevation: 40 m}\n"
                  "    stamps: {column: time, clock: " +
                      clock + "}\n" + more +
                      "    columns:\n      global_horizontal_irradiance: {column: ghi, unit: W/m2}\n"
                      "      ambient_temperature: {column: air, unit: degC}\n"
                      "assets:\n  pv: {model: pv, weather: sky}\n  west: {model: pv, weather: sky}\n  grid: {model: grid}\n"
                      "balance: [grid]\n")
        .notes;
  };
  CHECK(notes(1, 0).empty());
  const auto weak = notes(1e-3, 0), late = notes(1, 6);
  REQUIRE(weak.size() == 1);
  CHECK_THAT(weak[0],
             contains("small.yaml:6:5: data.sky: the largest global_horizontal_irradiance is 0.795 W/m2: is its unit kW/m2?"));
  REQUIRE(late.size() == 1);
  CHECK_THAT(late[0],
             contains("of global_horizontal_irradiance falls while the sun is below the horizon at 52.5 deg north, 13.4"));
}

TEST_CASE("scenario: a clock that only says when a day of `repeat` begins is told where it is not the plant's", "[scenario]") {
  const Scratch folder;
  const auto notes = [&](const std::string& clock, const std::string& end) {
    std::string rows = "time,kw\n";
    for (int d = 0; d < 367; ++d)
      rows += fmt::format("{}T00:00Z,1\n", wall_text(wall_seconds({2022, 12, 31, 0, 0, 0}) + d * 86400).substr(0, 10));
    folder.write("load.csv", rows);
    return loaded(folder, "urja: 1\nzone: Europe/Berlin\nrun: {from: 2024-02-01 00:00, to: " + end +
                              ", step: 1 h}\ndata:\n  d:\n"
                              "    file: load.csv\n    repeat: same_date\n    stamps: {column: time" +
                              clock +
                              "}\n"
                              "    columns: {p: {column: kw, unit: kW}}\n"
                              "assets:\n  load: {model: load, demand: d.p}\n  grid: {model: grid}\nbalance: [grid, load]\n")
        .notes;
  };
  const auto told = notes(", clock: utc", "2024-05-01 00:00");
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0],
             contains("load.csv: data.d.stamps.clock: the stamps say which instants are meant; `clock: utc` makes `repeat`"));
  CHECK(notes(", clock: utc", "2024-03-01 00:00").empty());
  CHECK(notes("", "2024-05-01 00:00").empty());
}

TEST_CASE("scenario: holidays of other years are told", "[scenario]") {
  const Scratch folder;
  const auto notes = [&](const std::string& holidays) {
    return loaded(folder,
                  small_text() + "data: {t: {format: calendar, holidays: " + holidays +
                      ", columns: {p: {unit: INR/kWh, otherwise: 1}}}}\n",
                  {{"assets.grid.price=t.p"}, {}, {}, {}})
        .notes;
  };
  const auto told = notes("[2022-12-25, 2023-12-25]");
  REQUIRE(told.size() == 1);
  CHECK_THAT(
      told[0],
      contains("data.t.holidays: none of the holidays lies in 2024, the year of the run: they are from 2022-12-25 to 2023"));
  CHECK(notes("[2024-12-25]").empty());
}

TEST_CASE("scenario: what --set cannot mean", "[scenario][program]") {
  const Scratch folder;
  const std::string file = folder.write("small.yaml", small_text());
  const auto with = [&](const std::string& set) { return problems_of(file, {{set}, {}, {}, {}}); };
  CHECK(with("assets.lod.scale=2") == file + ": --set assets.lod: there is no asset 'lod'; did you mean 'load'?\n");
  CHECK(with("assets.shop={model: load, demand: 2 kW}").empty());
  CHECK_THAT(with("assets.shop.model=load"), contains("assets.shop: demand is not given"));
  CHECK_THAT(with("include=other.yaml"), contains("files are included before --set"));
  CHECK_THAT(with("xyzzy=1"), contains("it knows urja, title, zone, include, run"));
  folder.write("small.yaml", small_text() +
                                 "data: {d: {file: /dev/zero, stamps: {first: 2024-01-01 00:00, every: 1 h}, "
                                 "columns: {p: {column: kw, unit: kW}}}}\n");
  CHECK_THAT(with("assets.load.demand=d.p"), contains("/dev/zero: this is neither a file nor a pipe"));
  CHECK_THAT(with("data.d={file: /dev/zero, format: epw}"), contains("/dev/zero: the file cannot be read"));
  for (const char* command : {"run", "sweep"}) {
    const ProgramResult r = program({command, file, "--seed", "-3"});
    CHECK(r.status != 0);
    CHECK_THAT(r.err, contains("--seed"));
  }
}

TEST_CASE("scenario: a data set that nobody reads is checked, told, and has no say", "[scenario]") {
  const Scratch folder;
  folder.write("spare.csv", "time,price\n2024-01-01 00:00,1\n2024-01-01 12:00,2\n");
  const auto with = [&](const std::string& price) {
    return small_text() + "data:\n  spare:\n    file: spare.csv\n    stamps: {column: time}\n    columns: {p: {column: " + price +
           ", unit: USD/kWh}}\n";
  };
  const Scenario s = loaded(folder, with("price"));
  REQUIRE(s.notes.size() == 1);
  CHECK_THAT(s.notes[0], contains("small.yaml:10:5: data.spare: no asset reads this data set"));
  CHECK(s.currency == "INR");
  CHECK(s.data_hashes.empty());
  CHECK_THAT(problems_of(folder.write("small.yaml", with("prise"))), contains("there is no column 'prise'; did you mean price?"));
  folder.write("spare.csv", "time,price\n2024-01-01 00:00,1\nnoon,dear\n");
  const std::string wrong = problems_of(folder.write("small.yaml", with("price")));
  CHECK_THAT(wrong, contains("spare.csv:3:1: 'noon' in column time is no time in ISO 8601 such as 2016-08-01 00:00"));
  CHECK_THAT(wrong, contains("spare.csv:3:6: 'dear' in column price is no number; expected a finite number"));
}

TEST_CASE("scenario: an empty cell of an optional column is as if the column were not there", "[scenario]") {
  const Scratch folder;
  const auto energy = [&](const std::string& columns, const std::string& rows) {
    folder.write("s.csv", rows);
    const Scenario s = loaded(folder,
                              "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: 15 min}\n"
                              "assets:\n  grid: {model: grid}\n  ev: {model: ev_charger, sessions: {file: s.csv, columns: "
                              "{energy: {column: energy, unit: kWh}" +
                                  columns + "}}}\nbalance: [grid, ev]\n");
    nlohmann::json kpis;
    run_scenario(s, {}, kpis);
    return kpis["ev_kwh"].get<double>();
  };
  const double without = energy("", "arrival,departure,energy\n2024-01-01 08:00,2024-01-01 12:00,6\n");
  CHECK(without == Approx(6));
  CHECK(energy(", maximum_power: {column: power, unit: kW}",
               "arrival,departure,energy,power\n2024-01-01 08:00,2024-01-01 12:00,6,\n") == without);
}

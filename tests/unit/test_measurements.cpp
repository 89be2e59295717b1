// `measurements:` of a scenario: what is recorded beside the simulated channels, and that the simulation does not know of it.
#include <hdf5.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "scenarios/run.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"

namespace urja::tests {
namespace {

const char* const data =
    "time,kw,celsius,light,share\n"
    "2024-06-01 00:00,1,20,-3,10\n"
    "2024-06-01 01:00,2,30,100,20\n"
    "2024-06-01 02:00,,25,200,30\n"
    "2024-06-01 03:00,4,15,300,40\n";

std::string plant(const std::string& more) {
  return "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-06-01 00:00, to: 2024-06-01 04:00, step: 15 min, record: 30 min}\n"
         "data:\n  site:\n    file: site.csv\n    stamps: {column: time}\n    columns:\n"
         "      power: {column: kw, unit: kW}\n      hot: {column: celsius, unit: degC}\n      share: {unit: '%'}\n"
         "      light: {unit: W/m2, lowest: 0 W/m2}\n"
         "assets:\n  pv: {model: pv, rated: 5 kW, plane_of_array_irradiance: site.light, ambient_temperature: 20 degC}\n"
         "  homes: {fleet: 2, members: {load: {model: load, demand: 1 kW}}}\n"
         "  battery: {model: battery, set: lfp_home_13kwh, state_of_charge: 50 %}\n"
         "  grid: {model: grid}\nbalance: [grid, pv]\n" +
         more;
}

std::vector<double> rows_of(const std::string& file, const std::string& path, std::size_t count = 8) {
  const hid_t f = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, path.c_str(), H5P_DEFAULT);
  REQUIRE(set >= 0);
  std::vector<double> values(count, -1);
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Fclose(f);
  return values;
}

struct Run {
  Scratch folder;
  std::string file;
  nlohmann::json kpis;
  Scenario scenario;
  explicit Run(const std::string& more, const LoadOptions& options = {}) {
    folder.write("site.csv", data);
    scenario = load_scenario(folder.write("s.yaml", plant(more)), options);
    file = folder.path("r.h5");
    RunOptions run;
    run.out = file;
    const RunResult result = run_scenario(scenario, run, kpis);
    CHECK(result.finished);
    CHECK(result.trouble == "");
  }
  std::vector<double> operator()(const std::string& path, std::size_t count = 8) const { return rows_of(file, path, count); }
};

}  // namespace

TEST_CASE("measurements: recorded in the channel's unit, gaps kept, nothing simulated changes", "[measurements]") {
  const Run with("measurements: {pv.power: site.power, pv.cell_temperature: site.hot, battery.state_of_charge: site.share}\n"),
      without("");
  const std::vector<double> power = with("/reference/pv/power");
  const std::vector<double> expected{1000, 1000, 2000, 2000, NAN, NAN, 4000, 4000};
  for (std::size_t k = 0; k < 8; ++k) {
    INFO(k);
    CHECK((std::isnan(expected[k]) ? std::isnan(power[k]) : power[k] == expected[k]));
  }
  CHECK(with("/reference/pv/cell_temperature") == std::vector<double>{20, 20, 30, 30, 25, 25, 15, 15});
  CHECK(with("/reference/battery/state_of_charge")[7] == 0.4);
  for (const char* path :
       {"/channels/pv/power", "/channels/pv/cell_temperature", "/channels/grid/power", "/channels/battery/state_of_charge"})
    CHECK(with(path) == without(path));
  CHECK(with.kpis["state_hash"] != nullptr);
  bool told = false;
  for (const std::string& note : with.scenario.notes)
    told = told || note.find("1 gap left empty, 1 h in all") != std::string::npos;
  CHECK(told);
  // The light's night offset is cut, so that it fits the model's bounds.
  CHECK(with("/channels/pv/plane_of_array_irradiance")[0] == 0);

  const hid_t f = H5Fopen(with.file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "/reference/pv/power", H5P_DEFAULT);
  const auto text = [&](const char* name) {
    const hid_t a = H5Aopen(set, name, H5P_DEFAULT), type = H5Aget_type(a);
    char* value = nullptr;
    H5Aread(a, type, &value);
    const std::string out = value ? value : "";
    H5free_memory(value);
    H5Tclose(type);
    H5Aclose(a);
    return out;
  };
  CHECK(text("unit") == "W");
  CHECK(text("kind") == "reference");
  H5Dclose(set);
  H5Fclose(f);
}

TEST_CASE("measurements: an interval has a value where all of it was measured, in a fleet too, and --set works",
          "[measurements]") {
  LoadOptions options;
  options.set = {"run.record=2 h", "measurements.homes.load.power=site.power"};
  const Run run("measurements: {pv: {power: site.power}}\n", options);
  const std::vector<double> power = run("/reference/pv/power", 2);
  CHECK(power[0] == 1500);
  CHECK(std::isnan(power[1]));  // an hour of two is missing
  const std::vector<double> homes = run("/reference/homes.load/power", 4);
  CHECK(homes[0] == 1500);
  CHECK(homes[1] == 1500);
  CHECK(std::isnan(homes[2]));
  // A result of few channels keeps them.
  options.set = {"run.channels=[grid.power]"};
  CHECK(Run("measurements: {pv.power: site.power}\n", options)("/reference/pv/power")[0] == 1000);
}

TEST_CASE("measurements: a gap is filled where the column says so", "[measurements]") {
  LoadOptions options;
  options.set = {"data.site.columns.power.gap=linear", "data.site.columns.power.longest_gap=1 h"};
  CHECK(Run("measurements: {pv.power: site.power}\n", options)("/reference/pv/power")[4] == 3000);
}

TEST_CASE("stamps from and to take a part of a file", "[measurements]") {
  // What lies outside may be as wrong as it likes.
  const Scratch folder;
  folder.write("site.csv",
               "time,kw\n2024-05-31 23:00,9\n2024-05-31 22:00,9\n2024-06-01 00:00,1\n2024-06-01 01:00,2\n2024-06-01 00:30,9\n");
  const auto text = [](const std::string& part) {
    return "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-06-01 00:00, to: 2024-06-01 02:00, step: 1 h}\n"
           "data: {site: {file: site.csv, stamps: {column: time, every: 1 h" +
           part +
           "}, columns: {kw: {unit: kW, gap: error}}}}\n"
           "assets: {load: {model: load, demand: site.kw}, grid: {model: grid}}\nbalance: [grid]\n";
  };
  const auto problems = [&](const std::string& part) {
    try {
      load_scenario(folder.write("s.yaml", text(part)));
    } catch (const ScenarioError& e) { return e.problems.text(); }
    return std::string();
  };
  CHECK_THAT(problems(""), Catch::Matchers::Contains("lies before that of line 2"));
  CHECK_THAT(problems(", from: 2024-06-01 00:00, to: 2024-06-01 02:00"), Catch::Matchers::Contains("lies before that of line 5"));
  CHECK_THAT(problems(", from: 2025-06-01 00:00"), Catch::Matchers::Contains("no row has a stamp from 2025-06-01 00:00 on"));
  CHECK_THAT(problems(", from: soon"), Catch::Matchers::Contains("'soon' is not a time"));
  folder.write("site.csv",
               "time,kw\n2024-05-31 23:00,9\n2024-05-31 22:00,9\n2024-06-01 00:00,1\n2024-06-01 01:00,2\n2024-06-01 "
               "03:00,9\n2024-06-01 02:00,9\n");
  CHECK(problems(", from: 2024-06-01 00:00, to: 2024-06-01 02:00") == "");
  CHECK(problems(", from: 2024-05-31T18:30Z, to: 2024-05-31T20:30Z") == "");
}

TEST_CASE("data that are not shipped are missed in words", "[measurements]") {
  const Scratch folder;
  const std::string text =
      "urja: 1\nzone: UTC\nrun: {from: 2024-06-01 00:00, to: 2024-06-01 02:00, step: 1 h}\n"
      "data: {site: {file: away/site.csv, not_shipped: licence class C, stamps: {column: time}, columns: {kw: {unit: kW}}}}\n"
      "assets: {load: {model: load, demand: site.kw}, grid: {model: grid}}\nbalance: [grid]\n";
  const ProgramResult run = program({"validate", folder.write("s.yaml", text)});
  CHECK(run.status == 2);
  CHECK_THAT(run.err + run.out,
             Catch::Matchers::Contains(
                 "s.yaml:4:21: data.site.file: these data are not there, and Urja does not ship them: licence class C"));
  CHECK_THAT(run.err + run.out, Catch::Matchers::Contains(folder.path("away/site.csv")));
}

}  // namespace urja::tests

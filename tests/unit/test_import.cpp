// `urja import pymgrid25`: an invented microgrid in python-microgrid's format becomes a scenario that runs with the same amounts, and
// whatever is wrong is named with its place. None of the published files are here.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"
#include "tests/gzip.hpp"
#include "viz/result_file.hpp"

namespace urja::tests {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t hours = 240;

// Numbers of ours, by hour.
double load_at(std::size_t k) { return 20 + static_cast<double>(k * 7 % 13); }
double sun_at(std::size_t k) { return std::max(0.0, 60 * std::sin((static_cast<double>(k % 24) - 6) / 12 * 3.14159265358979)); }
double price_at(std::size_t k) { return k % 24 < 17 ? 0.125 : 0.5; }
double carbon_at(std::size_t k) { return 0.25 + 0.01 * static_cast<double>(k % 5); }
bool out_at(std::size_t k) { return (k >= 30 && k < 33) || k == 100; }

std::string series(const std::string& names, const std::function<std::string(std::size_t)>& row, std::size_t rows = hours) {
  std::string text = names + "\n";
  for (std::size_t k = 0; k < rows; ++k) text += fmt::format("{},{}\n", k, row(k));
  return text;
}
std::string load_series(std::size_t rows = hours) {
  return series(
      ",0", [](std::size_t k) { return fmt::format("{}", -load_at(k)); }, rows);
}
std::string grid_series(const char* gone = "0.0") {
  return series(",0,1,2,3",
                [&](std::size_t k) { return fmt::format("{},0.05,{},{}", price_at(k), carbon_at(k), out_at(k) ? gone : "1.0"); });
}

std::string module(const std::string& name, const std::string& tag, const std::string& values) {
  return fmt::format("- - {0}\n  - !{1}\n    cls_params:\n{2}    name:\n    - {0}\n    - 0\n    state: {{}}\n", name, tag,
                     values);
}
std::string series_key(const std::string& tag) {
  return fmt::format("      time_series: !NDArray 'data/cls_params/{}/time_series.csv.gz'\n", tag);
}
const std::string battery_text = module("battery", "BatteryModule",
                                        "      battery_cost_cycle: 0.02\n      battery_transition_model: !BatteryTransitionModel "
                                        "{}\n      efficiency: 0.9\n      init_charge: "
                                        "null\n      init_soc: 0.5\n      max_capacity: 200\n      max_charge: 50\n      "
                                        "max_discharge: 50\n      min_capacity: 40.0\n");
const std::string genset_text = module(
    "genset", "Genset",
    "      co2_per_unit: 2\n      cost_per_unit_co2: 0.1\n      genset_cost: 0.4\n      running_max_production: 40.0\n      "
    "running_min_production: 4.0\n      start_up_time: 0\n      wind_down_time: 0\n");
const std::string grid_text =
    module("grid", "GridModule",
           "      cost_per_unit_co2: 0.1\n      max_export: 70\n      max_import: 80\n" + series_key("GridModule"));
const std::string others_text =
    module("load", "LoadModule", series_key("LoadModule")) + module("pv", "RenewableModule", series_key("RenewableModule")) +
    module("unbalanced_energy", "UnbalancedEnergyModule", "      loss_load_cost: 10\n      overgeneration_cost: 1\n");

// Writes microgrid_<n> into a folder, with all its series.
void write_microgrid(const Scratch& folder, int n, const std::string& modules) {
  const std::string name = fmt::format("microgrid_{}", n), data = name + "/data/cls_params/";
  for (const char* kind : {"LoadModule", "RenewableModule", "GridModule"}) fs::create_directories(folder.path(data + kind));
  folder.write(name + "/" + name + ".yaml", "!Microgrid\nfinal_step: 239\ninitial_step: 0\nmodules:\n" + modules);
  folder.write(data + "LoadModule/time_series.csv.gz", packed(load_series()));
  // Not packed, which is as good.
  folder.write(data + "RenewableModule/time_series.csv",
               series(",0", [](std::size_t k) { return fmt::format("{}", sun_at(k)); }));
  folder.write(data + "GridModule/time_series.csv.gz", packed(grid_series()));
}

std::vector<double> channel(const viz::ResultFile& file, const std::string& asset, const std::string& name) {
  for (const viz::Channel& c : file.channels()) {
    if (c.asset != asset || c.name != name) continue;
    std::vector<double> values(file.time().size());
    file.read(c, 0, values.size(), values.data());
    return values;
  }
  FAIL("no channel " << asset << "." << name);
  return {};
}

// Everything that lies in a folder, with its text.
std::map<std::string, std::string> all_files(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().string()] = contents(entry.path().string());
  }
  return files;
}

}  // namespace

TEST_CASE("import: a microgrid runs with the amounts that were put in", "[program][import]") {
  const Scratch folder;
  write_microgrid(folder, 3, others_text + genset_text + battery_text + grid_text);
  write_microgrid(folder, 12, others_text + genset_text + battery_text);
  const ProgramResult made = program({"import", "pymgrid25", ".", "--out", "made"}, folder.path());
  INFO(made.out << made.err);
  REQUIRE(made.status == 0);
  CHECK_THAT(made.out,
             contains("microgrid_3.yaml: load, PV, battery, genset, weak grid (2 outages, 4 h); load of 6,231 kWh in 240 h\n"));
  CHECK_THAT(made.out, contains("Next: urja run made/microgrid_3.yaml"));
  REQUIRE(all_files(folder.path("made")).size() == 4);

  const ProgramResult run =
      program({"run", "made/microgrid_3.yaml", "--to", "2023-01-08 00:00", "--out", "r.h5", "--json"}, folder.path());
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(run.err.find("note:") == std::string::npos);
  const auto kpis = nlohmann::json::parse(run.out);
  const viz::ResultFile file(folder.path("r.h5"));
  REQUIRE(file.time().size() == 168);
  CHECK(file.time()[0] == 1672531200);  // 2023-01-01 00:00 UTC
  double load = 0, sun = 0, bill = 0;
  const auto wanted = channel(file, "load", "wanted"), bought = channel(file, "grid", "import_power"),
             connected = channel(file, "grid", "connected"), grid = channel(file, "grid", "power"),
             genset = channel(file, "genset", "power"), price = channel(file, "grid", "price"),
             charge = channel(file, "battery", "state_of_charge"), battery = channel(file, "battery", "power");
  double lowest = 1;
  for (std::size_t k = 0; k < 168; ++k) {
    INFO("hour " << k);
    load += load_at(k), sun += sun_at(k);
    CHECK(wanted[k] == Approx(1000 * load_at(k)));
    CHECK(price[k] == Approx(price_at(k) + 0.1 * carbon_at(k)));
    bill += price[k] * bought[k] / 1000 - 0.05 * std::max(0.0, -grid[k]) / 1000;
    CHECK(connected[k] == (out_at(k) ? 0 : 1));
    if (out_at(k)) CHECK(grid[k] == 0);
    CHECK(genset[k] >= (out_at(k) ? 3999.9 : 0));
    if (!out_at(k)) CHECK(genset[k] == 0);
    CHECK(std::abs(battery[k]) <= 50e3 * (1 + 1e-9));
    CHECK(bought[k] <= 80e3 * (1 + 1e-9));
    lowest = std::min(lowest, charge[k]);
  }
  CHECK(lowest == Approx(0.2).margin(1e-6));
  CHECK(kpis["load_kwh"].get<double>() == Approx(load));
  CHECK(kpis["pv_available_kwh"].get<double>() == Approx(sun));
  CHECK(kpis["unserved_kwh"].get<double>() == Approx(0).margin(1e-6));
  CHECK(kpis["cost_fuel"].get<double>() == Approx(0.6 * kpis["genset_kwh"].get<double>()));
  CHECK(kpis["cost_total"].get<double>() == Approx(bill + kpis["cost_fuel"].get<double>()));
  double carbon = 2 * kpis["genset_kwh"].get<double>();
  for (std::size_t k = 0; k < 168; ++k) carbon += carbon_at(k) * bought[k] / 1000;
  CHECK(kpis["co2_kg"].get<double>() == Approx(carbon).epsilon(1e-6));

  // Without a grid: the genset at 4 to 40 kW in each hour, and nobody in the dark.
  const ProgramResult alone = program({"run", "made/microgrid_12.yaml", "--out", "a.h5", "--json"}, folder.path());
  INFO(alone.err);
  REQUIRE(alone.status == 0);
  const auto off_grid = nlohmann::json::parse(alone.out);
  CHECK(off_grid["genset_run_h"].get<double>() == Approx(240));
  CHECK(off_grid["unserved_kwh"].get<double>() == Approx(0).margin(1e-6));
  const viz::ResultFile islanded(folder.path("a.h5"));
  for (const double p : channel(islanded, "genset", "power")) CHECK((p >= 4e3 * (1 - 1e-6) && p <= 40e3 * (1 + 1e-9)));
}

TEST_CASE("import: the battery holds what it should and has the efficiency that the file tells", "[program][import]") {
  const Scratch folder;
  write_microgrid(folder, 0, others_text + battery_text + grid_text);
  REQUIRE(program({"import", "pymgrid25", folder.path("microgrid_0"), "--out", "made"}, folder.path()).status == 0);
  const std::string text = contents(folder.path("made/microgrid_0.yaml"));
  INFO(text);
  // In the header: "about 0.917 at half the rating and 0.892 at the rating".
  const std::size_t at = text.find("here about");
  REQUIRE(at != std::string::npos);
  double half = 0, full = 0;
  REQUIRE(std::sscanf(text.c_str() + at, "here about\n# %lf at half the rating and %lf", &half, &full) == 2);
  CHECK(half == Approx(0.9).margin(0.02));
  CHECK(full == Approx(0.9).margin(0.02));
  std::string battery;
  for (const char* key : {"packs", "rating", "standby", "quadratic", "own_use", "leakage"}) {
    const std::size_t from = text.find(std::string("    ") + key + ": "), to = text.find('\n', from);
    REQUIRE(from != std::string::npos);
    battery += text.substr(from + 4, to - from - 3);
  }
  // Wh in store after an hour at this power.
  const auto stored = [&](double charge, double power) {
    folder.write("b.yaml", fmt::format("set: nmc_100kwh\nstate_of_charge: {}\nstate_of_charge_max: 1\nstate_of_charge_min: 0\n{}",
                                       charge, battery));
    folder.write("in.csv", fmt::format("time_s,power\n0,{0}\n3600,{0}\n", power));
    const ProgramResult r =
        program({"probe", "battery", "--params", "b.yaml", "--inputs", "in.csv", "--out", "o.csv", "--force"}, folder.path());
    INFO(r.err);
    REQUIRE(r.status == 0);
    std::istringstream csv(contents(folder.path("o.csv")));
    std::string names, first;
    std::getline(csv, names), std::getline(csv, first);
    std::istringstream name(names), cell(first);
    for (std::string n, c; std::getline(name, n, ',') && std::getline(cell, c, ',');) {
      if (n.starts_with("stored_energy")) return std::stod(c);
    }
    FAIL("no stored_energy in " << names);
    return 0.0;
  };
  for (const auto& [power, said] : {std::pair{25e3, half}, {50e3, full}}) {
    const double rest = stored(0.5, 0), out = rest - stored(0.5, power), in = stored(0.5, -power) - rest;
    INFO("taken from store " << out << " Wh, put into it " << in << " Wh");
    CHECK(std::sqrt(in / out) == Approx(said).margin(0.004));
  }
  CHECK(stored(1, 0) - stored(0, 0) == Approx(200e3).epsilon(1e-6));
}

TEST_CASE("import: what is wrong is named with its place, and nothing is written", "[program][import]") {
  const Scratch folder;
  const std::string all = others_text + genset_text + battery_text + grid_text;
  const std::string yaml = "microgrid_1/microgrid_1.yaml", loads = "microgrid_1/data/cls_params/LoadModule/time_series.csv.gz";
  const auto trouble = [&](const std::string& from) {
    const ProgramResult r = program({"import", "pymgrid25", from, "--out", "made"}, folder.path());
    CHECK(r.status == 2);
    CHECK(r.out.empty());
    CHECK_FALSE(fs::exists(folder.path("made")));
    return r.err;
  };
  const auto changed = [&](const std::string& what, const std::string& to) {
    std::string text = all;
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    write_microgrid(folder, 1, text.replace(at, what.size(), to));
    return trouble(".");
  };
  CHECK_THAT(trouble("none"), contains("none: there is no such folder; get python-microgrid (pip download"));
  CHECK_THAT(trouble("."), contains(".: there is no folder microgrid_0"));
  write_microgrid(folder, 1, all);
  CHECK_THAT(program({"import", "pymgrid26", "."}, folder.path()).err, contains("pymgrid26"));

  CHECK_THAT(changed("!Genset", "!Turbine"), contains("a module '!Turbine' is not known here; known: !BatteryModule"));
  CHECK_THAT(changed("!BatteryTransitionModel {}", "!DecayTransitionModel {}"),
             contains("battery_transition_model: a transition model '!DecayTransitionModel' is not known here"));
  CHECK_THAT(changed("max_import: 80", "max_import: many"), contains("max_import: expected a number; from 0 to 1e+09"));
  CHECK_THAT(changed("      max_import: 80\n", ""), contains("cls_params: the key 'max_import' is missing"));
  CHECK_THAT(changed("efficiency: 0.9", "efficiency: 0.2"),
             contains("efficiency: 0.2 has no counterpart in Urja; from 0.8 to 1"));
  CHECK_THAT(changed("wind_down_time: 0", "wind_down_time: 2"), contains("wind_down_time: 2 has no counterpart in Urja"));
  CHECK_THAT(changed("!NDArray 'data/cls_params/LoadModule/time_series.csv.gz'", "null"), contains("the time series is missing"));
  CHECK_THAT(changed("!Genset", "!GridModule"), contains("this is the second !GridModule"));
  CHECK_THAT(changed(genset_text + battery_text + grid_text, ""),
             contains("there is no !BatteryModule") && contains("there is neither a !GridModule nor a !Genset"));
  CHECK_THAT(changed("- - load\n", "- - load\n - x\n"), contains("microgrid_1.yaml:") && contains("this is not YAML"));

  write_microgrid(folder, 1, all);
  folder.write(yaml, "!Mircogrid {}\n");
  CHECK_THAT(trouble("."), contains("microgrid_1.yaml:1:1: this is no microgrid of python-microgrid"));
  fs::remove(folder.path(yaml));
  CHECK_THAT(trouble("."), contains("microgrid_1.yaml: cannot be opened"));

  write_microgrid(folder, 1, all);
  fs::remove(folder.path(loads));
  CHECK_THAT(trouble("."), contains("LoadModule/time_series.csv.gz: there is no such file"));
  const std::string good = packed(load_series());
  folder.write(loads, good.substr(0, good.size() / 2));
  CHECK_THAT(trouble("."), contains("time_series.csv.gz: the packed file is cut off"));
  folder.write(loads, packed(load_series(239)));
  CHECK_THAT(trouble("."), contains("has 240 rows; the series before it has 239"));
  folder.write(loads, packed(",0\n0,\n" + load_series().substr(3)));
  CHECK_THAT(trouble("."), contains("LoadModule/time_series.csv.gz:2:") && contains("a value is missing"));
  folder.write(loads, packed("hour,load\n0,-1\n"));
  CHECK_THAT(trouble("."), contains("LoadModule/time_series.csv.gz:1:1:"));
  write_microgrid(folder, 1, all);
  folder.write("microgrid_1/data/cls_params/GridModule/time_series.csv.gz", packed(grid_series("0.5")));
  CHECK_THAT(trouble("."), contains("a grid status of 0.5 in row 31; 1: the grid is there, 0: it is gone"));

  write_microgrid(folder, 1, all);
  fs::create_directories(folder.path("copy"));
  fs::copy(folder.path("microgrid_1"), folder.path("copy/microgrid_1"), fs::copy_options::recursive);
  CHECK_THAT(trouble("."), contains("this microgrid is there twice, also as"));
}

TEST_CASE("import: files that are there are kept unless --force says otherwise", "[program][import]") {
  const Scratch folder;
  write_microgrid(folder, 0, others_text + battery_text + grid_text);
  write_microgrid(folder, 1, others_text + battery_text + grid_text);
  const std::vector<std::string> command{"import", "pymgrid25", folder.path(), "--out", folder.path("made")};
  fs::create_directories(folder.path("made"));
  folder.write("made/microgrid_1.yaml", "mine");
  const ProgramResult kept = program(command);
  CHECK(kept.status == 2);
  CHECK_THAT(kept.err, contains("microgrid_1.yaml is there already; --force replaces it"));
  CHECK(all_files(folder.path("made")).size() == 1);
  auto forced = command;
  forced.emplace_back("--force");
  REQUIRE(program(forced).status == 0);
  const auto files = all_files(folder.path("made"));
  CHECK(files.size() == 4);  // nothing unfinished beside them
  CHECK(contents(folder.path("made/microgrid_1.yaml")) != "mine");
  REQUIRE(program(forced).status == 0);
  CHECK(all_files(folder.path("made")) == files);
  // Where nothing can be written, nothing is.
  folder.write("file", "");
  CHECK(program({"import", "pymgrid25", folder.path(), "--out", folder.path("file/made")}).status == 1);
}

}  // namespace urja::tests

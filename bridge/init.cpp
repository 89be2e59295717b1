// urja init: a scenario to start from, and the data that it reads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "bridge/commands.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;

// @data@ stands for the name of the CSV.
constexpr const char* scenario_text =
    R"(# A plant to start from. Change what you like; `urja validate` names each mistake with its place, `urja run` runs it.
# What it shows: a house with PV and a battery on a tariff with a dear evening.
# Look at: the state of charge over a day, cost_total and self_consumption in the KPI table, the report.
# Change: the battery's set (urja describe battery), the PV's rating, the prices, the controller (urja describe lists them).
# Inputs: @data@ is synthetic; put your own measurements in its place.
urja: 1
title: My plant
zone: Europe/Berlin               # IANA time zone of the plant; all times here are its local time
run: {from: 2025-06-02 00:00, to: 2025-06-09 00:00, step: 1 min, record: 15 min, seed: 1}

data:
  site:
    file: @data@                  # beside this file
    # Each row has its own stamp, on the plant's clock, and holds from there on (mark: end: until there). Other clocks: standard, utc, or
    # a zone's name; stamps with an offset (Z, +01:00) carry their own clock, and need none. Rows of another year than the run's: `repeat: same_date` beside `stamps:`.
    stamps: {column: time, mark: start, clock: wall}
    place: {latitude: 52.5 deg, longitude: 13.4 deg, elevation: 40 m}         # where the light was measured
    columns:                      # our name: {column: the file's name, unit: its unit}
      demand: {column: load_kw, unit: kW, origin: synthetic}
      global_horizontal_irradiance: {column: ghi_w_m2, unit: W/m2, origin: synthetic}
      ambient_temperature: {column: air_c, unit: degC, origin: synthetic}
  tariff:                         # typed in; the first period that fits holds
    format: calendar
    holidays: [2025-06-09]
    columns:
      price:
        unit: EUR/kWh
        otherwise: 0.29
        periods:
          - {days: mon-fri, hours: "17:00-21:00", value: 0.42}
          - {hours: "00:00-06:00", value: 0.18}

assets:
  pv: {model: pv, rated: 8 kW, weather: site, surface_tilt: 35 deg, surface_azimuth: 180 deg}
  battery: {model: battery, set: lfp_home_13kwh, state_of_charge: 50 %}
  house: {model: load, priority: semi_critical, demand: site.demand}
  grid: {model: grid, import_limit: 15 kW, export_limit: 8 kW, price: tariff.price, export_price: 0.08 EUR/kWh, carbon: 0.35 kg/kWh}

# Who takes what is left over within a step, in this order.
balance: [battery, grid, pv, house]

# Without a controller the order above is all there is. This one buys while energy is cheap.
controller: {model: time_of_use, charge_below: 0.20 EUR/kWh, reserve: 60 %, reserve_until: "17:00"}
)";

constexpr const char* sweep_text =
    R"(# Variants of @scenario@: urja sweep @scenario@ --sweep @sweep@
# Keys are those of --set. `list:` names single variants, `draw:` draws them at random (urja describe sweep).
sweep: 1
title: How large a battery, and how much PV?
grid:                                      # each value with each of the others
  assets.battery.packs: [0.5, 1, 2, 3]     # of 13 kWh each
  assets.pv.rated: [4 kW, 8 kW, 12 kW]
)";

// A week of quarters of an hour, drawn by hand: no measurement.
std::string data_text() {
  std::string text = "time,load_kw,ghi_w_m2,air_c\n";
  for (int quarter = 0; quarter < 7 * 96; ++quarter) {
    const int day = quarter / 96;
    const double hour = (quarter % 96) / 4.0;
    const auto bump = [&](double at, double width) { return std::exp(-0.5 * (hour - at) * (hour - at) / (width * width)); };
    const double load = 0.3 + 1.1 * bump(7.5, 1.0) + 0.5 * bump(13, 2.0) + 2.2 * bump(19.5, 1.8);
    const double height = std::max(0.0, std::sin((hour - 5) / 16.3 * 3.14159265358979));
    constexpr double sky[] = {1, 0.9, 0.35, 0.7, 1, 0.5, 0.85};
    text += fmt::format("2025-06-{:02} {:02}:{:02},{:.3f},{:.0f},{:.1f}\n", 2 + day, static_cast<int>(hour), quarter % 4 * 15,
                        load, 860 * sky[day] * std::pow(height, 1.3), 12 + 9 * bump(15.5, 4.5) + 2 * sky[day]);
  }
  return text;
}

std::string with(std::string text, const std::string& mark, const std::string& name) {
  for (std::size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, mark.size(), name);
  return text;
}

int init(const std::string& file, bool force) {
  const fs::path scenario = file;
  const std::string stem = fs::path(file).replace_extension().string();
  const fs::path data = stem + "_data.csv", sweep = stem + "_sweep.yaml";
  const std::pair<fs::path, std::string> files[] = {
      {scenario, with(scenario_text, "@data@", data.filename().string())},
      {data, data_text()},
      {sweep, with(with(sweep_text, "@scenario@", scenario.filename().string()), "@sweep@", sweep.filename().string())}};
  for (const auto& [path, content] : files) {
    if (in_the_way(path.string(), force)) return misused;
  }
  for (const auto& [path, content] : files) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    out.flush();
    if (!out) {
      std::fprintf(stderr, "urja: %s could not be written\n", path.c_str());
      return failed;
    }
    fmt::print("{}\n", path.string());
  }
  fmt::print("Next: urja run {0}\n      urja sweep {0} --sweep {1}\n", scenario.string(), sweep.string());
  return done;
}

}  // namespace

void add_init(CLI::App& app, Command& chosen) {
  auto file = std::make_shared<std::string>("my_plant.yaml");
  auto force = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("init", "write a commented scenario, and data for it, to start from");
  command->footer("Example: urja init my_plant.yaml");
  command->add_option("file", *file, "YAML file to write; default my_plant.yaml");
  command->add_flag("--force", *force, "replace files that are there");
  command->callback([file, force, &chosen] { chosen = [file, force] { return init(*file, *force); }; });
}

}  // namespace urja

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
    # Each row has its own stamp, on the plant's clock, and holds from there on. Other clocks: standard, utc, or a zone's name.
    stamps: {column: time, mark: start, clock: wall}
    columns:
      demand: {column: load_kw, unit: kW, resample: hold, origin: synthetic}
      generation: {column: pv_w_per_kw, unit: W/kW, resample: hold, origin: synthetic}
      price: {column: price_eur_per_kwh, unit: EUR/kWh, resample: hold, origin: synthetic}

assets:
  pv: {model: pv_profile, rated: 8 kW, generation: site.generation}
  battery: {model: battery, set: lfp_home_13kwh, state_of_charge: 50 %}
  house: {model: load, priority: semi_critical, demand: site.demand}
  grid: {model: grid, import_limit: 15 kW, export_limit: 8 kW, price: site.price, export_price: 0.08 EUR/kWh, carbon: 0.35 kg/kWh}

# Who takes what is left over within a step, in this order.
balance: [battery, grid, pv, house]

# Without a controller the order above is all there is. This one buys while energy is cheap.
controller: {model: time_of_use, charge_below: 0.20 EUR/kWh, reserve: 60 %, reserve_until: "17:00"}
)";

// A week of quarters of an hour, drawn by hand: no measurement.
std::string data_text() {
  std::string text = "time,load_kw,pv_w_per_kw,price_eur_per_kwh\n";
  for (int quarter = 0; quarter < 7 * 96; ++quarter) {
    const int day = quarter / 96;
    const double hour = (quarter % 96) / 4.0;
    const auto bump = [&](double at, double width) { return std::exp(-0.5 * (hour - at) * (hour - at) / (width * width)); };
    const double load = 0.3 + 1.1 * bump(7.5, 1.0) + 0.5 * bump(13, 2.0) + 2.2 * bump(19.5, 1.8);
    const double clear = std::max(0.0, std::sin((hour - 5) / 16 * 3.14159265358979));
    constexpr double sky[] = {1, 0.9, 0.35, 0.7, 1, 0.5, 0.85};
    const double price = hour >= 17 && hour < 21 ? 0.42 : hour < 6 ? 0.18 : 0.29;
    text += fmt::format("2025-06-{:02} {:02}:{:02},{:.3f},{:.1f},{:.2f}\n", 2 + day, static_cast<int>(hour), quarter % 4 * 15,
                        load, 800 * sky[day] * clear, price);
  }
  return text;
}

int init(const std::string& file, bool force) {
  const fs::path scenario = file, data = fs::path(file).replace_extension().string() + "_data.csv";
  std::string text = scenario_text;
  for (std::size_t at; (at = text.find("@data@")) != std::string::npos;) text.replace(at, 6, data.filename().string());
  for (const fs::path& one : {scenario, data}) {
    if (in_the_way(one, force)) return misused;
  }
  for (const auto& [path, content] : {std::pair{scenario, text}, {data, data_text()}}) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << content;
    out.flush();
    if (out) continue;
    std::fprintf(stderr, "urja: %s could not be written\n", path.c_str());
    return failed;
  }
  fmt::print("{}\n{}\nNext: urja run {}\n", scenario.string(), data.string(), scenario.string());
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

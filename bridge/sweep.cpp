// urja sweep: many variants of a scenario, a table of their key figures and a report that compares them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "bridge/commands.hpp"
#include "bridge/terminal.hpp"
#include "engine/recorder.hpp"
#include "scenarios/checkpoint.hpp"
#include "scenarios/labelled_set.hpp"
#include "scenarios/sweep.hpp"
#include "viz/kpis.hpp"
#include "viz/sweep_report.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

struct SweepArguments {
  std::string scenario, sweep, out;
  LoadOptions load;
  int threads = 0;
  bool as_json = false, force = false, quiet = false, resume = false;
};

// A unit as the end of a column's name: "USD/kWh" -> "_usd_per_kwh", "%" -> "_percent".
std::string suffix(const std::string& unit) {
  std::string text;
  for (const char c : unit) {
    if (c == '/') text += "_per_";
    else if (c == '%') text += "percent";
    else if (std::isalnum(static_cast<unsigned char>(c))) text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text.empty() ? "" : "_" + text;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

// Names of all figures that any variant has, in the order of the first that has them, those that people ask for first.
std::vector<std::string> kpi_names(const SweepResult& result) {
  std::vector<std::string> names;
  std::set<std::string> known;
  const auto add = [&](const std::string& name) {
    if (known.insert(name).second) names.push_back(name);
  };
  std::set<std::string> there;
  for (const VariantResult& v : result.variants) {
    for (const auto& [key, value] : v.kpis) there.insert(key);
  }
  for (const auto& group : viz::kpi_groups()) {
    for (const std::string& key : group) {
      for (const std::string& name : there) {
        if (name == key || name.starts_with(key + ".")) add(name);
      }
    }
  }
  for (const std::string& name : there) add(name);
  return names;
}

void write_whole(const fs::path& path, const std::string& text) {
  const fs::path fresh = path.string() + ".part";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) throw RecordError(fmt::format("{} could not be written (is the disk full?)", fresh.string()));
  }
  fs::rename(fresh, path);
}

// One line a variant; pandas reads it as it is.
std::string table(const Sweep& sweep, const SweepResult& result, const std::vector<std::string>& kpis) {
  std::string csv = "variant,name";
  for (const Sweep::Key& k : sweep.keys) csv += "," + csv_cell(k.key + (k.number ? suffix(k.unit) : ""));
  csv += ",seed_after,status,message";
  for (const std::string& name : kpis) csv += "," + name;
  csv += ",state_hash\n";
  for (std::size_t i = 0; i < sweep.variants.size(); ++i) {
    const Sweep::Variant& v = sweep.variants[i];
    const VariantResult& r = result.variants[i];
    csv += fmt::format("{},{}", i + 1, csv_cell(v.name));
    for (std::size_t k = 0; k < sweep.keys.size(); ++k) {
      const Sweep::Value& value = v.values[k];
      csv += "," + (value.text.empty() ? "" : sweep.keys[k].number ? fmt::format("{}", value.number) : csv_cell(value.shown));
    }
    csv += fmt::format(",{},{},{}", v.seed_after, status_text(r.status), csv_cell(r.message));
    for (const std::string& name : kpis) {
      const auto found = std::find_if(r.kpis.begin(), r.kpis.end(), [&](const auto& pair) { return pair.first == name; });
      csv += found == r.kpis.end() ? "," : fmt::format(",{}", found->second);
    }
    csv += "," + r.state_hash + "\n";
  }
  return csv;
}

std::string for_report(const Sweep& sweep, const SweepResult& result, const std::vector<std::string>& kpis,
                       const std::string& scenario) {
  ordered_json j{{"urja_sweep", 1},
                 {"title", sweep.title.empty() ? "Sweep of " + scenario : sweep.title},
                 {"scenario", result.scenario},
                 {"scenario_text", result.scenario_text},
                 {"sweep_text", sweep.text},
                 {"currency", result.currency},
                 {"version", version_text()},
                 {"machine", machine_text()},
                 {"wall_s", result.wall_s},
                 {"variants_per_s", static_cast<double>(sweep.variants.size()) / std::max(result.wall_s, 1e-9)},
                 {"keys", ordered_json::array()},
                 {"kpis", ordered_json::array()},
                 {"variants", ordered_json::array()}};
  for (const Sweep::Key& k : sweep.keys)
    j["keys"].push_back({{"key", k.key}, {"kind", k.number ? "number" : "text"}, {"unit", k.unit}});
  for (const std::string& name : kpis) {
    // What tells of the run and not of the plant is in the table.
    if (name.ends_with("_residual") || name.starts_with("ledger_") || name == "seed" || name == "steps") continue;
    const viz::KpiName shown = viz::kpi_name(name, result.currency);
    j["kpis"].push_back({{"name", name}, {"unit", shown.unit}, {"label", shown.name}});
  }
  for (std::size_t i = 0; i < sweep.variants.size(); ++i) {
    const VariantResult& r = result.variants[i];
    ordered_json values = ordered_json::array(), figures = ordered_json::object();
    for (std::size_t k = 0; k < sweep.keys.size(); ++k) {
      const Sweep::Value& value = sweep.variants[i].values[k];
      if (value.text.empty()) values.push_back(nullptr);
      else if (sweep.keys[k].number) values.push_back(value.number);
      else values.push_back(value.shown);
    }
    for (const auto& [name, value] : r.kpis) figures[name] = value;
    j["variants"].push_back({{"index", i + 1},
                             {"name", sweep.variants[i].name},
                             {"values", values},
                             {"status", status_text(r.status)},
                             {"message", r.message},
                             {"kpis", figures}});
  }
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

void print_summary(const Sweep& sweep, const SweepResult& result, const std::vector<std::string>& kpis) {
  std::vector<std::size_t> good, bad;
  for (std::size_t i = 0; i < result.variants.size(); ++i)
    (result.variants[i].status == VariantResult::Status::complete ? good : bad).push_back(i);
  const auto waiting =
      std::erase_if(bad, [&](std::size_t i) { return result.variants[i].status == VariantResult::Status::not_run; });
  fmt::print("{} variants: {} done", result.variants.size(), good.size());
  if (!bad.empty()) fmt::print(", {} failed", bad.size());
  if (waiting > 0) fmt::print(", {} not run", waiting);
  fmt::print("; {:.2f} s, {:.2f} M steps/s\n", result.wall_s, result.steps / std::max(result.wall_s, 1e-9) * 1e-6);
  if (result.groups > 1)
    fmt::print("{} plans were made: variants that differ in numbers only share one and run together, others need one each\n",
               result.groups);
  for (std::size_t k = 0; k < std::min<std::size_t>(bad.size(), 5); ++k)
    fmt::print("  variant {}: {}: {}\n", bad[k] + 1, status_text(result.variants[bad[k]].status),
               result.variants[bad[k]].message);
  if (good.empty() || kpis.empty()) return;
  const std::string by = std::find(kpis.begin(), kpis.end(), "cost_total") != kpis.end() ? "cost_total" : kpis.front();
  const auto figure = [&](std::size_t i) {
    for (const auto& [name, value] : result.variants[i].kpis) {
      if (name == by) return value;
    }
    return HUGE_VAL;
  };
  std::stable_sort(good.begin(), good.end(), [&](std::size_t a, std::size_t b) { return figure(a) < figure(b); });
  fmt::print("\nlowest {}:\n", by);
  for (std::size_t k = 0; k < std::min<std::size_t>(good.size(), 5); ++k) {
    const Sweep::Variant& v = sweep.variants[good[k]];
    std::string what = v.name;
    for (std::size_t n = 0; v.name.empty() && n < sweep.keys.size(); ++n) {  // a name says enough
      if (!v.values[n].text.empty()) what += (what.empty() ? "" : ", ") + sweep.keys[n].key + " = " + v.values[n].shown;
    }
    if (v.seed_after > 0) what += fmt::format(", seed + {}", v.seed_after);
    fmt::print("  {:>14.3f}  variant {}: {}\n", figure(good[k]), good[k] + 1, what);
  }
}

int run(SweepArguments a) {
  Sweep sweep;
  try {
    sweep = load_sweep(a.sweep);
  } catch (const ScenarioError& e) { return print_problems(e.problems); }
  if (a.resume && a.out.empty()) {
    std::fprintf(stderr, "urja: --resume needs the folder of the sweep that was stopped, as --out\n");
    return misused;
  }
  const fs::path folder = a.out.empty() ? next_folder(fs::path(a.scenario).stem().string() + "_sweep") : fs::path(a.out);
  if (!a.resume && fs::exists(folder / "variants.csv") && in_the_way((folder / "variants.csv").string(), a.force)) return misused;
  std::error_code error;
  fs::create_directories(sweep.with_results ? folder / "variants" : folder, error);
  if (error) {
    std::fprintf(stderr, "urja: cannot make the folder %s: %s\n", folder.c_str(), error.message().c_str());
    return failed;
  }

  watch_interrupts();
  SweepResult result;
  try {
    ProgressBar bar(on_terminal() && !a.quiet && !a.as_json);
    SweepOptions options;
    options.load = a.load;
    options.threads = a.threads > 0 ? a.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    options.folder = folder.string();
    options.journal = (folder / "journal.jsonl").string();
    options.resume = a.resume;
    options.version = version_text();
    options.machine = machine_text();
    options.progress = [&](double steps, double all, std::int64_t variants) {
      if (bar.shown()) bar.show(steps, all, fmt::format("{} of {} variants", variants, sweep.variants.size()));
      return !interrupted();
    };
    result = run_sweep(a.scenario, sweep, options);
  } catch (const ScenarioError& e) { return print_problems(e.problems); } catch (const CheckpointError& e) {
    std::fprintf(stderr, "urja: cannot go on: %s\n", e.what());
    return misused;
  }

  const std::vector<std::string> kpis = kpi_names(result);
  write_whole(folder / "variants.csv", table(sweep, result, kpis));
  write_whole(folder / "sweep.json", for_report(sweep, result, kpis, a.scenario));
  if (sweep.with_results) {
    try {
      write_labelled_set(folder.string(), sweep, result);
    } catch (const std::exception& e) { std::fprintf(stderr, "urja: dataset.h5 could not be written: %s\n", e.what()); }
  }
  try {
    viz::write_sweep_report((folder / "sweep.json").string(), (folder / "report.html").string());
  } catch (const std::exception& e) { std::fprintf(stderr, "urja: the report could not be written: %s\n", e.what()); }
  const auto well = std::count_if(result.variants.begin(), result.variants.end(),
                                  [](const VariantResult& v) { return v.status == VariantResult::Status::complete; });
  const auto total = static_cast<std::ptrdiff_t>(result.variants.size());
  if (a.as_json) {
    fmt::print(
        "{}\n",
        json{
            {"variants", total}, {"done", well}, {"plans", result.groups}, {"wall_s", result.wall_s}, {"folder", folder.string()}}
            .dump());
  } else {
    print_summary(sweep, result, kpis);
    fmt::print("\ntable   {}\nreport  {}\n", (folder / "variants.csv").string(), (folder / "report.html").string());
    if (sweep.with_results) fmt::print("data    {}\n", (folder / "dataset.h5").string());
  }
  if (interrupted()) {
    std::fprintf(
        stderr,
        "urja: interrupted; the table says which variants have not run\n      go on with: the same command, --out %s --resume\n",
        folder.c_str());
  } else {
    fs::remove(folder / "journal.jsonl", error);
  }
  return well == total ? done : failed;
}

}  // namespace

void add_sweep(CLI::App& app, Command& chosen) {
  auto a = std::make_shared<SweepArguments>();
  CLI::App* command = app.add_subcommand("sweep", "run many variants of a scenario and compare them");
  command->footer(
      "Example: urja sweep scenarios/village.yaml --sweep scenarios/sweeps/battery_size.yaml\n"
      "Exit code 1 where any variant has failed; the others have run all the same.");
  command->add_option("scenario", a->scenario, "YAML file")->required();
  command->add_option("--sweep", a->sweep, "YAML file that says what to vary")->required();
  command->add_option("--out", a->out, "folder; default results/<scenario>_sweep/<n>");
  add_load_options(*command, a->load);
  command->add_option("--threads", a->threads, "default: as many as cores")->check(CLI::Range(1, 1024));
  command->add_flag("--json", a->as_json, "what was done as one JSON object on stdout");
  command->add_flag("--force", a->force, "replace a sweep that is there");
  command->add_flag("--resume", a->resume,
                    "go on with a sweep that was stopped, in the folder --out: what has run is not run again");
  command->add_flag("-q,--quiet", a->quiet, "no progress bar");
  command->callback([a, &chosen] { chosen = [a] { return run(*a); }; });
}

}  // namespace urja

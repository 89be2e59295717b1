// urja run, urja validate, urja report.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bridge/commands.hpp"
#include "bridge/terminal.hpp"
#include "engine/calendar.hpp"
#include "engine/recorder.hpp"
#include "scenarios/checkpoint.hpp"
#include "scenarios/run.hpp"
#include "viz/kpis.hpp"
#include "viz/report.hpp"
#include "viz/sweep_report.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct RunArguments {
  std::string scenario, out, report;
  LoadOptions load;
  int threads = 1;
  double checkpoint_every = 5;
  bool as_json = false, force = false, quiet = false, resume = false;
};

std::string value_text(const json& value) {
  if (value.is_number_integer()) return fmt::format("{}", value.get<std::int64_t>());
  if (!value.is_number()) return value.is_string() ? value.get<std::string>() : value.dump();
  return fmt::format("{:.3f}", value.get<double>());
}

std::string unit_of(const std::string& unit) { return unit == "1" ? "" : unit; }  // a share has none

// In the report's order, then how the run itself went.
void print_table(json kpis) {
  const std::string currency = kpis.value("currency", "");
  const auto row = [&](const std::string& key, const json& value) {
    fmt::print("  {:<24}  {:>14} {}\n", key,
               key.ends_with("_residual") ? fmt::format("{:.1e}", value.get<double>()) : value_text(value),
               key.ends_with("_per_s") ? "1/s" : unit_of(viz::kpi_name(key, currency).unit));
  };
  for (const auto& group : viz::kpi_groups()) {
    bool any = false;
    for (const std::string& key : group) {
      if (!kpis.contains(key)) continue;
      if (kpis[key].is_object()) {
        for (const auto& [zone, kwh] : kpis[key].items()) fmt::print("    {:<22}  {:>14} kWh unserved\n", zone, value_text(kwh));
      } else {
        row(key, kpis[key]);
      }
      any = true;
      kpis.erase(key);
    }
    if (any) fmt::print("\n");
  }
  for (const auto& [key, value] : kpis.items()) {
    if (!value.is_object() && !value.is_array() && key != "scenario" && key != "currency") row(key, value);
  }
}

// The newest folder below results/<scenario>/ in which a run has stopped; empty if there is none.
fs::path stopped_result(const std::string& scenario) {
  fs::path found;
  int newest = -1;
  std::error_code none;
  for (const auto& folder : fs::directory_iterator(fs::path("results") / scenario, none)) {
    const std::string name = folder.path().filename().string();
    const fs::path result = folder.path() / "result.h5";
    if (name.empty() || name.size() > 9 || name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (std::stoi(name) > newest && fs::exists(Checkpoint::path_for(result.string()))) newest = std::stoi(name), found = result;
  }
  return found;
}

// "'60 %'" where a shell would take a word apart.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || std::strchr("_-./=:,+%", c) != nullptr;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The command that goes on where this one has stopped.
std::string resume_command(const RunArguments& a, const fs::path& out) {
  std::string text = "urja run " + quoted(a.scenario) + " --resume --out " + quoted(out.string());
  for (const std::string& s : a.load.set) text += " --set " + quoted(s);
  if (!a.report.empty()) text += " --report " + quoted(a.report);
  if (a.load.seed) text += fmt::format(" --seed {}", *a.load.seed);
  if (a.load.from) text += " --from " + quoted(*a.load.from);
  if (a.load.to) text += " --to " + quoted(*a.load.to);
  return text;
}

void print_notes(const Scenario& scenario) {
  for (const std::string& note : scenario.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
}

int run(RunArguments a) {
  Scenario scenario;
  const auto begin = std::chrono::steady_clock::now();
  try {
    scenario = load_scenario(a.scenario, a.load);
  } catch (const ScenarioError& e) { return print_problems(e.problems); }
  if (!a.quiet) print_notes(scenario);
  const double loading = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  fs::path out = a.out, report = a.report;
  if (out.empty() && a.resume) {
    out = stopped_result(scenario.name);
    if (out.empty()) {
      std::fprintf(stderr, "urja: no run of %s has stopped below results/%s; start one without --resume\n", a.scenario.c_str(),
                   scenario.name.c_str());
      return misused;
    }
    if (report.empty()) report = out.parent_path() / "report.html";
  }
  if (out.empty()) {
    const fs::path folder = next_folder(scenario.name);
    out = folder / "result.h5";
    if (report.empty()) report = folder / "report.html";
  }
  if (!report.empty() && fs::weakly_canonical(out) == fs::weakly_canonical(report)) {
    std::fprintf(stderr, "urja: result and report cannot both be %s\n", out.c_str());
    return misused;
  }
  if (fs::exists(Checkpoint::path_for(out.string())) && !a.force && !a.resume) {
    std::fprintf(stderr, "urja: a run to %s was stopped on its way; --resume goes on with it, --force starts again\n",
                 out.c_str());
    return misused;
  }
  for (const fs::path& file : {out, report}) {
    if (file.empty()) continue;
    if (in_the_way(file, a.force || a.resume)) return misused;
    std::error_code error;
    if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
    if (error) {
      std::fprintf(stderr, "urja: cannot make the folder %s: %s\n", file.parent_path().c_str(), error.message().c_str());
      return failed;
    }
  }

  watch_interrupts();
  json kpis;
  RunResult result;
  try {
    ProgressBar bar(on_terminal() && !a.quiet && !a.as_json);
    const Zone zone = *Zone::find(scenario.zone);
    RunOptions options;
    options.out = out.string();
    options.threads = a.threads;
    options.resume = a.resume;
    options.checkpoint_every = a.checkpoint_every;
    options.version = version_text();
    options.machine = machine_text();
    options.progress = [&](std::int64_t done_steps, std::int64_t all) {
      const double steps = static_cast<double>(done_steps);
      if (bar.shown())
        bar.show(steps, static_cast<double>(all),
                 zone.text(static_cast<std::int64_t>(scenario.start + steps * scenario.step)).substr(0, 10),
                 fmt::format("  {:.0f}x real time", bar.steps_per_s(steps) * scenario.step));
      return !interrupted();
    };
    result = run_scenario(scenario, options, kpis);
    kpis["load_s"] = loading;
  } catch (const ScenarioError& e) {  // a policy that cannot plan for this plant
    return print_problems(e.problems);
  } catch (const RecordError& e) {
    std::fprintf(stderr, "urja: %s\n", e.what());
    if (fs::exists(out.string() + ".part")) std::fprintf(stderr, "What was written until then is in %s.part\n", out.c_str());
    if (fs::exists(Checkpoint::path_for(out.string()))) std::fprintf(stderr, "go on with: %s\n", resume_command(a, out).c_str());
    return failed;
  } catch (const CheckpointError& e) {
    std::fprintf(stderr,
                 "urja: cannot go on: %s\nStart again without --resume, or give the options of the run that was stopped\n",
                 e.what());
    return misused;
  }
  if (!report.empty()) {
    try {
      viz::write_report(out.string(), report.string());
    } catch (const std::exception& e) { std::fprintf(stderr, "urja: the report could not be written: %s\n", e.what()); }
  }
  if (a.as_json) {
    fmt::print("{}\n", kpis.dump());
  } else {
    fmt::print("{}\n", scenario.title);
    print_table(kpis);
    fmt::print("\nresult  {}\n", out.string());
    if (!report.empty()) fmt::print("report  {}\n", report.string());
  }
  if (!result.trouble.empty()) {
    std::fprintf(stderr, "urja: the run was stopped at %s: %s\n",
                 Zone::find(scenario.zone)->text(static_cast<std::int64_t>(result.until)).c_str(), result.trouble.c_str());
    return failed;
  }
  if (!result.finished) {
    std::fprintf(stderr, "urja: interrupted at %s; the file is complete up to there\n      %s\n",
                 Zone::find(scenario.zone)->text(static_cast<std::int64_t>(result.until)).c_str(),
                 result.resumable ? ("go on with: " + resume_command(a, out)).c_str()
                                  : "it cannot go on from there: what its controller plans next depends on its last plan");
    return failed;
  }
  return done;
}

int validate(const std::string& file, const LoadOptions& options) {
  try {
    const Scenario s = load_scenario(file, options);
    if (s.has_gym) {
      LoadOptions for_agents = options;
      for_agents.gym = LoadOptions::Gym::agent;
      load_scenario(file, for_agents);
    }
    print_notes(s);
    std::size_t assets = s.plan->assets.size();
    for (const auto& f : s.plan->fleets) assets += f.plan->assets.size();
    fmt::print("{}: valid: {} models, {} data files, {:.0f} steps of {:g} s\n", file, assets,
               s.data_hashes.size() - s.included.size(), (s.end - s.start) / s.step, s.step);
    return done;
  } catch (const ScenarioError& e) { return print_problems(e.problems); }
}

}  // namespace

void add_run(CLI::App& app, Command& chosen) {
  auto a = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("run", "simulate a scenario");
  command->footer("Example: urja run scenarios/village.yaml --set assets.battery.state_of_charge=\"60 %\"");
  command->add_option("scenario", a->scenario, "YAML file")->required();
  command->add_option("--out", a->out, "result file (HDF5); default results/<scenario>/<n>/result.h5");
  command->add_option("--report", a->report, "HTML report");
  add_load_options(*command, a->load);
  command->add_option("--threads", a->threads, "at most this many")->check(CLI::Range(1, 1024));
  command->add_flag("--json", a->as_json, "KPIs as one JSON object on stdout");
  command->add_flag("--force", a->force, "replace files that are there");
  command
      ->add_option("--checkpoint", a->checkpoint_every,
                   "s of wall time between the points that --resume can go on from; default 5")
      ->check(CLI::Range(0.0, 86400.0));
  command->add_flag("--resume", a->resume,
                    "go on where a run with the same options was stopped; the newest one, or that of --out");
  command->add_flag("-q,--quiet", a->quiet, "no progress bar");
  command->callback([a, &chosen] { chosen = [a] { return run(*a); }; });
}

void add_validate(CLI::App& app, Command& chosen) {
  auto file = std::make_shared<std::string>();
  auto options = std::make_shared<LoadOptions>();
  CLI::App* command = app.add_subcommand("validate", "check a scenario: all problems at once");
  command->footer("Example: urja validate scenarios/village.yaml");
  command->add_option("scenario", *file, "YAML file")->required();
  add_load_options(*command, *options);
  command->callback([file, options, &chosen] { chosen = [file, options] { return validate(*file, *options); }; });
}

void add_report(CLI::App& app, Command& chosen) {
  auto in = std::make_shared<std::string>(), out = std::make_shared<std::string>();
  auto force = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("report", "make the HTML report of a result file, or of a sweep's JSON file, again");
  command->footer("Example: urja report results/village/1/result.h5");
  command->add_option("result", *in, "HDF5 file, or the JSON file of a sweep")->required();
  command->add_option("--out", *out, "HTML file; default: beside the result");
  command->add_flag("--force", *force, "replace a file that is there");
  command->callback([in, out, force, &chosen] {
    chosen = [in, out, force] {
      const fs::path to = out->empty() ? fs::path(*in).replace_extension(".html") : fs::path(*out);
      if (in_the_way(to, *force)) return misused;
      if (fs::path(*in).extension() == ".json") viz::write_sweep_report(*in, to.string());
      else viz::write_report(*in, to.string());
      fmt::print("{}\n", to.string());
      return done;
    };
  });
}

}  // namespace urja

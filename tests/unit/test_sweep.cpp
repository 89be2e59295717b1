// Sweeps: what a sweep file means, that a lane of a sweep is the variant run alone, and that failures stay with their variants.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "scenarios/run.hpp"
#include "scenarios/sweep.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/expect.hpp"
#include "tests/corpus/program.hpp"
#include "tests/sweep_alone.hpp"
#include "viz/result_file.hpp"

namespace urja::tests {
namespace {

const std::string base = (corpus / "good" / "sweep_base.yaml").string();

Sweep sweep_of(const Scratch& folder, const std::string& text) {
  return load_sweep(folder.write("sweep.yaml", "sweep: 1\n" + text));
}

std::vector<double> column(const Sweep& sweep, const std::string& key) {
  std::vector<double> all;
  for (std::size_t k = 0; k < sweep.keys.size(); ++k) {
    if (sweep.keys[k].key != key) continue;
    for (const Sweep::Variant& v : sweep.variants) all.push_back(v.values[k].number);
  }
  return all;
}
double mean(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}
double deviation(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += (v - mean(x)) * (v - mean(x));
  return std::sqrt(sum / static_cast<double>(x.size()));
}

}  // namespace

TEST_CASE("sweep: every bad file fails at its place with its message", "[sweep]") {
  for (const fs::path& file : files_of("bad_sweeps")) {
    DYNAMIC_SECTION(file.stem().string()) {
      std::vector<Problem> problems;
      std::string text;
      try {
        load_sweep(file.string());
      } catch (const ScenarioError& e) { problems = e.problems.list(), text = e.problems.text(); }
      const auto expected = expectations(file);
      INFO(text);
      REQUIRE_FALSE(expected.empty());
      CHECK(problems.size() == expected.size());
      for (const Expected& e : expected) {
        INFO("expected " << e.line << ":" << e.column << ": " << e.text);
        CHECK(std::any_of(problems.begin(), problems.end(), [&](const Problem& p) { return e.fits(p); }));
      }
    }
  }
}

TEST_CASE("sweep: a sweep is the product of its parts", "[sweep]") {
  const Scratch folder;
  const Sweep sweep = sweep_of(folder, R"(
grid: {a.b: [1 kW, 2 kW, 3 kW], c: [x, [1, 2]]}
list: [{name: one}, {name: two, d: 50 %}]
draw: {count: 4, of: {e: {choice: [p, q]}}}
seeds: 2
)");
  CHECK(sweep.variants.size() == 3 * 2 * 2 * 4 * 2);
  REQUIRE(sweep.keys.size() == 4);
  std::set<std::vector<std::string>> distinct;
  for (const Sweep::Variant& v : sweep.variants) {
    auto all = sweep.assignments(v);
    CHECK(all.size() == (v.name == "two" ? 4 : 3));
    all.push_back(std::to_string(v.seed_after));
    distinct.insert(all);
  }
  CHECK(distinct.size() == 3 * 2 * 2 * 2 * 2);  // two of four drawn words are the same
  const auto key = [&](const char* name) {
    return *std::find_if(sweep.keys.begin(), sweep.keys.end(), [&](auto& k) { return k.key == name; });
  };
  CHECK((key("a.b").number && key("a.b").unit == "kW"));
  CHECK((key("d").number && key("d").unit == "%"));
  CHECK_FALSE(key("c").number);
}

TEST_CASE("sweep: a Latin hypercube has one value in each stratum, and means what its distributions say", "[sweep]") {
  const Scratch folder;
  const std::string of = R"(
    u: {uniform: [4 kW, 8 kW]}
    l: {log_uniform: [1, 100]}
    t: {triangular: [0, 1, 4]}
    n: {normal: {mean: 10, sd: 2}}
    c: {normal: {mean: 10, sd: 2, low: 10}}
    g: {lognormal: {median: 3, sigma: 0.5}}
    w: {whole: [1, 6]}
)";
  const Sweep sweep = sweep_of(folder, "draw:\n  count: 6000\n  seed: 11\n  of:" + of);
  std::vector<int> hit(6000);
  for (double u : column(sweep, "u")) ++hit.at(static_cast<std::size_t>((u - 4) / 4 * 6000));
  CHECK(std::all_of(hit.begin(), hit.end(), [](int n) { return n == 1; }));
  // Means and deviations in closed form; strata make them far better than the square root of the count.
  CHECK(mean(column(sweep, "l")) == Approx(99 / std::log(100.0)).epsilon(1e-3));
  CHECK(mean(column(sweep, "t")) == Approx(5.0 / 3).epsilon(1e-3));
  CHECK(deviation(column(sweep, "t")) == Approx(std::sqrt((0 + 1 + 16 - 0 - 0 - 4) / 18.0)).epsilon(1e-3));
  CHECK(mean(column(sweep, "n")) == Approx(10).epsilon(1e-4));
  CHECK(deviation(column(sweep, "n")) == Approx(2).epsilon(3e-3));
  CHECK(mean(column(sweep, "c")) == Approx(10 + 2 * std::sqrt(2 / 3.141592653589793)).epsilon(1e-3));
  CHECK(mean(column(sweep, "g")) == Approx(3 * std::exp(0.125)).epsilon(2e-3));
  std::map<double, int> faces;
  for (double w : column(sweep, "w")) ++faces[w];
  CHECK(faces.size() == 6);
  for (const auto& [face, n] : faces) CHECK(n == 1000);
  // Another key in the file moves nobody's numbers; another seed moves all.
  const Sweep more = sweep_of(folder, "draw:\n  count: 6000\n  seed: 11\n  of:\n    a: {uniform: [0, 1]}" + of);
  CHECK(column(more, "n") == column(sweep, "n"));
  const Sweep other = sweep_of(folder, "draw:\n  count: 6000\n  seed: 12\n  of:" + of);
  CHECK(column(other, "n") != column(sweep, "n"));
  const Sweep chance = sweep_of(folder, "draw:\n  method: monte_carlo\n  count: 6000\n  seed: 11\n  of:" + of);
  CHECK(mean(column(chance, "n")) == Approx(10).margin(0.1));
  CHECK(deviation(column(chance, "n")) == Approx(2).margin(0.1));
}

TEST_CASE("sweep: each variant has the bits of the same variant run alone, for any number of threads", "[sweep]") {
  const Scratch folder;
  const Sweep sweep = sweep_of(folder, R"(
grid:
  assets.battery.packs: [0.5, 2]
  assets.grid.price: [0.3 EUR/kWh, home.price]
  controller: [hold, {model: self_consumption}]
list:
  - {}
  - {assets.battery.state_of_charge: 80 %, feeders.yard.limit: 1 kW, assets.pair.members.load.scale: [3, 1]}
  - {assets.battery.set: nmc_100kwh, run.seed: 9}
  - {assets.pair.members.pv.rated: 6 kW, assets.battery.ambient_temperature: -5 degC, run.step: 15 min}
seeds: 2
results: [battery, "*.power"]
)");
  REQUIRE(sweep.variants.size() == 64);
  SweepOptions options;
  options.folder = folder.path();
  fs::create_directories(folder.path("variants"));
  options.threads = 2;
  const SweepResult two = run_sweep(base, sweep, options);
  options.threads = 1;
  const SweepResult one = run_sweep(base, sweep, options);
  CHECK(two.groups == 2 * 2 * 3);  // price from data or not, controller, set or step
  for (std::size_t v = 0; v < sweep.variants.size(); ++v) {
    INFO("variant " << v + 1 << ": " << one.variants[v].message);
    REQUIRE(one.variants[v].status == VariantResult::Status::complete);
    const nlohmann::json kpis = kpis_alone(base, sweep, v);
    CHECK(one.variants[v].state_hash == kpis["state_hash"]);
    CHECK(two.variants[v].state_hash == kpis["state_hash"]);
    CHECK(two.variants[v].kpis == one.variants[v].kpis);
    for (const auto& [key, value] : one.variants[v].kpis) {
      if (key.find('.') == std::string::npos) CHECK(kpis[key].get<double>() == value);
    }
  }
  const viz::ResultFile file(folder.path("variants/7.h5"));
  CHECK(file.time().size() == 96);
  CHECK(std::any_of(file.channels().begin(), file.channels().end(),
                    [](const viz::Channel& c) { return c.asset == "battery" && c.name == "state_of_charge"; }));
}

TEST_CASE("sweep: a variant that fails does not stop the others", "[sweep]") {
  const Scratch folder;
  const Sweep sweep = sweep_of(folder, R"(
list:
  - {name: good}
  - {name: no such set, assets.battery.set: lfp_14kwh}
  - {name: out of bounds, assets.battery.packs: -1}
  - {name: no such data, assets.load.demand: home.wish}
  - {name: burns, assets.battery.thermal_resistance: 1000 K/W, assets.battery.heat_capacity: 1 J/K, assets.battery.resistance_scale: 10, assets.battery.set: nmc_100kwh, assets.load.scale: 20}
  - {name: good again, assets.battery.packs: 2}
)");
  const SweepResult r = run_sweep(base, sweep, {});
  using Status = VariantResult::Status;
  CHECK(r.variants[0].status == Status::complete);
  CHECK(r.variants[1].status == Status::error);
  CHECK_THAT(r.variants[1].message, contains("there is no parameter set 'lfp_14kwh'"));
  CHECK(r.variants[2].status == Status::error);
  CHECK_THAT(r.variants[2].message, contains("-1 is below"));
  CHECK(r.variants[3].status == Status::error);
  CHECK_THAT(r.variants[3].message, contains("no column 'wish'"));
  INFO(r.variants[4].message);
  CHECK(r.variants[4].status == Status::trouble);
  CHECK(r.variants[4].kpis.empty());
  CHECK(r.variants[5].status == Status::complete);
  CHECK(r.variants[5].state_hash != r.variants[0].state_hash);
}

TEST_CASE("sweep: a key that is wrong everywhere is the sweep's mistake, at its line", "[sweep]") {
  const Scratch folder;
  const Sweep sweep = sweep_of(folder,
                               "grid:\n  assets.battery.pack: [1, 2]\n  assets.battery.rating: [5 kWh, 6 kWh]\n"
                               "  sensors.grid.powr.noise: [1 W, 2 W]\n");
  try {
    run_sweep(base, sweep, {});
    FAIL("ran");
  } catch (const ScenarioError& e) {
    INFO(e.problems.text());
    REQUIRE(e.problems.list().size() == 3);
    CHECK(e.problems.list()[0].line == 3);
    CHECK_THAT(e.problems.list()[0].text(),
               contains("sweep.yaml:3:3: assets.battery.pack: model 'battery' has no 'pack'; did you mean 'packs'?"));
    CHECK_THAT(e.problems.list()[1].text(), contains("sweep.yaml:4:3: assets.battery.rating: 'kWh' is not a unit that fits"));
    CHECK_THAT(e.problems.list()[2].text(), contains("sweep.yaml:5:3: sensors.grid.powr.noise: there is no channel 'grid.powr'"));
  }
}

TEST_CASE("sweep: one that is killed goes on, and its table is the same", "[sweep][program][resume]") {
  const Scratch folder;
  std::string variants;
  for (int k = 0; k < 40; ++k) variants += fmt::format("{}{} kW", k == 0 ? "" : ", ", 1 + k);
  const std::string file = folder.write(
      "w.yaml", "sweep: 1\ngrid: {assets.battery.rating: [" + variants + "], run.step: [20 s, 30 s, 1 min, 5 min]}\n");
  const auto command = [&](const char* out, std::vector<std::string> more) {
    std::vector<std::string> all{"sweep", base, "--sweep", file, "--threads", "1", "--out", folder.path(out)};
    all.insert(all.end(), more.begin(), more.end());
    return program(all);
  };
  REQUIRE(command("whole", {}).status == 0);
  CHECK_FALSE(fs::exists(folder.path("whole/journal.jsonl")));
  // As after kill -9: the journal ends within a line.
  REQUIRE(command("cut", {}).status == 0);
  fs::remove(folder.path("cut/variants.csv"));
  const std::string journal = folder.path("cut/journal.jsonl");
  CHECK(command("cut", {"--resume"}).status == 2);  // there is none
  {
    SweepOptions options;
    options.journal = journal;
    options.folder = folder.path("cut");
    // The program's own version goes into the journal: the lines are made here, the first one by it.
    const Sweep sweep = load_sweep(file);
    int ended = 0;
    options.progress = [&](double, double, std::int64_t variants_ended) { return ++ended < 2 || variants_ended < 40; };
    run_sweep(base, sweep, options);
  }
  std::string text = contents(journal);
  REQUIRE(std::count(text.begin(), text.end(), '\n') > 40);
  CHECK(command("cut", {"--resume"}).status == 2);  // of another program version: said, not mixed
  {
    SweepOptions options;
    options.journal = journal;
    options.resume = true;
    folder.write("cut/journal.jsonl", text.substr(0, text.size() - 30));
    const SweepResult gone_on = run_sweep(base, load_sweep(file), options);
    options.journal.clear();
    options.resume = false;
    const SweepResult whole = run_sweep(base, load_sweep(file), options);
    REQUIRE(gone_on.variants.size() == whole.variants.size());
    for (std::size_t v = 0; v < whole.variants.size(); ++v) {
      CHECK(gone_on.variants[v].status == VariantResult::Status::complete);
      CHECK(gone_on.variants[v].state_hash == whole.variants[v].state_hash);
      CHECK(gone_on.variants[v].kpis == whole.variants[v].kpis);
    }
    CHECK(gone_on.steps < whole.steps);  // what had run was not run again
  }
}

TEST_CASE("sweep: the program writes a table, a report, and does not overwrite", "[sweep][program]") {
  const Scratch folder;
  const std::string file =
      folder.write("w.yaml", "sweep: 1\nlist: [{name: 'as, is'}, {assets.battery.packs: 2}, {assets.battery.packs: -2}]\n");
  const std::vector<std::string> command{"sweep", base, "--sweep", file, "--out", folder.path("out")};
  const ProgramResult r = program(command);
  INFO(r.out << r.err);
  CHECK(r.status == 1);  // one has failed
  CHECK_THAT(r.out, contains("3 variants"));
  CHECK_THAT(r.out, contains("variant 3: error: "));
  std::istringstream table(contents(folder.path("out/variants.csv")));
  std::string line;
  std::getline(table, line);
  CHECK_THAT(line, contains("variant,name,assets.battery.packs,seed_after,status,message,load_kwh"));
  std::getline(table, line);
  CHECK_THAT(line, contains("1,\"as, is\",,0,done,,"));
  std::getline(table, line);
  CHECK_THAT(line, contains("2,,2,0,done,,"));
  std::getline(table, line);
  CHECK_THAT(line, contains("3,,-2,0,error,"));
  CHECK_FALSE(std::getline(table, line));
  const auto j = nlohmann::json::parse(contents(folder.path("out/sweep.json")));
  CHECK(j["variants"].size() == 3);
  CHECK(j["variants"][1]["kpis"]["cost_total"].is_number());
  CHECK(program(command).status == 2);
  auto again = command;
  again.push_back("--force");
  again.push_back("--json");
  const ProgramResult forced = program(again);
  CHECK(forced.status == 1);
  CHECK(nlohmann::json::parse(forced.out)["done"] == 2);
  CHECK(program({"sweep", base, "--sweep", folder.path("none.yaml")}, folder.path()).status == 2);
}

}  // namespace urja::tests

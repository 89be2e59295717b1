#include "scenarios/sweep.hpp"

#include "scenarios/labelled_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "engine/recorder.hpp"
#include "engine/sensor.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/checkpoint.hpp"
#include "scenarios/data.hpp"
#include "scenarios/kpi.hpp"
#include "scenarios/run.hpp"
#include "scenarios/sensor_reader.hpp"

namespace urja {
namespace {

constexpr int most_lanes = 256;  // of a job: their blocks stay in the L2 cache

// Whether what a key changes is a start value of the plan, and nothing else.
class StartValues {
 public:
  explicit StartValues(Plan* plan) : plan_(plan) {}

  bool has(const std::string& key, const std::string& yaml) const {
    if (!plan_) return false;
    const std::vector<std::string> path = parts(key);
    if (path.size() == 2 && path[0] == "run" && path[1] == "seed") return true;
    if (path.size() == 3 && path[0] == "feeders" && path[2] == "limit") return true;
    if (path.size() == 2 && path[0] == "controller") return member(*plan_, "controller", path[1], yaml);
    if (path.size() == 3 && path[0] == "faults") {
      for (const Plan::Disturber& d : plan_->disturbers) {
        const Member* m = d.self.name == path[1] ? d.self.type->find(path[2]) : nullptr;
        if (m && scenario_may_write(*m)) return true;
      }
      return false;
    }
    for (const char* block : {"sensors.", "links."}) {
      if (key.starts_with(block)) return of_sensor(key.substr(path[0].size() + 1), path[0] == "links", yaml);
    }
    if (path.size() == 3 && path[0] == "assets") return member(*plan_, path[1], path[2], yaml);
    if (path.size() != 5 || path[0] != "assets" || path[2] != "members") return false;
    for (const Plan::Fleet& f : plan_->fleets) {
      if (f.name == path[1]) return member(*f.plan, path[3], path[4], yaml);
    }
    return false;
  }

 private:
  static std::vector<std::string> parts(const std::string& key) {
    std::vector<std::string> all{""};
    for (char c : key) {
      if (c == '.') all.emplace_back();
      else all.back() += c;
    }
    return all;
  }
  static bool member(const Plan& plan, const std::string& asset_name, const std::string& name, const std::string& yaml) {
    const Plan::Asset* asset = plan.asset(asset_name);
    const Member* m = asset ? asset->type->find(name) : nullptr;
    if (!m || !scenario_may_write(*m)) return false;
    const int row = asset->offset + m->offset;
    for (const Profile& p : plan.profiles) {
      if (std::any_of(p.targets.begin(), p.targets.end(), [&](const auto& t) { return t.to == row; })) return false;
    }
    Problems ignored;
    const Node value = parse_yaml(yaml, "", ignored);
    return value.kind == Node::Kind::list || (value.is_scalar() && (m->kind != Kind::input || parse_quantity(value.text)));
  }
  // "battery.power.noise", "*.temperature.noise", of links "battery.delay" too: where the sensors or links are there already.
  bool of_sensor(const std::string& key, bool link, const std::string& yaml) const {
    const std::size_t dot = key.rfind('.');
    const Member* m = dot == std::string::npos ? nullptr : (link ? link_type() : sensor_type()).find(key.substr(dot + 1));
    if (!m || m->kind != Kind::parameter) return false;
    Problems ignored;
    const Node value = parse_yaml(yaml, "", ignored);
    if (value.kind != Node::Kind::list && !value.is_scalar()) return false;
    const auto meant = channels_meant(*plan_, key.substr(0, dot), true);
    return !meant.empty() && std::all_of(meant.begin(), meant.end(), [&](const MeasuredChannel& c) {
      const Plan::Instrument* one = c.plan->instrument(c.asset + "." + c.channel);
      return one && (!link || one->link.type);
    });
  }
  Plan* plan_;
};

// Do start values of the one mean the same rows in the other?
bool same_layout(const Plan& a, const Plan& b) {
  const auto same = [](const auto& one, const auto& other, const auto& offset) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [&](const auto& x, const auto& y) { return offset(x) == offset(y); });
  };
  return same(a.assets, b.assets, [](const Plan::Asset& x) { return x.offset; }) &&
         same(a.disturbers, b.disturbers, [](const Plan::Disturber& x) { return x.self.offset; }) &&
         same(a.instruments, b.instruments,
              [](const Plan::Instrument& x) {
                return std::pair{x.self.offset, x.link.type ? x.link.offset : -1};
              }) &&
         same(a.fleets, b.fleets, [](const Plan::Fleet&) { return 0; }) &&
         std::equal(a.fleets.begin(), a.fleets.end(), b.fleets.begin(),
                    [](const auto& x, const auto& y) { return same_layout(*x.plan, *y.plan); });
}

// Variants that share a plan.
struct Group {
  std::vector<std::size_t> variants;
  std::once_flag loading;
  std::shared_ptr<const Scenario> scenario;  // null: none of them loads
  std::atomic<int> jobs{0};                  // that still need it
};

class Runner {
 public:
  Runner(const ScenarioSource& source, const Sweep& sweep, const SweepOptions& options)
      : source_(source), sweep_(sweep), options_(options) {
    result_.variants.resize(sweep.variants.size());
  }

  SweepResult run() {
    const auto begin = Clock::now();
    check_keys();
    open_journal();
    make_groups();
    struct Job {
      Group* group;
      std::size_t first, last;
    };
    std::vector<Job> jobs;
    const auto threads = static_cast<std::size_t>(std::max(1, options_.threads));
    for (auto& [key, group] : groups_) {
      std::erase_if(group.variants, [&](std::size_t v) { return result_.variants[v].status != VariantResult::Status::not_run; });
      const std::size_t n = group.variants.size(), share = (n + threads - 1) / threads;
      const std::size_t lanes = std::min<std::size_t>(most_lanes, (share + width - 1) / width * width);
      for (std::size_t at = 0; at < n; at += lanes) jobs.push_back({&group, at, std::min(n, at + lanes)}), ++group.jobs;
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t k; !stopped_ && (k = next++) < jobs.size();) {
        const Job& job = jobs[k];
        const std::vector<std::size_t> mine(job.group->variants.begin() + static_cast<std::ptrdiff_t>(job.first),
                                            job.group->variants.begin() + static_cast<std::ptrdiff_t>(job.last));
        try {
          run_job(*job.group, mine);
        } catch (const std::exception& e) {
          for (std::size_t v : mine) {
            if (result_.variants[v].status == VariantResult::Status::not_run) end(v, VariantResult::Status::error, e.what());
          }
        }
        if (--job.group->jobs == 0) job.group->scenario.reset();
      }
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t t = 1; t < std::min(threads, jobs.size()); ++t) others.emplace_back(work);
      work();
    }
    result_.wall_s = std::chrono::duration<double>(Clock::now() - begin).count();
    result_.groups = static_cast<std::int64_t>(groups_.size());
    result_.steps = done_;
    stop_if_none_loads();
    return std::move(result_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  LoadOptions options_of(const Sweep::Variant& v) const {
    LoadOptions load = options_.load;
    for (std::string& s : sweep_.assignments(v)) load.set.push_back(std::move(s));
    return load;
  }

  // A key that every variant trips over is a mistake of the sweep, not of a variant.
  void check_keys() {
    Problems problems;
    for (std::size_t k = 0; k < sweep_.keys.size(); ++k) {
      std::vector<const Sweep::Variant*> with;
      for (const Sweep::Variant& v : sweep_.variants) {
        if (!v.values[k].text.empty()) with.push_back(&v);
      }
      if (with.empty()) continue;
      std::optional<Problem> first;
      bool always = true;
      for (const Sweep::Variant* v : std::set{with.front(), with[with.size() / 2], with.back()}) {
        bool here = false;
        try {
          (void)source_.load_values(options_of(*v));
        } catch (const ScenarioError& e) {
          for (const Problem& p : e.problems.list()) {
            // Of the key itself, or of what it is a part of: --set sensors.grid.powr.
            const std::string mine = "--set " + sweep_.keys[k].key;
            if (!p.key.starts_with(mine) && !(p.line == 0 && p.key.size() > 6 && mine.starts_with(p.key + "."))) continue;
            here = true;
            if (!first) first = p;
          }
        }
        always = always && here;
      }
      const Sweep::Key& key = sweep_.keys[k];
      if (always) problems.add({sweep_.file, key.line, key.column, key.key, first->what, first->mend});
    }
    if (!problems.empty()) throw ScenarioError{problems};
  }

  void make_groups() {
    std::optional<Scenario> base;
    try {
      base = source_.load(options_.load);
    } catch (const ScenarioError&) {
      // It may be whole only with what the variants say: each of these then has a plan of its own.
    }
    const StartValues start_values(base ? base->plan.get() : nullptr);
    std::map<std::pair<std::size_t, std::string>, bool> known;
    for (std::size_t i = 0; i < sweep_.variants.size(); ++i) {
      const Sweep::Variant& v = sweep_.variants[i];
      std::string plan;
      for (std::size_t k = 0; k < sweep_.keys.size(); ++k) {
        const std::string& text = v.values[k].text;
        if (text.empty()) continue;
        const auto [is, fresh] = known.try_emplace({k, text});
        if (fresh) is->second = start_values.has(sweep_.keys[k].key, text);
        if (!is->second) plan += sweep_.keys[k].key + "=" + text + "\n";
      }
      groups_[plan].variants.push_back(i);
    }
  }

  void run_job(Group& group, const std::vector<std::size_t>& mine) {
    std::call_once(group.loading, [&] { load(group); });
    if (!group.scenario) return;
    const Scenario& scenario = *group.scenario;
    std::vector<std::size_t> ready;
    std::vector<Scenario> values;
    for (std::size_t v : mine) {
      if (result_.variants[v].status != VariantResult::Status::not_run) continue;
      try {
        values.push_back(source_.load_values(options_of(sweep_.variants[v])));
        if (!same_layout(*values.back().plan, *scenario.plan))
          throw std::logic_error("variants of one group have plans that differ");
        ready.push_back(v);
      } catch (const ScenarioError& e) { end(v, VariantResult::Status::error, first_of(e.problems)); }
    }
    if (ready.empty()) return;

    Batch batch(scenario.plan, static_cast<int>(ready.size()));
    for (std::size_t lane = 0; lane < ready.size(); ++lane) {
      values[lane].seed += sweep_.variants[ready[lane]].seed_after;
      Batch::Start start;
      start.key = values[lane].seed;
      batch.reset(static_cast<int>(lane), start, *values[lane].plan);
      values[lane].plan.reset();
    }
    step(batch, scenario, ready, values);
  }

  void step(Batch& batch, const Scenario& scenario, const std::vector<std::size_t>& ready, const std::vector<Scenario>& values) {
    const std::vector<Channel> channels =
        sweep_.with_results ? result_channels(scenario, sweep_.channels) : std::vector<Channel>{};
    KpiCounter counter(*scenario.plan, batch.lanes());
    std::vector<Quantity> sums = metered(channels);
    const int first_kpi = static_cast<int>(sums.size());
    sums.insert(sums.end(), counter.metered().begin(), counter.metered().end());
    Meter meter(*scenario.plan, batch.blocks(), sums);
    std::vector<std::unique_ptr<Recorder>> recorders;
    if (sweep_.with_results) {
      const std::lock_guard lock(hdf5_);
      for (std::size_t lane = 0; lane < ready.size(); ++lane) {
        recorders.push_back(std::make_unique<Recorder>(result_file(ready[lane]), batch, channels, static_cast<int>(lane)));
        Scenario described = scenario;
        described.set = values[lane].set, described.seed = values[lane].seed;
        describe_run(*recorders.back(), described, options_.version, options_.machine);
      }
    }

    // As in a run alone: the sums of the same steps are made at the same times, and their bits are the same.
    const auto all = static_cast<std::int64_t>(std::llround((scenario.end - scenario.start) / scenario.step));
    const auto per_record = std::max<std::int64_t>(1, std::llround(scenario.record / scenario.step));
    const auto lanes = static_cast<double>(batch.lanes());
    std::vector<std::int64_t> until(ready.size(), all);
    for (std::int64_t done = 0; done < all && !stopped_;) {
      const int steps = static_cast<int>(std::min(per_record, all - done));
      const double time = scenario.start + static_cast<double>(done) * scenario.step;
      meter.clear();
      batch.step(steps, 1, &meter);
      counter.add(meter, first_kpi, scenario.step);
      if (!recorders.empty()) {
        const std::lock_guard lock(hdf5_);
        for (auto& r : recorders) r->append(time, batch, meter, steps);
      }
      done += steps;
      tell(steps * lanes, all);
    }
    if (stopped_) return;
    for (std::size_t lane = 0; lane < ready.size(); ++lane) {
      const int l = static_cast<int>(lane);
      std::string trouble = batch.trouble(l);
      const nlohmann::json kpis = key_figures(values[lane], batch, counter, l, all, trouble);
      if (!recorders.empty()) {
        const std::lock_guard lock(hdf5_);
        recorders[lane]->attribute("kpis", kpis.dump());
        recorders[lane]->attribute("complete", static_cast<std::int64_t>(trouble.empty()));
        recorders[lane]->finish();
      }
      if (trouble.empty()) take_kpis(ready[lane], kpis);
      end(ready[lane], trouble.empty() ? VariantResult::Status::complete : VariantResult::Status::trouble, trouble);
    }
  }

  // With the first variant of it that loads; those before have failed.
  void load(Group& group) {
    for (std::size_t v : group.variants) {
      try {
        auto scenario = std::make_shared<Scenario>(source_.load(options_of(sweep_.variants[v])));
        refuse_policy(*scenario);
        const std::lock_guard lock(mutex_);
        if (result_.currency.empty()) result_.currency = scenario->currency;
        result_.scenario = scenario->name;
        result_.scenario_text = scenario->text;
        group.scenario = std::move(scenario);
        return;
      } catch (const ScenarioError& e) {
        end(v, VariantResult::Status::error, first_of(e.problems));
        const std::lock_guard lock(mutex_);
        if (first_problems_.empty()) first_problems_ = e.problems;
      }
    }
  }
  // Lanes of a sweep step side by side without a stop; a policy would have to act between their steps, each lane with a plan of its own.
  static void refuse_policy(const Scenario& scenario) {
    if (!scenario.policy) return;
    Problems problems;
    problems.add({scenario.file, 0, 0, "controller",
                  fmt::format("'{}' plans between steps, which a sweep does not do", scenario.policy->name),
                  "run it alone with `urja run`, or name a controller that is a model"});
    throw ScenarioError{problems};
  }
  void stop_if_none_loads() {
    const bool none = std::all_of(result_.variants.begin(), result_.variants.end(),
                                  [](const VariantResult& v) { return v.status == VariantResult::Status::error; });
    if (none && !first_problems_.empty()) throw ScenarioError{first_problems_};
  }

  std::string result_file(std::size_t variant) const {
    return (std::filesystem::path(options_.folder) / variant_file(variant)).string();
  }
  static std::string first_of(const Problems& problems) {
    const std::size_t more = problems.list().size() - 1;
    return problems.list().front().text() + (more == 0 ? "" : fmt::format(" (and {} more)", more));
  }
  void take_kpis(std::size_t variant, const nlohmann::json& kpis) {
    VariantResult& to = result_.variants[variant];
    to.state_hash = kpis["state_hash"];
    for (const auto& [key, value] : kpis.items()) {
      if (value.is_number()) to.kpis.emplace_back(key, value.get<double>());
      if (!value.is_object()) continue;
      for (const auto& [part, number] : value.items()) to.kpis.emplace_back(key + "." + part, number.get<double>());
    }
  }
  void end(std::size_t variant, VariantResult::Status status, const std::string& message) {
    result_.variants[variant].status = status;
    result_.variants[variant].message = message;
    ++ended_;
    note(variant);
  }

  // The journal: a line for the sweep, then one for each variant that has ended.
  std::string identity() const {
    nlohmann::json all{sweep_.text,
                       options_.load.set,
                       options_.load.from.value_or(""),
                       options_.load.to.value_or(""),
                       options_.load.seed.value_or(0),
                       options_.version};
    for (const SourceText& t : source_.texts()) all.push_back(t.text);
    return nlohmann::json{{"urja_sweep_journal", 1}, {"identity", fmt::format("{:016x}", text_hash(all.dump()))}}.dump();
  }
  void open_journal() {
    if (options_.journal.empty()) return;
    if (options_.resume) {
      std::ifstream in(options_.journal);
      std::string line;
      if (!std::getline(in, line)) throw CheckpointError("there is no " + options_.journal + " to go on from");
      if (line != identity())
        throw CheckpointError("the sweep that was stopped is another one: scenario, sweep, options or program have changed");
      while (std::getline(in, line)) {
        const auto j = nlohmann::json::parse(line, nullptr, false);
        if (j.is_discarded() || !j.is_object()) continue;  // the line at which it was killed
        VariantResult& v = result_.variants.at(j.at("variant").get<std::size_t>());
        v.status = static_cast<VariantResult::Status>(j.at("status").get<int>());
        v.message = j.at("message");
        v.state_hash = j.at("state_hash");
        for (const auto& k : j.at("kpis")) v.kpis.emplace_back(k.at(0), k.at(1));
        ++ended_;
      }
    }
    journal_.open(options_.journal, options_.resume ? std::ios::app : std::ios::trunc);
    if (!options_.resume) journal_ << identity() << std::endl;
    else journal_ << std::endl;  // behind a line that was cut off
  }
  void note(std::size_t variant) {
    if (!journal_.is_open()) return;
    const VariantResult& v = result_.variants[variant];
    const std::string line = nlohmann::json{
        {"variant", variant},
        {"status", static_cast<int>(v.status)},
        {"message", v.message},
        {"state_hash", v.state_hash},
        {"kpis", v.kpis}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::lock_guard lock(mutex_);
    journal_ << line << std::endl;
  }
  void tell(double steps, std::int64_t steps_of_one) {
    const std::lock_guard lock(mutex_);
    done_ += steps;
    const auto now = Clock::now();
    if (!options_.progress || now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    if (!options_.progress(done_, static_cast<double>(steps_of_one) * static_cast<double>(sweep_.variants.size()), ended_))
      stopped_ = true;
  }

  const ScenarioSource& source_;
  const Sweep& sweep_;
  const SweepOptions& options_;
  SweepResult result_;
  std::map<std::string, Group> groups_;
  std::ofstream journal_;
  std::mutex mutex_, hdf5_;  // HDF5 of Debian takes one caller at a time
  Problems first_problems_;
  double done_ = 0;
  Clock::time_point told_{};
  std::atomic<std::int64_t> ended_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace

const char* status_text(VariantResult::Status status) {
  switch (status) {
    case VariantResult::Status::complete: return "done";
    case VariantResult::Status::error: return "error";
    case VariantResult::Status::trouble: return "trouble";
    case VariantResult::Status::not_run: break;
  }
  return "not run";
}

SweepResult run_sweep(const std::string& scenario, const Sweep& sweep, const SweepOptions& options) {
  const ScenarioSource source(scenario);
  return Runner(source, sweep, options).run();
}

}  // namespace urja

#include "scenarios/run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "scenarios/checkpoint.hpp"
#include "scenarios/fault_log.hpp"
#include "scenarios/planning/policy_run.hpp"

namespace urja {
namespace {

std::vector<std::pair<std::string, std::string>> identity_of(const Scenario& s, const std::string& version) {
  std::vector<std::pair<std::string, std::string>> all{{"the program", version},
                                                       {"the scenario's text", s.text},
                                                       {"--set", fmt::format("{}", fmt::join(s.set, "\n"))},
                                                       {"the seed", fmt::format("{}", s.seed)},
                                                       {"--from", fmt::format("{}", s.start)},
                                                       {"--to", fmt::format("{}", s.end)}};
  for (const auto& [file, hash] : s.data_hashes) all.emplace_back(file, hash);
  return all;
}

}  // namespace

void describe_run(Recorder& recorder, const Scenario& scenario, const std::string& version, const std::string& machine) {
  recorder.attribute("title", scenario.title);
  recorder.attribute("scenario", scenario.text);
  if (!scenario.included.empty()) recorder.attribute("included", nlohmann::json(scenario.included).dump());
  recorder.attribute("scenario_file", scenario.file);
  recorder.attribute("zone", scenario.zone);
  if (!scenario.currency.empty()) recorder.attribute("currency", scenario.currency);
  recorder.attribute("seed", static_cast<std::int64_t>(scenario.seed));
  recorder.attribute("version", version);
  recorder.attribute("machine", machine);
  recorder.attribute("step_s", scenario.step);
  recorder.attribute("record_s", scenario.record);
  recorder.attribute("asset_kinds", nlohmann::json(scenario.models).dump());
  recorder.attribute("notes", nlohmann::json(scenario.notes).dump());
  recorder.attribute("data_hashes", nlohmann::json(scenario.data_hashes).dump());
  recorder.attribute("set", nlohmann::json(scenario.set).dump());
}

std::vector<Channel> result_channels(const Scenario& scenario, const std::vector<std::string>& choices) {
  std::vector<Channel> channels = chosen_channels(*scenario.plan, choices);
  for (Channel& c : channels) {  // a result knows its currency
    if (c.unit.rfind("money", 0) == 0 && !scenario.currency.empty()) c.unit.replace(0, 5, scenario.currency);
  }
  return channels;
}

nlohmann::json key_figures(const Scenario& scenario, const Batch& batch, const KpiCounter& counter, int lane, std::int64_t steps,
                           std::string& trouble) {
  nlohmann::json kpis = counter.result(batch, lane);
  kpis["scenario"] = scenario.name;
  kpis["seed"] = scenario.seed;
  kpis["steps"] = steps;
  if (!scenario.currency.empty()) kpis["currency"] = scenario.currency;
  kpis["ledger_worst_of_bound"] = batch.ledger_worst(lane);
  kpis["state_hash"] = fmt::format("{:016x}", batch.hash(lane));
  for (const auto& [key, name] : {std::pair{"ledger_residual", "energy"}, {"heat_residual", "heat"}}) {
    if (kpis[key].get<double>() > 1e-9 && trouble.empty())
      trouble = fmt::format("the {} ledger misses {:.1e} of the throughput", name, kpis[key].get<double>());
  }
  return kpis;
}

RunResult run_scenario(const Scenario& scenario, const RunOptions& options, nlohmann::json& kpis) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); };

  FaultLog faults(scenario);
  Batch batch(scenario.plan, faults.lanes());
  Batch::Start start;
  start.key = scenario.seed;
  for (int lane = 0; lane < batch.lanes(); ++lane) batch.reset(lane, start);
  faults.disarm(batch);

  KpiCounter counter(*scenario.plan, batch.lanes());
  std::vector<Channel> channels = result_channels(scenario, scenario.channels);
  for (Channel& c : faults.channels(*scenario.plan, channels)) channels.push_back(std::move(c));
  std::vector<Quantity> sums = metered(channels);
  const int first_kpi = static_cast<int>(sums.size());
  sums.insert(sums.end(), counter.metered().begin(), counter.metered().end());
  Meter meter(*scenario.plan, batch.blocks(), sums);

  PolicyRun policy(scenario, batch);
  if (options.resume && policy.remembers())
    throw CheckpointError("a run under '" + scenario.policy->name +
                          "' cannot go on: what it plans next depends on its last plan");

  Checkpoint checkpoint;
  const std::string checkpoint_path = options.out.empty() ? "" : Checkpoint::path_for(options.out);
  const auto identity = identity_of(scenario, options.version);
  std::unique_ptr<Recorder> recorder;
  RunResult result;
  result.resumable = !policy.remembers();
  if (options.resume) {
    checkpoint = Checkpoint::read(checkpoint_path);
    checkpoint.must_be(identity);
    const std::size_t of_one = batch.snapshot_size();
    if (checkpoint.lane.size() != of_one * static_cast<std::size_t>(batch.lanes()))
      throw CheckpointError(checkpoint_path + " is of another plant");
    for (int lane = 0; lane < batch.lanes(); ++lane)
      batch.restore(lane, std::span(checkpoint.lane).subspan(of_one * static_cast<std::size_t>(lane), of_one));
    recorder = std::make_unique<Recorder>(options.out, batch, channels, checkpoint.rows, checkpoint.rest, 0);
    counter.set_sums(checkpoint.sums);
    faults.set_state(nlohmann::json::parse(checkpoint.faults));
    result.steps = checkpoint.steps;
  } else if (!options.out.empty()) {
    std::remove(checkpoint_path.c_str());  // of a run that this one replaces
    recorder = std::make_unique<Recorder>(options.out, batch, channels, 0);
    describe_run(*recorder, scenario, options.version, options.machine);
  }

  const auto all = static_cast<std::int64_t>(std::llround((scenario.end - scenario.start) / scenario.step));
  const auto per_record = std::max<std::int64_t>(1, std::llround(scenario.record / scenario.step));
  const Clock::time_point begin = Clock::now();
  double told = -1, saved = 0;
  checkpoint.identity = identity;
  const double wall_before = checkpoint.wall_s;
  const auto save = [&] {
    recorder->flush();
    checkpoint.steps = result.steps;
    checkpoint.rows = recorder->rows();
    checkpoint.rest = recorder->waiting();
    checkpoint.wall_s = wall_before + seconds_since(begin);
    const std::size_t of_one = batch.snapshot_size();
    checkpoint.lane.resize(of_one * static_cast<std::size_t>(batch.lanes()));
    for (int lane = 0; lane < batch.lanes(); ++lane)
      batch.save(lane, std::span(checkpoint.lane).subspan(of_one * static_cast<std::size_t>(lane), of_one));
    checkpoint.sums = counter.sums();
    checkpoint.faults = faults.state().dump();
    try {
      checkpoint.write(checkpoint_path);
    } catch (const CheckpointError& e) { throw RecordError(e.what()); }
  };
  while (result.steps < all) {
    const int steps = static_cast<int>(std::min(per_record, all - result.steps));
    const double time = batch.time(0);
    meter.clear();
    policy.step(batch, result.steps, steps, options.threads, meter);
    counter.add(meter, first_kpi, scenario.step);
    if (recorder) recorder->append(time, batch, meter, steps);
    faults.watch(batch, steps * scenario.step);
    if (batch.status(0) != Trouble::none) {
      result.trouble = batch.trouble(0);
      if (recorder) recorder->event(batch.time(0), "", "trouble", result.trouble);
      break;
    }
    result.steps += steps;
    const double now = seconds_since(begin);
    if (recorder && result.resumable && now - saved > options.checkpoint_every && result.steps < all) {
      save();
      saved = now;
    }
    if (options.progress && (now - told > 0.1 || result.steps == all)) {
      told = now;
      if (!options.progress(result.steps, all)) break;
    }
  }
  result.wall_s = wall_before + seconds_since(begin);
  if (recorder && result.resumable && result.steps < all && result.trouble.empty()) save();
  result.until = batch.time(0);
  result.finished = result.steps == all;

  std::string doubt;
  kpis = key_figures(scenario, batch, counter, 0, result.steps, doubt);
  faults.add_to(kpis, scenario, batch, counter, result.steps);
  if (result.finished) policy.add_to(kpis);
  kpis["wall_s"] = result.wall_s;
  kpis["steps_per_s"] = result.wall_s > 0 ? static_cast<double>(result.steps) / result.wall_s : 0.0;
  if (!doubt.empty() && result.trouble.empty()) result.trouble = doubt, result.finished = false;
  if (recorder) {
    faults.write_events(*recorder);
    recorder->attribute("kpis", kpis.dump());
    recorder->attribute("complete", static_cast<std::int64_t>(result.finished));
    const bool ended = result.steps == all || !result.trouble.empty() || !result.resumable;
    // The checkpoint goes before the part: at no moment is there one that could not be gone on from.
    recorder->finish(true);
    if (ended) {
      std::remove(checkpoint_path.c_str());
      std::remove((options.out + ".part").c_str());
    }
  }
  return result;
}

}  // namespace urja

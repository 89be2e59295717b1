#include "scenarios/fault_log.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/calendar.hpp"
#include "scenarios/run.hpp"

namespace urja {
namespace {

constexpr std::size_t most_compared = width - 2;
// What is compared: key of the KPIs, and how the difference is called.
constexpr std::pair<const char*, const char*> compared[] = {
    {"cost_total", "cost_more"},       {"unserved_kwh", "unserved_more_kwh"}, {"pv_kwh", "pv_lost_kwh"},
    {"import_kwh", "import_more_kwh"}, {"ev_unmet_kwh", "ev_unmet_more_kwh"}, {"fuel_l", "fuel_more_l"}};

}  // namespace

FaultLog::FaultLog(const Scenario& scenario) : start_(scenario.start), zone_(scenario.zone) {
  for (const Scenario::Fault& f : scenario.faults) {
    const auto find = [&](const char* name) { return *scenario.plan->find(f.name + "." + name); };
    faults_.push_back({f, find("active"), find("begins"), find("ends"), find("occurrence")});
  }
  if (faults_.empty()) return;
  lanes_ = 2 + (faults_.size() <= most_compared ? static_cast<int>(faults_.size()) : 0);
  for (const Plan::Asset& a : scenario.plan->assets) {
    for (const Member& m : a.type->members) {
      if (!a.type->controller || m.kind != Kind::output || m.wire.empty()) continue;
      commands_.push_back(
          {*scenario.plan->find(a.name + "." + m.name), std::vector<Command::Otherwise>(static_cast<std::size_t>(lanes_ - 1))});
    }
  }
}

std::vector<Channel> FaultLog::channels(const Plan& plan, const std::vector<Channel>& recorded) const {
  if (lanes_ == 1) return {};
  std::vector<Channel> all = compared_channels(plan, "without_faults", 1);
  // What was measured is compared with the plant without its faults, too: weather taken out, it then tells what they do.
  constexpr std::string_view top = "reference/";
  for (const Channel& reference : recorded) {
    if (!reference.group.starts_with(top)) continue;
    Channel c = reference;
    const std::string asset = c.group.substr(top.size());
    c.quantity = *plan.measured(asset + "." + c.name);
    c.group = "without_faults/" + asset;
    c.doc = "without any fault: " + c.quantity.doc;
    c.kind = "without_faults";
    c.lane = 1;
    const auto same = [&](const Channel& other) { return other.group == c.group && other.name == c.name; };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(c));
  }
  return all;
}

void FaultLog::disarm(Batch& batch) const {
  if (lanes_ > 1) batch.disarm(1);
  for (int lane = 2; lane < lanes_; ++lane) batch.disarm(lane, lane - 2);
}

void FaultLog::watch(const Batch& batch, double seconds) {
  for (Command& c : commands_) {
    const double with = batch.get(0, c.quantity);
    for (int lane = 1; lane < lanes_; ++lane) {
      const double without = batch.get(lane, c.quantity);
      // A continuous command is never quite the same again: what counts is more than a hundredth.
      if (std::abs(with - without) <= 0.01 * std::max(std::abs(with), std::abs(without)) + 1e-6) continue;
      Command::Otherwise& other = c.lanes[static_cast<std::size_t>(lane - 1)];
      if (other.seconds == 0) other.first = batch.time(0) - seconds, other.with = with, other.without = without;
      other.seconds += seconds;
    }
  }
  for (One& one : faults_) {
    const double ended = std::max(0.0, batch.get(0, one.occurrence)), active = batch.get(0, one.active);
    const auto event = [&](double time, const char* what) {
      events_.push_back({start_ + time, one.fault.name, fmt::format("{} on {} {}", one.fault.kind, one.fault.on, what)});
    };
    if (one.come > one.ended && ended > one.ended) event(one.end, "ends");
    if (ended + active > one.come && active > 0.5) event(batch.get(0, one.begins), "begins");
    one.come = ended + active;
    one.ended = ended;
    one.end = batch.get(0, one.ends);
  }
}

void FaultLog::write_events(Recorder& recorder) const {
  for (const Event& e : events_) recorder.event(e.time, e.fault, "fault", e.text);
}

nlohmann::json FaultLog::state() const {
  nlohmann::json all{
      {"faults", nlohmann::json::array()}, {"events", nlohmann::json::array()}, {"commands", nlohmann::json::array()}};
  for (const Command& c : commands_) {
    for (const auto& o : c.lanes) all["commands"].push_back({o.seconds, o.first, o.with, o.without});
  }
  for (const One& one : faults_) all["faults"].push_back({one.come, one.ended, one.end});
  for (const Event& e : events_) all["events"].push_back({e.time, e.fault, e.text});
  return all;
}
void FaultLog::set_state(const nlohmann::json& state) {
  for (std::size_t k = 0; k < faults_.size(); ++k) {
    const auto& one = state.at("faults").at(k);
    faults_[k].come = one.at(0), faults_[k].ended = one.at(1), faults_[k].end = one.at(2);
  }
  std::size_t at = 0;
  for (Command& c : commands_) {
    for (auto& o : c.lanes) {
      const auto& one = state.at("commands").at(at++);
      o = {one.at(0), one.at(1), one.at(2), one.at(3)};
    }
  }
  for (const auto& e : state.at("events")) events_.push_back({e.at(0), e.at(1), e.at(2)});
}

nlohmann::json FaultLog::decisions(int lane) const {
  nlohmann::json all = nlohmann::json::array();
  const auto zone = Zone::find(zone_);
  for (const Command& c : commands_) {
    const Command::Otherwise& o = c.lanes[static_cast<std::size_t>(lane - 1)];
    if (o.seconds == 0) continue;
    all.push_back({{"command", c.quantity.asset + "." + c.quantity.name},
                   {"unit", c.quantity.unit},
                   {"otherwise_h", o.seconds / 3600},
                   {"first", zone ? zone->text(static_cast<std::int64_t>(o.first)) : ""},
                   {"with", o.with},
                   {"without", o.without}});
  }
  return all;
}

void FaultLog::add_to(nlohmann::json& kpis, const Scenario& scenario, const Batch& batch, const KpiCounter& counter,
                      std::int64_t steps) const {
  if (faults_.empty()) return;
  std::string ignored;
  const nlohmann::json without = key_figures(scenario, batch, counter, 1, steps, ignored);
  for (const auto& [key, name] : compared) {
    if (without.contains(key)) kpis["without_faults"][key] = without[key];
  }
  if (!commands_.empty()) kpis["without_faults"]["decisions"] = decisions(1);
  for (std::size_t k = 0; k < faults_.size(); ++k) {
    const One& one = faults_[k];
    nlohmann::json all{{"id", one.fault.name},
                       {"kind", one.fault.kind},
                       {"on", one.fault.on},
                       {"times", batch.disturbed_for(0, one.fault.name) > 0 ? one.come : 0.0},
                       {"active_h", batch.disturbed_for(0, one.fault.name) / 3600}};
    if (lanes_ > 2) {
      if (!commands_.empty()) all["decisions"] = decisions(static_cast<int>(k) + 2);
      const nlohmann::json other = key_figures(scenario, batch, counter, static_cast<int>(k) + 2, steps, ignored);
      for (const auto& [key, name] : compared) {
        if (!kpis.contains(key) || !other.contains(key)) continue;
        const double more = kpis[key].get<double>() - other[key].get<double>();
        all[name] = std::string_view(name).find("lost") != std::string_view::npos ? -more : more;
      }
    }
    kpis["faults"].push_back(all);
  }
}

}  // namespace urja

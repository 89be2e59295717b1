#include "scenarios/kpi.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace urja {

KpiScale kpi_scale(const Quantity& q) {
  if (q.kind != Kind::state) return {1 / 3.6e6, "kWh"};
  if (q.unit == "W") return {1e-3, "kW"};
  if (q.unit == "Wh") return {1e-3, "kWh"};
  if (q.unit == "s") return {1 / 3600.0, "h"};
  return {1, q.unit};
}

KpiCounter::KpiCounter(const Plan& plan, int lanes) : lanes_(lanes) {
  const auto zone_of = [&](const Quantity& q) -> std::string {
    const Plan& home = q.fleet < 0 ? plan : *plan.fleets[static_cast<std::size_t>(q.fleet)].plan;
    const std::string name = q.fleet < 0 ? q.asset : q.asset.substr(q.asset.find('.') + 1);
    const Plan::Asset* a = home.asset(name);
    return a ? a->tag : "";
  };
  const auto meter = [&](const Quantity& q, const std::string& key, const std::string& zone) {
    metered_.push_back(q);
    sums_.push_back({key, zone, q.fleet < 0 ? 1 : plan.fleets[static_cast<std::size_t>(q.fleet)].members});
  };
  for (const Quantity& q : plan.quantities()) {
    if (q.kpi.empty()) continue;
    if (q.kind == Kind::state) at_end_.push_back(q);
    else meter(q, q.kpi, q.kpi == "unserved_kwh" ? zone_of(q) : "");
  }
  meter(*plan.find("plant.unserved_power"), "plant_unserved", "");
  meter(*plan.find("plant.interrupted"), "interrupted", "");
  meter(*plan.find("plant.spilled_power"), "spilled_kwh", "");
  joules_.assign(static_cast<std::size_t>(lanes) * sums_.size(), 0.0);
}

void KpiCounter::add(const Meter& meter, int first, double dt) {
  for (int lane = 0; lane < lanes_; ++lane) {
    for (std::size_t k = 0; k < sums_.size(); ++k) {
      double sum = 0;
      for (int m = 0; m < sums_[k].members; ++m) sum += meter.sum(lane, first + static_cast<int>(k), m);
      joules(lane, k) += sum * dt;
    }
  }
}

std::vector<double> KpiCounter::sums() const { return joules_; }

void KpiCounter::set_sums(const std::vector<double>& sums) {
  if (sums.size() != joules_.size()) throw std::invalid_argument("sums of another plant");
  joules_ = sums;
}

nlohmann::json KpiCounter::result(const Batch& batch, int lane) const {
  std::map<std::string, double> value;
  nlohmann::json by_zone = nlohmann::json::object();
  for (std::size_t k = 0; k < sums_.size(); ++k) {
    const Sum& s = sums_[k];
    const double joules = joules_[static_cast<std::size_t>(lane) * sums_.size() + k];
    if (s.key == "interrupted") {
      value["unserved_h"] += joules / 3600;
      continue;
    }
    const double kwh = joules / 3.6e6;
    if (s.key == "plant_unserved") value["unserved_kwh"] += kwh;
    else if (s.key == "unserved_kwh") by_zone[s.zone] = by_zone.value(s.zone, 0.0) + kwh;
    else value[s.key] += kwh;
  }
  std::map<std::string, int> counted;
  for (const Quantity& q : at_end_) {
    const int each = q.mean ? batch.plan().fleets[static_cast<std::size_t>(q.fleet)].members : 1;
    value[q.kpi] += batch.get(lane, q) * each * kpi_scale(q).factor;
    if (q.unit == "1") counted[q.kpi] += each;
  }
  for (const auto& [key, n] : counted) value[key] /= n;  // cycles: of the mean battery, a fleet's members each counted
  // Nothing to say as long as no parameter has jumped.
  if (const auto jumps = value.find("parameter_change_kwh"); jumps != value.end() && jumps->second == 0) value.erase(jumps);
  const auto of = [&](const char* key) { return value.count(key) ? value.at(key) : 0.0; };
  if (value.count("pv_kwh") && of("pv_kwh") > 0) {
    // Share of the PV energy that stayed on site and was used there.
    value["self_consumption"] = std::clamp(1 - (of("export_kwh") + of("spilled_kwh")) / of("pv_kwh"), 0.0, 1.0);
  }
  const double used = of("served_kwh") + of("ev_kwh");
  // Share of what was consumed that neither the grid nor fuel has provided.
  if (used > 0) value["self_sufficiency"] = std::clamp(1 - (of("import_kwh") + of("genset_kwh")) / used, 0.0, 1.0);
  if (value.count("cost_energy") || value.count("cost_fuel")) {
    double total = 0;
    for (const CostPart& part : cost_parts) total += part.sign * of(part.kpi);
    value["cost_total"] = total;
  }
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [key, number] : value) all[key] = number;
  if (!by_zone.empty()) all["unserved_kwh_by_zone"] = by_zone;
  all["ledger_residual"] = batch.ledger_residual(lane);
  all["heat_residual"] = batch.heat_residual(lane);
  all["faults"] = nlohmann::json::array();
  return all;
}

}  // namespace urja

#include "scenarios/planning/dispatch_dp.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace urja {
namespace {

constexpr double impossible = 1e15;  // money: more than any plan costs

void refuse(const char* what) { throw std::invalid_argument(std::string("dynamic programming: ") + what); }

}  // namespace

void DispatchDp::check(const DispatchProblem& problem) {
  if (problem.storages.size() != 1) refuse("it plans exactly one storage");
  if (!problem.sessions.empty()) refuse("charging sessions would each be a state of their own");
  if (std::isfinite(problem.grid.change_limit)) refuse("a limit on changes of the grid's power would make it a state");
}

DispatchDp::DispatchDp(DispatchProblem problem, DpOptions options) : problem_(std::move(problem)), options_(std::move(options)) {
  check(problem_);
  if (problem_.storages.front().holding_value != 0) refuse("it has no equals to decide between: a holding value is not for it");
  if (options_.levels < 2 || options_.moves < 2) refuse("it needs two levels and two moves at least");
  const bool charged = !problem_.grid.windows.empty() && problem_.grid.demand_charge > 0;
  if (charged && options_.peaks.size() != problem_.grid.peak_reached.size())
    refuse("a demand charge needs a given peak for each billing month");
  const auto& store = problem_.storages.front();
  if (!(store.energy_max > store.energy_min)) refuse("the storage holds nothing");
  window_of_.assign(static_cast<std::size_t>(problem_.intervals), -1);
  for (std::size_t w = 0; w < problem_.grid.windows.size() && charged; ++w) {
    for (int t = problem_.grid.windows[w].first; t < problem_.grid.windows[w].last; ++t)
      window_of_[static_cast<std::size_t>(t)] = static_cast<int>(w);
  }
  for (const auto& z : problem_.zones) dearest_ = std::max(dearest_, z.value_of_lost_load);

  const int levels = options_.levels;
  level_ = (store.energy_max - store.energy_min) / (levels - 1);
  const double hours = problem_.hours();
  values_.assign(static_cast<std::size_t>(problem_.intervals) + 1, std::vector<double>(static_cast<std::size_t>(levels)));
  for (int i = 0; i < levels; ++i) {
    const double energy = store.energy_min + i * level_;
    values_.back()[static_cast<std::size_t>(i)] =
        1e-3 * (store.missing_price * std::max(0.0, store.energy_wanted - energy) - store.terminal_value * energy);
  }

  // The next interval's values with room on both sides, where the store would be below empty or above full: that costs as lost load does, so
  // that nobody goes there who need not.
  std::vector<double> moves;
  for (int k = 0; k < options_.moves; ++k)
    moves.push_back(-store.charge_max + k * (store.charge_max + store.discharge_max) / (options_.moves - 1));
  const double farthest = std::max(std::abs(drain(-store.charge_max)), std::abs(drain(store.discharge_max))) * hours / level_;
  const auto room = static_cast<Eigen::Index>(std::ceil(farthest)) + 2;
  Eigen::ArrayXd next(levels + 2 * room), best(levels);
  for (int t = problem_.intervals - 1; t >= 0; --t) {
    const auto& later = values_[static_cast<std::size_t>(t) + 1];
    for (Eigen::Index i = 0; i < next.size(); ++i) {
      const Eigen::Index inside = std::clamp<Eigen::Index>(i - room, 0, levels - 1);
      next[i] =
          later[static_cast<std::size_t>(inside)] + 1e-3 * dearest_ * level_ * static_cast<double>(std::abs(i - room - inside));
    }
    const Stage here = stage(t, 0);
    best.setConstant(impossible);
    const auto try_move = [&](double power) {
      const double cost = cost_of(here, power);
      if (cost >= impossible) return;
      const double shift = -drain(power) * hours / level_, whole = std::floor(shift), rest = shift - whole;
      const Eigen::Index from = room + static_cast<Eigen::Index>(whole);
      best = best.min(cost + (1 - rest) * next.segment(from, levels) + rest * next.segment(from + 1, levels));
    };
    for (const double power : moves) try_move(power);
    for (const double power : special_moves(here)) try_move(power);
    Eigen::Map<Eigen::ArrayXd>(values_[static_cast<std::size_t>(t)].data(), levels) = best;
  }
}

double DispatchDp::drain(double power) const {
  if (options_.drain) return options_.drain(power);
  const auto& s = problem_.storages.front();
  return s.constant_loss + (power > 0 ? power / s.discharge_efficiency : power * s.charge_efficiency);
}

DispatchDp::Stage DispatchDp::stage(int t, double peak) const {
  const auto k = static_cast<std::size_t>(t);
  const auto& grid = problem_.grid;
  Stage s;
  s.export_most = grid.export_limit[k];
  s.export_price = grid.export_price[k];
  if (window_of_[k] >= 0) {
    const auto& window = grid.windows[static_cast<std::size_t>(window_of_[k])];
    s.peak = std::max(peak, options_.peaks[static_cast<std::size_t>(window.month)]);
    s.peak_price = grid.demand_charge / (window.last - window.first);
  }
  if (problem_.pv[k] > 0) s.sources.push_back({Source::Kind::pv, 0, problem_.pv[k], 0});
  if (grid.import_limit[k] > 0) s.sources.push_back({Source::Kind::import, 0, grid.import_limit[k], grid.import_price[k]});
  for (std::size_t g = 0; g < problem_.gensets.size(); ++g)
    s.sources.push_back(
        {Source::Kind::genset, static_cast<int>(g), problem_.gensets[g].rating[k], problem_.gensets[g].fuel_cost});
  for (std::size_t z = 0; z < problem_.zones.size(); ++z) {
    s.demand += problem_.zones[z].demand[k];
    s.sources.push_back(
        {Source::Kind::lost, static_cast<int>(z), problem_.zones[z].demand[k], problem_.zones[z].value_of_lost_load});
  }
  std::stable_sort(s.sources.begin(), s.sources.end(), [](const Source& a, const Source& b) { return a.price < b.price; });
  return s;
}

// Powers of the storage at which the rest of the plant has a kink.
std::vector<double> DispatchDp::special_moves(const Stage& s) const {
  const auto& store = problem_.storages.front();
  double pv = 0;
  for (const Source& one : s.sources) pv += one.kind == Source::Kind::pv ? one.most : 0;
  std::vector<double> moves{0, s.demand - pv, s.demand};
  if (std::isfinite(s.peak)) moves.push_back(s.demand - pv - s.peak);
  std::erase_if(moves, [&](double p) { return p < -store.charge_max || p > store.discharge_max; });
  return moves;
}

double DispatchDp::cost_of(const Stage& s, double power, Decision* decision) const {
  const double hours = 1e-3 * problem_.hours();
  double need = s.demand - power, money = 0, exported = 0, imported = 0;
  if (need < 0) {
    exported = -need;
    if (exported > s.export_most * (1 + 1e-12)) return impossible;
    need = 0;
  }
  for (const Source& one : s.sources) {
    double used = std::min(one.most, need);
    need -= used;
    // What is left is sold, unless it comes from the grid itself, or is a demand that somebody gave up.
    const bool sells = one.kind == Source::Kind::pv || one.kind == Source::Kind::genset;
    if (sells && one.price < s.export_price) {
      const double sold = std::min(one.most - used, s.export_most - exported);
      used += sold;
      exported += sold;
    }
    money += one.price * used;
    if (one.kind == Source::Kind::import) imported = used;
    if (!decision) continue;
    if (one.kind == Source::Kind::pv) decision->pv = used;
    if (one.kind == Source::Kind::genset) decision->gensets[static_cast<std::size_t>(one.index)] = used;
  }
  if (need > 1e-9 * (1 + s.demand)) return impossible;  // more is to be charged than anybody gives
  if (decision) decision->grid = imported - exported;
  const auto& store = problem_.storages.front();
  return hours * (money - s.export_price * exported + store.wear * std::max(power, 0.0)) +
         1e-3 * s.peak_price * std::max(0.0, imported - s.peak);
}

double DispatchDp::value(int t, double energy) const {
  const auto& v = values_[static_cast<std::size_t>(t)];
  const double x = (energy - problem_.storages.front().energy_min) / level_, last = static_cast<double>(v.size() - 1);
  const double inside = std::clamp(x, 0.0, last);
  const auto k = std::min(static_cast<std::size_t>(inside), v.size() - 2);
  return v[k] + (v[k + 1] - v[k]) * (inside - static_cast<double>(k)) + 1e-3 * dearest_ * level_ * std::abs(x - inside);
}

DispatchDp::Decision DispatchDp::best(int t, double energy, double peak) const {
  const auto& store = problem_.storages.front();
  const Stage here = stage(t, peak);
  std::vector<double> moves = special_moves(here);
  for (int k = 0; k < options_.moves; ++k)
    moves.push_back(-store.charge_max + k * (store.charge_max + store.discharge_max) / (options_.moves - 1));
  // Between the two moves beside the best one, ever closer: the value is nearly convex there.
  const double hours = problem_.hours();
  const auto total = [&](double power) {
    const double cost = cost_of(here, power);
    return cost >= impossible ? impossible : cost + value(t + 1, energy - drain(power) * hours);
  };
  double power = 0, least = impossible;
  const auto consider = [&](double p) {
    p = std::clamp(p, -store.charge_max, store.discharge_max);
    if (const double cost = total(p); cost < least) least = cost, power = p;
  };
  for (const double p : moves) consider(p);
  double width = (store.charge_max + store.discharge_max) / (options_.moves - 1);
  for (int round = 0; round < 12; ++round, width /= 2) {
    const double centre = power;
    consider(centre - width / 2);
    consider(centre + width / 2);
  }
  Decision d;
  d.gensets.assign(problem_.gensets.size(), 0.0);
  d.power = power;
  d.cost = least;
  cost_of(here, power, &d);
  return d;
}

}  // namespace urja

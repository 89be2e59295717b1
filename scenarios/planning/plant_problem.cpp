// The bound, term by term. A plant's run gives a point of the linear program whose cost is not above the run's cost, so the program's
// optimum is below every controller's cost. "Its mean" is the mean over the steps of an interval; constraints below are linear, and what
// holds in every step holds for the means. Every point of the program that is built from a run:
//
//   grid      import and export = means of max(p, 0) and max(-p, 0), each within the mean of its limit (power_max, power_min: outage and
//             reconnection are in them). Energy is billed by the sign of each step's power, so with a price that is constant within the
//             interval the cost is exact; where it is not, the lowest price of import and the highest of export are taken. This needs no
//             order of the two prices. Where export is dearer than import (in some step of the interval), the program would send power in a
//             circle, which a plant cannot: a step's point lies on one of two axes, I = import/most import or X = export/most export, so
//             I + X <= 1 for it and for every mean. "Most" is the smaller of the limit and of all that can be consumed (given) in a step;
//             the grid stands in the merit list, which never lets it import (export) what nobody takes (gives).
//   demand    the peak of a month is not below the mean import of any of its windows; a longer interval's mean is not above the highest of
//             the windows in it. Windows that are still open at the end of the run are billed by nobody and left out here too.
//   PV        power_max is never above available_power, which depends on light and temperature only; taken where it is above 0 (at
//             night an inverter draws its tare: here it does not).
//   load      lost = wanted - served, priced by the same key in `scored_cost`.
//   genset    fuel >= marginal_fuel P; no idle fuel, no minimum load, no start; P <= derate rating.
//   charger   a vehicle takes at most min(rating, its charger) while it is there and at most what it wants; the lowest current and the
//             falling acceptance of a full battery are left out. A feeder's limit holds for the sum of its chargers where nothing else hangs on
//             it; all other feeders are left out. What a vehicle that stays beyond the end does not get is unmet for nobody.
//   spill     what nobody takes comes from a genset's minimum load or from PV: the program's genset and PV give that much less, which
//             costs no more.
//   battery   energy = E + W, E the content below the open-circuit voltage, W = cells/2 C V1^2 with one constant C for all states.
//             In a step, dE = -(I + leakage) OCV dt and, with u = I R1, the pair's energy changes by (I V - h) dt C/C1, where V is the mean
//             of V1 and h >= V^2/R1 its heat (cell.hpp), k = C/C1 of the step:
//               d(E + W)/dt = -P_cells - leakage OCV - I^2 R0 + (k - 1) I V - k h  <=  -P_cells - I^2 (R0 - R1 (k - 1)^2/(4 k)),
//             the last by the V that makes it largest. So the cells are passive, d(E + W)/dt <= -P_cells, if some C has
//               R1 (k - 1)^2/(4 k) <= R0   for every state of charge and temperature of the tables.
//             tests/unit/test_planning.cpp finds such a C for every parameter set that ships. [dissipation inequality, Willems 1972]
//             Converter: P_cells = p + rating (standby min(x/x_b, 1) + quadratic x^2) + own use, x = |p|/rating, own use >= 0. The loss over
//             |p| is least at x = sqrt(standby/quadratic) (or at the nearest end of [x_b, 1]; below x_b it is not smaller than there); with
//             this least share m, charging c brings at most (1 - m) c and discharging d takes at least (1 + m) d. All other losses only take
//             from the store: its balance is an inequality (may_waste).
//             Bounds: a discharging step ends at state_of_charge_min or above, so with max(E + W, E(min)) for energy the balance still
//             holds and the lower bound is kept; charging ends at state_of_charge_max or below; a start outside widens the window. V1 lags
//             behind I R1, so W is at most `pair_share` of the content at the cells' largest current (same test), and falls with the
//             square of what the rating lets flow. Power is within the rating. No dependence on temperature or age: OCV and capacity
//             have none.
//   fleets    of members' batteries the sum of energies moves within the sum of bounds, with the best member's efficiencies.
//
// Refused: faults (they change what is said above), loads that shift their demand, several grids.
#include "scenarios/planning/plant_problem.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "engine/batch.hpp"

namespace urja {
namespace {

constexpr double burst = 0.02;  // x_b of the battery's converter
constexpr double pair_share =
    0.006;  // of the energy between empty and full, that RC pairs hold beside it at most, at the largest current

const char* const zone_order[] = {"critical", "semi_critical", "non_critical", "deferrable"};

// Least loss of the converter over the power at the bus.
double least_share(const BatteryFacts& f) {
  const double best = f.quadratic > 0 ? std::clamp(std::sqrt(f.standby / f.quadratic), burst, 1.0) : 1.0;
  return f.standby / best + f.quadratic * best;
}

double value_of(const Plan& home, const Plan::Asset& asset, int member, const char* name) {
  const int row = home.row_of(asset, name);
  if (row < 0) throw std::invalid_argument(asset.name + " has no " + name);
  const auto own = home.member_starts.find(row);
  return own != home.member_starts.end() ? own->second[static_cast<std::size_t>(std::max(member, 0))]
                                         : home.starts[static_cast<std::size_t>(row)];
}

struct Extent {
  std::vector<double> mean, low, high;
};
// Of a series of steps, over each interval.
Extent over_intervals(const std::vector<double>& steps, int per_interval) {
  Extent e;
  for (std::size_t at = 0; at < steps.size(); at += static_cast<std::size_t>(per_interval)) {
    double sum = 0, low = steps[at], high = steps[at];
    for (std::size_t k = at; k < at + static_cast<std::size_t>(per_interval); ++k) {
      sum += steps[k], low = std::min(low, steps[k]), high = std::max(high, steps[k]);
    }
    e.mean.push_back(low == high ? low : sum / per_interval);
    e.low.push_back(low);
    e.high.push_back(high);
  }
  return e;
}

}  // namespace

void StorageUnits::refit(const std::vector<double>& powers, DispatchProblem::Storage& storage) const {
  double rating = 0, taken = 0, kept = 0, given = 0, drawn = 0;
  for (const BatteryFacts& f : members) rating += f.rating;
  for (const double power : powers) {
    double lost = 0;
    for (const BatteryFacts& f : members) lost += f.loss_at(power * f.rating / rating) - f.loss_at(0);
    if (power < 0) taken -= power, kept -= power + lost;
    else given += power, drawn += power + lost;
  }
  if (kept > 0) storage.charge_efficiency = kept / taken;
  if (given > 0) storage.discharge_efficiency = given / drawn;
}

PlantProblem::PlantProblem(std::shared_ptr<const Plan> plan, Purpose purpose, double interval, const LostPrices& prices)
    : plan_(std::move(plan)),
      purpose_(purpose),
      interval_(interval),
      lost_load_(prices.lost_load),
      unmet_price_(prices.unmet_energy) {
  all_.interval = interval;
  if (purpose_ == Purpose::bound && !plan_->disturbers.empty())
    throw std::invalid_argument(plan_->disturbers.front().self.name + ": no bound is proven for a plant with faults");
  for (const char* zone : zone_order) {
    zones_.push_back(zone);
    all_.zones.emplace_back();
  }
  take_assets(*plan_, -1, "");
  for (std::size_t f = 0; f < plan_->fleets.size(); ++f)
    take_assets(*plan_->fleets[f].plan, static_cast<int>(f), plan_->fleets[f].name + ".");
  take_series();
  if (has_chargers_) take_sessions();

  double dearest = 0;
  if (has_grid()) dearest = *std::max_element(all_.grid.import_price.begin(), all_.grid.import_price.end());
  for (const auto& g : all_.gensets) dearest = std::max(dearest, g.fuel_cost);
  if (dearest <= 0) dearest = 1;
  // A kWh that is not served in one window of the demand charge may save this much of it.
  const double of_peak = windows_.empty() ? 0 : all_.grid.demand_charge / (all_.grid.window / 3600);
  const double base = 10 * dearest + of_peak;
  if (lost_load_ <= 0) lost_load_ = 4 * base;
  if (unmet_price_ <= 0) unmet_price_ = base;
  for (std::size_t z = zones_.size(); z-- > 0;) {
    all_.zones[z].value_of_lost_load = lost_load_price(zones_[z]);
    const auto& demand = all_.zones[z].demand;
    if (std::all_of(demand.begin(), demand.end(), [](double d) { return d == 0; })) {
      zones_.erase(zones_.begin() + static_cast<std::ptrdiff_t>(z));
      all_.zones.erase(all_.zones.begin() + static_cast<std::ptrdiff_t>(z));
    }
  }
}

double PlantProblem::lost_load_price(const std::string& zone) const {
  for (int k = 0; k < 4; ++k) {
    if (zone == zone_order[k]) return lost_load_ * (4 - k) / 4;
  }
  return lost_load_;
}

void PlantProblem::take_assets(const Plan& home, int fleet, const std::string& prefix) {
  for (const Plan::Asset& asset : home.assets) {
    const std::string &model = asset.type->name, name = prefix + asset.name;
    if (asset.type->ports.empty()) continue;  // controllers
    const auto meter = [&](const char* what) { return plan_->find(name + "." + what).value(); };
    const bool shifts = model == "shiftable_load" || model == "deferrable_load";
    if (shifts && purpose_ == Purpose::bound)
      throw std::invalid_argument(name + ": no bound is proven for a " + model + ", whose demand may be moved");
    if (model == "battery") {
      take_storage(home, asset, fleet, name);
    } else if (model == "grid") {
      if (has_grid() || fleet >= 0) throw std::invalid_argument(name + ": a planner describes plants with one grid");
      grid_ = name;
    } else if (model == "load" || shifts) {
      // A load that shifts is planned with as if it stayed where it is.
      const auto zone = std::find(zones_.begin(), zones_.end(), asset.tag.empty() ? "critical" : asset.tag);
      demand_.push_back(meter(model == "deferrable_load" ? "demand" : "wanted"));
      zone_of_demand_.push_back(static_cast<int>(zone - zones_.begin()));
    } else if (model == "pv" || model == "pv_profile") {
      pv_.push_back(meter("available_power"));
    } else if (model == "genset") {
      take_genset(home, asset, fleet, name);
    } else if (model == "ev_charger") {
      has_chargers_ = true;
    } else {
      throw std::invalid_argument(name + ": a planner cannot describe a " + model);
    }
  }
}

void PlantProblem::take_storage(const Plan& home, const Plan::Asset& asset, int fleet, const std::string& name) {
  StorageUnits units{name, fleet, {}};
  const int count = fleet < 0 ? 1 : plan_->fleets[static_cast<std::size_t>(fleet)].members;
  const auto varies = [&](const auto& row_and_values) {
    return row_and_values.first >= asset.offset && row_and_values.first < asset.offset + asset.type->rows;
  };
  const bool alike = std::none_of(home.member_starts.begin(), home.member_starts.end(), varies);
  for (int m = 0; m < count; ++m) units.members.push_back(alike && m > 0 ? units.members.front() : facts_of(home, asset, m));
  DispatchProblem::Storage s;
  s.charge_efficiency = s.discharge_efficiency = 0;
  for (const BatteryFacts& f : units.members) {
    const double at_start = f.energy_at(f.state_of_charge_start), low = f.energy_at(f.state_of_charge_min),
                 high = f.energy_at(f.state_of_charge_max);
    s.charge_max += f.rating;
    s.discharge_max += f.rating;
    s.energy_start += at_start;
    if (purpose_ == Purpose::bound) {
      const double most = least_share(f);
      s.energy_min += std::min(low, at_start);
      s.energy_max +=
          std::max(high, at_start) + pair_share * f.current_share * f.current_share * (f.energy.back() - f.energy.front());
      s.charge_efficiency = std::max(s.charge_efficiency, 1 - most);
      s.discharge_efficiency = std::max(s.discharge_efficiency, 1 / (1 + most));
      s.may_waste = true;
    } else {
      s.energy_min += low;
      s.energy_max += high;
      s.charge_efficiency += f.mean_charge_efficiency() / count;
      s.discharge_efficiency += f.mean_discharge_efficiency() / count;
      s.constant_loss += std::max(0.0, f.loss_at(0));
    }
  }
  all_.storages.push_back(s);
  storages_.push_back(std::move(units));
}

void PlantProblem::take_genset(const Plan& home, const Plan::Asset& asset, int fleet, const std::string& name) {
  GensetUnits units{name, fleet, fleet < 0 ? 1 : plan_->fleets[static_cast<std::size_t>(fleet)].members, 0};
  double lowest = 1e300, sum = 0;
  for (int m = 0; m < units.members; ++m) {
    const auto value = [&](const char* what) { return value_of(home, asset, m, what); };
    const double rating = value("rating") * value("derate");
    units.rating += rating;
    lowest = std::min(lowest, value("fuel_price") * value("marginal_fuel"));
    sum += rating * value("fuel_price") * (value("marginal_fuel") + value("idle_fuel"));  // at the rating
  }
  DispatchProblem::Genset g;
  g.fuel_cost = purpose_ == Purpose::bound ? lowest : units.rating > 0 ? sum / units.rating : 0;
  all_.gensets.push_back(g);
  gensets_.push_back(units);
}

void PlantProblem::take_series() {
  std::vector<Quantity> wanted = demand_;
  wanted.insert(wanted.end(), pv_.begin(), pv_.end());
  const std::size_t first_of_grid = wanted.size();
  if (has_grid()) {
    for (const char* what : {"price", "export_price", "power_max", "power_min", "billing_month"})
      wanted.push_back(plan_->find(grid_ + "." + what).value());
  }
  const double ratio = interval_ / plan_->step;
  const auto per_interval = static_cast<int>(std::llround(ratio));
  if (per_interval < 1 || std::abs(ratio - per_interval) > 1e-6)
    throw std::invalid_argument("the interval of a plan must be a whole number of steps");
  std::vector<std::vector<double>> steps = series_of(plan_, wanted, 1);
  std::size_t length = static_cast<std::size_t>(std::llround((plan_->end - plan_->start) / plan_->step));
  if (length % static_cast<std::size_t>(per_interval) != 0)
    throw std::invalid_argument("the run must be a whole number of the plan's intervals long");
  intervals_ = static_cast<int>(length / static_cast<std::size_t>(per_interval));
  all_.intervals = intervals_;

  std::vector<double> pv(length, 0.0), demand(length, 0.0);
  std::vector<std::vector<double>> by_zone(zones_.size(), std::vector<double>(length, 0.0));
  for (std::size_t k = 0; k < first_of_grid; ++k) {
    for (std::size_t i = 0; i < length; ++i) {
      const double value = steps[k][i];
      if (k < demand_.size()) by_zone[static_cast<std::size_t>(zone_of_demand_[k])][i] += value, demand[i] += value;
      else pv[i] += std::max(value, 0.0), demand[i] += std::max(-value, 0.0);
    }
  }
  for (std::size_t z = 0; z < zones_.size(); ++z) all_.zones[z].demand = over_intervals(by_zone[z], per_interval).mean;
  demand_most_ = over_intervals(demand, per_interval).high;
  Extent sun = over_intervals(pv, per_interval);
  all_.pv = std::move(sun.mean);
  pv_most_ = std::move(sun.high);
  for (std::size_t g = 0; g < gensets_.size(); ++g)
    all_.gensets[g].rating.assign(static_cast<std::size_t>(intervals_), gensets_[g].rating);
  steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(first_of_grid));
  take_grid_series(steps, per_interval);
}

void PlantProblem::take_grid_series(const std::vector<std::vector<double>>& steps, int per_interval) {
  const auto n = static_cast<std::size_t>(intervals_);
  auto& grid = all_.grid;
  if (!has_grid()) {
    grid.import_price = grid.export_price = grid.import_limit = grid.export_limit = std::vector<double>(n, 0.0);
    return;
  }
  const Extent import = over_intervals(steps[0], per_interval), exported = over_intervals(steps[1], per_interval),
               most = over_intervals(steps[2], per_interval), least = over_intervals(steps[3], per_interval);
  const bool bound = purpose_ == Purpose::bound;
  grid.import_price = bound ? import.low : import.mean;
  grid.export_price = bound ? exported.high : exported.mean;
  grid.import_limit = most.mean;
  grid.export_limit.resize(n);
  for (std::size_t t = 0; t < n; ++t) grid.export_limit[t] = -least.mean[t];
  take_windows(steps[4]);

  // What the plant can consume and give besides the grid, where export pays more than import costs.
  double taken = 0, given = 0;
  for (const auto& s : all_.storages) taken += s.charge_max, given += s.discharge_max;
  for (const auto& g : gensets_) given += g.rating;
  for (std::size_t f = 0; f < plan_->fleets.size() + 1; ++f) {
    const Plan& home = f == 0 ? *plan_ : *plan_->fleets[f - 1].plan;
    for (const Plan::Asset& a : home.assets) {
      if (a.type->name != "ev_charger") continue;
      for (int m = 0; m < home.members; ++m) taken += value_of(home, a, m, "rated");
    }
  }
  for (std::size_t t = 0; t < n; ++t) {
    if (exported.high[t] <= import.low[t]) continue;
    if (grid.exclusive.empty()) grid.exclusive.assign(n, 0);
    grid.exclusive[t] = 1;
    grid.import_limit[t] = std::min(bound ? most.high[t] : most.mean[t], demand_most_[t] + taken);
    grid.export_limit[t] = std::min(bound ? -least.low[t] : -least.mean[t], pv_most_[t] + given);
  }
  if (!grid.exclusive.empty() && bound &&
      std::find(plan_->merit_names.begin(), plan_->merit_names.end(), grid_) == plan_->merit_names.end())
    throw std::invalid_argument(
        grid_ + ": export is dearer than import, and it does not stand in `balance`: no bound is proven for that");
}

void PlantProblem::take_windows(const std::vector<double>& month) {
  const Plan::Asset& asset = *plan_->asset(grid_);
  all_.grid.demand_charge = value_of(*plan_, asset, -1, "demand_charge");
  const double tariff = value_of(*plan_, asset, -1, "demand_window"), window = std::max(tariff, interval_);
  if (all_.grid.demand_charge <= 0) return;
  const auto whole = [](double ratio) { return std::abs(ratio - std::round(ratio)) < 1e-6; };
  const double before =
      plan_->start - std::floor(plan_->start / window + 1e-9) * window;  // s of the first window that lie before the run
  const bool fits = interval_ <= tariff ? whole(tariff / interval_) && whole(before / interval_)
                                        : whole(interval_ / tariff) && whole(plan_->start / tariff);
  if (!fits)
    throw std::invalid_argument(grid_ +
                                ": the interval of a plan must divide the windows of the demand charge, or hold whole ones");
  all_.grid.window = window;
  window_of_.assign(static_cast<std::size_t>(intervals_), -1);
  const auto step_at = [&](double time) { return static_cast<std::size_t>(std::llround(time / plan_->step)); };
  const double offset = interval_ <= tariff ? before : 0;
  for (int t = 0; t < intervals_;) {
    // [t, last) is one window.
    const double end = (std::floor((t * interval_ + offset + 1e-6) / window) + 1) * window - offset;
    const int last = static_cast<int>(std::llround(end / interval_));
    // It is billed in the month of the step in which it closes. One that is open at the end is billed by nobody, and of an interval of
    // several windows it matters only which month all of them are of.
    if (last <= intervals_) {
      const double billed = month[std::max<std::size_t>(step_at(end), 1) - 1];
      if (interval_ <= tariff || month[step_at(t * interval_)] == billed) {
        for (int k = t; k < last; ++k) window_of_[static_cast<std::size_t>(k)] = static_cast<int>(windows_.size());
        windows_.push_back({t, last, static_cast<int>(billed)});
      }
    }
    t = last;
  }
}

void PlantProblem::take_sessions() {
  sessions_ = sessions_of(plan_);
  // A feeder's limit, where chargers are all that hangs on it.
  std::map<int, int> feeder_of_fleet;
  for (std::size_t f = 0; f < plan_->fleets.size(); ++f) {
    const int bus = plan_->fleets[f].bus;
    if (bus == 0) continue;
    bool alone = true;
    for (const Plan::Asset& a : plan_->assets) alone = alone && (a.bus != bus || a.type->ports.empty());
    for (const Plan::Fleet& other : plan_->fleets) {
      for (const Plan::Asset& a : other.plan->assets)
        alone = alone && (other.bus != bus || a.type->ports.empty() || a.type->name == "ev_charger");
    }
    for (const Plan::Bus& b : plan_->buses) alone = alone && b.parent != bus;
    const double limit = plan_->starts[static_cast<std::size_t>(plan_->buses[static_cast<std::size_t>(bus)].row)];
    if (!alone || limit > 1e12) continue;
    feeder_of_fleet[static_cast<int>(f)] = static_cast<int>(all_.feeder_limits.size());
    for (std::size_t earlier = 0; earlier < f; ++earlier) {  // two fleets of chargers behind one feeder share its limit
      if (plan_->fleets[earlier].bus == bus) feeder_of_fleet[static_cast<int>(f)] = feeder_of_fleet.at(static_cast<int>(earlier));
    }
    if (feeder_of_fleet[static_cast<int>(f)] == static_cast<int>(all_.feeder_limits.size())) all_.feeder_limits.push_back(limit);
  }
  for (const SeenSession& s : sessions_.all) {
    const auto feeder = feeder_of_fleet.find(s.fleet);
    all_.sessions.push_back(
        {s.arrival, s.departure, s.energy, s.power_max, 0, feeder == feeder_of_fleet.end() ? -1 : feeder->second, 0});
  }
}

std::vector<int> PlantProblem::sessions_in(int first, int count) const {
  const double begin = first * interval_, end = begin + count * interval_;
  std::vector<int> there;
  for (std::size_t j = 0; j < all_.sessions.size(); ++j) {
    if (all_.sessions[j].arrival < end - 1e-6 && all_.sessions[j].departure > begin + 1e-6) there.push_back(static_cast<int>(j));
  }
  return there;
}

int PlantProblem::first_month(int first) const {
  int number = 0;
  for (std::size_t w = 1; w < windows_.size() && windows_[w - 1].last <= first; ++w)
    number += windows_[w].month != windows_[w - 1].month;
  return number;
}

DispatchProblem PlantProblem::problem(int first, int count) const {
  DispatchProblem p;
  p.intervals = count;
  p.interval = interval_;
  const auto slice = [&](const std::vector<double>& all) {
    std::vector<double> part(static_cast<std::size_t>(count), 0.0);
    for (int t = first; t < std::min(first + count, intervals_); ++t)
      part[static_cast<std::size_t>(t - first)] = all[static_cast<std::size_t>(t)];
    return part;
  };
  p.grid.import_price = slice(all_.grid.import_price);
  p.grid.export_price = slice(all_.grid.export_price);
  p.grid.import_limit = slice(all_.grid.import_limit);
  p.grid.export_limit = slice(all_.grid.export_limit);
  if (!all_.grid.exclusive.empty()) {
    p.grid.exclusive.assign(static_cast<std::size_t>(count), 0);
    for (int t = first; t < std::min(first + count, intervals_); ++t)
      p.grid.exclusive[static_cast<std::size_t>(t - first)] = all_.grid.exclusive[static_cast<std::size_t>(t)];
  }
  p.grid.demand_charge = all_.grid.demand_charge;
  p.grid.window = all_.grid.window;
  std::vector<int> months;
  const auto begins =
      std::upper_bound(windows_.begin(), windows_.end(), first, [](int t, const Window& w) { return t < w.last; });
  for (auto one = begins; one != windows_.end() && one->first < first + count; ++one) {
    const Window& w = *one;
    if (months.empty() || months.back() != w.month) months.push_back(w.month);
    p.grid.windows.push_back(
        {std::max(w.first - first, 0), std::min(w.last - first, count), 0.0, static_cast<int>(months.size()) - 1});
  }
  p.grid.peak_reached.assign(months.size(), 0.0);
  p.pv = slice(all_.pv);
  for (const auto& z : all_.zones) p.zones.push_back({z.value_of_lost_load, slice(z.demand)});
  p.storages = all_.storages;
  for (const auto& g : all_.gensets) p.gensets.push_back({g.fuel_cost, slice(g.rating)});
  p.feeder_limits = all_.feeder_limits;
  const double end = intervals_ * interval_;
  for (int j : sessions_in(first, count)) {
    DispatchProblem::Session s = all_.sessions[static_cast<std::size_t>(j)];
    // Who stays beyond the end of the run is unmet for nobody.
    s.unmet_price = s.departure > end + 1e-6 ? 0 : unmet_price_;
    s.arrival -= first * interval_;
    s.departure -= first * interval_;
    // A nearly full battery takes less than its charger gives, and pilots have a lowest current: a plan has done an interval before.
    if (purpose_ == Purpose::plan) s.departure -= std::min(interval_, std::max(0.0, s.departure - s.arrival - 2 * interval_));
    p.sessions.push_back(s);
  }
  return p;
}

}  // namespace urja

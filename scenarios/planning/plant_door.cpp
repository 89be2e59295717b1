#include "scenarios/planning/plant_door.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <tuple>

namespace urja {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

PlantDoor::PlantDoor(const PlantProblem& plant, bool commands_storage) : plant_(plant) {
  const Plan& plan = plant.plan();
  const DispatchProblem whole = plant.whole();
  for (int t = 0; t < plant.intervals(); ++t)
    limits_.push_back(whole.grid.import_limit[static_cast<std::size_t>(t)] +
                      whole.grid.export_limit[static_cast<std::size_t>(t)]);
  const auto member_path = [&](const std::string& asset, int fleet, std::size_t member) {
    return fleet < 0 ? asset
                     : asset.substr(0, asset.find('.')) + "." + std::to_string(member + 1) + asset.substr(asset.find('.'));
  };
  const bool wishes = !commands_storage && storage_before_grid();
  if (wishes) import_wish_ = static_cast<int>(add(plant.grid() + ".import_wish"));
  for (const StorageUnits& s : plant.storages()) {
    storages_.emplace_back();
    for (std::size_t m = 0; m < s.members.size(); ++m) {
      const std::string path = member_path(s.asset, s.fleet, m);
      storages_.back().push_back(
          {plan.measured(path + ".state_of_charge").value(), wishes ? std::size_t{0} : add(path + ".command")});
    }
  }
  for (const GensetUnits& g : plant.gensets()) {
    run_.push_back(add(g.asset + ".run"));
    loading_.push_back(add(g.asset + ".loading"));
    const Quantity least = plan.find(g.asset + ".minimum_load").value();
    const Plan& home = g.fleet < 0 ? plan : *plan.fleets[static_cast<std::size_t>(g.fleet)].plan;
    least_.push_back(home.starts[static_cast<std::size_t>(least.row)]);
  }
  if (!plant.sessions().all.empty()) add_chargers();
  if (plant.has_grid()) {
    for (const char* what : {"month", "billing_month", "month_peak", "window_energy", "power_max", "power_min"})
      grid_.push_back(plan.measured(plant.grid() + "." + what).value());
  }
}

bool PlantDoor::storage_before_grid() const {
  if (plant_.storages().size() != 1 || !plant_.has_grid()) return false;
  const auto& merit = plant_.plan().merit_names;
  const auto grid = std::find(merit.begin(), merit.end(), plant_.grid());
  return grid != merit.end() && std::find(merit.begin(), grid, plant_.storages().front().asset) != grid;
}

std::size_t PlantDoor::add(const std::string& path) {
  writes_.push_back(plant_.plan().find(path).value());
  return writes_.size() - 1;
}

void PlantDoor::add_chargers() {
  const Plan& plan = plant_.plan();
  std::map<std::tuple<int, int, int>, std::size_t> known;
  for (const SeenSession& s : plant_.sessions().all) {
    const auto [at, fresh] = known.try_emplace({s.fleet, s.member, s.asset}, chargers_.size());
    charger_of_.push_back(at->second);
    if (!fresh) continue;
    const Plan& home = s.fleet < 0 ? plan : *plan.fleets[static_cast<std::size_t>(s.fleet)].plan;
    const Plan::Asset& asset = home.assets[static_cast<std::size_t>(s.asset)];
    const std::string path =
        s.fleet < 0 ? asset.name
                    : plan.fleets[static_cast<std::size_t>(s.fleet)].name + "." + std::to_string(s.member + 1) + "." + asset.name;
    const auto start = [&](const char* what) {
      const int row = home.row_of(asset, what);
      const auto own = home.member_starts.find(row);
      return own == home.member_starts.end() ? home.starts[static_cast<std::size_t>(row)]
                                             : own->second[static_cast<std::size_t>(std::max(s.member, 0))];
    };
    chargers_.push_back({plan.measured(path + ".still_wanted").value(), add(path + ".power_limit"),
                         start("minimum_current") * start("voltage") * start("phases"), 0});
  }
  std::vector<int> count(chargers_.size(), 0);
  for (std::size_t j = 0; j < charger_of_.size(); ++j) {
    const SeenSession& s = plant_.sessions().all[j];
    Charger& c = chargers_[charger_of_[j]];
    c.stay += (s.departure - s.arrival - c.stay) / ++count[charger_of_[j]];
  }
}

int PlantDoor::interval_of(const Batch& batch, int lane) const {
  const double at = (batch.time(lane) - plant_.plan().start) / plant_.interval();
  if (std::abs(at - std::round(at)) > 1e-6) throw std::logic_error("a policy acts at the begin of its intervals only");
  return static_cast<int>(std::llround(at));
}

bool PlantDoor::islanded(const Batch& batch, int lane, int interval) const {
  if (grid_.empty() || limits_[static_cast<std::size_t>(interval)] <= 0) return true;
  const Step& step = batch.head(lane / width).step;
  const bool began = step.index[lane % width] > step.first[lane % width];  // before its first step a lane's grid has said nothing
  return began && batch.get(lane, grid_[4]) <= 0 && batch.get(lane, grid_[5]) >= 0;
}

double PlantDoor::energy(const Batch& batch, int lane, std::size_t storage) const {
  double sum = 0;
  for (std::size_t m = 0; m < storages_[storage].size(); ++m)
    sum += plant_.storages()[storage].members[m].energy_at(batch.get(lane, storages_[storage][m].state_of_charge));
  return sum;
}

bool PlantDoor::present(int session, int interval) const {
  const SeenSession& s = plant_.sessions().all[static_cast<std::size_t>(session)];
  const double now = interval * plant_.interval();
  return s.arrival <= now + 1e-6 && now + 1e-6 < s.departure;
}

bool PlantDoor::comes_by(int session, int interval) const {
  return plant_.sessions().all[static_cast<std::size_t>(session)].arrival < interval * plant_.interval() - 1e-6;
}

double PlantDoor::still_wanted(const Batch& batch, int lane, int session) const {
  return batch.get(lane, chargers_[charger_of_[static_cast<std::size_t>(session)]].still_wanted);
}

void PlantDoor::measure(const Batch& batch, int lane, int first, const std::vector<int>& sessions,
                        DispatchProblem& problem) const {
  for (std::size_t s = 0; s < storages_.size(); ++s) problem.storages[s].energy_start = energy(batch, lane, s);
  for (std::size_t j = 0; j < sessions.size(); ++j) {
    if (present(sessions[j], first)) problem.sessions[j].energy = still_wanted(batch, lane, sessions[j]);
  }
  if (grid_.empty() || problem.grid.windows.empty()) return;
  // The peak of this month so far; a new month begins at zero. A window that is running has its energy.
  const int window = plant_.window_of(first);
  const bool same_month = batch.get(lane, grid_[0]) == plant_.month_of_window(std::max(window, 0));
  if (window >= 0 && same_month) problem.grid.peak_reached[0] = batch.get(lane, grid_[2]);
  const bool running = window >= 0 && first > 0 && plant_.window_of(first - 1) == window;
  if (running || first == 0) problem.grid.windows[0].energy_before = batch.get(lane, grid_[3]);
}

void PlantDoor::free(std::span<double> row) const {
  std::fill(row.begin(), row.end(), nothing);
  // What is no power command stays as it was written, unless something is written.
  for (const Charger& c : chargers_) row[c.write] = writes_[c.write].range.high;
  for (const std::size_t run : run_) row[run] = 0;
  if (import_wish_ >= 0) row[static_cast<std::size_t>(import_wish_)] = 0;
}

void PlantDoor::set_grid(double power, std::span<double> row) const { row[static_cast<std::size_t>(import_wish_)] = power; }

void PlantDoor::set_storage(const Batch& batch, int lane, std::size_t storage, double power, std::span<double> row) const {
  const auto& cells = storages_[storage];
  const auto& facts = plant_.storages()[storage].members;
  // In proportion to what each has above empty, or room for; none beyond its rating.
  std::vector<double> weight(cells.size(), 1.0);
  double sum = 0;
  for (std::size_t m = 0; m < cells.size(); ++m) {
    if (cells.size() > 1) {
      const double now = batch.get(lane, cells[m].state_of_charge);
      weight[m] = std::max(0.0, power > 0 ? facts[m].energy_at(now) - facts[m].energy_at(facts[m].state_of_charge_min)
                                          : facts[m].energy_at(facts[m].state_of_charge_max) - facts[m].energy_at(now));
    }
    sum += weight[m];
  }
  for (std::size_t m = 0; m < cells.size(); ++m) {
    const double share = sum > 0 ? weight[m] / sum : 1.0 / static_cast<double>(cells.size());
    row[cells[m].write] = std::clamp(power * share, -facts[m].rating, facts[m].rating);
  }
}

void PlantDoor::set_idle_chargers(std::span<double> row) const {
  for (const Charger& c : chargers_) row[c.write] = c.stay > 4 * plant_.interval() ? c.floor : writes_[c.write].range.high;
}

void PlantDoor::set_genset(std::size_t genset, double power, std::span<double> row) const {
  const double share = power / plant_.gensets()[genset].rating;
  // Below half of its least load it rather stands still.
  row[run_[genset]] = share >= 0.5 * least_[genset] && share > 1e-6 ? 1 : 0;
  row[loading_[genset]] = std::clamp(share, 0.0, 1.0);
}

void PlantDoor::set_session(int session, int interval, double energy, std::span<double> row) const {
  const Charger& c = chargers_[charger_of_[static_cast<std::size_t>(session)]];
  const SeenSession& s = plant_.sessions().all[static_cast<std::size_t>(session)];
  const double begin = interval * plant_.interval(), end = begin + plant_.interval();
  // In its last interval a vehicle takes what it can get: the plan counts with it no more (PlantProblem).
  if (s.departure <= end + 1e-6) {
    row[c.write] = writes_[c.write].range.high;
    return;
  }
  // Between nothing and the lowest current there is no pilot: the nearer of both.
  const double power = energy * 3600 / (end - std::max(s.arrival, begin));
  row[c.write] = power >= c.floor ? power : power >= 0.5 * c.floor ? c.floor : 0;
}

}  // namespace urja

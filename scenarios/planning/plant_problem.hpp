#pragma once
// A plant as a dispatch problem: its constant part from the members' start values, its outside world from the engine (series.hpp).
//
// Two purposes:
//   plan    what the plant will probably do: mean efficiencies of its own battery model, limits and prices as means of an interval
//   bound   what no controller can undercut: each term is a relaxation of the plant, proven in plant_problem.cpp
//
// Assets of a kind that cannot be described are refused with their name.
#include <memory>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "scenarios/planning/battery_facts.hpp"
#include "scenarios/planning/dispatch_problem.hpp"
#include "scenarios/planning/series.hpp"

namespace urja {

enum class Purpose { plan, bound };

// What a plan counts with that no meter does, money/kWh. 0: made from a base, ten times the dearest energy that the plant can buy (import or
// fuel; 1 where nothing has a price) and what a kWh less in one window saves of a demand charge, so that nobody is shed to save money.
struct LostPrices {
  double lost_load = 0;     // of critical loads, 4 times the base; semi-critical 3/4, non-critical 1/2, deferrable 1/4 of it
  double unmet_energy = 0;  // of vehicles, the base
};

// One battery, or all members' batteries of a fleet: for a plan they are one storage.
struct StorageUnits {
  std::string asset;  // "battery", "homes.battery"
  int fleet = -1;
  std::vector<BatteryFacts> members;  // one in a plant
  // Efficiencies at the powers of a plan [W, out > 0], shared out by rating, in place of the mean ones; where it does not move, as they were.
  void refit(const std::vector<double>& powers, DispatchProblem::Storage& storage) const;
};
struct GensetUnits {
  std::string asset;
  int fleet = -1, members = 1;
  double rating = 0;  // W, of all members together
};

class PlantProblem {
 public:
  // Throws std::invalid_argument: what cannot be described, or an interval that does not fit.
  PlantProblem(std::shared_ptr<const Plan> plan, Purpose purpose, double interval, const LostPrices& prices = {});

  int intervals() const { return intervals_; }
  double interval() const { return interval_; }
  const Plan& plan() const { return *plan_; }
  // `count` intervals from `first` on. Beyond the end of the run nothing is wanted, given or paid. Storages are as at the plan's start, no
  // peak is reached, all of a session's energy is wanted: what has happened until then is the caller's to fill in.
  DispatchProblem problem(int first, int count) const;
  DispatchProblem whole() const { return problem(0, intervals_); }

  const std::vector<StorageUnits>& storages() const { return storages_; }
  const std::vector<GensetUnits>& gensets() const { return gensets_; }
  // The session that stands behind the problem's session j, for problem(first, count).
  std::vector<int> sessions_in(int first, int count) const;
  const SeenSessions& sessions() const { return sessions_; }
  bool has_grid() const { return !grid_.empty(); }
  const std::string& grid() const { return grid_; }
  // Which window of the demand charge an interval lies in, and the billing month of it; -1 where nothing is charged.
  int window_of(int interval) const { return window_of_.empty() ? -1 : window_of_[static_cast<std::size_t>(interval)]; }
  // Which of the run's billing months (by their order) is the first in problem(first, ..).
  int first_month(int first) const;
  int month_of_window(int window) const { return windows_[static_cast<std::size_t>(window)].month; }

  const std::vector<std::string>& zones() const { return zones_; }  // of the problem's zones, by their order

  // Cost that a run is compared by: cost_total and what was not delivered, at the prices of the plan. Energies in kWh.
  double lost_load_price(const std::string& zone) const;
  double unmet_price() const { return unmet_price_; }

 private:
  struct Window {
    int first, last, month;  // intervals; billing month as the plant counts it
  };
  void take_assets(const Plan& home, int fleet, const std::string& prefix);
  void take_series();
  void take_grid_series(const std::vector<std::vector<double>>& steps, int per_interval);
  void take_windows(const std::vector<double>& month);
  void take_storage(const Plan& home, const Plan::Asset& asset, int fleet, const std::string& name);
  void take_genset(const Plan& home, const Plan::Asset& asset, int fleet, const std::string& name);
  void take_sessions();

  std::shared_ptr<const Plan> plan_;
  Purpose purpose_;
  double interval_;
  int intervals_ = 0;
  DispatchProblem all_;  // constant part, and series over the whole run
  std::string grid_;     // empty: there is none
  std::vector<std::string> zones_;
  std::vector<Quantity> demand_, pv_;  // what is metered
  std::vector<int> zone_of_demand_;
  std::vector<StorageUnits> storages_;
  std::vector<GensetUnits> gensets_;
  SeenSessions sessions_;
  std::vector<double> pv_most_, demand_most_;  // W, highest step of each interval
  std::vector<Window> windows_;
  std::vector<int> window_of_;
  double lost_load_ = 0, unmet_price_ = 0;
  bool has_chargers_ = false;
};

}  // namespace urja

#pragma once
// A dispatch problem with one storage by dynamic programming over its energy.
//
//   V_t(E) = min over power p of   cost_t(p) + V_{t+1}(E - drain(p) dt)        V between two levels: linear
//
//   drain(p)   power out of the store for a power p at the bus; any function, so that a converter's real losses can be planned with
//   cost_t(p)  the rest of the plant in merit order: PV, import, gensets, lost load for what is needed, export for what is over
//   moves      evenly spaced powers, and those at which the grid stands still or is at the peak that is paid for already
//
// A move shifts all levels by the same energy, so that backward induction is a sum and a minimum over whole rows.
// What a linear program can do and this cannot: several storages, sessions, a limit on changes of the grid's power; and a demand charge, whose
// peak would be a second state: here a peak is given for each month, and import above it pays the charge as if it were a month's by itself.
#include <functional>
#include <vector>

#include "scenarios/planning/dispatch_problem.hpp"

namespace urja {

struct DpOptions {
  int levels = 201;                           // of energy, between the storage's bounds
  int moves = 111;                            // of power, from all in to all out
  std::function<double(double power)> drain;  // W, of W at the bus (out > 0); none: the storage's efficiencies and constant loss
  std::vector<double> peaks;                  // W, of each billing month; needed where there is a demand charge
};

class DispatchDp {
 public:
  // Throws std::invalid_argument where the problem is none of its kind.
  DispatchDp(DispatchProblem problem, DpOptions options);
  // Throws std::invalid_argument where it cannot plan what such a problem has.
  static void check(const DispatchProblem& problem);

  double cost() const { return cost_from(problem_.storages.front().energy_start); }
  double cost_from(double energy) const { return value(0, energy); }

  struct Decision {
    double power = 0, grid = 0, pv = 0;  // W: storage out > 0, import - export, PV used
    std::vector<double> gensets;         // W
    double cost = 0;                     // money, of the interval and all after it
  };
  // The best for interval t, with `energy` in the store; `peak`: W of import that costs no demand charge, if it is above the option's.
  Decision best(int t, double energy, double peak = 0) const;

 private:
  // Who else gives or takes in an interval, the cheapest first.
  struct Source {
    enum class Kind { pv, import, genset, lost } kind;
    int index;
    double most, price;  // W, money/kWh
  };
  struct Stage {
    std::vector<Source> sources;
    double demand = 0, export_most = 0, export_price = 0, peak = DispatchProblem::unlimited, peak_price = 0;
  };
  Stage stage(int t, double peak) const;
  double cost_of(const Stage& stage, double power, Decision* decision = nullptr) const;
  std::vector<double> special_moves(const Stage& stage) const;
  double drain(double power) const;
  double value(int t, double energy) const;

  DispatchProblem problem_;
  DpOptions options_;
  double level_ = 1;                         // Wh between two levels
  double dearest_ = 1;                       // money/kWh: of energy that the store cannot give or hold
  std::vector<int> window_of_;               // the demand charge's, per interval; -1: none
  std::vector<std::vector<double>> values_;  // [interval, and the end][level]
};

}  // namespace urja

#pragma once
// A dispatch problem: who should give or take how much in each of T intervals of equal length, as plain numbers.
//
//        import - export                      price, limits (0 in an outage), demand charge on the highest window mean of a month
//   grid <------------>+--------< PV          available power, may be curtailed
//                      |
//      gensets >-------+--------< storages    energy between bounds, efficiencies, constant loss, wear
//                      |
//                      +--------> zones       demand, part of which may be lost at a price
//                      +--------> sessions    energy wanted between arrival and departure, the rest unmet at a price
//
// dispatch_lp.hpp and dispatch_dp.hpp solve it, plant_problem.hpp makes it from a plant. Signs here are those of the quantity's name
// (import, charge, demand are not negative); a solution's storage power is positive out of the storage, as everywhere in Urja.
//
// Powers are means of an interval [W], energies Wh, times s, shares 1, money the scenario's currency.
#include <limits>
#include <vector>

namespace urja {

struct DispatchProblem {
  static constexpr double unlimited = std::numeric_limits<double>::infinity();

  int intervals = 0;
  double interval = 900;  // s

  struct Grid {
    std::vector<double> import_price, export_price;  // money/kWh, per interval
    std::vector<double> import_limit, export_limit;  // W, per interval
    // Never both import and export in one step: needed where a price of export lies above the one of import, else it pays to send power in a
    // circle. Its convex hull is  import/import_limit + export/export_limit <= 1, which needs finite limits.
    std::vector<char> exclusive;  // per interval; empty: nowhere
    double demand_charge = 0;     // money/kW of the highest window mean of each billing month
    // The windows in the order of time; each holds `intervals_per_window` of them at most, from `first` on. An interval longer than the
    // tariff's window counts as a window of its own: its mean is not above the highest of those in it.
    struct Window {
      int first = 0, last = 0;   // intervals [first, last)
      double energy_before = 0;  // Wh imported in it before the problem begins
      int month = 0;             // index into peak_reached
    };
    std::vector<Window> windows;       // empty: no demand charge
    double window = 900;               // s
    std::vector<double> peak_reached;  // W, of each billing month, before the problem begins: paid already
    // Change of (import - export) from one interval to the next.
    double change_limit = unlimited;                                 // W
    double change_price = 0;                                         // money/kW of a change beyond it
    double power_before = std::numeric_limits<double>::quiet_NaN();  // W in the interval before the first; NaN: the first is free
  };
  Grid grid;

  std::vector<double> pv;  // W, available, per interval; the sum of all PV plants

  struct Zone {
    double value_of_lost_load = 10;  // money/kWh
    std::vector<double> demand;      // W, per interval
  };
  std::vector<Zone> zones;

  struct Storage {
    double energy_min = 0, energy_max = 0, energy_start = 0;  // Wh
    double charge_max = 0, discharge_max = 0;                 // W, at the bus
    double charge_efficiency = 1, discharge_efficiency = 1;   // of what flows beyond the constant loss
    double constant_loss = 0;                                 // W out of the store, always
    double wear = 0;                                          // money/kWh discharged, at the bus
    double terminal_value = 0;                                // money/kWh left at the end
    double holding_value = 0;  // money/kWh held at the end of an interval, for each: what decides between equals
    double energy_wanted = 0, missing_price = 0;  // Wh at the end, money/kWh of what is missing of it
    bool may_waste = false;                       // energy may vanish: a relaxation of all losses beyond these
  };
  std::vector<Storage> storages;

  // No minimum load, no start, no idle fuel: the linear relaxation.
  struct Genset {
    double fuel_cost = 0;        // money/kWh
    std::vector<double> rating;  // W that it can give, per interval
  };
  std::vector<Genset> gensets;

  struct Session {
    double arrival = 0, departure = 0;  // s since the problem's begin; before it or after its end, too
    double energy = 0;                  // Wh still wanted
    double power_max = 0;               // W
    double unmet_price = 10;            // money/kWh not delivered
    int feeder = -1;                    // index into feeder_limits; -1: none
    double waiting_price = 0;           // money/kWh delivered, for each interval before: what decides between equals
  };
  std::vector<Session> sessions;
  std::vector<double> feeder_limits;  // W, of all sessions behind one feeder

  double hours() const { return interval / 3600; }
};

// Nothing is wanted, given or paid from interval `left` on, and nobody who leaves later is owed anything: of the same size as before.
void end_after(DispatchProblem& problem, int left);

enum class DispatchStatus {
  optimal,
  stopped,  // the solver gave up: iterations, numbers that it cannot handle
  infeasible,
  unbounded
};

struct DispatchSolution {
  DispatchStatus status = DispatchStatus::stopped;
  double cost =
      0;  // money: energy, demand charge beyond the peak reached, fuel, lost load, unmet energy, wear, less terminal value
  std::vector<double> grid;                  // W, import - export, per interval
  std::vector<double> pv;                    // W, used
  std::vector<std::vector<double>> lost;     // [zone][interval] W
  std::vector<std::vector<double>> storage;  // [storage][interval] W, out of it
  std::vector<std::vector<double>> energy;   // [storage][interval] Wh at the interval's end
  std::vector<std::vector<double>> genset;   // [genset][interval] W
  std::vector<std::vector<double>> session;  // [session][interval] W
  std::vector<double> unmet;                 // [session] Wh
  std::vector<double> peak;                  // [month] W, at least the one reached
};

}  // namespace urja

#pragma once
// Between a batch and a plan: what is measured in a lane goes into a dispatch problem, what a plan says becomes set-points.
//
// Where one storage stands before the grid in the scenario's `balance`, the plan's grid power is what is written (grid.import_wish): the
// battery takes what the plant does differently within the interval, so that a load that comes and goes makes no peak. Otherwise the
// batteries' powers are commanded (battery.command), and the merit list gives the difference to others.
#include <span>
#include <vector>

#include "engine/batch.hpp"
#include "scenarios/planning/plant_problem.hpp"

namespace urja {

class PlantDoor {
 public:
  // A battery that comes before the grid is steered by a wish for the grid's power, which keeps it on the plan when the loads are not as
  // foreseen; `commands_storage`: by its own power all the same.
  PlantDoor(const PlantProblem& plant, bool commands_storage);

  const std::vector<Quantity>& writes() const { return writes_; }
  // Which interval of the run begins in a lane. Throws std::logic_error in the middle of one.
  int interval_of(const Batch& batch, int lane) const;
  // Whether the grid is away: as it is known to be in this interval, or as it was in the last step (a fault).
  bool islanded(const Batch& batch, int lane, int interval) const;

  double energy(const Batch& batch, int lane, std::size_t storage) const;  // Wh, as measured
  // Wh that a session of the plant (PlantProblem::sessions) still wants; 0 unless its vehicle is there in interval `first`.
  double still_wanted(const Batch& batch, int lane, int session) const;
  bool present(int session, int interval) const;   // at its begin
  bool comes_by(int session, int interval) const;  // before it begins
  // Start energies, peak and window of the demand charge, and what present vehicles still want, into a problem that begins now.
  void measure(const Batch& batch, int lane, int first, const std::vector<int>& sessions, DispatchProblem& problem) const;

  // One lane's set-points: all free, then what a plan says.
  void free(std::span<double> row) const;
  bool writes_grid() const { return import_wish_ >= 0; }
  void set_grid(double power, std::span<double> row) const;  // where it does
  void set_storage(const Batch& batch, int lane, std::size_t storage, double power, std::span<double> row) const;  // where not
  void set_genset(std::size_t genset, double power, std::span<double> row) const;
  // Who comes within the interval unknown to the plan gets the lowest current until the next decision, where vehicles usually stay for more
  // than four of them; elsewhere all.
  void set_idle_chargers(std::span<double> row) const;
  void set_session(int session, int interval, double energy, std::span<double> row) const;  // Wh until the interval's end

 private:
  struct Cell {  // one battery
    Quantity state_of_charge;
    std::size_t write;  // where its power is commanded
  };
  struct Charger {
    Quantity still_wanted;
    std::size_t write;
    double floor;  // W, of the lowest current
    double stay;   // s, of its vehicles on average
  };
  std::size_t add(const std::string& path);
  void add_chargers();
  bool storage_before_grid() const;

  const PlantProblem& plant_;
  std::vector<double> limits_;  // W, of the grid, per interval
  std::vector<Quantity> writes_;
  int import_wish_ = -1;
  std::vector<std::vector<Cell>> storages_;
  std::vector<std::size_t> run_, loading_;  // of each genset
  std::vector<double> least_;               // its minimum load
  std::vector<Charger> chargers_;
  std::vector<std::size_t> charger_of_;  // each session's
  std::vector<Quantity> grid_;           // month, billing_month, month_peak, window_energy, power_max, power_min, as measured
};

}  // namespace urja

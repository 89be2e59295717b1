#pragma once
// Who does what in this step: the merit-order balance of one block.
//
// Every asset has said what it could do (p_min .. p_max) and what it wishes. The balance starts from the wishes (or from
// commands, clipped to the limits) and moves ports, in the scenario's order, until the plant's sum is zero:
//
//        plant  sum(p) = 0        1. feeders from leaf to root: one that is over its limit is relieved by the ports below it
//       /  |   |                  2. the plant's residual is taken by the merit list, each port as far as its own limits and
//   street | battery, grid           the headroom of all feeders above it allow
//     |    |                      3. only then by commanded ports, which otherwise keep their command; the move is recorded
//   homes  parking                4. what is left goes to the `spill` account: it never vanishes
//
// Merit decides who absorbs, not who may: a port never leaves [p_min, p_max], a feeder never its limit. A feeder that its
// ports cannot relieve is cut to its limit and the rest is spill.
//
// A fleet takes part through its mirror ports (the sums of its members); one number per lane comes back, by which each
// member moves the same share of its own room. Members that are chargers share max-min fair instead: nobody gets more while
// somebody with less could still take more, nobody gets less than the floor below which he cannot use it at all, and where
// not all can have their floor, those with the least slack come first and the others pause.
//
// Reactive power: every port states q and the range in which it may be moved; the residual goes down the merit list too.
//
// All of it in closed form on eight lanes at once; the rare parts (overload, chargers that must share) lie behind one any().
#include "engine/batch.hpp"

namespace urja {

class Balance {
 public:
  Balance(Batch& batch, int block);
  // Fixes p and q of every port of the block, mirror ports included.
  void solve();
  // Hands the mirror ports' decision to the members of the fleets.
  void distribute();

 private:
  Port& port(int index) { return *reinterpret_cast<Port*>(rows_ + plan_.ports[static_cast<std::size_t>(index)].offset); }
  Lanes& flow(int bus) { return rows_[plan_.buses[static_cast<std::size_t>(bus)].row + 1]; }
  const Lanes& limit(int bus) { return rows_[plan_.buses[static_cast<std::size_t>(bus)].row]; }
  bool below(int index, int bus) const;

  void start_from_wishes();
  void relieve_feeders(const Lanes& where);  // where: 1 in the lanes that take part
  void pass(bool commanded, const Lanes& where);
  Lanes in_turn(int index, bool commanded);
  void move(int index, const Lanes& wanted, int top);
  void add_to_path(int bus, const Lanes& change);
  Lanes round_to_floors();
  void solve_reactive();
  void form_bus();
  double share_among(int fleet, int lane, double power);

  Batch& batch_;
  const Plan& plan_;
  int block_;
  Lanes* rows_;
  Account& account_;
  bool fair_ = false;  // there are chargers that share
};

}  // namespace urja

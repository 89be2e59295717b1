#pragma once
// A dispatch problem as a linear program, solved by COIN-OR Clp (simplex).
//
// Built once for a structure, solved again and again for new numbers, as a rolling horizon needs: where only right-hand sides, bounds and
// costs differ from the last problem, the solver starts from the last optimal basis, turned round by the intervals that the horizon has
// moved on (what held for 14:00 yesterday is a good guess for the new last interval). Where the matrix differs too, it is made anew, and the
// basis of the intervals is kept as a guess.
//
// A solution always exists: every demand may be lost, every source may stand still, every session may stay unmet, and a store that
// its own constant loss would take below its lower bound is topped up at the dearest price of lost load. `unbounded` is possible: export
// dearer than import without `exclusive` and without limits.
#include <memory>

#include "scenarios/planning/dispatch_problem.hpp"

namespace urja {

class DispatchLp {
 public:
  DispatchLp();
  ~DispatchLp();
  DispatchLp(DispatchLp&&) noexcept;
  DispatchLp& operator=(DispatchLp&&) noexcept;

  // `moved_on`: intervals by which this problem begins later than the last one. Throws std::invalid_argument where the problem's vectors
  // do not fit its number of intervals.
  DispatchSolution solve(const DispatchProblem& problem, int moved_on = 0);
  void forget();           // the next one starts anew
  bool warm() const;       // the last one started from a basis
  int iterations() const;  // of the last one

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

}  // namespace urja

#include "scenarios/planning/dispatch_problem.hpp"

#include <algorithm>

namespace urja {

void end_after(DispatchProblem& problem, int left) {
  for (auto& session : problem.sessions) {
    if (session.departure > left * problem.interval) session.unmet_price = 0;
  }
  if (left >= problem.intervals) return;
  const auto from = static_cast<std::ptrdiff_t>(std::max(left, 0));
  const auto clear = [&](std::vector<double>& series) {
    if (static_cast<std::ptrdiff_t>(series.size()) > from) std::fill(series.begin() + from, series.end(), 0.0);
  };
  for (auto* series : {&problem.grid.import_price, &problem.grid.export_price, &problem.grid.import_limit,
                       &problem.grid.export_limit, &problem.pv})
    clear(*series);
  for (auto& zone : problem.zones) clear(zone.demand);
  for (auto& genset : problem.gensets) clear(genset.rating);
  // Without a grid, a source or a demand the store stands still: it can only lose.
}

}  // namespace urja

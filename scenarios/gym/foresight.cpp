#include "scenarios/gym/foresight.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/planning/series.hpp"

namespace urja {

Foresight::Foresight(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities, int per_interval) {
  const auto intervals = std::llround((plan->end - plan->start) / plan->step) / per_interval;
  // Side by side, but not so many that starting them costs more than running.
  if (!quantities.empty())
    series_ = series_of(plan, quantities, per_interval, static_cast<int>(std::clamp(intervals / 16, 1LL, 64LL)));
}

double Foresight::at(int k, std::int64_t interval) const {
  const std::vector<double>& s = series_[static_cast<std::size_t>(k)];
  return s[static_cast<std::size_t>(std::clamp<std::int64_t>(interval, 0, static_cast<std::int64_t>(s.size()) - 1))];
}

}  // namespace urja

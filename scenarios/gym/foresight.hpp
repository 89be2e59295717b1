#pragma once
// What the world will do, of quantities that no command changes (weather, demand, prices): their means over each interval, from one run
// of the plant without commands (planning/series.hpp). Forecasts are made of it.
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/plan.hpp"

namespace urja {

class Foresight {
 public:
  Foresight() = default;
  // per_interval: steps of the plan. Throws std::runtime_error where the plant stops by itself.
  Foresight(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities, int per_interval);

  const std::vector<double>& of(int k) const { return series_[static_cast<std::size_t>(k)]; }  // [intervals], of quantity k
  // Of quantity k in an interval; before the first and behind the last: theirs.
  double at(int k, std::int64_t interval) const;

 private:
  std::vector<std::vector<double>> series_;
};

}  // namespace urja

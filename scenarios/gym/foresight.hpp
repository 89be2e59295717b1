#pragma once
// What the world will do, of quantities that no command changes (weather, demand, prices): their means over each interval, from one run
// of the plant without commands. Forecasts are made of it, and plans with perfect knowledge.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/plan.hpp"

namespace urja {

class Foresight {
 public:
  Foresight() = default;
  // per_interval: steps of the plan. The plan's time is cut into stretches that run side by side, so quantities with a memory of hours
  // (a module's temperature) are off in the first steps of each.
  Foresight(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities, int per_interval);

  std::int64_t intervals() const { return intervals_; }
  // [intervals], of quantity k; a fleet's quantity with member -1 is the sum of the members.
  std::span<const double> of(int k) const {
    return std::span(values_).subspan(static_cast<std::size_t>(k * intervals_), static_cast<std::size_t>(intervals_));
  }
  // Of quantity k in an interval; before the first and behind the last: theirs.
  double at(int k, std::int64_t interval) const;

 private:
  std::int64_t intervals_ = 0;
  std::vector<double> values_;
};

// By which share a forecast is wrong. It grows with the root of the lead to `error` a day ahead; one half of its variance belongs to the
// forecast as a whole, the other to the interval that it is about, whenever that is forecast. A function of its arguments: lane key,
// episode, interval in which it is made, interval that it is about, and a number for the quantity.
double forecast_error(double error, double day_share, std::uint64_t key, std::uint32_t episode, std::int64_t made,
                      std::int64_t about, std::uint32_t quantity);

}  // namespace urja

#pragma once
// How wrong a forecast is, for agents and planners alike.
//
//   forecast = truth max(0, 1 + e),   e = error sqrt(share of the horizon) (z_made + z_about) / sqrt(2)
//
// z_made is common to all that one forecast says of a quantity (it is a sunny one), z_about to all that is ever said of one moment (nobody
// sees that cloud); both are standard normal and functions of (lane's seed, episode, quantity, interval), so that a run can be repeated.
// The present interval is known. [assumption]
#include <cstdint>

namespace urja {

class ForecastError {
 public:
  // error: standard deviation at the horizon. made: the interval that begins. quantity: a number that stands for it.
  ForecastError(double error, std::uint64_t key, std::uint32_t episode, std::int64_t made, std::uint32_t quantity);
  // What the truth of a later interval is multiplied by; `share` of the horizon (0 .. 1) lies between.
  double factor(std::int64_t about, double share) const;

 private:
  double error_, of_made_ = 0;
  std::uint64_t key_;
  std::uint32_t episode_, quantity_;
  std::int64_t made_;
};

}  // namespace urja

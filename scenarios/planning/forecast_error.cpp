#include "scenarios/planning/forecast_error.hpp"

#include <algorithm>
#include <cmath>

#include "engine/random.hpp"

namespace urja {
namespace {

double normal(std::uint64_t key, std::uint32_t quantity, std::int64_t interval, std::uint32_t what, std::uint32_t episode) {
  return draw(key, quantity, static_cast<std::uint32_t>(interval), what, episode).normal()[0];
}

}  // namespace

ForecastError::ForecastError(double error, std::uint64_t key, std::uint32_t episode, std::int64_t made, std::uint32_t quantity)
    : error_(error), key_(key), episode_(episode), quantity_(quantity), made_(made) {
  if (error > 0) of_made_ = normal(key, quantity, made, purpose("forecast", 0), episode);
}

double ForecastError::factor(std::int64_t about, double share) const {
  if (error_ == 0 || about <= made_) return 1;
  const double of_about = normal(key_, quantity_, about, purpose("forecast", 1), episode_);
  return std::max(0.0, 1 + error_ * std::sqrt(0.5 * std::min(1.0, share)) * (of_made_ + of_about));
}

}  // namespace urja

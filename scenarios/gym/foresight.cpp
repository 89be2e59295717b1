#include "scenarios/gym/foresight.hpp"

#include <algorithm>
#include <cmath>

#include "engine/batch.hpp"
#include "engine/random.hpp"

namespace urja {

Foresight::Foresight(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities, int per_interval) {
  const auto steps = static_cast<std::int64_t>(std::llround((plan->end - plan->start) / plan->step));
  intervals_ = std::max<std::int64_t>(1, steps / per_interval);
  values_.resize(quantities.size() * static_cast<std::size_t>(intervals_));
  if (quantities.empty()) return;
  // Side by side, but not so many that starting them costs more than running.
  const auto stretches = static_cast<int>(std::clamp<std::int64_t>(intervals_ / 16, 1, 64));
  const std::int64_t length = (intervals_ + stretches - 1) / stretches;
  Batch batch(plan, stretches);
  for (int lane = 0; lane < stretches; ++lane) {
    Batch::Start start;
    start.index = lane * length * per_interval;
    batch.reset(lane, start);
    batch.disarm(lane);
  }
  Meter meter(*plan, batch.blocks(), quantities);
  std::vector<double> sums(static_cast<std::size_t>(stretches));
  for (std::int64_t k = 0; k < length; ++k) {
    meter.clear();
    batch.step(per_interval, 1, &meter);
    for (std::size_t q = 0; q < quantities.size(); ++q) {
      if (quantities[q].member >= 0) {
        for (int lane = 0; lane < stretches; ++lane)
          sums[static_cast<std::size_t>(lane)] = meter.sum(lane, static_cast<int>(q), quantities[q].member);
      } else {
        meter.read(static_cast<int>(q), sums);
      }
      for (int lane = 0; lane < stretches; ++lane) {
        const std::int64_t interval = lane * length + k;
        if (interval < intervals_)
          values_[q * static_cast<std::size_t>(intervals_) + static_cast<std::size_t>(interval)] =
              sums[static_cast<std::size_t>(lane)] / per_interval;
      }
    }
  }
}

double Foresight::at(int k, std::int64_t interval) const {
  return values_[static_cast<std::size_t>(k * intervals_ + std::clamp<std::int64_t>(interval, 0, intervals_ - 1))];
}

double forecast_error(double error, double day_share, std::uint64_t key, std::uint32_t episode, std::int64_t made,
                      std::int64_t about, std::uint32_t quantity) {
  if (error == 0 || about <= made) return 0;
  static constexpr std::uint32_t as_a_whole = purpose("forecast", 0), of_its_time = purpose("forecast", 1);
  const double whole = draw(key, quantity, static_cast<std::uint32_t>(made), as_a_whole, episode).normal()[0],
               its = draw(key, quantity, static_cast<std::uint32_t>(about), of_its_time, episode).normal()[0];
  return error * std::sqrt(std::min(1.0, static_cast<double>(about - made) * day_share)) * (whole + its) * std::sqrt(0.5);
}

}  // namespace urja

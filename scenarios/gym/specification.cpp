#include "scenarios/gym/specification.hpp"

#include <algorithm>

#include "engine/batch.hpp"

namespace urja {

double apply_draw(Batch& batch, int lane, const GymSpecification::Randomised& what, double p) {
  const double x = what.quantile(p);
  Quantity q = what.quantity;
  if (!what.times) {
    batch.set(lane, q, x);
    return x;
  }
  const bool each = q.fleet >= 0 && q.member < 0;
  const int members = each ? batch.plan().fleets[static_cast<std::size_t>(q.fleet)].members : 1;
  double sum = 0;
  for (int m = 0; m < members; ++m) {
    if (each) q.member = m;
    const double product = std::clamp(batch.get(lane, q) * x, q.range.low, q.range.high);
    batch.set(lane, q, product);
    sum += product;
  }
  return sum / members;
}

}  // namespace urja

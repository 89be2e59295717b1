#include "engine/fair_share.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace urja {
namespace {

// Those who take part: as many floors as fit, the least slack first. The others' need and floor become zero.
void admit(int n, double* need, double* floor, const double* urgency, double power) {
  std::array<short, most_sharers> order;
  std::iota(order.begin(), order.begin() + n, short{0});
  std::sort(order.begin(), order.begin() + n,
            [&](short a, short b) { return urgency[a] < urgency[b] || (urgency[a] == urgency[b] && a < b); });
  double room = power * (1 + 1e-10);  // a limit of exactly two floors is room for two
  for (int k = 0; k < n; ++k) {
    const short m = order[static_cast<std::size_t>(k)];
    if (floor[m] <= room) room -= floor[m];
    else need[m] = floor[m] = 0;
  }
}

double between(double level, double floor, double need) { return std::min(std::max(level, floor), need); }

// The level at which everybody's clamp(level, floor, need) adds up to `power`. The sum grows with the level: Newton in a
// bracket.
double find_level(int n, const double* need, const double* floor, double power) {
  double low = 0, high = *std::max_element(need, need + n), level = power / n;
  for (int round = 0; round < 200; ++round) {
    double used = 0, moving = 0;
    for (int k = 0; k < n; ++k) {
      used += between(level, floor[k], need[k]);
      moving += level > floor[k] && level < need[k] ? 1.0 : 0.0;
    }
    const double miss = power - used;
    if (std::abs(miss) <= 1e-13 * power) break;
    (miss > 0 ? low : high) = level;
    const double next = moving > 0 ? level + miss / moving : 0.5 * (low + high);
    level = next > low && next < high ? next : 0.5 * (low + high);
    if (high - low <= 1e-15 * high) break;
  }
  return level;
}

}  // namespace

double share_fairly(int n, const double* need_, const double* floor_, const double* urgency, double power, double* got) {
  std::array<double, most_sharers> need, floor;
  std::copy_n(need_, n, need.begin());
  std::copy_n(floor_, n, floor.begin());
  const double floors = std::accumulate(floor.begin(), floor.begin() + n, 0.0);
  if (floors > power * (1 + 1e-10)) admit(n, need.data(), floor.data(), urgency, power);
  const double all = std::accumulate(need.begin(), need.begin() + n, 0.0);
  if (all <= power) {
    std::copy_n(need.begin(), n, got);
    return all;
  }
  const double level = find_level(n, need.data(), floor.data(), power);
  for (int k = 0; k < n; ++k) got[k] = between(level, floor[static_cast<std::size_t>(k)], need[static_cast<std::size_t>(k)]);
  return power;
}

}  // namespace urja

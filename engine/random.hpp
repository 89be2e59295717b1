#pragma once
// Random numbers are a function, not a stream.
//
// Philox 4x32-10 [Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"]. The key is the lane's seed; the
// counter says which number is meant: (who, when, what for, which episode). So a draw does not depend on threads, on the
// number of lanes, on the lane's position or on how often somebody else has drawn, and there is no generator to save.
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "engine/lanes.hpp"

namespace urja {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter[0], b = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// What a number is drawn for: a hash of the asset's name in the plant (adding an asset shifts nobody else's numbers) and
// the draw's number within the asset.
constexpr std::uint32_t purpose(std::string_view asset, std::uint32_t draw) {
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (char c : asset) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return (hash & 0xFFFFFF00u) | (draw & 0xFFu);
}

// One lane's draw: four uniform numbers in (0, 1).
struct Draw {
  std::array<double, 4> uniform;
  // Two independent standard normal numbers [Box and Muller 1958].
  std::array<double, 2> normal() const {
    const double radius = std::sqrt(-2 * std::log(uniform[0])), angle = 6.283185307179586 * uniform[1];
    return {radius * std::cos(angle), radius * std::sin(angle)};
  }
};
inline Draw draw(std::uint64_t lane_key, std::uint32_t identity, std::uint32_t step, std::uint32_t what_for,
                 std::uint32_t episode) {
  const PhiloxCounter bits = philox({identity, step, what_for, episode},
                                    {static_cast<std::uint32_t>(lane_key), static_cast<std::uint32_t>(lane_key >> 32)});
  Draw d{};
  for (std::size_t k = 0; k < 4; ++k) d.uniform[k] = (bits[k] + 0.5) * (1.0 / 4294967296.0);
  return d;
}

// Four independent standard normal numbers for each of eight lanes: the draw `number` (a whole one, in each lane its own) of `what_for`. The same
// Philox in vectors, and Box-Muller to 6 digits. Always eight lanes, so that a lane's numbers never depend on its neighbours.
void normals(const Step& step, std::uint32_t what_for, const Lanes& number, Lanes* out);

}  // namespace urja

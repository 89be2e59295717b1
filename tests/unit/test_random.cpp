// Philox 4x32-10 and what is drawn from it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "engine/random.hpp"
#include "tests/catch.hpp"

using namespace urja;

TEST_CASE("Philox 4x32-10 gives the known answers of Random123", "[random]") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("each part of the address makes another draw", "[random]") {
  const std::uint64_t key = 0x123456789abcdef0;
  std::set<double> seen;
  const auto see = [&](std::uint64_t k, std::uint32_t identity, std::uint32_t step, std::uint32_t what, std::uint32_t episode) {
    for (const double u : draw(k, identity, step, what, episode).uniform) CHECK(seen.insert(u).second);
  };
  see(key, 1, 2, 3, 4);
  see(key + 1, 1, 2, 3, 4);
  see(key + (1ull << 32), 1, 2, 3, 4);
  see(key, 2, 2, 3, 4);
  see(key, 1, 3, 3, 4);
  see(key, 1, 2, 4, 4);
  see(key, 1, 2, 3, 5);
  CHECK(draw(key, 1, 2, 3, 4).uniform == draw(key, 1, 2, 3, 4).uniform);
  CHECK(purpose("battery", 1) != purpose("battery", 2));
  CHECK(purpose("battery", 1) != purpose("homes.battery", 1));
  CHECK((purpose("battery", 1) ^ purpose("battery", 2)) < 256);
}

TEST_CASE("uniform and normal draws have their moments", "[random]") {
  constexpr int count = 100000;
  double mean = 0, square = 0, lowest = 1, highest = 0, beside = 0;
  double normal_mean = 0, normal_square = 0, cube = 0, fourth = 0, across = 0, last = 0;
  std::vector<int> bins(64);
  for (std::uint32_t k = 0; k < count; ++k) {
    const Draw d = draw(7, 0, k, purpose("sensor", 0), 0);
    for (const double u : d.uniform) {
      mean += u, square += (u - 0.5) * (u - 0.5), lowest = std::min(lowest, u), highest = std::max(highest, u);
      ++bins[static_cast<std::size_t>(u * 64)];
    }
    beside += (d.uniform[0] - 0.5) * (last - 0.5), last = d.uniform[0];
    const auto n = d.normal();
    for (const double x : n) normal_mean += x, normal_square += x * x, cube += x * x * x, fourth += x * x * x * x;
    across += n[0] * n[1];
  }
  // Five standard errors of each.
  CHECK(std::abs(mean / (4 * count) - 0.5) < 5 * std::sqrt(1 / 12.0 / (4 * count)));
  CHECK(std::abs(square / (4 * count) - 1 / 12.0) < 5 * std::sqrt(1 / 180.0 / (4 * count)));
  CHECK(std::abs(beside / count) < 5 / 12.0 / std::sqrt(count));
  CHECK((lowest > 0 && lowest < 1e-4 && highest < 1 && highest > 1 - 1e-4));
  double chi_square = 0;
  for (const int n : bins) chi_square += std::pow(n - 4 * count / 64.0, 2) / (4 * count / 64.0);
  CHECK((chi_square > 25 && chi_square < 125));  // 63 degrees of freedom, beyond five standard deviations
  CHECK(std::abs(normal_mean / (2 * count)) < 5 / std::sqrt(2.0 * count));
  CHECK(std::abs(normal_square / (2 * count) - 1) < 5 * std::sqrt(2.0 / (2 * count)));
  CHECK(std::abs(cube / (2 * count)) < 5 * std::sqrt(15.0 / (2 * count)));
  CHECK(std::abs(fourth / (2 * count) - 3) < 5 * std::sqrt(96.0 / (2 * count)));
  CHECK(std::abs(across / count) < 5 / std::sqrt(count));
}

TEST_CASE("the ends of the draws are finite", "[random]") {
  // The smallest and the largest 32 bits that a word can have.
  for (const double u : {0.5 / 4294967296.0, (4294967295.0 + 0.5) / 4294967296.0}) {
    CHECK((u > 0 && u < 1));
    for (const double x : Draw{{u, u, u, u}}.normal()) CHECK(std::isfinite(x));
  }
}

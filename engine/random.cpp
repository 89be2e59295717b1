#include "engine/random.hpp"

namespace urja {

// Eight Philox calls side by side and two Box-Muller pairs in single precision, whose sine, cosine and logarithm Eigen computes in
// vectors: noise needs no more digits. Always eight lanes, so that a lane's numbers never depend on its neighbours.
void normals(const Step& s, std::uint32_t what_for, Lanes out[4]) {
  alignas(64) std::uint32_t c[4][width], k[2][width];
  for (int i = 0; i < width; ++i) {
    c[0][i] = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.member[i]));
    c[1][i] = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.index[i]));
    c[2][i] = what_for;
    c[3][i] = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.episode[i]));
    k[0][i] = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.key_low[i]));
    k[1][i] = static_cast<std::uint32_t>(static_cast<std::int64_t>(s.key_high[i]));
  }
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < width; ++i) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * c[0][i], b = std::uint64_t{0xCD9E8D57u} * c[2][i];
      c[0][i] = static_cast<std::uint32_t>(b >> 32) ^ c[1][i] ^ k[0][i];
      c[1][i] = static_cast<std::uint32_t>(b);
      c[2][i] = static_cast<std::uint32_t>(a >> 32) ^ c[3][i] ^ k[1][i];
      c[3][i] = static_cast<std::uint32_t>(a);
      k[0][i] += 0x9E3779B9u;
      k[1][i] += 0xBB67AE85u;
    }
  }
  using Singles = Eigen::Array<float, width, 1>;
  Singles uniform[4];  // in (0, 1): 23 bits and a half, which a float holds exactly
  for (int w = 0; w < 4; ++w) {
    for (int i = 0; i < width; ++i) uniform[w][i] = (static_cast<float>(static_cast<std::int32_t>(c[w][i] >> 9)) + 0.5F) * (1.0F / 8388608.0F);
  }
  for (int pair = 0; pair < 2; ++pair) {
    const Singles radius = (-2.0F * uniform[2 * pair].log()).sqrt(), angle = 6.2831853F * uniform[2 * pair + 1];
    out[2 * pair] = (radius * angle.cos()).cast<double>();
    out[2 * pair + 1] = (radius * angle.sin()).cast<double>();
  }
}

}  // namespace urja

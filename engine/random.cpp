#include "engine/random.hpp"

#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace urja {
namespace {

// A whole number below 2^32 in each lane, in the low half of 64 bits.
using Words = std::uint64_t[width];
URJA_INLINE void words(const Lanes& from, Words& to) {
  const Lanes shifted = from + 4503599627370496.0;  // 2^52: the number lies in the low bits
  std::memcpy(&to, shifted.data(), sizeof to);
}

using Bits = std::uint32_t[4][width];

// Philox of eight lanes. While it runs, only the low halves count; what is left in the high ones is never looked at.
#ifdef __AVX2__
// Two halves of four lanes side by side, so that neither waits for the other, and few enough to stay in registers.
void philox_of_lanes(const Words (&c)[4], const Words (&k)[2], Bits& out) {
  const auto load = [](const Words& w, int half) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w) + half); };
  const __m256i first = _mm256_set1_epi64x(0xD2511F53), second = _mm256_set1_epi64x(0xCD9E8D57);
  __m256i x0 = load(c[0], 0), x1 = load(c[1], 0), x2 = load(c[2], 0), x3 = load(c[3], 0), k0 = load(k[0], 0), k1 = load(k[1], 0);
  __m256i y0 = load(c[0], 1), y1 = load(c[1], 1), y2 = load(c[2], 1), y3 = load(c[3], 1), l0 = load(k[0], 1), l1 = load(k[1], 1);
  const auto mix = [](const __m256i& product, const __m256i& word, const __m256i& key) {
    return _mm256_xor_si256(_mm256_xor_si256(word, key), _mm256_srli_epi64(product, 32));
  };
#pragma GCC unroll 1
  for (int round = 0; round < 10; ++round) {
    const __m256i a = _mm256_mul_epu32(first, x0), b = _mm256_mul_epu32(second, x2);
    const __m256i d = _mm256_mul_epu32(first, y0), e = _mm256_mul_epu32(second, y2);
    x0 = mix(b, x1, k0), x2 = mix(a, x3, k1), x1 = b, x3 = a;
    y0 = mix(e, y1, l0), y2 = mix(d, y3, l1), y1 = e, y3 = d;
    k0 = _mm256_add_epi32(k0, _mm256_set1_epi64x(0x9E3779B9)), k1 = _mm256_add_epi32(k1, _mm256_set1_epi64x(0xBB67AE85));
    l0 = _mm256_add_epi32(l0, _mm256_set1_epi64x(0x9E3779B9)), l1 = _mm256_add_epi32(l1, _mm256_set1_epi64x(0xBB67AE85));
  }
  const auto store = [&](int word, const __m256i& x, const __m256i& y) {  // the low halves of all eight
    const __m256 low = _mm256_shuffle_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(y), 0x88);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[word]), _mm256_permute4x64_epi64(_mm256_castps_si256(low), 0xD8));
  };
  store(0, x0, y0), store(1, x1, y1), store(2, x2, y2), store(3, x3, y3);
}
#else
void philox_of_lanes(const Words (&c)[4], const Words (&k)[2], Bits& out) {
  for (int i = 0; i < width; ++i) {
    const auto low = [i](const Words& w) { return static_cast<std::uint32_t>(w[i]); };
    const PhiloxCounter bits = philox({low(c[0]), low(c[1]), low(c[2]), low(c[3])}, {low(k[0]), low(k[1])});
    for (std::size_t w = 0; w < 4; ++w) out[w][i] = bits[w];
  }
}
#endif

// Box and Muller 1958: radius sqrt(-2 ln u), angle evenly round the circle, in single precision. Of an angle's bits three choose the octant and
// the rest the place in it, where Taylor's series are short: errors below 1e-6. 23 bits of u reach 5.8 standard deviations. Both pairs of a
// draw side by side, since one alone would mostly wait for itself.
void box_muller(const Bits& from, Lanes* out) {
  constexpr int both = 2 * width;
  using Singles = Eigen::Array<float, both, 1>;
  Singles u, x, sine, cosine;
  const std::uint32_t *first = from[0], *bits = from[2];  // of both pairs, one behind the other
  for (int i = 0; i < both; ++i) {
    u[i] = (static_cast<float>(static_cast<std::int32_t>(first[i] >> 9)) + 0.5F) * (1.0F / 8388608.0F);
    x[i] = (static_cast<float>(static_cast<std::int32_t>((bits[i] >> 3) & 0xFFFFFF)) + 0.5F) * (0.78539816F / 16777216.0F);
  }
  const Singles square = x * x;
  const Singles s = x * (1.0F + square * (-1.0F / 6 + square * (1.0F / 120 + square * (-1.0F / 5040))));
  const Singles c = 1.0F + square * (-0.5F + square * (1.0F / 24 + square * (-1.0F / 720 + square * (1.0F / 40320))));
  for (int i = 0; i < both; ++i) {
    const bool swap = (bits[i] & 1U) != 0;
    const float a = swap ? c[i] : s[i], b = swap ? s[i] : c[i];
    sine[i] = (bits[i] & 2U) != 0 ? -a : a;
    cosine[i] = (bits[i] & 4U) != 0 ? -b : b;
  }
  const Singles radius = (-2.0F * u.log()).sqrt(), one = radius * cosine, other = radius * sine;
  for (int pair = 0; pair < 2; ++pair) {
    out[2 * pair] = one.segment<width>(pair * width).cast<double>();
    out[2 * pair + 1] = other.segment<width>(pair * width).cast<double>();
  }
}

}  // namespace

void normals(const Step& s, std::uint32_t what_for, const Lanes& number, Lanes* out) {
  Words key[2], counter[4];
  words(s.key_low, key[0]), words(s.key_high, key[1]);
  words(s.member, counter[0]), words(number, counter[1]), words(s.episode, counter[3]);
  for (int i = 0; i < width; ++i) counter[2][i] = what_for;
  Bits bits;
  philox_of_lanes(counter, key, bits);
  box_muller(bits, out);
}

}  // namespace urja

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

// Philox of eight lanes. Only the low halves count; what is left in the high ones is never looked at.
struct Bits {
  Words word[4];
};
#ifdef __AVX2__
// Two halves of four lanes side by side, all of it in registers: with one more of anything it takes three times as long.
void philox_of_lanes(Bits& c, const Words (&k)[2]) {
  const auto at = [](const Words& w, int half) { return reinterpret_cast<const __m256i*>(w) + half; };
  const __m256i first = _mm256_set1_epi64x(0xD2511F53), second = _mm256_set1_epi64x(0xCD9E8D57), step0 = _mm256_set1_epi64x(0x9E3779B9),
                step1 = _mm256_set1_epi64x(0xBB67AE85);
  for (int half = 0; half < 2; ++half) {
    __m256i x0 = _mm256_loadu_si256(at(c.word[0], half)), x1 = _mm256_loadu_si256(at(c.word[1], half)),
            x2 = _mm256_loadu_si256(at(c.word[2], half)), x3 = _mm256_loadu_si256(at(c.word[3], half)),
            k0 = _mm256_loadu_si256(at(k[0], half)), k1 = _mm256_loadu_si256(at(k[1], half));
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      const __m256i a = _mm256_mul_epu32(first, x0), b = _mm256_mul_epu32(second, x2);
      x0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), x1), k0);
      x2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), x3), k1);
      x1 = b;
      x3 = a;
      k0 = _mm256_add_epi32(k0, step0);
      k1 = _mm256_add_epi32(k1, step1);
    }
    const __m256i out[4] = {x0, x1, x2, x3};
    for (int w = 0; w < 4; ++w) _mm256_storeu_si256(reinterpret_cast<__m256i*>(c.word[w]) + half, out[w]);
  }
}
#else
void philox_of_lanes(Bits& c, const Words (&k)[2]) {
  for (int i = 0; i < width; ++i) {
    const auto low = [i](const Words& w) { return static_cast<std::uint32_t>(w[i]); };
    const PhiloxCounter out = philox({low(c.word[0]), low(c.word[1]), low(c.word[2]), low(c.word[3])}, {low(k[0]), low(k[1])});
    for (std::size_t w = 0; w < 4; ++w) c.word[w][i] = out[w];
  }
}
#endif

// Box and Muller 1958: radius sqrt(-2 ln u), angle evenly round the circle, in single precision. Of an angle's bits three choose the octant and
// the rest the place in it, where Taylor's series are short: errors below 1e-6. 23 bits of u reach 5.8 standard deviations.
void box_muller(const Words& first, const Words& second, Lanes& one, Lanes& other) {
  using Singles = Eigen::Array<float, width, 1>;
  alignas(32) std::uint32_t bits[width];
  Singles u, x, sine, cosine;
  for (int i = 0; i < width; ++i) bits[i] = static_cast<std::uint32_t>(second[i]);
  for (int i = 0; i < width; ++i) {
    u[i] = (static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(first[i]) >> 9)) + 0.5F) * (1.0F / 8388608.0F);
    x[i] = (static_cast<float>(static_cast<std::int32_t>((bits[i] >> 3) & 0xFFFFFF)) + 0.5F) * (0.78539816F / 16777216.0F);
  }
  const Singles square = x * x;
  const Singles s = x * (1.0F + square * (-1.0F / 6 + square * (1.0F / 120 + square * (-1.0F / 5040))));
  const Singles c = 1.0F + square * (-0.5F + square * (1.0F / 24 + square * (-1.0F / 720 + square * (1.0F / 40320))));
  for (int i = 0; i < width; ++i) {
    const bool swap = (bits[i] & 1U) != 0;
    const float a = swap ? c[i] : s[i], b = swap ? s[i] : c[i];
    sine[i] = (bits[i] & 2U) != 0 ? -a : a;
    cosine[i] = (bits[i] & 4U) != 0 ? -b : b;
  }
  const Singles radius = (-2.0F * u.log()).sqrt();
  one = (radius * cosine).cast<double>();
  other = (radius * sine).cast<double>();
}

}  // namespace

void normals(const Step& s, std::uint32_t what_for, const Lanes& number, Lanes* out) {
  Words key[2];
  Bits bits;
  words(s.key_low, key[0]), words(s.key_high, key[1]);
  words(s.member, bits.word[0]), words(number, bits.word[1]), words(s.episode, bits.word[3]);
  for (int i = 0; i < width; ++i) bits.word[2][i] = what_for;
  philox_of_lanes(bits, key);
  box_muller(bits.word[0], bits.word[1], out[0], out[1]);
  box_muller(bits.word[2], bits.word[3], out[2], out[3]);
}

}  // namespace urja

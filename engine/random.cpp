#include "engine/random.hpp"

#include <algorithm>
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

// Philox of eight lanes, for two draws at once. Only the low halves count; what is left in the high ones is never looked at.
struct Bits {
  Words word[4];
};
#ifdef __AVX2__
void philox_of_lanes(Bits (&c)[2], const Words (&k)[2]) {
  const __m256i first = _mm256_set1_epi64x(0xD2511F53), second = _mm256_set1_epi64x(0xCD9E8D57);
  const auto load = [](const Words& w, int half) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w) + half); };
  __m256i x[4][4], key[2][2];  // [draw and half][word], [half][word]
  for (int q = 0; q < 4; ++q) {
    for (int w = 0; w < 4; ++w) x[q][w] = load(c[q / 2].word[w], q % 2);
  }
  for (int half = 0; half < 2; ++half) key[half][0] = load(k[0], half), key[half][1] = load(k[1], half);
  for (int round = 0; round < 10; ++round) {
    for (int q = 0; q < 4; ++q) {
      const __m256i a = _mm256_mul_epu32(first, x[q][0]), b = _mm256_mul_epu32(second, x[q][2]);
      x[q][0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(b, 32), x[q][1]), key[q % 2][0]);
      x[q][2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(a, 32), x[q][3]), key[q % 2][1]);
      x[q][1] = b;
      x[q][3] = a;
    }
    for (auto& half : key) {
      half[0] = _mm256_add_epi32(half[0], _mm256_set1_epi64x(0x9E3779B9));
      half[1] = _mm256_add_epi32(half[1], _mm256_set1_epi64x(0xBB67AE85));
    }
  }
  for (int q = 0; q < 4; ++q) {
    for (int w = 0; w < 4; ++w) _mm256_storeu_si256(reinterpret_cast<__m256i*>(c[q / 2].word[w]) + q % 2, x[q][w]);
  }
}
#else
void philox_of_lanes(Bits (&c)[2], const Words (&k)[2]) {
  for (Bits& draw : c) {
    for (int i = 0; i < width; ++i) {
      const auto low = [i](const Words& w) { return static_cast<std::uint32_t>(w[i]); };
      const PhiloxCounter out = philox({low(draw.word[0]), low(draw.word[1]), low(draw.word[2]), low(draw.word[3])}, {low(k[0]), low(k[1])});
      for (std::size_t w = 0; w < 4; ++w) draw.word[w][i] = out[w];
    }
  }
}
#endif

constexpr int together = 4;  // numbers
using Singles = Eigen::Array<float, width * together, 1>;

// The normal numbers below which a share (1 + x)/2 lies, x evenly in (-1, 1): sqrt(2) erfinv(x) in single precision [Giles 2010, "Approximating
// the erfinv function", table 5]. 24 bits of x reach 5.3 standard deviations.
Singles normal_of(const Singles& x) {
  const auto series = [](const Singles& at, const float (&c)[9]) {
    Singles sum = Singles::Constant(c[0]);
    for (int k = 1; k < 9; ++k) sum = c[k] + sum * at;
    return sum;
  };
  const Singles w = -((1.0F - x) * (1.0F + x)).log();
  Singles p = series(w - 2.5F, {2.81022636e-08F, 3.43273939e-07F, -3.5233877e-06F, -4.39150654e-06F, 0.00021858087F, -0.00125372503F,
                                -0.00417768164F, 0.246640727F, 1.50140941F});
  if (w.maxCoeff() >= 5.0F) {  // 3 of 1000
    const Singles far = series(w.sqrt() - 3.0F, {-0.000200214257F, 0.000100950558F, 0.00134934322F, -0.00367342844F, 0.00573950773F,
                                                 -0.0076224613F, 0.00943887047F, 1.00167406F, 2.83297682F});
    p = (w < 5.0F).select(p, far);
  }
  return 1.41421356F * p * x;
}

}  // namespace

void normals(const Step& s, const NormalNumber* wanted, int count, Lanes* out) {
  Words key[2], counter[3];
  words(s.member, counter[0]), words(s.index, counter[1]), words(s.episode, counter[2]);
  words(s.key_low, key[0]), words(s.key_high, key[1]);
  Singles x[most_normals / together];
  for (int done = 0; done < count;) {
    // The next two draws, and all that is wanted of them.
    Bits bits[2];
    std::uint32_t draws[2] = {wanted[done].what_for, wanted[done].what_for};
    int until = done;
    while (until < count && wanted[until].what_for == draws[0]) ++until;
    if (until < count) draws[1] = wanted[until].what_for;
    while (until < count && wanted[until].what_for == draws[1]) ++until;
    for (int d = 0; d < 2; ++d) {
      std::memcpy(bits[d].word[0], counter[0], sizeof(Words));
      std::memcpy(bits[d].word[1], counter[1], sizeof(Words));
      std::memcpy(bits[d].word[3], counter[2], sizeof(Words));
      for (int i = 0; i < width; ++i) bits[d].word[2][i] = draws[d];
    }
    philox_of_lanes(bits, key);
    for (; done < until; ++done) {
      const Words& from = bits[wanted[done].what_for == draws[0] ? 0 : 1].word[wanted[done].number];
      float* to = x[done / together].data() + done % together * width;
      for (int i = 0; i < width; ++i) to[i] = static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(from[i])) >> 8);
    }
  }
  for (int k = 0; k < count; k += together) {
    const int here = std::min(together, count - k);
    Singles& some_x = x[k / together];
    for (int i = here * width; i < together * width; ++i) some_x[i] = 0;
    const Singles numbers = normal_of((some_x + 0.5F) * (1.0F / 8388608.0F));
    for (int j = 0; j < here; ++j) out[k + j] = numbers.segment<width>(j * width).cast<double>();
  }
}

}  // namespace urja

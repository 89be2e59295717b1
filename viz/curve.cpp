#include "viz/curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace urja::viz {

using nlohmann::json;

namespace {

std::string base64(const std::vector<std::int16_t>& values) {
  static constexpr char k[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> b;
  b.reserve(values.size() * 2 + 2);
  for (const std::int16_t v : values) {
    b.push_back(static_cast<unsigned char>(v & 0xFF));
    b.push_back(static_cast<unsigned char>((v >> 8) & 0xFF));
  }
  const std::size_t n = b.size();
  b.resize((n + 2) / 3 * 3);
  std::string out;
  out.reserve(b.size() / 3 * 4);
  for (std::size_t i = 0; i < b.size(); i += 3) {
    const unsigned w = static_cast<unsigned>(b[i]) << 16 | static_cast<unsigned>(b[i + 1]) << 8 | b[i + 2];
    for (const int shift : {18, 12, 6, 0}) out += k[w >> shift & 63];
  }
  for (std::size_t i = n % 3; i != 0 && i < 3; ++i) out[out.size() - (3 - i)] = '=';
  return out;
}

}  // namespace

json curve(const std::vector<double>& values, bool around_zero) {
  double lo = INFINITY, hi = -INFINITY;
  for (const double v : values)
    if (std::isfinite(v)) {
      lo = std::min(lo, v);
      hi = std::max(hi, v);
    }
  if (lo > hi) lo = hi = 0;
  const double zero = around_zero ? 0 : (lo + hi) / 2;
  const double half = around_zero ? std::max(std::abs(lo), std::abs(hi)) : (hi - lo) / 2;
  const double scale = half > 0 ? half / 32767 : 1;
  std::vector<std::int16_t> q(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    q[i] = std::isfinite(values[i]) ? static_cast<std::int16_t>(std::lround((values[i] - zero) / scale)) : std::int16_t{-32768};
  return {{"zero", zero}, {"scale", scale}, {"q", base64(q)}};
}

}  // namespace urja::viz

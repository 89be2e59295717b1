#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace urja::viz {
namespace {

// The length of the well-formed UTF-8 sequence at the start of s, 0 if there is none.
std::size_t sequence(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned a = byte(0);
  if (a < 0x80) return 1;
  const std::size_t n = a >= 0xC2 && a <= 0xDF ? 2 : (a & 0xF0) == 0xE0 ? 3 : a >= 0xF0 && a <= 0xF4 ? 4 : 0;
  if (n == 0 || s.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned b = byte(1);
  const bool overlong_or_surrogate =
      (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F) || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F);
  return overlong_or_surrogate ? 0 : n;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = sequence(text);
    const auto c = static_cast<unsigned char>(text[0]);
    const bool control = n == 1 && ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F);
    if (n == 0 || control) out += "\xEF\xBF\xBD";
    else if (c != '\r') out += text.substr(0, n);
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string number(double x) {
  if (!std::isfinite(x)) return "–";
  const double a = std::abs(x);
  if (a == 0) return "0";
  if (a < 1e-3 || a >= 1e12) return fmt::format("{:.2e}", x);
  std::string s = a >= 1000  ? fmt::format("{:.0f}", a)
                  : a >= 100 ? fmt::format("{:.1f}", a)
                  : a >= 1   ? fmt::format("{:.2f}", a)
                             : fmt::format("{:.3f}", a);
  if (a < 1000 && s.find('.') != std::string::npos) {
    while (s.back() == '0') s.pop_back();
    if (s.back() == '.') s.pop_back();
  }
  const std::size_t whole = std::min(s.find('.'), s.size());
  for (std::size_t i = whole; i > 3; i -= 3) s.insert(i - 3, 1, ',');
  return x < 0 ? fmt::format("−{}", s) : s;
}

std::string utc(double seconds) {
  using namespace std::chrono;
  const auto whole = static_cast<long long>(std::floor(seconds));
  const sys_seconds at{std::chrono::seconds(whole)};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const long long s = (at - day).count();
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), s / 3600, s / 60 % 60);
  if (s % 60) text += fmt::format(":{:02}", s % 60);
  return text + " UTC";
}

std::string moment(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > 1e11) return "–";
  return fmt::format("<time data-utc=\"{}\">{}</time>", seconds, utc(seconds));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

Scale power_scale(double largest) {
  if (largest >= 2e6) return {1e-6, "MW"};
  if (largest >= 1e3) return {1e-3, "kW"};
  return {1, "W"};
}

Scale energy_scale(double largest) {
  if (largest >= 1e10) return {1e-9, "GWh"};
  if (largest >= 1e7) return {1e-6, "MWh"};
  if (largest >= 1e3) return {1e-3, "kWh"};
  return {1, "Wh"};
}

}  // namespace urja::viz

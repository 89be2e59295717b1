#include "viz/totals.hpp"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <numbers>

namespace urja::viz {
namespace {

constexpr double k_day = 86400, k_hour = 3600;
constexpr double k_most_days = 400;            // more are shown by week
constexpr std::size_t k_most_columns = 1600;   // and more weeks than this by two, four ...
constexpr double k_shortest = 2 * k_day;       // a map of one day says nothing
constexpr std::size_t k_histogram = 1u << 17;  // finer than the page's 16 bits

// The zone's wall clock; UTC where the system does not know the zone.
class WallClock {
 public:
  explicit WallClock(const std::string& zone) {
    try {
      zone_ = date::locate_zone(zone);
    } catch (const std::exception&) { zone_ = nullptr; }
  }
  double local(double t) {
    if (!(t >= begin_ && t < end_)) look_up(t);
    return t + offset_;
  }
  double end() const { return end_; }  // of the offset that held at the last time asked for

 private:
  void look_up(double t) {
    if (!zone_) {
      begin_ = -INFINITY;
      end_ = INFINITY;
      return;
    }
    const auto at = date::sys_seconds(std::chrono::seconds(static_cast<long long>(std::floor(t))));
    const date::sys_info info = zone_->get_info(at);
    begin_ = static_cast<double>(info.begin.time_since_epoch().count());
    end_ = static_cast<double>(info.end.time_since_epoch().count());
    offset_ = static_cast<double>(info.offset.count());
  }
  const date::time_zone* zone_ = nullptr;
  double begin_ = 0, end_ = 0, offset_ = 0;
};

// Calls visit(cell, seconds) for each part of a row that lies in one hour of the wall clock.
template <class Visit> void cells_of(WallClock& clock, const Calendar& c, double from, double seconds, Visit visit) {
  for (double t = from, end = from + seconds; t < end;) {
    const double local = clock.local(t), hour = std::floor(local / k_hour);
    double next = std::min({t + ((hour + 1) * k_hour - local), end, clock.end()});
    if (next <= t) next = end;  // no progress in the last bit of a very large time
    const double day = std::floor(hour / 24);
    // a clock set back at the first midnight would lead to the day before
    const auto column = static_cast<std::size_t>(std::max(0., day - static_cast<double>(c.first_day)) / c.days);
    visit(std::min(column, c.columns - 1) * 24 + static_cast<std::size_t>(hour - day * 24), next - t);
    t = next;
  }
}

// Values at shares of the time, from the highest on: the first is the highest and the last the lowest exactly, the others
// are told to a 131,072nd of the range.
std::vector<double> sorted_down(const std::vector<double>& power) {
  double low = INFINITY, high = -INFINITY;
  std::size_t n = 0;
  for (const double p : power) {
    if (!std::isfinite(p)) continue;
    low = std::min(low, p);
    high = std::max(high, p);
    ++n;
  }
  if (n == 0) return {};
  const double width = (high - low) / static_cast<double>(k_histogram);
  std::vector<double> out(k_duration_steps + 1, high);
  if (!(width > 0)) return out;
  std::vector<std::size_t> count(k_histogram, 0);
  for (const double p : power)
    if (std::isfinite(p)) ++count[std::min(static_cast<std::size_t>((p - low) / width), k_histogram - 1)];
  std::size_t bin = k_histogram, above = 0;  // above: values in bins from `bin` on
  for (std::size_t i = 1; i <= k_duration_steps; ++i) {
    const auto rank = std::min(static_cast<std::size_t>(duration_share(i) * static_cast<double>(n)), n - 1);
    while (above <= rank) above += count[--bin];
    out[i] = rank == 0 ? high : low + (static_cast<double>(bin) + 0.5) * width;
  }
  out.back() = low;
  for (double& v : out)
    if (std::abs(v) < width) v = 0;  // a bin's middle beside the zero that it stands for
  return out;
}

}  // namespace

double duration_share(std::size_t i) {
  return (1 - std::cos(std::numbers::pi * static_cast<double>(i) / static_cast<double>(k_duration_steps))) / 2;
}

Calendar calendar(const std::vector<double>& time, const std::vector<double>& seconds, const std::string& zone) {
  Calendar c;
  if (time.empty()) return c;
  const double first = time.front(), end = time.back() + seconds.back();
  if (end - first < k_shortest || std::abs(first) > 1e11 || std::abs(end) > 1e11) return c;
  std::size_t long_rows = 0;
  for (const double s : seconds) long_rows += s > k_hour;
  if (long_rows) return c;
  WallClock clock(zone);
  c.first_day = static_cast<long long>(std::floor(clock.local(first) / k_day));
  const double days = std::floor(clock.local(end - 1e-3) / k_day) - static_cast<double>(c.first_day) + 1;
  if (days > k_most_days) c.days = 7;
  while (days / c.days > static_cast<double>(k_most_columns)) c.days *= 2;
  c.columns = static_cast<std::size_t>(std::ceil(days / c.days));
  c.seconds.assign(c.columns * 24, 0);
  for (std::size_t i = 0; i < time.size(); ++i)
    cells_of(clock, c, time[i], seconds[i], [&](std::size_t cell, double s) { c.seconds[cell] += s; });
  return c;
}

Total total(const std::string& family, const std::vector<double>& time, const std::vector<double>& seconds,
            const std::vector<double>& power, const std::string& zone, const Calendar& c) {
  Total t;
  t.family = family;
  WallClock clock(zone);
  std::vector<double> covered(c.columns * 24, 0);
  t.up = t.down = covered;
  for (std::size_t i = 0; i < time.size(); ++i) {
    const double p = power[i];
    if (!std::isfinite(p)) continue;
    (p > 0 ? t.into_bus : t.out_of_bus) += p * seconds[i];
    t.seconds += seconds[i];
    if (c.columns)
      cells_of(clock, c, time[i], seconds[i], [&](std::size_t cell, double s) {
        covered[cell] += s;
        (p > 0 ? t.up : t.down)[cell] += p * s;
      });
  }
  for (std::size_t cell = 0; cell < covered.size(); ++cell) {
    t.up[cell] = covered[cell] > 0 ? t.up[cell] / covered[cell] : NAN;
    t.down[cell] = covered[cell] > 0 ? t.down[cell] / covered[cell] : NAN;
  }
  t.duration = sorted_down(power);
  return t;
}

}  // namespace urja::viz

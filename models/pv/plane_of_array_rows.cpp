#include "models/pv/plane_of_array_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "models/sun/irradiance.hpp"
#include "models/sun/solar_position.hpp"

namespace urja {

RowFunction plane_of_array_rows(std::shared_ptr<const void> surface, std::shared_ptr<const DataSet> weather) {
  const auto array = std::static_pointer_cast<const ArraySurface>(std::move(surface));
  const auto column = [&](const char* name) -> const std::vector<double>* {
    const auto found = weather->columns.find(name);
    return found == weather->columns.end() ? nullptr : &found->second.values;
  };
  const auto* global = column("global_horizontal_irradiance");
  const auto* direct = column("direct_normal_irradiance");
  const auto* diffuse = column("diffuse_horizontal_irradiance");
  const auto* air = column("ambient_temperature");
  const auto* wind = column("wind_speed");
  const sun::Place place{weather->latitude, weather->longitude, weather->elevation};
  const sun::Surface plane{array->surface_tilt, array->surface_azimuth, array->albedo};
  const auto model = array->transposition == "isotropic"    ? sun::Transposition::isotropic
                     : array->transposition == "hay_davies" ? sun::Transposition::hay_davies
                                                            : sun::Transposition::perez;
  // The data set is captured too: the pointers are into it.
  return [=](std::int64_t row, std::span<double> values) {
    const auto r = static_cast<std::size_t>(row);
    thread_local sun::SolarClock clock;
    sun::IrradianceMeans means{(*global)[r]};
    if (direct) means.direct_normal = (*direct)[r];
    if (diffuse) means.diffuse = (*diffuse)[r];
    values[0] = means.global > 0 || !(means.global == means.global)
                    ? sun::plane_of_array_mean(clock, weather->first + static_cast<double>(row) * weather->interval,
                                               weather->interval, place, plane, means, model)
                    : 0;
    values[1] = (*air)[r];
    values[2] = wind ? (*wind)[r] : 1;
  };
}

std::vector<std::string> weather_doubts(const DataSet& weather, double start, double end) {
  constexpr double three_days = 3 * 86400, dull = 50;         // W/m2: an overcast noon in winter has more
  constexpr std::int64_t most_samples = 1'500;                // a year of minutes need not be seen whole
  constexpr double share = 0.03, well_down = 1, hour = 3600;  // an hour's mean holds a bit of twilight
  const auto found = weather.columns.find("global_horizontal_irradiance");
  if (found == weather.columns.end()) return {};
  const std::vector<double>& global = found->second.values;
  const auto row = [&](double time) { return std::llround((time - weather.first) / weather.interval); };
  const std::int64_t first = std::clamp<std::int64_t>(row(start), 0, weather.rows),
                     last = std::clamp<std::int64_t>(row(end), 0, weather.rows);

  std::vector<std::string> doubts;
  if (first >= last) return doubts;
  const double largest = *std::max_element(global.begin() + first, global.begin() + last);
  if (end - start > three_days && largest < dull)
    doubts.push_back(fmt::format("the largest global_horizontal_irradiance is {:.3g} W/m2: is its unit kW/m2?", largest));

  // A day has 2^a 3^b 5^c rows: a stride without these factors falls on other hours every day.
  std::int64_t stride = (last - first) / most_samples;
  while (std::gcd(stride, 30) != 1) ++stride;
  const sun::Place place{weather.latitude, weather.longitude, weather.elevation};
  const double pressure = sun::pressure_at(weather.elevation);
  sun::SolarClock clock;
  double all = 0, dark = 0;
  const auto down = [&](double time) {
    return sun::solar_position(clock.at(time), place, pressure, 12).zenith_deg > 90 + well_down;
  };
  for (std::int64_t r = first; r < last; r += stride) {
    const double light = std::max(global[static_cast<std::size_t>(r)], 0.0);
    const double begin = weather.first + static_cast<double>(r) * weather.interval;
    all += light;
    if (light > 0 && weather.interval <= hour && down(begin) && down(begin + weather.interval)) dark += light;
  }
  if (dark > share * all)
    doubts.push_back(
        fmt::format("{:.0f} % of global_horizontal_irradiance falls while the sun is below the horizon at {:.4g} deg "
                    "north, {:.4g} deg east: are place, clock and mark right?",
                    100 * dark / all, weather.latitude, weather.longitude));
  return doubts;
}

}  // namespace urja

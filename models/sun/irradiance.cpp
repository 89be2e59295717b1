#include "models/sun/irradiance.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>
#include <vector>

namespace urja::sun {
namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_degree = std::numbers::pi / 180;
constexpr double k_lowest_sun_deg = 87;  // zenith beyond which direct light cannot be told from diffuse

double cosine(double degrees) { return std::cos(k_degree * degrees); }

// Perez, Ineichen, Seals, Michalsky & Stewart 1990, table 6: brightness coefficients by sky clearness, from
// `clearness` up. This is the three-decimal composite of all sites; tools with the older seven-digit table
// differ by 0.3 W/m2.
struct PerezBin {
  double clearness, f11, f12, f13, f21, f22, f23;
};
// clang-format off
constexpr PerezBin k_perez[] = {
    {1.000, -0.008,  0.588, -0.062, -0.060,  0.072, -0.022},
    {1.065,  0.130,  0.683, -0.151, -0.019,  0.066, -0.029},
    {1.230,  0.330,  0.487, -0.221,  0.055, -0.064, -0.026},
    {1.500,  0.568,  0.187, -0.295,  0.109, -0.152, -0.014},
    {1.950,  0.873, -0.392, -0.362,  0.226, -0.462,  0.001},
    {2.800,  1.132, -1.237, -0.412,  0.288, -0.823,  0.056},
    {4.500,  1.060, -1.600, -0.359,  0.264, -1.127,  0.131},
    {6.200,  0.678, -0.327, -0.250,  0.156, -1.377,  0.251}};
// clang-format on

const PerezBin& perez_bin(double clearness) {
  const auto above = std::upper_bound(std::begin(k_perez) + 1, std::end(k_perez), clearness,
                                      [](double value, const PerezBin& bin) { return value < bin.clearness; });
  return *(above - 1);
}

double cos_incidence(const SunPosition& sun, const Surface& surface) {
  const double zenith = k_degree * sun.apparent_zenith_deg, tilt = k_degree * surface.tilt_deg;
  return std::cos(zenith) * std::cos(tilt) + std::sin(zenith) * std::sin(tilt) * cosine(sun.azimuth_deg - surface.azimuth_deg);
}

double sky_view(const Surface& surface) { return (1 + cosine(surface.tilt_deg)) / 2; }

// What is missing follows from global = direct_normal cos z + diffuse, with `erbs` where both are missing.
// Direct light is never brighter than above the air: what a wrong clock or logger leaves over is diffuse.
Irradiance completed(const IrradianceMeans& means, double zenith_deg, double extraterrestrial) {
  const double global = means.global, cos_zenith = cosine(zenith_deg);
  if (means.direct_normal && means.diffuse) return {global, *means.direct_normal, *means.diffuse};
  if (means.direct_normal) return {global, *means.direct_normal, std::max(global - *means.direct_normal * cos_zenith, 0.0)};
  double direct = 0;
  if (!means.diffuse) direct = erbs(global, zenith_deg, extraterrestrial).direct_normal;
  else if (zenith_deg <= k_lowest_sun_deg) direct = (global - *means.diffuse) / cos_zenith;
  direct = std::clamp(direct, 0.0, extraterrestrial);
  return {global, direct, global - direct * cos_zenith};
}

double up_to_bound(double irradiance) { return std::clamp(irradiance, 0.0, k_most_irradiance); }

}  // namespace

// The comparison keeps a NaN, which std::max would not.
double PlaneOfArray::sky() const {
  const double sum = isotropic + circumsolar + horizon;
  return sum < 0 ? 0 : sum;
}

int day_of_year(double unix_seconds_utc) {
  using namespace std::chrono;
  const sys_days day{days{static_cast<int>(std::floor(unix_seconds_utc / 86400))}};
  const year_month_day date{day};
  return static_cast<int>((day - sys_days{date.year() / January / 1}).count()) + 1;
}

double extraterrestrial_spencer(double day_of_year, double solar_constant) {
  const double b = 2 * std::numbers::pi * (day_of_year - 1) / 365;
  return solar_constant *
         (1.00011 + 0.034221 * std::cos(b) + 0.00128 * std::sin(b) + 0.000719 * std::cos(2 * b) + 7.7e-5 * std::sin(2 * b));
}

double relative_air_mass(double apparent_zenith_deg) {
  if (apparent_zenith_deg > 90) return k_nan;
  return 1 / (cosine(apparent_zenith_deg) + 0.50572 * std::pow(96.07995 - apparent_zenith_deg, -1.6364));
}

Irradiance erbs(double global, double zenith_deg, double extraterrestrial) {
  if (std::isnan(global + zenith_deg + extraterrestrial)) return {k_nan, k_nan, k_nan};
  // 0.065 keeps the clearness of a low sun finite
  const double clearness = std::clamp(global / (extraterrestrial * std::max(cosine(zenith_deg), 0.065)), 0.0, 1.0);
  double share = 0.165;  // of diffuse light
  if (clearness <= 0.22) share = 1 - 0.09 * clearness;
  else if (clearness <= 0.8)
    share = 0.9511 + clearness * (-0.1604 + clearness * (4.388 + clearness * (-16.638 + clearness * 12.336)));
  if (zenith_deg > k_lowest_sun_deg || global < 0) return {global, 0, global};
  return {global, (1 - share) * global / cosine(zenith_deg), share * global};
}

double angle_of_incidence(const SunPosition& sun, const Surface& surface) {
  return std::acos(std::clamp(cos_incidence(sun, surface), -1.0, 1.0)) / k_degree;
}

PlaneOfArray transpose(Transposition model, const Irradiance& light, const SunPosition& sun, double extraterrestrial,
                       const Surface& surface) {
  const double incidence = cos_incidence(sun, surface);
  if (std::isnan(light.global + light.direct_normal + light.diffuse + extraterrestrial + incidence))
    return {k_nan, k_nan, k_nan, k_nan, k_nan};

  const double facing = std::max(incidence, 0.0), view = sky_view(surface);
  const double cos_zenith = cosine(sun.apparent_zenith_deg);
  PlaneOfArray poa;
  poa.beam = light.direct_normal * facing;
  poa.ground = light.global * surface.albedo * (1 - view);
  poa.isotropic = light.diffuse * view;

  const double air_mass = relative_air_mass(sun.apparent_zenith_deg);
  if (light.diffuse <= 0 || std::isnan(air_mass)) return poa;

  if (model == Transposition::hay_davies) {
    constexpr double k_least_cos_zenith = 0.01745;  // sun 1 deg up
    const double anisotropy = light.direct_normal / extraterrestrial;
    poa.isotropic *= 1 - anisotropy;
    poa.circumsolar = light.diffuse * anisotropy * facing / std::max(cos_zenith, k_least_cos_zenith);
  }
  if (model == Transposition::perez) {  // eqs. 1, 2, 9
    const double zenith = k_degree * sun.apparent_zenith_deg;
    const double lowness = 1.041 * zenith * zenith * zenith;
    const double clearness = (1 + light.direct_normal / light.diffuse + lowness) / (1 + lowness);
    const double brightness = light.diffuse * air_mass / extraterrestrial;
    const PerezBin& f = perez_bin(clearness);
    const double around_sun = std::max(f.f11 + f.f12 * brightness + f.f13 * zenith, 0.0);
    const double at_horizon = f.f21 + f.f22 * brightness + f.f23 * zenith;
    poa.isotropic *= 1 - around_sun;
    poa.circumsolar = light.diffuse * around_sun * facing / std::max(cos_zenith, cosine(85));
    poa.horizon = light.diffuse * at_horizon * std::sin(k_degree * surface.tilt_deg);
  }
  return poa;
}

double plane_of_array_mean(SolarClock& clock, double start_unix_seconds, double length_s, const Place& place,
                           const Surface& surface, const IrradianceMeans& means, Transposition model) {
  const double known = means.global + means.direct_normal.value_or(0) + means.diffuse.value_or(0);
  constexpr double k_most_seconds = 1e11, k_day_s = 86400;  // some 3000 years either way
  if (!std::isfinite(known) || !(std::abs(start_unix_seconds) < k_most_seconds)) return k_nan;
  if (!(length_s > 0 && length_s <= k_day_s)) return k_nan;

  constexpr double k_sample_s = 600, k_temperature_c = 12;
  const double pressure = pressure_at(place.elevation_m);
  const int samples = static_cast<int>(std::ceil(length_s / k_sample_s));
  std::vector<SunPosition> sunlit;
  double cos_zenith = 0;
  for (int i = 0; i < samples; ++i) {
    const double middle = start_unix_seconds + (i + 0.5) * length_s / samples;
    const SunPosition sun = solar_position(clock.at(middle), place, pressure, k_temperature_c);
    if (sun.apparent_zenith_deg >= 90) continue;
    sunlit.push_back(sun);
    cos_zenith += cosine(sun.apparent_zenith_deg);
  }

  // Loggers read a few watts below zero at night.
  const auto lit = [](double mean) { return std::max(mean, 0.0); };
  if (sunlit.empty()) {
    const double view = sky_view(surface);
    return up_to_bound(lit(means.diffuse.value_or(means.global)) * view + lit(means.global) * surface.albedo * (1 - view));
  }

  // The light while the sun is up: the means hold for the whole interval, dark part included.
  const double share = static_cast<double>(sunlit.size()) / samples;
  const auto while_up = [&](std::optional<double> mean) -> std::optional<double> {
    if (!mean) return {};
    return lit(*mean) / share;
  };
  // the apparent zenith here too, so that a flat plane gets the measured global light, no more and no less
  const double zenith = std::acos(cos_zenith / static_cast<double>(sunlit.size())) / k_degree;
  const double extraterrestrial = extraterrestrial_spencer(day_of_year(start_unix_seconds + length_s / 2));
  const Irradiance light =
      completed({*while_up(means.global), while_up(means.direct_normal), while_up(means.diffuse)}, zenith, extraterrestrial);
  double sum = 0;
  for (const SunPosition& sun : sunlit) sum += transpose(model, light, sun, extraterrestrial, surface).total();
  return up_to_bound(sum / samples);
}

}  // namespace urja::sun

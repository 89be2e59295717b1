#include "models/sun/solar_position.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <iterator>
#include <numbers>
#include <span>

namespace urja::sun {
namespace {

// ---- Tables -----------------------------------------------------------------------------------------------

// amplitude * cos(phase + rate * t), t in Julian millennia from J2000; amplitudes in 1e-8 rad or 1e-8 AU
struct Term {
  double amplitude, phase, rate;
};

// multiples of the five arguments (elongation, anomalies of Sun and Moon, latitude argument, ascending node)
// and the amplitudes, constant and per Julian century, of nutation in longitude (sine) and obliquity
// (cosine), in 0.0001"
struct NutationTerm {
  double argument[5];
  double longitude, longitude_rate, obliquity, obliquity_rate;
};

// Reda & Andreas 2004, table A4.2 (Earth's heliocentric longitude l, latitude b, radius vector r) and table
// A4.3.
// clang-format off
constexpr Term k_l0[] = {
    {175347046, 0, 0}, {3341656, 4.6692568, 6283.07585}, {34894, 4.6261, 12566.1517},
    {3497, 2.7441, 5753.3849}, {3418, 2.8289, 3.5231}, {3136, 3.6277, 77713.7715},
    {2676, 4.4181, 7860.4194}, {2343, 6.1352, 3930.2097}, {1324, 0.7425, 11506.7698},
    {1273, 2.0371, 529.691}, {1199, 1.1096, 1577.3435}, {990, 5.233, 5884.927}, {902, 2.045, 26.298},
    {857, 3.508, 398.149}, {780, 1.179, 5223.694}, {753, 2.533, 5507.553}, {505, 4.583, 18849.228},
    {492, 4.205, 775.523}, {357, 2.92, 0.067}, {317, 5.849, 11790.629}, {284, 1.899, 796.298},
    {271, 0.315, 10977.079}, {243, 0.345, 5486.778}, {206, 4.806, 2544.314}, {205, 1.869, 5573.143},
    {202, 2.458, 6069.777}, {156, 0.833, 213.299}, {132, 3.411, 2942.463}, {126, 1.083, 20.775},
    {115, 0.645, 0.98}, {103, 0.636, 4694.003}, {102, 0.976, 15720.839}, {102, 4.267, 7.114},
    {99, 6.21, 2146.17}, {98, 0.68, 155.42}, {86, 5.98, 161000.69}, {85, 1.3, 6275.96}, {85, 3.67, 71430.7},
    {80, 1.81, 17260.15}, {79, 3.04, 12036.46}, {75, 1.76, 5088.63}, {74, 3.5, 3154.69}, {74, 4.68, 801.82},
    {70, 0.83, 9437.76}, {62, 3.98, 8827.39}, {61, 1.82, 7084.9}, {57, 2.78, 6286.6}, {56, 4.39, 14143.5},
    {56, 3.47, 6279.55}, {52, 0.19, 12139.55}, {52, 1.33, 1748.02}, {51, 0.28, 5856.48},
    {49, 0.49, 1194.45}, {41, 5.37, 8429.24}, {41, 2.4, 19651.05}, {39, 6.17, 10447.39},
    {37, 6.04, 10213.29}, {37, 2.57, 1059.38}, {36, 1.71, 2352.87}, {36, 1.78, 6812.77},
    {33, 0.59, 17789.85}, {30, 0.44, 83996.85}, {30, 2.74, 1349.87}, {25, 3.16, 4690.48},
};
constexpr Term k_l1[] = {
    {628331966747, 0, 0}, {206059, 2.678235, 6283.07585}, {4303, 2.6351, 12566.1517}, {425, 1.59, 3.523},
    {119, 5.796, 26.298}, {109, 2.966, 1577.344}, {93, 2.59, 18849.23}, {72, 1.14, 529.69},
    {68, 1.87, 398.15}, {67, 4.41, 5507.55}, {59, 2.89, 5223.69}, {56, 2.17, 155.42}, {45, 0.4, 796.3},
    {36, 0.47, 775.52}, {29, 2.65, 7.11}, {21, 5.34, 0.98}, {19, 1.85, 5486.78}, {19, 4.97, 213.3},
    {17, 2.99, 6275.96}, {16, 0.03, 2544.31}, {16, 1.43, 2146.17}, {15, 1.21, 10977.08},
    {12, 2.83, 1748.02}, {12, 3.26, 5088.63}, {12, 5.27, 1194.45}, {12, 2.08, 4694}, {11, 0.77, 553.57},
    {10, 1.3, 6286.6}, {10, 4.24, 1349.87}, {9, 2.7, 242.73}, {9, 5.64, 951.72}, {8, 5.3, 2352.87},
    {6, 2.65, 9437.76}, {6, 4.67, 4690.48},
};
constexpr Term k_l2[] = {
    {52919, 0, 0}, {8720, 1.0721, 6283.0758}, {309, 0.867, 12566.152}, {27, 0.05, 3.52}, {16, 5.19, 26.3},
    {16, 3.68, 155.42}, {10, 0.76, 18849.23}, {9, 2.06, 77713.77}, {7, 0.83, 775.52}, {5, 4.66, 1577.34},
    {4, 1.03, 7.11}, {4, 3.44, 5573.14}, {3, 5.14, 796.3}, {3, 6.05, 5507.55}, {3, 1.19, 242.73},
    {3, 6.12, 529.69}, {3, 0.31, 398.15}, {3, 2.28, 553.57}, {2, 4.38, 5223.69}, {2, 3.75, 0.98},
};
constexpr Term k_l3[] = {
    {289, 5.844, 6283.076}, {35, 0, 0}, {17, 5.49, 12566.15}, {3, 5.2, 155.42}, {1, 4.72, 3.52},
    {1, 5.3, 18849.23}, {1, 5.97, 242.73},
};
constexpr Term k_l4[] = {
    {114, 3.142, 0}, {8, 4.13, 6283.08}, {1, 3.84, 12566.15},
};
constexpr Term k_l5[] = {
    {1, 3.14, 0},
};
constexpr Term k_b0[] = {
    {280, 3.199, 84334.662}, {102, 5.422, 5507.553}, {80, 3.88, 5223.69}, {44, 3.7, 2352.87},
    {32, 4, 1577.34},
};
constexpr Term k_b1[] = {
    {9, 3.9, 5507.55}, {6, 1.73, 5223.69},
};
constexpr Term k_r0[] = {
    {100013989, 0, 0}, {1670700, 3.0984635, 6283.07585}, {13956, 3.05525, 12566.1517},
    {3084, 5.1985, 77713.7715}, {1628, 1.1739, 5753.3849}, {1576, 2.8469, 7860.4194},
    {925, 5.453, 11506.77}, {542, 4.564, 3930.21}, {472, 3.661, 5884.927}, {346, 0.964, 5507.553},
    {329, 5.9, 5223.694}, {307, 0.299, 5573.143}, {243, 4.273, 11790.629}, {212, 5.847, 1577.344},
    {186, 5.022, 10977.079}, {175, 3.012, 18849.228}, {110, 5.055, 5486.778}, {98, 0.89, 6069.78},
    {86, 5.69, 15720.84}, {86, 1.27, 161000.69}, {65, 0.27, 17260.15}, {63, 0.92, 529.69},
    {57, 2.01, 83996.85}, {56, 5.24, 71430.7}, {49, 3.25, 2544.31}, {47, 2.58, 775.52}, {45, 5.54, 9437.76},
    {43, 6.01, 6275.96}, {39, 5.36, 4694}, {38, 2.39, 8827.39}, {37, 0.83, 19651.05}, {37, 4.9, 12139.55},
    {36, 1.67, 12036.46}, {35, 1.84, 2942.46}, {33, 0.24, 7084.9}, {32, 0.18, 5088.63}, {32, 1.78, 398.15},
    {28, 1.21, 6286.6}, {28, 1.9, 6279.55}, {26, 4.59, 10447.39},
};
constexpr Term k_r1[] = {
    {103019, 1.10749, 6283.07585}, {1721, 1.0644, 12566.1517}, {702, 3.142, 0}, {32, 1.02, 18849.23},
    {31, 2.84, 5507.55}, {25, 1.32, 5223.69}, {18, 1.42, 1577.34}, {10, 5.91, 10977.08}, {9, 1.42, 6275.96},
    {9, 0.27, 5486.78},
};
constexpr Term k_r2[] = {
    {4359, 5.7846, 6283.0758}, {124, 5.579, 12566.152}, {12, 3.14, 0}, {9, 3.63, 77713.77},
    {6, 1.87, 5573.14}, {3, 5.47, 18849.23},
};
constexpr Term k_r3[] = {
    {145, 4.273, 6283.076}, {7, 3.92, 12566.15},
};
constexpr Term k_r4[] = {
    {4, 2.56, 6283.08},
};
constexpr NutationTerm k_nutation[] = {
    {{0, 0, 0, 0, 1}, -171996, -174.2, 92025, 8.9}, {{-2, 0, 0, 2, 2}, -13187, -1.6, 5736, -3.1},
    {{0, 0, 0, 2, 2}, -2274, -0.2, 977, -0.5}, {{0, 0, 0, 0, 2}, 2062, 0.2, -895, 0.5},
    {{0, 1, 0, 0, 0}, 1426, -3.4, 54, -0.1}, {{0, 0, 1, 0, 0}, 712, 0.1, -7, 0},
    {{-2, 1, 0, 2, 2}, -517, 1.2, 224, -0.6}, {{0, 0, 0, 2, 1}, -386, -0.4, 200, 0},
    {{0, 0, 1, 2, 2}, -301, 0, 129, -0.1}, {{-2, -1, 0, 2, 2}, 217, -0.5, -95, 0.3},
    {{-2, 0, 1, 0, 0}, -158, 0, 0, 0}, {{-2, 0, 0, 2, 1}, 129, 0.1, -70, 0},
    {{0, 0, -1, 2, 2}, 123, 0, -53, 0}, {{2, 0, 0, 0, 0}, 63, 0, 0, 0}, {{0, 0, 1, 0, 1}, 63, 0.1, -33, 0},
    {{2, 0, -1, 2, 2}, -59, 0, 26, 0}, {{0, 0, -1, 0, 1}, -58, -0.1, 32, 0},
    {{0, 0, 1, 2, 1}, -51, 0, 27, 0}, {{-2, 0, 2, 0, 0}, 48, 0, 0, 0}, {{0, 0, -2, 2, 1}, 46, 0, -24, 0},
    {{2, 0, 0, 2, 2}, -38, 0, 16, 0}, {{0, 0, 2, 2, 2}, -31, 0, 13, 0}, {{0, 0, 2, 0, 0}, 29, 0, 0, 0},
    {{-2, 0, 1, 2, 2}, 29, 0, -12, 0}, {{0, 0, 0, 2, 0}, 26, 0, 0, 0}, {{-2, 0, 0, 2, 0}, -22, 0, 0, 0},
    {{0, 0, -1, 2, 1}, 21, 0, -10, 0}, {{0, 2, 0, 0, 0}, 17, -0.1, 0, 0}, {{2, 0, -1, 0, 1}, 16, 0, -8, 0},
    {{-2, 2, 0, 2, 2}, -16, 0.1, 7, 0}, {{0, 1, 0, 0, 1}, -15, 0, 9, 0}, {{-2, 0, 1, 0, 1}, -13, 0, 7, 0},
    {{0, -1, 0, 0, 1}, -12, 0, 6, 0}, {{0, 0, 2, -2, 0}, 11, 0, 0, 0}, {{2, 0, -1, 2, 1}, -10, 0, 5, 0},
    {{2, 0, 1, 2, 2}, -8, 0, 3, 0}, {{0, 1, 0, 2, 2}, 7, 0, -3, 0}, {{-2, 1, 1, 0, 0}, -7, 0, 0, 0},
    {{0, -1, 0, 2, 2}, -7, 0, 3, 0}, {{2, 0, 0, 2, 1}, -7, 0, 3, 0}, {{2, 0, 1, 0, 0}, 6, 0, 0, 0},
    {{-2, 0, 2, 2, 2}, 6, 0, -3, 0}, {{-2, 0, 1, 2, 1}, 6, 0, -3, 0}, {{2, 0, -2, 0, 1}, -6, 0, 3, 0},
    {{2, 0, 0, 0, 1}, -6, 0, 3, 0}, {{0, -1, 1, 0, 0}, 5, 0, 0, 0}, {{-2, -1, 0, 2, 1}, -5, 0, 3, 0},
    {{-2, 0, 0, 0, 1}, -5, 0, 3, 0}, {{0, 0, 2, 2, 1}, -5, 0, 3, 0}, {{-2, 0, 2, 0, 1}, 4, 0, 0, 0},
    {{-2, 1, 0, 2, 1}, 4, 0, 0, 0}, {{0, 0, 1, -2, 0}, 4, 0, 0, 0}, {{-1, 0, 1, 0, 0}, -4, 0, 0, 0},
    {{-2, 1, 0, 0, 0}, -4, 0, 0, 0}, {{1, 0, 0, 0, 0}, -4, 0, 0, 0}, {{0, 0, 1, 2, 0}, 3, 0, 0, 0},
    {{0, 0, -2, 2, 2}, -3, 0, 0, 0}, {{-1, -1, 1, 0, 0}, -3, 0, 0, 0}, {{0, 1, 1, 0, 0}, -3, 0, 0, 0},
    {{0, -1, 1, 2, 2}, -3, 0, 0, 0}, {{2, -1, -1, 2, 2}, -3, 0, 0, 0}, {{0, 0, 3, 2, 2}, -3, 0, 0, 0},
    {{2, -1, 0, 2, 2}, -3, 0, 0, 0},
};
// clang-format on

// TT - UT1 in s on 1 January of each year from 1973: TAI - UTC + 32.184 - (UT1 - UTC), IERS EOP C04 (2027:
// IERS finals2000A, predicted).
constexpr double k_delta_t_first_year = 1973;
constexpr double k_delta_t[] = {43.373, 44.485, 45.476, 46.458, 47.520, 48.535, 49.586, 50.539, 51.380, 52.167, 52.957,
                                53.786, 54.343, 54.870, 55.322, 55.820, 56.300, 56.855, 57.565, 58.309, 59.122, 59.984,
                                60.785, 61.629, 62.295, 62.966, 63.467, 63.829, 64.091, 64.300, 64.473, 64.574, 64.688,
                                64.845, 65.146, 65.457, 65.777, 66.070, 66.325, 66.603, 66.907, 67.281, 67.644, 68.102,
                                68.593, 68.968, 69.220, 69.361, 69.359, 69.295, 69.204, 69.175, 69.138, 69.110, 69.308};

// ---- Arithmetic -------------------------------------------------------------------------------------------

constexpr double k_degree = std::numbers::pi / 180;
constexpr double k_arcsecond = k_degree / 3600;
constexpr double k_j2000_unix = 946728000;  // 2000-01-01 12:00 UTC, that is JD 2451545.0

double series(std::span<const Term> terms, double millennia) {
  double sum = 0;
  for (const Term& term : terms) sum += term.amplitude * std::cos(term.phase + term.rate * millennia);
  return sum;
}

// c[0] + c[1] x + c[2] x^2 + ..
double polynomial(std::initializer_list<double> c, double x) {
  double sum = 0;
  for (auto it = std::rbegin(c); it != std::rend(c); ++it) sum = sum * x + *it;
  return sum;
}

double wrapped(double degrees) { return degrees - 360 * std::floor(degrees / 360); }

// Counted from J2000 at once, not from the Julian day: that would cost the last 40 microseconds.
double julian_centuries(double unix_seconds) { return (unix_seconds - k_j2000_unix) / (86400.0 * 36525); }

struct Nutation {
  double longitude, obliquity;
};

Nutation nutation(double centuries) {  // eqs. 15-23
  const double argument[] = {k_degree * polynomial({297.85036, 445267.111480, -0.0019142, 1 / 189474.0}, centuries),
                             k_degree * polynomial({357.52772, 35999.050340, -0.0001603, -1 / 300000.0}, centuries),
                             k_degree * polynomial({134.96298, 477198.867398, 0.0086972, 1 / 56250.0}, centuries),
                             k_degree * polynomial({93.27191, 483202.017538, -0.0036825, 1 / 327270.0}, centuries),
                             k_degree * polynomial({125.04452, -1934.136261, 0.0020708, 1 / 450000.0}, centuries)};
  Nutation sum{};
  for (const NutationTerm& term : k_nutation) {
    double angle = 0;
    for (int i = 0; i < 5; ++i) angle += term.argument[i] * argument[i];
    sum.longitude += (term.longitude + term.longitude_rate * centuries) * std::sin(angle);
    sum.obliquity += (term.obliquity + term.obliquity_rate * centuries) * std::cos(angle);
  }
  return {1e-4 * k_arcsecond * sum.longitude, 1e-4 * k_arcsecond * sum.obliquity};
}

double mean_obliquity(double millennia) {  // eq. 24
  return k_arcsecond *
         polynomial({84381.448, -4680.93, -1.55, 1999.25, -51.38, -249.67, -39.05, 7.12, 27.87, 5.79, 2.45}, millennia / 10);
}

// Lift of the seen sun over the true one in degrees (eq. 42); none once the whole disc is out of sight.
double refraction(double elevation_deg, double pressure_pa, double temperature_c, double at_horizon_deg) {
  constexpr double k_disc_radius_deg = 0.26667;
  if (elevation_deg < -(k_disc_radius_deg + at_horizon_deg)) return 0;
  return pressure_pa / 101000 * 283 / (273 + temperature_c) * 1.02 /
         (60 * std::tan(k_degree * (elevation_deg + 10.3 / (elevation_deg + 5.11))));
}

GeocentricSun between(const GeocentricSun& a, const GeocentricSun& b, double share) {
  return {std::lerp(a.longitude, b.longitude, share), std::lerp(a.latitude, b.latitude, share),
          std::lerp(a.distance_au, b.distance_au, share), std::lerp(a.nutation, b.nutation, share),
          std::lerp(a.obliquity, b.obliquity, share)};
}

}  // namespace

double delta_t(double unix_seconds_utc) {
  constexpr double k_last = static_cast<double>(std::size(k_delta_t) - 1);
  const double year = 2000 + (unix_seconds_utc - k_j2000_unix) / (86400 * 365.25);
  const double at = std::clamp(year - k_delta_t_first_year, 0.0, k_last);
  if (std::isnan(at)) return at;
  const auto row = static_cast<std::size_t>(std::min(at, k_last - 1));
  return std::lerp(k_delta_t[row], k_delta_t[row + 1], at - static_cast<double>(row));
}

double pressure_at(double elevation_m) { return 100 * std::pow((44331.514 - elevation_m) / 11880.516, 1 / 0.1902632); }

GeocentricSun geocentric_sun(double unix_seconds_utc, double delta_t_s) {
  const double centuries = julian_centuries(unix_seconds_utc + delta_t_s);
  const double t = centuries / 10;
  const auto [nutation_longitude, nutation_obliquity] = nutation(centuries);
  // the Earth seen from the Sun; turned round, the Sun seen from the Earth
  const double longitude =
      1e-8 *
      polynomial({series(k_l0, t), series(k_l1, t), series(k_l2, t), series(k_l3, t), series(k_l4, t), series(k_l5, t)}, t);
  const double latitude = 1e-8 * polynomial({series(k_b0, t), series(k_b1, t)}, t);
  const double radius =
      1e-8 * polynomial({series(k_r0, t), series(k_r1, t), series(k_r2, t), series(k_r3, t), series(k_r4, t)}, t);
  return {longitude + std::numbers::pi, -latitude, radius, nutation_longitude, mean_obliquity(t) + nutation_obliquity};
}

SolarTime solar_time(double unix_seconds_utc, double delta_t_s, const GeocentricSun& sun) {
  const double centuries = julian_centuries(unix_seconds_utc);
  const double days = (unix_seconds_utc - k_j2000_unix) / 86400;
  const double t = julian_centuries(unix_seconds_utc + delta_t_s) / 10;

  const double aberration = -20.4898 * k_arcsecond / sun.distance_au;     // eq. 26
  const double longitude = sun.longitude + sun.nutation + aberration;     // eq. 27
  const double turn = sun.nutation * std::cos(sun.obliquity) / k_degree;  // of the equinox, deg
  // eq. 28; whole days turn by whole circles, which are left out before they eat digits
  const double mean_sidereal = 280.46061837 + 360 * (days - std::floor(days)) + 0.98564736629 * days +
                               polynomial({0, 0, 0.000387933, -1 / 38710000.0}, centuries);

  const double sin_l = std::sin(longitude), sin_e = std::sin(sun.obliquity), cos_e = std::cos(sun.obliquity);
  const double right_ascension = std::atan2(sin_l * cos_e - std::tan(sun.latitude) * sin_e, std::cos(longitude)) / k_degree;
  const double sin_declination = std::sin(sun.latitude) * cos_e + std::cos(sun.latitude) * sin_e * sin_l;

  const double mean_longitude =
      polynomial({280.4664567, 360007.6982779, 0.03032028, 1 / 49931.0, -1 / 15300.0, -1 / 2000000.0}, t);  // eq. A2
  const double equation = wrapped(mean_longitude - 0.0057183 - right_ascension + turn + 180) - 180;         // eq. A1, deg
  return {wrapped(mean_sidereal + turn),
          wrapped(right_ascension),
          sin_declination,
          std::sqrt(1 - sin_declination * sin_declination),
          sun.distance_au,
          4 * equation};
}

SolarTime solar_time(double unix_seconds_utc, double delta_t_s) {
  return solar_time(unix_seconds_utc, delta_t_s, geocentric_sun(unix_seconds_utc, delta_t_s));
}

SunPosition solar_position(const SolarTime& time, const Place& place, double pressure_pa, double temperature_c,
                           double refraction_deg) {
  const double latitude = k_degree * place.latitude_deg;
  const double hour = k_degree * (time.sidereal_deg + place.longitude_deg - time.right_ascension_deg);
  const double sin_lat = std::sin(latitude), cos_lat = std::cos(latitude);

  // Where the observer stands, in Earth radii from the centre: out along the equator, up the axis (eqs. 34-36).
  constexpr double k_polar_to_equatorial = 0.99664719, k_earth_radius_m = 6378140;
  const double height = place.elevation_m / k_earth_radius_m;
  const double norm = std::hypot(cos_lat, k_polar_to_equatorial * sin_lat);
  const double out = cos_lat / norm + height * cos_lat;
  const double up_axis = k_polar_to_equatorial * k_polar_to_equatorial * sin_lat / norm + height * sin_lat;

  // The vector from the observer to the sun, in units of the sun's distance. This is SPA's parallax and rotation
  // (eqs. 37-41, 45) in Cartesian form, which stays exact near the zenith, where the arc sine does not.
  const double parallax = std::sin(8.794 * k_arcsecond / time.distance_au);  // eq. 33
  const double meridian = time.cos_declination * std::cos(hour) - out * parallax;
  const double west = time.cos_declination * std::sin(hour);
  const double axis = time.sin_declination - up_axis * parallax;
  const double up = meridian * cos_lat + axis * sin_lat;
  const double north = axis * cos_lat - meridian * sin_lat;

  const double zenith = std::atan2(std::hypot(north, west), up) / k_degree;
  return {zenith, zenith - refraction(90 - zenith, pressure_pa, temperature_c, refraction_deg),
          wrapped(std::atan2(-west, north) / k_degree), time.distance_au, time.equation_of_time_min};
}

SunPosition solar_position(double unix_seconds_utc, const Place& place, double pressure_pa, double temperature_c,
                           double delta_t_s, double refraction_deg) {
  return solar_position(solar_time(unix_seconds_utc, delta_t_s), place, pressure_pa, temperature_c, refraction_deg);
}

SolarTime SolarClock::at(double unix_seconds_utc) {
  constexpr double k_hour = 3600;
  const double hour = k_hour * std::floor(unix_seconds_utc / k_hour);
  if (hour != hour_) {
    delta_t_s_ = delta_t(hour);
    begin_ = geocentric_sun(hour, delta_t_s_);
    end_ = geocentric_sun(hour + k_hour, delta_t_s_);
    hour_ = hour;
  }
  return solar_time(unix_seconds_utc, delta_t_s_, between(begin_, end_, (unix_seconds_utc - hour) / k_hour));
}

}  // namespace urja::sun

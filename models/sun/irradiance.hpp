#pragma once
// Light on a tilted plane from light on the horizontal.
//
//     global horizontal ── erbs ──> direct normal + diffuse ── transpose ──> beam + sky + ground on the plane
//
// Irradiances are in W/m2. "Extraterrestrial" is what a plane facing the sun would get above the air. NaN in,
// NaN out.
#include <optional>

#include "models/sun/solar_position.hpp"

namespace urja::sun {

// A plane: tilt 0 = horizontal, 90 = vertical; azimuth clockwise from north of the direction it faces.
struct Surface {
  double tilt_deg = 0, azimuth_deg = 180;
  double albedo = 0.2;  // share of light that the ground before it reflects
};

struct Irradiance {
  double global;         // on the horizontal
  double direct_normal;  // from the sun's disc, on a plane facing it
  double diffuse;        // from the rest of the sky, on the horizontal
};

// The parts of light on a plane. `horizon` may be negative (a sky that darkens downwards): only the sky's sum
// is held at zero.
struct PlaneOfArray {
  double beam = 0;
  double isotropic = 0, circumsolar = 0, horizon = 0;
  double ground = 0;

  double sky() const;
  double total() const { return beam + sky() + ground; }
};

enum class Transposition {
  isotropic,   // the whole sky equally bright (Liu & Jordan 1963)
  hay_davies,  // and brighter around the sun (Hay & Davies 1980)
  perez,       // and a band along the horizon (Perez et al. 1990)
};

// Day of the year of an instant, 1 to 366, in UTC.
int day_of_year(double unix_seconds_utc);

// Extraterrestrial normal irradiance (Spencer 1971). 1366.1 is the constant that the empirical models below
// were fitted with; the newer value is 1361.1.
double extraterrestrial_spencer(double day_of_year, double solar_constant = 1366.1);

// Mass of air that the light crosses, relative to the zenith (Kasten & Young 1989). Undefined, NaN, below the
// horizon.
double relative_air_mass(double apparent_zenith_deg);

// Global into direct and diffuse by the clearness of the air (Erbs, Klein & Duffie 1982, eq. 1; fitted on
// hourly means). Takes the true zenith. All is diffuse when the sun is lower than 3 deg, where the division
// by cos z runs wild.
Irradiance erbs(double global, double zenith_deg, double extraterrestrial);

// Angle between the plane's normal and the sun, degrees (SPA eq. 47).
double angle_of_incidence(const SunPosition& sun, const Surface& surface);

// Light on the plane. Where the model is undefined (no diffuse light, sun below the horizon) the sky is
// isotropic.
PlaneOfArray transpose(Transposition model, const Irradiance& light, const SunPosition& sun, double extraterrestrial,
                       const Surface& surface);

// Mean irradiances over an interval, as weather files and loggers give them. What is not known is left out.
struct IrradianceMeans {
  double global;
  std::optional<double> direct_normal = {}, diffuse = {};
};

// No plane on Earth gets more, not even under a broken cloud beside the sun (the highest reading known is
// 1.83 kW/m2: Emck & Richter 2008).
inline constexpr double k_most_irradiance = 2000;

// Mean light on the plane, W/m2, over [start, start + length) of which the horizontal means are known.
//
// The sun is sampled at the middle of sub-intervals of at most 10 minutes. The light is taken as constant
// while the sun is up, so that its mean over the interval is the measured one, and each sample is transposed
// with its own sun: an hour's sun moves by 15 deg, and at sunrise the sun in the middle of the hour may not
// be up at all although light was measured. Without any sunlit sample the light is twilight, and isotropic.
//
// Missing direct or diffuse light follows from the other, or from `erbs` when neither is known. The result is
// in [0, k_most_irradiance]; NaN for a NaN and for a length that is not in (0, 1 day]. `clock` only saves
// time; one serves a series.
double plane_of_array_mean(SolarClock& clock, double start_unix_seconds, double length_s, const Place& place,
                           const Surface& surface, const IrradianceMeans& means, Transposition model = Transposition::perez);

}  // namespace urja::sun

#pragma once
// Where the sun is: NREL's Solar Position Algorithm (SPA).
//
// Source: I. Reda, A. Andreas, "Solar position algorithm for solar radiation applications", Solar Energy 76
// (2004) 577-589 and NREL/TP-560-34302 (2008). Its authors give 0.0003 deg for the years -2000 to 6000.
// Equation numbers below are those of the NREL report.
//
// The work falls into two parts, and so does the code:
//   SolarTime   what depends on time only: some 320 trigonometric terms (a few microseconds)
//   Place       turning that into zenith and azimuth: a tenth of a microsecond
// One SolarTime serves any number of places. A SolarClock gives the SolarTimes of a long series cheaply.
//
// Angles are in degrees at the surface of this file, azimuth clockwise from north, longitude east positive;
// times are Unix seconds, UTC. A NaN goes in and a NaN comes out.
#include <limits>

namespace urja::sun {

struct Place {
  double latitude_deg, longitude_deg, elevation_m;
};

struct SunPosition {
  double zenith_deg;            // of the sun's centre, as geometry has it
  double apparent_zenith_deg;   // as it is seen through the refracting air
  double azimuth_deg;           // clockwise from north, [0, 360)
  double distance_au;           // Earth to Sun
  double equation_of_time_min;  // apparent minus mean solar time
};

// The sun seen from the Earth's centre: moves slowly and smoothly. Radians, AU.
struct GeocentricSun {
  double longitude, latitude, distance_au;  // ecliptic, equinox of date (eqs. 9-14)
  double nutation, obliquity;               // in longitude (eq. 22); true obliquity of the ecliptic (eq. 25)
};

// Everything about an instant that does not depend on the place.
struct SolarTime {
  double sidereal_deg;                       // apparent, at Greenwich (eq. 29)
  double right_ascension_deg;                // (eq. 30)
  double sin_declination, cos_declination;   // (eq. 31)
  double distance_au, equation_of_time_min;  // (eqs. 9-11; A1)
};

inline constexpr double k_standard_refraction_deg = 0.5667;  // at sunrise and sunset (SPA section 3.11)

// TT - UT1 in seconds: IERS yearly values from 1973 to the prediction for 2027, linear in between. Outside
// the table the nearest value is held: the sun moves 1.1e-5 deg per second of error, so that 25 s too much
// cost 0.0003 deg.
double delta_t(double unix_seconds_utc);

// Pressure of the standard atmosphere in Pa at an elevation in m (constants: Portland State Aerospace
// Society 2004, from the U.S. Standard Atmosphere 1976, troposphere); NaN above 44 km.
double pressure_at(double elevation_m);

GeocentricSun geocentric_sun(double unix_seconds_utc, double delta_t_s);

SolarTime solar_time(double unix_seconds_utc, double delta_t_s, const GeocentricSun& sun);
SolarTime solar_time(double unix_seconds_utc, double delta_t_s);

// `pressure_pa` and `temperature_c` (yearly means will do) only bend the light; `refraction_deg` decides how
// far below the horizon the sun's centre may be and still be seen.
SunPosition solar_position(const SolarTime& time, const Place& place, double pressure_pa, double temperature_c,
                           double refraction_deg = k_standard_refraction_deg);
SunPosition solar_position(double unix_seconds_utc, const Place& place, double pressure_pa, double temperature_c,
                           double delta_t_s, double refraction_deg = k_standard_refraction_deg);

// The SolarTimes of a series. The slow part is computed at whole hours and is linear in between, the Earth's
// rotation is exact: within 2e-7 deg of `solar_time`. The hours are fixed, so an answer does not depend on
// what was asked before.
class SolarClock {
 public:
  SolarTime at(double unix_seconds_utc);

 private:
  double hour_ = std::numeric_limits<double>::quiet_NaN();  // start of the hour now held
  double delta_t_s_ = 0;
  GeocentricSun begin_{}, end_{};
};

}  // namespace urja::sun

#include "tests/validation/functions.hpp"

#include "models/sun/irradiance.hpp"
#include "models/sun/solar_position.hpp"

namespace urja::tests {
namespace {

using namespace urja::sun;

double extraterrestrial_at(double time) { return extraterrestrial_spencer(day_of_year(time)); }

Values sun_at(const Values& a) {
  const Place place{a.at("latitude"), a.at("longitude"), a.at("elevation")};
  const SunPosition sun = solar_position(a.at("time"), place, a.at("pressure"), a.at("temperature"), a.at("delta_t"));
  return {{"zenith", sun.zenith_deg},
          {"apparent_zenith", sun.apparent_zenith_deg},
          {"azimuth", sun.azimuth_deg},
          {"distance", sun.distance_au},
          {"equation_of_time", sun.equation_of_time_min}};
}

Values erbs_at(const Values& a) {
  const Irradiance light = erbs(a.at("global"), a.at("zenith"), extraterrestrial_at(a.at("time")));
  return {{"direct_normal", light.direct_normal}, {"diffuse", light.diffuse}};
}

Function plane_of_array(Transposition model) {
  const auto call = [model](const Values& a) -> Values {
    const double zenith = a.at("apparent_zenith");
    const SunPosition sun{zenith, zenith, a.at("azimuth"), 1, 0};
    const Surface surface{a.at("surface_tilt"), a.at("surface_azimuth"), a.at("albedo")};
    const Irradiance light{a.at("global"), a.at("direct_normal"), a.at("diffuse")};
    const PlaneOfArray plane = transpose(model, light, sun, a.at("extraterrestrial"), surface);
    return {{"angle_of_incidence", angle_of_incidence(sun, surface)},
            {"beam", plane.beam},
            {"isotropic", plane.isotropic},
            {"circumsolar", plane.circumsolar},
            {"horizon", plane.horizon},
            {"sky", plane.sky()},
            {"ground", plane.ground},
            {"total", plane.total()}};
  };
  return {{"apparent_zenith", "azimuth", "surface_tilt", "surface_azimuth", "albedo", "global", "direct_normal", "diffuse",
           "extraterrestrial"},
          call};
}

}  // namespace

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all{
      {"solar_position", {{"time", "latitude", "longitude", "elevation", "pressure", "temperature", "delta_t"}, sun_at}},
      {"extraterrestrial",
       {{"time"},
        [](const Values& a) -> Values {
          return {{"irradiance", extraterrestrial_at(a.at("time"))}};
        }}},
      {"standard_pressure",
       {{"elevation"},
        [](const Values& a) -> Values {
          return {{"pressure", pressure_at(a.at("elevation"))}};
        }}},
      {"air_mass",
       {{"apparent_zenith"},
        [](const Values& a) -> Values {
          return {{"relative", relative_air_mass(a.at("apparent_zenith"))}};
        }}},
      {"erbs", {{"time", "zenith", "global"}, erbs_at}},
      {"plane_of_array_isotropic", plane_of_array(Transposition::isotropic)},
      {"plane_of_array_hay_davies", plane_of_array(Transposition::hay_davies)},
      {"plane_of_array_perez", plane_of_array(Transposition::perez)},
  };
  return all;
}

}  // namespace urja::tests

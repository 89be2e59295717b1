#include "models/pv/plane_of_array_rows.hpp"

#include <utility>

#include "models/sun/irradiance.hpp"

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

}  // namespace urja

#pragma once
// The light on an array's modules, made row by row from a weather data set.
#include <memory>
#include <string>
#include <vector>

#include "engine/data_set.hpp"

namespace urja {

struct ArraySurface {
  double surface_tilt = 20, surface_azimuth = 180, albedo = 0.2;
  std::string transposition = "perez";
};

// Rows of {plane-of-array irradiance W/m2, ambient temperature degC, wind speed m/s}: interval means of the data set's rows.
// Missing wind is 1 m/s. `surface` points to an ArraySurface.
RowFunction plane_of_array_rows(std::shared_ptr<const void> surface, std::shared_ptr<const DataSet> weather);

// What is strange about the global irradiance from `start` to `end` [UTC s]: too little in more than three days to be W/m2, or
// much of it while the sun is down.
std::vector<std::string> weather_doubts(const DataSet& weather, double start, double end);

}  // namespace urja

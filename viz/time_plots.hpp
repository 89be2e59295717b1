// Plots over time: which there are, their words, their tables and their data for report/time_plots.js.
#pragma once

#include "viz/series.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace urja::viz {

struct Plot {
  const char* id;
  std::string title, unit, note;
  double factor = 1;  // file's unit -> unit of the axis
  const char* form;   // stack, line, step or total
  std::vector<const Series*> series;
};

std::vector<Plot> plots_of(const Drawing& d);  // points into the drawing
std::string plot_section(const Plot& p, std::size_t index);
nlohmann::json plot_data(const Plot& p);
std::vector<Plot> comparisons_of(const std::vector<Compared>& pairs);
bool has_power(const Series& s);  // more than the rounding of sums

}  // namespace urja::viz

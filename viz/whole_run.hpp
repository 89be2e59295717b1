// The run as a whole: where its energy came from and went, how long powers lasted, at which hours they were high. Words,
// tables, and the data for report/whole_run.js.
#pragma once

#include "viz/series.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace urja::viz {

struct Part {
  std::string html;     // empty: the file has nothing for it
  nlohmann::json data;  // null likewise
};

Part energy_flow(const Drawing& d);  // a Sankey picture: sources, bus, sinks
Part durations(const Drawing& d);    // duration curves
Part heat_map(const Drawing& d);     // by day and hour

}  // namespace urja::viz

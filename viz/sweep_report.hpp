// The report that compares the variants of a sweep.
#pragma once

#include <string>

namespace urja::viz {

// From the JSON file that `urja sweep` writes to one HTML file that needs nothing else. Throws std::runtime_error.
void write_sweep_report(const std::string& sweep_json, const std::string& html);

}  // namespace urja::viz

// Measured and simulated, in figures: how far they are apart, and whether a fault does to the one what it does to the other.
#pragma once

#include "viz/result_file.hpp"
#include "viz/series.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace urja::viz {

// `faults`: [{label, spans: [[begin, end] ..]} ..] as faults_part() gives them. Heading and tables; empty without a pair.
std::string comparison_section(const ResultFile& file, const Drawing& d, const nlohmann::json& faults);

}  // namespace urja::viz

// Numbers as the page holds them: 16 bits each.
#pragma once

#include <nlohmann/json.hpp>

#include <vector>

namespace urja::viz {

// value = zero + scale * q, q of 16 bits, -32768 for none. A curve around zero keeps its zeros exactly.
nlohmann::json curve(const std::vector<double>& values, bool around_zero);

}  // namespace urja::viz

#pragma once
#include <string>
namespace urja::viz {
inline void write_sweep_report(const std::string&, const std::string&) {}
}

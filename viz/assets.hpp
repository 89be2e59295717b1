// The files under viz/report/, compiled in.
#pragma once

#include <string_view>

namespace urja::viz {

std::string_view asset(std::string_view name);  // "page.css"; an unknown name is a programming error and throws

}  // namespace urja::viz

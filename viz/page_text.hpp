// Text for the page: escaping, numbers, times. Everything that comes from a result file is untrusted.
#pragma once

#include <string>
#include <string_view>

namespace urja::viz {

std::string valid_utf8(std::string_view text);  // broken bytes and control characters become U+FFFD
std::string escape(std::string_view text);      // for HTML text and quoted attributes
std::string number(double x);                   // four figures or all whole ones, thousands apart: 12,345
std::string utc(double seconds);                // 2016-08-01 07:00 UTC
std::string moment(double seconds);             // <time> element; the page's script turns it into local time
std::string replaced(std::string text, std::string_view from, std::string_view to);

struct Scale {
  double factor;
  const char* unit;
};
Scale power_scale(double largest_w);    // W, kW or MW
Scale energy_scale(double largest_wh);  // Wh, kWh, MWh or GWh

}  // namespace urja::viz

#pragma once
// Readers of hourly weather files, typical years and measured ones: EPW, TMY3 (NREL) and the Modelica table
// "mos".
//
// Whatever the file's own habit, rows here are means over the hour that begins at their stamp, in the file's
// standard time (no summer time). The habits, checked against the sun's position in the files that Urja ships
// or was tried on:
//
//   EPW    stamps the end: hour 1 is 00:00-01:00. The column "minute" says 60, 0 or 1 for the same thing and
//          is not read.
//   TMY3   stamps the end: "01:00" is 00:00-01:00, and "24:00" belongs to the day it is written beside.
//   mos    stamps the end, in seconds of a year of 365 days. The row at 0 s repeats that at 3600 s: it is no
//          hour of its own. In a whole year it stands in for the last hour, which the table lacks.
//
// Radiation is a mean of that hour. Temperature, humidity, pressure and wind are read off near the stamp and
// taken for the whole hour before it: half an hour from its middle.
//
// The header's zone can be wrong, so the caller may say better. New Delhi (BESTEST 421810) states 6.0, but
// its rows keep UTC+5.5: the hours' global light correlates best with the sun at 5.50 h (steps of 5 min);
// direct light times the sun's height plus diffuse light meets global light within 1.7 W/m2 rms at 5.5 h but
// 23 W/m2 at 6.0 h; on 76 clear days light is centred on true solar noon at 5.51 h, standard deviation 0.03 h.
// Greensboro (TMY3, -5) and Amsterdam (EPW, 1) keep the zone they state; Austin (EPW, -6) fits the sun best at
// -5.75, as if its hours were means of samples at :00 and :30; that is left as it is.
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace urja {

// A file that cannot be read or used: where, what is wrong, and what would mend it.
struct FileError : std::runtime_error {
  FileError(std::string file, int line, std::string wrong, std::string mend);

  std::string file;
  int line;  // from 1; 0 = the file as a whole
  std::string wrong, mend;
};

struct WeatherFile {
  struct Stamp {
    int year;  // as the file has it; typical months come from many years; 0 = the file has none
    int month, day, second;
  };
  struct Column {
    std::string unit;
    std::vector<double> values;  // one per stamp; NaN where the file says missing
  };

  std::string path, format, place;  // format: EPW, TMY3 or mos
  double latitude_deg = 0, longitude_deg = 0, elevation_m = 0;
  double utc_offset_h = 0;  // standard time minus UTC
  double interval_s = 3600;
  std::vector<Stamp> starts;  // without gaps, at most a year
  // ambient_temperature degC; global_horizontal_, direct_normal_ and diffuse_horizontal_irradiance W/m2;
  // wind_speed m/s; pressure Pa; relative_humidity 1; albedo 1. A quantity that the file never gives has no
  // column.
  std::map<std::string, Column> columns;
};

// Reads a file of any of the three formats, told apart by its first lines. `utc_offset_h` overrides the
// header's zone.
WeatherFile read_weather_file(const std::string& path, std::optional<double> utc_offset_h = {});

// The same for text in memory; `path` is for messages only.
WeatherFile parse_weather(std::string_view text, const std::string& path, std::optional<double> utc_offset_h = {});

// Start, in Unix seconds, of the file's hour that holds an instant. Hours begin at half past in UTC where the
// zone does.
std::int64_t hour_start(const WeatherFile& file, std::int64_t unix_s);

// The column laid on real dates, whatever the file's year: the value of (month, day, hour) in the file's
// standard time. Element i holds over [first + 3600 i, first + 3600 (i + 1)) with first =
// hour_start(start_unix_s); the last one holds the instant before end_unix_s. 29 February takes 28 February's
// rows unless the file has its own. Dates that the file does not have are NaN.
std::vector<double> on_calendar(const WeatherFile& file, const std::string& column, std::int64_t start_unix_s,
                                std::int64_t end_unix_s);

}  // namespace urja

#include "scenarios/weather_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

namespace urja {
namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr int k_hour_s = 3600, k_day_s = 86400;

// What a column may hold. Beyond the bounds no weather on Earth lies, so that a number there is a mistake.
struct Quantity {
  const char *name, *unit;
  double lowest, highest;
};

constexpr Quantity k_temperature{"ambient_temperature", "degC", -95, 70};
constexpr Quantity k_humidity{"relative_humidity", "1", 0, 1.1};
constexpr Quantity k_pressure{"pressure", "Pa", 30000, 115000};
constexpr Quantity k_global{"global_horizontal_irradiance", "W/m2", -20, 2000};
constexpr Quantity k_direct{"direct_normal_irradiance", "W/m2", -20, 2000};
constexpr Quantity k_diffuse{"diffuse_horizontal_irradiance", "W/m2", -20, 2000};
constexpr Quantity k_wind{"wind_speed", "m/s", 0, 120};
constexpr Quantity k_albedo{"albedo", "1", 0, 1};

// Where a format keeps a quantity. Wh/m2 of an hour is W/m2.
struct Field {
  Quantity quantity;
  const char* title;  // TMY3: the column's header; mos: how its comment begins
  int epw_index;      // from 0
  double factor;      // times this gives the quantity's unit
  double missing;     // numbers from here to k_highest_code say "missing"
};

// EnergyPlus, "Auxiliary Programs" (EPW data dictionary) for numbers and codes; the mos table is an EPW in
// other clothes.
constexpr Field k_epw_fields[] = {
    {k_temperature, "Dry bulb temperature in Celsius", 6, 1, 99.9},
    {k_humidity, "Relative humidity in percent", 8, 0.01, 999},
    {k_pressure, "Atmospheric station pressure in Pa", 9, 1, 999999},
    {k_global, "Global horizontal radiation in Wh/m2", 13, 1, 9999},
    {k_direct, "Direct normal radiation in Wh/m2", 14, 1, 9999},
    {k_diffuse, "Diffuse horizontal radiation in Wh/m2", 15, 1, 9999},
    {k_wind, "Wind speed in m/s", 21, 1, 999},
    {k_albedo, "Albedo", 32, 1, 99},
};

// Wilcox & Marion, "Users manual for TMY3 data sets", NREL/TP-581-43156 (2008).
constexpr Field k_tmy3_fields[] = {
    {k_temperature, "Dry-bulb (C)", -1, 1, 99.9},
    {k_humidity, "RHum (%)", -1, 0.01, 999},
    {k_pressure, "Pressure (mbar)", -1, 100, 9999},
    {k_global, "GHI (W/m^2)", -1, 1, 9999},
    {k_direct, "DNI (W/m^2)", -1, 1, 9999},
    {k_diffuse, "DHI (W/m^2)", -1, 1, 9999},
    {k_wind, "Wspd (m/s)", -1, 1, 99.9},
    {k_albedo, "Alb (unitless)", -1, 1, 99},
};
constexpr double k_missing_tmy3 = -9900;
constexpr double k_highest_code = 999999;

using Cells = std::vector<std::string_view>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r";
  const auto first = text.find_first_not_of(k_blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(k_blank) - first + 1);
}

// Cells between commas; a comma within "..." is text.
Cells comma_cells(std::string_view line) {
  Cells cells;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i < line.size() && (line[i] != ',' || quoted)) continue;
    cells.push_back(trimmed(line.substr(begin, i - begin)));
    begin = i + 1;
  }
  return cells;
}

Cells blank_cells(std::string_view line) {
  Cells cells;
  while (!(line = trimmed(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    cells.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return cells;
}

// A cell as it may stand in a message: short, and printable whatever the file holds.
std::string shown(std::string_view cell) {
  constexpr std::size_t k_most = 40;
  std::string text(cell.substr(0, k_most));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return "'" + text + (cell.size() > k_most ? "..'" : "'");
}

int days_in(int month) {  // at most
  constexpr std::array days{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[static_cast<std::size_t>(month - 1)];
}

// A file being read: its lines, and the words for what is wrong with them.
class Reader {
 public:
  Reader(std::string_view text, const std::string& path, const char* format) {
    out.path = path;
    out.format = format;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      lines.push_back(trimmed(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  [[noreturn]] void fail(std::string wrong, std::string mend) const {
    throw FileError(out.path, line, std::move(wrong), std::move(mend));
  }

  // Moves to a line, counted from 1.
  std::string_view go_to(int number) {
    line = number;
    if (number > static_cast<int>(lines.size()))
      fail("the file ends here", fmt::format("this is not a whole {} file: get it again", out.format));
    return lines[static_cast<std::size_t>(number - 1)];
  }

  double number(std::string_view cell, const char* what, double lowest, double highest) const {
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(value))
      fail(fmt::format("{} is {}, not a number", what, shown(cell)), "correct the cell");
    if (value < lowest || value > highest)
      fail(fmt::format("{} is {}, outside {} to {}", what, shown(cell), lowest, highest), "correct the cell");
    return value;
  }

  int whole(std::string_view cell, const char* what, int lowest, int highest) const {
    const double value = number(cell, what, lowest, highest);
    if (value != std::floor(value)) fail(fmt::format("{} is {}, not whole", what, shown(cell)), "correct the cell");
    return static_cast<int>(value);
  }

  void place(std::string_view name, std::string_view latitude, std::string_view longitude, std::string_view zone,
             std::string_view elevation) {
    out.place = std::string(name);
    std::erase(out.place, '"');
    out.latitude_deg = number(latitude, "latitude", -90, 90);
    out.longitude_deg = number(longitude, "longitude", -180, 180);
    out.utc_offset_h = number(zone, "time zone", -12, 14);
    out.elevation_m = number(elevation, "elevation", -500, 9000);
  }

  // One quantity of the present row. A ground that reflects nothing does not exist: albedo 0 says "missing"
  // too.
  void add(const Field& field, std::string_view cell, bool missing) {
    const auto& [name, unit, lowest, highest] = field.quantity;
    WeatherFile::Column& column = out.columns[name];
    column.unit = unit;
    constexpr double k_any = std::numeric_limits<double>::max();
    const double raw = number(cell, name, -k_any, k_any);
    const bool code = (raw >= field.missing && raw <= k_highest_code) || raw == k_missing_tmy3;
    const double value = raw * field.factor;
    if (missing || code || (name == std::string_view(k_albedo.name) && raw == 0)) column.values.push_back(k_nan);
    else if (value < lowest || value > highest)
      fail(fmt::format("{} is {} {}, outside {} to {}", name, value, unit, lowest, highest), "correct the cell");
    else column.values.push_back(value);
  }

  // The present row is the mean of the hour that ends at `end_hour` (1 to 24) of the day.
  void stamp(int year, int month, int day, int end_hour) {
    if (day > days_in(month)) fail(fmt::format("month {} has no day {}", month, day), "correct the date");
    const WeatherFile::Stamp now{year, month, day, (end_hour - 1) * k_hour_s};
    if (!out.starts.empty()) {
      if (!follows(out.starts.back(), now))
        fail("the row does not follow the hour before it", "sort the rows, one for each hour, none twice");
      const auto& [first_year, first_month, first_day, first_second] = out.starts.front();
      if (month == first_month && day == first_day && now.second == first_second)
        fail("the file holds more than a year", "keep one year of it");
    }
    out.starts.push_back(now);
  }

  WeatherFile finished(std::optional<double> utc_offset_h) {
    line = 0;
    if (out.starts.empty()) fail("there is no row of data", "get the file again");
    if (utc_offset_h) out.utc_offset_h = *utc_offset_h;
    if (!(std::abs(out.utc_offset_h) <= 14))
      fail(fmt::format("the offset from UTC is {} h", out.utc_offset_h), "give hours between -14 and 14");
    std::erase_if(out.columns, [](const auto& column) {
      return std::ranges::all_of(column.second.values, [](double value) { return std::isnan(value); });
    });
    return std::move(out);
  }

  WeatherFile out;
  std::vector<std::string_view> lines;
  int line = 0;

 private:
  // Year's end runs on into January, so that a file may begin in any month.
  static bool follows(const WeatherFile::Stamp& a, const WeatherFile::Stamp& b) {
    if (a.second + k_hour_s < k_day_s) return a.month == b.month && a.day == b.day && b.second == a.second + k_hour_s;
    if (b.second != 0) return false;
    if (a.month == b.month) return b.day == a.day + 1;
    const bool last = a.day == days_in(a.month) || (a.month == 2 && a.day == 28);
    return last && b.day == 1 && b.month == a.month % 12 + 1;
  }
};

WeatherFile read_epw(Reader reader, std::optional<double> utc_offset_h) {
  const Cells location = comma_cells(reader.go_to(1));
  if (location.size() < 10)
    reader.fail("LOCATION has fewer than ten fields",
                "the fields are: city, state, country, source, station, "
                "latitude, longitude, time zone, elevation");
  reader.place(location[1], location[6], location[7], location[8], location[9]);

  const Cells periods = comma_cells(reader.go_to(8));
  if (periods.size() < 7 || periods[0] != "DATA PERIODS") reader.fail("there is no DATA PERIODS", "an EPW file has it on line 8");
  if (periods[1] != "1" || periods[2] != "1")
    reader.fail("the file has several periods, or several rows an hour", "make it one period of hourly rows");
  const auto month_and_day = [&](std::string_view date) {  // " 1/ 1" or "1/1/2018"
    const std::size_t slash = std::min(date.find('/'), date.size() - 1);
    std::string_view day = date.substr(slash + 1);
    day = day.substr(0, day.find('/'));
    return std::pair{reader.whole(trimmed(date.substr(0, slash)), "month", 1, 12), reader.whole(trimmed(day), "day", 1, 31)};
  };
  if (periods[5].empty() || periods[6].empty()) reader.fail("DATA PERIODS has no dates", "give its first and last day");
  const auto first = month_and_day(periods[5]), last = month_and_day(periods[6]);

  for (int line = 9; line <= static_cast<int>(reader.lines.size()); ++line) {
    const std::string_view text = reader.go_to(line);
    if (text.empty()) continue;
    const Cells cells = comma_cells(text);
    constexpr std::size_t k_least_cells = 29;  // the last ones, albedo among them, are often left out
    if (cells.size() < k_least_cells)
      reader.fail(fmt::format("the row has {} cells, not 29 to 35", cells.size()), "get the file again");
    reader.stamp(reader.whole(cells[0], "year", 0, 9999), reader.whole(cells[1], "month", 1, 12),
                 reader.whole(cells[2], "day", 1, 31), reader.whole(cells[3], "hour", 1, 24));
    for (const Field& field : k_epw_fields) {
      const auto index = static_cast<std::size_t>(field.epw_index);
      const bool there = index < cells.size() && !cells[index].empty();
      reader.add(field, there ? cells[index] : "0", !there);
    }
  }
  const auto is = [](const WeatherFile::Stamp& stamp, std::pair<int, int> date, int second) {
    return stamp.month == date.first && stamp.day == date.second && stamp.second == second;
  };
  const auto& starts = reader.out.starts;
  if (!starts.empty() && (!is(starts.front(), first, 0) || !is(starts.back(), last, k_day_s - k_hour_s)))
    reader.fail("the rows are not the days that DATA PERIODS names", "the file may be cut off: get it again");
  return reader.finished(utc_offset_h);
}

WeatherFile read_tmy3(Reader reader, std::optional<double> utc_offset_h) {
  const Cells site = comma_cells(reader.go_to(1));
  if (site.size() < 7)
    reader.fail("the site has fewer than seven fields",
                "the fields are: number, name, state, time zone, latitude, longitude, elevation");
  reader.place(site[1], site[4], site[5], site[3], site[6]);

  const Cells titles = comma_cells(reader.go_to(2));
  std::vector<std::size_t> at;
  for (const Field& field : k_tmy3_fields) {
    const auto found = std::ranges::find(titles, field.title);
    if (found == titles.end()) reader.fail(fmt::format("there is no column {}", field.title), "take NREL's own file");
    at.push_back(static_cast<std::size_t>(found - titles.begin()));
  }

  for (int line = 3; line <= static_cast<int>(reader.lines.size()); ++line) {
    const std::string_view text = reader.go_to(line);
    if (text.empty()) continue;
    const Cells cells = comma_cells(text);
    if (cells.size() < titles.size())
      reader.fail(fmt::format("the row has {} cells, not {}", cells.size(), titles.size()), "get the file again");
    const std::string_view date = cells[0], time = cells[1];
    if (date.size() != 10 || date[2] != '/' || date[5] != '/' || time.size() != 5 || time.substr(2) != ":00")
      reader.fail(fmt::format("{} {} is no date and hour", shown(date), shown(time)), "write 12/31/1980,24:00");
    reader.stamp(reader.whole(date.substr(6), "year", 0, 9999), reader.whole(date.substr(0, 2), "month", 1, 12),
                 reader.whole(date.substr(3, 2), "day", 1, 31), reader.whole(time.substr(0, 2), "hour", 1, 24));
    for (std::size_t i = 0; i < at.size(); ++i) {
      const bool no_source = at[i] + 1 < cells.size() && cells[at[i] + 1] == "?";  // the column after says from where
      reader.add(k_tmy3_fields[i], cells[at[i]], no_source);
    }
  }
  // The format does not say how many rows there are; at least its days are whole.
  const auto& starts = reader.out.starts;
  if (!starts.empty() && (starts.front().second != 0 || starts.back().second != k_day_s - k_hour_s))
    reader.fail("the rows do not begin and end at midnight", "the file may be cut off: get it again");
  return reader.finished(utc_offset_h);
}

WeatherFile read_mos(Reader reader, std::optional<double> utc_offset_h) {
  constexpr int k_year_h = 8760;
  const std::string_view table = reader.go_to(2);  // double tab1(8760,30)
  const std::size_t open = table.find('('), comma = table.find(','), close = table.find(')');
  if (!table.starts_with("double ") || open == table.npos || comma == table.npos || close == table.npos ||
      !(open < comma && comma < close))
    reader.fail("there is no table", "line 2 reads: double tab1(rows,columns)");
  const int rows = reader.whole(table.substr(open + 1, comma - open - 1), "rows", 1, k_year_h + 1);
  const int width = reader.whole(table.substr(comma + 1, close - comma - 1), "columns", 1, 1000);

  // Comments give the site and, as "#C9 Global ..", the columns.
  std::vector<std::size_t> at(std::size(k_epw_fields), 0);  // column 0 is the time: not found yet
  bool located = false;
  int line = 3;
  for (; line <= static_cast<int>(reader.lines.size()) && reader.go_to(line).starts_with('#'); ++line) {
    const std::string_view text = reader.go_to(line);
    if (text.starts_with("#LOCATION,")) {
      const Cells cells = comma_cells(text);
      if (cells.size() < 10) reader.fail("LOCATION has fewer than ten fields", "take the line of the EPW file");
      reader.place(cells[1], cells[6], cells[7], cells[8], cells[9]);
      located = true;
    } else if (text.starts_with("#C")) {
      const std::size_t space = std::min(text.find(' '), text.size());
      int column = 0;
      std::from_chars(text.data() + 2, text.data() + space, column);
      if (column < 2 || column > width) continue;  // the time itself, or #COMMENTS
      for (std::size_t i = 0; i < at.size(); ++i)
        if (trimmed(text.substr(space)).starts_with(k_epw_fields[i].title)) at[i] = static_cast<std::size_t>(column - 1);
    }
  }
  reader.line = 0;
  if (!located) reader.fail("no comment gives the place", "add the line #LOCATION of the EPW file");
  for (std::size_t i = 0; i < at.size(); ++i)
    if (at[i] == 0) reader.fail(fmt::format("no comment names a column \"{}\"", k_epw_fields[i].title), "add it");

  int found = 0, previous = 0;
  Cells at_zero;
  const auto take = [&](const Cells& cells, int end_h) {  // the hour that ends `end_h` hours into the year
    using namespace std::chrono;
    const year_month_day date{sys_days{year{2001} / January / 1} + days{(end_h - 1) / 24}};  // any year of 365 days
    reader.stamp(0, static_cast<int>(static_cast<unsigned>(date.month())), static_cast<int>(static_cast<unsigned>(date.day())),
                 (end_h - 1) % 24 + 1);
    for (std::size_t i = 0; i < at.size(); ++i) reader.add(k_epw_fields[i], cells[at[i]], false);
  };
  for (; line <= static_cast<int>(reader.lines.size()); ++line) {
    const std::string_view text = reader.go_to(line);
    if (text.empty()) continue;
    const Cells cells = blank_cells(text);
    if (cells.size() != static_cast<std::size_t>(width))
      reader.fail(fmt::format("the row has {} cells, not {}", cells.size(), width), "get the file again");
    const int second = reader.whole(cells[0], "time", 0, k_year_h * k_hour_s);
    if (second % k_hour_s != 0) reader.fail(fmt::format("{} s is no whole hour", second), "make the rows hourly");
    previous = second / k_hour_s;
    if (++found == 1 && previous == 0) at_zero = cells;
    else if (previous == 0) reader.fail("the time is 0 again", "keep one year of the file");
    else take(cells, previous);
  }
  if (found != rows)
    reader.fail(fmt::format("the table has {} rows, not {} as it says", found, rows), "the file may be cut off: get it again");
  if (!at_zero.empty() && previous == k_year_h - 1) take(at_zero, k_year_h);
  return reader.finished(utc_offset_h);
}

}  // namespace

FileError::FileError(std::string file_, int line_, std::string wrong_, std::string mend_)
    : std::runtime_error(line_ > 0 ? fmt::format("{}:{}: {}; {}", file_, line_, wrong_, mend_)
                                   : fmt::format("{}: {}; {}", file_, wrong_, mend_)),
      file(std::move(file_)),
      line(line_),
      wrong(std::move(wrong_)),
      mend(std::move(mend_)) {}

WeatherFile parse_weather(std::string_view text, const std::string& path, std::optional<double> utc_offset_h) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  if (text.empty()) throw FileError(path, 0, "the file is empty", "get it again");
  if (text.starts_with("\x1f\x8b")) throw FileError(path, 0, "the file is compressed", "unpack it with gunzip");
  if (text.starts_with("LOCATION,")) return read_epw(Reader(text, path, "EPW"), utc_offset_h);
  if (text.starts_with("#1")) return read_mos(Reader(text, path, "mos"), utc_offset_h);
  const std::size_t second = text.find('\n');
  if (second != text.npos && text.substr(second + 1).starts_with("Date (MM/DD/YYYY),Time (HH:MM),"))
    return read_tmy3(Reader(text, path, "TMY3"), utc_offset_h);
  throw FileError(path, 1, "this is no weather file that Urja knows",
                  "EPW begins with LOCATION, a mos table with #1, and TMY3 has Date (MM/DD/YYYY) on line 2");
}

WeatherFile read_weather_file(const std::string& path, std::optional<double> utc_offset_h) {
  std::error_code ignored;
  std::ifstream in;
  if (std::filesystem::is_regular_file(path, ignored) || std::filesystem::is_fifo(path, ignored)) in.open(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) throw FileError(path, 0, "the file cannot be read", "check its name and that you may read it");
  return parse_weather(text, path, utc_offset_h);
}

std::int64_t hour_start(const WeatherFile& file, std::int64_t unix_s) {
  const auto offset = static_cast<std::int64_t>(std::llround(file.utc_offset_h * k_hour_s));
  const std::int64_t local = unix_s + offset, into = local % k_hour_s;
  return unix_s - (into < 0 ? into + k_hour_s : into);
}

std::vector<double> on_calendar(const WeatherFile& file, const std::string& column, std::int64_t start_unix_s,
                                std::int64_t end_unix_s) {
  using namespace std::chrono;
  const auto found = file.columns.find(column);
  if (found == file.columns.end()) {
    std::string names;
    for (const auto& [name, values] : file.columns) names += (names.empty() ? "" : ", ") + name;
    throw FileError(file.path, 0, "it has no column " + shown(column), "it has " + names);
  }
  constexpr std::int64_t k_furthest = 32'000'000'000;  // a thousand years either way
  if (start_unix_s < -k_furthest || end_unix_s > k_furthest)
    throw FileError(file.path, 0, "it is asked for dates a thousand years away", "give Unix seconds");

  // The row of each hour of the year; -1 = none.
  const auto slot = [](int month, int day, int hour) {
    return static_cast<std::size_t>(((month - 1) * 31 + day - 1) * 24 + hour);
  };
  std::vector<int> row_of(slot(12, 31, 23) + 1, -1);
  for (std::size_t row = 0; row < file.starts.size(); ++row) {
    const auto& [year, month, day, second] = file.starts[row];
    row_of[slot(month, day, second / k_hour_s)] = static_cast<int>(row);
  }

  std::vector<double> values;
  const auto offset = static_cast<std::int64_t>(std::llround(file.utc_offset_h * k_hour_s));
  for (std::int64_t at = hour_start(file, start_unix_s); at < end_unix_s; at += k_hour_s) {
    const sys_seconds local{seconds{at + offset}};
    const sys_days day = floor<days>(local);
    const year_month_day date{day};
    const auto month = static_cast<int>(static_cast<unsigned>(date.month()));
    const auto of_month = static_cast<int>(static_cast<unsigned>(date.day()));
    const auto hour = static_cast<int>((local - day).count() / k_hour_s);
    int row = row_of[slot(month, of_month, hour)];
    if (row < 0 && month == 2 && of_month == 29) row = row_of[slot(2, 28, hour)];
    values.push_back(row < 0 ? k_nan : found->second.values[static_cast<std::size_t>(row)]);
  }
  return values;
}

}  // namespace urja

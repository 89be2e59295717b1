#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "models/sun/irradiance.hpp"
#include "models/sun/solar_position.hpp"
#include "scenarios/weather_files.hpp"
#include "tests/catch.hpp"

using namespace urja;

namespace {

const std::string k_root = URJA_SOURCE_DIR;
const std::string k_data = k_root + "/tests/data/weather/";
const std::string k_delhi_file = k_root + "/scenarios/data/new_delhi/weather.mos.txt";
const std::string k_greensboro_file = k_root + "/scenarios/data/greensboro/weather_tmy3.csv";

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The text with its one occurrence of `old` replaced.
std::string with(std::string text, const std::string& old, const std::string& now) {
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), now);
}

FileError error_of(const std::string& text) {
  try {
    parse_weather(text, "weather.txt");
  } catch (const FileError& error) { return error; }
  FAIL("no error");
  throw;
}

double at(const WeatherFile& file, const std::string& column, std::size_t row) { return file.columns.at(column).values.at(row); }

std::int64_t utc(int year, int month, int day, int hour) {
  using namespace std::chrono;
  const sys_days date{std::chrono::year{year} / month / day};
  return duration_cast<seconds>(date.time_since_epoch()).count() + hour * 3600;
}

// An EPW of a year in UTC; the temperature of each hour tells its month, day and hour: 3.0714 = 7 March,
// 14:00.
double told(int month, int day, int hour) { return std::stod(std::to_string(month + day / 100.0 + hour / 10000.0)); }

std::string epw_year(bool leap) {
  std::string text = "LOCATION,Null Island,-,-,test,0,0,0,0,0\n\n\n\n\n\n\nDATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31\n";
  const int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month)
    for (int day = 1; day <= days[month - 1]; ++day)
      for (int hour = 0; hour < 24; ++hour) {
        text += (leap ? "2024," : "2023,") + std::to_string(month) + "," + std::to_string(day) + "," + std::to_string(hour + 1) +
                ",60,flags," + std::to_string(told(month, day, hour));
        text += ",0,50,100000,0,0,0,0,0,0,0,0,0,0,0,0,3,0,0,0,0,0,0,0\n";
      }
  return text;
}

// Root mean square of direct x cos z + diffuse - global over the file's hours, on the clock that it claims.
double closure(const WeatherFile& file) {
  double sum = 0;
  sun::SolarClock clock;
  const sun::Place place{file.latitude_deg, file.longitude_deg, file.elevation_m};
  for (std::size_t row = 0; row < file.starts.size(); ++row) {
    const auto& [year, month, day, second] = file.starts[row];
    const double start = static_cast<double>(utc(2001, month, day, 0) + second) - file.utc_offset_h * 3600;
    double cos_zenith = 0;
    for (int i = 0; i < 12; ++i) {
      const double zenith = sun::solar_position(clock.at(start + 150 + 300 * i), place, 1e5, 12).zenith_deg;
      cos_zenith += std::max(std::cos(zenith * 3.14159265358979 / 180), 0.0) / 12;
    }
    const double gap = at(file, "direct_normal_irradiance", row) * cos_zenith + at(file, "diffuse_horizontal_irradiance", row) -
                       at(file, "global_horizontal_irradiance", row);
    sum += gap * gap;
  }
  return std::sqrt(sum / static_cast<double>(file.starts.size()));
}

}  // namespace

TEST_CASE("weather: TMY3", "[weather]") {
  const WeatherFile file = read_weather_file(k_data + "greensboro_june.csv");
  CHECK(file.format == "TMY3");
  CHECK(file.place == "GREENSBORO PIEDMONT TRIAD INT");
  CHECK(file.latitude_deg == 36.1);
  CHECK(file.longitude_deg == -79.95);
  CHECK(file.elevation_m == 273);
  CHECK(file.utc_offset_h == -5);
  REQUIRE(file.starts.size() == 48);
  // 06/21/1989,13:00 is the hour from 12:00
  CHECK(file.starts[12].year == 1989);
  CHECK(file.starts[12].month == 6);
  CHECK(file.starts[12].day == 21);
  CHECK(file.starts[12].second == 12 * 3600);
  CHECK(at(file, "global_horizontal_irradiance", 12) == 745);
  CHECK(at(file, "direct_normal_irradiance", 12) == 380);
  CHECK(at(file, "diffuse_horizontal_irradiance", 12) == 374);
  CHECK(at(file, "ambient_temperature", 12) == 27.2);
  CHECK(at(file, "relative_humidity", 12) == Approx(0.69));
  CHECK(at(file, "pressure", 12) == 98900);
  CHECK(at(file, "wind_speed", 12) == 2.6);
  CHECK(file.columns.at("pressure").unit == "Pa");
  CHECK(file.columns.count("albedo") == 0);  // 0.00 throughout: missing
  // 24:00 belongs to the day it is written beside
  CHECK(file.starts[23].day == 21);
  CHECK(file.starts[23].second == 23 * 3600);
}

TEST_CASE("weather: EPW", "[weather]") {
  const std::string text = text_of(k_data + "austin_june.epw");
  const WeatherFile file = parse_weather(text, "austin_june.epw");
  CHECK(file.format == "EPW");
  CHECK(file.place == "Camp Mabry");
  CHECK(file.utc_offset_h == -6);
  REQUIRE(file.starts.size() == 48);
  CHECK(file.starts[8].year == 2018);  // hour 9 is the hour from 08:00
  CHECK(file.starts[8].day == 16);
  CHECK(file.starts[8].second == 8 * 3600);
  CHECK(at(file, "global_horizontal_irradiance", 8) == 306);
  CHECK(at(file, "direct_normal_irradiance", 8) == 209.5);
  CHECK(at(file, "diffuse_horizontal_irradiance", 8) == 190);
  CHECK(at(file, "ambient_temperature", 8) == 27.5);
  CHECK(at(file, "wind_speed", 8) == 2.5725);
  CHECK(at(file, "relative_humidity", 8) == Approx(0.749575));
  CHECK(file.columns.count("albedo") == 0);  // 999: missing

  std::string dos;
  for (const char c : text) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const WeatherFile same = parse_weather("\xEF\xBB\xBF" + dos, "dos.epw", 5.5);
  CHECK(same.columns.at("pressure").values == file.columns.at("pressure").values);
  CHECK(same.utc_offset_h == 5.5);
}

TEST_CASE("weather: codes for missing values become NaN", "[weather]") {
  const std::string epw = text_of(k_data + "austin_june.epw");
  const WeatherFile a = parse_weather(with(epw, "306.0,209.5,190.0", "9999,209.5,"), "a");
  CHECK(std::isnan(at(a, "global_horizontal_irradiance", 8)));
  CHECK(std::isnan(at(a, "diffuse_horizontal_irradiance", 8)));
  CHECK(at(a, "direct_normal_irradiance", 8) == 209.5);
  const WeatherFile b = parse_weather(with(epw, ",27.5,22.66", ",99.9,22.66"), "b");
  CHECK(std::isnan(at(b, "ambient_temperature", 8)));
  const std::string tmy3 = text_of(k_data + "greensboro_june.csv");
  const WeatherFile c = parse_weather(with(tmy3, ",745,1,13,380,1,", ",-9900,1,13,380,?,"), "c");
  CHECK(std::isnan(at(c, "global_horizontal_irradiance", 12)));
  CHECK(std::isnan(at(c, "direct_normal_irradiance", 12)));
}

TEST_CASE("weather: mos", "[weather]") {
  const WeatherFile file = read_weather_file(k_data + "new_delhi_new_year.mos.txt");
  CHECK(file.format == "mos");
  CHECK(file.place == "New Delhi Gandhi Intl");
  CHECK(file.utc_offset_h == 6);
  CHECK(file.longitude_deg == 77.1);
  REQUIRE(file.starts.size() == 48);  // 49 rows, of which the one at 0 s is no hour of this stretch
  CHECK(file.starts[0].month == 1);
  CHECK(file.starts[0].second == 0);
  // the row at 43200 s is the hour from 11:00
  CHECK(file.starts[11].second == 11 * 3600);
  CHECK(at(file, "global_horizontal_irradiance", 11) == 604);
  CHECK(at(file, "direct_normal_irradiance", 11) == 856);
  CHECK(at(file, "diffuse_horizontal_irradiance", 11) == 93);
  CHECK(at(file, "ambient_temperature", 11) == 16.6);
  CHECK(at(file, "pressure", 11) == 99400);
  CHECK(at(file, "relative_humidity", 11) == 0.64);
  CHECK(at(file, "wind_speed", 11) == 2.1);
  CHECK(file.columns.count("albedo") == 0);  // 0 throughout: missing
}

TEST_CASE("weather: the shipped years are whole and keep the clock that is said of them", "[weather][validation]") {
  const WeatherFile stated = read_weather_file(k_delhi_file), delhi = read_weather_file(k_delhi_file, 5.5);
  REQUIRE(delhi.starts.size() == 8760);
  CHECK(delhi.starts.front().month == 1);
  CHECK(delhi.starts.back().month == 12);
  CHECK(delhi.starts.back().second == 23 * 3600);
  CHECK(closure(delhi) < 2);
  CHECK(closure(stated) > 20);

  const WeatherFile greensboro = read_weather_file(k_greensboro_file);
  REQUIRE(greensboro.starts.size() == 8760);
  CHECK(closure(greensboro) < 2);
}

TEST_CASE("weather: a year laid on real dates", "[weather]") {
  const WeatherFile common = parse_weather(epw_year(false), "common"), leap = parse_weather(epw_year(true), "leap");
  REQUIRE(common.starts.size() == 8760);
  REQUIRE(leap.starts.size() == 8784);
  const auto on = [](const WeatherFile& file, std::int64_t from, std::int64_t to) {
    return on_calendar(file, "ambient_temperature", from, to);
  };

  const std::int64_t new_year = utc(2019, 12, 31, 22);
  CHECK(on(common, new_year, new_year + 4 * 3600) ==
        std::vector<double>{told(12, 31, 22), told(12, 31, 23), told(1, 1, 0), told(1, 1, 1)});

  const std::vector<double> year = on(common, utc(2024, 1, 1, 0), utc(2025, 1, 1, 0));
  REQUIRE(year.size() == 8784);
  CHECK(year[59 * 24 + 5] == told(2, 28, 5));  // 29 February, borrowed
  CHECK(year[60 * 24 + 5] == told(3, 1, 5));
  CHECK(on(leap, utc(2024, 2, 29, 5), utc(2024, 2, 29, 6)) == std::vector<double>{told(2, 29, 5)});
  CHECK(on(leap, utc(2023, 3, 1, 0), utc(2023, 3, 1, 1)) == std::vector<double>{told(3, 1, 0)});
  CHECK(on(common, utc(1969, 7, 4, 7), utc(1969, 7, 4, 8)) == std::vector<double>{told(7, 4, 7)});

  // In a zone of half hours the file's hours begin at half past; the first value is that of the hour at hand.
  WeatherFile india = common;
  india.utc_offset_h = 5.5;
  const std::int64_t noon = utc(2021, 6, 1, 12);  // 17:30 there
  CHECK(hour_start(india, noon) == noon - 1800);
  CHECK(on(india, noon, noon + 3600) == std::vector<double>{told(6, 1, 17), told(6, 1, 18)});
  CHECK(on(india, noon - 1800, noon + 1800) == std::vector<double>{told(6, 1, 17)});
  CHECK(hour_start(india, -1) == -1800);
  CHECK(hour_start(common, -1) == -3600);  // before 1970 too

  CHECK(on(common, noon, noon).empty());
  const WeatherFile june = read_weather_file(k_data + "austin_june.epw");
  CHECK(std::isnan(on(june, noon, noon + 3600).at(0)));  // 1 June is not in the file
  CHECK_THROWS_WITH(on_calendar(june, "albedo", 0, 1), contains("no column 'albedo'") && contains("wind_speed"));
  CHECK_THROWS_AS(on(june, INT64_MIN, INT64_MAX), FileError);
}

TEST_CASE("weather: what is wrong with a file, where, and what mends it", "[weather]") {
  const std::string epw = text_of(k_data + "austin_june.epw"), tmy3 = text_of(k_data + "greensboro_june.csv"),
                    mos = text_of(k_data + "new_delhi_new_year.mos.txt");
  struct Case {
    std::string text;
    int line;
    std::string wrong;
  };
  const std::string line_17 = "2018,6,16,9,1,";
  const std::vector<Case> cases = {
      {"", 0, "empty"},
      {"\n\n\n", 1, "no weather file"},
      {std::string("\x7f\x45\x4c\x46\0\0\xff\n\0\1", 10), 1, "no weather file"},
      {"\x1f\x8b\x08 packed", 0, "compressed"},
      {"LOCATION,", 1, "fewer than ten fields"},
      {"LOCATION,a,b,c,d,e,95,0,0,0\n", 1, "latitude is '95', outside -90 to 90"},
      {"LOCATION,a,b,c,d,e,5,0,0,0\n", 8, "the file ends here"},
      {with(epw, "DATA PERIODS,1,1", "DATA PERIODS,1,4"), 8, "several rows an hour"},
      {with(epw, " 6/16", ""), 8, "no dates"},
      {with(epw, " 6/16", "June"), 8, "not a number"},
      {with(epw, "306.0,209.5", "three,209.5"), 17, "global_horizontal_irradiance is 'three', not a number"},
      {with(epw, "306.0,209.5", "1e999,209.5"), 17, "not a number"},
      {with(epw, "306.0,209.5", "nan,209.5"), 17, "not a number"},
      {with(epw, "306.0,209.5", "3060,209.5"), 17, "outside -20 to 2000"},
      {with(epw, "306.0,209.5", "1e300,209.5"), 17, "outside -20 to 2000"},
      {with(epw, "306.0,209.5", "-1e300,209.5"), 17, "outside -20 to 2000"},
      {with(epw, line_17, "2018,6,16,10,1,"), 17, "does not follow"},
      {with(epw, line_17, "2018,6,16,8,1,"), 17, "does not follow"},
      {with(epw, line_17, "2018,13,16,9,1,"), 17, "month is '13'"},
      {with(epw, line_17, "2018,6,31,9,1,"), 17, "month 6 has no day 31"},
      {with(epw, line_17, "2018,6,16,9.5,1,"), 17, "not whole"},
      {with(epw, line_17, std::string("2018,\0\x1b[2J,16,9,1,", 19)), 17, "month is '??[2J'"},
      {epw.substr(0, epw.rfind("2018,")), 55, "not the days that DATA PERIODS names"},
      {epw.substr(0, epw.size() - 250), 55, "cells"},
      {epw.substr(0, epw.find("2018,6,16")), 0, "no row of data"},
      {epw_year(false) + "2024,1,1,1,60,flags,9" + std::string(40, ','), 8769, "more than a year"},
      {with(tmy3, "GHI (W/m^2)", "GHI"), 2, "no column GHI (W/m^2)"},
      {with(tmy3, "06/21/1989,13:00", "06-21-1989,13:00"), 15, "no date and hour"},
      {with(tmy3, "06/21/1989,13:00", "06/21/1989,25:00"), 15, "hour is '25'"},
      {tmy3.substr(0, tmy3.rfind("06/22")), 49, "midnight"},
      {tmy3.substr(0, tmy3.size() - 60), 50, "cells"},
      {"1,2,3\nDate (MM/DD/YYYY),Time (HH:MM),\n", 1, "fewer than seven fields"},
      {with(mos, "tab1(49,30)", "tab1"), 2, "no table"},
      {with(mos, "tab1(49,30)", "tab1(8760,30)"), 89, "49 rows, not 8760"},
      {with(mos, "tab1(49,30)", "tab1(1e18,30)"), 2, "rows is '1e18'"},
      {with(mos, "tab1(49,30)", "tab1(49,29)"), 41, "30 cells, not 29"},
      {with(mos, "#LOCATION", "#PLACE"), 0, "no comment gives the place"},
      {with(mos, "#C9 Global", "#C9 Some"), 0, "Global horizontal"},
      {with(mos, "\n3600.0\t", "\n3601.0\t"), 42, "no whole hour"},
      {with(mos, "\n3600.0\t", "\n1e300\t"), 42, "time is '1e300'"},
      {"#1", 2, "the file ends here"},
  };
  for (const Case& c : cases) {
    INFO("expected: " << c.wrong);
    const FileError error = error_of(c.text);
    INFO("is: " << error.what());
    CHECK(error.line == c.line);
    CHECK_THAT(error.wrong, contains(c.wrong));
    CHECK(!error.mend.empty());
    CHECK_THAT(error.what(), starts_with(c.line > 0 ? "weather.txt:" + std::to_string(c.line) + ": " : "weather.txt: "));
  }
  CHECK_THROWS_AS(read_weather_file("/nowhere/at/all.epw"), FileError);
  CHECK_THROWS_AS(read_weather_file(k_root), FileError);
  CHECK_THROWS_AS(parse_weather(epw, "a", 1e300), FileError);
  CHECK_THROWS_AS(parse_weather(epw, "a", std::nan("")), FileError);
}

TEST_CASE("weather: cut and damaged files never do worse than an error", "[weather]") {
  for (const char* name : {"austin_june.epw", "greensboro_june.csv", "new_delhi_new_year.mos.txt"}) {
    const std::string whole = text_of(k_data + name);
    std::uint32_t random = 1;  // the same damage on every run
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
      std::string text = whole;
      for (int hit = 0; hit < 4; ++hit) {
        random = random * 1664525 + 1013904223;
        text[(random >> 8) % text.size()] = static_cast<char>(random >> 3);
      }
      if (i % 2) text.resize((random >> 8) % text.size());
      std::size_t rows = 0;
      try {
        rows = parse_weather(text, name).starts.size();
      } catch (const FileError&) { ++refused; }
      CHECK(rows <= 48);
    }
    CHECK(refused > 900);
  }
}

// Tariffs typed into a scenario, and rows of one year laid on another: against the rules worked out here once more.
#include "scenarios/calendar_data.hpp"
#include "tests/unit/data_files.hpp"

namespace urja::tests {
namespace {

using namespace files;

DataSet calendar(const std::string& yaml, const std::string& zone_name, const std::string& start, const std::string& end,
                 double step) {
  Problems problems;
  const Node node = parse_yaml(yaml, "calendar.yaml", problems);
  DataFileSpec spec = spec_of("calendar.yaml", zone_name, "", 0, start, end, step);
  spec.columns = {{"price", "price", "USD/kWh", "money/kWh", {}, {}, ""}};
  const LoadedData loaded = calendar_set(node, spec, problems);
  INFO(problems.text());
  REQUIRE(problems.empty());
  return good(loaded);
}
double at(const DataSet& set, const std::string& when) {
  const double row = (static_cast<double>(utc(when)) - set.first) / set.interval;
  return values(set, "price").at(static_cast<std::size_t>(std::floor(row)));
}

}  // namespace

TEST_CASE("calendar: the first period that fits holds, on the local clock", "[data][calendar]") {
  const std::string tariff = R"(
columns:
  price:
    unit: USD/kWh
    otherwise: 1
    periods:
      - {days: holidays, value: 9}
      - {months: jun-sep, days: mon-fri, hours: "16:00-21:00", value: 5}
      - {months: [nov-feb, 4], days: weekdays, hours: ["06:30-09:00", "17:00-19:00"], value: 4}
      - {days: [sat, sun], hours: "22:00-06:00", value: 2}
      - {from: 2023-10-01, to: 2023-10-03, value: 7}
holidays: [2023-07-04, 2023-12-25]
)";
  const DataSet set = calendar(tariff, "America/Los_Angeles", "2023-01-01 00:00-08:00", "2024-03-01 00:00-08:00", 60);
  CHECK(set.interval == 1800);
  CHECK(at(set, "2023-07-03 15:59-07:00") == 1);
  CHECK(at(set, "2023-07-03 16:00-07:00") == 5);
  CHECK(at(set, "2023-07-03 20:59-07:00") == 5);
  CHECK(at(set, "2023-07-03 21:00-07:00") == 1);
  CHECK(at(set, "2023-07-04 00:00-07:00") == 9);  // a holiday is no Tuesday
  CHECK(at(set, "2023-07-04 17:00-07:00") == 9);
  CHECK(at(set, "2023-07-05 00:00-07:00") == 1);
  CHECK(at(set, "2023-10-31 17:00-07:00") == 1);
  CHECK(at(set, "2023-11-01 17:00-07:00") == 4);  // november to february goes over the end of the year
  CHECK(at(set, "2024-02-29 06:29-08:00") == 1);
  CHECK(at(set, "2024-02-29 06:30-08:00") == 4);
  CHECK(at(set, "2023-04-03 08:59-07:00") == 4);
  CHECK(at(set, "2023-12-25 17:00-08:00") == 9);
  CHECK(at(set, "2023-05-06 05:59-07:00") == 2);  // Saturday
  CHECK(at(set, "2023-05-06 06:00-07:00") == 1);
  CHECK(at(set, "2023-05-06 22:00-07:00") == 2);
  CHECK(at(set, "2023-05-07 23:00-07:00") == 2);
  CHECK(at(set, "2023-05-08 01:00-07:00") == 1);  // Monday's own hours
  CHECK(at(set, "2023-10-02 23:59-07:00") == 7);
  CHECK(at(set, "2023-10-03 00:00-07:00") == 1);
  // The night in which the clock is put back has both of its hours, the other one has none.
  CHECK(at(set, "2023-11-05 01:30-07:00") == 2);
  CHECK(at(set, "2023-11-05 01:30-08:00") == 2);
  double night = 0;
  for (const char* when :
       {"2023-03-12 00:30-08:00", "2023-03-12 01:30-08:00", "2023-03-12 03:30-07:00", "2023-03-12 05:30-07:00"})
    night += at(set, when);
  CHECK(night == 8);
}

TEST_CASE("calendar: steps longer than a period get its share", "[data][calendar]") {
  const DataSet set = calendar("columns: {price: {unit: USD/kWh, otherwise: 1, periods: [{hours: \"06:15-06:30\", value: 5}]}}",
                               "Asia/Kolkata", "2023-01-01 00:00+05:30", "2023-01-02 00:00+05:30", 3600);
  REQUIRE(set.interval == 3600);
  CHECK(values(set, "price").at(6) == Approx(2).epsilon(1e-12));
  CHECK(values(set, "price").at(5) == 1);
}

TEST_CASE("data: rows of another year, by date", "[data][calendar]") {
  const Folder folder;
  // Hours of 2023 as time passed on the clock of Los Angeles: row i is hour i of the year.
  DataFileSpec spec = spec_of(folder("year.csv", counted(8760)), "America/Los_Angeles", "2023-01-01 00:00", 3600,
                              "2024-01-01 00:00-08:00", "2025-01-01 00:00-08:00", 900);
  spec.repeat = DataFileSpec::Repeat::same_date;
  spec.stamps.clock = "standard";
  const auto hour_of = [&](const DataSet& set, const std::string& when) {
    return values(set).at(static_cast<std::size_t>((static_cast<double>(utc(when)) - set.first) / set.interval));
  };
  const auto hour_in_2023 = [](const std::string& when) {
    return static_cast<double>((utc(when) - utc("2023-01-01 00:00-08:00")) / 3600);
  };
  {
    const DataSet set = good(load_data_file(spec));
    CHECK(hour_of(set, "2024-01-01 00:00-08:00") == 0);
    CHECK(hour_of(set, "2024-02-28 12:00-08:00") == hour_in_2023("2023-02-28 12:00-08:00"));
    CHECK(hour_of(set, "2024-02-29 12:00-08:00") == hour_in_2023("2023-02-28 12:00-08:00"));
    CHECK(hour_of(set, "2024-03-01 12:00-08:00") == hour_in_2023("2023-03-01 12:00-08:00"));
    // Standard time: the sun's clock, through summer.
    CHECK(hour_of(set, "2024-07-04 12:00-07:00") == hour_in_2023("2023-07-04 12:00-07:00"));
    CHECK(hour_of(set, "2024-12-31 23:59-08:00") == 8759);
    double sum = 0;
    for (double v : values(set)) sum += v;
    const double twice = 24 * hour_in_2023("2023-02-28 11:30-08:00") + 12;  // the hours of 28 February
    CHECK(sum == Approx(8760.0 * 8759 / 2 + twice).epsilon(1e-12));
  }
  // On the clock of the wall: noon is noon, though the clock is put forward on another day.
  spec.stamps.clock = "wall";
  spec.stamps.extra_hour = DataFileSpec::ExtraHour::drop;
  spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
  const DataSet set = good(load_data_file(spec));
  const auto written = [](int day, int hour) { return day * 24.0 + hour; };  // 24 rows a day
  CHECK(hour_of(set, "2024-03-11 12:00-07:00") == written(69, 12));          // summer time here, not yet there
  CHECK(hour_of(set, "2024-11-03 12:00-08:00") == written(306, 12));
  CHECK(hour_of(set, "2024-07-04 18:00-07:00") == written(184, 18));
}

TEST_CASE("data: rows of another year, by day of the week", "[data][calendar]") {
  const Folder folder;
  std::string text = "v\n";                                                                    // row = day of the week of 2023
  for (int hour = 0; hour < 8760; ++hour) text += std::to_string((6 + hour / 24) % 7) + "\n";  // 2023 began with a Sunday
  DataFileSpec spec = spec_of(folder("week.csv", text), "Asia/Kolkata", "2023-01-01 00:00", 3600, "2024-01-01 00:00+05:30",
                              "2026-01-01 00:00+05:30", 3600);
  spec.repeat = DataFileSpec::Repeat::same_weekday;
  const DataSet set = good(load_data_file(spec));
  for (std::size_t hour = 0; hour < static_cast<std::size_t>(set.rows); ++hour) {
    const auto wall = static_cast<std::int64_t>(set.first) + static_cast<std::int64_t>(hour) * 3600 + 19800;
    REQUIRE(values(set)[hour] == weekday(wall));
  }
}

TEST_CASE("data: a run within the file takes its own rows, and rows of parts of days stand for nothing", "[data][calendar]") {
  const Folder folder;
  const std::string file = folder("some.csv", counted(24 * 40 + 5));  // 40 days and five hours
  for (const auto repeat : {DataFileSpec::Repeat::same_date, DataFileSpec::Repeat::same_weekday}) {
    DataFileSpec spec =
        spec_of(file, "America/New_York", "2023-03-01 00:00", 3600, "2023-03-05 00:00-05:00", "2023-03-20 00:00-04:00", 60);
    spec.stamps.clock = "standard";
    const DataSet plain = good(load_data_file(spec));
    spec.repeat = repeat;
    const DataSet laid = good(load_data_file(spec));
    for (std::int64_t t = 0; t < 15 * 86400 - 3600; t += 900) {
      const auto of = [&](const DataSet& set) {
        return values(set).at(static_cast<std::size_t>((spec.start + static_cast<double>(t) - set.first) / set.interval));
      };
      REQUIRE(of(plain) == of(laid));
    }
    spec.start = static_cast<double>(utc("2022-04-09 00:00-04:00")), spec.end = spec.start + 86400;
    CHECK(good(load_data_file(spec)).rows > 0);
    spec.start += 86400, spec.end += 86400;  // 10 April: five hours of it are in the file
    if (repeat == DataFileSpec::Repeat::same_date) CHECK_THAT(problems_of(spec), contains("could stand for 2022-04-10"));
  }
}

}  // namespace urja::tests

#include "tests/unit/data_files.hpp"

using namespace urja;
using namespace urja::tests::files;

// --- stamps ------------------------------------------------------------------------------------------------

TEST_CASE("CityLearn's homes land on the hours of a year in Los Angeles") {
  DataFileSpec spec = spec_of(data_folder + "citylearn_2022/building_{member}.csv", "America/Los_Angeles", "2016-08-01 00:00",
                              3600, "2016-08-01 00:00-07:00", "2017-08-01 00:00-07:00", 60);
  spec.members = 10;
  spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
  spec.stamps.extra_hour = DataFileSpec::ExtraHour::drop;
  spec.columns = {{"demand", "non_shiftable_load", "kWh/h", "W", {}, {}, "measured"},
                  {"generation", "solar_generation", "W/kW", "1", {}, {}, "measured"}};
  const DataSet set = good(load_data_file(spec));
  CHECK(set.rows == 8760);
  CHECK(set.first == static_cast<double>(utc("2016-08-01 07:00")));
  CHECK(set.first + 8760 * set.interval == static_cast<double>(utc("2017-08-01 07:00")));
  CHECK(set.interval == 3600);
  CHECK(set.columns.at("demand").members == 10);
  CHECK(set.columns.at("demand").unit == "W");

  std::vector<FileProblem> problems;
  const std::vector<CsvColumn> wanted{{"non_shiftable_load"}, {"solar_generation"}};
  const Csv third = read_csv(data_folder + "citylearn_2022/building_3.csv", wanted, problems);
  REQUIRE(problems.empty());
  const auto row_in = [&](std::size_t hour, std::size_t row) {
    return values(set, "demand")[hour * 10 + 2] == third.columns[0][row] * 1000 &&
           values(set, "generation")[hour * 10 + 2] == third.columns[1][row] * 0.001;
  };
  // 2016-11-06 is day 97: row 01:00 stands for two hours; 2017-03-12 is day 223: row 02:00 for none.
  CHECK(row_in(0, 0));
  CHECK(row_in(97 * 24 + 1, 97 * 24 + 1));
  CHECK(row_in(97 * 24 + 2, 97 * 24 + 1));
  CHECK(row_in(97 * 24 + 3, 97 * 24 + 2));
  CHECK(row_in(223 * 24 + 2, 223 * 24 + 1));
  CHECK(row_in(223 * 24 + 3, 223 * 24 + 3));
  CHECK(row_in(8759, 8759));
  bool all = true;
  for (std::size_t i = 0; i < 8760; ++i) all = all && row_in(i, i < 97 * 24 + 2 ? i : i < 223 * 24 + 3 ? i - 1 : i);
  CHECK(all);

  // Prices beside them; without rules both changes are asked for.
  spec.path = data_folder + "citylearn_2022/price_and_carbon.csv";
  spec.members = 1;
  spec.columns = {{"price", "electricity_pricing", "USD/kWh", "", {}, {}, ""},
                  {"carbon", "carbon_intensity", "kg/kWh", "", {}, {}, ""}};
  const LoadedData market = load_data_file(spec);
  CHECK(good(market).columns.at("price").unit == "money/kWh");
  CHECK(market.currency == "USD");
  spec.stamps.missing_hour = DataFileSpec::MissingHour::unsaid;
  CHECK_THAT(problems_of(spec), contains("price_and_carbon.csv:2331:1: on the clock of America/Los_Angeles "
                                         "2016-11-06 01:00 to 2016-11-06 02:00 came twice, "
                                         "and the file has it once; say missing_hour: repeat"));
  spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
  spec.stamps.extra_hour = DataFileSpec::ExtraHour::error;
  CHECK_THAT(problems_of(spec), contains("price_and_carbon.csv:5356:1: the row is for a time that never was: on the clock of "
                                         "America/Los_Angeles "
                                         "2017-03-12 02:00 is followed by 2017-03-12 03:00; say extra_hour: drop"));
  // Standard time has no such hours.
  spec.stamps.clock = "standard";
  CHECK_THAT(problems_of(spec), contains("has data from 2016-08-01 01:00 to 2017-08-01 01:00, the run is from 2016-08-01 00:00"));
}

TEST_CASE("a clock that is changed, in quarters of an hour, marked at either end") {
  const Folder folder;
  const std::string path = folder("day.csv", counted(96));
  using Mark = DataFileSpec::Mark;
  for (const Mark mark : {Mark::start, Mark::end}) {
    const std::string back = mark == Mark::start ? "2023-10-29 00:00" : "2023-10-29 00:15";
    auto spec = spec_of(path, "Europe/Berlin", back, 900, "2023-10-28 22:00", "2023-10-29 23:00", 60);
    spec.stamps.mark = mark;
    spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
    auto set = good(load_data_file(spec));
    CHECK(set.rows == 100);        // 25 hours
    CHECK(values(set)[11] == 11);  // 02:45 the first time
    CHECK(values(set)[12] == 8);   // 02:00 the second
    CHECK(values(set)[15] == 11);
    CHECK(values(set)[16] == 12);
    CHECK(values(set)[99] == 95);

    spec = spec_of(path, "Europe/Berlin", mark == Mark::start ? "2023-03-26 00:00" : "2023-03-26 00:15", 900, "2023-03-25 23:00",
                   "2023-03-26 22:00", 60);
    spec.stamps.mark = mark;
    spec.stamps.extra_hour = DataFileSpec::ExtraHour::drop;
    set = good(load_data_file(spec));
    CHECK(set.rows == 92);
    CHECK(values(set)[7] == 7);
    CHECK(values(set)[8] == 12);  // 03:00
  }
}

TEST_CASE("a clock that is not: standard time, UTC, another zone, no summer time at all") {
  const Folder folder;
  const std::string path = folder("days.csv", counted(48));
  auto spec = spec_of(path, "Europe/Berlin", "2023-10-28 23:00", 3600, "2023-10-28 22:00", "2023-10-30 22:00", 3600);
  spec.stamps.clock = "standard";
  auto set = good(load_data_file(spec));
  CHECK(set.rows == 48);
  CHECK(set.first == static_cast<double>(utc("2023-10-28 22:00")));
  CHECK(values(set)[47] == 47);
  spec.stamps.clock = "utc";
  spec.stamps.first = "2023-10-28 22:00";
  CHECK(good(load_data_file(spec)).first == set.first);
  spec.stamps.clock = "Asia/Kolkata";
  spec.stamps.first = "2023-10-29 03:30";
  CHECK(good(load_data_file(spec)).first == set.first);
  spec.stamps.clock = "wall";  // an offset that is written counts, whatever the clock
  spec.stamps.first = "2023-10-28T20:00-02:00";
  spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
  CHECK(good(load_data_file(spec)).first == set.first);
  spec.stamps.clock = "Europe/Berln";
  CHECK_THAT(problems_of(spec), contains("there is no clock or zone 'Europe/Berln'; did you mean Europe/Berlin"));

  auto delhi = spec_of(path, "Asia/Kolkata", "2023-10-29 00:00", 3600, "2023-10-28 18:30", "2023-10-30 18:30", 900);
  CHECK(good(load_data_file(delhi)).first == static_cast<double>(utc("2023-10-28 18:30")));
}

TEST_CASE("half an hour of summer time, and rows of a day, need shorter cells and no rules") {
  const Folder folder;
  const std::string path = folder("hours.csv", counted(24));
  // Lord Howe, 2024-10-06: 02:00 is followed by 02:30, at 15:30 UTC the day before.
  auto set = good(
      load_data_file(spec_of(path, "Australia/Lord_Howe", "2024-10-06 00:00", 3600, "2024-10-05 13:30", "2024-10-06 13:00", 60)));
  CHECK(set.interval == 1800);
  CHECK(set.rows == 47);
  const auto& spring = values(set);
  CHECK(std::vector<double>(spring.begin(), spring.begin() + 8) == std::vector<double>{0, 0, 1, 1, 2, 3, 3, 4});
  // 2024-04-07: 02:00 is followed by 01:30, at 15:00 UTC the day before.
  set = good(
      load_data_file(spec_of(path, "Australia/Lord_Howe", "2024-04-07 00:00", 3600, "2024-04-06 13:00", "2024-04-07 13:30", 60)));
  CHECK(set.rows == 49);
  const auto& autumn = values(set);
  CHECK(std::vector<double>(autumn.begin(), autumn.begin() + 8) == std::vector<double>{0, 0, 1, 1, 1, 2, 2, 3});

  // Days in Berlin: one of 23 hours, one of 25.
  set = good(load_data_file(spec_of(folder("days.csv", counted(300)), "Europe/Berlin", "2023-01-01 00:00", 86400,
                                    "2022-12-31 23:00", "2023-10-27 22:00", 60)));
  CHECK(set.interval == 3600);
  CHECK(set.rows == 300 * 24 - 1);
  const auto hours = [&](double day) { return std::count(values(set).begin(), values(set).end(), day); };
  CHECK(hours(83) == 24);
  CHECK(hours(84) == 23);  // 26 March
  CHECK(hours(85) == 24);
  set = good(load_data_file(spec_of(folder("week.csv", counted(7)), "Europe/Berlin", "2023-10-26 00:00", 86400,
                                    "2023-10-25 22:00", "2023-11-01 23:00", 60)));
  CHECK(set.rows == 7 * 24 + 1);
  CHECK(hours(3) == 25);
  CHECK(hours(4) == 24);
}

TEST_CASE("leap day and year end") {
  const Folder folder;
  const std::string path = folder("hours.csv", counted(4 * 24));
  auto set = good(load_data_file(
      spec_of(path, "America/Los_Angeles", "2020-02-28 00:00", 3600, "2020-02-28 08:00", "2020-03-03 08:00", 3600)));
  CHECK(values(set)[static_cast<std::size_t>((utc("2020-02-29 20:00") - utc("2020-02-28 08:00")) / 3600)] ==
        36);  // 29 February, noon
  set = good(load_data_file(
      spec_of(path, "America/Los_Angeles", "2019-12-30 00:00", 3600, "2019-12-30 08:00", "2020-01-03 08:00", 3600)));
  CHECK(values(set)[static_cast<std::size_t>((utc("2020-01-01 08:00") - utc("2019-12-30 08:00")) / 3600)] == 48);  // midnight
}

TEST_CASE("rows with stamps of their own") {
  const Folder folder;
  // As time passed: 02:00 twice, both there, nothing to say.
  auto spec = stamped(csv_folder + "spreadsheet.csv", "Europe/Berlin", "2023-10-29 00:00", "2023-10-29 01:00", 60);
  spec.stamps.column = "time";
  spec.stamps.format = DataFileSpec::Format::local;
  spec.start = static_cast<double>(utc("2024-10-26 23:00"));
  spec.end = static_cast<double>(utc("2024-10-27 03:00"));
  spec.columns = {{"v", "load \"\"L1\"\" kW", "kW", "W", {}, {}, ""}};
  auto set = good(load_data_file(spec));  // its gap lies behind the run
  CHECK(set.rows == 4);
  CHECK(values(set) == std::vector<double>{1500, 2000, 3000, 4000});

  // The same clock, the hour there once; marked at the end of the interval too.
  std::string even = "t,v\n", ends = "t,v\n";
  for (int i = 0; i < 24; ++i) {
    even += fmt::format("2024-10-27 {:02}:00,{}\n", i, i);
    ends += fmt::format("2024-10-27 {:02}:00,{}\n", i + 1, i);
  }
  for (const bool at_end : {false, true}) {
    spec = stamped(folder("even.csv", at_end ? ends : even), "Europe/Berlin", "2024-10-26 22:00", "2024-10-27 23:00", 60);
    spec.stamps.mark = at_end ? DataFileSpec::Mark::end : DataFileSpec::Mark::start;
    CHECK_THAT(problems_of(spec), contains("came twice"));
    spec.stamps.missing_hour = DataFileSpec::MissingHour::repeat;
    set = good(load_data_file(spec));
    CHECK(set.rows == 25);
    CHECK(values(set)[2] == 2);
    CHECK(values(set)[3] == 2);
    CHECK(values(set)[4] == 3);
  }
  // Spring, rows for the hour that never was, or none.
  for (const bool at_end : {false, true}) {
    for (const bool extra : {false, true}) {
      std::string text = "t,v\n";
      for (int i = 0; i < 24; ++i)
        if (extra || i != 2) text += fmt::format("2024-03-31 {:02}:00,{}\n", at_end ? (i == 1 && !extra ? 3 : i + 1) : i, i);
      spec = stamped(folder("spring.csv", text), "Europe/Berlin", "2024-03-30 23:00", "2024-03-31 22:00", 60);
      spec.stamps.mark = at_end ? DataFileSpec::Mark::end : DataFileSpec::Mark::start;
      if (extra) {
        CHECK_THAT(problems_of(spec), contains("never was"));
        spec.stamps.extra_hour = DataFileSpec::ExtraHour::drop;
      }
      set = good(load_data_file(spec));
      INFO(at_end << extra);
      CHECK(set.rows == 23);
      CHECK(values(set)[1] == 1);
      CHECK(values(set)[2] == 3);
      CHECK(values(set)[22] == 23);
    }
  }

  // ISO 8601 with offsets, and seconds since 1970, both on any clock.
  spec = stamped(folder("iso.csv", "t,v\n2024-10-27T02:00:00+02:00,1\n2024-10-27T02:00:00+01:00,2\n2024-10-27T02:00:00Z,3\n"),
                 "Europe/Berlin", "2024-10-27 00:00", "2024-10-27 03:00", 60);
  CHECK(values(good(load_data_file(spec))) == std::vector<double>{1, 2, 3});
  spec = stamped(folder("epoch.csv", "t,v\n1729987200.5,1\n1729987201.0,2\n1729987201.5,3\n"), "Europe/Berlin",
                 "2024-10-27 00:00:01", "2024-10-27 00:00:02", 0.1);
  spec.stamps.format = DataFileSpec::Format::epoch;
  set = good(load_data_file(spec));
  CHECK(set.interval == 0.5);
  CHECK(set.rows == 3);
}

TEST_CASE("stamps that are wrong are named with their lines") {
  const Folder folder;
  const auto of = [&](const std::string& text, double every = 0) {
    auto spec = stamped(folder("stamps.csv", "t,v\n" + text), "Europe/Berlin", "2024-01-01 00:00", "2024-01-01 02:00", 60);
    spec.stamps.every = every;
    return problems_of(spec);
  };
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 01:00,3\n"),
             contains("stamps.csv:4:1: the stamp 2024-01-01 01:00 is that of line 3 again; keep one row"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 02:00,2\n2024-01-01 01:00,3\n"),
             contains("stamps.csv:4:1: the stamp 2024-01-01 01:00 lies before that of line 3, 2024-01-01 02:00; sort"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 02:30,3\n"),
             contains("stamps.csv:4:1: the stamp 2024-01-01 02:30 is 1.5 h after that of line 3, and rows "
                      "are 1 h apart"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 00:15,2\n", 3600),
             contains("is 15 min after that of line 2, and rows are 1 h apart"));
  CHECK_THAT(of("2024-01-01 00:00,1\nyesterday,2\n"), contains("stamps.csv:3:1: 'yesterday' in column t is no time"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 01:00Z,2\n"),
             contains("stamps.csv:3:1: '2024-01-01 01:00Z' in column t is no time in ISO 8601 such as 2016-08-01 00:00, with"));
  CHECK_THAT(of("2024-01-01 00:00,1\n,2\n"), contains("stamps.csv:3:1: the row has no stamp in column t"));
  auto epoch =
      stamped(folder("epoch.csv", "t,v\n2024-01-01 00:00,1\n"), "Europe/Berlin", "2024-01-01 00:00", "2024-01-01 02:00", 60);
  epoch.stamps.format = DataFileSpec::Format::epoch;
  CHECK_THAT(problems_of(epoch), contains("epoch.csv:2:1: '2024-01-01 00:00' in column t is no time in seconds since 1970"));
  CHECK_THAT(of("2024-01-01 00:00,1\n"), contains("one stamp does not tell the interval"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 05:00,3\n2024-01-01 06:00,3\n"),
             contains("stamps.csv:3:1: data.set.columns.v: there are no values from 2024-01-01 02:00 to "
                      "2024-01-01 05:00 (3 h)"));
  CHECK_THAT(of("2024-01-01 00:00,1\n2024-01-01 01:00,2\n"),
             contains("has data from 2024-01-01 00:00 to 2024-01-01 02:00, the run is from "
                      "2024-01-01 01:00 to 2024-01-01 03:00 (Europe/Berlin)"));
}

// --- values ------------------------------------------------------------------------------------------------

TEST_CASE("units are converted and what does not fit is refused") {
  const Folder folder;
  const std::string path = folder("values.csv", "v\n1.5\n0\n20\n");
  const auto with = [&](const std::string& unit, const std::string& declared) {
    auto spec = spec_of(path, "UTC", "2024-01-01", 3600, "2024-01-01", "2024-01-01 03:00", 60);
    spec.columns[0].unit = unit;
    spec.columns[0].declared = declared;
    return spec;
  };
  CHECK(values(good(load_data_file(with("kWh/h", "W"))))[0] == 1500);
  CHECK(values(good(load_data_file(with("W/kW", "1"))))[0] == 0.0015);
  CHECK(values(good(load_data_file(with("K", "degC"))))[2] == Approx(-253.15).epsilon(1e-15));
  CHECK(values(good(load_data_file(with("degF", "degC"))))[2] == Approx(-6.666666666666667).epsilon(1e-14));
  CHECK(values(good(load_data_file(with("%", "1"))))[2] == 0.2);
  CHECK(good(load_data_file(with("kWh/h", ""))).columns.at("v").unit == "W");
  CHECK(good(load_data_file(with("EUR/MWh", ""))).columns.at("v").unit == "money/kWh");
  CHECK(load_data_file(with("EUR/MWh", "")).currency == "EUR");
  CHECK(good(load_data_file(with("W/kW", ""))).columns.at("v").unit == "1");
  CHECK(good(load_data_file(with("", ""))).columns.at("v").unit == "1");
  CHECK_THAT(problems_of(with("kWh", "W")), contains("data.set.columns.v: the unit 'kWh' does not fit; write W, kW"));
  CHECK_THAT(problems_of(with("furlong", "")), contains("the unit 'furlong' does not fit"));
  auto two = with("EUR/kWh", "");
  two.columns.push_back({"w", "v", "USD/kWh", "", {}, {}, ""});
  CHECK_THAT(problems_of(two), contains("prices are in EUR and in USD"));
}

TEST_CASE("gaps are filled as far as was said") {
  const Folder folder;
  const std::string path = folder("gaps.csv", "v\n1\n2\nNA\n\"\"\n5\nNaN\n7\n8\n");
  using Fill = DataFileSpec::Fill;
  const auto with = [&](Fill fill, double longest, const std::string& start = "2024-01-01") {
    auto spec = spec_of(path, "UTC", "2024-01-01", 3600, start, "2024-01-01 08:00", 60);
    spec.columns[0].gap = {fill, longest};
    return spec;
  };
  CHECK_THAT(problems_of(with(Fill::error, 0)),
             contains("gaps.csv:4:1: data.set.columns.v: there are no values from 2024-01-01 02:00 to "
                      "2024-01-01 04:00 (2 h); "
                      "add them, or say gap: hold"));
  CHECK_THAT(problems_of(with(Fill::hold, 3600)), contains("(2 h), longer than the 1 h that may be filled"));
  const LoadedData held = load_data_file(with(Fill::hold, 7200));
  CHECK(values(good(held)) == std::vector<double>{1, 2, 2, 2, 5, 5, 7, 8});
  CHECK_THAT(text_of(held.notes), contains("2 gaps filled, 3 h in all, the longest 2 h"));
  CHECK(values(good(load_data_file(with(Fill::zero, 0)))) == std::vector<double>{1, 2, 0, 0, 5, 0, 7, 8});
  CHECK(values(good(load_data_file(with(Fill::linear, 0)))) == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK_THAT(problems_of(with(Fill::typical, 0)), contains("none beside them to fill with"));
  // A gap that no step needs is no problem, and is not in the set.
  const DataSet behind = good(load_data_file(with(Fill::error, 0, "2024-01-01 06:00")));
  CHECK(behind.first == static_cast<double>(utc("2024-01-01 06:00")));
  CHECK(values(behind) == std::vector<double>{7, 8});

  std::string week = "v\n";
  for (int i = 0; i < 7 * 24; ++i) week += i == 80 ? "\"\"\n" : fmt::format("{}\n", i % 24 + (i / 24 == 0 ? 100 : 0));
  auto spec = spec_of(folder("week.csv", week), "UTC", "2024-01-01", 3600, "2024-01-01", "2024-01-08", 60);
  spec.columns[0].gap = {Fill::typical, 0};
  CHECK(values(good(load_data_file(spec)))[80] == 8);  // 08:00, the first day's 108 is no matter

  CHECK_THAT(
      problems_of(spec_of(folder("first.csv", "v\nNA\n1\n"), "UTC", "2024-01-01", 3600, "2024-01-01", "2024-01-01 02:00", 60)),
      contains("first.csv:2:1"));
}

TEST_CASE("steps keep the energy of every window") {
  const Folder folder;
  std::mt19937 random(3);
  std::string text = "v\n";
  std::vector<double> rows;
  for (int i = 0; i < 4 * 96; ++i) {
    rows.push_back(static_cast<double>(random() % 1000000) * 1e-3);
    text += fmt::format("{}\n", rows.back());
  }
  const std::string path = folder("power.csv", text);
  const std::int64_t origin = utc("2024-01-01");
  // Energy of [0, t) by the file, in s.
  const auto energy = [&](double t) {
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) sum += rows[i] * std::clamp(t - static_cast<double>(i) * 900, 0.0, 900.0);
    return sum;
  };
  struct Case {
    double step;
    const char* start;
    bool as_is;
  };
  for (const Case& c :
       {Case{60, "2024-01-01", true}, Case{900, "2024-01-01 06:15", true}, Case{3600, "2024-01-01", false},
        Case{3600, "2024-01-01 00:10", false}, Case{420, "2024-01-01 00:00", false}, Case{900, "2024-01-01 00:05", false},
        Case{0.7 * 900, "2024-01-01 00:00:01", false}, Case{86400, "2024-01-01", false}, Case{300, "2024-01-01 00:01", false}}) {
    INFO(c.step << " from " << c.start);
    const auto spec = spec_of(path, "UTC", "2024-01-01", 900, c.start, "2024-01-04 23:00", c.step);
    const DataSet set = good(load_data_file(spec));
    if (c.as_is) {
      CHECK(values(set) == rows);
      CHECK(set.interval == 900);
      continue;
    }
    CHECK(set.interval == c.step);
    CHECK(set.first == spec.start);
    CHECK(set.rows == static_cast<std::int64_t>(std::ceil((spec.end - spec.start) / c.step)));
    const double from = spec.start - static_cast<double>(origin);
    double sum = 0, worst = 0;
    for (std::int64_t j = 0; j + 1 < set.rows; ++j) {
      sum += values(set)[static_cast<std::size_t>(j)] * c.step;
      const double expected = energy(from + static_cast<double>(j + 1) * c.step) - energy(from);
      worst = std::max(worst, std::abs(sum - expected) / expected);
    }
    CHECK(worst < 1e-12);
  }
  CHECK_THAT(problems_of(spec_of(folder("hours.csv", counted(24 * 366)), "UTC", "2024-01-01", 3600, "2024-01-01 00:00:01",
                                 "2024-12-31", 0.07)),
             contains("do not fall evenly"));
}

TEST_CASE("members in files of their own, or side by side in one") {
  const Folder folder;
  folder("home_1.csv", "t,v\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n");
  folder("home_2.csv", "t,v\n2024-01-01 00:00,10\n2024-01-01 01:00,20\n");
  auto spec = stamped(folder.path("home_{member}.csv"), "UTC", "2024-01-01", "2024-01-01 02:00", 60);
  spec.members = 2;
  auto set = good(load_data_file(spec));
  CHECK(set.columns.at("v").members == 2);
  CHECK(values(set) == std::vector<double>{1, 10, 2, 20});
  spec.step = 7200;
  CHECK(values(good(load_data_file(spec))) == std::vector<double>{1.5, 15});
  spec.step = 60;

  spec.members = 3;
  CHECK_THAT(problems_of(spec), contains("home_3.csv: there is no such file; did you mean home_"));
  folder("home_3.csv", "t,v\n2024-01-01 00:00,1\n");
  CHECK_THAT(problems_of(spec), contains("home_3.csv: the file has 1 rows"));
  folder("home_3.csv", "t,v\n2024-01-01 00:00,1\n2024-01-01 02:00,1\n");
  CHECK_THAT(problems_of(spec), contains("home_3.csv:3:1: the stamp is not that of"));

  spec = stamped(folder("all.csv", "t,h1,h2,v\n2024-01-01 00:00,1,10,5\n2024-01-01 01:00,2,20,6\n"), "UTC", "2024-01-01",
                 "2024-01-01 02:00", 60);
  spec.members = 2;
  spec.columns = {{"demand", "h{member}", "W", "W", {}, {}, ""}, {"v", "v", "1", "1", {}, {}, ""}};
  set = good(load_data_file(spec));
  CHECK(values(set, "demand") == std::vector<double>{1, 10, 2, 20});
  CHECK(set.columns.at("v").members == 1);
}

TEST_CASE("a description that says too little or too much is refused") {
  const Folder folder;
  const auto base = [&] {
    return spec_of(folder("few.csv", counted(3)), "UTC", "2024-01-01", 3600, "2024-01-01", "2024-01-01 03:00", 60);
  };
  auto spec = base();
  spec.stamps.column = std::string("t");
  CHECK_THAT(problems_of(spec), contains("by `first` and `every`, or by `column`"));
  spec = base();
  spec.stamps.every = 0;
  CHECK_THAT(problems_of(spec), contains("`every` is missing"));
  spec = base();
  spec.stamps.first = "new year";
  CHECK_THAT(problems_of(spec), contains("'new year' is no time"));
  spec = base();
  spec.columns.clear();
  CHECK_THAT(problems_of(spec), contains("no columns are asked for"));
  spec = base();
  spec.end = spec.start;
  CHECK_THAT(problems_of(spec), contains("the run has no steps"));
}

// --- weather -----------------------------------------------------------------------------------------------

TEST_CASE("a typical year is laid on the run's dates") {
  const std::string path = data_folder + "new_delhi/weather.mos.txt";
  // 2020 is a leap year; midnight in India is 18:30 UTC.
  const auto start = static_cast<double>(utc("2019-12-31 18:30")), end = static_cast<double>(utc("2020-12-31 18:30"));
  const LoadedData loaded = weather_set(path, "auto", 5.5, start, end, "weather");
  const DataSet set = good(loaded);
  CHECK(set.name == "weather");
  CHECK(set.first == start);
  CHECK(set.rows == 8784);
  CHECK(set.interval == 3600);
  CHECK(set.has_place);
  CHECK(set.latitude == Approx(28.57).margin(0.02));
  CHECK(set.longitude == Approx(77.10).margin(0.2));
  const auto& light = values(set, "global_horizontal_irradiance");
  REQUIRE(light.size() == 8784);
  CHECK(std::none_of(light.begin(), light.end(), [](double v) { return std::isnan(v); }));
  CHECK(light[12] > 200);                                                                // noon
  CHECK(light[0] == 0);                                                                  // midnight
  for (std::size_t h = 0; h < 24; ++h) CHECK(light[59 * 24 + h] == light[58 * 24 + h]);  // 29 February as the 28th
  // A run that starts within an hour of the file gets that hour whole.
  CHECK(good(weather_set(path, "mos", 5.5, start + 600, end, "weather")).first == start);
  CHECK(good(weather_set(path, "mos", 5.0, start, start + 7200, "weather")).first == start - 1800);

  CHECK_THAT(text_of(weather_set(path, "epw", 5.5, start, end, "weather").problems), contains("the file is mos, not epw"));
  CHECK_THAT(text_of(weather_set(path, "grib", 5.5, start, end, "weather").problems), contains("no weather format 'grib'"));
  CHECK_THAT(text_of(weather_set(path + "x", "auto", 5.5, start, end, "weather").problems), contains("the file cannot be read"));
  const std::string june = std::string(URJA_SOURCE_DIR) + "/tests/data/weather/greensboro_june.csv";
  const LoadedData none = weather_set(june, "auto", {}, start, end, "weather");
  CHECK_THAT(text_of(none.problems), contains("the file does not cover the run, from 2019-12-31 13:00 UTC-05:00"));
  CHECK(good(weather_set(june, "tmy3", {}, static_cast<double>(utc("2023-06-21 05:00")),
                         static_cast<double>(utc("2023-06-23 05:00")), "weather"))
            .rows == 48);
}

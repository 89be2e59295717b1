#include <algorithm>
#include <string>

#include "engine/calendar.hpp"
#include "tests/catch.hpp"

using namespace urja;

namespace {

Zone zone(const std::string& name) {
  const auto found = Zone::find(name);
  REQUIRE(found);
  return *found;
}

std::int64_t wall(const std::string& text) {
  const auto time = parse_time(text);
  REQUIRE(time);
  REQUIRE_FALSE(time->offset);
  return time->wall;
}

std::int64_t utc(const std::string& text) { return wall(text); }

constexpr int hour = 3600;

}  // namespace

TEST_CASE("civil time is a calendar without zones") {
  CHECK(wall_seconds({1970, 1, 1}) == 0);
  CHECK(wall_seconds({2016, 8, 1}) == 1470009600);
  CHECK(wall_seconds({2016, 3, 1}) - wall_seconds({2016, 2, 28}) == 2 * 86400);
  CHECK(wall_seconds({2017, 3, 1}) - wall_seconds({2017, 2, 28}) == 86400);
  CHECK(wall_seconds({2020, 2, 29, 24}) == wall_seconds({2020, 3, 1}));
  const Civil c = civil(wall_seconds({1969, 12, 31, 23, 59, 58}));
  CHECK(c.year == 1969);
  CHECK(c.month == 12);
  CHECK(c.day == 31);
  CHECK(c.hour == 23);
  CHECK(c.minute == 59);
  CHECK(c.second == 58);
  CHECK(weekday(wall_seconds({2016, 8, 1})) == 0);  // a Monday
  CHECK(weekday(wall_seconds({2017, 1, 1, 23, 59})) == 6);
  CHECK(weekday(wall_seconds({1969, 12, 31})) == 2);
  CHECK(weekday(wall_seconds({1900, 1, 1})) == 0);
}

TEST_CASE("times are read as people write them") {
  CHECK(parse_time("2016-08-01")->wall == wall_seconds({2016, 8, 1}));
  CHECK(parse_time("2016-08-01 00:30")->wall == wall_seconds({2016, 8, 1, 0, 30}));
  CHECK(parse_time("2016-08-01 00:00:30")->wall == wall_seconds({2016, 8, 1, 0, 0, 30}));
  CHECK(parse_time(" 2016-12-31 24:00 ")->wall == wall_seconds({2017, 1, 1}));
  CHECK(parse_time("2020-02-29T12:00")->wall == wall_seconds({2020, 2, 29, 12}));
  CHECK_FALSE(parse_time("2016-08-01 00:00")->offset);
  const auto z = parse_time("2026-06-01T10:00:00.025Z");
  CHECK(z->offset == 0);
  CHECK(z->nanosecond == 25'000'000);
  CHECK(parse_time("2016-08-01T00:00:00-07:00")->offset == -7 * hour);
  CHECK(parse_time("2016-08-01 00:00+0530")->offset == 5 * hour + 1800);
  CHECK(parse_time("2016-08-01 00:00 +05")->offset == 5 * hour);
  for (const char* wrong :
       {"", "2016", "2016-8-1", "2016-02-30", "2017-02-29", "2016-13-01", "2016-08-01 25:00", "2016-08-01 24:01",
        "2016-08-01 12:60", "2016-08-01 12:00:60", "2016-08-01T", "2016-08-01 00:00x", "2016-08-01 00:00+5",
        "2016-08-01 00:00+05:", "2016-08-01 00:00:00.", "01/08/2016", "noon", "2016-08-01 12"}) {
    INFO(wrong);
    CHECK_FALSE(parse_time(wrong));
  }
  CHECK(wall_text(wall_seconds({2016, 8, 1, 9, 5})) == "2016-08-01 09:05");
  CHECK(wall_text(wall_seconds({2016, 8, 1, 9, 5, 7})) == "2016-08-01 09:05:07");
  CHECK(utc_text(1470009600) == "2016-08-01T00:00:00Z");
}

TEST_CASE("Los Angeles and Berlin put their clocks forward and back") {
  const Zone la = zone("America/Los_Angeles"), berlin = zone("Europe/Berlin");
  CHECK(la.offset_at(utc("2016-08-01 07:00")) == -7 * hour);
  CHECK(la.offset_at(utc("2016-12-01 00:00")) == -8 * hour);

  const auto changes = la.changes(utc("2016-08-01 07:00"), utc("2017-08-01 07:00"));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].at == utc("2016-11-06 09:00"));
  CHECK(changes[0].jump() == -hour);
  CHECK(changes[0].wall() == wall("2016-11-06 01:00"));
  CHECK(changes[1].at == utc("2017-03-12 10:00"));
  CHECK(changes[1].jump() == hour);
  CHECK(changes[1].wall() == wall("2017-03-12 02:00"));
  CHECK(la.changes(changes[0].at, changes[1].at).empty());  // both ends are outside

  const auto fold = la.instants_of(wall("2016-11-06 01:30"));
  CHECK(fold.fit == Zone::Fit::fold);
  CHECK(fold.first == utc("2016-11-06 08:30"));
  CHECK(fold.second == utc("2016-11-06 09:30"));
  CHECK(la.instants_of(wall("2016-11-06 00:59:59")).fit == Zone::Fit::unique);
  CHECK(la.instants_of(wall("2016-11-06 01:00")).fit == Zone::Fit::fold);
  CHECK(la.instants_of(wall("2016-11-06 02:00")).fit == Zone::Fit::unique);
  CHECK(la.instants_of(wall("2016-11-06 02:00")).first == utc("2016-11-06 10:00"));

  const auto gap = la.instants_of(wall("2017-03-12 02:30"));
  CHECK(gap.fit == Zone::Fit::gap);
  CHECK(gap.first == utc("2017-03-12 10:00"));
  CHECK(gap.second == gap.first);
  CHECK(la.instants_of(wall("2017-03-12 02:00")).fit == Zone::Fit::gap);
  CHECK(la.instants_of(wall("2017-03-12 03:00")).fit == Zone::Fit::unique);
  CHECK(la.instants_of(wall("2017-03-12 03:00")).first == utc("2017-03-12 10:00"));

  CHECK(berlin.instants_of(wall("2023-03-26 02:15")).fit == Zone::Fit::gap);
  const auto twice = berlin.instants_of(wall("2023-10-29 02:15"));
  CHECK(twice.fit == Zone::Fit::fold);
  CHECK(twice.first == utc("2023-10-29 00:15"));
  CHECK(twice.second == utc("2023-10-29 01:15"));

  CHECK(la.text(utc("2016-08-01 07:00")) == "2016-08-01 00:00");
  CHECK(la.text(utc("2016-11-06 08:30")) == "2016-11-06 01:30-07:00");
  CHECK(la.text(utc("2016-11-06 09:30")) == "2016-11-06 01:30-08:00");
  CHECK(la.standard(utc("2016-08-01 07:00")).offset_at(utc("2016-08-01 07:00")) == -8 * hour);
  CHECK(berlin.standard(utc("2023-06-01")).name() == "UTC+01:00");
}

TEST_CASE("every instant of a year comes back from its wall time") {
  for (const char* name : {"America/Los_Angeles", "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata",
                           "Pacific/Apia", "America/St_Johns", "UTC", "Africa/Casablanca"}) {
    const Zone z = zone(name);
    bool all = true;
    for (std::int64_t t = utc("2011-06-01"); t < utc("2012-06-01"); t += 900) {
      const auto found = z.instants_of(z.wall_at(t));
      all = all && found.fit != Zone::Fit::gap && (found.first == t || found.second == t);
    }
    INFO(name);
    CHECK(all);
  }
}

TEST_CASE("zones without summer time, in the south, and with half an hour of it") {
  const Zone kolkata = zone("Asia/Kolkata");
  CHECK(kolkata.offset_at(utc("2024-07-01")) == 19800);
  CHECK(kolkata.changes(utc("2000-01-01"), utc("2100-01-01")).empty());
  CHECK(kolkata.instants_of(wall("2024-07-01 05:30")).first == utc("2024-07-01 00:00"));

  const Zone sydney = zone("Australia/Sydney");
  CHECK(sydney.offset_at(utc("2024-01-15")) == 11 * hour);
  CHECK(sydney.offset_at(utc("2024-07-15")) == 10 * hour);
  CHECK(sydney.instants_of(wall("2024-04-07 02:30")).fit == Zone::Fit::fold);
  CHECK(sydney.instants_of(wall("2024-10-06 02:30")).fit == Zone::Fit::gap);
  CHECK(sydney.standard(utc("2024-01-15")).offset_at(0) == 10 * hour);

  const Zone howe = zone("Australia/Lord_Howe");
  const auto changes = howe.changes(utc("2024-01-01"), utc("2025-01-01"));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].jump() == -1800);
  CHECK(changes[1].jump() == 1800);
  CHECK(howe.instants_of(wall("2024-04-07 01:45")).fit == Zone::Fit::fold);
  CHECK(howe.instants_of(wall("2024-04-07 01:15")).fit == Zone::Fit::unique);
  CHECK(howe.instants_of(wall("2024-10-06 02:15")).fit == Zone::Fit::gap);
  CHECK(howe.instants_of(wall("2024-10-06 02:30")).fit == Zone::Fit::unique);

  // Samoa went without a whole day.
  CHECK(zone("Pacific/Apia").instants_of(wall("2011-12-30 12:00")).fit == Zone::Fit::gap);
  CHECK(Zone::fixed(-12600).name() == "UTC-03:30");
}

TEST_CASE("summer time goes on after the last year that the zone's file lists") {
  const Zone la = zone("America/Los_Angeles"), sydney = zone("Australia/Sydney"), berlin = zone("Europe/Berlin");
  for (int year : {2030, 2037, 2038, 2050, 2100, 2150, 2199}) {
    const std::string y = std::to_string(year);
    INFO(year);
    CHECK(la.offset_at(utc(y + "-07-01")) == -7 * hour);
    CHECK(la.offset_at(utc(y + "-01-01")) == -8 * hour);
    CHECK(sydney.offset_at(utc(y + "-07-01")) == 10 * hour);
    CHECK(sydney.offset_at(utc(y + "-01-01")) == 11 * hour);
  }
  CHECK(la.changes(utc("2016-06-01"), utc("2066-06-01")).size() == 100);
  // The last Sunday of March 2050 is the 27th, the second one of March 2040 is the 11th.
  CHECK(berlin.instants_of(wall("2050-03-27 02:30")).fit == Zone::Fit::gap);
  CHECK(berlin.instants_of(wall("2050-10-30 02:30")).fit == Zone::Fit::fold);
  CHECK(la.instants_of(wall("2040-03-11 02:30")).fit == Zone::Fit::gap);
  CHECK(la.instants_of(wall("2040-11-04 01:30")).fit == Zone::Fit::fold);
  CHECK(zone("Asia/Kolkata").offset_at(utc("2150-07-01")) == 19800);
}

TEST_CASE("an unknown zone has neighbours") {
  CHECK_FALSE(Zone::find("Americas/Los_Angeles"));
  CHECK_FALSE(Zone::find(""));
  CHECK_FALSE(Zone::find("../etc/passwd"));
  CHECK(Zone::nearest("Americas/Los_Angeles").at(0) == "America/Los_Angeles");
  CHECK(Zone::nearest("los angeles").at(0) == "America/Los_Angeles");
  CHECK(Zone::nearest("europe/berlin").at(0) == "Europe/Berlin");
  CHECK(Zone::nearest("Asia/Calcuta").at(0) == "Asia/Calcutta");
  CHECK(Zone::nearest("Kolkata").at(0) == "Asia/Kolkata");
  CHECK(Zone::nearest("xyzzy/plugh").empty());
  CHECK(Zone::nearest("America/New York", 2).size() <= 2);
}

TEST_CASE("months start at local midnight") {
  const Zone la = zone("America/Los_Angeles");
  const auto months = month_starts(la, utc("2016-08-01 07:00"), utc("2017-08-01 07:00"));
  REQUIRE(months.size() == 12);
  CHECK(months[0].start == utc("2016-08-01 07:00"));
  CHECK(months[0].month == 12 * 2016 + 8);
  CHECK(months[4].start == utc("2016-12-01 08:00"));
  CHECK(months[5].month == 12 * 2017 + 1);
  CHECK(months[11].start == utc("2017-07-01 07:00"));
  // A run that begins and ends within months.
  const auto part = month_starts(la, utc("2019-12-31 12:00"), utc("2020-03-01 08:00"));
  REQUIRE(part.size() == 3);
  CHECK(part[0].start == utc("2019-12-31 12:00"));
  CHECK(part[0].month == 12 * 2019 + 12);
  CHECK(part[2].start == utc("2020-02-01 08:00"));
  CHECK(month_starts(la, utc("2020-03-01 08:00"), utc("2020-03-01 08:00")).empty());
}

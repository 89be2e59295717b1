#pragma once
// Zones and civil time, on the system's IANA time zone data.
//
// Inside, time is UTC seconds since 1970. What a clock on the wall shows is held as "wall seconds": seconds
// since 1970-01-01 00:00 read off that clock, so that a day always has 86,400 of them. Twice a year the two
// part:
//
//   gap    the clock is put forward: 02:00 to 03:00 is never shown           no instant
//   fold   the clock is put back: 01:00 to 02:00 is shown twice              two instants
//
// Offsets are known from 1800 to 2200 (later ones as in 2200). From 2038 on they follow the rule that the
// zone has now.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace urja {

struct Civil {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
};
std::int64_t wall_seconds(const Civil& civil);  // hour, minute and second may lie outside their day
Civil civil(std::int64_t wall);
int weekday(std::int64_t wall);  // 0 = Monday .. 6 = Sunday

class Zone {
 public:
  // An IANA name: "America/Los_Angeles", "Asia/Kolkata", "Etc/GMT+8", "UTC".
  static std::optional<Zone> find(std::string_view name);
  // Known names like a wrong one, best first: "Los Angeles", "europe/berlin", "America/Los_Angles".
  static std::vector<std::string> nearest(std::string_view wrong, std::size_t most = 3);
  // The same offset always: "UTC+05:30".
  static Zone fixed(int offset_s);

  const std::string& name() const;
  int offset_at(std::int64_t utc) const;  // wall minus UTC, s
  std::int64_t wall_at(std::int64_t utc) const { return utc + offset_at(utc); }
  // The zone without summer time: its lowest offset in the year from `utc` on.
  Zone standard(std::int64_t utc) const;

  enum class Fit { unique, gap, fold };
  struct Instants {
    Fit fit = Fit::unique;
    std::int64_t first = 0, second = 0;  // equal but in a fold; in a gap the instant of the change
  };
  Instants instants_of(std::int64_t wall) const;

  // Where the offset changes, start < at < end.
  struct Change {
    std::int64_t at = 0;
    int before = 0, after = 0;                                                    // offsets, s
    std::int64_t wall() const { return at + (before < after ? before : after); }  // begin of the gap or of the fold
    int jump() const { return after - before; }                                   // > 0: a gap
  };
  std::vector<Change> changes(std::int64_t start, std::int64_t end) const;

  // "2016-11-06 01:30", with seconds only where there are any; within a fold "2016-11-06 01:30-08:00".
  std::string text(std::int64_t utc) const;

 private:
  struct Table;
  explicit Zone(std::shared_ptr<const Table> table) : table_(std::move(table)) {}
  std::size_t period_at(std::int64_t utc) const;
  std::shared_ptr<const Table> table_;
};

// A time as somebody wrote it: "2016-08-01", "2016-08-01 00:00", "2016-08-01 00:00:30",
// "2016-08-01T00:00:00.250Z", "2016-08-01 00:00-07:00". 24:00 is the end of its day.
struct WrittenTime {
  std::int64_t wall = 0;
  int nanosecond = 0;
  std::optional<int> offset;  // s, where it is written
};
std::optional<WrittenTime> parse_time(std::string_view text);

// "2016-08-01T07:00:00Z"
std::string utc_text(std::int64_t utc);
// "2016-08-01 00:00" of wall seconds.
std::string wall_text(std::int64_t wall);

// The months that [start, end) touches, the first one from `start` on: month = 12 year + (1 .. 12).
struct Month {
  std::int64_t start = 0;  // UTC
  int month = 0;
};
std::vector<Month> month_starts(const Zone& zone, std::int64_t start, std::int64_t end);

}  // namespace urja

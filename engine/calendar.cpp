#include "engine/calendar.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <numeric>
#include <stdexcept>

namespace urja {
namespace {

constexpr std::int64_t day_s = 86400;
constexpr int first_year = 1800, last_year = 2200;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

std::int64_t day_number(int year, int month, int day) {
  return date::sys_days{date::year{year} / month / day}.time_since_epoch().count();
}

// --- The rule for all years to come, from the last line of a zone's file, as in POSIX's TZ: "PST8PDT,M3.2.0,
// The date library does not read it: after 2037, or in files that leave out what the rule says anyway, it
// would stay at the last offset that the file lists. IANA's rules all have this form (month, week, day of
// week).
struct Rule {
  struct Day {
    int month = 0, week = 0, weekday = 0, second = 2 * 3600;
    std::int64_t wall(int year) const {
      const std::int64_t first = day_number(year, month, 1);
      std::int64_t day = first + (weekday - (first + 4) % 7 + 7) % 7 + 7 * (week - 1);  // day 0 was a Thursday
      while (day >= day_number(year + month / 12, month % 12 + 1, 1)) day -= 7;         // week 5: the last one
      return day * day_s + second;
    }
  };
  int standard = 0, summer = 0;  // offsets, s
  Day begin, end;
};

class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  std::optional<Rule> read() {
    Rule rule;
    if (!name() || !hours(rule.standard)) return std::nullopt;
    rule.standard = -rule.standard;          // POSIX counts west
    if (rest_.empty()) return std::nullopt;  // no summer time
    if (!name()) return std::nullopt;
    rule.summer = rule.standard + 3600;
    if (!rest_.starts_with(',')) {
      if (!hours(rule.summer)) return std::nullopt;
      rule.summer = -rule.summer;
    }
    if (!day(rule.begin) || !day(rule.end) || !rest_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool whole(int& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  bool name() {
    const std::size_t end = take('<') ? rest_.find('>') : rest_.find_first_of("+-,0123456789");
    if (end == rest_.npos && rest_.find('>') != rest_.npos) return false;
    rest_.remove_prefix(std::min(end, rest_.size()));
    take('>');
    return true;
  }
  bool hours(int& seconds) {
    const bool minus = take('-');
    if (!minus) take('+');
    int h = 0, m = 0, s = 0;
    if (!whole(h) || (take(':') && !whole(m)) || (take(':') && !whole(s))) return false;
    seconds = (h * 60 + m) * 60 + s;
    if (minus) seconds = -seconds;
    return true;
  }
  bool day(Rule::Day& day) {
    if (!take(',') || !take('M') || !whole(day.month) || !take('.') || !whole(day.week) || !take('.') || !whole(day.weekday))
      return false;
    if (day.month < 1 || day.month > 12 || day.week < 1 || day.week > 5 || day.weekday < 0 || day.weekday > 6) return false;
    return !take('/') || hours(day.second);
  }

  std::string_view rest_;
};

std::optional<Rule> rule_of(const std::string& zone) {
  std::ifstream in("/usr/share/zoneinfo/" + zone, std::ios::binary);
  std::string line, last;
  while (std::getline(in, line)) last = line;
  return RuleReader(last).read();
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
    }
  }
  return row.back();
}

std::string offset_text(int offset) {
  const int s = std::abs(offset);
  std::string text = fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', s / 3600, s / 60 % 60);
  if (s % 60) text += fmt::format(":{:02}", s % 60);
  return text;
}

}  // namespace

// --- Civil time --------------------------------------------------------------------------------------------

std::int64_t wall_seconds(const Civil& c) {
  return day_number(c.year, c.month, c.day) * day_s + c.hour * 3600 + c.minute * 60 + c.second;
}

Civil civil(std::int64_t wall) {
  const std::int64_t day = floor_div(wall, day_s);
  const int second = static_cast<int>(wall - day * day_s);
  const date::year_month_day ymd{date::sys_days{date::days{day}}};
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          second / 3600,
          second / 60 % 60,
          second % 60};
}

int weekday(std::int64_t wall) {
  const std::int64_t since_monday = floor_div(wall, day_s) + 3;  // 1970-01-01 was a Thursday
  return static_cast<int>(since_monday - 7 * floor_div(since_monday, 7));
}

std::string wall_text(std::int64_t wall) {
  const Civil c = civil(wall);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute);
  if (c.second) text += fmt::format(":{:02}", c.second);
  return text;
}

std::string utc_text(std::int64_t utc) {
  const Civil c = civil(utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::optional<WrittenTime> parse_time(std::string_view text) {
  // Digits of a fixed number; anything else is no time.
  const auto digits = [&](std::size_t count, int& value) {
    if (text.size() < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = text[i];
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return true;
  };
  const auto take = [&](char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
  };
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);

  Civil c;
  WrittenTime time;
  if (!digits(4, c.year) || !take('-') || !digits(2, c.month) || !take('-') || !digits(2, c.day)) return std::nullopt;
  if (!(date::year{c.year} / c.month / c.day).ok()) return std::nullopt;
  if (text.empty()) return WrittenTime{wall_seconds(c), 0, {}};
  if (!take('T') && !take(' ')) return std::nullopt;
  if (!digits(2, c.hour) || !take(':') || !digits(2, c.minute)) return std::nullopt;
  if (take(':')) {
    if (!digits(2, c.second)) return std::nullopt;
    if (take('.')) {
      int scale = 100'000'000, digit = 0;
      if (!digits(1, digit)) return std::nullopt;
      do time.nanosecond += digit * scale, scale /= 10;
      while (digits(1, digit));
    }
  }
  const bool day_end = c.hour == 24 && c.minute == 0 && c.second == 0 && time.nanosecond == 0;
  if ((c.hour > 23 && !day_end) || c.minute > 59 || c.second > 59) return std::nullopt;
  if (take('Z')) {
    time.offset = 0;
  } else {
    if (text.starts_with(" +") || text.starts_with(" -")) text.remove_prefix(1);
    const bool minus = text.starts_with('-');
    if (take('+') || take('-')) {
      int h = 0, m = 0;
      if (!digits(2, h) || (take(':') && text.empty()) || (!text.empty() && !digits(2, m)) || h > 18 || m > 59)
        return std::nullopt;
      time.offset = (minus ? -1 : 1) * (h * 60 + m) * 60;
    }
  }
  if (!text.empty()) return std::nullopt;
  time.wall = wall_seconds(c);
  return time;
}

// --- Zones -------------------------------------------------------------------------------------------------

// Periods of one offset: period i lasts from begin[i] to begin[i + 1].
struct Zone::Table {
  std::string name;
  std::vector<std::int64_t> begin;
  std::vector<int> offset;

  void add(std::int64_t at, int new_offset) {
    if (!offset.empty() && offset.back() == new_offset) return;  // only its name or law changed
    begin.push_back(at);
    offset.push_back(new_offset);
  }
};

std::optional<Zone> Zone::find(std::string_view name) {
  const date::time_zone* zone = nullptr;
  try {
    zone = date::locate_zone(name);
  } catch (const std::runtime_error&) { return std::nullopt; }

  auto table = std::make_shared<Table>();
  table->name = std::string(name);
  const std::int64_t limit = day_number(last_year, 1, 1) * day_s;
  std::int64_t at = day_number(first_year, 1, 1) * day_s, listed = at;
  while (at < limit) {
    const date::sys_info info = zone->get_info(date::sys_seconds{std::chrono::seconds{at}});
    table->add(at, static_cast<int>(info.offset.count()));
    listed = at;
    at = info.end.time_since_epoch().count();
  }
  if (const auto rule = rule_of(table->name)) {
    for (int year = civil(listed).year; year < last_year; ++year) {
      std::array<std::pair<std::int64_t, int>, 2> both{
          {{rule->begin.wall(year) - rule->standard, rule->summer}, {rule->end.wall(year) - rule->summer, rule->standard}}};
      std::sort(both.begin(), both.end());
      for (const auto& [change, offset] : both)
        if (change > listed) table->add(change, offset);
    }
  }
  return Zone(std::move(table));
}

std::vector<std::string> Zone::nearest(std::string_view wrong, std::size_t most) {
  // A city alone is enough, as is a small slip: scores are letters apart, less for a name that holds the word
  // whole.
  const std::string word = lower(wrong);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const date::time_zone& zone : date::get_tzdb().zones) {
    const std::string name = lower(zone.name());
    const std::string city = name.substr(name.rfind('/') + 1);
    std::size_t score = std::min(letters_apart(word, name), letters_apart(word, city) + 1);
    if (word.size() >= 3 && name.find(word) != name.npos) score = std::min<std::size_t>(score, 2);
    if (score <= std::max<std::size_t>(2, word.size() / 3)) scored.emplace_back(score, zone.name());
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(most, scored.size()); ++i) names.push_back(scored[i].second);
  return names;
}

Zone Zone::fixed(int offset_s) {
  auto table = std::make_shared<Table>();
  table->name = "UTC" + offset_text(offset_s);
  table->add(day_number(first_year, 1, 1) * day_s, offset_s);
  return Zone(std::move(table));
}

const std::string& Zone::name() const { return table_->name; }

std::size_t Zone::period_at(std::int64_t utc) const {
  const auto& begin = table_->begin;
  const auto after = std::upper_bound(begin.begin() + 1, begin.end(), utc);
  return static_cast<std::size_t>(after - begin.begin() - 1);
}

int Zone::offset_at(std::int64_t utc) const { return table_->offset[period_at(utc)]; }

Zone Zone::standard(std::int64_t utc) const {
  const std::size_t first = period_at(utc), last = period_at(utc + 365 * day_s);
  return fixed(*std::min_element(table_->offset.begin() + static_cast<std::ptrdiff_t>(first),
                                 table_->offset.begin() + static_cast<std::ptrdiff_t>(last) + 1));
}

Zone::Instants Zone::instants_of(std::int64_t wall) const {
  // Offsets lie within 26 hours, so that no more than the periods near `wall` taken for UTC can show it.
  const std::size_t low = period_at(wall - 26 * 3600), high = period_at(wall + 26 * 3600);
  Instants found;
  int times = 0;
  for (std::size_t i = low; i <= high; ++i) {
    const std::int64_t utc = wall - table_->offset[i];
    if (period_at(utc) != i) continue;
    if (++times == 1) found.first = utc;
    found.second = utc;
  }
  if (times == 0) {
    found.fit = Fit::gap;
    for (std::size_t i = low + 1; i <= high; ++i) {
      const std::int64_t at = table_->begin[i];
      if (at + table_->offset[i - 1] <= wall && wall < at + table_->offset[i]) found.first = found.second = at;
    }
  } else if (times > 1) {
    found.fit = Fit::fold;
  }
  return found;
}

std::vector<Zone::Change> Zone::changes(std::int64_t start, std::int64_t end) const {
  std::vector<Change> list;
  for (std::size_t i = period_at(start) + 1; i < table_->begin.size() && table_->begin[i] < end; ++i)
    list.push_back({table_->begin[i], table_->offset[i - 1], table_->offset[i]});
  return list;
}

std::string Zone::text(std::int64_t utc) const {
  const int offset = offset_at(utc);
  const std::int64_t wall = utc + offset;
  return instants_of(wall).fit == Fit::fold ? wall_text(wall) + offset_text(offset) : wall_text(wall);
}

std::vector<Month> month_starts(const Zone& zone, std::int64_t start, std::int64_t end) {
  std::vector<Month> list;
  Civil c = civil(zone.wall_at(start));
  c = {c.year, c.month};
  for (std::int64_t at = start; at < end; at = zone.instants_of(wall_seconds(c)).first) {
    list.push_back({at, 12 * c.year + c.month});
    c = {c.year + c.month / 12, c.month % 12 + 1};
  }
  return list;
}

}  // namespace urja

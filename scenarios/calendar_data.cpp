#include "scenarios/calendar_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <set>

#include "engine/units.hpp"
#include "scenarios/timeline.hpp"

namespace urja {
namespace {

constexpr std::int64_t day_length = 86400;
constexpr std::array<const char*, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<const char*, 7> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::size_t holiday = 7;  // the eighth kind of day

struct Hours {
  std::int64_t from = 0, to = 0;  // seconds of the day; to <= from: over midnight
  bool holds(std::int64_t time) const { return from < to ? time >= from && time < to : time >= from || time < to; }
};

struct Period {
  std::bitset<12> months;
  std::bitset<8> days;
  std::vector<Hours> hours;                                                                                     // none: all day
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();  // wall seconds
  double value = 0;

  bool fits_day(std::int64_t midnight, int month, std::size_t kind) const {
    return midnight >= from && midnight < to && months[static_cast<std::size_t>(month - 1)] && days[kind];
  }
  bool fits_time(std::int64_t time) const {
    return hours.empty() || std::any_of(hours.begin(), hours.end(), [&](const Hours& h) { return h.holds(time); });
  }
};

struct Series {
  std::vector<Period> periods;  // the last one is `otherwise`, if there is one
};

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}

  std::set<std::int64_t> holidays(const Node* node) {
    std::set<std::int64_t> days;
    if (!node) return days;
    for (const Node& one : items(*node)) {
      if (const auto day = date(one)) days.insert(*day);
    }
    return days;
  }

  Series series(const Node& node) {
    Series out;
    const Node* periods = node.find("periods");
    if (periods && periods->kind != Node::Kind::list) {
      problem(*periods, "expected a list of periods", "for example periods: [{hours: \"16:00-21:00\", value: 0.55}]");
      return out;
    }
    for (const Node& one : periods ? periods->items : std::vector<Node>{}) {
      if (!one.is_map()) {
        problem(one, "expected a period", "for example {months: jun-sep, days: mon-fri, hours: \"16:00-21:00\", value: 0.55}");
        continue;
      }
      known_keys(problems_, one, {"months", "days", "hours", "from", "to", "value"}, "a period");
      Period p = always();
      if (const Node* n = one.find("months")) p.months = months(*n);
      if (const Node* n = one.find("days")) p.days = days(*n);
      if (const Node* n = one.find("hours")) p.hours = hours(*n);
      if (const Node* n = one.find("from")) p.from = date(*n).value_or(p.from);
      if (const Node* n = one.find("to")) p.to = date(*n).value_or(p.to);
      if (p.from >= p.to)
        problem(*one.find("to"), "'to' does not lie after 'from'", "it is the first day that is not in the period");
      const Node* value = one.find("value");
      if (value) p.value = number(*value);
      else problem(one, "the key 'value' is missing", "what holds in this period, in the column's unit");
      out.periods.push_back(std::move(p));
    }
    if (const Node* otherwise = node.find("otherwise")) {
      Period p = always();
      p.value = number(*otherwise);
      out.periods.push_back(std::move(p));
    }
    if (out.periods.empty() && !periods) problem(node, "a column of a calendar needs `periods:` or `otherwise:`");
    return out;
  }

 private:
  static Period always() {
    Period p;
    p.months.set();
    p.days.set();
    return p;
  }
  void problem(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }
  static std::vector<Node> items(const Node& node) {
    return node.kind == Node::Kind::list ? node.items : std::vector<Node>{node};
  }
  double number(const Node& node) {
    const auto written = node.is_scalar() ? parse_quantity(node.text) : std::nullopt;
    if (!written || !written->unit.empty() || !std::isfinite(written->value)) {
      problem(node, node.is_scalar() ? fmt::format("'{}' is not a plain number", node.text) : "expected a number",
              "the unit stands once, as `unit:` of the column");
      return 0;
    }
    return written->value;
  }
  std::optional<std::int64_t> date(const Node& node) {
    const auto written = node.is_scalar() ? parse_time(node.text) : std::nullopt;
    if (written && !written->offset && written->wall % day_length == 0) return written->wall;
    problem(node, node.is_scalar() ? fmt::format("'{}' is not a date", node.text) : "expected a date",
            "write for example 2024-12-25");
    return std::nullopt;
  }
  // A name, a number from 1 on where numbers are allowed, or "first-last", which may go over the end.
  template <std::size_t n>
  std::optional<std::size_t> one_of(const std::string& text, const std::array<const char*, n>& names, bool numbers) {
    for (std::size_t k = 0; k < n; ++k) {
      if (text == names[k] || (numbers && text == std::to_string(k + 1))) return k;
    }
    return std::nullopt;
  }
  template <std::size_t n, std::size_t bits>
  bool range(const std::string& text, const std::array<const char*, n>& names, bool numbers, std::bitset<bits>& out) {
    const std::size_t dash = text.find('-');
    const auto first = one_of(text.substr(0, dash), names, numbers);
    const auto last = dash == std::string::npos ? first : one_of(text.substr(dash + 1), names, numbers);
    if (!first || !last) return false;
    for (std::size_t k = *first;; k = (k + 1) % n) {
      out.set(k);
      if (k == *last) return true;
    }
  }
  std::bitset<12> months(const Node& node) {
    std::bitset<12> out;
    for (const Node& one : items(node)) {
      if (!range(one.text, month_names, true, out))
        problem(one, fmt::format("'{}' is no month", one.text), "write jun, 6, jun-sep or a list of these");
    }
    return out;
  }
  std::bitset<8> days(const Node& node) {
    std::bitset<8> out;
    for (const Node& one : items(node)) {
      if (one.text == "holidays") out.set(holiday);
      else if (one.text == "all") out.set();
      else if (one.text == "weekdays") out |= std::bitset<8>(0b0011111);
      else if (one.text == "weekends") out |= std::bitset<8>(0b1100000);
      else if (!range(one.text, day_names, false, out))
        problem(one, fmt::format("'{}' is no day", one.text),
                "write mon, mon-fri, weekdays, weekends, holidays, all or a list of these");
    }
    return out;
  }
  std::vector<Hours> hours(const Node& node) {
    std::vector<Hours> out;
    for (const Node& one : items(node)) {
      int a = 0, b = 0, c = 0, d = 0, used = 0;
      const bool read = std::sscanf(one.text.c_str(), "%2d:%2d-%2d:%2d%n", &a, &b, &c, &d, &used) == 4 &&
                        used == static_cast<int>(one.text.size());
      const std::int64_t from = a * 3600 + b * 60, to = c * 3600 + d * 60;
      if (!read || a < 0 || b < 0 || c < 0 || d < 0 || b > 59 || d > 59 || from >= day_length || to > day_length || from == to)
        problem(one, fmt::format("'{}' is no time of day", one.text), "write \"16:00-21:00\" (with quotes) or a list of these");
      else out.push_back({from, to});
    }
    return out;
  }

  Problems& problems_;
};

}  // namespace

LoadedData calendar_set(const Node& node, const DataFileSpec& spec, Problems& problems) {
  const std::size_t before = problems.list().size();
  Reader reader(problems);
  const std::set<std::int64_t> holidays = reader.holidays(node.find("holidays"));
  const Node* columns = node.find("columns");
  std::vector<Series> series;
  std::vector<const Node*> places;
  for (const DataFileSpec::Column& column : spec.columns) {
    places.push_back(columns->find(column.name));
    series.push_back(reader.series(*places.back()));
  }
  if (problems.list().size() > before) return {};

  // Cells that no boundary falls into: on any offset of the clock, of whole minutes.
  const auto start = static_cast<std::int64_t>(std::floor(spec.start)), end = static_cast<std::int64_t>(std::ceil(spec.end));
  std::int64_t interval = 3600;
  for (const Series& s : series) {
    for (const Period& p : s.periods) {
      for (const Hours& h : p.hours) interval = std::gcd(interval, std::gcd(h.from, h.to));
    }
  }
  interval = std::gcd(interval, static_cast<std::int64_t>(std::abs(spec.zone.offset_at(start))));
  for (const auto& change : spec.zone.changes(start, end))
    interval = std::gcd(interval, static_cast<std::int64_t>(std::abs(change.after)));

  Timeline line;
  const std::int64_t first = start - ((start % interval) + interval) % interval;
  line.first = first * second;
  line.interval = interval * second;
  line.cells = (end - first + interval - 1) / interval;
  std::vector<std::vector<double>> values(series.size(), std::vector<double>(static_cast<std::size_t>(line.cells)));
  std::int64_t midnight = std::numeric_limits<std::int64_t>::min();
  std::vector<std::vector<const Period*>> today(series.size());
  for (std::int64_t cell = 0; cell < line.cells; ++cell) {
    const std::int64_t wall = spec.zone.wall_at(first + cell * interval);
    const std::int64_t time = ((wall % day_length) + day_length) % day_length;
    if (wall - time != midnight) {
      midnight = wall - time;
      const std::size_t kind = holidays.count(midnight) ? holiday : static_cast<std::size_t>(weekday(midnight));
      for (std::size_t k = 0; k < series.size(); ++k) {
        today[k].clear();
        for (const Period& p : series[k].periods) {
          if (p.fits_day(midnight, civil(midnight).month, kind)) today[k].push_back(&p);
        }
      }
    }
    for (std::size_t k = 0; k < series.size(); ++k) {
      const auto found = std::find_if(today[k].begin(), today[k].end(), [&](const Period* p) { return p->fits_time(time); });
      if (found == today[k].end()) {
        problems.add({places[k]->file(), places[k]->line, places[k]->column, places[k]->path,
                      fmt::format("no period holds at {}", wall_text(wall)), "add one, or say `otherwise: ..`"});
        return {};
      }
      values[k][static_cast<std::size_t>(cell)] = (*found)->value;
    }
  }
  LoadedData loaded = load_cells(spec, line, std::move(values));
  const auto year = [](std::int64_t wall) { return civil(wall).year; };
  const int from = year(spec.zone.wall_at(start)), to = year(spec.zone.wall_at(end - 1));
  if (!holidays.empty() &&
      std::none_of(holidays.begin(), holidays.end(), [&](std::int64_t day) { return year(day) >= from && year(day) <= to; })) {
    const Node& at = *node.find("holidays");
    loaded.notes.push_back({at.file(), at.line, at.column, at.path,
                            fmt::format("none of the holidays lies in {}, the year of the run: they are from {} to {}",
                                        from == to ? std::to_string(from) : fmt::format("{} to {}", from, to),
                                        wall_text(*holidays.begin()).substr(0, 10), wall_text(*holidays.rbegin()).substr(0, 10)),
                            ""});
  }
  return loaded;
}

}  // namespace urja

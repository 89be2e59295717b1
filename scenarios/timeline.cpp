#include "scenarios/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace urja {
namespace {

// Turns stamps into instants, rows into cells.
class Placer {
 public:
  Placer(const DataFileSpec& spec, const std::string& file, std::vector<FileProblem>& problems)
      : spec_(spec), stamps_(spec.stamps), file_(file), problems_(problems), known_(problems.size()) {}

  // Rows at first, first + every ..
  Timeline even(std::size_t rows) {
    every_ = micro(stamps_.every);
    const auto written = parse_time(stamps_.first);
    if (every_ < 1) fail(0, "`every` is missing: the interval of the rows", "say every: 1 h");
    if (!written) fail(0, fmt::format("'{}' is no time", stamps_.first), "write 2016-08-01 00:00");
    if (!good()) return {};
    Micro first = written->wall * second + written->nanosecond / 1000;
    Zone zone = clock(floor_seconds(first));
    if (!good()) return {};
    if (written->offset) first += (zone.offset_at(written->wall - *written->offset) - *written->offset) * second;
    if (stamps_.mark == DataFileSpec::Mark::end) first -= every_;
    std::vector<Micro> walls(rows);
    for (std::size_t i = 0; i < rows; ++i) walls[i] = first + static_cast<Micro>(i) * every_;
    return place(walls, zone, false);
  }

  // Each row at its own stamp: wall time, or an instant.
  Timeline stamped(const std::vector<double>& stamps, bool instants) {
    std::vector<Micro> times(stamps.size());
    for (std::size_t i = 0; i < stamps.size(); ++i) {
      if (std::isnan(stamps[i]))
        fail(line_of(i), fmt::format("the row has no stamp in column {}", stamps_.column), "give it one, or remove the row");
      else times[i] = micro(stamps[i]);
    }
    if (!good()) return {};
    every_ = micro(stamps_.every);
    if (every_ < 1) {
      every_ = std::numeric_limits<Micro>::max();
      for (std::size_t i = 1; i < std::min<std::size_t>(times.size(), 1000); ++i)
        if (times[i] > times[i - 1]) every_ = std::min(every_, times[i] - times[i - 1]);
      if (every_ == std::numeric_limits<Micro>::max())
        return fail(2, "one stamp does not tell the interval of the rows", "say every: 1 h"), Timeline{};
    }
    Zone zone = instants ? Zone::fixed(0) : clock(floor_seconds(times.front()));
    if (!good()) return {};
    // On the clock of the stamps.
    const auto moment = [&](const std::string& text, Micro otherwise) {
      const auto written = parse_time(text);
      if (!written) return otherwise;
      std::int64_t wall = written->wall;
      if (written->offset) wall = zone.wall_at(wall - *written->offset);
      else if (instants) wall = spec_.zone.instants_of(wall).first;
      return wall * second + written->nanosecond / 1000;
    };
    taken_from_ = moment(stamps_.from, taken_from_);
    taken_to_ = moment(stamps_.to, taken_to_);
    if (std::none_of(times.begin(), times.end(), [&](Micro t) { return taken(t); }))
      return fail(0,
                  fmt::format("no row has a stamp{}{}", stamps_.from.empty() ? "" : " from " + stamps_.from + " on",
                              stamps_.to.empty() ? "" : " before " + stamps_.to),
                  "correct `from` and `to` of the stamps"),
             Timeline{};
    return place(times, zone, stamps_.mark == DataFileSpec::Mark::end);
  }

  // That the file's stamps show.
  Zone clock(std::int64_t near) {
    if (stamps_.clock == "wall") return spec_.zone;
    if (stamps_.clock == "standard") return spec_.zone.standard(near);
    if (stamps_.clock == "utc") return Zone::fixed(0);
    if (const auto zone = Zone::find(stamps_.clock)) return *zone;
    auto near_names = Zone::nearest(stamps_.clock);
    fail(0, fmt::format("there is no clock or zone '{}'", stamps_.clock),
         near_names.empty() ? "write wall, standard, utc or a name like America/Los_Angeles"
                            : "did you mean " + any_of(near_names) + "?");
    return Zone::fixed(0);
  }

 private:
  bool good() const { return problems_.size() == known_; }
  void fail(int line, std::string what, std::string mend) {
    if (problems_.size() - known_ < 20)
      problems_.push_back({file_, line, line > 0 ? 1 : 0, "", std::move(what), std::move(mend)});
  }

  struct Image {  // of a row's interval in UTC; length 0: an hour that never was
    Micro start = 0, length = 0;
  };

  Timeline place(const std::vector<Micro>& times, const Zone& zone, bool ends) {
    const std::int64_t margin = 2 * 86400 + every_ / second;
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    const auto nearby = zone.changes(floor_seconds(*least) - margin, floor_seconds(*most) + margin);

    const auto instant = [&](Micro wall) {  // the first, where there are two
      const std::int64_t whole = floor_seconds(wall);
      const Zone::Instants found = zone.instants_of(whole);
      return found.first * second + (found.fit == Zone::Fit::gap ? 0 : wall - whole * second);
    };
    // A change of less than a row makes that row longer or shorter and asks for no rule.
    const auto stretches = [&](const Zone::Change& c) { return std::abs(c.jump()) * second < every_; };

    std::vector<Image> images(times.size());
    Micro previous = 0;                 // start of
    std::size_t before = times.size();  // the row before that is no extra one
    // Between changes the offset is constant: most rows take this way.
    constexpr Micro always = std::numeric_limits<Micro>::max() / 4;
    Micro from = 0, to = 0, offset = 0;
    const Zone::Change* extra_until = nullptr;  // stamps at interval ends: within the rows of an hour that never was
    const Zone::Change* said = nullptr;
    for (std::size_t i = 0; i < times.size() && problems_.size() - known_ < 20; ++i) {
      const Micro time = times[i];
      Image& image = images[i];
      image = {0, every_};
      if (!taken(time)) {
        image.length = 0;
        continue;
      }
      if (time >= from && time < to) {
        image.start = time - offset - (ends ? every_ : 0);
      } else {
        const std::int64_t wall = floor_seconds(time);
        const Micro part = time - wall * second;
        const Zone::Instants instants = zone.instants_of(wall);
        Micro at = instants.first * second + part;
        const Zone::Change* extra = nullptr;
        if (instants.fit == Zone::Fit::unique) {
          offset = time - at;
          from = -always, to = always;
          for (const auto& c : nearby) {
            if (c.at <= instants.first) from = (c.at + std::max(c.before, c.after)) * second;
            else to = std::min(to, c.wall() * second);
          }
          (ends ? from : to) += ends ? every_ : -every_;
          if (extra_until && time == (extra_until->wall() + extra_until->jump()) * second) extra = extra_until;
        } else if (instants.fit == Zone::Fit::fold) {
          // Whichever comes next; the first one after a pause.
          const Micro other = instants.second * second + part, start = at - (ends ? every_ : 0);
          if (before < times.size() && (start <= previous || other - (ends ? every_ : 0) == previous + every_)) at = other;
        } else {
          const auto change = std::find_if(nearby.begin(), nearby.end(), [&](auto& c) { return c.at == instants.first; });
          at = change->at * second;
          if (!stretches(*change)) {
            const bool change_itself = ends && time == change->wall() * second;  // it ends an hour that was
            if (!change_itself) extra = &*change;
            if (ends) extra_until = &*change;
          }
        }
        if (extra) {
          image.length = 0;
          if (extra != said && !extra_hour(*extra, zone, i)) said = extra;
          continue;
        }
        image.start = ends ? at - every_ : at;
        for (const auto& c : nearby) {
          if (!stretches(c) || std::abs(c.at * second - at) > every_ + std::abs(c.jump()) * second) continue;
          if (ends) image.start = instant(time - every_);
          image.length = (ends ? at : instant(time + every_)) - image.start;
        }
        if (image.length <= 0) {
          image.length = 0;
          continue;
        }
      }
      if (before < times.size()) {
        if (image.start <= previous) {
          const bool same = image.start == previous;
          fail(line_of(i),
               same ? fmt::format("the stamp {} is that of line {} again", wall_text(floor_seconds(time)), line_of(before))
                    : fmt::format("the stamp {} lies before that of line {}, {}", wall_text(floor_seconds(time)), line_of(before),
                                  wall_text(floor_seconds(times[before]))),
               same ? "keep one row for each time" : "sort the rows by time");
          continue;
        }
        if (image.start < previous + images[before].length && images[before].length <= every_) {
          irregular(i, before, times);
          continue;
        }
      }
      previous = image.start;
      before = i;
    }
    if (!good()) return {};
    return lay(times, images, zone);
  }

  void irregular(std::size_t i, std::size_t before, const std::vector<Micro>& times) {
    fail(line_of(i),
         fmt::format("the stamp {} is {} after that of line {}, and rows are {} apart", wall_text(floor_seconds(times[i])),
                     duration_text(static_cast<double>(times[i] - times[before]) / 1e6), line_of(before),
                     duration_text(static_cast<double>(every_) / 1e6)),
         "space the rows evenly, or correct `every`");
  }

  bool extra_hour(const Zone::Change& change, const Zone& zone, std::size_t row) {
    if (stamps_.extra_hour == DataFileSpec::ExtraHour::drop) return true;
    fail(line_of(row),
         fmt::format("the row is for a time that never was: on the clock of {} {} is followed by {}", zone.name(),
                     wall_text(change.wall()), wall_text(change.wall() + change.jump())),
         "say extra_hour: drop, or clock: standard or utc if the file's clock is not changed");
    return false;
  }

  Timeline lay(const std::vector<Micro>& times, const std::vector<Image>& images, const Zone& zone) {
    const auto real = [](const Image& image) { return image.length > 0; };
    const auto first = std::find_if(images.begin(), images.end(), real);
    if (first == images.end()) return fail(0, "no row has a time that ever was", "correct the stamps"), Timeline{};
    const Image& last = *std::find_if(images.rbegin(), images.rend(), real);

    Timeline line;
    line.first = first->start;
    const Micro end = last.start + last.length;
    // Changes of no whole number of rows need shorter cells.
    const auto changes = zone.changes(floor_seconds(line.first), floor_seconds(end) + 1);
    line.interval = every_;
    for (const auto& c : changes) {
      if (c.jump() * second % every_ == 0) continue;
      line.interval = std::gcd(line.interval, std::gcd(c.jump() * second, c.at * second - line.first));
    }
    line.cells = (end - line.first) / line.interval;
    if (line.cells > most_values) {
      fail(0,
           fmt::format("the rows span {} intervals of {}", line.cells, duration_text(static_cast<double>(line.interval) / 1e6)),
           "correct the stamps or `every`");
      return {};
    }
    if (line.interval == every_ && line.cells == static_cast<std::int64_t>(images.size()) && first == images.begin()) {
      bool same = true;
      for (std::size_t i = 0; i < images.size() && same; ++i)
        same = images[i].length == every_ && images[i].start == line.at(static_cast<std::int64_t>(i));
      if (same) return line;
    }

    line.row_of.assign(static_cast<std::size_t>(line.cells), -1);
    std::size_t before = images.size();
    for (std::size_t i = 0; i < images.size(); ++i) {
      const Image& image = images[i];
      if (image.length == 0) continue;
      const Micro into = image.start - line.first;
      if (into % line.interval != 0 || image.length % line.interval != 0) {
        irregular(i, before < images.size() ? before : i, times);
        if (problems_.size() - known_ >= 20) break;
        continue;
      }
      const std::int64_t cell = into / line.interval, behind = std::min(cell + image.length / line.interval, line.cells);
      std::fill(line.row_of.begin() + cell, line.row_of.begin() + behind, static_cast<std::int32_t>(i));
      before = i;
    }
    if (!good()) return {};
    for (const auto& c : changes)
      if (c.jump() < 0) repeat_hour(line, c, zone);
    return line;
  }

  // A time that came twice and is in the file once.
  void repeat_hour(Timeline& line, const Zone::Change& change, const Zone& zone) {
    const Micro length = -change.jump() * second, at = change.at * second;
    bool said = false;
    for (Micro t = at - length; t < at; t += line.interval) {
      const Micro into = t - line.first;
      const std::int64_t one = into / line.interval, other = (into + length) / line.interval;
      if (into < 0 || other >= line.cells) continue;
      std::int32_t& a = line.row_of[static_cast<std::size_t>(one)];
      std::int32_t& b = line.row_of[static_cast<std::size_t>(other)];
      if ((a < 0) == (b < 0)) continue;
      if (stamps_.missing_hour == DataFileSpec::MissingHour::repeat) {
        a < 0 ? a = b : b = a;
      } else if (!said) {
        said = true;
        fail(line_of(static_cast<std::size_t>(std::max(a, b))),
             fmt::format("on the clock of {} {} to {} came twice, and the file has it once", zone.name(),
                         wall_text(change.wall()), wall_text(change.wall() - change.jump())),
             "say missing_hour: repeat, or clock: standard or utc if the file's clock is not changed");
      }
    }
  }

  const DataFileSpec& spec_;
  const DataFileSpec::Stamps& stamps_;
  const std::string& file_;
  std::vector<FileProblem>& problems_;
  std::size_t known_;
  Micro every_ = 0;
  Micro taken_from_ = std::numeric_limits<Micro>::min(), taken_to_ = std::numeric_limits<Micro>::max();
  bool taken(Micro time) const { return time >= taken_from_ && time < taken_to_; }
};

}  // namespace

std::string duration_text(double s) {
  if (s >= 2 * 86400) return fmt::format("{:.6g} d", s / 86400);
  if (s >= 3600) return fmt::format("{:.6g} h", s / 3600);
  if (s >= 60) return fmt::format("{:.6g} min", s / 60);
  return fmt::format("{:.6g} s", s);
}

namespace {

constexpr std::int64_t day_length = 86400;
std::int64_t midnight_of(std::int64_t wall) { return wall - ((wall % day_length) + day_length) % day_length; }

// Which day of a file stands for a day of the run.
class Days {
 public:
  Days(const DataFileSpec& spec, const Zone& clock, const Timeline& line)
      : by_weekday_(spec.repeat == DataFileSpec::Repeat::same_weekday),
        first_(midnight_of(clock.wall_at(floor_seconds(line.first)))),
        last_(midnight_of(clock.wall_at(floor_seconds(line.end() - 1)))) {
    // Days of which the file has but a part stand for others only where there is no whole one.
    const auto whole = [&](std::int64_t midnight) {
      return clock.instants_of(midnight).first * second >= line.first &&
             clock.instants_of(midnight + day_length).first * second <= line.end();
    };
    const auto time = [&](Micro t) { return wall_text(clock.wall_at(floor_seconds(t))).substr(11); };
    if (first_ < last_ && !whole(first_)) {
      parts_.push_back({first_, "00:00 to " + time(line.first)});
      first_ += day_length;
    }
    if (first_ < last_ && !whole(last_)) {
      parts_.push_back({last_, time(line.end()) + " to 24:00"});
      last_ -= day_length;
    }
  }

  bool begins_in_a_day() const { return !parts_.empty() && parts_.front().second.starts_with("00:00"); }
  // What the file lacks of the days that are this date in another year: "2023-01-01 lacks 00:00 to 00:15", or nothing.
  std::string lacking(std::int64_t day) const {
    std::string text;
    for (const auto& [midnight, part] : parts_) {
      if (civil(midnight).month == civil(day).month && civil(midnight).day == civil(day).day)
        text += fmt::format("{}{} lacks {}", text.empty() ? "" : ", ", wall_text(midnight).substr(0, 10), part);
    }
    return text;
  }

  // Local midnights. Nothing: the file has no such date.
  std::optional<std::int64_t> stands_for(std::int64_t day) const {
    if (inside(day)) return day;
    Civil date = civil(day);
    for (const bool leap : {true, false}) {
      if (date.month == 2 && date.day == 29 && !leap) date.day = 28;
      for (int year = civil(first_).year; year <= civil(last_).year; ++year) {
        Civil other = date;
        other.year = year;
        const std::int64_t found = wall_seconds(other);
        if (civil(found).month != date.month || !inside(found)) continue;  // 29 February of a year without one
        if (!by_weekday_) return found;
        return same_weekday(found, weekday(day));
      }
    }
    return std::nullopt;
  }

 private:
  bool inside(std::int64_t day) const { return day >= first_ && day <= last_; }
  std::optional<std::int64_t> same_weekday(std::int64_t near, int wanted) const {
    for (int shift : {0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6}) {
      const std::int64_t other = near + shift * day_length;
      if (inside(other) && weekday(other) == wanted) return other;
    }
    return std::nullopt;
  }
  bool by_weekday_;
  std::int64_t first_, last_;
  std::vector<std::pair<std::int64_t, std::string>> parts_;  // days of which the file has but a part, and what it lacks
};

}  // namespace

Timeline repeated(const DataFileSpec& spec, const std::string& file, const Timeline& line, std::vector<FileProblem>& problems) {
  const auto start = static_cast<std::int64_t>(std::floor(spec.start)), end = static_cast<std::int64_t>(std::ceil(spec.end));
  const Zone clock = Placer(spec, file, problems).clock(floor_seconds(line.first));
  // Cells into which a shift by days and by changes of the clock falls evenly.
  Micro interval = std::gcd(line.interval, 3600 * second);
  const auto even = [&](std::int64_t from, std::int64_t to) {
    interval = std::gcd(interval, std::abs(clock.offset_at(from)) * second);
    for (const auto& c : clock.changes(from, to)) interval = std::gcd(interval, std::abs(c.after) * second);
  };
  even(start, end);
  even(floor_seconds(line.first), floor_seconds(line.end()));

  Timeline out;
  const Micro phase = ((line.first % interval) + interval) % interval, begin = start * second - phase;
  out.first = begin - ((begin % interval) + interval) % interval + phase;
  out.interval = interval;
  out.cells = (end * second - out.first + interval - 1) / interval;
  if (out.cells > most_values) {
    problems.push_back(
        {file, 0, 0, "",
         fmt::format("the run has {} intervals of {}", out.cells, duration_text(static_cast<double>(interval) / 1e6)), ""});
    return line;
  }
  out.row_of.resize(static_cast<std::size_t>(out.cells));
  const Days days(spec, clock, line);
  std::int64_t day = std::numeric_limits<std::int64_t>::min(), source = 0;
  for (std::int64_t cell = 0; cell < out.cells; ++cell) {
    const Micro at = out.at(cell);
    const std::int64_t instant = floor_seconds(at), wall = clock.wall_at(instant);
    if (midnight_of(wall) != day) {
      day = midnight_of(wall);
      const auto found = days.stands_for(day);
      if (!found) {
        const auto date = [&](Micro t) { return wall_text(clock.wall_at(floor_seconds(t))).substr(0, 10); };
        const std::string lacking = days.lacking(day);
        problems.push_back({file, 0, 0, "data." + spec.name,
                            fmt::format("the file has no {}day that could stand for {}: it goes from {} to {}{}",
                                        lacking.empty() ? "" : "whole ", wall_text(day).substr(0, 10), date(line.first),
                                        date(line.end() - 1), lacking.empty() ? "" : ", and " + lacking),
                            lacking.empty() || !days.begins_in_a_day() ? "take a file of a whole year, or a shorter run"
                            : spec.stamps.mark == DataFileSpec::Mark::start
                                ? "are the stamps the ends of the intervals? say mark: end, or correct the clock"
                                : "correct the clock, or the stamps"});
        return line;
      }
      source = *found;
    }
    // An hour that came twice takes both of a day that has it twice.
    const Zone::Instants here = clock.instants_of(wall), there = clock.instants_of(source + (wall - day));
    const std::int64_t from = here.fit == Zone::Fit::fold && instant == here.second ? there.second : there.first;
    const Micro into = from * second + (at - instant * second) - line.first;
    const std::int64_t row = into < 0 ? -1 : into / line.interval;
    out.row_of[static_cast<std::size_t>(cell)] = row < 0 || row >= line.cells ? -1
                                                 : line.row_of.empty()        ? static_cast<std::int32_t>(row)
                                                                              : line.row_of[static_cast<std::size_t>(row)];
  }
  return out;
}

Timeline place_even(const DataFileSpec& spec, const std::string& file, std::size_t rows, std::vector<FileProblem>& problems) {
  return Placer(spec, file, problems).even(rows);
}
Timeline place_stamped(const DataFileSpec& spec, const std::string& file, const std::vector<double>& stamps, bool instants,
                       std::vector<FileProblem>& problems) {
  return Placer(spec, file, problems).stamped(stamps, instants);
}

}  // namespace urja

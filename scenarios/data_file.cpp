#include "scenarios/data_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/units.hpp"
#include "scenarios/timeline.hpp"
#include "scenarios/weather_files.hpp"

namespace urja {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::string of_member(const std::string& text, int member) {
  constexpr std::string_view mark = "{member}";
  std::string out = text;
  for (std::size_t at; (at = out.find(mark)) != out.npos;) out.replace(at, mark.size(), std::to_string(member));
  return out;
}
bool per_member(const std::string& text) { return text.find("{member}") != text.npos; }

// --- Units -------------------------------------------------------------------------------------------------

struct Conversion {
  std::string declared;
  double factor = 1, offset = 0;
};

std::optional<Conversion> conversion(const DataFileSpec::Column& column, std::string* currency) {
  Conversion c;
  c.declared = column.declared;
  if (c.declared.empty()) {
    const auto base = base_unit(column.unit);
    if (!base) return std::nullopt;
    c.declared = *base;
  }
  // Units are straight lines. Far out the offset is lost in the rounding, and what remains is the factor, to
  // the last bit.
  constexpr double far = 0x1p80;
  const auto zero = convert({0, column.unit}, c.declared, currency), out = convert({far, column.unit}, c.declared);
  if (!zero || !out) return std::nullopt;
  c.offset = *zero;
  c.factor = *out / far;
  return c;
}

// --- Gaps --------------------------------------------------------------------------------------------------

struct Hole {
  std::int64_t first, last;  // cells [first, last)
};

std::vector<Hole> holes_in(const std::vector<double>& values) {
  std::vector<Hole> holes;
  const auto n = static_cast<std::int64_t>(values.size());
  for (std::int64_t i = 0; i < n; ++i) {
    if (!std::isnan(values[static_cast<std::size_t>(i)])) continue;
    const std::int64_t first = i;
    while (i < n && std::isnan(values[static_cast<std::size_t>(i)])) ++i;
    holes.push_back({first, i});
  }
  return holes;
}

// Whether it could. `known` are the values before anything was filled.
bool fill_hole(std::vector<double>& values, const std::vector<double>& known, Hole hole, DataFileSpec::Fill fill,
               Micro interval) {
  const auto begin = static_cast<std::size_t>(hole.first), end = static_cast<std::size_t>(hole.last);
  switch (fill) {
    case DataFileSpec::Fill::error:
    case DataFileSpec::Fill::leave: return false;
    case DataFileSpec::Fill::zero: std::fill(values.begin() + hole.first, values.begin() + hole.last, 0.0); return true;
    case DataFileSpec::Fill::hold:
      if (begin == 0) return false;
      std::fill(values.begin() + hole.first, values.begin() + hole.last, values[begin - 1]);
      return true;
    case DataFileSpec::Fill::linear: {
      if (begin == 0 || end == values.size()) return false;
      const double a = values[begin - 1], b = values[end];
      for (std::size_t i = begin; i < end; ++i)
        values[i] = a + (b - a) * static_cast<double>(i - begin + 1) / static_cast<double>(end - begin + 1);
      return true;
    }
    case DataFileSpec::Fill::typical: {
      const Micro day = 86400 * second;
      if (day % interval != 0) return false;
      const std::int64_t cells = day / interval, n = static_cast<std::int64_t>(values.size());
      for (std::int64_t i = hole.first; i < hole.last; ++i) {
        std::vector<double> others;
        for (std::int64_t d = -7; d <= 7; ++d) {
          const std::int64_t j = i + d * cells;
          if (j >= 0 && j < n && !std::isnan(known[static_cast<std::size_t>(j)]))
            others.push_back(known[static_cast<std::size_t>(j)]);
        }
        if (others.empty()) return false;
        std::sort(others.begin(), others.end());
        const std::size_t half = others.size() / 2;
        values[static_cast<std::size_t>(i)] = others.size() % 2 ? others[half] : (others[half - 1] + others[half]) / 2;
      }
      return true;
    }
  }
  return false;
}

// --- One data set ------------------------------------------------------------------------------------------

class Loader {
 public:
  explicit Loader(const DataFileSpec& spec) : spec_(spec) {}

  LoadedData load() {
    check();
    if (out_.good()) read();
    if (out_.good() && spec_.repeat != DataFileSpec::Repeat::no) line_ = repeated(spec_, file_, line_, out_.problems);
    return fit();
  }
  LoadedData load(const Timeline& line, std::vector<std::vector<double>> values) {
    check_columns();
    file_ = spec_.path;
    line_ = line;
    for (auto& column : values) values_.push_back({std::move(column)});
    return fit();
  }

 private:
  // What was read onto the plan's clock.
  LoadedData fit() {
    out_.set.name = spec_.name;
    if (out_.good()) cover();
    if (out_.good()) {
      for (std::size_t c = 0; c < spec_.columns.size(); ++c)
        for (std::size_t m = 0; m < values_[c].size(); ++m) finish(c, m);
    }
    if (out_.good()) write();
    return std::move(out_);
  }

  std::string key(const DataFileSpec::Column& column) const { return fmt::format("data.{}.columns.{}", spec_.name, column.name); }
  void fail(std::string file, std::string key, std::string what, std::string mend) {
    out_.problems.push_back({std::move(file), 0, 0, std::move(key), std::move(what), std::move(mend)});
  }

  void check() {
    const std::string stamps = fmt::format("data.{}.stamps", spec_.name);
    if (spec_.stamps.first.empty() == spec_.stamps.column.empty())
      fail(spec_.path, stamps, "stamps are given by `first` and `every`, or by `column`", "say one of them");
    if (spec_.columns.empty()) fail(spec_.path, "data." + spec_.name, "no columns are asked for", "name them under `columns`");
    check_columns();
  }
  void check_columns() {
    if (spec_.members < 1) fail(spec_.path, "data." + spec_.name, "there are no members", "give at least one");
    if (!(spec_.step > 0) || !(spec_.end > spec_.start))
      fail(spec_.path, "run", "the run has no steps", "correct its from, to and step");
    for (const auto& column : spec_.columns) {
      std::string currency;
      const auto found = conversion(column, &currency);
      conversions_.push_back(found.value_or(Conversion{}));
      if (!found) {
        fail(spec_.path, key(column),
             column.unit.empty() ? "the column has no unit" : fmt::format("the unit '{}' does not fit", column.unit),
             column.declared.empty() ? "urja describe lists the units" : "write " + any_unit(column.declared));
      } else if (!currency.empty() && !out_.currency.empty() && currency != out_.currency) {
        fail(spec_.path, key(column), fmt::format("prices are in {} and in {}", out_.currency, currency),
             "a scenario has one currency");
      }
      if (!currency.empty()) out_.currency = currency;
    }
  }

  // All members' files into values_[column][member], and where their rows lie.
  void read() {
    const int files = per_member(spec_.path) ? spec_.members : 1;
    const bool own_stamps = !spec_.stamps.column.empty();
    values_.resize(spec_.columns.size());
    std::vector<double> stamps;
    bool instants = spec_.stamps.format == DataFileSpec::Format::epoch;
    for (int f = 1; f <= files; ++f) {
      const std::string file = of_member(spec_.path, f);
      std::vector<CsvColumn> wanted;
      std::optional<bool> has_offset;
      if (own_stamps) wanted.push_back(stamp_column(has_offset));
      for (const auto& column : spec_.columns) {
        const bool spread = per_member(column.column);
        const int from = spread && files == 1 ? 1 : f, to = spread && files == 1 ? spec_.members : f;
        for (int m = from; m <= to; ++m) wanted.push_back({of_member(column.column, m)});
      }
      Csv csv = read_csv(file, wanted, out_.problems);
      if (!out_.good()) {
        if (out_.problems.size() >= 20) return;
        continue;
      }
      std::size_t next = own_stamps ? 1 : 0;
      for (std::size_t c = 0; c < spec_.columns.size(); ++c) {
        const bool spread = per_member(spec_.columns[c].column) && files == 1;
        for (int m = 0; m < (spread ? spec_.members : 1); ++m) values_[c].push_back(std::move(csv.columns[next++]));
      }
      if (f == 1) {
        rows_ = csv.rows;
        if (own_stamps) stamps = std::move(csv.columns[0]), instants = instants || has_offset.value_or(false);
        continue;
      }
      if (csv.rows != rows_)
        fail(file, "", fmt::format("the file has {} rows, {} has {}", csv.rows, of_member(spec_.path, 1), rows_),
             "all members' files have the same rows");
      else if (own_stamps) same_stamps(file, stamps, csv.columns[0]);
    }
    if (!out_.good()) return;
    file_ = of_member(spec_.path, 1);
    if (own_stamps && instants && spec_.repeat != DataFileSpec::Repeat::no && spec_.stamps.clock == "utc" &&
        !spec_.zone.changes(static_cast<std::int64_t>(spec_.start), static_cast<std::int64_t>(spec_.end)).empty())
      out_.notes.push_back(
          {file_, 0, 0, fmt::format("data.{}.stamps.clock", spec_.name),
           "the stamps say which instants are meant; `clock: utc` makes `repeat` count days from midnight to midnight "
           "in UTC, while the plant's clock is changed for summer time",
           "for days of the plant's clock leave `clock` out"});
    line_ = own_stamps ? place_stamped(spec_, file_, stamps, instants, out_.problems)
                       : place_even(spec_, file_, rows_, out_.problems);
  }

  CsvColumn stamp_column(std::optional<bool>& has_offset) const {
    if (spec_.stamps.format == DataFileSpec::Format::epoch) return {spec_.stamps.column, {}, "time in seconds since 1970"};
    const bool local = spec_.stamps.format == DataFileSpec::Format::local;
    return {spec_.stamps.column,
            [&has_offset, local](std::string_view cell, double& value) {
              const auto time = parse_time(cell);
              if (!time || (local && time->offset) || has_offset.value_or(time->offset.has_value()) != time->offset.has_value())
                return false;
              has_offset = time->offset.has_value();
              value = static_cast<double>(time->wall - time->offset.value_or(0)) + time->nanosecond * 1e-9;
              return true;
            },
            local ? "time YYYY-MM-DD HH:MM without an offset"
                  : "time in ISO 8601 such as 2016-08-01 00:00, with an offset in all rows or in none"};
  }

  void same_stamps(const std::string& file, const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
      out_.problems.push_back({file, line_of(i), 1, "", fmt::format("the stamp is not that of {}", of_member(spec_.path, 1)),
                               "all members' files have the same stamps"});
      return;
    }
  }

  // The plan must lie within the data.
  void cover() {
    start_ = micro(spec_.start);
    const Micro end = micro(spec_.end);
    if (start_ < line_.first || end > line_.end()) {
      const auto text = [&](Micro t) { return spec_.zone.text(floor_seconds(t)); };
      out_.problems.push_back(
          {file_, 0, 0, "data." + spec_.name,
           fmt::format("the file has data from {} to {}, the run is from {} to {} ({})", text(line_.first), text(line_.end()),
                       text(start_), text(end), spec_.zone.name()),
           spec_.repeat == DataFileSpec::Repeat::no
               ? "set the run's from and to within the data, correct the stamps, or lay the data's days on the "
                 "run's dates: repeat: same_date or same_weekday"
               : "set the run's from and to within the data, or correct the stamps"});
      return;
    }
    begin_cell_ = (start_ - line_.first) / line_.interval;
    clean_begin_ = 0;
    clean_end_ = line_.cells;
    // Steps fall evenly into cells, or get means.
    const double step = spec_.step * 1e6;
    const Micro whole = micro(spec_.step);
    as_is_ = std::abs(step - static_cast<double>(whole)) < 1e-6 && whole > 0 && line_.interval % whole == 0 &&
             (start_ - line_.first) % whole == 0;
    steps_ = as_is_ ? 0 : static_cast<std::int64_t>(std::ceil(static_cast<double>(end - start_) / step - 1e-9));
    const Micro reach = std::max(end, start_ + static_cast<Micro>(std::ceil(static_cast<double>(steps_) * step)));
    end_cell_ = std::min((reach - line_.first + line_.interval - 1) / line_.interval, line_.cells);
    std::int64_t width = 0;
    for (const auto& members : values_) width += static_cast<std::int64_t>(members.size());
    if (steps_ > most_values / width)
      fail(file_, "data." + spec_.name,
           fmt::format("steps of {} do not fall evenly into the file's intervals of {}, and there are {} of them",
                       duration_text(spec_.step), duration_text(static_cast<double>(line_.interval) / 1e6), steps_),
           "choose a step that divides the interval, and a start at the begin of one");
  }

  // Cells in declared units, gaps filled, of one column and member.
  void finish(std::size_t c, std::size_t m) {
    const auto& column = spec_.columns[c];
    std::vector<double>& values = values_[c][m];
    if (!line_.row_of.empty()) {
      std::vector<double> cells(static_cast<std::size_t>(line_.cells));
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::int32_t row = line_.row_of[i];
        cells[i] = row < 0 ? nothing : values[static_cast<std::size_t>(row)];
      }
      values = std::move(cells);
    }
    const auto& [declared, factor, offset] = conversions_[c];
    if (factor != 1 || offset != 0)
      for (double& v : values) v = v * factor + offset;

    for (double& v : values) {
      if (v < column.lowest) v = column.lowest;
    }

    const std::string file = per_member(spec_.path) ? of_member(spec_.path, static_cast<int>(m) + 1) : file_;
    check_range(c, static_cast<int>(m), file, values);
    const std::vector<Hole> holes = holes_in(values);
    if (holes.empty()) return;
    const std::vector<double> known = column.gap.fill == DataFileSpec::Fill::typical ? values : std::vector<double>{};
    const auto seconds = [&](Hole hole) { return static_cast<double>((hole.last - hole.first) * line_.interval) / 1e6; };
    const bool leave = column.gap.fill == DataFileSpec::Fill::leave;
    int filled = 0, unfilled = 0;
    double most = 0, total = 0;
    for (const Hole& hole : holes) {
      const double length = seconds(hole);
      if (leave) {
        if (hole.last <= begin_cell_ || hole.first >= end_cell_) continue;
        ++filled;
        total += length;
        most = std::max(most, length);
        continue;
      }
      const bool short_enough = column.gap.longest <= 0 || length <= column.gap.longest * (1 + 1e-9);
      if (short_enough && fill_hole(values, known, hole, column.gap.fill, line_.interval)) {
        ++filled;
        total += length;
        most = std::max(most, length);
      } else if (hole.last <= begin_cell_) {
        clean_begin_ = std::max(clean_begin_, hole.last);  // before or behind the run nobody needs it
      } else if (hole.first >= end_cell_) {
        clean_end_ = std::min(clean_end_, hole.first);
      } else if (++unfilled <= 3) {
        const bool allowed = column.gap.fill != DataFileSpec::Fill::error;
        out_.problems.push_back(
            {file, line_at(hole.first), 1, key(column),
             fmt::format("there are no values from {} to {} ({}){}", spec_.zone.text(floor_seconds(line_.at(hole.first))),
                         spec_.zone.text(floor_seconds(line_.at(hole.last))), duration_text(length),
                         !allowed ? ""
                         : !short_enough
                             ? fmt::format(", longer than the {} that may be filled", duration_text(column.gap.longest))
                             : ", and none beside them to fill with"),
             fmt::format("add them, or say gap: hold (or linear, typical, zero) and longest_gap: {}", duration_text(length))});
      }
    }
    if (unfilled > 3) fail(file, key(column), fmt::format("there are {} more gaps", unfilled - 3), "");
    if (filled > 0)
      out_.notes.push_back({file, 0, 0, key(column),
                            fmt::format("{} gap{} {}, {} in all, the longest {}", filled, filled == 1 ? "" : "s",
                                        leave ? "left empty" : "filled", duration_text(total), duration_text(most)),
                            ""});
  }

  // The first value that is not allowed, and how many rows have one.
  void check_range(std::size_t c, int member, const std::string& file, const std::vector<double>& values) {
    const auto& column = spec_.columns[c];
    const auto& [low, high] = column.range;
    std::int64_t first = -1, rows = 0;
    int before = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] < low || values[i] > high)) continue;
      const auto cell = static_cast<std::int64_t>(i);
      if (first < 0) first = cell;
      const int line = line_at(cell);
      rows += line != before;
      before = line;
    }
    if (first < 0) return;
    const auto& [declared, factor, offset] = conversions_[c];
    const auto text = [&, unit = with_own_currency(declared)](double v) { return fmt::format("{:.12g}{}", v, unit); };
    const double value = values[static_cast<std::size_t>(first)];
    const int line = line_at(first);
    const std::string name = of_member(column.column, member + 1);
    out_.problems.push_back(
        {file, line, cell_place(file, line, name), key(column),
         fmt::format("holds {}{}; allowed is {} to {}", text(value),
                     rows > 1 ? fmt::format(" (and {} more row{} not fit)", rows - 1, rows == 2 ? " does" : "s do") : "",
                     text(low), text(high)),
         marks_missing((value - offset) / factor) ? "a mark for a missing value? leave the cell empty" : "is its unit right?"});
  }
  // " W", " EUR/kWh", or nothing for a plain number.
  std::string with_own_currency(const std::string& unit) const {
    if (unit == "1") return "";
    return unit.starts_with("money") && !out_.currency.empty() ? " " + out_.currency + unit.substr(5) : " " + unit;
  }
  // -999, 9999, -99.9: nothing but nines.
  static bool marks_missing(double written) {
    std::string digits = fmt::format("{:.6g}", std::abs(written));
    std::erase(digits, '.');
    return digits.size() > 1 && digits.find_first_not_of('9') == std::string::npos;
  }

  // The line where a gap begins: its own row, or the last one before it.
  int line_at(std::int64_t cell) const {
    if (line_.row_of.empty()) return line_of(static_cast<std::size_t>(cell));
    while (cell > 0 && line_.row_of[static_cast<std::size_t>(cell)] < 0) --cell;
    return line_of(static_cast<std::size_t>(std::max(line_.row_of[static_cast<std::size_t>(cell)], 0)));
  }

  void write() {
    DataSet& set = out_.set;
    const bool all = clean_begin_ == 0 && clean_end_ == line_.cells;
    set.interval = as_is_ ? static_cast<double>(line_.interval) / 1e6 : spec_.step;
    set.first = as_is_ ? static_cast<double>(line_.at(clean_begin_)) / 1e6 : spec_.start;
    set.rows = as_is_ ? clean_end_ - clean_begin_ : steps_;
    for (std::size_t c = 0; c < spec_.columns.size(); ++c) {
      auto& members = values_[c];
      DataSet::Column column;
      column.unit = conversions_[c].declared;
      column.members = static_cast<int>(members.size());
      const std::size_t width = members.size();
      if (as_is_ && width == 1 && all) {
        column.values = std::move(members[0]);
      } else {
        column.values.resize(static_cast<std::size_t>(set.rows) * width);
        for (std::size_t m = 0; m < width; ++m) {
          if (as_is_) {
            const double* from = members[m].data() + clean_begin_;
            for (std::size_t i = 0; i < static_cast<std::size_t>(set.rows); ++i) column.values[i * width + m] = from[i];
          } else {
            means(members[m], column.values.data() + m, width);
          }
          members[m] = {};
        }
      }
      set.columns.emplace(spec_.columns[c].name, std::move(column));
    }
  }

  // Step means: each cell weighted with the time it shares with the step. In whole microseconds, so that what
  // one step does not take the next one does.
  void means(const std::vector<double>& cells, double* to, std::size_t stride) const {
    const double shift = static_cast<double>(line_.first - start_), interval = static_cast<double>(line_.interval);
    std::int64_t cell = begin_cell_;
    for (std::int64_t j = 0; j < steps_; ++j) {
      const double begin = static_cast<double>(j) * (spec_.step * 1e6), end = static_cast<double>(j + 1) * (spec_.step * 1e6);
      double sum = 0, time = 0;
      for (;; ++cell) {
        const double cell_begin = shift + static_cast<double>(cell) * interval, cell_end = cell_begin + interval;
        const double shared = std::min(end, cell_end) - std::max(begin, cell_begin);
        if (shared > 0) sum += shared * cells[static_cast<std::size_t>(cell)], time += shared;
        if (cell_end >= end || cell + 1 >= line_.cells) break;
      }
      to[static_cast<std::size_t>(j) * stride] = sum / time;
    }
  }

  const DataFileSpec& spec_;
  LoadedData out_;
  std::string file_;
  std::vector<Conversion> conversions_;
  std::vector<std::vector<std::vector<double>>> values_;  // [column][member][row], then [.. cell]
  std::size_t rows_ = 0;
  Timeline line_;
  Micro start_ = 0;
  std::int64_t begin_cell_ = 0, end_cell_ = 0;    // that the run touches
  std::int64_t clean_begin_ = 0, clean_end_ = 0;  // without gaps, around the run
  bool as_is_ = true;
  std::int64_t steps_ = 0;
};

}  // namespace

std::optional<std::string> base_unit(const std::string& written) {
  if (written.empty()) return "1";
  std::vector<std::string> candidates{"1", written};
  if (written.size() >= 3) candidates.push_back("money" + written.substr(3));
  if (written.ends_with("h/h")) candidates.push_back(written.substr(0, written.size() - 3));
  for (const std::string& candidate : candidates) {
    if (!convert({1, written}, candidate)) continue;
    std::string base = candidate == "1" ? "1" : spellings(candidate).front();
    if (base.starts_with("USD")) base = "money" + base.substr(3);
    return base == "a plain number" ? "1" : base;
  }
  return std::nullopt;
}

LoadedData load_data_file(const DataFileSpec& spec) { return Loader(spec).load(); }

LoadedData load_cells(const DataFileSpec& spec, const Timeline& line, std::vector<std::vector<double>> values) {
  return Loader(spec).load(line, std::move(values));
}

LoadedData weather_set(const std::string& path, const std::string& format, std::optional<double> utc_offset_h, double start,
                       double end, const std::string& name) {
  LoadedData out;
  const std::string key = "data." + name;
  try {
    const WeatherFile file = read_weather_file(path, utc_offset_h);
    std::string found = file.format;
    std::transform(found.begin(), found.end(), found.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (format != "auto" && format != found) {
      const bool known = format == "epw" || format == "tmy3" || format == "mos";
      out.problems.push_back(
          {path, 1, 1, key,
           known ? fmt::format("the file is {}, not {}", found, format) : fmt::format("there is no weather format '{}'", format),
           "say format: auto or " + found});
      return out;
    }
    const auto from = static_cast<std::int64_t>(std::floor(start)), to = static_cast<std::int64_t>(std::ceil(end));
    DataSet& set = out.set;
    set.name = name;
    set.first = static_cast<double>(hour_start(file, from));
    set.interval = file.interval_s;
    set.latitude = file.latitude_deg;
    set.longitude = file.longitude_deg;
    set.elevation = file.elevation_m;
    set.has_place = true;

    constexpr std::int64_t most_hours = 6;
    const Zone clock = Zone::fixed(static_cast<int>(std::lround(file.utc_offset_h * 3600)));
    const auto text = [&](std::int64_t row) {
      return clock.text(static_cast<std::int64_t>(set.first) + row * 3600) + " " + clock.name();
    };
    for (const auto& [column, source] : file.columns) {
      std::vector<double> values = on_calendar(file, column, from, to);
      set.rows = static_cast<std::int64_t>(values.size());
      std::string why;
      for (const Hole& hole : holes_in(values)) {
        const std::int64_t hours = hole.last - hole.first;
        const bool whole_fill = hours <= most_hours && fill_hole(values, {}, hole, DataFileSpec::Fill::linear, 3600 * second);
        if (!whole_fill) {
          why = fmt::format("the file has no {} from {} to {}", column, text(hole.first), text(hole.last));
          break;
        }
        out.notes.push_back(
            {path, 0, 0, key, fmt::format("{}: {} h from {} on got a line across", column, hours, text(hole.first)), ""});
      }
      if (why.empty()) set.columns.emplace(column, DataSet::Column{source.unit, 1, std::move(values)});
      else out.notes.push_back({path, 0, 0, key, why, "the column is left out"});
    }
    if (set.columns.empty()) {
      out.problems.push_back({path, 0, 0, key,
                              fmt::format("the file does not cover the run, from {} to {}", text(0), text(set.rows)),
                              out.notes.empty() ? "take a file that does" : out.notes.front().what});
      out.notes.clear();
    }
  } catch (const FileError& error) {
    out.problems.push_back({error.file, error.line, error.line > 0 ? 1 : 0, key, error.wrong, error.mend});
  }
  return out;
}

}  // namespace urja

#pragma once
// From a file to a data set: columns in declared units, on rows evenly spaced in UTC, without gaps.
//
//     CSV rows ──stamps──> instants ──place──> even cells in UTC ──fill, convert──> as they are, or step means
//
// Which instant a row belongs to is what goes wrong most, so every part of it is said, not guessed: whether a
// stamp marks the start or the end of its interval, whose clock it shows, and what happens twice a year on a
// clock that is changed. A file may keep to such a clock in two ways, and both are read:
//
//     24 rows every day   spring: a row for an hour that never was      extra_hour: drop
//                         autumn: one row for an hour that came twice   missing_hour: repeat
//     as time passed      spring: 23 rows, autumn: 25 (stamps 01:00, 01:00)      nothing to say
//
// Where the jump is no multiple of the interval (half an hour on Lord Howe, an hour in rows of a day) cells
// are as short as it takes, and a row fills several; rows longer than the jump are read in the first way
// only.
#include <optional>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/data_set.hpp"
#include "engine/declare.hpp"
#include "scenarios/csv.hpp"

namespace urja {

struct DataFileSpec {
  enum class Mark { start, end };
  // ISO 8601 with an offset or without, seconds since 1970, or YYYY-MM-DD HH:MM[:SS].
  enum class Format { iso, epoch, local };
  enum class MissingHour { unsaid, repeat, error };
  enum class ExtraHour { unsaid, drop, error };
  struct Stamps {
    std::string first;   // the first row's, on the file's clock; each further row comes `every` later
    std::string column;  // or each row has its own
    Format format = Format::iso;
    double every = 0;  // s; of stamped rows 0 = the shortest distance between the first ones
    Mark mark = Mark::start;
    std::string clock = "wall";  // wall, standard (no summer time), utc, or the name of another zone
    MissingHour missing_hour = MissingHour::unsaid;
    ExtraHour extra_hour = ExtraHour::unsaid;
    std::string from,
        to;  // rows with stamps from `from` on and before `to`; the others are as if they were not there. Empty: all
  };

  // What stands where the file has nothing. hold: the value before; linear: a line to the one after
  // (temperatures, not energies); typical: the median of the same time on the seven days before and after
  // that have one.
  // leave: NaN, for what nobody needs at any time (a measurement to compare with).
  enum class Fill { error, hold, zero, linear, typical, leave };
  struct Gap {
    Fill fill = Fill::error;
    double longest = 0;  // s; longer gaps are errors; 0 = any
  };
  // A value always holds over its interval, and a step that covers several gets their mean weighted with
  // time: power and energy come out right either way. Both words are understood, as scenarios use either for
  // what they mean.
  enum class Resample { hold, mean };
  struct Column {
    std::string name;      // ours
    std::string column;    // in the file; may contain {member}: members side by side in one file
    std::string unit;      // as written: "kWh/h", "USD/kWh"
    std::string declared;  // convert to this; empty = the base of `unit`'s dimension
    Resample resample = Resample::hold;
    Gap gap;
    std::string origin;      // measured, modelled ..: for the reader of results; nothing here depends on it
    Range range{};           // of the values that are allowed, in the declared unit
    double lowest = -1e300;  // lower values are taken as this: what a pyranometer reads at night
  };

  // What stands for dates that the file does not have: the rows of the same day and month (28 February for the 29th), or of the nearest
  // day of the week that is the same, each at the same time on the file's clock.
  enum class Repeat { no, same_date, same_weekday };

  std::string name;  // of the data set
  std::string path;  // may contain {member}: one file per member, 1 to `members`, all with the same stamps
  Stamps stamps;
  Repeat repeat = Repeat::no;
  std::vector<Column> columns;
  int members = 1;
  Zone zone;                               // the plant's
  double start = 0, end = 0, step = 3600;  // the plan's: UTC s, UTC s, s
};

struct LoadedData {
  DataSet set;
  std::string currency;               // of prices; empty without any
  std::vector<FileProblem> problems;  // the set is good only without these
  std::vector<FileProblem> notes;     // what was filled or left out
  bool good() const { return problems.empty(); }
};

// The base unit of what somebody wrote: "kWh/h" -> "W", "USD/MWh" -> "money/kWh"; nothing if it is no unit.
std::optional<std::string> base_unit(const std::string& written);

// Where steps fall evenly into the rows (1 min into 1 h) the set has all rows of the file. Otherwise it has
// the plan's steps: exact means from `start` on, one every `step`. Data that do not cover the plan are a
// problem.
LoadedData load_data_file(const DataFileSpec& spec);

// The same from cells that are there already: values[column][cell] in the columns' written units.
struct Timeline;
LoadedData load_cells(const DataFileSpec& spec, const Timeline& line, std::vector<std::vector<double>> values);

// Hourly means from a weather file (weather_files.hpp) on the plan's dates, in the file's standard time; the
// first row holds `start`, the last reaches `end`. `format`: auto, epw, tmy3 or mos. Gaps of up to six hours
// get a line across; a column with a longer one is left out, and a note says so.
LoadedData weather_set(const std::string& path, const std::string& format, std::optional<double> utc_offset_h, double start,
                       double end, const std::string& name);

}  // namespace urja

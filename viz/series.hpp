// What the report draws: every drawn channel brought to intervals that fit into the page, and its figures over the
// whole file at the file's own resolution.
#pragma once

#include "viz/result_file.hpp"
#include "viz/totals.hpp"

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace urja::viz {

enum class Role { power, state_of_charge, temperature, price, cost, compared };

struct Figures {  // over all rows and members
  double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
  double sum = 0, seconds = 0;          // sum of value x seconds
  double into_bus = 0, out_of_bus = 0;  // J, of a power
  double first = std::numeric_limits<double>::quiet_NaN(), last = std::numeric_limits<double>::quiet_NaN();
  std::size_t missing = 0;  // rows without a finite value
};

struct Bins {                                             // one entry per drawn interval; NaN where no row has a value
  std::vector<double> seconds, up, down, min, max, last;  // up, down: value x seconds of the parts above and below zero
};

struct Series {
  Channel channel;
  Role role;
  std::string label, family;
  Figures figures;
  Bins bins;
  bool summed = false;  // of several small assets
};

// A channel that was measured at the plant, and what is simulated of it: as a sensor of the plant shows it where it has one, then also as
// it is.
struct Compared {
  std::vector<Series> curves;           // measured, simulated, simulated and true
  std::vector<Channel> without_faults;  // simulated; none or one
};

struct Drawing {
  double first = 0, end = 0;  // UTC seconds the file covers
  double interval = 0;        // seconds of one drawn interval
  double record = 0;          // seconds of one row
  std::size_t intervals = 0;
  std::vector<Series> series;
  std::vector<Compared> compared;
  std::vector<Compared> faulted;  // where they differ: true and as measured; without faults, and with them
  std::vector<Total> totals;      // the powers of each family together
  Calendar calendar;              // the days and hours of their cells
  double balance_worst =
      std::numeric_limits<double>::quiet_NaN();  // largest |sum of all assets' power| / largest power of its row
  std::vector<std::string> notes;                // what the reader should know about the file

  std::size_t bytes() const;  // of the series as text in the page
};

// Kinds: asset -> model name. The interval is the finest whose series take at most `budget` bytes of the page.
Drawing survey(const ResultFile& file, const std::map<std::string, std::string>& kinds, const std::string& zone,
               std::size_t budget);

bool two_sided(const Series& s);  // a power that goes both ways: drawn as two series
bool has_band(const Series& s);   // minimum and maximum differ from the mean somewhere

}  // namespace urja::viz

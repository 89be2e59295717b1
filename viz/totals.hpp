// What the powers of all assets of one family (PV, loads, grid ...) come to over the whole run: how long they are how high,
// and on which days at what hour. From every row of the file.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace urja::viz {

// Columns of one day, or of whole weeks where a run is long, by 24 rows of the zone's wall clock. A day on which the clock
// is set back has an hour that lasts twice as long, one on which it is set forward lacks one.
struct Calendar {
  long long first_day = 0;      // of the first column: days since 1970-01-01, on the zone's clock
  int days = 1;                 // of one column
  std::size_t columns = 0;      // 0: too short a run, or rows too long, for it to say anything
  std::vector<double> seconds;  // covered by the file: [columns x 24]
};

struct Total {
  std::string family;
  double into_bus = 0, out_of_bus = 0;  // J, a row's total counts on one side
  double seconds = 0;                   // of rows with a value
  std::vector<double> duration;         // W, from the highest to the lowest, at duration_share(0 .. k_duration_steps)
  std::vector<double> up, down;         // mean W above and below zero by cell of the calendar, NaN where none
};

constexpr std::size_t k_duration_steps = 360;
double duration_share(std::size_t i);  // of the run's time, 0 to 1; close together at both ends, where the peaks are

Calendar calendar(const std::vector<double>& time, const std::vector<double>& seconds, const std::string& zone);

// power: W by row, NaN for none.
Total total(const std::string& family, const std::vector<double>& time, const std::vector<double>& seconds,
            const std::vector<double>& power, const std::string& zone, const Calendar& calendar);

}  // namespace urja::viz

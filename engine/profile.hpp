#pragma once
// Profiles: what the outside world does, row by row.
//
// A profile is a table of rows; a row holds all inputs that change at one stamp, side by side, and a block re-reads it only
// when the lane's time leaves the row that it has:
//
//     stamps     |--- row 0 ---|--- row 1 ---|--- row 2 ---|        lane time ->  . . . | re-read, prefetch the next
//     one row    [ price | carbon | demand of member 0..M-1, padded to eight | ... ]
//
// Rows are held as double (loads, prices) or made on demand by a function and kept as float (weather: plane-of-array
// irradiance costs microseconds a row, and a year of minutes has half a million). Making a row takes no lock: the first
// thread that needs it claims it; one that finds it claimed but not ready computes it for itself, and gets the same bits.
//
// Weather that a file gives as it is (air temperature beside a battery) stays double: it shares its rows with loads and
// prices of the same stamps. Float columns of their own, another look-up, cost the benchmarks lanes_1024_random_starts and
// lanes_1024_hourly 8 and 6 %, and saved 35 kB for a year of hours.
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/data_set.hpp"

namespace urja {

class Profile {
 public:
  // Where a part of the row goes: `count` values from `column` on, to the block's row `to`. count is 1 (the same for all
  // members) or the number of members of the fleet, padded to full blocks.
  struct Target {
    int to, column, count;
  };

  // Evenly spaced rows; times in s since the plan's start.
  static Profile even(double first, double interval, std::int64_t rows, int columns, std::vector<double> values);
  // Rows at given stamps (ascending); each holds until the next.
  static Profile at_stamps(std::vector<double> stamps, int columns, std::vector<double> values);
  // Evenly spaced rows made by a function when they are first needed.
  static Profile on_demand(double first, double interval, std::int64_t rows, int columns, RowFunction make);

  // Takes the other's columns and targets beside its own if both have the same evenly spaced rows of given values: one
  // look-up and one stretch of memory then serve both. False, and nothing done, otherwise.
  bool absorb(const Profile& other);

  int columns() const { return columns_; }
  std::int64_t rows() const { return rows_; }
  // The row that holds at `time`, clamped to the first and the last, and the time at which it ends.
  std::int64_t row_at(double time) const;
  double end_of(std::int64_t row) const;

  // Calls `use(values)` with a pointer to the row's `columns()` values as double or as float.
  template <class Use> void read(std::int64_t row, Use&& use) const {
    if (!make_) {
      const double* v = values_.data() + row * columns_;
      if (row + 1 < rows_) __builtin_prefetch(v + columns_);
      use(v);
      return;
    }
    std::atomic<std::uint8_t>& state = made_[static_cast<std::size_t>(row)];
    if (state.load(std::memory_order_acquire) == ready) {
      use(kept_.get() + row * columns_);
      return;
    }
    float here[most_columns];
    make_row(row, state, here);
    use(static_cast<const float*>(here));
  }

  std::vector<Target> targets;

  static constexpr int most_columns = 64;  // of a profile that is made on demand

 private:
  enum : std::uint8_t { empty, claimed, ready };
  void make_row(std::int64_t row, std::atomic<std::uint8_t>& state, float* values) const;

  double first_ = 0, interval_ = 1;
  std::int64_t rows_ = 0;
  int columns_ = 0;
  std::vector<double> stamps_;
  std::vector<double> values_;
  RowFunction make_;
  std::unique_ptr<float[]> kept_;
  std::unique_ptr<std::atomic<std::uint8_t>[]> made_;
};

}  // namespace urja

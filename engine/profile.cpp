#include "engine/profile.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace urja {

Profile Profile::even(double first, double interval, std::int64_t rows, int columns, std::vector<double> values) {
  Profile p;
  p.first_ = first;
  p.interval_ = interval;
  p.rows_ = rows;
  p.columns_ = columns;
  p.values_ = std::move(values);
  return p;
}

Profile Profile::at_stamps(std::vector<double> stamps, int columns, std::vector<double> values) {
  Profile p;
  p.rows_ = static_cast<std::int64_t>(stamps.size());
  p.columns_ = columns;
  p.stamps_ = std::move(stamps);
  p.values_ = std::move(values);
  return p;
}

Profile Profile::on_demand(double first, double interval, std::int64_t rows, int columns, RowFunction make) {
  if (columns > most_columns) throw std::invalid_argument("too many columns in a profile made on demand");
  Profile p;
  p.first_ = first;
  p.interval_ = interval;
  p.rows_ = rows;
  p.columns_ = columns;
  p.make_ = std::move(make);
  // Left uninitialised on purpose: pages of rows that no lane visits are never touched.
  p.kept_.reset(new float[static_cast<std::size_t>(rows * columns)]);
  p.made_ = std::make_unique<std::atomic<std::uint8_t>[]>(static_cast<std::size_t>(rows));
  return p;
}

bool Profile::absorb(const Profile& other) {
  const bool plain = !make_ && !other.make_ && stamps_.empty() && other.stamps_.empty();
  if (!plain || first_ != other.first_ || interval_ != other.interval_ || rows_ != other.rows_) return false;
  std::vector<double> both;
  both.reserve(values_.size() + other.values_.size());
  for (std::int64_t r = 0; r < rows_; ++r) {
    both.insert(both.end(), values_.begin() + r * columns_, values_.begin() + (r + 1) * columns_);
    both.insert(both.end(), other.values_.begin() + r * other.columns_, other.values_.begin() + (r + 1) * other.columns_);
  }
  for (Target t : other.targets) {
    t.column += columns_;
    targets.push_back(t);
  }
  columns_ += other.columns_;
  values_ = std::move(both);
  return true;
}

std::int64_t Profile::row_at(double time) const {
  // A step's begin may fall short of a stamp by the rounding of index x dt: a microsecond counts as there.
  time += 1e-6;
  std::int64_t row;
  if (stamps_.empty()) {
    row = static_cast<std::int64_t>(std::floor((time - first_) / interval_));
  } else {
    row = std::upper_bound(stamps_.begin(), stamps_.end(), time) - stamps_.begin() - 1;
  }
  return std::clamp<std::int64_t>(row, 0, rows_ - 1);
}

double Profile::end_of(std::int64_t row) const {
  if (row + 1 >= rows_) return std::numeric_limits<double>::max();
  return stamps_.empty() ? first_ + static_cast<double>(row + 1) * interval_ : stamps_[static_cast<std::size_t>(row + 1)];
}

void Profile::make_row(std::int64_t row, std::atomic<std::uint8_t>& state, float* values) const {
  double fresh[most_columns];
  make_(row, {fresh, static_cast<std::size_t>(columns_)});
  for (int c = 0; c < columns_; ++c) values[c] = static_cast<float>(fresh[c]);
  std::uint8_t expected = empty;
  if (state.compare_exchange_strong(expected, claimed, std::memory_order_relaxed)) {
    std::copy_n(values, columns_, kept_.get() + row * columns_);
    state.store(ready, std::memory_order_release);
  }
}

}  // namespace urja

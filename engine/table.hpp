#pragma once
// Tables in the plan, looked up by eight gathers: piecewise linear on even grids.
//
// What becomes an index is clamped first, a NaN to 0, so that nothing leaves the table; the NaN itself still comes out in the value.
// Outside its grid a Curve goes on with its last slope (a Newton iteration may step out for a moment), a Sheet stays at
// its edge (a fit is not extrapolated).
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "engine/declare.hpp"
#include "engine/lanes.hpp"

namespace urja {
namespace detail {
// Which cells of n nodes, as a number; 0 for NaN, because a comparison with it is false.
URJA_INLINE Lanes cells_of(const Lanes& u, std::size_t nodes) {
  return pick(u > 0, u.min(static_cast<double>(nodes) - 2).floor(), 0.0);
}
}  // namespace detail

// One quantity over one axis, with its antiderivative (the energy below an open-circuit voltage).
class Curve {
 public:
  static Curve from(const TableData& data) {
    if (data.axes.size() != 1 || data.columns.size() != 1) throw std::invalid_argument("a curve has one axis and one column");
    return {data.axes[0].from, data.axes[0].step, data.columns[0].values};
  }
  Curve() : Curve(0, 1, {0, 0}) {}
  Curve(double from, double step, const std::vector<double>& values) : from_(from), step_(step), per_step_(1 / step) {
    if (values.size() < 2) throw std::invalid_argument("a curve needs at least two nodes");
    double area = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double slope = k + 1 < values.size() ? values[k + 1] - values[k] : 0;
      nodes_.push_back({values[k], slope, area, 0});
      steepest_ = std::max(steepest_, std::abs(slope) * per_step_);
      area += step * (values[k] + 0.5 * slope);
    }
  }

  // At x: value, slope, integral from the first node to x, and the number of the cell that x lies in.
  struct Point {
    Lanes value, slope, integral, cell;
  };
  URJA_INLINE Point at(const Lanes& x) const {
    const Lanes u = (x - from_) * per_step_;
    const Lanes cell = detail::cells_of(u, nodes_.size());
    Lanes rows[4];
    for (int first = 0; first < width; first += 4) {
      detail::Four lane[4];
      for (int i = 0; i < 4; ++i)
        lane[i] =
            *reinterpret_cast<const detail::Four*>(nodes_.data() + static_cast<std::size_t>(static_cast<int>(cell[first + i])));
      detail::Four turned[4];
      detail::turn(lane, turned);
      for (int k = 0; k < 4; ++k) detail::four(rows[k], first) = turned[k];
    }
    const Lanes &base = rows[0], &slope = rows[1], &area = rows[2];
    const Lanes part = u - cell, rise = part * slope;
    return {base + rise, slope * per_step_, area + step_ * part * (base + 0.5 * rise), cell};
  }
  Lanes operator()(const Lanes& x) const { return at(x).value; }
  double first() const { return nodes_.front()[0]; }
  double last() const { return nodes_.back()[0]; }
  double total() const { return nodes_.back()[2]; }
  double steepest() const { return steepest_; }  // largest slope in size

 private:
  double from_, step_, per_step_, steepest_ = 0;
  std::vector<std::array<double, 4>> nodes_;  // value, slope per cell, integral up to here
};

// Up to three quantities over two axes, side by side: four loads a lane for all of them.
template <int columns> class Sheet {
  static_assert(columns >= 1 && columns <= 3);  // the fourth place of a result is the rise

 public:
  static Sheet from(const TableData& data) {
    if (data.axes.size() != 2 || data.columns.size() != columns) throw std::invalid_argument("wrong number of axes or columns");
    Sheet s;
    s.from_x_ = data.axes[0].from, s.per_x_ = 1 / data.axes[0].step, s.size_x_ = data.axes[0].size;
    s.from_y_ = data.axes[1].from, s.per_y_ = 1 / data.axes[1].step, s.size_y_ = data.axes[1].size;
    if (s.size_x_ < 2 || s.size_y_ < 2) throw std::invalid_argument("each axis needs at least two nodes");
    s.nodes_.assign(static_cast<std::size_t>(s.size_x_ * s.size_y_), {0, 0, 0, 0});
    for (int c = 0; c < columns; ++c) {
      const auto& values = data.columns[static_cast<std::size_t>(c)].values;
      if (values.size() != s.nodes_.size()) throw std::invalid_argument("a column does not fill the grid of its axes");
      for (std::size_t k = 0; k < values.size(); ++k) s.nodes_[k][static_cast<std::size_t>(c)] = values[k];
    }
    return s;
  }
  Sheet() : nodes_(4, std::array<double, 4>{}) {}

  // Values at (x, y), and how the first column rises with y there (0 beyond the edges).
  struct Point {
    std::array<Lanes, columns> values;
    Lanes rise;
  };
  URJA_INLINE Point at(const Lanes& x, const Lanes& y) const {
    using detail::Four;
    const Lanes u = clamp((x - from_x_) * per_x_, Lanes::Zero(), lanes(size_x_ - 1));
    const Lanes above = (y - from_y_) * per_y_, w = clamp(above, Lanes::Zero(), lanes(size_y_ - 1));
    const Lanes a = detail::cells_of(u, static_cast<std::size_t>(size_x_)),
                b = detail::cells_of(w, static_cast<std::size_t>(size_y_));
    const Lanes part_x = u - a, part_y = w - b, corner = a * size_y_ + b;
    Lanes rows[4];
    for (int first = 0; first < width; first += 4) {
      Four lane[4];
      for (int i = 0; i < 4; ++i) {
        const auto* near =
            reinterpret_cast<const Four*>(nodes_.data() + static_cast<std::size_t>(static_cast<int>(corner[first + i])));
        const auto* far = near + size_y_;
        const double d = part_x[first + i], e = part_y[first + i];
        const Four along = near[1] - near[0], rise = along + d * ((far[1] - far[0]) - along);
        const Four value = near[0] + d * (far[0] - near[0]) + e * rise;
        lane[i] = __builtin_shufflevector(value, rise, 0, 1, 2, 4);
      }
      detail::Four turned[4];
      detail::turn(lane, turned);
      for (int k = 0; k < 4; ++k) detail::four(rows[k], first) = turned[k];
    }
    Point p;
    for (std::size_t c = 0; c < columns; ++c) p.values[c] = rows[c];
    p.rise = pick(w == above, rows[3] * per_y_, 0.0);
    return p;
  }

 private:
  double from_x_ = 0, per_x_ = 1, from_y_ = 0, per_y_ = 1;
  int size_x_ = 2, size_y_ = 2;
  std::vector<std::array<double, 4>> nodes_;
};

}  // namespace urja

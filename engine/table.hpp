#pragma once
// Tables in the plan, looked up by eight gathers: piecewise linear on even grids.
//
// An index is clamped as an integer, so that a NaN cannot leave the table; the NaN itself still comes out in the value.
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
// Which cell of n nodes u falls into; 0 for NaN.
URJA_INLINE int cell(double u, int nodes) {
  const int last = nodes - 2;
  return u >= 0 ? (u < last ? static_cast<int>(u) : last) : 0;
}

// Nodes of four lanes, turned from one lane side by side to one quantity side by side.
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));
URJA_INLINE void four_nodes(const std::array<double, 4>* nodes, const Lanes& cell, int first, Lanes& a, Lanes& b, Lanes& c) {
  const auto node = [&](int i) -> Four {
    return *reinterpret_cast<const Four*>(nodes + static_cast<std::size_t>(static_cast<int>(cell[first + i])));
  };
  const Four n0 = node(0), n1 = node(1), n2 = node(2), n3 = node(3);
  const Four even01 = __builtin_shufflevector(n0, n1, 0, 4, 2, 6), even23 = __builtin_shufflevector(n2, n3, 0, 4, 2, 6);
  const Four odd01 = __builtin_shufflevector(n0, n1, 1, 5, 3, 7), odd23 = __builtin_shufflevector(n2, n3, 1, 5, 3, 7);
  *reinterpret_cast<Four*>(a.data() + first) = __builtin_shufflevector(even01, even23, 0, 1, 4, 5);
  *reinterpret_cast<Four*>(b.data() + first) = __builtin_shufflevector(odd01, odd23, 0, 1, 4, 5);
  *reinterpret_cast<Four*>(c.data() + first) = __builtin_shufflevector(even01, even23, 2, 3, 6, 7);
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
    // Which cell: 0 for NaN, because a comparison with it is false.
    const Lanes cell = pick(u > 0, u.min(static_cast<double>(nodes_.size() - 2)).floor(), 0.0);
    Lanes base, slope, area;
    for (int half = 0; half < width; half += 4) detail::four_nodes(nodes_.data(), cell, half, base, slope, area);
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

// Up to four quantities over two axes, side by side: four loads a lane for all of them.
template <int columns> class Sheet {
  static_assert(columns >= 1 && columns <= 4);

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

  // Values at (x, y), and how the first column rises with y there (0 beyond the edges); in the lanes `where`, zero elsewhere.
  struct Point {
    std::array<Lanes, columns> values;
    Lanes rise;
  };
  URJA_INLINE Point at(const Lanes& x, const Lanes& y, const Mask& where = Mask::Constant(true)) const {
    const Lanes u = clamp((x - from_x_) * per_x_, Lanes::Zero(), lanes(size_x_ - 1));
    const Lanes w = clamp((y - from_y_) * per_y_, Lanes::Zero(), lanes(size_y_ - 1));
    Point p;
    for (Lanes& v : p.values) v.setZero();
    p.rise.setZero();
    for (int i = 0; i < width; ++i) {
      if (!where[i]) continue;
      const int a = detail::cell(u[i], size_x_), b = detail::cell(w[i], size_y_);
      const double d = u[i] - a, e = w[i] - b;
      const auto* near = &nodes_[static_cast<std::size_t>(a * size_y_ + b)];
      const auto* far = near + size_y_;
      using Four = Eigen::Array4d;
      const auto load = [](const std::array<double, 4>& node) { return Eigen::Map<const Four>(node.data()); };
      p.rise[i] = (1 - d) * (near[1][0] - near[0][0]) + d * (far[1][0] - far[0][0]);
      const Four value =
          (1 - d) * ((1 - e) * load(near[0]) + e * load(near[1])) + d * ((1 - e) * load(far[0]) + e * load(far[1]));
      for (int c = 0; c < columns; ++c) p.values[static_cast<std::size_t>(c)][i] = value[c];
    }
    p.rise = pick(w == (y - from_y_) * per_y_, p.rise * per_y_, 0.0);
    return p;
  }

 private:
  double from_x_ = 0, per_x_ = 1, from_y_ = 0, per_y_ = 1;
  int size_x_ = 2, size_y_ = 2;
  std::vector<std::array<double, 4>> nodes_;
};

}  // namespace urja

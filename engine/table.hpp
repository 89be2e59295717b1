#pragma once
// Tables in the plan, looked up by eight gathers: piecewise linear on even grids.
//
// An index is clamped as an integer, so that a NaN cannot leave the table; the NaN itself still comes out in the value.
// Outside its grid a Curve goes on with its last slope (a Newton iteration may step out for a moment), a Sheet stays at
// its edge (a fit is not extrapolated).
#include <array>
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
      area += step * (values[k] + 0.5 * slope);
    }
  }

  // At x: value, slope, integral from the first node to x, and the number of the cell that x lies in.
  struct Point {
    Lanes value, slope, integral, cell;
  };
  URJA_INLINE Point at(const Lanes& x) const {
    const Lanes u = (x - from_) * per_step_;
    alignas(64) double base[width], slope[width], area[width], part[width], cell[width];
    for (int i = 0; i < width; ++i) {
      const int k = detail::cell(u[i], static_cast<int>(nodes_.size()));
      const auto& node = nodes_[static_cast<std::size_t>(k)];
      cell[i] = k;
      part[i] = u[i] - k;
      base[i] = node[0];
      slope[i] = node[1];
      area[i] = node[2];
    }
    const auto load = [](const double* p) { return Eigen::Map<const Lanes, Eigen::Aligned32>(p); };
    const Lanes rise = load(part) * load(slope);
    return {load(base) + rise, load(slope) * per_step_, load(area) + step_ * load(part) * (load(base) + 0.5 * rise), load(cell)};
  }
  Lanes operator()(const Lanes& x) const { return at(x).value; }
  double first() const { return nodes_.front()[0]; }
  double last() const { return nodes_.back()[0]; }
  double total() const { return nodes_.back()[2]; }

 private:
  double from_, step_, per_step_;
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

#include "scenarios/planning/dispatch_lp.hpp"

#include <ClpSimplex.hpp>
#include <ClpSolve.hpp>
#include <CoinPackedMatrix.hpp>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace urja {
namespace {

const double infinite = COIN_DBL_MAX;
// The program's own units: kW and kWh, so that its numbers lie near 1.
double kilo(double watts) { return std::isfinite(watts) ? 1e-3 * watts : infinite; }

void must_fit(const std::vector<double>& v, int intervals, const char* what) {
  if (v.size() != static_cast<std::size_t>(intervals))
    throw std::invalid_argument(std::string("dispatch problem: ") + what + " has not one value for each interval");
}

void check(const DispatchProblem& p) {
  must_fit(p.grid.import_price, p.intervals, "import_price");
  must_fit(p.grid.export_price, p.intervals, "export_price");
  must_fit(p.grid.import_limit, p.intervals, "import_limit");
  must_fit(p.grid.export_limit, p.intervals, "export_limit");
  must_fit(p.pv, p.intervals, "pv");
  for (const auto& z : p.zones) must_fit(z.demand, p.intervals, "a zone's demand");
  for (const auto& g : p.gensets) must_fit(g.rating, p.intervals, "a genset's rating");
  for (int t = 0; t < p.intervals && !p.grid.exclusive.empty(); ++t) {
    const auto k = static_cast<std::size_t>(t);
    if (p.grid.exclusive[k] && !(std::isfinite(p.grid.import_limit[k]) && std::isfinite(p.grid.export_limit[k])))
      throw std::invalid_argument("dispatch problem: without limits of the grid, import and export cannot exclude each other");
  }
}

// Where the columns and rows of a problem lie. Those of an interval lie side by side, interval after interval, so that a basis can be
// turned by whole intervals; those of windows, sessions and feeders follow.
struct Layout {
  int zones, storages, gensets, intervals;
  bool tops_up, exclusive, change;
  int per_interval, rows_per_interval;
  int months, windows;
  int first_missing, first_peak, first_session;  // columns
  int first_wanted_row, first_window_row, first_session_row, first_feeder_row;

  explicit Layout(const DispatchProblem& p)
      : zones(static_cast<int>(p.zones.size())),
        storages(static_cast<int>(p.storages.size())),
        gensets(static_cast<int>(p.gensets.size())),
        intervals(p.intervals),
        tops_up(std::any_of(p.storages.begin(), p.storages.end(), [](const auto& s) { return s.constant_loss > 0; })),
        exclusive(std::any_of(p.grid.exclusive.begin(), p.grid.exclusive.end(), [](char e) { return e != 0; })),
        change(std::isfinite(p.grid.change_limit)),
        months(p.grid.windows.empty() ? 0 : static_cast<int>(p.grid.peak_reached.size())),
        windows(static_cast<int>(p.grid.windows.size())) {
    per_interval = 3 + zones + 4 * storages + gensets + (change ? 2 : 0);
    rows_per_interval = 1 + storages + (exclusive ? 1 : 0) + (change ? 1 : 0);
    first_missing = per_interval * intervals;
    first_peak = first_missing + storages;
    first_session = first_peak + months;
    first_wanted_row = rows_per_interval * intervals;
    first_window_row = first_wanted_row + storages;
    first_session_row = first_window_row + windows;
    first_feeder_row = first_session_row + static_cast<int>(p.sessions.size());
  }
  int column(int t, int k) const { return t * per_interval + k; }
  int import(int t) const { return column(t, 0); }
  int exported(int t) const { return column(t, 1); }
  int pv(int t) const { return column(t, 2); }
  int lost(int t, int z) const { return column(t, 3 + z); }
  int charge(int t, int s) const { return column(t, 3 + zones + 4 * s); }
  int discharge(int t, int s) const { return charge(t, s) + 1; }
  int energy(int t, int s) const { return charge(t, s) + 2; }
  int topped_up(int t, int s) const { return charge(t, s) + 3; }
  int genset(int t, int g) const { return column(t, 3 + zones + 4 * storages + g); }
  int changed_up(int t) const { return column(t, 3 + zones + 4 * storages + gensets); }
  int changed_down(int t) const { return changed_up(t) + 1; }

  int balance_row(int t) const { return t * rows_per_interval; }
  int storage_row(int t, int s) const { return balance_row(t) + 1 + s; }
  int exclusive_row(int t) const { return balance_row(t) + 1 + storages; }
  int change_row(int t) const { return exclusive_row(t) + (exclusive ? 1 : 0); }
};

// The intervals in which a vehicle is there, and for which share of each.
struct Presence {
  int first = 0, last = 0;  // [first, last)
  static double share(const DispatchProblem& p, const DispatchProblem::Session& s, int t) {
    const double begin = t * p.interval, end = begin + p.interval;
    return std::max(0.0, std::min(end, s.departure) - std::max(begin, s.arrival)) / p.interval;
  }
  Presence(const DispatchProblem& p, const DispatchProblem::Session& s) {
    const auto at = [&](double time, bool up) {
      const double t = time / p.interval;
      return static_cast<int>(std::clamp(up ? std::ceil(t - 1e-9) : std::floor(t + 1e-9), 0.0, static_cast<double>(p.intervals)));
    };
    first = at(s.arrival, false);
    last = std::max(first, at(s.departure, true));
  }
};

}  // namespace

struct DispatchLp::Model {
  ClpSimplex clp;
  std::vector<double> signature;  // what the matrix was made of
  bool solved = false, warm = false;
  struct {
    int intervals = 0, per_interval = 0, rows_per_interval = 0;
  } of;  // the last problem

  Model() {
    clp.setLogLevel(0);
    clp.setPerturbation(100);  // none: these problems are not degenerate enough to need it, and it costs a second phase
    clp.scaling(0);            // kW and kWh lie near 1 by themselves
  }

  // Everything that enters the matrix. Two problems with the same signature differ in bounds, right-hand sides and costs only.
  static std::vector<double> signature_of(const DispatchProblem& p, const Layout& l) {
    std::vector<double> s{static_cast<double>(p.intervals), p.interval,           static_cast<double>(l.zones),
                          static_cast<double>(l.gensets),   l.change ? 1.0 : 0.0, l.exclusive ? 1.0 : 0.0,
                          static_cast<double>(l.months),    p.grid.window};
    for (const auto& w : p.grid.windows)
      s.insert(s.end(), {static_cast<double>(w.first), static_cast<double>(w.last), static_cast<double>(w.month)});
    for (const auto& one : p.storages) s.insert(s.end(), {one.charge_efficiency, one.discharge_efficiency});
    for (int t = 0; l.exclusive && t < p.intervals; ++t) {
      const auto k = static_cast<std::size_t>(t);
      s.insert(s.end(), {p.grid.exclusive[k] ? 1.0 : 0.0, p.grid.import_limit[k], p.grid.export_limit[k]});
    }
    for (const auto& one : p.sessions) {
      const Presence there(p, one);
      s.insert(s.end(), {static_cast<double>(there.first), static_cast<double>(there.last), static_cast<double>(one.feeder)});
    }
    s.push_back(static_cast<double>(p.feeder_limits.size()));
    return s;
  }

  void build(const DispatchProblem& p, const Layout& l) {
    std::vector<int> rows, columns;
    std::vector<double> values;
    const auto put = [&](int row, int column, double value) {
      rows.push_back(row), columns.push_back(column), values.push_back(value);
    };
    const double h = p.hours();
    for (int t = 0; t < p.intervals; ++t) {
      const int balance = l.balance_row(t);
      put(balance, l.import(t), 1);
      put(balance, l.exported(t), -1);
      put(balance, l.pv(t), 1);
      for (int z = 0; z < l.zones; ++z) put(balance, l.lost(t, z), 1);
      for (int g = 0; g < l.gensets; ++g) put(balance, l.genset(t, g), 1);
      for (int s = 0; s < l.storages; ++s) {
        const auto& one = p.storages[static_cast<std::size_t>(s)];
        put(balance, l.charge(t, s), -1);
        put(balance, l.discharge(t, s), 1);
        const int row = l.storage_row(t, s);
        put(row, l.charge(t, s), -one.charge_efficiency * h);
        put(row, l.discharge(t, s), h / one.discharge_efficiency);
        put(row, l.energy(t, s), 1);
        put(row, l.topped_up(t, s), -1);
        if (t + 1 < p.intervals) put(l.storage_row(t + 1, s), l.energy(t, s), -1);
      }
      const auto k = static_cast<std::size_t>(t);
      if (l.exclusive && p.grid.exclusive[k]) {
        // A limit of 0 leaves the column at 0, whatever stands here.
        const double most_in = p.grid.import_limit[k], most_out = p.grid.export_limit[k];
        if (most_in > 0) put(l.exclusive_row(t), l.import(t), 1e3 / most_in);
        if (most_out > 0) put(l.exclusive_row(t), l.exported(t), 1e3 / most_out);
      }
      if (l.change) {
        const int row = l.change_row(t);
        put(row, l.import(t), 1);
        put(row, l.exported(t), -1);
        put(row, l.changed_up(t), -1);
        put(row, l.changed_down(t), 1);
        if (t > 0) put(row, l.import(t - 1), -1), put(row, l.exported(t - 1), 1);
      }
    }
    for (int s = 0; s < l.storages; ++s) {
      put(l.first_wanted_row + s, l.energy(p.intervals - 1, s), 1);
      put(l.first_wanted_row + s, l.first_missing + s, 1);
    }
    for (int w = 0; w < l.windows; ++w) {
      const auto& one = p.grid.windows[static_cast<std::size_t>(w)];
      for (int t = one.first; t < one.last; ++t) put(l.first_window_row + w, l.import(t), p.interval / p.grid.window);
      put(l.first_window_row + w, l.first_peak + one.month, -1);
    }
    int column = l.first_session;
    const int feeders = static_cast<int>(p.feeder_limits.size());
    for (std::size_t j = 0; j < p.sessions.size(); ++j) {
      const auto& one = p.sessions[j];
      const Presence there(p, one);
      const int row = l.first_session_row + static_cast<int>(j);
      for (int t = there.first; t < there.last; ++t, ++column) {
        put(row, column, h);
        put(l.balance_row(t), column, -1);
        if (one.feeder >= 0) put(l.first_feeder_row + t * feeders + one.feeder, column, 1);
      }
      put(row, column++, 1);  // unmet
    }
    const int all_rows = l.first_feeder_row + feeders * p.intervals;
    CoinPackedMatrix matrix(true, rows.data(), columns.data(), values.data(), static_cast<CoinBigIndex>(values.size()));
    matrix.setDimensions(all_rows, column);
    const std::vector<double> zero(static_cast<std::size_t>(std::max(all_rows, column)), 0.0);
    clp.loadProblem(matrix, zero.data(), zero.data(), zero.data(), zero.data(), zero.data());
    solved = false;
  }

  // Bounds, right-hand sides and costs.
  void fill(const DispatchProblem& p, const Layout& l) {
    double *low = clp.columnLower(), *high = clp.columnUpper(), *cost = clp.objective();
    double *row_low = clp.rowLower(), *row_high = clp.rowUpper();
    const auto column = [&](int c, double from, double to, double price) { low[c] = from, high[c] = to, cost[c] = price; };
    const double h = p.hours();
    double dearest = 1;
    for (const auto& z : p.zones) dearest = std::max(dearest, z.value_of_lost_load);
    for (int t = 0; t < p.intervals; ++t) {
      const auto k = static_cast<std::size_t>(t);
      column(l.import(t), 0, kilo(p.grid.import_limit[k]), h * p.grid.import_price[k]);
      column(l.exported(t), 0, kilo(p.grid.export_limit[k]), -h * p.grid.export_price[k]);
      column(l.pv(t), 0, kilo(p.pv[k]), 0);
      double demand = 0;
      for (int z = 0; z < l.zones; ++z) {
        const auto& zone = p.zones[static_cast<std::size_t>(z)];
        demand += zone.demand[k];
        column(l.lost(t, z), 0, kilo(zone.demand[k]), h * zone.value_of_lost_load);
      }
      for (int g = 0; g < l.gensets; ++g) {
        const auto& one = p.gensets[static_cast<std::size_t>(g)];
        column(l.genset(t, g), 0, kilo(one.rating[k]), h * one.fuel_cost);
      }
      row_low[l.balance_row(t)] = row_high[l.balance_row(t)] = kilo(demand);
      for (int s = 0; s < l.storages; ++s) {
        const auto& one = p.storages[static_cast<std::size_t>(s)];
        column(l.charge(t, s), 0, kilo(one.charge_max), 0);
        column(l.discharge(t, s), 0, kilo(one.discharge_max), h * one.wear);
        column(l.energy(t, s), kilo(one.energy_min), kilo(one.energy_max),
               -one.holding_value - (t + 1 == p.intervals ? one.terminal_value : 0));
        column(l.topped_up(t, s), 0, one.constant_loss > 0 ? infinite : 0, dearest);
        const int row = l.storage_row(t, s);
        row_high[row] = -kilo(one.constant_loss) * h;
        if (t == 0) row_high[row] += kilo(std::clamp(one.energy_start, one.energy_min, one.energy_max));
        row_low[row] = one.may_waste ? -infinite : row_high[row];
      }
      if (l.exclusive) row_low[l.exclusive_row(t)] = -infinite, row_high[l.exclusive_row(t)] = p.grid.exclusive[k] ? 1 : infinite;
      if (l.change) {
        const double from = t == 0 ? 1e-3 * p.grid.power_before : 0, most = kilo(p.grid.change_limit);
        const bool free = t == 0 && std::isnan(p.grid.power_before);
        row_low[l.change_row(t)] = free ? -infinite : from - most;
        row_high[l.change_row(t)] = free ? infinite : from + most;
        column(l.changed_up(t), 0, infinite, p.grid.change_price);
        column(l.changed_down(t), 0, infinite, p.grid.change_price);
      }
    }
    for (int s = 0; s < l.storages; ++s) {
      const auto& one = p.storages[static_cast<std::size_t>(s)];
      column(l.first_missing + s, 0, infinite, one.missing_price);
      row_low[l.first_wanted_row + s] = one.missing_price > 0 ? kilo(one.energy_wanted) : -infinite;
      row_high[l.first_wanted_row + s] = infinite;
    }
    for (int m = 0; m < l.months; ++m)
      column(l.first_peak + m, kilo(p.grid.peak_reached[static_cast<std::size_t>(m)]), infinite, p.grid.demand_charge);
    for (int w = 0; w < l.windows; ++w) {
      row_low[l.first_window_row + w] = -infinite;
      row_high[l.first_window_row + w] = -kilo(p.grid.windows[static_cast<std::size_t>(w)].energy_before) * 3600 / p.grid.window;
    }
    int c = l.first_session;
    for (std::size_t j = 0; j < p.sessions.size(); ++j) {
      const auto& one = p.sessions[j];
      const Presence there(p, one);
      for (int t = there.first; t < there.last; ++t)
        column(c++, 0, kilo(one.power_max) * Presence::share(p, one, t), h * one.waiting_price * t);
      // What a vehicle that stays longer can still get after the end is not wanted before it.
      const double later = std::max(0.0, one.departure - std::max(one.arrival, p.interval * p.intervals)) / 3600 * one.power_max;
      const double here = std::max(0.0, one.energy - later);
      column(c++, 0, kilo(here), one.unmet_price);
      row_low[l.first_session_row + static_cast<int>(j)] = kilo(here);
      row_high[l.first_session_row + static_cast<int>(j)] = kilo(one.energy);
    }
    const std::size_t feeders = p.feeder_limits.size();
    for (std::size_t r = 0; r < feeders * static_cast<std::size_t>(p.intervals); ++r) {
      row_low[l.first_feeder_row + static_cast<int>(r)] = -infinite;
      row_high[l.first_feeder_row + static_cast<int>(r)] = kilo(p.feeder_limits[r % feeders]);
    }
  }

  // Turns the basis by whole intervals.
  void turn(const Layout& l, int by) {
    unsigned char* status = clp.statusArray();  // columns, then rows
    const auto turn_part = [&](unsigned char* from, int stride) {
      std::rotate(from, from + static_cast<std::ptrdiff_t>(by) * stride,
                  from + static_cast<std::ptrdiff_t>(l.intervals) * stride);
    };
    turn_part(status, l.per_interval);
    turn_part(status + clp.numberColumns(), l.rows_per_interval);
    // Windows move with the intervals where there is one for each.
    if (l.windows == l.intervals) turn_part(status + clp.numberColumns() + l.first_window_row, 1);
  }

  // Without a basis primal simplex was the faster one (bench planning: a day 0.7 against 1.8 ms; a year of hours 330 ms, with dual 660). A long
  // problem is also made smaller first, and its costs moved a little apart on the way.
  void from_nothing(const Layout& l) {
    if (l.intervals < 1000) {
      clp.primal();
      return;
    }
    ClpSolve how;
    how.setSolveType(ClpSolve::usePrimal);
    how.setPresolveType(ClpSolve::presolveOn);
    clp.setPerturbation(50);
    clp.initialSolve(how);
    clp.setPerturbation(100);
  }

  // The basis of another matrix with the same intervals: theirs is a guess for this one, and the rest starts as if nothing were known.
  // The solver mends what does not fit.
  struct Basis {
    int intervals = 0, per_interval = 0, rows_per_interval = 0;
    std::vector<unsigned char> columns, rows;
  };
  Basis basis_of_intervals() const {
    Basis b{of.intervals, of.per_interval, of.rows_per_interval, {}, {}};
    const unsigned char* status = clp.statusArray();
    b.columns.assign(status, status + of.intervals * of.per_interval);
    const unsigned char* rows = status + clp.numberColumns();
    b.rows.assign(rows, rows + of.intervals * of.rows_per_interval);
    return b;
  }
  bool start_from(const Basis& b, const Layout& l) {
    if (b.intervals != l.intervals || b.per_interval != l.per_interval || b.rows_per_interval != l.rows_per_interval)
      return false;
    clp.createStatus();
    std::copy(b.columns.begin(), b.columns.end(), clp.statusArray());
    std::copy(b.rows.begin(), b.rows.end(), clp.statusArray() + clp.numberColumns());
    return true;
  }

  DispatchSolution read(const DispatchProblem& p, const Layout& l) const {
    DispatchSolution out;
    switch (clp.status()) {
      case 0: out.status = DispatchStatus::optimal; break;
      case 1: out.status = DispatchStatus::infeasible; break;
      case 2: out.status = DispatchStatus::unbounded; break;
      default: out.status = DispatchStatus::stopped;
    }
    const double* x = clp.primalColumnSolution();
    out.cost = clp.objectiveValue();
    for (int m = 0; m < l.months; ++m) {
      const double reached = p.grid.peak_reached[static_cast<std::size_t>(m)];
      out.cost -= p.grid.demand_charge * kilo(reached);
      out.peak.push_back(1e3 * x[l.first_peak + m]);
    }
    const auto n = static_cast<std::size_t>(p.intervals);
    const auto take = [&](auto&& value) {
      std::vector<double> all(n);
      for (std::size_t t = 0; t < n; ++t) all[t] = 1e3 * value(static_cast<int>(t));
      return all;
    };
    out.grid = take([&](int t) { return x[l.import(t)] - x[l.exported(t)]; });
    out.pv = take([&](int t) { return x[l.pv(t)]; });
    for (int z = 0; z < l.zones; ++z) out.lost.push_back(take([&](int t) { return x[l.lost(t, z)]; }));
    for (int s = 0; s < l.storages; ++s) {
      out.storage.push_back(take([&](int t) { return x[l.discharge(t, s)] - x[l.charge(t, s)]; }));
      out.energy.push_back(take([&](int t) { return x[l.energy(t, s)]; }));
    }
    for (int g = 0; g < l.gensets; ++g) out.genset.push_back(take([&](int t) { return x[l.genset(t, g)]; }));
    int c = l.first_session;
    for (const auto& one : p.sessions) {
      const Presence there(p, one);
      out.session.emplace_back(n, 0.0);
      for (int t = there.first; t < there.last; ++t) out.session.back()[static_cast<std::size_t>(t)] = 1e3 * x[c++];
      out.unmet.push_back(1e3 * x[c++]);
    }
    return out;
  }
};

DispatchLp::DispatchLp() : model_(std::make_unique<Model>()) {}
DispatchLp::~DispatchLp() = default;
DispatchLp::DispatchLp(DispatchLp&&) noexcept = default;
DispatchLp& DispatchLp::operator=(DispatchLp&&) noexcept = default;

DispatchSolution DispatchLp::solve(const DispatchProblem& problem, int moved_on) {
  check(problem);
  const Layout layout(problem);
  std::vector<double> signature = Model::signature_of(problem, layout);
  Model& m = *model_;
  m.warm = m.solved;
  if (!m.solved || signature != m.signature) {
    const Model::Basis before = m.solved ? m.basis_of_intervals() : Model::Basis{};
    m.build(problem, layout);
    m.signature = std::move(signature);
    m.warm = m.start_from(before, layout);
  }
  m.of = {layout.intervals, layout.per_interval, layout.rows_per_interval};
  if (m.warm && moved_on % layout.intervals != 0) m.turn(layout, moved_on % layout.intervals);
  m.fill(problem, layout);
  if (m.warm) m.clp.dual();
  else m.from_nothing(layout);
  // A basis that the new numbers make singular or that dual simplex cannot leave: once more from the start.
  if (m.clp.status() != 0 && m.warm) {
    m.warm = false;
    m.build(problem, layout);
    m.fill(problem, layout);
    m.from_nothing(layout);
  }
  if (m.clp.status() > 2) m.clp.dual();
  m.solved = m.clp.status() == 0;
  return m.read(problem, layout);
}

void DispatchLp::forget() { model_->solved = false; }
bool DispatchLp::warm() const { return model_->warm; }
int DispatchLp::iterations() const { return model_->clp.numberIterations(); }

}  // namespace urja

#include "scenarios/gym/environment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/calendar.hpp"
#include "engine/random.hpp"
#include "scenarios/planning/forecast_error.hpp"

namespace urja {
namespace {

using Observation = GymSpecification::Observation;
using Column = GymSpecification::Column;

constexpr double not_yet = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint32_t no_row = ~std::uint32_t{0};

std::vector<Quantity> metered_of(const GymSpecification& g) {
  std::vector<Quantity> all;
  for (const Column& c : g.columns) {
    if (c.what != Column::change) all.insert(all.end(), c.quantities.begin(), c.quantities.end());
  }
  return all;
}

std::uint32_t name_of(const Quantity& q) { return purpose(q.asset + "." + q.name + "." + std::to_string(q.member), 0); }

// Sine and cosine of day, week and year at the begin of each interval, local time.
std::vector<float> calendar_of(const Plan& plan, const Zone& zone, double interval) {
  const auto count = static_cast<std::int64_t>(std::llround((plan.end - plan.start) / interval)) + 1;
  std::vector<float> values(static_cast<std::size_t>(count) * 6);
  for (std::int64_t k = 0; k < count; ++k) {
    const double utc = plan.start + static_cast<double>(k) * interval;
    const double local = utc + static_cast<double>(zone.offset_at(static_cast<std::int64_t>(std::floor(utc))));
    // 1 January 1970 was a Thursday; a year is 365.2425 days.
    const double day = local / 86400, turns[] = {day, (day + 3) / 7, day / 365.2425};
    for (std::size_t part = 0; part < 3; ++part) {
      const double angle = 2 * M_PI * (turns[part] - std::floor(turns[part]));
      values[static_cast<std::size_t>(k) * 6 + 2 * part] = static_cast<float>(std::sin(angle));
      values[static_cast<std::size_t>(k) * 6 + 2 * part + 1] = static_cast<float>(std::cos(angle));
    }
  }
  return values;
}

}  // namespace

VectorEnvironment::VectorEnvironment(const Scenario& scenario, const Options& options)
    : plan_(scenario.plan),
      spec_(scenario.gym),
      g_(*spec_),
      options_(options),
      batch_(plan_, options.lanes),
      lanes_(static_cast<std::size_t>(options.lanes)),
      interval_(plan_->step * g_.per_interval),
      meter_(*plan_, batch_.blocks(), metered_of(g_)) {
  const std::size_t n = lanes_.size(), columns = g_.columns.size();
  for (std::size_t k = 0; k < n; ++k) lanes_[k].seed = k;

  for (const Observation& o : g_.observations) {
    if (o.source == Observation::measured && o.lag == 0) direct_.push_back(o.quantity);
    low_.push_back(static_cast<float>(o.low)), high_.push_back(static_cast<float>(o.high));
    middle_.push_back(static_cast<float>((o.low + o.high) / 2));
    slope_.push_back(static_cast<float>(2 / (o.high - o.low)));
    forecast_names_.push_back(o.source == Observation::forecast ? name_of(o.quantity) : 0);
    int at = -1;
    if (o.source == Observation::measured && o.lag > 0) {
      deepest_ = std::max(deepest_, o.lag);
      const auto same = [&](const Quantity& q) {
        return q.fleet == o.quantity.fleet && q.member == o.quantity.member && q.row == o.quantity.row;
      };
      const auto there = std::find_if(lagged_.begin(), lagged_.end(), same);
      at = static_cast<int>(there - lagged_.begin());
      if (there == lagged_.end()) lagged_.push_back(o.quantity);
    }
    lagged_at_.push_back(at);
  }
  at_reset_ = direct_;
  at_reset_.insert(at_reset_.end(), lagged_.begin(), lagged_.end());
  looked_.resize(n * at_reset_.size());
  past_.resize(n * lagged_.size());
  history_.resize(n * lagged_.size() * static_cast<std::size_t>(deepest_ + 1));
  if (std::any_of(g_.observations.begin(), g_.observations.end(),
                  [](const Observation& o) { return o.source == Observation::calendar; }))
    calendar_ = calendar_of(*plan_, *Zone::find(scenario.zone), interval_);

  for (const auto& a : g_.actions) commands_.push_back(a.quantity);
  commanded_.resize(n * commands_.size());
  for (const Column& c : g_.columns) {
    if (c.what == Column::change) changing_.insert(changing_.end(), c.quantities.begin(), c.quantities.end());
  }
  before_.resize(n * changing_.size());
  now_.resize(before_.size());
  mean_before_.assign(n * columns, not_yet);
  running_.resize(n * columns);
  last_.resize(n * columns);
  last_length_.resize(n);
  amount_.resize(n), part_.resize(n), reward_.resize(n);
  for (const auto& c : g_.terminations) conditions_.push_back(c.quantity);
  condition_values_.resize(n * conditions_.size());
  drawn_.resize(n * g_.randomised.size());
  for (const auto& r : g_.randomised) {
    own_value_.push_back(batch_.get(0, r.quantity));
    drawn_names_.push_back(name_of(r.quantity));
  }
  for (const Quantity& q : plan_->quantities()) {
    if (!q.of_disturber && (q.kind == Kind::state || (q.flags & (observable | telemetered)))) state_.push_back(q);
  }
}

VectorEnvironment::~VectorEnvironment() = default;

// ------------------------------------------------------------------------------------------------------------- episodes

// A new episode, of the lane's seed and episode number: when it starts, and what is drawn for it.
void VectorEnvironment::begin(int lane) {
  Lane& l = lanes_[static_cast<std::size_t>(lane)];
  const std::size_t n = lanes_.size();
  const auto& starts = g_.starts[options_.split];
  const double u = draw(l.seed, 0, 0, purpose("gym start", 0), l.episode).uniform[0];
  l.first = starts[std::min(starts.size() - 1, static_cast<std::size_t>(u * static_cast<double>(starts.size())))];
  l.done = 0;
  l.over = false;
  Batch::Start start;
  start.key = l.seed, start.index = l.first, start.episode = l.episode;
  batch_.reset(lane, start);
  for (std::size_t d = 0; d < g_.randomised.size(); ++d) {
    const auto& r = g_.randomised[d];
    const double p = draw(l.seed, drawn_names_[d], 0, purpose("gym draw", 0), l.episode).uniform[0];
    const double value =
        r.times ? std::clamp(own_value_[d] * r.quantile(p), r.quantity.range.low, r.quantity.range.high) : r.quantile(p);
    batch_.set(lane, r.quantity, value);
    drawn_[d * n + static_cast<std::size_t>(lane)] = value;
  }
  if (!g_.randomised.empty()) batch_.prepare(lane);
  tell_policy(lane);
  for (std::size_t k = 0; k < changing_.size(); ++k)
    before_[k * n + static_cast<std::size_t>(lane)] = batch_.get(lane, changing_[k]);
  for (std::size_t c = 0; c < g_.columns.size(); ++c) mean_before_[c * n + static_cast<std::size_t>(lane)] = not_yet;
}

// A lane's policy hears which episode it is in.
void VectorEnvironment::tell_policy(int lane) {
  if (!policy_) return;
  const std::int64_t first = lanes_[static_cast<std::size_t>(lane)].first / g_.per_interval;
  policy_->begin(lane, first, first + g_.episode);
}

// The episode that ran in a lane goes to the last ones.
void VectorEnvironment::end(int lane) {
  Lane& l = lanes_[static_cast<std::size_t>(lane)];
  for (std::size_t c = 0; c < g_.columns.size(); ++c) {
    const std::size_t at = c * lanes_.size() + static_cast<std::size_t>(lane);
    last_[at] = running_[at];
    running_[at] = 0;
  }
  last_length_[static_cast<std::size_t>(lane)] = static_cast<std::uint32_t>(l.done);
}

void VectorEnvironment::set_policy(std::unique_ptr<GymPolicy> policy) {
  policy_ = std::move(policy);
  commanded_.resize(lanes_.size() * policy_->writes().size());
}

std::optional<std::int64_t> VectorEnvironment::begins_at(int lane) const {
  const Lane& l = lanes_[static_cast<std::size_t>(lane)];
  if (!began_ || l.done > 0) return std::nullopt;
  return l.first / g_.per_interval;
}

void VectorEnvironment::reset(std::span<const std::uint64_t> seeds, std::span<const std::uint8_t> mask, Result& result) {
  which_.clear();
  for (int lane = 0; lane < lanes(); ++lane) {
    const auto k = static_cast<std::size_t>(lane);
    if (!mask.empty() && !mask[k]) continue;
    Lane& l = lanes_[k];
    if (began_) end(lane);
    if (!seeds.empty()) l.seed = seeds[k], l.episode = 0;
    else if (began_) ++l.episode;
    begin(lane);
    which_.push_back(lane);
  }
  began_ = true;
  tell_nothing(result);
  // Observations of new lanes are those of a look; what has a memory begins with them.
  if (which_.size() < lanes_.size()) see_present(result.observations);
  see_new(which_, result.observations, true);
}

void VectorEnvironment::observe(Result& result) {
  tell_nothing(result);
  see_present(result.observations);
}

// All of a result but observations, where there was no step.
void VectorEnvironment::tell_nothing(Result& result) const {
  const std::size_t n = lanes_.size();
  std::fill_n(result.reward, n, 0.0);
  std::fill_n(result.columns, n * g_.columns.size(), 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    result.terminated[k] = lanes_[k].over && lanes_[k].terminated;
    result.truncated[k] = lanes_[k].over && !lanes_[k].terminated;
  }
  std::copy(drawn_.begin(), drawn_.end(), result.draws);
  result.ended = 0;
}

void VectorEnvironment::see_present(float* observations) {
  see_all(observations, false);
  std::vector<int> fresh;
  for (std::size_t k = 0; k < lanes_.size(); ++k) {
    if (lanes_[k].done == 0) fresh.push_back(static_cast<int>(k));
  }
  see_new(fresh, observations, false);
}

// ----------------------------------------------------------------------------------------------------------------- steps

void VectorEnvironment::step(std::span<const float> actions, int steps, Result& result) {
  const std::size_t n = lanes_.size(), one = n * g_.actions.size();
  std::fill_n(result.reward, n, 0.0);
  std::fill_n(result.columns, n * g_.columns.size(), 0.0);
  std::fill_n(result.terminated, n, std::uint8_t{0});
  std::fill_n(result.truncated, n, std::uint8_t{0});
  result.ended = 0;
  final_row_.assign(n, no_row);
  const bool resets_late = options_.autoreset == Autoreset::next_step, resets_now = options_.autoreset == Autoreset::same_step;
  for (int s = 0; s < steps; ++s) {
    command(actions.empty() ? actions : actions.subspan(static_cast<std::size_t>(s) * one, one));
    meter_.clear();
    batch_.step(g_.per_interval, options_.threads, &meter_);
    account(result);
    which_.clear();
    if (!conditions_.empty()) batch_.read_columns(conditions_, condition_values_);
    for (std::size_t k = 0; k < n; ++k) {
      Lane& l = lanes_[k];
      if (l.over) {
        if (resets_late) which_.push_back(static_cast<int>(k));
        continue;
      }
      ++l.done;
      bool terminated = batch_.head(static_cast<int>(k) / width).account.status[static_cast<int>(k) % width] != 0;
      for (std::size_t c = 0; c < conditions_.size(); ++c) {
        const double v = condition_values_[c * n + k];
        terminated = terminated || !(v >= g_.terminations[c].low && v <= g_.terminations[c].high);
      }
      const bool truncated = !terminated && l.done >= g_.episode;
      if (!terminated && !truncated) continue;
      l.over = true;
      l.terminated = terminated;
      result.terminated[k] |= terminated ? 1 : 0;
      result.truncated[k] |= truncated ? 1 : 0;
      if (resets_now) which_.push_back(static_cast<int>(k));
    }
    const bool last = s + 1 == steps;
    if (last || deepest_ > 0 || (resets_now && !which_.empty())) see_all(result.observations, true);
    if (resets_now) keep_final(result);
    for (int lane : which_) {
      end(lane);
      ++lanes_[static_cast<std::size_t>(lane)].episode;
      begin(lane);
    }
    if (!which_.empty() && (last || deepest_ > 0)) see_new(which_, result.observations, true);
  }
  std::copy(drawn_.begin(), drawn_.end(), result.draws);
}

// What the lanes that end now saw last; of one that ends twice within one call, the later.
void VectorEnvironment::keep_final(Result& result) {
  const std::size_t width_of_row = g_.observations.size();
  for (int lane : which_) {
    // Results are written and never read back: they may lie where a client can write.
    std::uint32_t& at = final_row_[static_cast<std::size_t>(lane)];
    if (at == no_row) at = result.ended++;
    result.final_index[at] = static_cast<std::uint32_t>(lane);
    std::copy_n(result.observations + static_cast<std::size_t>(lane) * width_of_row, width_of_row,
                result.final_observations + at * width_of_row);
  }
}

void VectorEnvironment::command(std::span<const float> actions) {
  if (policy_) {
    policy_->act(batch_, commanded_);
    batch_.write(policy_->writes(), commanded_);
    return;
  }
  if (!options_.agent) return;
  const std::size_t count = g_.actions.size();
  for (std::size_t a = 0; a < count; ++a) {
    const auto& action = g_.actions[a];
    if (!action.values.empty()) {
      for (std::size_t k = a; k < commanded_.size(); k += count)
        commanded_[k] = action.values[static_cast<std::size_t>(actions[k])];
    } else if (g_.normalised_actions) {
      const double middle = (action.low + action.high) / 2, half = (action.high - action.low) / 2;
      for (std::size_t k = a; k < commanded_.size(); k += count)
        commanded_[k] = std::clamp(middle + half * static_cast<double>(actions[k]), action.low, action.high);
    } else {
      for (std::size_t k = a; k < commanded_.size(); k += count)
        commanded_[k] = std::clamp(static_cast<double>(actions[k]), action.low, action.high);
    }
  }
  batch_.write(commands_, commanded_);
}

// Amounts of the interval that has just run, into columns, rewards and totals. A lane that is over adds nothing.
void VectorEnvironment::account(Result& result) {
  const std::size_t n = lanes_.size();
  if (!changing_.empty()) batch_.read_columns(changing_, now_);
  std::fill(reward_.begin(), reward_.end(), 0.0);
  std::size_t metered = 0, changing = 0;
  for (std::size_t c = 0; c < g_.columns.size(); ++c) {
    const Column& column = g_.columns[c];
    std::fill(amount_.begin(), amount_.end(), 0.0);
    for (std::size_t i = 0; i < column.quantities.size(); ++i) {
      if (column.what == Column::change) {
        const double *now = now_.data() + changing * n, *before = before_.data() + changing * n;
        const double sign = column.signs.empty() ? 1 : column.signs[i];
        for (std::size_t k = 0; k < n; ++k) amount_[k] += sign * (now[k] - before[k]);
        ++changing;
        continue;
      }
      meter_.read(static_cast<int>(metered++), part_);
      for (std::size_t k = 0; k < n; ++k) amount_[k] += part_[k];
    }
    if (column.what == Column::flow) {
      for (double& a : amount_) a *= plan_->step;
    } else if (column.what != Column::change) {
      double* before = mean_before_.data() + c * n;
      for (std::size_t k = 0; k < n; ++k) {
        const double mean = amount_[k] / g_.per_interval;
        const double by = column.what == Column::above   ? mean - column.limit
                          : column.what == Column::below ? column.limit - mean
                                                         : std::abs(mean - before[k]) - column.limit;
        before[k] = mean;
        amount_[k] = by > 0 ? by * interval_ / 3600 : 0;  // not so where there was no interval before
      }
    }
    double *shown = result.columns + c * n, *running = running_.data() + c * n;
    const double price = g_.reward_scale * column.price;
    for (std::size_t k = 0; k < n; ++k) {
      const double amount = lanes_[k].over ? 0 : amount_[k] * column.factor;
      shown[k] += amount;
      running[k] += amount;
      reward_[k] -= price * amount;
    }
  }
  for (std::size_t k = 0; k < n; ++k) result.reward[k] += reward_[k];
  std::swap(now_, before_);
}

// ---------------------------------------------------------------------------------------------------------- observations

// All lanes as they are after a step. `on`: time has gone on since the last look, so what is seen with a lag moves.
void VectorEnvironment::see_all(float* observations, bool on) {
  const std::size_t wide = g_.observations.size(), n = lanes_.size(), lagged = lagged_.size();
  if (!direct_.empty()) batch_.read(direct_, std::span(observations, n * wide), wide);
  if (lagged > 0 && on) {
    batch_.read(lagged_, past_);
    for (std::size_t k = 0; k < n; ++k) {
      float* slot = history_.data() + (k * ring() + static_cast<std::size_t>(lanes_[k].done) % ring()) * lagged;
      std::copy_n(past_.data() + k * lagged, lagged, slot);
    }
  }
  for (std::size_t k = 0; k < n; ++k) finish_row(static_cast<int>(k), observations + k * wide);
}

// Lanes that have not made a step yet; `fresh`: they have just begun.
void VectorEnvironment::see_new(std::span<const int> which, float* observations, bool fresh) {
  const std::size_t wide = g_.observations.size(), direct = direct_.size(), lagged = lagged_.size();
  if (which.empty()) return;
  batch_.look(which, at_reset_, std::span(looked_).first(which.size() * at_reset_.size()));
  for (std::size_t i = 0; i < which.size(); ++i) {
    const auto lane = static_cast<std::size_t>(which[i]);
    const float* looked = looked_.data() + i * at_reset_.size();
    float* row = observations + lane * wide;
    std::copy_n(looked, direct, row);
    if (fresh) {
      for (std::size_t slot = 0; slot < ring(); ++slot)
        std::copy_n(looked + direct, lagged, history_.data() + (lane * ring() + slot) * lagged);
    }
    finish_row(which[i], row);
  }
}

// What is no channel of the present, then the scale.
void VectorEnvironment::finish_row(int lane, float* row) const {
  const Lane& l = lanes_[static_cast<std::size_t>(lane)];
  const std::int64_t now = l.first / g_.per_interval + l.done;
  const std::size_t lagged = lagged_.size();
  for (std::size_t k = direct_.size(); k < g_.observations.size(); ++k) {
    const Observation& o = g_.observations[k];
    switch (o.source) {
      case Observation::measured: {
        const std::size_t slot = static_cast<std::size_t>(l.done + static_cast<std::int64_t>(ring()) * o.lag - o.lag) % ring();
        row[k] = history_[(static_cast<std::size_t>(lane) * ring() + slot) * lagged + static_cast<std::size_t>(lagged_at_[k])];
        break;
      }
      case Observation::forecast: {
        const double truth = g_.foresight.at(o.series, now + o.ahead);
        const ForecastError error(o.error, l.seed, l.episode, now, forecast_names_[k]);
        row[k] = static_cast<float>(truth * error.factor(now + o.ahead, o.ahead * interval_ / 86400));
        break;
      }
      case Observation::calendar: row[k] = calendar_[static_cast<std::size_t>(now) * 6 + static_cast<std::size_t>(o.part)]; break;
      case Observation::of_episode:
        row[k] = static_cast<float>(static_cast<double>(g_.episode - l.done) / static_cast<double>(g_.episode));
        break;
    }
  }
  // Clipped to the bounds; what is no number is shown as the lower one.
  const std::size_t count = g_.observations.size();
  if (g_.normalised) {
    for (std::size_t k = 0; k < count; ++k) {
      const float x = (row[k] - middle_[k]) * slope_[k];
      row[k] = x > -1 ? (x < 1 ? x : 1.0f) : -1.0f;
    }
  } else {
    for (std::size_t k = 0; k < count; ++k) row[k] = row[k] > low_[k] ? (row[k] < high_[k] ? row[k] : high_[k]) : low_[k];
  }
}

// ------------------------------------------------------------------------------------------------- actions, masks, truth

std::optional<VectorEnvironment::BadAction> VectorEnvironment::bad_action(std::span<const float> actions) const {
  const std::size_t count = g_.actions.size();
  for (std::size_t k = 0; k < actions.size(); ++k) {
    const float value = actions[k];
    if (!std::isfinite(value)) return BadAction{k, false};
    const auto& a = g_.actions[k % count];
    if (!a.values.empty()) {
      if (value < 0 || value >= static_cast<float>(a.values.size()) || value != std::floor(value)) return BadAction{k, true};
      continue;
    }
    // A policy's last bits may lie beyond a bound; what is more is its mistake.
    const double low = g_.normalised_actions ? -1 : a.low, high = g_.normalised_actions ? 1 : a.high, room = 1e-5 * (high - low);
    if (value < low - room || value > high + room) return BadAction{k, true};
  }
  return std::nullopt;
}

int VectorEnvironment::over() const {
  if (options_.autoreset != Autoreset::disabled) return -1;
  for (std::size_t k = 0; k < lanes_.size(); ++k) {
    if (lanes_[k].over) return static_cast<int>(k);
  }
  return -1;
}

int VectorEnvironment::choices() const {
  std::size_t all = 0;
  for (const auto& a : g_.actions) all += a.values.size();
  return static_cast<int>(all);
}

void VectorEnvironment::masks(std::span<float> low, std::span<float> high, std::span<std::uint8_t> allowed) {
  const std::size_t n = lanes_.size(), count = g_.actions.size(), wide = static_cast<std::size_t>(choices());
  // What each commanded port could do if one step were as long as the interval.
  std::vector<Quantity> map;
  std::vector<int> at(count, -1);
  for (std::size_t a = 0; a < count; ++a) {
    if (g_.actions[a].quantity.name != "command") continue;
    const std::string& name = g_.actions[a].name;
    at[a] = static_cast<int>(map.size());
    for (const char* limit : {".power_min", ".power_max"}) map.push_back(*plan_->find(name.substr(0, name.rfind('.')) + limit));
  }
  std::vector<int> all(n);
  for (std::size_t k = 0; k < n; ++k) all[k] = static_cast<int>(k);
  std::vector<float> limits(n * map.size());
  if (!map.empty()) batch_.look(all, map, limits, interval_);
  for (std::size_t k = 0; k < n; ++k) {
    std::uint8_t* choice = allowed.data() + k * wide;
    for (std::size_t a = 0; a < count; ++a) {
      const auto& action = g_.actions[a];
      double from = action.low, to = action.high;
      if (at[a] >= 0) {
        from = std::clamp<double>(limits[k * map.size() + static_cast<std::size_t>(at[a])], action.low, action.high);
        to = std::clamp<double>(limits[k * map.size() + static_cast<std::size_t>(at[a]) + 1], from, action.high);
      }
      const double middle = (action.low + action.high) / 2, half = (action.high - action.low) / 2;
      const bool scaled = g_.normalised_actions && action.values.empty();
      low[k * count + a] = static_cast<float>(scaled ? (from - middle) / half : from);
      high[k * count + a] = static_cast<float>(scaled ? (to - middle) / half : to);
      // At least the nearest one stays.
      double nearest = std::numeric_limits<double>::infinity();
      for (double v : action.values) nearest = std::min(nearest, std::max({from - v, v - to, 0.0}));
      for (double v : action.values) *choice++ = std::max({from - v, v - to, 0.0}) <= nearest + 1e-6 * half ? 1 : 0;
    }
  }
}

void VectorEnvironment::state(std::span<double> values) const {
  const std::size_t n = lanes_.size();
  std::vector<double> columns(n * state_.size());
  batch_.read_columns(state_, columns);
  for (std::size_t s = 0; s < state_.size(); ++s) {
    for (std::size_t k = 0; k < n; ++k) values[k * state_.size() + s] = columns[s * n + k];
  }
}

void VectorEnvironment::totals(std::span<double> running, std::span<double> last, std::span<std::uint32_t> length) const {
  std::copy(running_.begin(), running_.end(), running.begin());
  std::copy(last_.begin(), last_.end(), last.begin());
  std::copy(last_length_.begin(), last_length_.end(), length.begin());
}

// -------------------------------------------------------------------------------------------------------------- snapshots

// Everything that belongs to a lane lies in arrays [.., N] or [N, ..]; a snapshot is all of them.
struct VectorEnvironment::Snapshot {
  std::vector<double> plants, before, mean_before, running, last, drawn;
  std::vector<float> history;
  std::vector<std::uint32_t> last_length;
  std::vector<Lane> lanes;
};

std::size_t VectorEnvironment::snapshot_bytes() const {
  return lanes_.size() * (batch_.snapshot_size() * sizeof(double) + sizeof(Lane) + sizeof(std::uint32_t)) +
         sizeof(double) * (before_.size() + mean_before_.size() + running_.size() + last_.size() + drawn_.size()) +
         sizeof(float) * history_.size();
}

std::shared_ptr<const VectorEnvironment::Snapshot> VectorEnvironment::snapshot() const {
  auto s = std::make_shared<Snapshot>();
  const std::size_t size = batch_.snapshot_size();
  s->plants.resize(lanes_.size() * size);
  for (int lane = 0; lane < lanes(); ++lane)
    batch_.save(lane, std::span(s->plants).subspan(static_cast<std::size_t>(lane) * size, size));
  s->before = before_, s->mean_before = mean_before_, s->running = running_, s->last = last_, s->drawn = drawn_;
  s->history = history_, s->last_length = last_length_, s->lanes = lanes_;
  return s;
}

// `to` becomes what `from` was; arrays of another environment or of this one.
template <class Array> static void copy_column(const Array& from, std::size_t i, Array& to, std::size_t k, std::size_t n) {
  for (std::size_t at = 0; at < to.size(); at += n) to[at + k] = from[at + i];
}
template <class Array> static void copy_row(const Array& from, std::size_t i, Array& to, std::size_t k, std::size_t n) {
  const std::size_t wide = to.size() / n;
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(i * wide), wide, to.begin() + static_cast<std::ptrdiff_t>(k * wide));
}

void VectorEnvironment::restore(const Snapshot& s, std::span<const std::uint8_t> mask) {
  const std::size_t n = lanes_.size(), size = batch_.snapshot_size();
  for (std::size_t k = 0; k < n; ++k) {
    if (!mask.empty() && !mask[k]) continue;
    batch_.restore(static_cast<int>(k), std::span(s.plants).subspan(k * size, size));
    copy_column(s.before, k, before_, k, n), copy_column(s.mean_before, k, mean_before_, k, n);
    copy_column(s.running, k, running_, k, n), copy_column(s.last, k, last_, k, n), copy_column(s.drawn, k, drawn_, k, n);
    copy_row(s.history, k, history_, k, n);
    last_length_[k] = s.last_length[k];
    lanes_[k] = s.lanes[k];
    tell_policy(static_cast<int>(k));
  }
  which_.clear();
}

void VectorEnvironment::branch(int from, int to) {
  if (from == to) return;
  const std::size_t n = lanes_.size(), i = static_cast<std::size_t>(from), k = static_cast<std::size_t>(to);
  batch_.copy_lane(from, to);
  copy_column(before_, i, before_, k, n), copy_column(mean_before_, i, mean_before_, k, n);
  copy_column(running_, i, running_, k, n), copy_column(last_, i, last_, k, n), copy_column(drawn_, i, drawn_, k, n);
  copy_row(history_, i, history_, k, n);
  last_length_[k] = last_length_[i];
  lanes_[k] = lanes_[i];
  tell_policy(to);
  which_.clear();
}

}  // namespace urja

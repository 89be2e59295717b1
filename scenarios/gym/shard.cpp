#include "scenarios/gym/shard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/random.hpp"
#include "scenarios/planning/forecast_error.hpp"

namespace urja {
namespace {

using Observation = GymSpecification::Observation;
using Column = GymSpecification::Column;

constexpr double not_yet = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint32_t no_row = ~std::uint32_t{0};
constexpr std::uint8_t ended_and_went_on = 3;  // of a flag: the lane has begun another episode since, within the same call

}  // namespace

VectorEnvironment::Shard::Shard(const Layout& layout, int first, int count)
    : l_(layout),
      g_(*layout.spec),
      first_(first),
      batch_(layout.plan, count),
      lanes_(static_cast<std::size_t>(count)),
      meter_(*layout.plan, batch_.blocks(), layout.metered) {
  const std::size_t n = lanes_.size(), columns = g_.columns.size();
  for (std::size_t k = 0; k < n; ++k) lanes_[k].seed = static_cast<std::uint64_t>(first) + k;
  looked_.resize(n * l_.at_reset.size());
  past_.resize(n * l_.lagged.size());
  history_.resize(n * l_.lagged.size() * ring());
  commanded_.resize(n * l_.commands.size());
  before_.resize(n * l_.changing.size());
  now_.resize(before_.size());
  mean_before_.assign(n * columns, not_yet);
  running_.resize(n * columns);
  last_.resize(n * columns);
  last_length_.resize(n);
  amount_.resize(n), part_.resize(n), reward_.resize(n);
  condition_values_.resize(n * l_.conditions.size());
  drawn_.resize(n * g_.randomised.size());
  for (const auto& a : g_.actions) {
    Quantity each = a.quantity;
    each.mean = each.fleet >= 0;  // what is said to all members of a fleet is said to each
    own_input_.push_back(batch_.get(0, each));
  }
  if (l_.options.autoreset == Autoreset::same_step) final_observations_.resize(n * g_.observations.size());
}

VectorEnvironment::Shard::~Shard() = default;

// ------------------------------------------------------------------------------------------------------------- episodes

// New episodes in the lanes of which_, of their seeds and episode numbers: when each starts, and what is drawn for it.
void VectorEnvironment::Shard::begin() {
  const std::size_t n = lanes_.size();
  const auto& starts = g_.starts[l_.options.split];
  starts_.clear();
  for (const int lane : which_) {
    Lane& l = lanes_[static_cast<std::size_t>(lane)];
    const double u = draw(l.seed, 0, 0, purpose("gym start", 0), l.episode).uniform[0];
    l.first = starts[std::min(starts.size() - 1, static_cast<std::size_t>(u * static_cast<double>(starts.size())))];
    l.done = 0;
    l.over = false;
    starts_.push_back({l.seed, l.first, l.episode, 0});
  }
  batch_.reset(which_, starts_);
  for (std::size_t d = 0; d < g_.randomised.size(); ++d) {
    const auto& r = g_.randomised[d];
    for (const int lane : which_) {
      const Lane& l = lanes_[static_cast<std::size_t>(lane)];
      const double p = draw(l.seed, l_.drawn_names[d], 0, purpose("gym draw", 0), l.episode).uniform[0];
      drawn_[d * n + static_cast<std::size_t>(lane)] = apply_draw(batch_, lane, r, p);
    }
  }
  if (!g_.randomised.empty()) batch_.prepare(which_);
  for (const int lane : which_) {
    tell_policy(lane);
    for (std::size_t k = 0; k < l_.changing.size(); ++k)
      before_[k * n + static_cast<std::size_t>(lane)] = batch_.get(lane, l_.changing[k]);
    for (std::size_t c = 0; c < g_.columns.size(); ++c) mean_before_[c * n + static_cast<std::size_t>(lane)] = not_yet;
  }
}

// A lane's policy and its advisor hear which episode it is in.
void VectorEnvironment::Shard::tell_policy(int lane) {
  const std::int64_t first = lanes_[static_cast<std::size_t>(lane)].first / g_.per_interval;
  if (policy_) policy_->begin(lane, first, first + g_.episode);
  if (advisor_) advisor_->begin(lane, first, first + g_.episode);
}

// The episode that ran in a lane goes to the last ones.
void VectorEnvironment::Shard::end(int lane) {
  Lane& l = lanes_[static_cast<std::size_t>(lane)];
  for (std::size_t c = 0; c < g_.columns.size(); ++c) {
    const std::size_t at = c * lanes_.size() + static_cast<std::size_t>(lane);
    last_[at] = running_[at];
    running_[at] = 0;
  }
  last_length_[static_cast<std::size_t>(lane)] = static_cast<std::uint32_t>(l.done);
}

void VectorEnvironment::Shard::set_policy(std::unique_ptr<GymPolicy> policy) {
  policy_ = std::move(policy);
  commanded_.resize(lanes_.size() * policy_->writes().size());
}

std::optional<std::int64_t> VectorEnvironment::Shard::fresh(int lane) const {
  const Lane& l = lanes_[static_cast<std::size_t>(lane)];
  if (!began_ || l.done > 0) return std::nullopt;
  return l.first;
}

void VectorEnvironment::Shard::reset(std::span<const std::uint64_t> seeds, std::span<const std::uint8_t> mask,
                                     const Result& result, std::size_t all) {
  which_.clear();
  for (int lane = 0; lane < lanes(); ++lane) {
    const auto k = static_cast<std::size_t>(lane);
    if (!mask.empty() && !mask[k]) continue;
    Lane& l = lanes_[k];
    if (began_) end(lane);
    if (!seeds.empty()) l.seed = seeds[k], l.episode = 0;
    else if (began_) ++l.episode;
    which_.push_back(lane);
  }
  begin();
  began_ = true;
  tell_nothing(result, all);
  // Observations of new lanes are those of a look; what has a memory begins with them.
  if (which_.size() < lanes_.size()) see_present(result.observations);
  see_new(which_, result.observations, true);
}

void VectorEnvironment::Shard::observe(const Result& result, std::size_t all) {
  tell_nothing(result, all);
  see_present(result.observations);
}

// All of a result but observations, where there was no step.
void VectorEnvironment::Shard::tell_nothing(const Result& result, std::size_t all) const {
  const std::size_t n = lanes_.size();
  std::fill_n(result.reward, n, 0.0);
  for (std::size_t c = 0; c < g_.columns.size(); ++c) std::fill_n(result.columns + c * all, n, 0.0);
  for (std::size_t k = 0; k < n; ++k) {
    result.terminated[k] = lanes_[k].over && lanes_[k].terminated;
    result.truncated[k] = lanes_[k].over && !lanes_[k].terminated;
  }
  tell_draws(result, all);
}

void VectorEnvironment::Shard::tell_draws(const Result& result, std::size_t all) const {
  const std::size_t n = lanes_.size();
  for (std::size_t d = 0; d < g_.randomised.size(); ++d) std::copy_n(drawn_.data() + d * n, n, result.draws + d * all);
}

void VectorEnvironment::Shard::see_present(float* observations) {
  see_all(observations, false);
  std::vector<int> fresh;
  for (std::size_t k = 0; k < lanes_.size(); ++k) {
    if (lanes_[k].done == 0) fresh.push_back(static_cast<int>(k));
  }
  see_new(fresh, observations, false);
}

// ----------------------------------------------------------------------------------------------------------------- steps

void VectorEnvironment::Shard::step(const float* actions, std::size_t stride, int steps, const Result& result, std::size_t all) {
  const std::size_t n = lanes_.size();
  std::fill_n(result.reward, n, 0.0);
  for (std::size_t c = 0; c < g_.columns.size(); ++c) std::fill_n(result.columns + c * all, n, 0.0);
  std::fill_n(result.terminated, n, std::uint8_t{0});
  std::fill_n(result.truncated, n, std::uint8_t{0});
  ended_.clear();
  if (l_.options.autoreset == Autoreset::same_step) final_row_.assign(n, no_row);
  const bool resets_late = l_.options.autoreset == Autoreset::next_step,
             resets_now = l_.options.autoreset == Autoreset::same_step;
  for (int s = 0; s < steps; ++s) {
    command(actions + static_cast<std::size_t>(s) * stride);
    meter_.clear();
    batch_.step(g_.per_interval, l_.options.one_piece ? l_.options.threads : 1, &meter_);
    account(result, all);
    which_.clear();
    if (!l_.conditions.empty()) batch_.read_columns(l_.conditions, condition_values_);
    for (std::size_t k = 0; k < n; ++k) {
      Lane& l = lanes_[k];
      if (l.over) {
        if (resets_late) {
          which_.push_back(static_cast<int>(k));
          if (s > 0) (l.terminated ? result.terminated : result.truncated)[k] = ended_and_went_on;
        }
        continue;
      }
      ++l.done;
      bool terminated = batch_.head(static_cast<int>(k) / width).account.status[static_cast<int>(k) % width] != 0;
      for (std::size_t c = 0; c < l_.conditions.size(); ++c) {
        const double v = condition_values_[c * n + k];
        terminated = terminated || !(v >= g_.terminations[c].low && v <= g_.terminations[c].high);
      }
      const bool truncated = !terminated && l.done >= g_.episode;
      if (!terminated && !truncated) continue;
      l.over = true;
      l.terminated = terminated;
      if (terminated) result.terminated[k] = 1;
      if (truncated) result.truncated[k] = 1;
      if (resets_now) which_.push_back(static_cast<int>(k));
    }
    const bool last = s + 1 == steps;
    if (last || l_.deepest > 0 || (resets_now && !which_.empty())) see_all(result.observations, true);
    if (resets_now) keep_final(result);
    for (int lane : which_) {
      end(lane);
      ++lanes_[static_cast<std::size_t>(lane)].episode;
    }
    if (!which_.empty()) begin();
    if (!which_.empty() && (last || l_.deepest > 0)) see_new(which_, result.observations, true);
  }
  tell_draws(result, all);
}

// What the lanes that end now saw last; of one that ends twice within one call, the later.
void VectorEnvironment::Shard::keep_final(const Result& result) {
  const std::size_t wide = g_.observations.size();
  for (int lane : which_) {
    std::uint32_t& at = final_row_[static_cast<std::size_t>(lane)];
    if (at == no_row) {
      at = static_cast<std::uint32_t>(ended_.size());
      ended_.push_back(static_cast<std::uint32_t>(lane));
    }
    std::copy_n(result.observations + static_cast<std::size_t>(lane) * wide, wide, final_observations_.data() + at * wide);
  }
}

void VectorEnvironment::Shard::command(const float* actions) {
  if (policy_) {
    policy_->act(batch_, commanded_);
    batch_.write(policy_->writes(), commanded_);
    return;
  }
  if (!l_.options.agent) return;
  const std::size_t count = g_.actions.size();
  for (std::size_t k = 0; k < commanded_.size(); k += count) {
    for (std::size_t a = 0; a < count; ++a) {
      const auto& scale = l_.scales[a];
      commanded_[k + a] = std::clamp(scale.middle + scale.half * static_cast<double>(actions[k + a]), scale.low, scale.high);
    }
  }
  for (std::size_t a = 0; a < count; ++a) {
    const auto& values = g_.actions[a].values;  // of a choice, whose number the action is
    for (std::size_t k = a; !values.empty() && k < commanded_.size(); k += count)
      commanded_[k] = values[static_cast<std::size_t>(actions[k])];
  }
  batch_.write(l_.commands, commanded_);
}

// Amounts of the interval that has just run, into columns, rewards and totals. A lane that is over adds nothing.
void VectorEnvironment::Shard::account(const Result& result, std::size_t all) {
  const std::size_t n = lanes_.size();
  if (!l_.changing.empty()) batch_.read_columns(l_.changing, now_);
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
      for (double& a : amount_) a *= l_.plan->step;
    } else if (column.what != Column::change) {
      double* before = mean_before_.data() + c * n;
      for (std::size_t k = 0; k < n; ++k) {
        const double mean = amount_[k] / g_.per_interval;
        const double by = column.what == Column::above   ? mean - column.limit
                          : column.what == Column::below ? column.limit - mean
                                                         : std::abs(mean - before[k]) - column.limit;
        before[k] = mean;
        amount_[k] = by > 0 ? by * l_.interval / 3600 : 0;  // not so where there was no interval before
      }
    }
    double *shown = result.columns + c * all, *running = running_.data() + c * n;
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
void VectorEnvironment::Shard::see_all(float* observations, bool on) {
  const std::size_t wide = g_.observations.size(), n = lanes_.size(), lagged = l_.lagged.size();
  if (!l_.direct.empty()) batch_.read(l_.direct, std::span(observations, n * wide), wide);
  if (lagged > 0 && on) {
    batch_.read(l_.lagged, past_);
    for (std::size_t k = 0; k < n; ++k) {
      float* slot = history_.data() + (k * ring() + static_cast<std::size_t>(lanes_[k].done) % ring()) * lagged;
      std::copy_n(past_.data() + k * lagged, lagged, slot);
    }
  }
  for (std::size_t k = 0; k < n; ++k) finish_row(static_cast<int>(k), observations + k * wide);
}

// Lanes that have not made a step yet; `fresh`: they have just begun.
void VectorEnvironment::Shard::see_new(std::span<const int> which, float* observations, bool fresh) {
  const std::size_t wide = g_.observations.size(), direct = l_.direct.size(), lagged = l_.lagged.size();
  if (which.empty()) return;
  batch_.look(which, l_.at_reset, std::span(looked_).first(which.size() * l_.at_reset.size()));
  for (std::size_t i = 0; i < which.size(); ++i) {
    const auto lane = static_cast<std::size_t>(which[i]);
    const float* looked = looked_.data() + i * l_.at_reset.size();
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
void VectorEnvironment::Shard::finish_row(int lane, float* row) const {
  const Lane& l = lanes_[static_cast<std::size_t>(lane)];
  const std::int64_t now = l.first / g_.per_interval + l.done;
  const std::size_t lagged = l_.lagged.size();
  for (std::size_t k = l_.direct.size(); k < g_.observations.size(); ++k) {
    const Observation& o = g_.observations[k];
    switch (o.source) {
      case Observation::measured: {
        const std::size_t slot = static_cast<std::size_t>(l.done + static_cast<std::int64_t>(ring()) * o.lag - o.lag) % ring();
        row[k] = history_[(static_cast<std::size_t>(lane) * ring() + slot) * lagged + static_cast<std::size_t>(l_.lagged_at[k])];
        break;
      }
      case Observation::forecast: {
        const double truth = g_.foresight.at(o.series, now + o.ahead);
        const ForecastError error(o.error, l.seed, l.episode, now, l_.forecast_names[k]);
        row[k] = static_cast<float>(truth * error.factor(now + o.ahead, o.ahead * l_.interval / 86400));
        break;
      }
      case Observation::calendar:
        row[k] = l_.calendar[static_cast<std::size_t>(now) * 6 + static_cast<std::size_t>(o.part)];
        break;
      case Observation::of_episode:
        row[k] = static_cast<float>(static_cast<double>(g_.episode - l.done) / static_cast<double>(g_.episode));
        break;
    }
  }
  // Clipped to the bounds; what is no number is shown as the lower one.
  const std::size_t count = g_.observations.size();
  if (g_.normalised) {
    for (std::size_t k = 0; k < count; ++k) {
      const float x = (row[k] - l_.middle[k]) * l_.slope[k];
      row[k] = x > -1 ? (x < 1 ? x : 1.0f) : -1.0f;
    }
  } else {
    for (std::size_t k = 0; k < count; ++k) row[k] = row[k] > l_.low[k] ? (row[k] < l_.high[k] ? row[k] : l_.high[k]) : l_.low[k];
  }
}

// ------------------------------------------------------------------------------------------------- actions, masks, truth

int VectorEnvironment::Shard::over() const {
  if (l_.options.autoreset != Autoreset::disabled) return -1;
  for (std::size_t k = 0; k < lanes_.size(); ++k) {
    if (lanes_[k].over) return static_cast<int>(k);
  }
  return -1;
}

void VectorEnvironment::Shard::set_advisor(std::unique_ptr<GymPolicy> advisor) {
  advisor_ = std::move(advisor);
  const auto& writes = advisor_->writes();
  advised_.resize(lanes_.size() * writes.size());
  advised_by_.clear();
  for (const auto& a : g_.actions) {
    const auto same = [&](const Quantity& q) {
      return q.fleet == a.quantity.fleet && q.member == a.quantity.member && q.row == a.quantity.row;
    };
    const auto found = std::find_if(writes.begin(), writes.end(), same);
    advised_by_.push_back(found == writes.end() ? -1 : static_cast<int>(found - writes.begin()));
  }
  for (int lane = 0; lane < lanes(); ++lane) tell_policy(lane);
}

// What the advisor would do now, as an agent says it; where it has nothing to say, what the scenario has.
void VectorEnvironment::Shard::advise(float* actions) {
  advisor_->act(batch_, advised_);
  const std::size_t count = g_.actions.size(), wide = advisor_->writes().size();
  for (std::size_t k = 0; k < lanes_.size(); ++k) {
    for (std::size_t a = 0; a < count; ++a) {
      const auto& action = g_.actions[a];
      const int by = advised_by_[a];
      double value = by < 0 ? own_input_[a] : advised_[k * wide + static_cast<std::size_t>(by)];
      if (!std::isfinite(value)) value = own_input_[a];
      if (!action.values.empty()) {
        const auto nearest = std::min_element(action.values.begin(), action.values.end(),
                                              [&](double x, double y) { return std::abs(x - value) < std::abs(y - value); });
        value = static_cast<double>(nearest - action.values.begin());
      } else {
        value = std::clamp(value, action.low, action.high);
        if (g_.normalised_actions) value = (2 * value - action.low - action.high) / (action.high - action.low);
      }
      // Rounded up: a charger's lowest current, a bit lower, is none.
      const auto rounded = static_cast<float>(value);
      actions[k * count + a] = static_cast<double>(rounded) < value ? std::nextafter(rounded, 2e38f) : rounded;
    }
  }
}

void VectorEnvironment::Shard::masks(float* low, float* high, std::uint8_t* allowed) {
  const std::size_t n = lanes_.size(), count = g_.actions.size();
  // What each commanded port could do if one step were as long as the interval.
  std::vector<Quantity> map;
  std::vector<int> at(count, -1);
  for (std::size_t a = 0; a < count; ++a) {
    if (g_.actions[a].quantity.name != "command") continue;
    const std::string& name = g_.actions[a].name;
    at[a] = static_cast<int>(map.size());
    for (const char* limit : {".power_min", ".power_max"}) {
      map.push_back(*l_.plan->find(name.substr(0, name.rfind('.')) + limit));
      map.back().mean = g_.actions[a].quantity.fleet >= 0;  // all members are told the same
    }
  }
  std::vector<int> all(n);
  for (std::size_t k = 0; k < n; ++k) all[k] = static_cast<int>(k);
  std::vector<float> limits(n * map.size());
  if (!map.empty()) batch_.look(all, map, limits, l_.interval);
  for (std::size_t k = 0; k < n; ++k) {
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
      for (double v : action.values) *allowed++ = std::max({from - v, v - to, 0.0}) <= nearest + 1e-6 * half ? 1 : 0;
    }
  }
}

void VectorEnvironment::Shard::state(double* values) const {
  const std::size_t n = lanes_.size();
  std::vector<double> columns(n * l_.state.size());
  batch_.read_columns(l_.state, columns);
  for (std::size_t s = 0; s < l_.state.size(); ++s) {
    for (std::size_t k = 0; k < n; ++k) values[k * l_.state.size() + s] = columns[s * n + k];
  }
}

void VectorEnvironment::Shard::totals(double* running, double* last, std::uint32_t* length, std::size_t all) const {
  const std::size_t n = lanes_.size();
  for (std::size_t c = 0; c < g_.columns.size(); ++c) {
    std::copy_n(running_.data() + c * n, n, running + c * all);
    std::copy_n(last_.data() + c * n, n, last + c * all);
  }
  std::copy_n(last_length_.data(), n, length);
}

// -------------------------------------------------------------------------------------------------------------- snapshots

struct VectorEnvironment::Shard::Snapshot {
  std::vector<double> plants, before, mean_before, running, last, drawn;
  std::vector<float> history;
  std::vector<std::uint32_t> last_length;
  std::vector<Lane> lanes;
};

std::size_t VectorEnvironment::Shard::snapshot_bytes() const {
  return lanes_.size() * (batch_.snapshot_size() * sizeof(double) + sizeof(Lane) + sizeof(std::uint32_t)) +
         sizeof(double) * (before_.size() + mean_before_.size() + running_.size() + last_.size() + drawn_.size()) +
         sizeof(float) * history_.size();
}

std::shared_ptr<const VectorEnvironment::Shard::Snapshot> VectorEnvironment::Shard::snapshot() const {
  auto s = std::make_shared<Snapshot>();
  const std::size_t size = batch_.snapshot_size();
  s->plants.resize(lanes_.size() * size);
  for (int lane = 0; lane < lanes(); ++lane)
    batch_.save(lane, std::span(s->plants).subspan(static_cast<std::size_t>(lane) * size, size));
  s->before = before_, s->mean_before = mean_before_, s->running = running_, s->last = last_, s->drawn = drawn_;
  s->history = history_, s->last_length = last_length_, s->lanes = lanes_;
  return s;
}

namespace {

// Lane k of `to` [.., n] becomes what lane i of `from` [.., m] was.
template <class Array>
void copy_column(const Array& from, std::size_t i, std::size_t m, Array& to, std::size_t k, std::size_t n) {
  for (std::size_t row = 0; row * n < to.size(); ++row) to[row * n + k] = from[row * m + i];
}
// The same of [n, ..] and [m, ..].
template <class Array> void copy_row(const Array& from, std::size_t i, Array& to, std::size_t k, std::size_t n) {
  const std::size_t wide = to.size() / n;
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(i * wide), wide, to.begin() + static_cast<std::ptrdiff_t>(k * wide));
}

}  // namespace

void VectorEnvironment::Shard::restore(const Snapshot& s, std::span<const std::uint8_t> mask) {
  const std::size_t n = lanes_.size(), size = batch_.snapshot_size();
  for (std::size_t k = 0; k < n; ++k) {
    if (!mask.empty() && !mask[k]) continue;
    batch_.restore(static_cast<int>(k), std::span(s.plants).subspan(k * size, size));
    copy_column(s.before, k, n, before_, k, n), copy_column(s.mean_before, k, n, mean_before_, k, n);
    copy_column(s.running, k, n, running_, k, n), copy_column(s.last, k, n, last_, k, n);
    copy_column(s.drawn, k, n, drawn_, k, n), copy_row(s.history, k, history_, k, n);
    last_length_[k] = s.last_length[k];
    lanes_[k] = s.lanes[k];
    tell_policy(static_cast<int>(k));
  }
  which_.clear();
}

void VectorEnvironment::Shard::become(int lane, const Shard& other, int from) {
  if (&other == this && from == lane) return;
  const std::size_t n = lanes_.size(), m = other.lanes_.size(), i = static_cast<std::size_t>(from),
                    k = static_cast<std::size_t>(lane);
  std::vector<double> plant(batch_.snapshot_size());
  other.batch_.save(from, plant);
  batch_.restore(lane, plant);
  copy_column(other.before_, i, m, before_, k, n), copy_column(other.mean_before_, i, m, mean_before_, k, n);
  copy_column(other.running_, i, m, running_, k, n), copy_column(other.last_, i, m, last_, k, n);
  copy_column(other.drawn_, i, m, drawn_, k, n), copy_row(other.history_, i, history_, k, n);
  last_length_[k] = other.last_length_[i];
  lanes_[k] = other.lanes_[i];
  tell_policy(lane);
  which_.clear();
}

}  // namespace urja

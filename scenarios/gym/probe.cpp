#include "scenarios/gym/probe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/batch.hpp"
#include "engine/random.hpp"

namespace urja {
namespace {

constexpr int lanes_probed = 64;
constexpr std::int64_t most_steps = 4000;  // of a lane

struct Seen {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value), high = std::max(high, value);
  }
};

// Two digits, away from zero: 4837 -> 4900.
double rounded(double value, bool up) {
  if (value == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 1);
  return (up ? std::ceil(value / unit - 1e-9) : std::floor(value / unit + 1e-9)) * unit;
}

// Some room on either side of what was seen; what was never negative stays so.
std::pair<double, double> widened(const Seen& seen) {
  if (!(seen.low <= seen.high)) return {-1, 1};
  const double room = seen.high > seen.low ? 0.2 * (seen.high - seen.low) : std::max(1.0, 0.5 * std::abs(seen.low));
  const double low = seen.low >= 0 ? std::max(0.0, seen.low - room) : seen.low - room;
  const double high = seen.high <= 0 && seen.low < 0 ? std::min(0.0, seen.high + room) : seen.high + room;
  return {rounded(low, false), rounded(high, true)};
}

// Stretches from all over the data. `commands`: at random, else none. `each` sees the batch after every interval, `begun` at the begin of
// all; `meter` sums what it has.
template <class Each, class Begun>
void run(const std::shared_ptr<const Plan>& plan, const GymSpecification& g, bool commands, Meter* meter, Each&& each,
         Begun&& begun) {
  const auto all = std::llround((plan->end - plan->start) / plan->step) / g.per_interval;
  const std::int64_t intervals =
      std::min({std::max<std::int64_t>(4, most_steps / g.per_interval), g.episode, static_cast<std::int64_t>(all)});
  Batch batch(plan, lanes_probed);
  for (int lane = 0; lane < lanes_probed; ++lane) {
    Batch::Start start;
    start.key = static_cast<std::uint64_t>(lane);
    start.index = (all - intervals) * lane / (lanes_probed - 1) * g.per_interval;
    batch.reset(lane, start);
    batch.disarm(lane);
    // What is drawn for episodes is drawn for these, evenly from end to end.
    for (std::size_t d = 0; d < g.randomised.size(); ++d)
      apply_draw(batch, lane, g.randomised[d], ((lane * (2 * static_cast<int>(d) + 1)) % lanes_probed + 0.5) / lanes_probed);
    if (!g.randomised.empty()) batch.prepare(lane);
  }
  begun(batch);
  std::vector<Quantity> map;
  for (const auto& a : g.actions) map.push_back(a.quantity);
  std::vector<double> actions(map.size() * lanes_probed);
  for (std::int64_t k = 0; k < intervals; ++k) {
    if (commands) {
      for (std::size_t i = 0; i < actions.size(); ++i) {
        const auto& a = g.actions[i % map.size()];
        // One that stays for a while takes a battery to its ends, which white noise does not.
        const auto u =
            draw(1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k / 4), purpose("gym probe", 0), 0).uniform[0];
        actions[i] = a.low + u * (a.high - a.low);
      }
      batch.write(map, actions);
    }
    if (meter) meter->clear();
    batch.step(g.per_interval, 1, meter);
    each(batch);
  }
}

template <class Each>
void run(const std::shared_ptr<const Plan>& plan, const GymSpecification& g, bool commands, Meter* meter, Each&& each) {
  run(plan, g, commands, meter, std::forward<Each>(each), [](const Batch&) {});
}

}  // namespace

std::vector<GymProbe::Doubt> GymProbe::fill() {
  bound_actions();
  if (doubts_.empty()) foresee();
  if (doubts_.empty()) bound_observations();
  return std::move(doubts_);
}

// A power: what the port could do. Another input in W limits what the port does.
void GymProbe::bound_actions() {
  std::vector<Quantity> limits;
  std::vector<std::size_t> which;
  for (std::size_t k = 0; k < g_.actions.size(); ++k) {
    const auto& a = g_.actions[k];
    if (a.bounded()) continue;
    const std::string asset = a.name.substr(0, a.name.rfind('.'));
    const auto low = plan_->find(asset + ".power_min"), high = plan_->find(asset + ".power_max");
    if (!low || !high) {
      doubts_.push_back({a.name, "'" + a.name + "' has no bounds", "write low and high"});
      continue;
    }
    which.push_back(k);
    limits.push_back(*low), limits.push_back(*high);
    // What commands all members of a fleet says the same to each.
    if (a.quantity.fleet >= 0 && a.quantity.member < 0)
      limits[2 * which.size() - 2].mean = limits[2 * which.size() - 1].mean = true;
  }
  if (!which.empty()) {
    std::vector<Seen> seen(limits.size());
    std::vector<double> columns(limits.size() * lanes_probed);
    run(plan_, g_, false, nullptr, [&](const Batch& batch) {
      batch.read_columns(limits, columns);
      for (std::size_t i = 0; i < columns.size(); ++i) seen[i / lanes_probed].add(columns[i]);
    });
    for (std::size_t i = 0; i < which.size(); ++i) {
      auto& a = g_.actions[which[i]];
      const double low = seen[2 * i].low, high = seen[2 * i + 1].high;
      if (a.quantity.name == "command") a.low = rounded(low, low > 0), a.high = rounded(high, high > 0);
      else a.low = 0, a.high = rounded(std::max(std::abs(low), std::abs(high)), true);
      if (!a.bounded() || a.high - a.low > 1e8)
        doubts_.push_back({a.name, "'" + a.name + "' has no bounds that a run shows", "write low and high"});
    }
  }
  for (auto& a : g_.actions) {
    for (int k = 0; k < a.choices; ++k) a.values.push_back(a.low + (a.high - a.low) * k / (a.choices - 1));
  }
}

void GymProbe::foresee() {
  using Observation = GymSpecification::Observation;
  std::vector<Quantity> quantities;
  std::vector<std::string> names;
  for (Observation& o : g_.observations) {
    if (o.source != Observation::forecast) continue;
    const auto same = [&](const Quantity& q) {
      return q.fleet == o.quantity.fleet && q.member == o.quantity.member && q.row == o.quantity.row;
    };
    const auto there = std::find_if(quantities.begin(), quantities.end(), same);
    o.series = static_cast<int>(there - quantities.begin());
    if (there == quantities.end()) quantities.push_back(o.quantity), names.push_back(o.name);
  }
  if (quantities.empty()) return;
  // What commands change cannot be told before.
  std::vector<std::vector<double>> means[2];
  for (bool commands : {false, true}) {
    Meter meter(*plan_, lanes_probed / width, quantities);
    run(plan_, g_, commands, &meter, [&](const Batch&) {
      std::vector<double> now(quantities.size() * lanes_probed);
      for (std::size_t q = 0; q < quantities.size(); ++q)
        meter.read(static_cast<int>(q), std::span(now).subspan(q * lanes_probed, lanes_probed));
      means[commands ? 1 : 0].push_back(std::move(now));
    });
  }
  for (std::size_t q = 0; q < quantities.size(); ++q) {
    double largest = 0, apart = 0;
    for (std::size_t k = 0; k < means[0].size(); ++k) {
      for (std::size_t i = q * lanes_probed; i < (q + 1) * lanes_probed; ++i) {
        largest = std::max(largest, std::abs(means[0][k][i]));
        apart = std::max(apart, std::abs(means[0][k][i] - means[1][k][i]));
      }
    }
    if (apart > 0.01 * largest + 1e-9)
      doubts_.push_back(
          {names[q],
           "'" + quantities[q].asset + "." + quantities[q].name + "' depends on what the agent does: nobody can forecast it",
           "forecast what no command changes: demand, available power, weather, prices"});
  }
  if (!doubts_.empty()) return;
  try {
    g_.foresight = Foresight(plan_, quantities, g_.per_interval);
  } catch (const std::runtime_error& e) { doubts_.push_back({names.front(), e.what(), "nothing can be forecast then"}); }
}

void GymProbe::bound_observations() {
  using Observation = GymSpecification::Observation;
  std::vector<Quantity> map;
  std::vector<std::size_t> which;
  for (std::size_t k = 0; k < g_.observations.size(); ++k) {
    Observation& o = g_.observations[k];
    if (o.bounded()) continue;
    if (o.source == Observation::forecast) {
      Seen seen;
      for (double v : g_.foresight.of(o.series)) seen.add(v), seen.add(v * (1 + 2 * o.error));
      std::tie(o.low, o.high) = widened(seen);
    } else {
      which.push_back(k), map.push_back(o.quantity);
    }
  }
  if (map.empty()) return;
  std::vector<bool> drawn;  // states of assets of which something is drawn
  for (const Quantity& q : map) {
    drawn.push_back(q.kind == Kind::state && std::any_of(g_.randomised.begin(), g_.randomised.end(), [&](const auto& r) {
                      return r.quantity.asset.substr(r.quantity.asset.rfind('.') + 1) == q.asset.substr(q.asset.rfind('.') + 1);
                    }));
  }
  std::vector<Seen> seen(map.size());
  std::vector<double> columns(map.size() * lanes_probed);
  for (bool commands : {false, true}) {
    run(
        plan_, g_, commands, nullptr,
        [&](const Batch& batch) {
          batch.read_columns(map, columns);
          for (std::size_t i = 0; i < columns.size(); ++i) seen[i / lanes_probed].add(columns[i]);
        },
        [&](Batch& batch) {  // what is drawn may be gone after an interval
          if (std::find(drawn.begin(), drawn.end(), true) == drawn.end()) return;
          std::vector<int> all(lanes_probed);
          for (int lane = 0; lane < lanes_probed; ++lane) all[static_cast<std::size_t>(lane)] = lane;
          std::vector<float> first(map.size() * lanes_probed);
          batch.look(all, map, first);
          for (std::size_t i = 0; i < first.size(); ++i) {
            if (drawn[i % map.size()]) seen[i % map.size()].add(static_cast<double>(first[i]));
          }
        });
  }
  for (std::size_t i = 0; i < which.size(); ++i)
    std::tie(g_.observations[which[i]].low, g_.observations[which[i]].high) = widened(seen[i]);
}

}  // namespace urja

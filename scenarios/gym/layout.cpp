// What an environment looks up and never changes: where each observation, action, column and draw lies, and the calendar.
#include <algorithm>
#include <cmath>

#include "engine/calendar.hpp"
#include "engine/random.hpp"
#include "scenarios/gym/shard.hpp"

namespace urja {
namespace {

using Observation = GymSpecification::Observation;
using Column = GymSpecification::Column;

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

VectorEnvironment::Layout::Layout(const Scenario& scenario, const Options& o)
    : plan(scenario.plan), spec(scenario.gym), options(o), interval(plan->step * spec->per_interval) {
  const GymSpecification& g = *spec;
  for (const Observation& one : g.observations) {
    if (one.source == Observation::measured && one.lag == 0) direct.push_back(one.quantity);
    low.push_back(static_cast<float>(one.low)), high.push_back(static_cast<float>(one.high));
    middle.push_back(static_cast<float>((one.low + one.high) / 2));
    slope.push_back(static_cast<float>(2 / (one.high - one.low)));
    forecast_names.push_back(one.source == Observation::forecast ? name_of(one.quantity) : 0);
    int at = -1;
    if (one.source == Observation::measured && one.lag > 0) {
      deepest = std::max(deepest, one.lag);
      const auto same = [&](const Quantity& q) {
        return q.fleet == one.quantity.fleet && q.member == one.quantity.member && q.row == one.quantity.row;
      };
      const auto there = std::find_if(lagged.begin(), lagged.end(), same);
      at = static_cast<int>(there - lagged.begin());
      if (there == lagged.end()) lagged.push_back(one.quantity);
    }
    lagged_at.push_back(at);
  }
  at_reset = direct;
  at_reset.insert(at_reset.end(), lagged.begin(), lagged.end());
  if (std::any_of(g.observations.begin(), g.observations.end(),
                  [](const Observation& one) { return one.source == Observation::calendar; }))
    calendar = calendar_of(*plan, *Zone::find(scenario.zone), interval);
  for (const auto& a : g.actions) {
    commands.push_back(a.quantity);
    scales.push_back(g.normalised_actions ? Scale{a.low, a.high, (a.low + a.high) / 2, (a.high - a.low) / 2}
                                          : Scale{a.low, a.high, 0, 1});
  }
  for (const Column& c : g.columns) {
    auto& list = c.what == Column::change ? changing : metered;
    list.insert(list.end(), c.quantities.begin(), c.quantities.end());
  }
  for (const auto& c : g.terminations) conditions.push_back(c.quantity);
  for (const auto& r : g.randomised) drawn_names.push_back(name_of(r.quantity));
  for (const Quantity& q : plan->quantities()) {
    if (q.of_disturber || !(q.kind == Kind::state || (q.flags & (observable | telemetered)))) continue;
    if (q.fleet < 0) state.push_back(q);
    for (int m = 1; q.fleet >= 0 && m <= plan->fleets[static_cast<std::size_t>(q.fleet)].members; ++m) {
      const std::size_t dot = q.asset.find('.');
      state.push_back(*plan->find(q.asset.substr(0, dot) + "." + std::to_string(m) + q.asset.substr(dot) + "." + q.name));
    }
  }
}

}  // namespace urja

#pragma once
// What a scenario without a `gym:` block means: as YAML, read like any other.
#include <string>

#include "engine/plan.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

// Whether data write a row of a plan again and again: what somebody else writes there does not last.
bool follows_data(const Plan& plan, int row);

class GymDefaults {
 public:
  GymDefaults(const Plan& plan, const Scenario& scenario, double interval) : plan_(plan), s_(scenario), interval_(interval) {}
  // Power of what stores energy; run and loading of generators; limits of chargers. Of fleets each member, up to 64.
  std::string actions() const;
  // Powers and observable states that are no counters, forecasts of demand, available power and of prices that change, calendar, rest of the episode.
  std::string observations() const;
  // The bill, and energy that was wanted and not given.
  std::string reward() const;

 private:
  template <class Visit> void each_asset(Visit&& visit) const;  // visit(plan, asset, "homes.*.pv", members)
  const Plan& plan_;
  const Scenario& s_;
  double interval_;
};

}  // namespace urja

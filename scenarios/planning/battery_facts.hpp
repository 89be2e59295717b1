#pragma once
// What a planner must know of a battery, read off the model itself: its equations run alone (as in `urja probe`), its power an input.
#include <vector>

#include "engine/plan.hpp"

namespace urja {

struct BatteryFacts {
  double rating = 0;                  // W, of the converter
  double standby = 0, quadratic = 0;  // the converter's no-load and load loss over its rating
  double state_of_charge_min = 0, state_of_charge_max = 0, state_of_charge_start = 0;
  double current_share = 1;    // largest current that the rating lets flow over the largest that the cells allow; at most 1
  std::vector<double> energy;  // Wh stored, at evenly spaced states of charge from 0 to 1
  // W that leave the store beyond the power at the bus, at evenly spaced powers from -rating to rating (out > 0), in the middle of the
  // window of the state of charge and at the start's temperature. NaN where the battery cannot give or take so much.
  std::vector<double> loss;

  double energy_at(double state_of_charge) const;
  double loss_at(double power) const;  // linear between the samples that there are, and on beyond them
  // Shares of power that arrive, charging and discharging: means over the samples between a tenth and all of what it can do, of what flows
  // beyond the loss at rest.
  double mean_charge_efficiency() const, mean_discharge_efficiency() const;
};

// Of an asset of a plan (of a fleet's, with one of its members).
BatteryFacts facts_of(const Plan& home, const Plan::Asset& battery, int member);

}  // namespace urja

#pragma once
// What an agent sees, does and is paid for: the `gym:` block of a scenario, compiled.
//
//     gym:
//       interval: 15 min                       # between two actions; run.step (or physics_step) is how finely the plant is simulated
//       episode: {length: 1 d, start: random, split: [70 %, 15 %, 15 %], by: 20 d}    # start: random, first or a time of day
//       observations:
//         - battery.state_of_charge            # any observable channel, as measured
//         - {path: homes.*.load.wanted, low: 0 kW, high: 8 kW}                        # of each member
//         - {path: grid.power, lag: [0, 15 min, 1 h]}
//         - {forecast: pv.available_power, ahead: [1 h, 3 h, 6 h], error: 15 %}       # of what no action changes
//         - calendar                           # hour, weekday and season, as sine and cosine
//         - remaining                          # share of the episode that is left
//       actions:
//         - battery.power                      # a port's power, or any actionable input
//         - {path: genset.run, values: [0, 1]} # a choice among values
//       reward:
//         scale: 1
//         cost: {cost_total: 1, unserved_kwh: 2 USD/kWh, battery_discharge_kwh: 0.03 USD/kWh, stored_kwh: -0.2 USD/kWh}
//         penalty: {clipped_kwh: 0.01 USD/kWh, ramp: {of: grid.power, ramp: 500 W, price: 1 USD/kWh}}
//       terminate: [{of: battery.state_of_charge, below: 6 %}]
//       randomise: {battery.state_of_charge: {uniform: [20 %, 90 %]}}
//       faults: {..}                           # as in `faults:`, only while an agent trains
//
// The reward of a step is -scale (sum of price x amount over cost and penalty). Amounts of cost have the names of the KPIs; what is in
// `cost` is the currency in which policies are compared, penalties only shape.
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "scenarios/gym/foresight.hpp"

namespace urja {

class Batch;

struct GymSpecification {
  int per_interval = 1;       // steps of the plan
  std::int64_t episode = 96;  // intervals
  enum Split { train, validation, test, all };
  std::array<std::vector<std::int64_t>, 4> starts;  // steps of the plan at which an episode of a split may begin

  struct Observation {
    enum Source { measured, forecast, calendar, of_episode } source = measured;
    std::string name, unit, doc;
    Quantity quantity;         // of measured and forecast
    int lag = 0, ahead = 0;    // intervals
    double error = 0;          // of a forecast: standard deviation over the value, a day ahead
    int part = 0;              // of the calendar: sin and cos of the day, of the week, of the year
    int series = -1;           // of the foresight
    double low = 0, high = 0;  // what is beyond is shown as these
    bool bounded() const { return low < high; }
  };
  std::vector<Observation> observations;
  bool normalised = true;
  Foresight foresight;  // of what is forecast

  struct Action {
    std::string name, unit, doc;
    Quantity quantity;  // as Batch::write takes it
    double low = 0, high = 0;
    std::vector<double> values;  // of a choice; empty: any number from low to high
    int choices = 0;             // values evenly from low to high, once these are known
    bool bounded() const { return low < high; }
  };
  std::vector<Action> actions;
  bool normalised_actions = true;

  // An amount that adds up over the steps, and its price.
  struct Column {
    enum What { flow, change, above, below, ramp } what = flow;
    std::string name, unit, doc;
    // flow: the time integral of the sum of these; change: of their sum. The others: of one, by how much its mean over an interval is above
    // or below a limit, or differs from the mean before by more than that; times the interval's length.
    std::vector<Quantity> quantities;
    std::vector<double> signs;  // of each; empty: all add
    double factor = 1, limit = 0;
    double price = 0;
    bool in_cost = false;
  };
  std::vector<Column> columns;
  double reward_scale = 1;

  struct Condition {
    Quantity quantity;
    double low, high;  // it ends the episode when it leaves these
    std::string text;
  };
  std::vector<Condition> terminations;

  struct Randomised {
    std::string name, unit;
    Quantity quantity;
    std::function<double(double)> quantile;
    bool times = false;  // multiplies the scenario's own value
  };
  std::vector<Randomised> randomised;
};

// A draw of a lane that has just been reset: `p` in (0, 1) is how far up the distribution. What multiplies does so for each member of a fleet.
// Returns the value that is now in force; of several, their mean. Batch::prepare() comes after.
double apply_draw(Batch& batch, int lane, const GymSpecification::Randomised& what, double p);

}  // namespace urja

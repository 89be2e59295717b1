#pragma once
// The variants of a scenario that a sweep runs, written in YAML:
//
//     sweep: 1
//     title: How large a battery?
//     grid:                                  # each value with each of the others
//       assets.battery.capacity: [5 kWh, 10 kWh, 20 kWh]
//       controller: [hold, self_consumption]
//     list:                                  # variants by name; what one does not say stays as in the scenario
//       - {name: as it is}
//       - {name: more sun, assets.pv.rated: 12 kW}
//     draw:                                  # variants drawn at random
//       method: latin_hypercube              # or monte_carlo
//       count: 200
//       seed: 7
//       of:
//         assets.pv.rated: {uniform: [4 kW, 8 kW]}
//         assets.grid.price: {normal: {mean: 0.30 USD/kWh, sd: 0.05 USD/kWh, low: 0.05 USD/kWh}}
//     faults: {shade: [30 %, 100 %], trip: [1]}    # none of the scenario's faults, then each of these alone, at each severity
//     seeds: 3                               # each of these with as many seeds, from run.seed on
//     results: [battery, grid.power]         # channels of the result file that each variant gets; `all`; without it, none; with it
//                                            # also dataset.h5, all of them as one labelled set
//
// Keys are those of --set. Of grid, list, draw, faults and seeds there may be any: the sweep is their product.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja {

struct Sweep {
  struct Key {
    std::string key;
    int line = 0, column = 0;
    // All values are numbers with this unit ("" for plain numbers); false: texts.
    bool number = false;
    std::string unit;
  };
  struct Value {
    std::string text;   // YAML, as after `--set key=`; empty: the scenario's own value holds
    std::string shown;  // to people
    double number = 0;
  };
  struct Variant {
    std::string name;              // of a list's entry
    std::vector<Value> values;     // one for each key
    std::uint64_t seed_after = 0;  // added to the scenario's seed
  };
  std::string file, text, title;
  std::vector<Key> keys;
  std::vector<Variant> variants;
  bool with_results = false;
  std::vector<std::string> channels;  // of the results; empty: all

  // What `--set` would say for a variant.
  std::vector<std::string> assignments(const Variant& variant) const;
};

// Throws ScenarioError with all problems of the file. At most a million variants.
Sweep load_sweep(const std::string& file);

}  // namespace urja

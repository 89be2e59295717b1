#pragma once
// A plant with sensors and links, stepped and read as measured and as it is: for tests.
#include <string>

#include "scenarios/run.hpp"
#include "scenarios/sensor_reader.hpp"
#include "tests/corpus/program.hpp"

namespace urja::tests {

// A plant whose load is a constant, or steps at noon, with the sensors and faults of a test.
inline std::string plant(const std::string& more, const std::string& demand = "1000 W", const std::string& step = "1 s",
                         const std::string& balance = "[grid]") {
  return "urja: 1\nzone: UTC\nrun: {from: 2024-06-01 00:00, to: 2024-06-03 00:00, step: " + step +
         ", seed: 11}\n"
         "data:\n  day:\n    format: calendar\n    columns:\n"
         "      wish: {unit: kW, otherwise: 1, periods: [{hours: \"12:00-13:00\", value: 3}]}\n"
         "      price: {unit: EUR/kWh, otherwise: 0.1, periods: [{hours: \"12:00-20:00\", value: 0.4}]}\n"
         "assets:\n  load: {model: load, demand: " +
         demand +
         "}\n"
         "  homes: {fleet: 11, members: {load: {model: load, demand: 100 W}}}\n"
         "  battery: {model: battery, set: lfp_64kwh, state_of_charge: 50 %}\n"
         "  grid: {model: grid, price: day.price}\nbalance: " +
         balance + "\n" + more;
}

class Measured {
 public:
  explicit Measured(const std::string& text, int lanes = 1)
      : scenario_(load_scenario(folder_.write("s.yaml", text))), batch_(scenario_.plan, lanes) {
    for (int lane = 0; lane < lanes; ++lane) {
      Batch::Start start;
      start.key = scenario_.seed + static_cast<std::uint64_t>(lane);
      batch_.reset(lane, start);
    }
  }
  Batch& batch() { return batch_; }
  const Scenario& scenario() const { return scenario_; }
  double operator()(const std::string& channel, int lane = 0) const {
    return batch_.get(lane, *scenario_.plan->measured(channel));
  }
  double truth(const std::string& channel) const { return batch_.get(0, *scenario_.plan->find(channel)); }
  double age(const std::string& channel) const { return truth(channel + ".age"); }
  void go_to(double seconds) {
    while (batch_.time(0) < scenario_.start + seconds - 1e-6) batch_.step();
  }

 private:
  Scratch folder_;
  Scenario scenario_;
  Batch batch_;
};

}  // namespace urja::tests

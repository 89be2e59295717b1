#pragma once
// Bounds that nobody has said, from short runs of the plant: without commands, and with commands at random.
#include <memory>
#include <string>
#include <vector>

#include "scenarios/gym/specification.hpp"

namespace urja {

class GymProbe {
 public:
  GymProbe(std::shared_ptr<const Plan> plan, GymSpecification& specification) : plan_(std::move(plan)), g_(specification) {}
  struct Doubt {
    std::string name, what, mend;  // of the action or observation
  };
  // Fills bounds of actions and observations, values of choices and the foresight. What it cannot fill, and forecasts of what commands
  // change, it returns.
  std::vector<Doubt> fill();

 private:
  void bound_actions();
  void bound_observations();
  void foresee();

  std::shared_ptr<const Plan> plan_;
  GymSpecification& g_;
  std::vector<Doubt> doubts_;
};

}  // namespace urja

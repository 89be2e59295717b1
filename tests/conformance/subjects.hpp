#pragma once
// What the conformance suite is run on, made from the registry alone.
//
//   registry() -> subjects (model, or model with each of its parameter sets) -> alone, or in a small plant with partners -> Run
//
// There is no list of models here. What a model needs (tables, sessions, jobs, roles) is made from what it declares. Eight lanes
// run side by side; lane 0 has the defaults, the others parameters of their own.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch.hpp"

namespace urja::tests {

struct Subject {
  const Type* type;
  std::string set;
  std::string name() const { return set.empty() ? type->name : type->name + " with set " + set; }
};
bool for_tests_only(const std::string& model);
std::vector<Subject> subjects();

enum class Where { alone, in_a_plant };

// A subject running: inputs and commands are a function of (step, lane), so any part of a run can be repeated.
class Run {
 public:
  static constexpr int lanes = 8;

  Run(const Subject& subject, Where where, double dt, int steps, std::uint64_t seed);
  // Another batch of the same plan, with the same parameters.
  std::unique_ptr<Batch> make() const;

  // Inputs and commands of a lane for a step, into the lane itself or into another one.
  void write(Batch& batch, int step, int lane) const { write(batch, step, lane, lane); }
  void write(Batch& batch, int step, int lane, int at) const;
  void write(Batch& batch, int step) const {
    for (int lane = 0; lane < lanes; ++lane) write(batch, step, lane);
  }

  Batch& batch() { return *batch_; }
  const Plan& plan() const { return *plan_; }
  std::vector<Quantity> inputs, parameters, states;

 private:
  std::shared_ptr<Plan> plan_;
  Where where_;
  std::uint64_t seed_;
  std::vector<std::pair<Quantity, Quantity>> commands_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace urja::tests

#pragma once
// Small plants for tests, made without a scenario file, and tests that read like a table:
//
//   Plant plant(60);                                   // s per step
//   plant.add("pv", "pv", {{"rated", 5000}});
//   plant.add("grid", "grid");
//   plant.balance({"grid"});
//   plant.fleet("homes", 11, {{"load", "load", {{"demand", 500}}}});
//   plant.set("pv.plane_of_array_irradiance", 800).run(15).get("pv.power");
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/plan.hpp"

namespace urja::tests {

class Plant {
 public:
  explicit Plant(double step = 60, double start = 1467331200 /* 2016-07-01 UTC */, double days = 366)
      : plan_(std::make_shared<Plan>(start, start + days * 86400, step)) {}

  using Values = std::map<std::string, double>;
  // Numbers go to parameters, start values of states and inputs, and settings.
  Plant& add(const std::string& name, const std::string& model, const Values& values = {}, const std::string& tag = "",
             int bus = 0) {
    return add_to(*plan_, {name, model, values, tag}, bus), *this;
  }
  struct Part {
    std::string name, model;
    Values values = {};
    std::string tag = "";
  };
  Plant& fleet(const std::string& name, int members, const std::vector<Part>& parts, int bus = 0) {
    auto child = std::make_unique<Plan>(plan_->start, plan_->end, plan_->step);
    for (const Part& part : parts) add_to(*child, part, 0);
    return plan_->add_fleet(name, std::move(child), members, bus), *this;
  }
  static void add_to(Plan& plan, const Part& part, int bus) {
    const auto& [name, model, values, tag] = part;
    const Type* type = find_type(model);
    if (!type) throw std::invalid_argument("no model " + model);
    auto settings = type->make_settings();
    for (const Setting& s : type->settings) s.write(settings.get(), s.start);
    for (const Choice& c : type->choices) c.write(settings.get(), c.name == type->tag_choice && !tag.empty() ? tag : c.start);
    const int index = plan.add_asset(name, *type, bus, settings, tag);
    for (const auto& [key, value] : values) {
      const int row = plan.row_of(plan.assets[static_cast<std::size_t>(index)], key);
      if (row >= 0) {
        plan.set_start(row, value);
        continue;
      }
      bool known = false;
      for (const Setting& s : type->settings) {
        if (s.name == key) s.write(settings.get(), value), known = true;
      }
      if (!known) throw std::invalid_argument(model + " has no " + key);
    }
  }
  Plan& plan() { return *plan_; }
  std::shared_ptr<void> settings(const std::string& name) {
    return plan_->assets.at(static_cast<std::size_t>(plan_->asset(name) - plan_->assets.data())).settings;
  }
  Plant& balance(const std::vector<std::string>& names) { return plan_->set_merit(names), *this; }
  Plant& solo() { return plan_->make_solo(), *this; }

  Batch& batch(int lanes = 1) {
    if (!batch_) {
      plan_->finish();
      batch_ = std::make_unique<Batch>(plan_, lanes);
    }
    return *batch_;
  }
  Quantity at(const std::string& path) {
    batch();
    const auto q = plan_->find(path);
    if (!q) throw std::invalid_argument("no quantity " + path);
    return *q;
  }
  Plant& set(const std::string& path, double value, int lane = 0) {
    const Quantity q = at(path);
    batch_->set(lane, q, value);
    if (q.kind == Kind::parameter) batch_->prepare(lane);
    return *this;
  }
  double get(const std::string& path, int lane = 0) {
    const Quantity q = at(path);
    return batch_->get(lane, q);
  }
  Plant& run(int steps = 1) { return batch().step(steps), *this; }

 private:
  std::shared_ptr<Plan> plan_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace urja::tests

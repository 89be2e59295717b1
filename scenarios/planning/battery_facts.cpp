#include "scenarios/planning/battery_facts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/batch.hpp"

namespace urja {
namespace {

constexpr int energies = 101, powers = 41;
constexpr double settling = 900;  // s: most of what a cell's slow overvoltage does in the length of a usual set-point

double interpolated(const std::vector<double>& values, double at) {
  const double x = std::clamp(at, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto k = std::min(static_cast<std::size_t>(x), values.size() - 2);
  return values[k] + (values[k + 1] - values[k]) * (x - static_cast<double>(k));
}

}  // namespace

double BatteryFacts::energy_at(double state_of_charge) const { return interpolated(energy, state_of_charge); }

double BatteryFacts::loss_at(double power) const {
  std::size_t first = 0, last = loss.size() - 1;
  while (std::isnan(loss[first])) ++first;
  while (std::isnan(loss[last])) --last;
  const double x = (power / rating + 1) / 2 * static_cast<double>(loss.size() - 1);
  const auto k = static_cast<std::size_t>(std::clamp(std::floor(x), static_cast<double>(first), static_cast<double>(last - 1)));
  return loss[k] + (loss[k + 1] - loss[k]) * (x - static_cast<double>(k));
}

double BatteryFacts::mean_charge_efficiency() const {
  double sum = 0;
  int count = 0;
  const std::size_t middle = loss.size() / 2, tenth = loss.size() / 20;
  for (std::size_t k = 0; k + tenth <= middle; ++k) {
    if (std::isnan(loss[k])) continue;
    const double power = rating * (1 - static_cast<double>(k) / static_cast<double>(middle));
    sum += 1 - (loss[k] - loss[middle]) / power, ++count;
  }
  return count > 0 ? sum / count : 1;
}
double BatteryFacts::mean_discharge_efficiency() const {
  double sum = 0;
  int count = 0;
  const std::size_t middle = loss.size() / 2, tenth = loss.size() / 20;
  for (std::size_t k = middle + tenth; k < loss.size(); ++k) {
    if (std::isnan(loss[k])) continue;
    const double power = rating * (static_cast<double>(k) / static_cast<double>(middle) - 1);
    sum += power / (power + loss[k] - loss[middle]), ++count;
  }
  return count > 0 ? sum / count : 1;
}

BatteryFacts facts_of(const Plan& home, const Plan::Asset& battery, int member) {
  const auto plan = std::make_shared<Plan>(home.start, home.end, home.step);
  const Type& type = *battery.type;
  plan->add_asset("battery", type, 0, battery.settings);
  const int offset = plan->assets.front().offset;
  for (int row = 0; row < type.rows; ++row) {
    const auto own = home.member_starts.find(battery.offset + row);
    plan->set_start(offset + row, own != home.member_starts.end() ? own->second[static_cast<std::size_t>(std::max(member, 0))]
                                                                  : home.starts[static_cast<std::size_t>(battery.offset + row)]);
  }
  plan->make_solo();
  plan->finish();
  Batch batch(plan, 1);
  const auto at = [&](const char* name) { return plan->find(std::string("battery.") + name).value(); };
  const Quantity charge_state = at("state_of_charge"), content = at("stored_energy"), command = at("command"),
                 power = at("power");

  BatteryFacts f;
  f.rating = batch.get(0, at("rating"));
  f.standby = batch.get(0, at("standby"));
  f.quadratic = batch.get(0, at("quadratic"));
  const double cells = batch.get(0, at("cells_in_series")) * batch.get(0, at("cells_in_parallel")) * batch.get(0, at("packs"));
  const double of_a_cell = f.rating * (1 + f.standby + f.quadratic + batch.get(0, at("own_use"))) / cells;  // W, at most
  f.current_share =
      std::min(1.0, of_a_cell / batch.get(0, at("voltage_min")) /
                        std::max(batch.get(0, at("discharge_current_max")), batch.get(0, at("charge_current_max"))));
  f.state_of_charge_min = batch.get(0, at("state_of_charge_min"));
  f.state_of_charge_max = batch.get(0, at("state_of_charge_max"));
  f.state_of_charge_start = batch.get(0, charge_state);
  for (int k = 0; k < energies; ++k) {
    batch.set(0, charge_state, k / (energies - 1.0));
    batch.prepare(0);
    f.energy.push_back(batch.get(0, content));
  }
  const int steps = std::max(1, static_cast<int>(settling / plan->step));
  const double hours = plan->step / 3600;
  for (int k = 0; k < powers; ++k) {
    const double wanted = f.rating * (2.0 * k / (powers - 1) - 1);
    batch.reset(0, {});
    batch.set(0, charge_state, 0.5 * (f.state_of_charge_min + f.state_of_charge_max));
    batch.set(0, at("commanded"), 1);
    batch.set(0, command, wanted);
    batch.prepare(0);
    // From the middle again for every step: what settles is the overvoltage, not the charge.
    double loss = 0;
    for (int n = 0; n < steps; ++n) {
      batch.set(0, charge_state, 0.5 * (f.state_of_charge_min + f.state_of_charge_max));
      batch.prepare(0);
      const double before = batch.get(0, content);
      batch.step(1);
      loss += (before - batch.get(0, content)) / hours - batch.get(0, power);
    }
    const bool possible = std::abs(batch.get(0, power) - wanted) < 1e-6 * f.rating;
    f.loss.push_back(possible ? loss / steps : std::numeric_limits<double>::quiet_NaN());
  }
  return f;
}

}  // namespace urja

#pragma once
// Key figures of a run, added up from the outputs and states that declare a KPI.
//
// An output in W counts over time and shows as kWh; a state shows its value at the end. Every asset that declares the same
// key adds to it. What follows from several of them (shares, total cost) is made here.
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/batch.hpp"

namespace urja {

// A quantity that declares a KPI shows as `factor` times its time integral (a flow) or its value (a state), in `unit`.
struct KpiScale {
  double factor;
  std::string unit;  // "money" for the scenario's currency
};
KpiScale kpi_scale(const Quantity& q);

// What cost_total is made of.
struct CostPart {
  const char* kpi;
  double sign;
};
inline constexpr CostPart cost_parts[] = {{"cost_energy", 1}, {"cost_demand", 1}, {"cost_fuel", 1}, {"revenue_export", -1}};

class KpiCounter {
 public:
  explicit KpiCounter(const Plan& plan, int lanes = 1);

  // What the Meter must sum, in this order, after `first` other quantities.
  const std::vector<Quantity>& metered() const { return metered_; }
  // Adds the steps since the meter was cleared.
  void add(const Meter& meter, int first, double dt);
  // What has been added up, to go on from in another process.
  std::vector<double> sums() const;                // lane by lane
  void set_sums(const std::vector<double>& sums);  // throws std::invalid_argument if they are another plant's
  // All figures of a lane as in the contract (design section 6); money rounded by nobody.
  nlohmann::json result(const Batch& batch, int lane = 0) const;

 private:
  struct Sum {
    std::string key, zone;
    int members;
  };
  double& joules(int lane, std::size_t sum) { return joules_[static_cast<std::size_t>(lane) * sums_.size() + sum]; }
  std::vector<Quantity> metered_;
  int lanes_;
  std::vector<Sum> sums_;
  std::vector<double> joules_;  // [lanes][sums]
  std::vector<Quantity> at_end_;
};

}  // namespace urja

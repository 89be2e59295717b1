#pragma once
// What the outside world does to a plant, as its engine computes it: the plant is stepped once, nobody commanding and no fault coming, and its
// own outputs are written down. There is no second copy of any equation here.
//
// Only what does not depend on what the plant decides is worth asking for: demand, available PV power, prices, the grid's limits in an
// outage, vehicles that come and go.
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/plan.hpp"

namespace urja {

// Means over whole intervals of so many steps from the plan's start on, [quantity][interval]; of a fleet's quantity with member -1 the sum
// over its members. `stretches`: the plan's time is cut into so many, which run side by side: quicker, but what has a memory of hours (a
// module's temperature) is off in the first steps of each. Throws std::runtime_error where a lane fails.
std::vector<std::vector<double>> series_of(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities,
                                           int per_interval, int stretches = 1);

// A vehicle at its charger.
struct SeenSession {
  int fleet = -1, member = -1;        // of the charger; -1: an asset of the plant itself
  int asset = 0;                      // its index in the plan, or in the fleet's
  double arrival = 0, departure = 0;  // s since the plan's start, at step boundaries
  double energy = 0, power_max = 0;   // Wh, W; what the vehicle's and the charger's rating allow
};
struct SeenSessions {
  std::vector<SeenSession> all;  // in the order of arrival
  double lost = 0;               // Wh of vehicles that never had a charger, or never for a whole step: unmet whatever is done
};
SeenSessions sessions_of(const std::shared_ptr<const Plan>& plan);

}  // namespace urja

#include "scenarios/planning/series.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/batch.hpp"

namespace urja {
namespace {

std::int64_t steps_of(const Plan& plan) { return std::llround((plan.end - plan.start) / plan.step); }

void must_be_well(const Batch& batch) {
  for (int lane = 0; lane < batch.lanes(); ++lane) {
    if (batch.status(lane) != Trouble::none) throw std::runtime_error("the plant stops by itself: " + batch.trouble(lane));
  }
}

}  // namespace

std::vector<std::vector<double>> series_of(const std::shared_ptr<const Plan>& plan, const std::vector<Quantity>& quantities,
                                           int per_interval, int stretches) {
  const auto all = static_cast<std::size_t>(steps_of(*plan) / per_interval), side = static_cast<std::size_t>(stretches);
  const std::size_t length = (all + side - 1) / side;
  Batch batch(plan, stretches);
  for (int lane = 0; lane < stretches; ++lane) {
    Batch::Start start;
    start.index = static_cast<std::int64_t>(length) * lane * per_interval;
    batch.reset(lane, start);
    batch.disarm(lane);
  }
  Meter meter(*plan, batch.blocks(), quantities);
  std::vector<std::vector<double>> series(quantities.size(), std::vector<double>(all));
  std::vector<double> sums(side);
  for (std::size_t t = 0; t < length; ++t) {
    meter.clear();
    batch.step(per_interval, 1, &meter);
    must_be_well(batch);
    for (std::size_t k = 0; k < quantities.size(); ++k) {
      meter.read(static_cast<int>(k), sums);
      for (std::size_t lane = 0; lane < side && lane * length + t < all; ++lane)
        series[k][lane * length + t] = sums[lane] / per_interval;
    }
  }
  return series;
}

namespace {

// A charger as it is watched.
struct Watched {
  SeenSession at;  // fleet, member, asset
  Quantity present, session, departure, still_wanted, vehicle_power, delivered, unmet;
  double rated = 0, sessions_before = 0, wanted_before = 0;
  bool present_before = false;
};

std::vector<Watched> chargers_of(const Plan& plan, const Batch& batch) {
  std::vector<Watched> all;
  const auto watch = [&](const Plan& home, int fleet, int member, const std::string& prefix) {
    for (std::size_t a = 0; a < home.assets.size(); ++a) {
      if (home.assets[a].type->name != "ev_charger") continue;
      const std::string name = prefix + home.assets[a].name + ".";
      const auto at = [&](const char* what) { return plan.find(name + what).value(); };
      Watched w{{fleet, member, static_cast<int>(a)},
                at("present"),
                at("session"),
                at("departure"),
                at("still_wanted"),
                at("vehicle_power"),
                at("delivered_power"),
                at("unmet_power")};
      w.rated = batch.get(0, at("rated")) * batch.get(0, at("derate"));
      all.push_back(w);
    }
  };
  watch(plan, -1, -1, "");
  for (std::size_t f = 0; f < plan.fleets.size(); ++f) {
    for (int m = 0; m < plan.fleets[f].members; ++m)
      watch(*plan.fleets[f].plan, static_cast<int>(f), m, plan.fleets[f].name + "." + std::to_string(m + 1) + ".");
  }
  return all;
}

}  // namespace

SeenSessions sessions_of(const std::shared_ptr<const Plan>& plan) {
  SeenSessions seen;
  Batch batch(plan, 1);
  batch.disarm(0);
  std::vector<Watched> chargers = chargers_of(*plan, batch);
  if (chargers.empty()) return seen;
  const std::int64_t all = steps_of(*plan);
  double booked = 0, explained = 0;  // Wh of unmet energy: by the chargers, and of vehicles that were seen
  for (std::int64_t done = 0;; ++done) {
    const double now = static_cast<double>(done) * plan->step;
    for (Watched& c : chargers) {
      const double count = batch.get(0, c.session), wanted = batch.get(0, c.still_wanted);
      const bool there = batch.get(0, c.present) > 0.5;
      // `session` counts who has come; one that is there at the start has been counted too.
      if (there && (count != c.sessions_before || !c.present_before)) {
        SeenSession s = c.at;
        s.arrival = now;
        s.departure = std::ceil(batch.get(0, c.departure) / plan->step - 1e-6) * plan->step;
        s.energy = wanted;
        s.power_max = std::min(c.rated, batch.get(0, c.vehicle_power));
        seen.all.push_back(s);
      }
      c.sessions_before = count, c.present_before = there, c.wanted_before = wanted;
    }
    if (done == all) break;
    batch.step(1);
    must_be_well(batch);
    for (Watched& c : chargers) {
      const double hours = plan->step / 3600;
      booked += batch.get(0, c.unmet) * hours;
      const bool left = c.present_before && (batch.get(0, c.present) < 0.5 || batch.get(0, c.session) != c.sessions_before);
      if (left) explained += std::max(0.0, c.wanted_before - batch.get(0, c.delivered) * hours);
    }
  }
  // A vehicle that comes at the very end has no step left.
  std::erase_if(seen.all, [&](const SeenSession& s) { return s.arrival >= static_cast<double>(all) * plan->step; });
  seen.lost = std::max(0.0, booked - explained);
  return seen;
}

}  // namespace urja

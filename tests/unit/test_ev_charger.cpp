// Chargers: what a vehicle takes, who stands where, and how a site is shared.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

constexpr double start = 1467331200, day = 86400;  // 2016-07-01 UTC
using Records = std::vector<std::vector<double>>;
using Choices = std::map<std::string, std::string>;
using Values = Plant::Values;

// {arrival, departure, energy} and what a session may state besides.
std::vector<double> session(double from, double until, double energy, double power = 0, double state = -1, double size = 0) {
  return {from, until, energy, power, state, size};
}

std::shared_ptr<void> settings_of(const Type& type, const Records& sessions, const Choices& choices) {
  auto settings = type.make_settings();
  for (const Setting& s : type.settings) s.write(settings.get(), s.start);
  for (const Choice& c : type.choices) c.write(settings.get(), choices.contains(c.name) ? choices.at(c.name) : c.start);
  for (const EventFile& f : type.files) f.write(settings.get(), sessions);
  return settings;
}

// A site: chargers `parking.k.charger` behind the grid connection `grid`.
class Site {
 public:
  Site(int chargers, double step, const Records& sessions, const Values& values = {}, const Choices& choices = {},
       double days = 366)
      : plan_(std::make_shared<Plan>(start, start + days * day, step)) {
    plan_->add_asset("grid", *find_type("grid"), 0, settings_of(*find_type("grid"), {}, {}));
    auto child = std::make_unique<Plan>(start, start + days * day, step);
    const Type& type = *find_type("ev_charger");
    child->add_asset("charger", type, 0, settings_of(type, sessions, choices));
    for (const auto& [name, value] : values) child->set_start(child->row_of(child->assets.front(), name), value);
    plan_->add_fleet("parking", std::move(child), chargers, 0);
    plan_->set_merit({"grid", "parking.charger"});
    plan_->finish();
    batch_ = std::make_unique<Batch>(plan_, 1);
  }
  Quantity at(const std::string& path) const {
    const auto q = plan_->find(path);
    if (!q) throw std::invalid_argument("no quantity " + path);
    return *q;
  }
  static std::string name(int member, const std::string& what) {
    return "parking." + std::to_string(member + 1) + ".charger." + what;
  }
  double get(const std::string& path, int lane = 0) const { return batch_->get(lane, at(path)); }
  double get(int member, const std::string& what) const { return get(name(member, what)); }
  void set(const std::string& path, double value) {
    batch_->set(0, at(path), value);
    if (at(path).kind == Kind::parameter) batch_->prepare(0);
  }
  void set(int member, const std::string& what, double value) { set(name(member, what), value); }
  Batch& batch() { return *batch_; }
  const Plan& plan() const { return *plan_; }
  // Energy [Wh] of all chargers over `steps` steps, for each of the outputs.
  std::vector<double> energy(const std::vector<std::string>& outputs, int steps) {
    std::vector<Quantity> quantities;
    for (const std::string& o : outputs) quantities.push_back(at("parking.charger." + o));
    Meter meter(*plan_, batch_->blocks(), quantities);
    batch_->step(steps, 1, &meter);
    std::vector<double> sums;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      double sum = 0;
      for (int m = 0; m < plan_->fleets.front().members; ++m) sum += meter.sum(0, static_cast<int>(k), m);
      sums.push_back(sum * plan_->step / 3600);
    }
    return sums;
  }

 private:
  std::shared_ptr<Plan> plan_;
  std::unique_ptr<Batch> batch_;
};

// A charger alone on a bus that takes what comes.
Plant alone(double step, const Records& sessions, const Values& values = {}, const Choices& choices = {}) {
  Plant plant(step, start);
  plant.add("ev", "ev_charger", values);
  const Type& type = *find_type("ev_charger");
  for (const Choice& c : type.choices)
    c.write(plant.settings("ev").get(), choices.contains(c.name) ? choices.at(c.name) : c.start);
  type.files.front().write(plant.settings("ev").get(), sessions);
  return plant;
}

// A year of made-up sessions: workdays are busy, some stays are shorter than a step, some vehicles want more than they can get.
Records a_year(int per_day, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> u(0, 1);
  Records all;
  for (int d = 0; d < 365; ++d) {
    const int count = d % 7 < 5 ? per_day : per_day / 3;
    for (int k = 0; k < count; ++k) {
      const double arrival = start + d * day + (u(random) + u(random)) * 0.45 * day;
      const double stay = u(random) < 0.05 ? 1 + 600 * u(random) : 3600 * (0.5 + 9 * u(random) * u(random));
      const double energy = 1e3 * (0.5 + 40 * u(random) * u(random));
      all.push_back(session(arrival, std::min(arrival + stay, start + 365.5 * day), energy, u(random) < 0.3 ? 3.7e3 : 0,
                            u(random) < 0.2 ? 0.6 * u(random) : -1, u(random) < 0.2 ? 40e3 : 0));
    }
  }
  return all;
}

}  // namespace

// ------------------------------------------------------------------------------------------------------ what a vehicle takes

TEST_CASE("the exact form does not depend on the step, the stepwise one comes near it", "[ev_charger]") {
  const Records one{session(start, start + day, 20e3, 7e3, 0.6, 50e3)};
  const auto after_two_hours = [&](double step, const char* acceptance) {
    Plant plant = alone(step, one, {}, {{"acceptance", acceptance}});
    return plant.run(static_cast<int>(7200 / step)).get("ev.state_of_charge");
  };
  const double exact = after_two_hours(7200, "exact");
  CHECK(exact > 0.8);
  CHECK(after_two_hours(900, "exact") == Approx(exact).epsilon(1e-13));
  CHECK(after_two_hours(1, "exact") == Approx(exact).epsilon(1e-11));
  CHECK(after_two_hours(1, "step") == Approx(exact).epsilon(1e-5));
  CHECK(std::abs(after_two_hours(10, "step") - exact) > 5 * std::abs(after_two_hours(1, "step") - exact));
}

TEST_CASE("a vehicle gets what it wants, at the plug, and no more", "[ev_charger]") {
  Plant plant = alone(600, {session(start, start + 8 * 3600, 9e3, 6e3)}, {{"efficiency", 0.85}});
  plant.batch();
  CHECK(plant.get("ev.present") == 1);
  CHECK(plant.get("ev.state_of_charge") == Approx(0.9 - 0.85 * 9 / 60));
  plant.run();
  CHECK(plant.get("ev.power") == Approx(-6000));
  CHECK(plant.get("ev.battery_power") == Approx(0.85 * 6000));
  CHECK(plant.get("ev.charging_loss") == Approx(0.15 * 6000));
  plant.run(46);
  CHECK(plant.get("ev.still_wanted") == 0);
  CHECK(plant.get("ev.power") == 0);
  CHECK(plant.get("ev.state_of_charge") == Approx(0.9));
  plant.run();
  CHECK(plant.get("ev.present") == 0);
  CHECK(plant.get("ev.unmet_power") == 0);
  CHECK(plant.batch().all_well());
}

TEST_CASE("a battery too small for the wanted energy is taken to be larger", "[ev_charger]") {
  Plant plant = alone(60, {session(start, start + day, 90e3)});
  plant.batch();
  CHECK(plant.get("ev.state_of_charge") == 0);
  CHECK(plant.get("ev.vehicle_capacity") == Approx(90e3));  // 0.9 into the battery, up to 0.9
}

TEST_CASE("a pilot below the smallest current is a pause", "[ev_charger]") {
  Plant plant = alone(60, {session(start, start + day, 20e3)});
  plant.batch();
  const auto power = [&](double limit) { return plant.set("ev.power_limit", limit).run().get("ev.delivered_power"); };
  CHECK(power(1e6) == Approx(7360));
  CHECK(power(3000) == Approx(3000));
  CHECK(power(1380) == Approx(1380));
  CHECK(power(1379) == 0);
  CHECK(power(0) == 0);
  plant.set("ev.derate", 0.5);
  CHECK(power(1e6) == Approx(3680));
}

TEST_CASE("a command is clipped to what the vehicle takes", "[ev_charger]") {
  Plant plant = alone(60, {session(start, start + day, 20e3)});
  plant.set("ev.commanded", 1).set("ev.command", -2000).run();
  CHECK(plant.get("ev.delivered_power") == Approx(2000));
  plant.set("ev.command", -9000).run();
  CHECK(plant.get("ev.delivered_power") == Approx(7360));
  plant.set("ev.command", 500).run();
  CHECK(plant.get("ev.delivered_power") == 0);
}

TEST_CASE("a charger lets go of a dead bus and comes back", "[ev_charger]") {
  Site site(3, 60, {session(start, start + day, 40e3)});
  site.batch().step();
  CHECK(site.get(0, "delivered_power") == Approx(7360));
  site.set("grid.connected", 0);
  site.batch().step();
  CHECK(site.get(0, "delivered_power") == 0);
  site.set("grid.connected", 1);
  site.batch().step(5);
  CHECK(site.get(0, "delivered_power") == 0);  // 300 s of a healthy bus
  site.batch().step();
  CHECK(site.get(0, "delivered_power") == Approx(7360));
  CHECK(site.batch().all_well());
}

// ------------------------------------------------------------------------------------------------------------ who stands where

TEST_CASE("arrivals and departures take effect at the boundary at or after them", "[ev_charger]") {
  // Present from 120 s to 240 s; the second fits between two boundaries; the third comes when the first leaves.
  Plant plant = alone(
      60,
      {session(start + 61, start + 181, 50e3), session(start + 250, start + 290, 700), session(start + 181, start + 235, 3e3)},
      {}, {{"when_full", "queue"}});
  const std::array<double, 6> present{0, 1, 1, 0, 0, 0}, delivered{0, 0, 7360, 7360, 0, 0};
  double unmet = 0;
  for (std::size_t k = 0; k < present.size(); ++k) {
    plant.run();
    INFO("step " << k);
    CHECK(plant.get("ev.present") == present[k]);
    CHECK(plant.get("ev.delivered_power") == Approx(delivered[k]));
    unmet += plant.get("ev.unmet_power") / 60;
    if (k == 3) CHECK(unmet == Approx(50e3 - 2 * 7360 / 60. + 3e3));  // the third fits between 180 s and 240 s
  }
  CHECK(unmet == Approx(50e3 - 2 * 7360 / 60. + 3e3 + 700));
}

TEST_CASE("who finds the site full queues or leaves", "[ev_charger]") {
  const Records two{session(start, start + 3600, 20e3), session(start + 600, start + 7200, 5e3)};
  for (const char* choice : {"queue", "leave"}) {
    Site site(1, 600, two, {}, {{"when_full", choice}});
    const bool queues = std::string(choice) == "queue";
    const auto sums = site.energy({"delivered_power", "unmet_power"}, 11);
    CHECK(sums[0] == Approx(7360 + (queues ? 5e3 : 0)));
    CHECK(sums[1] == Approx(20e3 - 7360));
    CHECK(site.get(0, "present") == (queues ? 1 : 0));
    CHECK(site.energy({"unmet_power"}, 1)[0] == Approx(queues ? 0 : 5e3).margin(1e-9));
  }
}

TEST_CASE("wanted is delivered or unmet, over a year", "[ev_charger]") {
  for (int chargers : {1, 5, 12, 54}) {
    for (const char* choice : {"queue", "leave"}) {
      const Records sessions = a_year(2 * chargers, static_cast<std::uint64_t>(chargers));
      const double wanted =
          std::accumulate(sessions.begin(), sessions.end(), 0.0, [](double sum, const auto& s) { return sum + s[2]; });
      Site site(chargers, 900, sessions, {}, {{"when_full", choice}});
      site.set("grid.import_limit", 3e3 * chargers);
      const auto sums = site.energy({"delivered_power", "unmet_power", "battery_power", "charging_loss"}, 366 * 96);
      INFO(chargers << " chargers, " << choice << ": of " << wanted / 1e3 << " kWh " << sums[1] / 1e3 << " unmet; "
                    << site.batch().trouble(0));
      CHECK(std::abs(wanted - sums[0] - sums[1]) < 1e-9 * wanted);
      CHECK(sums[2] + sums[3] == Approx(sums[0]).epsilon(1e-12));
      CHECK(sums[1] > 0.01 * wanted);
      CHECK(sums[0] > 0.2 * wanted);
      CHECK(site.batch().all_well());
      CHECK(site.batch().ledger_worst(0) < 1);
    }
  }
}

TEST_CASE("the queue is that of an independent simulation of a real site", "[ev_charger]") {
  // Measured sessions; the queues that SOURCE.md of the data states were found by another program.
  std::ifstream file(std::string(URJA_SOURCE_DIR) + "/scenarios/data/ev_workplace/sessions.csv");
  REQUIRE(file);
  const auto seconds = [](const std::string& t) {
    const auto number = [&](std::size_t at, std::size_t count) { return std::stoi(t.substr(at, count)); };
    const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(8, 2)))};
    return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) * day + number(11, 2) * 3600 +
           number(14, 2) * 60 + number(17, 2);
  };
  Records sessions;
  std::string line, from, until, energy;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream text(line);
    std::getline(text, from, ','), std::getline(text, until, ','), std::getline(text, energy, ',');
    sessions.push_back(session(seconds(from), seconds(until), 1e3 * std::stod(energy), 6.6e3));
  }
  REQUIRE(sessions.size() == 2354);
  const double shift = start - std::floor(sessions.front()[0] / day) * day;  // into the tests' year
  for (auto& s : sessions) s[0] += shift, s[1] += shift;

  struct Stay {
    double from, until;
    int charger;
  };
  struct Expected {
    int chargers, queued, lost;
  };
  for (const Expected& expected : {Expected{12, 96, 0}, {10, 213, 4}, {8, 408, 20}}) {
    // Event by event with an explicit queue: departures first, then whoever waits longest, then arrivals.
    std::vector<Stay> stays;
    std::deque<std::size_t> waiting;
    std::set<std::pair<double, int>> busy;  // until when, which
    std::set<int> free;
    for (int k = 0; k < expected.chargers; ++k) free.insert(k);
    int queued = 0, lost = 0;
    double waited = 0, longest = 0;
    const auto take = [&](std::size_t k, double now) {
      const int charger = *free.begin();
      free.erase(free.begin());
      stays.push_back({now, sessions[k][1], charger});
      busy.insert({sessions[k][1], charger});
      waited += now - sessions[k][0];
      longest = std::max(longest, now - sessions[k][0]);
    };
    const auto departures_until = [&](double now) {
      while (!busy.empty() && busy.begin()->first <= now) {
        const auto [time, charger] = *busy.begin();
        busy.erase(busy.begin());
        free.insert(charger);
        while (!waiting.empty() && !free.empty()) {
          const std::size_t next = waiting.front();
          waiting.pop_front();
          if (sessions[next][1] <= time) ++lost;
          else take(next, time);
        }
      }
    };
    for (std::size_t k = 0; k < sessions.size(); ++k) {
      departures_until(sessions[k][0]);
      if (free.empty()) waiting.push_back(k), ++queued;
      else take(k, sessions[k][0]);
    }
    departures_until(1e300);
    CHECK(queued == expected.queued);
    CHECK(lost == expected.lost);
    if (expected.chargers == 12) {
      CHECK(waited / queued / 60 == Approx(44).margin(0.5));
      CHECK(longest / 60 == Approx(112).margin(0.5));
    }

    // Ours: at every boundary the same chargers are taken.
    Site site(expected.chargers, 300, sessions, {{"rated", 6.6e3}, {"target", 0.8}}, {}, 281);
    std::vector<std::vector<char>> taken(static_cast<std::size_t>(expected.chargers), std::vector<char>(281 * 288 + 1, 0));
    for (const Stay& s : stays) {
      for (auto k = static_cast<std::size_t>(std::ceil((s.from - start) / 300)); start + 300. * static_cast<double>(k) < s.until;
           ++k)
        taken[static_cast<std::size_t>(s.charger)][k] = 1;
    }
    std::vector<Quantity> present;
    for (int m = 0; m < expected.chargers; ++m) present.push_back(site.at(Site::name(m, "present")));
    Quantity unmet_power = site.at("parking.charger.unmet_power");
    int different = 0;
    double unmet = 0;
    for (std::size_t k = 1; k <= 281 * 288; ++k) {
      site.batch().step();
      for (std::size_t m = 0; m < present.size(); ++m) different += site.batch().get(0, present[m]) != taken[m][k];
      unmet += site.batch().get(0, unmet_power) * 300 / 3.6e6;
    }
    CHECK(different == 0);
    if (expected.chargers == 12) CHECK(unmet == Approx(20).margin(3));  // kWh, steps of 5 min
  }
}

TEST_CASE("an episode may start at any step, with any step length", "[ev_charger]") {
  const Records sessions = a_year(10, 4);
  for (double dt : {900.0, 60.0, 700.0}) {
    Site from_begin(5, dt, sessions), from_middle(5, dt, sessions), other(5, 300, sessions);
    const int index = static_cast<int>(3.4 * day / dt);
    from_begin.batch().step(index);
    from_middle.batch().reset(0, {.key = 0, .index = index});
    other.batch().reset(0, {.key = 0, .index = index, .dt = dt});
    int present = 0;
    for (int m = 0; m < 5; ++m) {
      for (const char* what : {"present", "session", "lost_session", "next_event"}) {
        CHECK(from_middle.get(m, what) == from_begin.get(m, what));
        CHECK(other.get(m, what) == from_begin.get(m, what));
      }
      if (from_begin.get(m, "present") == 0) continue;
      ++present;
      CHECK(from_middle.get(m, "departure") == from_begin.get(m, "departure"));
      CHECK(from_middle.get(m, "still_wanted") >= from_begin.get(m, "still_wanted"));
    }
    CHECK(present > 0);
  }
}

TEST_CASE("a vehicle that is there before the plan starts is served from then on", "[ev_charger]") {
  Plant plant = alone(60, {session(start - 7200, start - 60, 5e3), session(start - 3600, start + 3600, 4e3),
                           session(start + 4000, start + 5000, 1e3)});
  plant.batch();
  CHECK(plant.get("ev.present") == 1);
  CHECK(plant.get("ev.still_wanted") == 4e3);
  double delivered = 0, unmet = 0;
  for (int k = 0; k < 100; ++k) {
    plant.run();
    delivered += plant.get("ev.delivered_power") / 60;
    unmet += plant.get("ev.unmet_power") / 60;
  }
  CHECK(delivered == Approx(5e3));
  CHECK(unmet == 0);
}

TEST_CASE("sessions that cannot be are refused with their number", "[ev_charger]") {
  const auto message = [](const std::vector<double>& second) -> std::string {
    try {
      alone(60, {session(start, start + 60, 1), second}).batch();
    } catch (const std::invalid_argument& e) { return e.what(); }
    return "";
  };
  CHECK(message(session(start, start, 1)) == "ev: sessions: record 2: the departure is not after the arrival");
  CHECK(message(session(start, start + 60, 0)) == "ev: sessions: record 2: the energy is not above zero");
  CHECK(message(session(start, start + 60, std::nan(""))) == "ev: sessions: record 2: a value is not a finite number");
  CHECK(message(session(start, start + 60, 1, -5)) == "ev: sessions: record 2: the maximum power is negative");
  CHECK(message(session(start, start + 60, 1, 0, 1.2)) == "ev: sessions: record 2: the state of charge is above 1");
  CHECK(message(session(start, start + 60, 1)) == "");
}

// -------------------------------------------------------------------------------------------------------- how a site is shared

namespace {

struct Wish {
  double need, floor, laxity;
};

// Water-filling, one by one: the level rises from breakpoint to breakpoint until the power is used up.
std::vector<double> fill(const std::vector<Wish>& wishes, double power) {
  std::vector<std::size_t> order(wishes.size()), in;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wishes[a].laxity < wishes[b].laxity; });
  double floors = 0;
  for (const Wish& w : wishes) floors += w.floor;
  double room = power;
  for (std::size_t k : order) {
    if (floors > power && wishes[k].floor > room) continue;
    room -= wishes[k].floor;
    in.push_back(k);
  }
  std::vector<double> get(wishes.size(), 0.0), levels;
  for (std::size_t k : in) levels.push_back(wishes[k].floor), levels.push_back(wishes[k].need);
  std::sort(levels.begin(), levels.end());
  const auto used = [&](double level) {
    double sum = 0;
    for (std::size_t k : in) sum += std::clamp(level, wishes[k].floor, wishes[k].need);
    return sum;
  };
  double level = levels.empty() ? 0 : levels.back();
  for (std::size_t k = 0; k + 1 < levels.size(); ++k) {
    const double a = used(levels[k]), b = used(levels[k + 1]);
    if (b < power || b <= a) continue;
    level = levels[k] + (levels[k + 1] - levels[k]) * (power - a) / (b - a);
    break;
  }
  for (std::size_t k : in) get[k] = std::clamp(level, wishes[k].floor, wishes[k].need);
  return get;
}

struct Vehicle {
  bool here;
  double power, wanted, departure;
};

void park(Site& site, const std::vector<Vehicle>& vehicles) {
  for (std::size_t k = 0; k < vehicles.size(); ++k) {
    const int m = static_cast<int>(k);
    site.set(m, "present", vehicles[k].here ? 1 : 0);
    site.set(m, "still_wanted", vehicles[k].here ? vehicles[k].wanted : 0);
    site.set(m, "vehicle_power", vehicles[k].power);
    site.set(m, "vehicle_capacity", 60e3);
    site.set(m, "state_of_charge", 0.3);
    site.set(m, "departure", vehicles[k].departure);
    site.set(m, "next_event", 1e300);
  }
}

}  // namespace

TEST_CASE("a site is shared max-min fair, above the floors, the least slack first", "[ev_charger][balance]") {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> u(0, 1);
  int paused_somebody = 0, shared = 0;
  for (int chargers : {1, 5, 12, 54}) {
    Site site(chargers, 300, {});
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<Vehicle> vehicles;
      for (int k = 0; k < chargers; ++k) {
        vehicles.push_back({u(random) < 0.8, u(random) < 0.2 ? 300 + 1000 * u(random) : 1400 + 9e3 * u(random),
                            u(random) < 0.1 ? 100 * u(random) : 30e3 * u(random), 1e9 + 36e3 * u(random)});
      }
      const double limit = (trial % 2 ? 8e3 : 1.5e3) * chargers * u(random);
      park(site, vehicles);
      site.set("grid.import_limit", limit);
      site.batch().step();

      std::vector<Wish> wishes;
      double sum = 0;
      for (int k = 0; k < chargers; ++k) {
        const double need = -site.get(k, "power_min");
        wishes.push_back({need, std::min(need, 1380.0), site.get(k, "laxity")});
        const Vehicle& v = vehicles[static_cast<std::size_t>(k)];
        CHECK(need == Approx(v.here ? std::min({v.power, 7360.0, v.wanted * 12}) : 0).epsilon(1e-12));
      }
      const std::vector<double> expected = fill(wishes, limit);
      double worst = 0;
      bool below_floor = false;
      for (int k = 0; k < chargers; ++k) {
        const auto at = static_cast<std::size_t>(k);
        const double got = site.get(k, "delivered_power");
        sum += got;
        worst = std::max(worst, std::abs(got - expected[at]));
        below_floor = below_floor || (got > 0 && got < wishes[at].floor * (1 - 1e-12));
        paused_somebody += got == 0 && wishes[at].need > 0;
        shared += got > wishes[at].floor && got < wishes[at].need;
      }
      INFO(chargers << " chargers, trial " << trial << ", limit " << limit);
      CHECK(worst <= 1e-9 * limit);
      CHECK(sum <= limit * (1 + 1e-9));
      CHECK(site.get("grid.power") == Approx(sum).epsilon(1e-9).margin(1e-9));
      CHECK_FALSE(below_floor);
      CHECK(std::abs(site.batch().head(0).account.spill[0]) <= 1e-9 * limit);
      REQUIRE(site.batch().all_well());
    }
  }
  CHECK(paused_somebody > 100);
  CHECK(shared > 100);
}

TEST_CASE("where a vehicle stands does not change its share", "[ev_charger][balance]") {
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> u(0, 1);
  for (double limit : {30e3, 90e3}) {  // some pause; all have their floor
    std::vector<Vehicle> vehicles;
    for (int k = 0; k < 54; ++k)
      vehicles.push_back({true, 2e3 + 6e3 * u(random), 5e3 + 20e3 * u(random), 1e9 + 36e3 * u(random)});
    std::vector<std::size_t> place(54);
    std::iota(place.begin(), place.end(), std::size_t{0});
    std::vector<double> first;
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<Vehicle> moved(54);
      for (std::size_t k = 0; k < 54; ++k) moved[place[k]] = vehicles[k];
      Site site(54, 300, {});
      park(site, moved);
      site.set("grid.import_limit", limit);
      site.batch().step();
      std::vector<double> got;
      for (std::size_t k = 0; k < 54; ++k) got.push_back(site.get(static_cast<int>(place[k]), "delivered_power"));
      if (first.empty()) first = got;
      for (std::size_t k = 0; k < 54; ++k) CHECK(got[k] == Approx(first[k]).epsilon(1e-10).margin(1e-9));
      std::shuffle(place.begin(), place.end(), random);
    }
  }
}

}  // namespace urja::tests

// The balance against a second one, written for one lane from the words at the head of engine/balance.hpp, on random plants;
// and against the properties that those words promise.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

struct Asset {
  double low, high, wish, command;
  bool commanded;
  int bus, place;  // in the merit list; -1: not in it
};
struct Feeder {
  int parent;
  double limit;
};

// One lane, nothing kept between questions: every flow is summed anew.
class Oracle {
 public:
  Oracle(const std::vector<Asset>& assets, const std::vector<Feeder>& feeders)
      : assets_(assets), feeders_(feeders), cut(feeders.size(), 0) {
    for (const Asset& a : assets_) p.push_back(std::clamp(a.commanded ? a.command : a.wish, a.low, a.high));
    for (int f = static_cast<int>(feeders_.size()) - 1; f > 0; --f) relieve(f);
    for (const bool commanded : {false, true}) {
      for (const int a : in_merit_order(commanded)) move(a, -flow(0), 0);
    }
    cut[0] = -flow(0);
  }
  std::vector<double> p;

 private:
  std::vector<Asset> assets_;
  std::vector<Feeder> feeders_;

 public:
  std::vector<double> cut;  // what was booked as spill at each feeder; 0 is the plant

  bool below(int bus, int top) const {
    while (bus != top && bus > 0) bus = feeders_[static_cast<std::size_t>(bus)].parent;
    return bus == top;
  }
  double flow(int bus) const {
    double sum = 0;
    for (std::size_t a = 0; a < p.size(); ++a) sum += below(assets_[a].bus, bus) ? p[a] : 0;
    for (std::size_t f = 0; f < cut.size(); ++f) sum += below(static_cast<int>(f), bus) ? cut[f] : 0;
    return sum;
  }
  // How far an asset could still go up (or down), by its limits and the feeders between it and `top`.
  double room(int a, bool up, int top) const {
    const auto k = static_cast<std::size_t>(a);
    double room = up ? assets_[k].high - p[k] : p[k] - assets_[k].low;
    for (int f = assets_[k].bus; f != top; f = feeders_[static_cast<std::size_t>(f)].parent) {
      const double limit = feeders_[static_cast<std::size_t>(f)].limit;
      room = std::min(room, up ? limit - flow(f) : limit + flow(f));
    }
    return std::max(room, 0.0);
  }
  std::vector<int> in_merit_order(bool commanded) const {
    std::vector<int> list;
    for (int place = 0; place < static_cast<int>(assets_.size()); ++place) {
      for (std::size_t a = 0; a < assets_.size(); ++a) {
        if (assets_[a].place == place && assets_[a].commanded == commanded) list.push_back(static_cast<int>(a));
      }
    }
    return list;
  }

 private:
  void move(int a, double wanted, int top) {
    const double far = room(a, wanted > 0, top);
    p[static_cast<std::size_t>(a)] += std::clamp(wanted, -far, far);
  }
  double excess(int f) const {
    const double limit = feeders_[static_cast<std::size_t>(f)].limit;
    return flow(f) - std::clamp(flow(f), -limit, limit);
  }
  void relieve(int f) {
    for (const bool commanded : {false, true}) {
      for (const int a : in_merit_order(commanded)) {
        if (below(assets_[static_cast<std::size_t>(a)].bus, f)) move(a, -excess(f), f);
      }
    }
    cut[static_cast<std::size_t>(f)] = -excess(f);
  }
};

struct Random {
  std::mt19937 engine;
  int upto(int n) { return static_cast<int>(engine() % static_cast<unsigned>(n + 1)); }
  bool one_in(int n) { return upto(n - 1) == 0; }
  double power() { return one_in(5) ? 1000.0 * upto(10) : 1e4 * (engine() / 4294967296.0); }
};

Asset random_asset(Random& random, int bus) {
  Asset a{};
  a.low = random.one_in(4) ? 0 : random.one_in(6) ? random.power() : -random.power();
  a.high = random.one_in(6) ? a.low : a.low + 2 * random.power();
  a.wish = random.one_in(4) ? 0 : 2 * random.power() - 1e4;
  a.command = 3 * random.power() - 1.5e4;
  a.commanded = random.one_in(4);
  a.bus = bus;
  return a;
}

}  // namespace

TEST_CASE("the balance does what its words say, on random plants", "[balance][oracle]") {
  constexpr int lanes_here = 11;
  Random random{std::mt19937(2024)};
  long cuts = 0, spills = 0, moved_commands = 0, feeders_at_limit = 0;
  for (int round = 0; round < 400; ++round) {
    const int count = 2 + random.upto(10), below_plant = random.upto(4);
    std::vector<Feeder> feeders{{-1, 1e300}};
    Plant plant;
    for (int f = 1; f <= below_plant; ++f) {
      feeders.push_back({random.upto(f - 1), random.one_in(8) ? 0 : random.power()});
      plant.plan().add_bus("feeder" + std::to_string(f), feeders.back().parent, feeders.back().limit);
    }
    std::vector<int> buses, places(static_cast<std::size_t>(count), -1), order;
    for (int a = 0; a < count; ++a) {
      buses.push_back(random.upto(below_plant));
      plant.add("asset" + std::to_string(a), "test_port", {}, "", buses.back());
      if (!random.one_in(5)) order.push_back(a);
    }
    std::shuffle(order.begin(), order.end(), random.engine);
    std::vector<std::string> merit;
    for (std::size_t k = 0; k < order.size(); ++k) {
      places[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
      merit.push_back("asset" + std::to_string(order[k]));
    }
    plant.balance(merit).batch(lanes_here);

    for (int step = 0; step < 3; ++step) {
      std::vector<std::vector<Asset>> lanes_assets;
      for (int lane = 0; lane < lanes_here; ++lane) {
        auto& assets = lanes_assets.emplace_back();
        for (int a = 0; a < count; ++a) {
          Asset asset = random_asset(random, buses[static_cast<std::size_t>(a)]);
          asset.place = places[static_cast<std::size_t>(a)];
          const std::string name = "asset" + std::to_string(a);
          plant.set(name + ".low", asset.low, lane).set(name + ".high", asset.high, lane).set(name + ".wish", asset.wish, lane);
          plant.set(name + ".command", asset.command, lane).set(name + ".commanded", asset.commanded ? 1 : 0, lane);
          assets.push_back(asset);
        }
      }
      plant.run();
      for (int lane = 0; lane < lanes_here; ++lane) {
        CAPTURE(round, step, lane, count, below_plant);
        const auto& assets = lanes_assets[static_cast<std::size_t>(lane)];
        Oracle oracle(assets, feeders);
        const double spill = plant.get("spill.power", lane);
        double sum = spill, booked = 0, clipped = 0;
        for (int a = 0; a < count; ++a) {
          const Asset& asset = assets[static_cast<std::size_t>(a)];
          const double p = plant.get("asset" + std::to_string(a) + ".power", lane);
          sum += p;
          if (!(std::abs(p - oracle.p[static_cast<std::size_t>(a)]) <= 1e-6))
            FAIL("asset" << a << " gives " << p << ", the oracle says " << oracle.p[static_cast<std::size_t>(a)]);
          REQUIRE((p >= asset.low && p <= asset.high));
          if (asset.commanded) {
            const double allowed = std::clamp(asset.command, asset.low, asset.high);
            clipped += std::abs(asset.command - allowed);
            moved_commands += std::abs(p - allowed) > 1e-6;
          }
          oracle.p[static_cast<std::size_t>(a)] = p;
        }
        REQUIRE(std::abs(sum) < 1e-6);
        REQUIRE(plant.get("plant.clipped", lane) == Approx(clipped).margin(1e-6));
        REQUIRE(plant.get("plant.unserved_power", lane) == Approx(std::max(spill, 0.0)).margin(1e-9));
        for (const double cut : oracle.cut) booked += cut;
        REQUIRE(spill == Approx(booked).margin(1e-6));
        spills += std::abs(spill) > 1;

        for (int f = 1; f <= below_plant; ++f) {
          const double flow = plant.get("feeder" + std::to_string(f) + ".flow", lane),
                       limit = feeders[static_cast<std::size_t>(f)].limit;
          REQUIRE(std::abs(flow) <= limit + 1e-6);
          REQUIRE(flow == Approx(oracle.flow(f)).margin(1e-6));
          feeders_at_limit += limit > 0 && std::abs(std::abs(flow) - limit) < 1e-6;
          cuts += std::abs(oracle.cut[static_cast<std::size_t>(f)]) > 1;
        }
        // Nobody who could help stands by while the plant spills.
        const double left = oracle.cut[0];
        if (std::abs(left) > 1e-3) {
          for (const bool commanded : {false, true}) {
            for (const int a : oracle.in_merit_order(commanded)) REQUIRE(oracle.room(a, left > 0, 0) < 1e-6);
          }
        }
        // Without feeders: who has moved stands behind nobody who could have; commands move last of all.
        if (below_plant > 0) continue;
        bool exhausted = true;
        for (const bool commanded : {false, true}) {
          for (const int a : oracle.in_merit_order(commanded)) {
            const Asset& asset = assets[static_cast<std::size_t>(a)];
            const double from = std::clamp(commanded ? asset.command : asset.wish, asset.low, asset.high),
                         p = oracle.p[static_cast<std::size_t>(a)];
            if (std::abs(p - from) > 1e-6) REQUIRE(exhausted);
            const double residual_before = p - from;  // its sign is the direction in which help was wanted
            if (residual_before > 0) exhausted = exhausted && asset.high - p < 1e-6;
            else if (residual_before < 0) exhausted = exhausted && p - asset.low < 1e-6;
            else if (std::abs(p - asset.low) > 1e-6 && std::abs(p - asset.high) > 1e-6) exhausted = false;
          }
        }
      }
    }
  }
  CAPTURE(cuts, spills, moved_commands, feeders_at_limit);
  CHECK((cuts > 100 && spills > 1000 && moved_commands > 1000 && feeders_at_limit > 1000));
}

TEST_CASE("who is in no merit list keeps his wish or command", "[balance]") {
  Plant plant;
  plant.add("load", "test_port", {{"low", -3e3}, {"wish", -3e3}}).add("store", "test_port", {{"low", -5e3}, {"high", 5e3}});
  plant.balance({}).run();
  CHECK(plant.get("load.power") == -3e3);
  CHECK(plant.get("store.power") == 0);
  CHECK(plant.get("spill.power") == 3e3);
  CHECK(plant.get("plant.unserved_power") == 3e3);
  CHECK(plant.get("plant.interrupted") == 1);
  plant.set("store.commanded", 1).set("store.command", 9e3).run();
  CHECK(plant.get("store.power") == 5e3);
  CHECK(plant.get("store.clipped") == 4e3);
  CHECK(plant.get("spill.power") == -2e3);
  CHECK(plant.get("plant.unserved_power") == 0);
}

TEST_CASE("reactive power goes down the merit list", "[balance][reactive]") {
  Plant plant;
  plant.add("load", "test_port", {{"low", -1e3}, {"wish", -1e3}, {"q_wish", -700}, {"q_low", -700}, {"q_high", -700}});
  plant.add("first", "test_port", {{"q_low", -100}, {"q_high", 200}})
      .add("second", "test_port", {{"high", 1e4}, {"q_low", -400}, {"q_high", 400}});
  plant.balance({"first", "second"}).run();
  CHECK(plant.get("first.reactive_power") == 200);
  CHECK(plant.get("second.reactive_power") == 400);
  CHECK(plant.get("spill.reactive_power") == 100);
  // What hangs on the wish follows what became of it.
  Plant shed;
  shed.add("load", "test_port", {{"low", -1e3}, {"wish", -1e3}, {"q_wish", -600}, {"q_low", -600}, {"q_high", -600}});
  shed.add("source", "test_port", {{"high", 250}, {"q_low", -1e6}, {"q_high", 1e6}}).balance({"source", "load"}).run();
  CHECK(shed.get("load.power") == -250);
  CHECK(shed.get("load.reactive_power") == -150);
  CHECK(shed.get("source.reactive_power") == 150);
}

}  // namespace urja::tests

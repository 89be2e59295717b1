// The promise of determinism (design section 5) on a plant that has everything: lane k of N is that lane alone, bit for bit,
// for any number of threads and whatever its neighbours do; snapshots, branches and resets leave no trace; a step allocates
// nothing.
//
//   plant -- grid, battery, genset, pv, pv_profile, four loads in four zones, off_grid controller (sheds homes' loads too)
//      street (feeder) -- homes: 11 x (pv_profile, battery, load)
//         car_park (feeder) -- parking: 13 x ev_charger with sessions
//
// No two lanes are alike: an `identity` decides parameters, start states, length and number of the first step, and the key.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/random.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"

// ------------------------------------------------------------------- every allocation of the test program is counted here

namespace {
std::atomic<long> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* room = alignment <= alignof(std::max_align_t) ? std::malloc(rounded) : std::aligned_alloc(alignment, rounded);
  if (!room) throw std::bad_alloc();
  return room;
}
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
// std::stable_sort asks for its room this way.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void operator delete(void* room) noexcept { std::free(room); }
[[gnu::noinline]] void operator delete(void* room, std::size_t) noexcept { std::free(room); }
[[gnu::noinline]] void operator delete(void* room, std::align_val_t) noexcept { std::free(room); }
[[gnu::noinline]] void operator delete(void* room, std::size_t, std::align_val_t) noexcept { std::free(room); }

namespace urja::tests {
namespace {

constexpr double noon = 1467331200 + 12 * 3600;  // 2016-07-01 12:00 UTC
constexpr int homes = 11, chargers = 13;

// A number in [0, 1) from what it is for.
double chance(int identity, std::uint32_t what) { return draw(static_cast<std::uint64_t>(identity), 0, 0, what, 0).uniform[0]; }

int add(Plan& plan, const std::string& name, const std::string& model, int bus = 0, const std::string& tag = "",
        const std::string& entries = "", int members = 1) {
  const Type* type = find_type(model);
  REQUIRE(type);
  auto settings = type->make_settings();
  for (const Setting& s : type->settings) s.write(settings.get(), s.start);
  for (const Choice& c : type->choices) c.write(settings.get(), c.name == type->tag_choice && !tag.empty() ? tag : c.start);
  for (const EventFile& file : type->files) {
    std::vector<std::vector<double>> records;
    for (int k = 0; k < 120; ++k) {
      const double begin = noon - 3600 + 240.0 * k, length = 900 + 7200 * chance(k, 1), energy = 300 + 6000 * chance(k, 2);
      if (model == "ev_charger") records.push_back({begin, begin + length, energy, 0, -1, 0});
      else if (k % 8 == 0) records.push_back({begin, begin + 2400, 300, 1500, k % 16 == 0 ? 1.0 : 0.0});
    }
    file.write(settings.get(), records);
  }
  const int index = plan.add_asset(name, *type, bus, settings, tag);
  if (!entries.empty()) {
    Problems problems;
    std::string currency;
    AssetReader reader(problems, *Zone::find("UTC"), {}, currency);
    reader.driven_alone = true;  // its inputs come from profiles
    reader.read({&plan, index, members}, parse_yaml(entries, name, problems), {});
    INFO(problems.text());
    REQUIRE(problems.empty());
  }
  return index;
}

int row(const Plan& plan, const std::string& asset, const std::string& member) { return plan.row_of(*plan.asset(asset), member); }

// A profile of rows `interval` apart, one column for each target.
Profile wave(double interval, const std::vector<int>& rows, double size, int members = 1) {
  constexpr int count = 400;
  const int wide = (members + width - 1) / width * width, per_target = members > 1 ? wide : 1,
            columns = static_cast<int>(rows.size()) * per_target;
  std::vector<double> values;
  for (int r = 0; r < count; ++r) {
    for (int c = 0; c < columns; ++c) values.push_back(size * chance(r, static_cast<std::uint32_t>(c) + 100));
  }
  Profile profile = Profile::even(0, interval, count, columns, values);
  for (std::size_t t = 0; t < rows.size(); ++t)
    profile.targets.push_back({rows[t], static_cast<int>(t) * per_target, per_target});
  return profile;
}

std::shared_ptr<const Plan> mixed_plant() {
  auto plan = std::make_shared<Plan>(noon, noon + 2 * 86400, 60);
  const int street = plan->add_bus("street", 0, 10e3), car_park = plan->add_bus("car_park", street, 8e3);
  add(*plan, "pv", "pv", 0, "", "{rated: 8 kW}");
  add(*plan, "roof", "pv_profile");
  add(*plan, "battery", "battery", 0, "", "{set: lfp_64kwh, rating: 20 kW}");
  add(*plan, "grid", "grid", 0, "", "{import_limit: 15 kW, export_limit: 6 kW, demand_charge: 10 USD/kW}");
  add(*plan, "genset", "genset", 0, "", "{rating: 10 kW}");
  add(*plan, "clinic", "load", 0, "critical", "{power_factor: 0.9}");
  add(*plan, "school", "load", 0, "semi_critical");
  add(*plan, "cooling", "shiftable_load", 0, "non_critical");
  add(*plan, "pump", "deferrable_load", 0, "deferrable");
  add(*plan, "controller", "off_grid");
  plan->assets.back().roles["battery"] = {"battery"};

  auto home = std::make_unique<Plan>(plan->start, plan->end, plan->step);
  add(*home, "pv", "pv_profile", 0, "", "{rated: 3 kW}", homes);
  add(*home, "battery", "battery", 0, "", "{set: lfp_home_13kwh}", homes);
  add(*home, "load", "load", 0, "semi_critical", "{power_factor: 0.95, scale: 1.3}", homes);
  std::vector<double> capacities;
  for (int m = 0; m < homes; ++m) capacities.push_back(1.5 + chance(m, 3));
  home->set_start(row(*home, "battery", "capacity"), capacities);
  home->add_profile(wave(900, {row(*home, "load", "demand")}, 4000, homes));
  home->add_profile(wave(300, {row(*home, "pv", "generation")}, 1));
  plan->add_fleet("homes", std::move(home), homes, street);
  auto point = std::make_unique<Plan>(plan->start, plan->end, plan->step);
  add(*point, "charger", "ev_charger");
  plan->add_fleet("parking", std::move(point), chargers, car_park);

  plan->add_profile(wave(3600, {row(*plan, "grid", "price"), row(*plan, "grid", "carbon")}, 0.4));
  plan->add_profile(
      wave(600, {row(*plan, "clinic", "demand"), row(*plan, "school", "demand"), row(*plan, "cooling", "demand")}, 5000));
  plan->add_profile(wave(60, {row(*plan, "roof", "generation")}, 1));
  Profile light = Profile::on_demand(0, 300, 1000, 3, [](std::int64_t r, std::span<double> values) {
    values[0] = 1000 * chance(static_cast<int>(r), 7), values[1] = 10 + 20 * chance(static_cast<int>(r), 8),
    values[2] = 5 * chance(static_cast<int>(r), 9);
  });
  light.targets = {{row(*plan, "pv", "plane_of_array_irradiance"), 0, 1},
                   {row(*plan, "pv", "ambient_temperature"), 1, 1},
                   {row(*plan, "pv", "wind_speed"), 2, 1}};
  plan->add_profile(std::move(light));
  std::vector<double> stamps, connected;
  for (int k = 0; k < 40; ++k) stamps.push_back(k * 1700.0 + 600 * chance(k, 10)), connected.push_back(k % 4 == 3 ? 0 : 1);
  Profile outages = Profile::at_stamps(stamps, 1, connected);
  outages.targets = {{row(*plan, "grid", "connected"), 0, 1}};
  plan->add_profile(std::move(outages));

  plan->set_merit({"battery", "homes.battery", "grid", "genset", "parking.charger", "pump", "cooling", "pv", "roof", "homes.pv",
                   "school", "clinic"});
  plan->finish();
  return plan;
}

std::shared_ptr<const Plan> the_plan() {
  static const std::shared_ptr<const Plan> plan = mixed_plant();
  return plan;
}

void put(Batch& batch, int lane, const std::string& path, double value) { batch.set(lane, *batch.plan().find(path), value); }

// Makes lane `at` the plant with this identity.
void dress(Batch& batch, int at, int identity) {
  constexpr double lengths[] = {60, 30, 300, 900, 45};
  Batch::Start start;
  start.key = static_cast<std::uint64_t>(identity) * 0x100000001ull;
  start.dt = lengths[identity % 5];
  start.index = identity % 11;
  start.episode = static_cast<std::uint32_t>(identity);
  batch.reset(at, start);
  const auto around = [&](const std::string& path, std::uint32_t what) {
    const Quantity q = *batch.plan().find(path);
    batch.set(at, q, batch.get(at, q) * (0.7 + 0.6 * chance(identity, what)));
  };
  around("battery.rating", 20);
  around("battery.capacity", 21);
  around("clinic.scale", 22);
  around("pv.rated", 23);
  around("grid.import_limit", 24);
  around("homes.3.battery.capacity", 25);
  around("homes.7.pv.rated", 26);
  around("parking.5.charger.rated", 27);
  put(batch, at, "battery.state_of_charge", 0.06 + 0.88 * chance(identity, 28));
  put(batch, at, "homes.2.battery.state_of_charge", 0.06 + 0.88 * chance(identity, 29));
  put(batch, at, "pv.cell_temperature", 60 * chance(identity, 30));
  if (identity % 3 == 0)
    put(batch, at, "homes.4.battery.commanded", 1), put(batch, at, "homes.4.battery.command", 2000 * chance(identity, 31));
  if (identity % 4 == 0) put(batch, at, "parking.2.charger.power_limit", 3000);
  batch.prepare(at);
}

std::unique_ptr<Batch> plants(const std::vector<int>& identities) {
  auto batch = std::make_unique<Batch>(the_plan(), static_cast<int>(identities.size()));
  for (std::size_t k = 0; k < identities.size(); ++k) dress(*batch, static_cast<int>(k), identities[k]);
  return batch;
}
std::vector<int> up_to(int count) {
  std::vector<int> list;
  for (int k = 0; k < count; ++k) list.push_back(k);
  return list;
}
std::vector<std::uint64_t> hashes(const Batch& batch) {
  std::vector<std::uint64_t> all;
  for (int lane = 0; lane < batch.lanes(); ++lane) all.push_back(batch.hash(lane));
  return all;
}
// How many of the lanes differ from what they should be.
int different(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b, const std::vector<int>& except = {}) {
  int count = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const bool skip = std::find(except.begin(), except.end(), static_cast<int>(k)) != except.end();
    count += !skip && a[k] != b[k];
  }
  return count;
}

constexpr int steps = 60;
// Lane k of the thousand after `steps` steps.
const std::vector<std::uint64_t>& thousand() {
  static const std::vector<std::uint64_t> all = [] {
    const auto batch = plants(up_to(1000));
    batch->step(steps);
    REQUIRE(batch->all_well());
    return hashes(*batch);
  }();
  return all;
}

}  // namespace

TEST_CASE("the mixed plant does what it is there for", "[determinism]") {
  const auto batch = plants(up_to(64));
  int shed = 0, islanded = 0, charging = 0, genset = 0, feeder_full = 0, spilled = 0;
  for (int k = 0; k < steps; ++k) {
    batch->step();
    for (int lane = 0; lane < 64; ++lane) {
      const auto get = [&](const char* path) { return batch->get(lane, *batch->plan().find(path)); };
      shed += get("school.relay") < 0.5;
      islanded += get("grid.connected") < 0.5;
      charging += get("parking.charger.power") < -1;
      genset += get("genset.power") > 1;
      feeder_full +=
          std::abs(std::abs(get("street.flow")) - 10e3) < 1e-6 || std::abs(std::abs(get("car_park.flow")) - 8e3) < 1e-6;
      spilled += std::abs(get("spill.power")) > 1e-3;
    }
  }
  CAPTURE(shed, islanded, charging, genset, feeder_full, spilled);
  for (const int lane : up_to(64)) {
    INFO(batch->trouble(lane));
    CHECK(batch->status(lane) == Trouble::none);
    CHECK(batch->ledger_worst(lane) <= 1);
    CHECK(batch->ledger_residual(lane) <= 1e-9);
  }
  for (const int times : {shed, islanded, charging, genset, feeder_full, spilled}) CHECK(times > 10);
  const auto all = hashes(*batch);
  CHECK(std::set<std::uint64_t>(all.begin(), all.end()).size() == all.size());
}

TEST_CASE("bits do not depend on the number of threads", "[determinism]") {
  for (const int threads : {2, 3}) {
    const auto batch = plants(up_to(1000));
    batch->step(steps, threads);
    CHECK(different(hashes(*batch), thousand()) == 0);
  }
}

TEST_CASE("bits do not depend on the number of lanes or on the place among them", "[determinism]") {
  for (const int count : {7, 64}) {
    const auto batch = plants(up_to(count));
    batch->step(steps);
    CHECK(different(hashes(*batch), thousand()) == 0);
  }
  for (const int identity : {0, 1, 2, 3, 4, 7, 8, 13, 63, 64, 500, 999}) {
    const auto alone = plants({identity});
    alone->step(steps);
    INFO("lane " << identity << " alone");
    CHECK(alone->hash(0) == thousand()[static_cast<std::size_t>(identity)]);
  }
  std::vector<int> mixed;
  for (int k = 0; k < 100; ++k) mixed.push_back((k * 37 + 11) % 1000);
  const auto batch = plants(mixed);
  batch->step(steps, 2);
  for (std::size_t k = 0; k < mixed.size(); ++k)
    CHECK(batch->hash(static_cast<int>(k)) == thousand()[static_cast<std::size_t>(mixed[k])]);
}

TEST_CASE("ten steps at once are ten steps", "[determinism]") {
  const auto batch = plants(up_to(20));
  for (int k = 0; k < steps / 10; ++k) batch->step(10);
  CHECK(different(hashes(*batch), thousand()) == 0);
  const auto singly = plants(up_to(20));
  for (int k = 0; k < steps; ++k) singly->step(1, 1 + k % 3);
  CHECK(different(hashes(*singly), thousand()) == 0);
}

TEST_CASE("a snapshot goes on with the same bits wherever it is restored", "[determinism]") {
  for (int round = 0; round < 6; ++round) {
    const int at = 1 + static_cast<int>(chance(round, 40) * (steps - 1));
    const auto from = plants(up_to(20)), to = plants(up_to(45));
    from->step(at);
    to->step(round * 9);
    std::vector<double> snapshot(from->snapshot_size()), again(from->snapshot_size());
    for (int lane = 0; lane < 20; ++lane) {
      from->save(lane, snapshot);
      to->restore((lane * 7 + round) % 45, snapshot);
      to->save((lane * 7 + round) % 45, again);
      REQUIRE(std::memcmp(again.data(), snapshot.data(), snapshot.size() * sizeof(double)) == 0);
    }
    to->step(steps - at);
    for (int lane = 0; lane < 20; ++lane) CHECK(to->hash((lane * 7 + round) % 45) == thousand()[static_cast<std::size_t>(lane)]);
  }
}

TEST_CASE("a branch is its origin", "[determinism]") {
  const auto batch = plants(up_to(30));
  batch->step(23);
  const auto before = hashes(*batch);
  for (int lane = 0; lane < 10; ++lane) batch->copy_lane(lane, 20 + lane);
  CHECK(different(hashes(*batch), before, {20, 21, 22, 23, 24, 25, 26, 27, 28, 29}) == 0);
  batch->step(steps - 23);
  CHECK(different(hashes(*batch), thousand(), {20, 21, 22, 23, 24, 25, 26, 27, 28, 29}) == 0);
  for (int lane = 0; lane < 10; ++lane) CHECK(batch->hash(20 + lane) == thousand()[static_cast<std::size_t>(lane)]);
}

TEST_CASE("a reset lane is a fresh one", "[determinism]") {
  const auto batch = plants(up_to(30));
  batch->step(31, 2);
  for (int lane = 0; lane < 30; lane += 2) dress(*batch, lane, 100 + lane);
  const auto fresh = plants({100});
  CHECK(batch->hash(0) == fresh->hash(0));
  batch->step(steps - 31);
  for (int lane = 1; lane < 30; lane += 2) CHECK(batch->hash(lane) == thousand()[static_cast<std::size_t>(lane)]);
  batch->step(31);
  for (int lane = 0; lane < 30; lane += 2) CHECK(batch->hash(lane) == thousand()[static_cast<std::size_t>(100 + lane)]);
}

TEST_CASE("what happens to a neighbour leaves no trace", "[determinism][nan]") {
  const auto batch = plants(up_to(24));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  batch->step(11, 2);
  put(*batch, 2, "battery.state_of_charge", nan);
  put(*batch, 9, "homes.8.load.scale", nan);
  put(*batch, 11, "parking.12.charger.still_wanted", nan);
  put(*batch, 18, "genset.rating", std::numeric_limits<double>::infinity());
  batch->step(3, 2);
  put(*batch, 4, "grid.connected", 0);
  put(*batch, 5, "battery.commanded", 1);
  put(*batch, 5, "battery.command", 9e9);
  put(*batch, 12, "battery.temperature", 1000);
  dress(*batch, 6, 77);
  batch->step(9, 3);
  put(*batch, 4, "grid.connected", 0);
  std::vector<float> seen(1);
  batch->look(6, {*batch->plan().find("battery.power_max")}, seen);
  put(*batch, 13, "controller.battery_most", 1);
  batch->step(steps - 23, 2);
  CHECK(different(hashes(*batch), thousand(), {2, 4, 5, 6, 9, 11, 12, 13, 18}) == 0);

  for (const int lane : {2, 9, 11, 12, 18}) {
    INFO(lane << ": " << batch->trouble(lane));
    CHECK(batch->status(lane) != Trouble::none);
    CHECK_FALSE(batch->trouble(lane).empty());
  }
  for (const int lane : {4, 5, 6, 13}) CHECK(batch->status(lane) == Trouble::none);
  CHECK(batch->index(2) == 2 + 11);
  CHECK_THAT(batch->trouble(2), starts_with("battery."));
  CHECK_THAT(batch->trouble(9), starts_with("homes.8.load"));
  CHECK_THAT(batch->trouble(11), starts_with("parking.12.charger"));
  CHECK_THAT(batch->trouble(12), contains("at step 15"));  // identity 12 starts at step 1

  const auto frozen = hashes(*batch);
  batch->step(5, 2);
  for (const int lane : {2, 9, 11, 12, 18}) CHECK(batch->hash(lane) == frozen[static_cast<std::size_t>(lane)]);
  // A stopped lane can be used again.
  for (const int lane : {2, 9, 11, 12, 18}) dress(*batch, lane, lane);
  batch->step(steps);
  for (const int lane : {2, 9, 11, 12, 18}) CHECK(batch->hash(lane) == thousand()[static_cast<std::size_t>(lane)]);
}

#ifndef __SANITIZE_THREAD__  // which does not see how OpenMP's threads of this test start and wait
TEST_CASE("batches can be stepped by the threads of a caller", "[determinism]") {
  std::vector<std::unique_ptr<Batch>> batches;
  for (int k = 0; k < 4; ++k) {
    batches.push_back(plants(up_to(3)));
    batches.back()->step(1);
    put(*batches.back(), 1, "battery.state_of_charge", std::numeric_limits<double>::quiet_NaN());
  }
#pragma omp parallel for num_threads(4) schedule(static, 1)
  for (std::size_t k = 0; k < batches.size(); ++k) batches[k]->step(steps - 1);
  for (const auto& batch : batches) {
    CHECK(batch->status(1) != Trouble::none);
    CHECK(different(hashes(*batch), thousand(), {1}) == 0);
  }
}
#endif

TEST_CASE("sums of a meter do not depend on threads, and leave the lanes alone", "[determinism]") {
  std::vector<Quantity> measured;
  for (const char* path : {"battery.power", "grid.power", "homes.pv.power", "parking.charger.delivered_power", "spill.power"})
    measured.push_back(*the_plan()->find(path));
  const auto run = [&](int threads) {
    const auto batch = plants(up_to(50));
    Meter meter(batch->plan(), batch->blocks(), measured);
    batch->step(steps, threads, &meter);
    CHECK(different(hashes(*batch), thousand()) == 0);
    std::vector<double> sums;
    for (int lane = 0; lane < 50; ++lane) {
      for (int k = 0; k < static_cast<int>(measured.size()); ++k) {
        for (int m = 0; m < (k == 2 ? homes : k == 3 ? chargers : 1); ++m) sums.push_back(meter.sum(lane, k, m));
      }
    }
    return sums;
  };
  const auto one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
  double moved = 0;
  for (const double sum : one) moved += std::abs(sum);
  CHECK(moved > 1e6);
}

TEST_CASE("a step allocates nothing", "[determinism][allocation]") {
  for (const int threads : {1, 2}) {
    const auto batch = plants(up_to(24));
    Meter meter(batch->plan(), batch->blocks(), batch->plan().quantities());
    batch->step(1, threads, &meter);
    const auto counted = [&](int count) {
      const long before = allocations;
      batch->step(count, threads, &meter);
      return allocations - before;
    };
    CHECK(counted(40) == 0);
    put(*batch, 3, "battery.state_of_charge", std::numeric_limits<double>::quiet_NaN());
    put(*batch, 17, "homes.2.load.scale", std::numeric_limits<double>::quiet_NaN());
    CHECK(counted(1) == 0);  // the step that freezes them
    REQUIRE(batch->status(3) != Trouble::none);
    REQUIRE(batch->status(17) == Trouble::in_fleet);
    CHECK(counted(40) == 0);
    std::vector<double> snapshot(batch->snapshot_size());
    const long before = allocations;
    batch->save(5, snapshot);
    batch->restore(6, snapshot);
    meter.clear();
    CHECK(allocations - before == 0);
  }
}

}  // namespace urja::tests

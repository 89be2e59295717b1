// What a jump of a parameter does to the energy that is stored, and the ledger of heat.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "engine/batch.hpp"
#include "engine/recorder.hpp"
#include "scenarios/scenario.hpp"
#include "tests/catch.hpp"
#include "tests/plant.hpp"

namespace urja::tests {
namespace {

// Two packs, one of them in a fleet of three, that feed a load in the evening's dark.
std::shared_ptr<const Plan> packs() {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("urja_test_ledgers_{}.yaml", ::getpid());
  std::ofstream(file) << R"(urja: 1
title: Packs
zone: UTC
run: {from: 2024-01-01 00:00, to: 2024-01-03 00:00, step: 1 min, record: 1 min, seed: 1}
assets:
  battery: {model: battery, set: lfp_64kwh, state_of_charge: 60 %, ambient_temperature: 10 degC}
  homes:
    fleet: 3
    members:
      pack: {model: battery, set: lfp_64kwh, state_of_charge: [40 %, 50 %, 60 %]}
  load: {model: load, demand: 20 kW}
  grid: {model: grid}
balance: [battery, homes.pack, grid, load]
)";
  const Scenario scenario = load_scenario(file.string());
  std::filesystem::remove(file);
  return scenario.plan;
}

struct Oven {
  Port ac;
  Lanes missing;
  Lanes drawn, heat, given;

  static void declare(Declare& d) {
    d.port<&Oven::ac>();
    d.input<&Oven::missing>("1", 0, {0, 1}, "share of the heat that is not booked");
    d.output<&Oven::drawn>("W", "from the bus", sink);
    d.output<&Oven::heat>("W", "made", thermal_source);
    d.output<&Oven::given>("W", "to the room", thermal_loss);
  }
  void limits(const Step&) {
    ac.p_min = ac.p_max = ac.p_wish = lanes(-1000);
    ac.q = ac.q_min = ac.q_max = Lanes::Zero();
  }
  void advance(const Step&) {
    drawn = heat = -ac.p;
    given = heat * (1 - missing);
  }
};
const Registered<Oven> oven{"test_oven", "an oven whose heat may be lost on the books"};

struct Audit {
  Batch& batch;
  int lane;
  std::string asset;
  double get(const std::string& name) const { return batch.get(lane, *batch.plan().find(asset + "." + name)); }
};

}  // namespace

TEST_CASE("energy that comes or goes with a parameter is booked as parameter_change", "[engine][ledger]") {
  Batch batch(packs(), 3);
  for (const std::string asset : {"battery", "homes.1.pack", "homes.2.pack"}) {
    INFO(asset);
    const Audit one{batch, 1, asset}, neighbour{batch, 0, asset};
    double before = one.get("stored_energy"), flow = 0;
    CHECK(before > 1000);  // shown before the first step, too
    const Quantity parameter = *batch.plan().find(asset + ".capacity");
    const double start = before;
    for (int k = 0; k < 30; ++k) {
      if (k == 10) batch.change(1, parameter, 0.8 * batch.get(1, parameter));
      if (k == 20) batch.change(1, parameter, 1.25 * batch.get(1, parameter));
      batch.step();
      flow += (one.get("stored_power") - one.get("pair_power")) / 60;
    }
    REQUIRE(batch.all_well());
    const double jumped = one.get("parameter_change");
    CHECK(std::abs(jumped) > 0.1);  // it was fuller when it shrank than when it grew
    CHECK(one.get("stored_energy") - start == Approx(flow + jumped).epsilon(1e-9));
    CHECK(neighbour.get("parameter_change") == 0);
    CHECK(batch.ledger_worst(1) < 1);
  }
  CHECK(Audit{batch, 1, "homes.3.pack"}.get("parameter_change") == 0);
}

TEST_CASE("a reset forgets jumps, and setting out from another value is none", "[engine][ledger]") {
  Batch batch(packs(), 2);
  const Audit one{batch, 0, "battery"};
  const Quantity capacity = *batch.plan().find("battery.capacity");
  const double full = one.get("stored_energy");
  batch.change(0, capacity, 0.5 * batch.get(0, capacity));
  CHECK(one.get("parameter_change") == Approx(-0.5 * full).epsilon(1e-12));
  CHECK(one.get("stored_energy") == Approx(0.5 * full).epsilon(1e-12));
  batch.reset(0, {});
  CHECK(one.get("parameter_change") == 0);
  CHECK(one.get("stored_energy") == full);
  batch.set(0, capacity, 0.5 * batch.get(0, capacity));
  batch.prepare(0);
  CHECK(one.get("parameter_change") == 0);
  CHECK(one.get("stored_energy") == Approx(0.5 * full).epsilon(1e-12));
}

TEST_CASE("heat has a ledger of its own, and what the cells lose is what warms them", "[engine][ledger]") {
  Batch batch(packs(), 1);
  const Audit pack{batch, 0, "battery"};
  batch.step();
  double content = pack.get("heat_content"), made = 0, lost = 0;
  for (int k = 0; k < 600; ++k) {
    batch.step();
    made += pack.get("heat") / 60;
    lost += pack.get("heat_lost") / 60;
    CHECK(pack.get("heat") == Approx(pack.get("cell_loss") + pack.get("pair_power")).epsilon(1e-9));
  }
  CHECK(pack.get("temperature") != Approx(25).epsilon(0.01));
  CHECK(made > 100);
  CHECK(pack.get("heat_content") - content == Approx(made - lost).epsilon(1e-9));
  CHECK(batch.head(0).account.heat_throughput[0] > 0);
  CHECK(batch.heat_residual(0) < 1e-9);
}

TEST_CASE("what an asset holds is recorded as at the interval's end, so that a file can be audited", "[engine][ledger]") {
  const auto plan = packs();
  int contents = 0;
  for (const Channel& c : default_channels(*plan)) {
    if (c.name != "stored_energy" && c.name != "heat_content") continue;
    ++contents;
    CHECK(c.at_end);
  }
  CHECK(contents == 4);
}

TEST_CASE("a lane whose heat does not add up is stopped", "[engine][ledger]") {
  Plant plant;
  plant.add("oven", "test_oven").add("grid", "grid").balance({"grid"});
  plant.batch(3);
  plant.set("oven.missing", 0.4e-9, 1).set("oven.missing", 3e-9, 2).run();
  CHECK(plant.batch().status(1) == Trouble::none);
  CHECK(plant.batch().status(2) == Trouble::energy_not_closed);
  CHECK_THAT(plant.batch().trouble(2), contains("oven"));
}

}  // namespace urja::tests

// Every registered model against the engine's promises, from its declaration alone.
//
//   registry() -> subjects (model, or model with each of its parameter sets) -> alone, and in a small plant with partners
//
// There is no list of models here: who registers one gets these tests. What a model needs (tables, sessions, jobs, roles) is
// made from what it declares. Eight lanes run side by side; lane 0 has the defaults, the others parameters of their own.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"

namespace urja::tests {
namespace {

constexpr double plan_start = 1467331200;  // 2016-07-01 UTC
constexpr double unbounded = 1e299;

// Seeded numbers that are the same on every machine [splitmix64, Steele et al. 2014].
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double in(double low, double high) { return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1p-53); }
  bool toss(double chance = 0.5) { return in(0, 1) < chance; }

 private:
  std::uint64_t state_;
};

std::vector<double> saved(const Batch& batch, int lane) {
  std::vector<double> snapshot(batch.snapshot_size());
  batch.save(lane, snapshot);
  return snapshot;
}

struct Subject {
  const Type* type;
  std::string set;
  std::string name() const { return set.empty() ? type->name : type->name + " with set " + set; }
};

bool for_tests_only(const std::string& name) { return name.rfind("test_", 0) == 0; }

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const auto& [name, type] : registry()) {
    if (for_tests_only(name)) continue;
    if (type.tables.empty()) {
      all.push_back({&type, ""});
      continue;
    }
    for (const auto& [set, file] : parameter_sets(name)) all.push_back({&type, set});
  }
  return all;
}

// Records that a model may get: times ascend, energies fit into their time at their power, optional columns are often absent.
std::vector<std::vector<double>> records_for(const EventFile& file, double span, Dice dice) {
  std::vector<std::vector<double>> records;
  constexpr int count = 16;
  for (int k = 0; k < count; ++k) {
    const double begin = plan_start + span * (k - 2.0 + dice.in(0, 0.5)) / (count - 2);
    const double window = span / (count - 2) * dice.in(0.4, 1.6), power = dice.in(1000, 8000);
    const double energy = power * window / 3600 * dice.in(0.2, 0.9);
    std::vector<double> record;
    double time = begin;
    bool energy_given = false;
    for (const EventFile::Column& c : file.columns) {
      if (!c.required && dice.toss()) record.push_back(c.otherwise);
      else if (c.unit == "time") record.push_back(time), time += window;
      else if (c.unit == "W") record.push_back(power);
      else if (c.unit == "Wh") record.push_back(energy_given ? energy * dice.in(2, 10) : energy), energy_given = true;
      else if (c.unit == "1") record.push_back(dice.toss() ? dice.in(0, 1) : dice.toss() ? 1 : 0);
      else record.push_back(dice.in(0, 10));
    }
    records.push_back(std::move(record));
  }
  return records;
}

int add(Plan& plan, const std::string& name, const Subject& subject, const std::string& tag, double span) {
  const Type& type = *subject.type;
  auto settings = type.make_settings();
  std::string tagged = tag;
  for (const Setting& s : type.settings) s.write(settings.get(), s.start);
  for (const Choice& c : type.choices) {
    if (c.name == type.tag_choice && tagged.empty()) tagged = c.start;
    c.write(settings.get(), c.name == type.tag_choice ? tagged : c.start);
  }
  for (const EventFile& file : type.files) file.write(settings.get(), records_for(file, span, Dice(1)));
  const int index = plan.add_asset(name, type, 0, settings, tagged);
  if (!subject.set.empty()) {
    Problems problems;
    std::string currency;
    const Node entries = parse_yaml("set: " + subject.set + "\n", name, problems);
    AssetReader reader(problems, *Zone::find("UTC"), {}, currency);
    reader.read({&plan, index, 1}, entries, name, {});
    INFO(problems.text());
    REQUIRE(problems.empty());
  }
  return index;
}

Subject subject_of(const std::string& model) {
  const Type* type = find_type(model);
  REQUIRE(type);
  if (type->tables.empty()) return {type, ""};
  const auto sets = parameter_sets(model);
  REQUIRE_FALSE(sets.empty());
  return {type, sets.begin()->first};
}

enum class Where { alone, in_a_plant };

// The subject as "it"; in a plant with a grid, a load and whoever its roles ask for.
std::shared_ptr<Plan> plan_with(const Subject& subject, Where where, double dt, int steps) {
  const double span = dt * steps;
  auto plan = std::make_shared<Plan>(plan_start, plan_start + 2 * span, dt);
  add(*plan, "it", subject, "", span);
  std::vector<std::string> merit{"it"};
  if (where == Where::alone) {
    plan->make_solo();
  } else {
    std::set<std::pair<std::string, std::string>> there;
    const auto partner = [&](const std::string& model, const std::string& tag) {
      if (!find_type(model) || !there.emplace(model, tag).second) return;
      const std::string name = model + (tag.empty() ? "" : "_" + tag);
      add(*plan, name, subject_of(model), tag, span);
      merit.push_back(name);
    };
    for (const Role& role : subject.type->roles) {
      bool found = false;
      for (const std::string& model : role.models) {
        if (found && !role.many) break;
        found = found || find_type(model);
        partner(model, role.tag);
      }
      INFO(subject.name() << ": role " << role.name);
      CHECK(found);
    }
    partner("grid", "");
    if (subject.type->roles.empty()) partner("load", "");
  }
  std::erase_if(merit, [&](const std::string& name) { return plan->asset(name)->type->ports.empty(); });
  plan->set_merit(merit);
  plan->finish();
  return plan;
}

// A subject running: inputs and commands are a function of (step, lane), so any part of a run can be repeated.
class Run {
 public:
  static constexpr int lanes = 8;

  Run(const Subject& subject, Where where, double dt, int steps, std::uint64_t seed)
      : plan_(plan_with(subject, where, dt, steps)), where_(where), seed_(seed) {
    std::set<int> wired;
    for (const Plan::Wire& w : plan_->wires_in) wired.insert(w.own);
    for (const Plan::Wire& w : plan_->wires_out) {
      for (const Plan::Place& to : w.others) wired.insert(to.row);
    }
    for (const Quantity& q : plan_->quantities()) {
      if (q.asset == "plant" || q.asset == "spill") continue;
      const auto commanded = q.name == "command" && q.kind == Kind::input ? plan_->find(q.asset + ".commanded") : std::nullopt;
      if (commanded && !wired.count(q.row)) commands_.emplace_back(q, *commanded);
      if (commanded || (q.name == "commanded" && q.kind == Kind::input)) continue;
      if (q.kind == Kind::input && !wired.count(q.row)) inputs.push_back(q);
      if (q.kind == Kind::parameter) parameters.push_back(q);
      if (q.kind == Kind::state) states.push_back(q);
    }
    batch_ = make();
  }

  // Another batch of the same plan, with the same parameters.
  std::unique_ptr<Batch> make() const {
    auto batch = std::make_unique<Batch>(plan_, lanes);
    for (int lane = 1; lane < lanes; ++lane) {
      Dice dice(seed_ * 1000 + static_cast<std::uint64_t>(lane));
      for (const Quantity& p : parameters) {
        const double value = batch->get(lane, p);
        const double factor = std::exp(dice.in(-std::log(3.0), std::log(3.0)));
        const double other = value != 0 ? value * factor : dice.toss(0.7) ? 0 : dice.in(0, std::min(p.range.high, 1.0));
        batch->set(lane, p, std::clamp(other, p.range.low, p.range.high));
      }
      for (const Quantity& s : states) {
        if (s.flags & estimable) batch->set(lane, s, dice.in(s.range.low, s.range.high));
      }
    }
    batch->prepare_all();
    return batch;
  }

  void write(Batch& batch, int step, int lane) const { write(batch, step, lane, lane); }
  void write(Batch& batch, int step, int lane, int at) const {
    Dice dice((seed_ * 8191 + static_cast<std::uint64_t>(step)) * 131 + static_cast<std::uint64_t>(lane));
    for (const Quantity& q : inputs) batch.set(at, q, random_input(q, dice));
    for (const auto& [command, commanded] : commands_) {
      const bool commands = where_ == Where::alone || dice.toss(0.2);
      batch.set(at, commanded, commands ? 1 : 0);
      batch.set(at, command, commands ? dice.in(-1, 1) * (dice.toss(0.1) ? 1e7 : 1e4) : 0);
    }
  }
  void write(Batch& batch, int step) const {
    for (int lane = 0; lane < lanes; ++lane) write(batch, step, lane);
  }

  Batch& batch() { return *batch_; }
  const Plan& plan() const { return *plan_; }
  std::vector<Quantity> inputs, parameters, states;

 private:
  double random_input(const Quantity& q, Dice& dice) const {
    const double start = plan_->starts[static_cast<std::size_t>(q.row)];
    const bool stays = dice.toss();
    if (q.range.low == 0 && q.range.high == 1) {
      const double value = dice.toss(0.3) ? dice.in(0, 1) : dice.toss() ? 1 : 0;
      return stays ? start : value;
    }
    const double size = q.unit == "W"                 ? 6e3
                        : q.unit == "Wh"              ? 1e4
                        : q.unit == "A"               ? 20
                        : q.unit.starts_with("money") ? 0.5
                                                      : 2000;
    const double value = dice.in(std::max(q.range.low, -size), std::min(q.range.high, size));
    return stays ? start : value;
  }

  std::shared_ptr<Plan> plan_;
  Where where_;
  std::uint64_t seed_;
  std::vector<std::pair<Quantity, Quantity>> commands_;
  std::unique_ptr<Batch> batch_;
};

// A quantity of an asset by name, for reading in every step.
struct PortRows {
  std::string asset;
  Quantity p, low, high;
};

std::string number(double value) {
  std::ostringstream text;
  text.precision(12);
  text << value;
  return text.str();
}

// Finite, in bounds, within limits, sums to zero; the ledger at the end; energy stored against its flow. What is wrong, or empty.
std::string live_and_look(const Subject& subject, Where where, double dt, int steps, std::uint64_t seed) {
  Run run(subject, where, dt, steps, seed);
  Batch& batch = run.batch();
  const Plan& plan = run.plan();
  std::vector<PortRows> ports;
  for (const Plan::Asset& a : plan.assets) {
    for (const int port : a.type->ports) {
      const auto row = [&](int field) {
        return Quantity{-1, -1, a.offset + port + field, a.name, "", "", "", Kind::port, 0, {}, ""};
      };
      ports.push_back({a.name, row(detail::offset_of<&Port::p>()), row(detail::offset_of<&Port::p_min>()),
                       row(detail::offset_of<&Port::p_max>())});
    }
  }
  const Quantity spill = *plan.find("spill.power");
  const Type& type = *subject.type;
  std::vector<Quantity> flows, stores, contents;
  for (const Member& m : type.members) {
    if (m.has(source) || m.has(sink) || m.has(loss) || m.has(stored)) flows.push_back(*plan.find("it." + m.name));
    if (m.has(stored)) stores.push_back(*plan.find("it." + m.name));
    if (m.has(content)) contents.push_back(*plan.find("it." + m.name));
  }
  // A lithium-ion pack's content is the energy below its open-circuit voltage; its `stored` counts the RC pairs too.
  const auto pair_power = plan.find("it.pair_power");
  std::vector<double> content_before(Run::lanes);

  for (int k = 0; k < steps; ++k) {
    run.write(batch, k);
    batch.step();
    for (int lane = 0; lane < Run::lanes; ++lane) {
      const std::string where_it_is = "step " + std::to_string(k) + ", lane " + std::to_string(lane) + ": ";
      if (type.ports.empty() && batch.status(lane) == Trouble::out_of_bounds) {
        // Without a port it has no say in what drives it.
        batch.reset(lane, {});
        content_before[static_cast<std::size_t>(lane)] = std::nan("");
        continue;
      }
      if (batch.status(lane) != Trouble::none) return where_it_is + batch.trouble(lane);
      double sum = batch.get(lane, spill), largest = std::abs(sum);
      for (const PortRows& port : ports) {
        const double p = batch.get(lane, port.p), low = batch.get(lane, port.low), high = batch.get(lane, port.high);
        if (!(low <= high)) return where_it_is + port.asset + ": p_min " + number(low) + " above p_max " + number(high);
        if (!(p >= low && p <= high))
          return where_it_is + port.asset + ": power " + number(p) + " outside " + number(low) + " .. " + number(high);
        sum += p;
        largest = std::max(largest, std::abs(p));
      }
      if (!(std::abs(sum) <= 1e-9 * largest + 1e-7))
        return where_it_is + "powers and spill sum to " + number(sum) + " W, the largest is " + number(largest);
      for (const Quantity& s : run.states) {
        const double value = batch.get(lane, s), slack = 1e-9 * std::max({1.0, std::abs(s.range.low), std::abs(s.range.high)});
        const bool bounded = s.range.low > -unbounded && s.range.high < unbounded;
        if (!std::isfinite(value)) return where_it_is + s.asset + "." + s.name + " is not finite";
        if (bounded && !(value >= s.range.low - slack && value <= s.range.high + slack))
          return where_it_is + s.asset + "." + s.name + " = " + number(value) + " is out of bounds";
      }
      if (stores.empty() || contents.empty()) continue;
      double now = 0, flow = 0, moved = 0;
      for (const Quantity& c : contents) now += batch.get(lane, c);
      for (const Quantity& s : stores) flow += batch.get(lane, s);
      for (const Quantity& f : flows) moved += std::abs(batch.get(lane, f));
      double& before = content_before[static_cast<std::size_t>(lane)];
      if (k > 0 && before == before) {
        const double miss = 3600 * (now - before) - (flow - (pair_power ? batch.get(lane, *pair_power) : 0)) * dt;  // J
        const double bound = 1e-9 * moved * dt + 16 * 2.3e-16 * std::abs(now) * 3600 + 1e-9;
        if (!(std::abs(miss) <= bound))
          return where_it_is + "content misses the integral of `stored` by " + number(miss) + " J, allowed " + number(bound);
      }
      before = now;
    }
  }
  for (int lane = 0; lane < Run::lanes; ++lane) {
    const double worst = batch.ledger_worst(lane), residual = batch.ledger_residual(lane);
    if (!(worst <= 1 && residual <= 1e-9))
      return "lane " + std::to_string(lane) + ": ledger: worst step " + number(worst) + ", residual " + number(residual);
  }
  return "";
}

bool lower_snake(const std::string& name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && name.back() != '_' && name.find("__") == std::string::npos &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

const std::vector<Where> both{Where::alone, Where::in_a_plant};
// Controllers need the plant that their roles ask for.
bool fits(const Subject& subject, Where where) { return where == Where::in_a_plant || subject.type->roles.empty(); }

}  // namespace

TEST_CASE("conformance: every model with tables has a parameter set", "[conformance]") {
  for (const auto& [name, type] : registry()) {
    INFO(name);
    if (!for_tests_only(name) && !type.tables.empty()) CHECK_FALSE(parameter_sets(name).empty());
  }
  CHECK(subjects().size() > 10);
}

TEST_CASE("conformance: declarations are complete", "[conformance]") {
  for (const auto& [name, type] : registry()) {
    if (for_tests_only(name)) continue;
    INFO(name);
    CHECK(lower_snake(name));
    CHECK_FALSE(type.doc.empty());
    for (const Member& m : type.members) {
      INFO(name << "." << m.name);
      CHECK(lower_snake(m.name));
      CHECK(known_unit(m.unit));
      const bool shown = m.kind == Kind::parameter || m.kind == Kind::state || m.kind == Kind::input || m.kind == Kind::output;
      if (shown) CHECK_FALSE(m.doc.empty());
      const bool written = m.kind == Kind::parameter || m.kind == Kind::state || m.kind == Kind::input;
      if (written && (m.flags & (observable | actionable | estimable))) {
        CHECK((m.range.low > -unbounded && m.range.high < unbounded));
      }
      if (m.kind == Kind::parameter || m.has(hook)) CHECK((m.range.low > -unbounded && m.range.high < unbounded));
      if (m.has(hook)) CHECK(m.kind == Kind::parameter);
      if (m.has(actionable)) CHECK(m.kind == Kind::input);
      if (m.has(source) || m.has(sink) || m.has(loss) || m.has(stored) || m.has(unserved)) CHECK(m.unit == "W");
      if (m.has(content)) CHECK(m.unit == "Wh");
      if (m.has(content))
        CHECK(std::any_of(type.members.begin(), type.members.end(), [](const Member& o) { return o.has(stored); }));
      if (!m.kpi_key.empty()) CHECK(lower_snake(m.kpi_key));
    }
    for (const Setting& s : type.settings) {
      INFO(name << "." << s.name);
      CHECK((lower_snake(s.name) && known_unit(s.unit) && !s.doc.empty()));
      CHECK((s.start >= s.range.low && s.start <= s.range.high));
    }
    for (const Choice& c : type.choices) {
      INFO(name << "." << c.name);
      CHECK((lower_snake(c.name) && !c.doc.empty()));
      if (!c.allowed.empty()) CHECK(std::find(c.allowed.begin(), c.allowed.end(), c.start) != c.allowed.end());
    }
    for (const Table& t : type.tables) {
      INFO(name << "." << t.name);
      CHECK((lower_snake(t.name) && !t.doc.empty()));
      for (const auto* list : {&t.shape.axes, &t.shape.columns}) {
        for (const auto& part : *list) CHECK((lower_snake(part.name) && known_unit(part.unit)));
      }
    }
    for (const EventFile& f : type.files) {
      INFO(name << "." << f.name);
      CHECK((lower_snake(f.name) && !f.doc.empty()));
      for (const auto& c : f.columns) CHECK((lower_snake(c.name) && (c.unit == "time" || known_unit(c.unit))));
    }
    for (const Derivation& d : type.derivations) {
      INFO(name << "." << d.key);
      CHECK((lower_snake(d.key) && !d.doc.empty()));
      for (const std::string& input : d.inputs) CHECK((type.find(input) && type.find(input)->kind == Kind::input));
      for (const auto& c : d.columns) CHECK((lower_snake(c.name) && known_unit(c.unit)));
    }
    for (const Role& r : type.roles) {
      INFO(name << "." << r.name);
      CHECK((lower_snake(r.name) && !r.doc.empty() && !r.models.empty()));
      for (const std::string& model : r.models) CHECK(find_type(model));
    }
  }
}

TEST_CASE("conformance: finite, in bounds, within limits, energy closed", "[conformance]") {
  for (const Subject& subject : subjects()) {
    for (const Where where : both) {
      if (!fits(subject, where)) continue;
      std::uint64_t seed = 1;
      for (const double dt : {1.0, 60.0, 900.0, 3600.0}) {
        INFO(subject.name() << (where == Where::alone ? " alone" : " in a plant") << ", dt " << dt << " s");
        for (int repeat = 0; repeat < 4; ++repeat) CHECK(live_and_look(subject, where, dt, 300, seed++) == "");
      }
    }
  }
}

TEST_CASE("conformance: limits() writes no state and may be called twice", "[conformance]") {
  for (const Subject& subject : subjects()) {
    if (!subject.type->limits) continue;
    for (const Where where : both) {
      if (!fits(subject, where)) continue;
      Run run(subject, where, 60, 40, 5);
      Batch& batch = run.batch();
      const Plan::Asset& asset = *run.plan().asset("it");
      const auto rows = static_cast<std::size_t>(asset.type->rows);
      Rows model(rows);
      for (int k = 0; k < 40; ++k) {
        INFO(subject.name() << ", step " << k);
        run.write(batch, k);
        for (std::size_t r = 0; r < rows; ++r) {
          for (int lane = 0; lane < Run::lanes; ++lane)
            model.data()[r][lane] =
                batch.get(lane, Quantity{-1, -1, asset.offset + static_cast<int>(r), "", "", "", "", Kind::state, 0, {}, ""});
        }
        const std::vector<Lanes> before(model.data(), model.data() + rows);
        Step step = batch.head(0).step;
        step.time = step.index * step.dt;
        asset.type->limits(model.data(), step, asset.settings.get());
        const std::vector<Lanes> once(model.data(), model.data() + rows);
        asset.type->limits(model.data(), step, asset.settings.get());
        for (const Member& m : asset.type->members) {
          for (int r = m.offset; r < m.offset + m.count; ++r) {
            const auto at = static_cast<std::size_t>(r);
            const auto same = [&](const Lanes& a, const Lanes& b) { return std::memcmp(a.data(), b.data(), sizeof(Lanes)) == 0; };
            const bool given =
                m.kind == Kind::state || m.kind == Kind::parameter || m.kind == Kind::input || m.kind == Kind::derived;
            if (given && !same(once[at], before[at])) FAIL("limits() has written " << m.name);
            if (!same(once[at], model.data()[r])) FAIL("the second call differs from the first in " << m.name);
          }
        }
        batch.step();
      }
    }
  }
}

TEST_CASE("conformance: a look leaves no trace", "[conformance]") {
  for (const Subject& subject : subjects()) {
    Run run(subject, Where::in_a_plant, 60, 60, 6);
    std::vector<Quantity> map;
    for (const Quantity& q : run.plan().quantities()) {
      if (q.fleet < 0) map.push_back(q);
    }
    std::vector<float> seen(map.size());
    Batch& batch = run.batch();
    for (int k = 0; k < 60; ++k) {
      const int lane = k % Run::lanes;
      INFO(subject.name() << ", step " << k << ", lane " << lane);
      run.write(batch, k);
      std::vector<std::uint64_t> before;
      for (int l = 0; l < Run::lanes; ++l) before.push_back(batch.hash(l));
      batch.look(lane, map, seen);
      for (int l = 0; l < Run::lanes; ++l) {
        if (batch.hash(l) != before[static_cast<std::size_t>(l)]) FAIL("lane " << l << " has changed");
      }
      // And it shows what the step then begins with: states as they are, limits in order.
      for (std::size_t q = 0; q < map.size(); ++q) {
        if (map[q].kind == Kind::state && !(seen[q] == static_cast<float>(batch.get(lane, map[q])) || std::isnan(seen[q])))
          FAIL(map[q].asset << "." << map[q].name << " is not what it is");
      }
      batch.step();
    }
  }
}

TEST_CASE("conformance: writing a hook's healthy value changes no bit", "[conformance]") {
  for (const Subject& subject : subjects()) {
    Run run(subject, Where::in_a_plant, 60, 40, 7);
    Batch& batch = run.batch();
    for (int k = 0; k < 40; ++k) {
      INFO(subject.name() << ", step " << k);
      run.write(batch, k);
      batch.step();
      const std::uint64_t before = batch.hash(0);
      for (const Quantity& p : run.parameters) {
        if (p.flags & hook) batch.set(0, p, run.plan().starts[static_cast<std::size_t>(p.row)]);
      }
      batch.prepare(0);
      REQUIRE(batch.hash(0) == before);
      const std::uint64_t other = batch.hash(3);
      batch.prepare_all();
      REQUIRE(batch.hash(3) == other);
    }
  }
}

TEST_CASE("conformance: a snapshot goes on with the same bits, in any lane", "[conformance]") {
  for (const Subject& subject : subjects()) {
    for (const Where where : both) {
      if (!fits(subject, where)) continue;
      Run run(subject, where, 900, 60, 8);
      Batch& batch = run.batch();
      const auto elsewhere = run.make();
      for (int k = 0; k < 30; ++k) {
        run.write(batch, k);
        batch.step();
      }
      std::vector<std::vector<double>> kept;
      for (int lane = 0; lane < Run::lanes; ++lane) kept.push_back(saved(batch, lane));
      // The snapshot of lane l lives in lane (l + shift) and gets the inputs of lane l.
      const auto go_on = [&](Batch& b, int shift) {
        std::vector<std::uint64_t> hashes;
        for (int k = 30; k < 60; ++k) {
          for (int lane = 0; lane < Run::lanes; ++lane) run.write(b, k, lane, (lane + shift) % Run::lanes);
          b.step();
        }
        for (int lane = 0; lane < Run::lanes; ++lane) hashes.push_back(b.hash((lane + shift) % Run::lanes));
        return hashes;
      };
      const auto first = go_on(batch, 0);
      for (int lane = 0; lane < Run::lanes; ++lane) {
        batch.restore(lane, kept[static_cast<std::size_t>(lane)]);
        REQUIRE(saved(batch, lane).size() == kept[static_cast<std::size_t>(lane)].size());
        const auto again = saved(batch, lane);
        REQUIRE(std::memcmp(again.data(), kept[static_cast<std::size_t>(lane)].data(), again.size() * sizeof(double)) == 0);
      }
      INFO(subject.name());
      CHECK(go_on(batch, 0) == first);
      for (int lane = 0; lane < Run::lanes; ++lane)
        elsewhere->restore((lane + 3) % Run::lanes, kept[static_cast<std::size_t>(lane)]);
      CHECK(go_on(*elsewhere, 3) == first);
    }
  }
}

TEST_CASE("conformance: a NaN in an input stops its lane and no other", "[conformance][nan]") {
  constexpr int bad = 2, begin = 6, after = 5;
  for (const Subject& subject : subjects()) {
    Run run(subject, Where::in_a_plant, 60, 40, 9);
    std::vector<Quantity> targets;
    for (const Quantity& q : run.inputs) {
      if (q.asset == "it") targets.push_back(q);
    }
    const auto healthy = run.make();
    for (int k = 0; k < begin + after; ++k) {
      run.write(*healthy, k);
      healthy->step();
    }
    for (const Quantity& target : targets) {
      INFO(subject.name() << ": NaN in " << target.name);
      const auto ill = run.make();
      for (int k = 0; k < begin; ++k) {
        run.write(*ill, k);
        ill->step();
      }
      run.write(*ill, begin);
      ill->set(bad, target, std::numeric_limits<double>::quiet_NaN());
      ill->step();
      CHECK(ill->status(bad) != Trouble::none);
      CHECK_FALSE(ill->trouble(bad).empty());
      CHECK(ill->index(bad) == begin);
      const std::uint64_t frozen = ill->hash(bad);
      for (int k = begin + 1; k < begin + after; ++k) {
        for (int lane = 0; lane < Run::lanes; ++lane) {
          if (lane != bad) run.write(*ill, k, lane);
        }
        ill->step();
      }
      CHECK(ill->index(bad) == begin);
      CHECK(ill->hash(bad) == frozen);
      for (int lane = 0; lane < Run::lanes; ++lane) {
        if (lane != bad && ill->hash(lane) != healthy->hash(lane)) FAIL_CHECK("lane " << lane << " has changed");
      }
    }
  }
}

}  // namespace urja::tests

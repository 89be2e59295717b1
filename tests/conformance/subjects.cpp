#include "tests/conformance/subjects.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "scenarios/assets.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"

namespace urja::tests {
namespace {

constexpr double plan_start = 1467331200;  // 2016-07-01 UTC

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
    reader.read({&plan, index, 1}, entries, {});
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

double random_input(const Quantity& q, double start, Dice& dice) {
  const bool stays = dice.toss();
  if (q.range.low == 0 && q.range.high == 1) {
    const double value = dice.toss(0.3) ? dice.in(0, 1) : dice.toss() ? 1 : 0;
    return stays ? start : value;
  }
  const double size = q.unit == "W" ? 6e3 : q.unit == "Wh" ? 1e4 : q.unit == "A" ? 20 : q.unit.starts_with("money") ? 0.5 : 2000;
  const double value = dice.in(std::max(q.range.low, -size), std::min(q.range.high, size));
  return stays ? start : value;
}

}  // namespace

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

Run::Run(const Subject& subject, Where where, double dt, int steps, std::uint64_t seed)
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

std::unique_ptr<Batch> Run::make() const {
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

void Run::write(Batch& batch, int step, int lane, int at) const {
  Dice dice((seed_ * 8191 + static_cast<std::uint64_t>(step)) * 131 + static_cast<std::uint64_t>(lane));
  for (const Quantity& q : inputs) batch.set(at, q, random_input(q, plan_->starts[static_cast<std::size_t>(q.row)], dice));
  for (const auto& [command, commanded] : commands_) {
    const bool commands = where_ == Where::alone || dice.toss(0.2);
    batch.set(at, commanded, commands ? 1 : 0);
    batch.set(at, command, commands ? dice.in(-1, 1) * (dice.toss(0.1) ? 1e7 : 1e4) : 0);
  }
}

}  // namespace urja::tests

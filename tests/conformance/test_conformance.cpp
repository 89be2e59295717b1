// Every registered model against the engine's promises, from its declaration alone: who registers one gets these tests. How a
// running subject is made of a model: subjects.hpp.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "engine/units.hpp"
#include "scenarios/scenario.hpp"
#include "tests/catch.hpp"
#include "tests/conformance/subjects.hpp"

namespace urja::tests {
namespace {

constexpr double unbounded = 1e299;

std::vector<double> saved(const Batch& batch, int lane) {
  std::vector<double> snapshot(batch.snapshot_size());
  batch.save(lane, snapshot);
  return snapshot;
}
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
      CHECK(m.name != "power");  // of a port, or in the result file the zero of what has none
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
      if (m.has(content) || m.has(thermal_content) || m.has(jumped)) CHECK(m.unit == "Wh");
      if (m.has(thermal_source) || m.has(thermal_loss) || m.has(thermal_stored)) CHECK(m.unit == "W");
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
    for (const auto& order : type.orders) {
      CHECK(order.size() > 1);
      double before = -unbounded;
      std::string unit;
      for (const std::string& key : order) {
        INFO(name << "." << key);
        const Member* m = type.find(key);
        const auto s = std::find_if(type.settings.begin(), type.settings.end(), [&](const Setting& x) { return x.name == key; });
        REQUIRE(((m && m->kind == Kind::parameter) || s != type.settings.end()));
        const double start = m ? m->start : s->start;
        if (unit.empty()) unit = m ? m->unit : s->unit;
        CHECK(unit == (m ? m->unit : s->unit));
        CHECK(start >= before);
        before = start;
      }
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

TEST_CASE("conformance: energy that comes or goes with a parameter is booked", "[conformance]") {
  for (const Subject& subject : subjects()) {
    const Type& type = *subject.type;
    const auto holds = std::find_if(type.members.begin(), type.members.end(), [](const Member& m) { return m.has(content); });
    if (holds == type.members.end()) continue;
    INFO(subject.name());
    Run run(subject, Where::alone, 60, 80, 3);
    Batch& batch = run.batch();
    const Plan& plan = run.plan();
    const auto sum = [&](int lane, Flag flag) {
      double all = 0;
      for (const Member& m : type.members) all += m.has(flag) ? batch.get(lane, *plan.find("it." + m.name)) : 0;
      return all;
    };
    const auto pair_power = plan.find("it.pair_power");  // stored, but not in the content
    std::vector<double> content_before(Run::lanes), jumped_before(Run::lanes, 0.0);
    double largest = 0;
    std::mt19937_64 bits(17);
    const auto in = [&](double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; };
    for (int k = 0; k < 80; ++k) {
      run.write(batch, k);
      for (const Quantity& p : run.parameters) {
        if (!(p.flags & hook) || in(0, 1) > 0.1) continue;
        const int lane = static_cast<int>(in(0, Run::lanes));
        batch.change(lane, p, std::clamp(batch.get(lane, p) * in(0.5, 1.5), p.range.low, p.range.high));
      }
      batch.step();
      for (int lane = 0; lane < Run::lanes; ++lane) {
        INFO("step " << k << ", lane " << lane);
        if (batch.status(lane) != Trouble::none) continue;
        const double now = sum(lane, content), jumps = sum(lane, jumped);
        const double flow = sum(lane, stored) - (pair_power ? batch.get(lane, *pair_power) : 0);
        const auto at = static_cast<std::size_t>(lane);
        if (k > 0)
          CHECK(now - content_before[at] == Approx(flow / 60 + jumps - jumped_before[at]).margin(1e-9 * std::abs(now) + 1e-9));
        largest = std::max(largest, std::abs(jumps - jumped_before[at]));
        content_before[at] = now;
        jumped_before[at] = jumps;
      }
    }
    CHECK(largest > 1e-6 * std::abs(content_before[0]));  // something has jumped
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

#include "scenarios/gym/defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace urja {
namespace {

constexpr int most_members = 64;  // of a fleet whose members an agent commands one by one
constexpr int most_shown = 16;    // and that it sees one by one

}  // namespace

bool follows_data(const Plan& plan, int row) {
  return std::any_of(plan.profiles.begin(), plan.profiles.end(), [&](const Profile& p) {
    return p.rows() > 1 && std::any_of(p.targets.begin(), p.targets.end(), [&](const auto& t) { return t.to == row; });
  });
}

template <class Visit> void GymDefaults::each_asset(Visit&& visit) const {
  for (const Plan::Asset& a : plan_.assets) {
    if (!a.type->controller) visit(plan_, a, a.name, 1);
  }
  for (const Plan::Fleet& f : plan_.fleets) {
    for (const Plan::Asset& a : f.plan->assets)
      visit(*f.plan, a, f.name + (f.members <= most_members ? ".*." : ".") + a.name, f.members);
  }
}

std::string GymDefaults::actions() const {
  std::string all;
  const auto add = [&](const std::string& path) { all += (all.empty() ? "" : ", ") + path; };
  each_asset([&](const Plan& home, const Plan::Asset& a, const std::string& name, int) {
    const auto& members = a.type->members;
    if (std::any_of(members.begin(), members.end(), [](const Member& m) { return m.has(content) && m.has(observable); }))
      add(name + ".power");
    for (const char* input : {"run", "loading", "power_limit"}) {
      const Member* m = a.type->find(input);
      if (m && m->has(actionable) && !follows_data(home, a.offset + m->offset)) add(name + "." + input);
    }
  });
  // Nothing that stores or generates: whatever can be commanded at all.
  if (all.empty()) {
    each_asset([&](const Plan& home, const Plan::Asset& a, const std::string& name, int) {
      for (const Member& m : a.type->members) {
        if (m.has(actionable) && !follows_data(home, a.offset + m.offset) && m.name != "power" && m.range.low > -1e5 &&
            m.range.high < 1e5)
          add(name + "." + m.name);
      }
    });
  }
  return "[" + all + "]";
}

std::string GymDefaults::observations() const {
  static const std::set<std::string> counters{"equivalent_full_cycles", "run_time", "waiting", "peak_import"};
  std::string all;
  each_asset([&](const Plan&, const Plan::Asset& a, std::string name, int members) {
    if (members > most_shown && members <= most_members) name.erase(name.find(".*."), 2);  // their sum
    if (!a.type->ports.empty()) all += name + ".power, ";
    for (const Member& m : a.type->members) {
      if (!m.has(observable) || m.count > 1 || counters.count(m.name)) continue;
      if (m.kind == Kind::state ? m.unit == "money" || m.unit == "l" || m.unit == "kg" : m.name != "time_left") continue;
      all += name + "." + m.name + ", ";
    }
  });
  // An hour and its powers of two ahead, as far as the interval goes into them.
  std::string ahead;
  for (double h : {0.0, 1.0, 2.0, 4.0, 8.0, 16.0}) {
    const double k = h * 3600 / interval_;
    if (std::abs(k - std::round(k)) < 1e-6) ahead += (ahead.empty() ? "" : ", ") + fmt::format("{:g} h", h);
  }
  each_asset([&](const Plan& home, const Plan::Asset& a, std::string name, int) {
    name.erase(std::min(name.size(), name.find(".*.")), name.find(".*.") == std::string::npos ? 0 : 2);
    for (const char* what : {"wanted", "available_power", "price", "export_price"}) {
      const Member* m = a.type->find(what);
      if (!m || (m->kind == Kind::input && !follows_data(home, a.offset + m->offset))) continue;
      // What is wanted follows from data only where the demand is given.
      const Member* demand = a.type->find("demand");
      if (std::string_view(what) == "wanted" && !(demand && follows_data(home, a.offset + demand->offset))) continue;
      all += fmt::format("{{forecast: {}.{}, ahead: [{}], error: {} %}}, ", name, what, ahead, m->kind == Kind::input ? 0 : 10);
    }
  });
  return "[" + all + "calendar, remaining]";
}

std::string GymDefaults::reward() const {
  std::set<std::string> kpis;
  for (const Quantity& q : plan_.quantities()) kpis.insert(q.kpi);
  std::string cost;
  if (!s_.currency.empty()) cost += "cost_total: 1, ";
  else if (kpis.count("import_kwh")) cost += "import_kwh: 1, ";
  for (const char* unmet : {"ev_unmet_kwh", "deferred_unmet_kwh"}) {
    if (kpis.count(unmet)) cost += std::string(unmet) + ": 1, ";
  }
  return "{cost: {" + cost + "unserved_kwh: 10}}";
}

}  // namespace urja

#include "viz/sweep_table.hpp"

#include "viz/page_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr double k_none = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t k_most_levels = 12;  // a number with more distinct values is judged by its thirds
constexpr std::size_t k_best_of_each_kpi = 30;
constexpr std::array k_higher_is_better{"self_consumption", "self_sufficiency", "served_kwh", "pv_kwh",
                                        "revenue_export",   "ev_kwh",           "steps_per_s"};

std::string text(const json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_string() ? valid_utf8(it->get<std::string>()) : std::string();
}

double real(const json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_number() ? it->get<double>() : k_none;
}

const json& list(const json& j, const char* key) {
  static const json none = json::array();
  const auto it = j.find(key);
  return it != j.end() && it->is_array() ? *it : none;
}

// A bijection of 64 bits without visible order (the finalizer of splitmix64): a sample that follows no pattern of a grid.
std::uint64_t scattered(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

// Lower is better, for sorting.
double judged(const SweepKpi& k, std::size_t row) { return k.higher_is_better ? -k.values[row] : k.values[row]; }

std::vector<std::size_t> rows_with(const Sweep& s, const std::vector<const std::vector<double>*>& columns) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < s.variants.size(); ++i) {
    const bool whole = std::all_of(columns.begin(), columns.end(), [&](const auto* c) { return std::isfinite((*c)[i]); });
    if (s.variants[i].done() && whole) rows.push_back(i);
  }
  return rows;
}

struct Mean {
  std::string at;
  double sum = 0, n = 0;
  double value() const { return sum / n; }
};

// The key's values, or its lowest and highest third, with the KPI's mean for each.
std::vector<Mean> means_of(const SweepKey& key, const SweepKpi& kpi, const std::vector<std::size_t>& rows, bool* thirds) {
  std::map<double, Mean> by_value;
  Mean own{"the scenario’s own value"};
  for (const std::size_t i : rows) {
    const double v = key.values[i];
    Mean& m = std::isfinite(v) ? by_value[v] : own;
    m.sum += kpi.values[i];
    ++m.n;
    *thirds = !key.text && by_value.size() > k_most_levels;
    if (*thirds) break;
  }
  std::vector<Mean> means;
  if (!*thirds) {
    for (auto& [value, m] : by_value) {
      m.at = value_text(key, value);
      means.push_back(m);
    }
    if (own.n > 0) means.push_back(own);
    return means;
  }
  std::vector<std::size_t> sorted;
  for (const std::size_t i : key.sorted)
    if (std::isfinite(kpi.values[i])) sorted.push_back(i);
  const std::size_t n = std::max<std::size_t>(1, sorted.size() / 3);
  for (const bool low : {true, false}) {
    const std::size_t first = low ? 0 : sorted.size() - n;
    Mean m{low ? "up to " + value_text(key, key.values[sorted[n - 1]]) : "from " + value_text(key, key.values[sorted[first]])};
    for (std::size_t k = first; k < first + n; ++k) m.sum += kpi.values[sorted[k]];
    m.n = static_cast<double>(n);
    means.push_back(m);
  }
  return means;
}

void read_keys(const json& j, Sweep& s, const json& variants) {
  for (const json& k : list(j, "keys")) {
    SweepKey key;
    key.name = text(k, "key");
    key.unit = text(k, "unit");
    key.text = text(k, "kind") == "text";
    s.keys.push_back(std::move(key));
  }
  for (std::size_t c = 0; c < s.keys.size(); ++c) {
    SweepKey& key = s.keys[c];
    const auto at = [c](const json& v) -> const json& {
      static const json null;
      const json& values = list(v, "values");
      return c < values.size() ? values[c] : null;
    };
    // one text among numbers makes the key a text
    for (const json& v : variants) key.text |= at(v).is_string() || at(v).is_boolean();
    std::map<std::string, double> levels;
    for (const json& v : variants) {
      const json& value = at(v);
      if (value.is_null() || value.is_structured()) key.values.push_back(k_none);
      else if (!key.text) key.values.push_back(value.get<double>());
      else {
        const std::string level =
            value.is_string() ? valid_utf8(value.get<std::string>()) : value.dump(-1, ' ', false, json::error_handler_t::replace);
        const auto [it, fresh] = levels.try_emplace(level, static_cast<double>(key.levels.size()));
        if (fresh) key.levels.push_back(level);
        key.values.push_back(it->second);
      }
    }
    if (key.text) continue;
    key.sorted = rows_with(s, {&key.values});
    std::stable_sort(key.sorted.begin(), key.sorted.end(),
                     [&](std::size_t a, std::size_t b) { return key.values[a] < key.values[b]; });
  }
}

void read_kpis(const json& j, Sweep& s, const json& variants) {
  for (const json& k : list(j, "kpis")) {
    SweepKpi kpi;
    kpi.name = text(k, "name");
    kpi.label = text(k, "label");
    kpi.unit = text(k, "unit");
    if (!kpi.name.empty()) s.kpis.push_back(std::move(kpi));
  }
  if (s.kpis.empty()) {  // what the variants have
    std::set<std::string> names;
    for (const json& v : variants)
      if (v.is_object() && v.contains("kpis") && v["kpis"].is_object())
        for (const auto& [name, value] : v["kpis"].items())
          if (value.is_number()) names.insert(name);
    for (const std::string& name : names) s.kpis.push_back({name, "", "", false, {}});
  }
  for (SweepKpi& kpi : s.kpis) {
    if (kpi.label.empty()) kpi.label = replaced(kpi.name, "_", " ");
    if (kpi.unit == "1") kpi.unit.clear();
    kpi.higher_is_better = std::find(k_higher_is_better.begin(), k_higher_is_better.end(), kpi.name) != k_higher_is_better.end();
    for (const json& v : variants) {
      const auto kpis = v.find("kpis");
      kpi.values.push_back(kpis != v.end() && kpis->is_object() ? real(*kpis, kpi.name.c_str()) : k_none);
    }
  }
  std::erase_if(s.kpis, [&](const SweepKpi& k) { return rows_with(s, {&k.values}).empty(); });
}

}  // namespace

std::string value_text(const SweepKey& key, double value) {
  if (!std::isfinite(value)) return "–";
  if (key.text) return key.levels.at(static_cast<std::size_t>(value));
  return number(value) + (key.unit.empty() || key.unit == "1" ? "" : " " + key.unit);
}

Sweep Sweep::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("{}: cannot be read", path));
  const json j = json::parse(in, nullptr, false);
  if (j.is_discarded()) throw std::runtime_error(fmt::format("{}: is not JSON", path));
  if (!j.is_object() || real(j, "urja_sweep") != 1)
    throw std::runtime_error(fmt::format("{}: is not the result of a sweep (it lacks \"urja_sweep\": 1)", path));
  Sweep s;
  s.scenario = text(j, "scenario");
  s.title = text(j, "title");
  s.scenario_text = text(j, "scenario_text");
  s.sweep_text = text(j, "sweep_text");
  s.version = text(j, "version");
  s.machine = text(j, "machine");
  s.wall_s = real(j, "wall_s");
  s.variants_per_s = real(j, "variants_per_s");
  json variants = json::array();
  for (const json& v : list(j, "variants"))
    if (v.is_object()) variants.push_back(v);
  for (const json& v : variants) {
    SweepVariant one;
    one.index = real(v, "index");
    if (!std::isfinite(one.index)) one.index = static_cast<double>(s.variants.size() + 1);
    one.name = text(v, "name");
    one.status = text(v, "status");
    one.message = text(v, "message");
    if (one.status.empty()) one.status = "not run";
    s.variants.push_back(std::move(one));
  }
  read_keys(j, s, variants);
  read_kpis(j, s, variants);
  return s;
}

std::vector<std::size_t> pareto_front(const Sweep& s, std::size_t first, std::size_t second) {
  const SweepKpi &a = s.kpis.at(first), &b = s.kpis.at(second);
  std::vector<std::size_t> rows = rows_with(s, {&a.values, &b.values}), front;
  std::stable_sort(rows.begin(), rows.end(), [&](std::size_t i, std::size_t k) {
    return std::pair(judged(a, i), judged(b, i)) < std::pair(judged(a, k), judged(b, k));
  });
  for (const std::size_t i : rows)
    if (front.empty() || judged(b, i) < judged(b, front.back())) front.push_back(i);
  return front;
}

std::vector<std::size_t> rows_to_show(const Sweep& s, std::size_t first, std::size_t second, std::size_t most) {
  std::vector<std::size_t> done = rows_with(s, {});
  if (done.size() <= most) return done;
  std::set<std::size_t> chosen;
  const auto add = [&](const std::vector<std::size_t>& rows) {
    for (const std::size_t i : rows)
      if (chosen.size() < most) chosen.insert(i);
  };
  for (const SweepKpi& k : s.kpis) {
    std::vector<std::size_t> rows = rows_with(s, {&k.values});
    const std::size_t n = std::min(k_best_of_each_kpi, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n), rows.end(),
                      [&](std::size_t a, std::size_t b) { return std::pair(judged(k, a), a) < std::pair(judged(k, b), b); });
    rows.resize(n);
    add(rows);
  }
  if (!s.kpis.empty()) add(pareto_front(s, first, second));
  std::sort(done.begin(), done.end(), [](std::size_t a, std::size_t b) { return scattered(a) < scattered(b); });
  add(done);
  return {chosen.begin(), chosen.end()};
}

std::vector<Effect> effects(const Sweep& s, std::size_t kpi) {
  const SweepKpi& k = s.kpis.at(kpi);
  const std::vector<std::size_t> rows = rows_with(s, {&k.values});
  std::vector<Effect> all;
  for (std::size_t c = 0; c < s.keys.size(); ++c) {
    Effect e;
    e.key = c;
    const std::vector<Mean> means = means_of(s.keys[c], k, rows, &e.thirds);
    if (means.size() < 2) continue;
    const auto [low, high] =
        std::minmax_element(means.begin(), means.end(), [](const Mean& a, const Mean& b) { return a.value() < b.value(); });
    e.low = low->value();
    e.high = high->value();
    e.low_at = low->at;
    e.high_at = high->at;
    all.push_back(std::move(e));
  }
  std::stable_sort(all.begin(), all.end(), [](const Effect& a, const Effect& b) { return a.high - a.low > b.high - b.low; });
  return all;
}

}  // namespace urja::viz

#include "scenarios/sweep_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/random.hpp"
#include "engine/units.hpp"
#include "scenarios/distribution.hpp"
#include "scenarios/tree.hpp"

namespace urja {
namespace {

constexpr std::size_t most_variants = 1'000'000;

// A node as YAML again, on one line.
std::string yaml_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "";
    case Node::Kind::scalar: return nlohmann::json(node.text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    case Node::Kind::list: {
      std::string all;
      for (const Node& item : node.items) all += (all.empty() ? "" : ", ") + yaml_of(item);
      return "[" + all + "]";
    }
    case Node::Kind::map: {
      std::string all;
      for (const Node::Entry& e : node.entries) all += (all.empty() ? "" : ", ") + e.key + ": " + yaml_of(e.value);
      return "{" + all + "}";
    }
  }
  return "";
}

class Reader {
 public:
  Reader(const Node& root, Sweep& sweep, Problems& problems) : root_(root), sweep_(sweep), problems_(problems) {}

  void read() {
    known_keys(problems_, root_, {"sweep", "title", "grid", "list", "draw", "faults", "seeds", "results"}, "a sweep");
    const Node* version = root_.find("sweep");
    if (!version) problem(root_, "the key 'sweep' is missing", "write `sweep: 1`, the version of the sweep language");
    else if (version->text != "1")
      problem(*version, fmt::format("version '{}' is not known", version->text), "this program reads version 1");
    if (const Node* title = root_.find("title")) sweep_.title = title->text;
    read_results();
    const Node *list = root_.find("list"), *grid = root_.find("grid"), *draw = root_.find("draw"), *seeds = root_.find("seeds"),
               *faults = root_.find("faults");
    if (!list && !grid && !draw && !seeds && !faults && problems_.empty())
      problem(root_, "there is nothing to vary",
              "say grid, list, draw, faults or seeds; for example grid: {assets.battery.capacity: [5 kWh, 10 kWh]}");
    std::vector<Point> points{{}};
    if (list) points = times(points, of_list(*list));
    if (grid) points = times(points, of_grid(*grid));
    if (draw) points = times(points, of_draw(*draw));
    if (faults) points = times(points, of_faults(*faults));
    const int count = seeds ? whole(*seeds, 1, 100'000) : 1;
    if (!problems_.empty()) return;
    if (points.size() * static_cast<std::size_t>(count) > most_variants) too_many(seeds ? *seeds : root_);
    else make(points, count);
  }

 private:
  struct Point {
    std::string name;
    std::map<std::size_t, Sweep::Value> values;  // by number of the key
  };

  void problem(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }
  void too_many(const Node& at) {
    problem(at, fmt::format("the sweep has more than {} variants", most_variants), "take fewer values, or several sweeps");
  }
  int whole(const Node& node, int low, int high) {
    const auto value = node.is_scalar() ? parse_quantity(node.text) : std::nullopt;
    if (value && value->unit.empty() && value->value == std::floor(value->value) && value->value >= low && value->value <= high)
      return static_cast<int>(value->value);
    problem(node, fmt::format("expected a whole number from {} to {}", low, high));
    return low;
  }
  std::size_t key(const Node::Entry& e) {
    const auto found = std::find_if(sweep_.keys.begin(), sweep_.keys.end(), [&](const auto& k) { return k.key == e.key; });
    if (found != sweep_.keys.end()) return static_cast<std::size_t>(found - sweep_.keys.begin());
    if (e.key.empty() || e.key.find('=') != std::string::npos)
      problems_.add({e.value.file(), e.line, e.column, e.value.path, fmt::format("'{}' cannot be a key", e.key),
                     "write a path such as assets.battery.capacity"});
    sweep_.keys.push_back({e.key, e.line, e.column, true, ""});
    return sweep_.keys.size() - 1;
  }
  Sweep::Value value(const Node& node, std::size_t key) {
    const auto written = node.is_scalar() ? parse_quantity(node.text) : std::nullopt;
    Sweep::Key& k = sweep_.keys[key];
    if (!units_.count(key) && written) units_[key] = k.unit = written->unit;
    if (!written || written->unit != units_[key]) k.number = false;
    return {yaml_of(node), node.is_scalar() ? node.text : yaml_of(node), written ? written->value : 0};
  }
  // Keys of two parts of the sweep would contradict each other.
  std::vector<Point> times(const std::vector<Point>& a, const std::vector<Point>& b) {
    std::vector<Point> all;
    if (a.size() * b.size() > most_variants) {
      too_many(root_);
      return a;
    }
    for (const Point& left : a) {
      for (const Point& right : b) {
        Point p = left;
        if (p.name.empty()) p.name = right.name;
        for (const auto& [k, v] : right.values) {
          if (!p.values.emplace(k, v).second) {
            const Sweep::Key& twice = sweep_.keys[k];
            problems_.add({sweep_.file, twice.line, twice.column, twice.key, "this key is varied in two parts of the sweep",
                           "keep one of them"});
            return a;
          }
        }
        all.push_back(std::move(p));
      }
    }
    return all;
  }

  std::vector<Point> of_list(const Node& list) {
    std::vector<Point> points;
    if (list.kind != Node::Kind::list || list.items.empty()) {
      problem(list, "expected a list of variants",
              "for example list: [{name: as it is}, {name: more sun, assets.pv.rated: 12 kW}]");
      return {{}};
    }
    for (const Node& item : list.items) {
      if (!item.is_map()) {
        problem(item, "expected a variant", "for example {name: more sun, assets.pv.rated: 12 kW}");
        continue;
      }
      Point p;
      for (const Node::Entry& e : item.entries) {
        if (e.key == "name") p.name = e.value.text;
        else {
          const std::size_t k = key(e);
          p.values[k] = value(e.value, k);
        }
      }
      points.push_back(std::move(p));
    }
    return points;
  }

  std::vector<Point> of_grid(const Node& grid) {
    std::vector<Point> points{{}};
    if (!grid.is_map() || grid.entries.empty()) {
      problem(grid, "expected keys with their values", "for example grid: {assets.battery.capacity: [5 kWh, 10 kWh]}");
      return points;
    }
    for (const Node::Entry& e : grid.entries) {
      if (e.value.kind != Node::Kind::list || e.value.items.empty()) {
        problem(e.value, "expected a list of values", "for example [5 kWh, 10 kWh]");
        continue;
      }
      const std::size_t k = key(e);
      std::vector<Point> here;
      for (const Node& item : e.value.items) {
        Point p;
        p.values[k] = value(item, k);
        here.push_back(std::move(p));
      }
      points = times(points, here);
    }
    return points;
  }

  // None of the scenario's faults, then each of them alone, at each severity: one plan for all, since a severity is a start value.
  std::vector<Point> of_faults(const Node& faults) {
    if (!faults.is_map() || faults.entries.empty()) {
      problem(faults, "expected faults of the scenario with their severities",
              "for example faults: {shade: [30 %, 100 %], trip: [1]}");
      return {{}};
    }
    std::vector<Point> points(1);
    points.front().name = "healthy";
    std::vector<std::size_t> keys;
    for (const Node::Entry& e : faults.entries) {
      Node::Entry of_severity = e;
      of_severity.key = "faults." + e.key + ".severity";
      keys.push_back(key(of_severity));
      const std::vector<Node> severities = e.value.kind == Node::Kind::list ? e.value.items : std::vector<Node>{e.value};
      if (severities.empty() || (severities.size() == 1 && !severities.front().is_scalar())) {
        problem(e.value, "expected severities", "from 0 to 1, for example [30 %, 100 %]");
        continue;
      }
      for (const Node& one : severities) {
        points.emplace_back();
        points.back().name = e.key + " " + one.text;
        points.back().values[keys.back()] = value(one, keys.back());
      }
    }
    Node none;
    none.kind = Node::Kind::scalar;
    for (Point& p : points) {
      for (std::size_t k : keys) {
        none.text = units_[k].empty() ? "0" : "0 " + units_[k];
        if (!p.values.count(k)) p.values[k] = value(none, k);
      }
    }
    return points;
  }

  std::vector<Point> of_draw(const Node& draw) {
    const Node *of = draw.find("of"), *count = draw.find("count"), *seed = draw.find("seed"), *method = draw.find("method");
    known_keys(problems_, draw, {"method", "count", "seed", "of"}, "a draw");
    if (!draw.is_map() || !of || !of->is_map() || of->entries.empty() || !count) {
      problem(draw, "a draw needs `count:` and `of:`",
              "for example draw: {count: 100, of: {assets.pv.rated: {uniform: [4 kW, 8 kW]}}}");
      return {{}};
    }
    const bool hypercube = !method || method->text == "latin_hypercube";
    if (!hypercube && method->text != "monte_carlo")
      problem(*method, fmt::format("'{}' is not one of its choices", method->text), "allowed: latin_hypercube or monte_carlo");
    const int n = whole(*count, 1, static_cast<int>(most_variants));
    const auto stream = static_cast<std::uint64_t>(seed ? whole(*seed, 0, 2'000'000'000) : 1);
    std::vector<Point> points(static_cast<std::size_t>(n));
    for (const Node::Entry& e : of->entries) {
      const auto distribution = read_distribution(e.value, problems_);
      if (!distribution) continue;
      const std::size_t k = key(e);
      // A number is a function of seed, key and variant: another key in the file moves none of them.
      const auto uniform = [&](std::uint32_t i, std::uint32_t what) {
        return urja::draw(stream, i, what, purpose(e.key, 0), 0).uniform[0];
      };
      std::vector<std::uint32_t> stratum(static_cast<std::size_t>(n));
      for (std::uint32_t i = 0; i < stratum.size(); ++i) stratum[i] = i;
      for (std::size_t i = stratum.size(); hypercube && i > 1; --i)
        std::swap(stratum[i - 1],
                  stratum[static_cast<std::size_t>(uniform(static_cast<std::uint32_t>(i), 1) * static_cast<double>(i))]);
      for (std::uint32_t i = 0; i < stratum.size(); ++i) {
        const double p = hypercube ? (stratum[i] + uniform(i, 0)) / n : uniform(i, 0);
        if (!distribution->choices.empty()) {
          const auto size = distribution->choices.size();
          points[i].values[k] =
              value(distribution->choices[std::min(size - 1, static_cast<std::size_t>(p * static_cast<double>(size)))], k);
        } else {
          Node drawn;
          drawn.kind = Node::Kind::scalar;
          drawn.text =
              fmt::format("{}{}{}", distribution->quantile(p), distribution->unit.empty() ? "" : " ", distribution->unit);
          points[i].values[k] = value(drawn, k);
        }
      }
    }
    return points;
  }

  void read_results() {
    const Node* results = root_.find("results");
    if (!results) return;
    sweep_.with_results = true;
    if (results->is_scalar() && results->text == "all") return;
    if (results->kind != Node::Kind::list || results->items.empty())
      return problem(*results, "expected `all` or a list of channels", "for example results: [battery, grid.power]");
    for (const Node& one : results->items) {
      if (one.is_scalar()) sweep_.channels.push_back(one.text);
      else problem(one, "expected the name of a channel");
    }
  }

  void make(const std::vector<Point>& points, int seeds) {
    for (const Point& p : points) {
      for (int seed = 0; seed < seeds; ++seed) {
        Sweep::Variant v;
        v.name = p.name;
        v.seed_after = static_cast<std::uint64_t>(seed);
        v.values.resize(sweep_.keys.size());
        for (const auto& [k, value] : p.values) v.values[k] = value;
        sweep_.variants.push_back(std::move(v));
      }
    }
  }

  const Node& root_;
  Sweep& sweep_;
  Problems& problems_;
  std::map<std::size_t, std::string> units_;
};

}  // namespace

std::vector<std::string> Sweep::assignments(const Variant& variant) const {
  std::vector<std::string> all;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    if (!variant.values[k].text.empty()) all.push_back(keys[k].key + "=" + variant.values[k].text);
  }
  return all;
}

Sweep load_sweep(const std::string& file) {
  Problems problems;
  Sweep sweep;
  sweep.file = file;
  sweep.text = read_text(file, problems);
  Node root;
  if (problems.empty()) root = parse_yaml(sweep.text, file, problems);
  if (problems.empty() && !root.is_map())
    problems.add({file, root.line, root.column, "", "this is not a sweep", "it needs `sweep: 1` and grid, list, draw or seeds"});
  if (problems.empty()) Reader(root, sweep, problems).read();
  if (!problems.empty()) throw ScenarioError{problems};
  return sweep;
}

}  // namespace urja

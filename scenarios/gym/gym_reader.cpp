#include "scenarios/gym/gym_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/units.hpp"
#include "scenarios/distribution.hpp"
#include "scenarios/gym/defaults.hpp"
#include "scenarios/gym/probe.hpp"
#include "scenarios/timeline.hpp"

namespace urja {
namespace {

constexpr double hour = 3600, day = 86400;
constexpr const char* calendar_parts[] = {"day_sin", "day_cos", "week_sin", "week_cos", "year_sin", "year_cos"};

}  // namespace

GymSpecification GymReader::read(const Node* block, const Node& root) {
  if (block && block->kind != Node::Kind::null && !block->is_map()) {
    problem(*block, "expected what an agent sees and does", "for example gym: {interval: 15 min, episode: {length: 1 d}}");
    return std::move(g_);
  }
  if (block && block->is_map())
    known_keys(problems_, *block,
               {"interval", "physics_step", "controller", "episode", "observations", "normalised_observations", "actions",
                "normalised_actions", "reward", "terminate", "randomise", "faults"},
               "a gym");
  const Node& at = block ? *block : root;
  const auto find = [&](const char* key) { return block ? block->find(key) : nullptr; };
  read_times(block ? block : &root);
  if (!problems_.empty()) return std::move(g_);
  const auto yes = [&](const char* key, bool& value) {
    if (const Node* n = find(key)) {
      if (n->text == "true" || n->text == "yes") value = true;
      else if (n->text == "false" || n->text == "no") value = false;
      else problem(*n, "expected yes or no");
    }
  };
  yes("normalised_observations", g_.normalised);
  yes("normalised_actions", g_.normalised_actions);
  GymDefaults defaults(plan_, s_, interval_);
  const auto or_default = [&](const char* key, const std::string& otherwise) -> const Node* {
    if (const Node* n = find(key)) return n;
    Problems none;
    made_.push_back(parse_yaml(otherwise, s_.file, none));
    return &made_.back();
  };
  made_.reserve(8);
  keeps_controller_ = find("controller") && find("controller")->text == "keep";
  read_episode(find("episode") ? find("episode") : &at);
  read_actions(or_default("actions", defaults.actions()));
  read_observations(or_default("observations", defaults.observations()));
  read_reward(or_default("reward", defaults.reward()));
  if (const Node* n = find("terminate")) read_terminations(*n);
  if (const Node* n = find("randomise")) read_randomised(*n);
  if (problems_.empty()) fill_bounds();
  return std::move(g_);
}

// --- times ---

void GymReader::read_times(const Node* block) {
  interval_ = std::max(900.0, s_.step);
  if (const Node* n = block->find("interval")) interval_ = numbers_.quantity(*n, "s", {0.02, 31 * day}).value_or(interval_);
  else if (std::abs(interval_ / s_.step - std::round(interval_ / s_.step)) > 1e-6) interval_ = s_.step;
  const double per = interval_ / s_.step;
  if (std::abs(per - std::round(per)) > 1e-6 || per < 1 - 1e-9 || per > 1e6)
    problem(block->find("interval") ? *block->find("interval") : *block,
            fmt::format("{:g} s are not a whole number of steps of {:g} s", interval_, s_.step),
            "change interval, run.step or physics_step");
  else g_.per_interval = static_cast<int>(std::llround(per));
}

void GymReader::read_episode(const Node* node) {
  const bool given = node->path.ends_with("episode");
  double length = std::min(day, std::floor((s_.end - s_.start) / interval_) * interval_);
  std::array<double, 3> shares{0.7, 0.15, 0.15};
  double time_of_day = -1, by = 0;
  bool first_only = false;
  if (given) {
    if (!node->is_map()) return problem(*node, "expected {length: .., ..}", "for example episode: {length: 1 d, start: random}");
    known_keys(problems_, *node, {"length", "start", "split", "by"}, "an episode");
    if (const Node* n = node->find("length")) {
      length = numbers_.quantity(*n, "s", {interval_, 400 * day}).value_or(length);
      const double k = length / interval_;
      if (std::abs(k - std::round(k)) > 1e-6) problem(*n, fmt::format("is not a whole number of intervals of {:g} s", interval_));
    }
    if (const Node* n = node->find("start")) {
      if (n->text == "first") first_only = true;
      else if (n->text != "random") {
        int h = 0, m = 0, end = 0;
        if (std::sscanf(n->text.c_str(), "%2d:%2d%n", &h, &m, &end) == 2 && end == static_cast<int>(n->text.size()) && h < 24 &&
            m < 60)
          time_of_day = h * hour + m * 60;
        else
          problem(*n, fmt::format("'{}' is no start of an episode", n->text),
                  "random, first or a local time of day such as \"00:00\"");
      }
    }
    if (const Node* n = node->find("split")) {
      if (n->kind != Node::Kind::list || n->items.size() != 3) {
        problem(*n, "expected three shares", "for train, validation and test: split: [70 %, 15 %, 15 %]");
      } else {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k) sum += shares[k] = numbers_.quantity(n->items[k], "1", {0, 1}).value_or(0.3);
        if (std::abs(sum - 1) > 1e-6) problem(*n, fmt::format("the shares add up to {:g}, not to 1", sum));
      }
    }
    if (const Node* n = node->find("by")) by = numbers_.quantity(*n, "s", {length, 1000 * day}).value_or(0);
  }
  if (!problems_.empty()) return;
  g_.episode = std::llround(length / interval_);
  if (length > s_.end - s_.start + 1e-6)
    return problem(node->find("length") ? *node->find("length") : *node, "an episode is longer than the run",
                   fmt::format("the run is {:g} h long", (s_.end - s_.start) / hour));
  if (by == 0) by = std::min(20 * length, s_.end - s_.start);
  list_starts(*node, shares, by, time_of_day, first_only);
  // Short data: all splits are the whole, and whoever asked for a split hears of it.
  for (std::size_t k = 0; k < 3; ++k) {
    if (!g_.starts[k].empty() || shares[k] == 0) continue;
    if (given && (node->find("split") || node->find("by")))
      return problem(node->find("by") ? *node->find("by") : *node->find("split"),
                     fmt::format("no episode of {:g} h fits into a share of {:g} % of {:g} h", length / hour, shares[k] * 100,
                                 std::min(by, s_.end - s_.start) / hour),
                     "make `by` longer, the share larger or episodes shorter");
    g_.starts[k] = g_.starts[GymSpecification::all];
  }
  if (g_.starts[GymSpecification::all].empty())
    problem(node->find("start") ? *node->find("start") : *node, "no episode can begin at that time within the run");
}

// The data are cut into stretches of length `by`; the first part of each is for training, the next for validation, the last for tests. So
// all seasons are in all three, and no test episode has an hour of a training episode.
void GymReader::list_starts(const Node&, const std::array<double, 3>& shares, double by, double time_of_day, bool first_only) {
  const double length = static_cast<double>(g_.episode) * interval_, all = s_.end - s_.start;
  const auto steps = static_cast<std::int64_t>(std::llround((all - length) / interval_));
  for (std::int64_t k = 0; k <= steps; ++k) {
    const double time = static_cast<double>(k) * interval_;
    if (time_of_day >= 0) {
      const auto utc = static_cast<std::int64_t>(std::llround(s_.start + time));
      const std::int64_t local = utc + static_cast<std::int64_t>(zone_.offset_at(utc));
      if (((local % 86400) + 86400) % 86400 != static_cast<std::int64_t>(time_of_day)) continue;
    }
    const std::int64_t step = k * g_.per_interval;
    g_.starts[GymSpecification::all].push_back(step);
    const double stretch = std::floor(time / by) * by, end = std::min(stretch + by, all);
    double from = stretch;
    for (std::size_t part = 0; part < 3; ++part) {
      const double to = part == 2 ? end : stretch + by * (shares[0] + (part == 1 ? shares[1] : 0));
      if (shares[part] > 0 && time >= from - 1e-6 && time + length <= std::min(to, end) + 1e-6) g_.starts[part].push_back(step);
      from = to;
    }
  }
  if (!first_only) return;
  for (auto& starts : g_.starts) {
    if (starts.size() > 1) starts.resize(1);
  }
}

// --- paths ---

std::vector<std::string> GymReader::known_paths() const {
  std::vector<std::string> names;
  for (const Quantity& q : plan_.quantities()) {
    if ((q.flags & (observable | actionable)) || q.kind == Kind::state || q.kind == Kind::parameter)
      names.push_back(q.asset + "." + q.name);
  }
  return names;
}

// One quantity, or that of each member of a fleet: "homes.*.load.wanted".
std::vector<std::pair<std::string, Quantity>> GymReader::quantities(const Node& at, const std::string& path, bool measured) {
  std::vector<std::pair<std::string, Quantity>> all;
  const auto look_up = [&](const std::string& name) {
    auto q = measured ? plan_.measured(name) : plan_.find(name);
    if (q) all.emplace_back(name, *q);
    return q.has_value();
  };
  if (const std::size_t star = path.find(".*."); star != std::string::npos) {
    for (const Plan::Fleet& f : plan_.fleets) {
      for (int m = 1; f.name == path.substr(0, star) && m <= f.members; ++m) {
        if (!look_up(fmt::format("{}.{}.{}", f.name, m, path.substr(star + 3)))) break;
      }
    }
  } else {
    look_up(path);
  }
  if (all.empty()) {
    std::string plain = path;
    if (const std::size_t star = path.find(".*."); star != std::string::npos) plain.erase(star, 2);
    const std::string close = nearest(plain, known_paths());
    problem(at, fmt::format("there is no channel '{}'", path),
            close.empty() ? "write asset.channel; `urja describe MODEL` lists the channels of a model"
                          : fmt::format("did you mean '{}'?", close));
  }
  return all;
}

bool GymReader::limits(const Node& entry, const std::string& unit, double& low, double& high) {
  const Node *l = entry.find("low"), *h = entry.find("high");
  if (!l && !h) return false;
  if (!l || !h) {
    problem(entry, "'low' and 'high' belong together", "write both, or none");
    return true;
  }
  low = numbers_.quantity(*l, unit, {-1e15, 1e15}).value_or(0);
  high = numbers_.quantity(*h, unit, {-1e15, 1e15}).value_or(low + 1);
  if (!(low < high)) problem(*h, "'high' is not above 'low'");
  return true;
}

// Durations that are whole numbers of intervals.
std::vector<int> GymReader::intervals(const Node& list, const char* what) {
  std::vector<int> all;
  const std::vector<Node> items = list.is_scalar() ? std::vector<Node>{list} : list.items;
  if (items.empty()) problem(list, fmt::format("expected durations for '{}'", what), "for example [1 h, 3 h]");
  for (const Node& item : items) {
    const auto seconds = numbers_.quantity(item, "s", {0, 30 * day});
    if (!seconds) continue;
    const double k = *seconds / interval_;
    if (std::abs(k - std::round(k)) > 1e-6) problem(item, fmt::format("is not a whole number of intervals of {:g} s", interval_));
    else all.push_back(static_cast<int>(std::llround(k)));
  }
  return all;
}

// --- observations ---

void GymReader::read_observations(const Node* list) {
  if (list->kind != Node::Kind::list || list->items.empty())
    return problem(*list, "expected a list of what the agent sees",
                   "for example observations: [battery.state_of_charge, calendar]");
  for (const Node& entry : list->items) {
    read_observation(entry);
    if (g_.observations.size() > 10'000) return problem(entry, "more than 10,000 observations");
  }
  // What is read as it is, first: one pass over the blocks fills it.
  const auto rank = [](const GymSpecification::Observation& o) {
    return o.source == GymSpecification::Observation::measured && o.lag == 0 ? 0 : 1 + static_cast<int>(o.source);
  };
  std::vector<std::size_t> order(g_.observations.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rank(g_.observations[a]) < rank(g_.observations[b]); });
  std::vector<GymSpecification::Observation> sorted;
  for (std::size_t k : order) sorted.push_back(std::move(g_.observations[k]));
  g_.observations = std::move(sorted);
  std::set<std::string> names;
  for (const auto& o : g_.observations) {
    if (!names.insert(o.name).second) problem(*list, fmt::format("'{}' is observed twice", o.name));
  }
}

void GymReader::read_observation(const Node& entry) {
  using Observation = GymSpecification::Observation;
  if (entry.is_scalar() && entry.text == "calendar") {
    for (int part = 0; part < 6; ++part) {
      Observation o;
      o.source = Observation::calendar, o.part = part, o.unit = "1", o.low = -1, o.high = 1;
      o.name = std::string("calendar.") + calendar_parts[part];
      o.doc = "of the local time at the interval's begin";
      g_.observations.push_back(std::move(o));
    }
    return;
  }
  if (entry.is_scalar() && entry.text == "remaining") {
    Observation o;
    o.source = Observation::of_episode, o.unit = "1", o.low = 0, o.high = 1, o.name = "remaining",
    o.doc = "share of the episode that is left";
    g_.observations.push_back(std::move(o));
    return;
  }
  if (const Node* path = entry.find("forecast")) return read_forecast(entry, *path);
  const Node* path = entry.is_scalar() ? &entry : entry.find("path");
  if (!path || !path->is_scalar())
    return problem(entry, "expected a channel",
                   "asset.channel, {path: .., low: .., high: ..}, {forecast: .., ahead: ..}, calendar or remaining");
  if (entry.is_map()) known_keys(problems_, entry, {"path", "low", "high", "lag"}, "an observation");
  const std::vector<int> lags = entry.find("lag") ? intervals(*entry.find("lag"), "lag") : std::vector<int>{0};
  for (auto& [name, q] : quantities(*path, path->text, true)) {
    if (!(q.flags & observable) && !(q.flags & telemetered) && q.when < 0) {
      problem(*path, fmt::format("'{}' is not observable", name),
              "a real plant does not show it; the truth of all is in the state");
      return;
    }
    for (int lag : lags) {
      Observation o;
      o.name = lag ? fmt::format("{}.before_{}", name, duration_text(lag * interval_)) : name;
      std::erase(o.name, ' ');
      o.unit = q.unit, o.doc = q.doc, o.quantity = q, o.lag = lag;
      if (!limits(entry, q.unit, o.low, o.high) && q.unit == "1" && q.range.low > -1e6 && q.range.high < 1e6)
        o.low = q.range.low, o.high = q.range.high;
      g_.observations.push_back(std::move(o));
    }
  }
}

void GymReader::read_forecast(const Node& entry, const Node& path) {
  using Observation = GymSpecification::Observation;
  known_keys(problems_, entry, {"forecast", "ahead", "error", "low", "high"}, "a forecast");
  const Node* ahead = entry.find("ahead");
  if (!ahead)
    return problem(entry, "the key 'ahead' is missing", "for example ahead: [1 h, 3 h, 6 h]; 0 h is the interval that begins");
  double error = 0;
  if (const Node* e = entry.find("error")) error = numbers_.quantity(*e, "1", {0, 5}).value_or(0);
  const std::vector<int> leads = intervals(*ahead, "ahead");
  for (auto& [name, q] : quantities(path, path.text, false)) {
    for (int lead : leads) {
      Observation o;
      o.source = Observation::forecast, o.ahead = lead, o.error = error;
      o.name = lead ? fmt::format("{}.in_{}", name, duration_text(lead * interval_)) : name + ".now";
      std::erase(o.name, ' ');
      o.unit = q.unit, o.quantity = q;
      o.doc = fmt::format("forecast of its mean over the interval that begins then: {}", q.doc);
      limits(entry, q.unit, o.low, o.high);
      said_.emplace_back(o.name, path);
      g_.observations.push_back(std::move(o));
    }
  }
}

// --- actions ---

void GymReader::read_actions(const Node* list) {
  if (list->kind != Node::Kind::list || list->items.empty())
    return problem(*list, "expected a list of what the agent does", "for example actions: [battery.power]");
  for (const Node& entry : list->items) {
    read_action(entry);
    if (g_.actions.size() > 10'000) return problem(entry, "more than 10,000 actions");
  }
  std::set<std::string> names;
  for (const auto& a : g_.actions) {
    if (!names.insert(a.name).second) problem(*list, fmt::format("'{}' is commanded twice", a.name));
  }
}

void GymReader::read_action(const Node& entry) {
  const Node* path = entry.is_scalar() ? &entry : entry.find("path");
  if (!path || !path->is_scalar())
    return problem(entry, "expected a command", "asset.power, asset.input or {path: .., low: .., high: ..}");
  if (entry.is_map()) known_keys(problems_, entry, {"path", "low", "high", "values", "choices"}, "an action");
  for (auto& [name, found] : quantities(*path, path->text, false)) {
    GymSpecification::Action a;
    a.name = name, a.unit = found.unit, a.doc = found.doc;
    Quantity q = found;
    const bool power = q.name == "power";
    if (power) {
      q = *plan_.find(name.substr(0, name.rfind('.')) + ".command");
      q.range = {-1e12, 1e12};
      a.doc = "commanded power out of the asset into its bus";
    } else if (!(q.flags & actionable)) {
      std::vector<std::string> can;
      for (const Quantity& other : plan_.quantities()) {
        if (other.asset == found.asset && (other.flags & actionable) && other.name != "power" && other.name != "command")
          can.push_back(other.name);
      }
      problem(*path, fmt::format("'{}' cannot be commanded", name),
              can.empty() ? "its asset's power can" : "of this asset: power or " + any_of(can));
      return;
    }
    const Plan& home = q.fleet < 0 ? plan_ : *plan_.fleets[static_cast<std::size_t>(q.fleet)].plan;
    if (follows_data(home, q.row))
      return problem(*path, fmt::format("'{}' follows data, which would overwrite what an agent writes there", name),
                     "give the asset a constant instead, or leave the action out");
    const auto commands_it = [&](const Plan::Wire& wire) {
      return std::any_of(wire.others.begin(), wire.others.end(),
                         [&](const Plan::Place& to) { return to.row == q.row && to.fleet == q.fleet; });
    };
    if (keeps_controller_ && std::any_of(plan_.wires_out.begin(), plan_.wires_out.end(), commands_it))
      return problem(
          *path, fmt::format("'{}' is commanded by a controller of the scenario, which would overwrite what an agent says", name),
          "leave `controller: keep` out, or the action");
    a.quantity = q;
    const Node *values = entry.find("values"), *choices = entry.find("choices");
    if (values) {
      if (values->kind != Node::Kind::list || values->items.size() < 2 || values->items.size() > 1000)
        return problem(*values, "expected two values or more", "for example values: [-5 kW, 0 kW, 5 kW]");
      for (const Node& v : values->items) a.values.push_back(numbers_.quantity(v, q.unit, q.range).value_or(0));
      a.low = *std::min_element(a.values.begin(), a.values.end()), a.high = *std::max_element(a.values.begin(), a.values.end());
      if (choices || entry.find("low")) problem(*values, "'values' stand alone", "no low, high or choices beside them");
    } else {
      if (!limits(entry, q.unit, a.low, a.high)) {
        if (q.range.low > -1e5 && q.range.high < 1e5) a.low = q.range.low, a.high = q.range.high;
        else if (q.unit != "W") problem(entry, fmt::format("'{}' has no bounds", name), "write low and high");
      } else if (a.low < q.range.low || a.high > q.range.high) {
        problem(*entry.find(a.low < q.range.low ? "low" : "high"),
                fmt::format("is outside of {:g} to {:g} {}", q.range.low, q.range.high, q.unit));
      }
      if (choices) {
        const double n = numbers_.quantity(*choices, "1", {2, 1000}).value_or(2);
        if (n != std::floor(n)) problem(*choices, "a whole number of choices");
        a.choices = static_cast<int>(n);
      }
    }
    said_.emplace_back(a.name, entry);
    g_.actions.push_back(std::move(a));
  }
}

// --- ends and draws ---

void GymReader::read_terminations(const Node& list) {
  if (list.kind != Node::Kind::list)
    return problem(list, "expected a list of conditions", "for example terminate: [{of: battery.state_of_charge, below: 6 %}]");
  for (const Node& entry : list.items) {
    known_keys(problems_, entry, {"of", "above", "below"}, "a condition");
    const Node *of = entry.find("of"), *above = entry.find("above"), *below = entry.find("below");
    if (!of || (!above && !below)) {
      problem(entry, "a condition needs `of` and above or below", "for example {of: battery.temperature, above: 55 degC}");
      continue;
    }
    for (auto& [name, q] : quantities(*of, of->text, false)) {
      GymSpecification::Condition c{q, -1e300, 1e300, name};
      if (above) c.high = numbers_.quantity(*above, q.unit, {-1e12, 1e12}).value_or(0);
      if (below) c.low = numbers_.quantity(*below, q.unit, {-1e12, 1e12}).value_or(0);
      g_.terminations.push_back(std::move(c));
    }
  }
}

void GymReader::read_randomised(const Node& block) {
  if (!block.is_map())
    return problem(block, "expected parameters with their distributions",
                   "for example randomise: {battery.capacity: {uniform: [20 Ah, 28 Ah]}}");
  for (const Node::Entry& e : block.entries) {
    const Node* times = e.value.find("times");
    const auto distribution = read_distribution(times ? *times : e.value, problems_);
    Node at = e.value;
    at.line = e.line, at.column = e.column;
    auto found = quantities(at, e.key, false);
    if (!distribution) continue;
    if (!distribution->quantile) {
      problem(e.value, "a parameter is a number", "no choice among texts");
      continue;
    }
    for (auto& [name, q] : found) {
      if (q.kind != Kind::parameter && q.kind != Kind::state) {
        problem(at, fmt::format("'{}' is neither a parameter nor a state", name),
                "what data or other assets give cannot be drawn");
        break;
      }
      GymSpecification::Randomised r{name, q.unit, q, distribution->quantile, times != nullptr};
      if (!times) {
        // Converted once: units are linear up to an offset.
        const auto in = [&, unit = q.unit](double v) { return convert({v, distribution->unit}, unit); };
        const auto zero = in(0), one = in(1);
        if (!zero || !one) {
          problem(e.value, fmt::format("the unit '{}' does not fit", distribution->unit),
                  "allowed: " + any_unit(q.unit, s_.currency));
          break;
        }
        const double from = *zero + (*one - *zero) * distribution->quantile(0.01),
                     to = *zero + (*one - *zero) * distribution->quantile(0.99);
        if (std::min(from, to) < q.range.low || std::max(from, to) > q.range.high) {
          problem(e.value,
                  fmt::format("draws as from {:g} to {:g} {}, and {:g} to {:g} is what it can be", from, to, q.unit, q.range.low,
                              q.range.high),
                  "a narrower distribution");
          break;
        }
        r.quantile = [quantile = distribution->quantile, zero = *zero, slope = *one - *zero, range = q.range](double p) {
          return std::clamp(zero + slope * quantile(p), range.low, range.high);
        };
      } else if (!distribution->unit.empty() && distribution->unit != "%") {
        problem(e.value, "what multiplies a value is a plain number");
        break;
      }
      g_.randomised.push_back(std::move(r));
    }
  }
}

// --- bounds that nobody has said ---

void GymReader::fill_bounds() {
  const auto where = [&](const std::string& name) {
    const auto found = std::find_if(said_.begin(), said_.end(), [&](const auto& one) { return one.first == name; });
    return found == said_.end() ? Node{} : found->second;
  };
  for (const GymProbe::Doubt& doubt : GymProbe(s_.plan, g_).fill()) problem(where(doubt.name), doubt.what, doubt.mend);
}

}  // namespace urja

#include "scenarios/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "engine/batch.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/csv.hpp"
#include "scenarios/tree.hpp"

namespace urja {
namespace {

constexpr double vanishing = 1e-6;  // s, the step that shows what a row of zero length does

[[noreturn]] void give_up(const std::string& file, const std::string& what, const std::string& mend = "") {
  Problems problems;
  problems.add({file, 0, 0, "", what, mend});
  throw ScenarioError{problems};
}

}  // namespace

ProbeTable probe(const std::string& model, const std::string& params, const ProbeTable& inputs, const std::string& inputs_file) {
  const Type* type = find_type(model);
  if (!type) {
    std::vector<std::string> names;
    for (const auto& [name, t] : registry()) names.push_back(name);
    const std::string close = nearest(model, names);
    give_up(model, "there is no such model", close.empty() ? "models: " + any_of(names) : "did you mean '" + close + "'?");
  }
  if (inputs.names.empty() || inputs.names[0] != "time_s") give_up(inputs_file, "the first column must be time_s");
  if (inputs.rows.empty()) give_up(inputs_file, "there are no rows");

  const auto plan = std::make_shared<Plan>(0.0, std::max(1.0, inputs.rows.back()[0]), 1.0);
  auto settings = type->make_settings();
  for (const Setting& s : type->settings) s.write(settings.get(), s.start);
  for (const Choice& c : type->choices) c.write(settings.get(), c.start);
  const AssetTarget target{plan.get(), plan->add_asset(model, *type, 0, settings), 1};
  Problems problems;
  if (!params.empty()) {
    const Node root = parse_yaml(read_text(params, problems), params, problems);
    std::string currency;
    const Zone zone = *Zone::find("UTC");
    AssetReader reader(problems, zone, {}, currency);
    reader.driven_alone = true;
    if (root.is_map()) reader.read(target, root, {"model"});
  }
  if (!problems.empty()) throw ScenarioError{problems};
  plan->solo = true;
  try {
    plan->finish();
  } catch (const std::invalid_argument& e) {
    std::string what = e.what();
    if (what.rfind(model + ": ", 0) == 0) what.erase(0, model.size() + 2);
    give_up(params.empty() ? model : params, what);
  }

  std::vector<Quantity> sets, shown;
  bool powered = false;
  for (std::size_t c = 1; c < inputs.names.size(); ++c) {
    const std::string& name = inputs.names[c];
    const bool is_power = name == "power" && !type->ports.empty();
    const auto q = plan->find(model + "." + (is_power ? "command" : name));
    if (!q || (!is_power && q->kind != Kind::input && q->kind != Kind::parameter && q->kind != Kind::state &&
               name != "voltage_of_bus" && name != "frequency_of_bus")) {
      std::vector<std::string> known;
      for (const Member& m : type->members) {
        if (m.kind == Kind::input) known.push_back(m.name);
      }
      if (!type->ports.empty()) known.push_back("power");
      give_up(inputs_file, fmt::format("model '{}' has no input '{}'", model, name), "inputs are " + any_of(known));
    }
    powered = powered || is_power;
    sets.push_back(*q);
  }
  ProbeTable out;
  out.names.push_back("time_s");
  for (const Quantity& q : plan->quantities()) {
    if (q.asset != model) continue;
    if (q.kind != Kind::state && q.kind != Kind::output && q.name != "power") continue;
    out.names.push_back(q.name);
    shown.push_back(q);
  }

  Batch batch(plan, 1);
  Quantity dt{-1, -1, detail::offset_of<&Step::dt>(), "", "", "", "", Kind::input, 0, {}, ""}, index = dt;
  index.row = detail::offset_of<&Step::index>();
  if (powered) batch.set(0, *plan->find(model + ".commanded"), 1);
  std::vector<double> before(batch.snapshot_size());
  double then = inputs.rows[0][0];
  for (std::size_t r = 0; r < inputs.rows.size(); ++r) {
    const std::vector<double>& row = inputs.rows[r];
    const double now = row[0], length = now - then;
    if (length < 0) give_up(inputs_file, fmt::format("time_s goes back in row {}", r + 1), "rows must be in the order of time");
    for (std::size_t k = 0; k < sets.size(); ++k) {
      const double value = row[k + 1];
      const Range& range = sets[k].range;
      if (!(value >= range.low && value <= range.high)) {
        give_up(inputs_file, fmt::format("{} is {:g} in row {}", inputs.names[k + 1], value, r + 1),
                fmt::format("allowed is {:g} to {:g}", range.low, range.high));
      }
      batch.set(0, sets[k], value);
    }
    const double step = length > 0 ? length : vanishing;
    batch.set(0, dt, step);
    batch.set(0, index, then / step);
    batch.prepare(0);
    if (length == 0) batch.save(0, before);
    batch.step();
    if (batch.status(0) != Trouble::none)
      throw std::runtime_error(fmt::format("{} (row {}, time_s {})", batch.trouble(0), r + 1, now));
    std::vector<double> values{now};
    for (const Quantity& q : shown) values.push_back(batch.get(0, q));
    if (length == 0) {
      batch.restore(0, before);
      for (std::size_t k = 0; k < shown.size(); ++k) {
        if (shown[k].kind == Kind::state) values[k + 1] = batch.get(0, shown[k]);
      }
    }
    out.rows.push_back(std::move(values));
    then = now;
  }
  return out;
}

ProbeTable read_table(const std::string& file) {
  std::ifstream in(file);
  if (!in) give_up(file, "cannot be opened", "check the path");
  std::string line;
  std::getline(in, line);
  if (line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
  ProbeTable table;
  std::vector<CsvColumn> wanted;
  // Names are plain words: the separator is whichever of these stands between them, as in read_csv.
  const char separator = line.find(',') != line.npos ? ',' : line.find(';') != line.npos ? ';' : '\t';
  for (std::size_t at = 0; at <= line.size();) {
    std::size_t comma = std::min(line.find(separator, at), line.size());
    std::string name = line.substr(at, comma - at);
    const auto trim = [](char c) { return c == '\r' || c == ' ' || c == '"'; };
    while (!name.empty() && trim(name.back())) name.pop_back();
    while (!name.empty() && trim(name.front())) name.erase(0, 1);
    table.names.push_back(name);
    wanted.push_back({name, {}, {}});
    at = comma + 1;
  }
  std::vector<Problem> found;
  const Csv csv = read_csv(file, wanted, found);
  if (!found.empty()) {
    Problems problems;
    for (const Problem& p : found) problems.add(p);
    throw ScenarioError{problems};
  }
  table.rows.resize(csv.rows);
  for (std::size_t r = 0; r < csv.rows; ++r) {
    for (const auto& column : csv.columns) table.rows[r].push_back(column[r]);
  }
  return table;
}

void write_table(const ProbeTable& table, const std::string& file) {
  std::string text;
  for (std::size_t c = 0; c < table.names.size(); ++c) text += (c ? "," : "") + table.names[c];
  text += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) text += fmt::format("{}{}", c ? "," : "", row[c]);
    text += "\n";
  }
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace urja

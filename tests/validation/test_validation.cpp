// Runs every validation case: tests/validation/<model>/<case>/ with a case.yaml, found by itself. README.md says what such a
// folder holds. With -s the largest error of each channel is printed beside its tolerance.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "engine/declare.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/probe.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"

namespace {

namespace fs = std::filesystem;
using namespace urja;

struct Channel {
  std::string name, column;
  double scale = 1, offset = 0;  // the reference in the model's unit: scale * column + offset
  double absolute = 0, relative = 0;
  bool settled = false;  // rows of zero length, which only set inputs, are left out
};
struct Case {
  std::string model, params;
  ProbeTable inputs, reference;
  std::string inputs_file;
  double longest_step = 0;  // s; 0: as the rows are
  std::vector<Channel> channels;
};
struct Deviation {
  std::string channel;
  double error = 0, allowed = 0;  // where the error is the largest part of what is allowed
  double time = 0;
  std::size_t row = 0, rows = 0;
  double share() const { return allowed > 0 ? error / allowed : error > 0 ? HUGE_VAL : 0; }
};

class CaseReader {
 public:
  explicit CaseReader(const fs::path& folder) : file_((folder / "case.yaml").string()) {}

  Case read() {
    const Node root = parse_yaml(read_text(file_, problems_), file_, problems_);
    stop_if_wrong();
    Case c;
    known_keys(root, {"model", "params", "inputs", "reference", "compare", "resample"}, "a case");
    c.model = text(root, "model");
    if (!c.model.empty() && !find_type(c.model)) fail(*root.find("model"), fmt::format("there is no model '{}'", c.model));
    if (root.find("params")) c.params = path(root, "params");
    c.inputs_file = path(root, "inputs");
    if (const Node* resample = root.find("resample")) {
      known_keys(*resample, {"step"}, "resample");
      const auto step = parse_duration(text(*resample, "step"));
      if (step && *step > 0) c.longest_step = *step;
      else fail(*resample, "needs a step", "for example `resample: {step: 1 s}`");
    }
    const std::string reference = path(root, "reference");
    stop_if_wrong();
    c.inputs = read_table(c.inputs_file);
    c.reference = read_table(reference);
    if (c.inputs.rows.size() != c.reference.rows.size() && c.inputs.rows.size() != c.reference.rows.size() + 1) {
      fail(*root.find("reference"), fmt::format("has {} rows, the inputs have {}", c.reference.rows.size(), c.inputs.rows.size()),
           "as many, or one less");
    }
    const Node* compare = root.find("compare");
    if (!compare || !compare->is_map())
      fail(compare ? *compare : root, "the key 'compare' is missing",
           "for example compare: {voltage: {column: V, absolute: 5e-5}}");
    else read_channels(*compare, c);
    stop_if_wrong();
    return c;
  }

 private:
  void read_channels(const Node& compare, Case& c) {
    const std::optional<bool> common = rows_of(compare);
    for (const Node::Entry& e : compare.entries) {
      if (e.key == "rows") continue;
      known_keys(e.value, {"column", "scale", "offset", "absolute", "relative", "rows"}, "a channel");
      Channel channel{e.key,
                      text(e.value, "column"),
                      number(e.value, "scale", 1),
                      number(e.value, "offset", 0),
                      number(e.value, "absolute", 0),
                      number(e.value, "relative", 0),
                      rows_of(e.value).value_or(common.value_or(false))};
      if (!(channel.absolute > 0) && !(channel.relative > 0))
        fail(e.value, "has no tolerance", "give `absolute: ..` in the model's unit, or `relative: ..`");
      const auto& columns = c.reference.names;
      if (!channel.column.empty() && std::find(columns.begin(), columns.end(), channel.column) == columns.end()) {
        fail(*e.value.find("column"), fmt::format("the reference has no column '{}'", channel.column),
             "it has " + any_of(columns));
      }
      c.channels.push_back(std::move(channel));
    }
    if (c.channels.empty()) fail(compare, "compares nothing");
  }
  // Should zero-length rows be left out?
  std::optional<bool> rows_of(const Node& map) {
    const Node* rows = map.find("rows");
    if (!rows) return std::nullopt;
    if (rows->text != "all" && rows->text != "settled")
      fail(*rows, fmt::format("'{}' is not one of its choices", rows->text), "allowed: all or settled");
    return rows->text == "settled";
  }
  std::string text(const Node& map, const char* key) {
    const Node* node = map.find(key);
    if (node && node->is_scalar() && !node->text.empty()) return node->text;
    fail(node ? *node : map, fmt::format("the key '{}' is missing or empty", key));
    return "";
  }
  std::string path(const Node& map, const char* key) {
    const std::string name = text(map, key), full = name.empty() ? "" : relative_to(file_, name);
    if (!full.empty() && !fs::exists(full)) fail(*map.find(key), fmt::format("there is no file {}", name));
    return full;
  }
  double number(const Node& map, const char* key, double otherwise) {
    const Node* node = map.find(key);
    if (!node) return otherwise;
    const auto q = parse_quantity(node->text);
    if (q && q->unit.empty()) return q->value;
    fail(*node, fmt::format("'{}' is not a plain number", node->text));
    return otherwise;
  }
  void known_keys(const Node& map, const std::vector<std::string>& known, const std::string& whose) {
    for (const Node::Entry& e : map.entries) {
      if (std::find(known.begin(), known.end(), e.key) == known.end()) {
        problems_.add({file_, e.line, e.column, e.value.path, fmt::format("{} has no key '{}'", whose, e.key),
                       "it knows " + any_of(known)});
      }
    }
  }
  void fail(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({file_, at.line, at.column, at.path, what, mend});
  }
  void stop_if_wrong() const {
    if (!problems_.empty()) throw ScenarioError{problems_};
  }

  std::string file_;
  Problems problems_;
};

// Rows cut into pieces of at most `longest`; `last[k]` is the piece that ends where row k ended.
ProbeTable subdivided(const ProbeTable& rows, double longest, std::vector<std::size_t>& last) {
  ProbeTable fine{rows.names, {}};
  double then = rows.rows.front()[0];
  for (const std::vector<double>& row : rows.rows) {
    const double length = row[0] - then;
    const int pieces = longest > 0 && length > 0 ? static_cast<int>(std::ceil(length / longest - 1e-9)) : 1;
    for (int p = 1; p <= pieces; ++p) {
      fine.rows.push_back(row);
      if (p < pieces) fine.rows.back()[0] = then + length * p / pieces;
    }
    last.push_back(fine.rows.size() - 1);
    then = row[0];
  }
  return fine;
}

std::vector<Deviation> run(const Case& c, const std::string& file) {
  std::vector<std::size_t> last;
  const ProbeTable shown = probe(c.model, c.params, subdivided(c.inputs, c.longest_step, last), c.inputs_file);
  std::vector<Deviation> all;
  for (const Channel& channel : c.channels) {
    const auto place = std::find(shown.names.begin(), shown.names.end(), channel.name);
    if (place == shown.names.end()) {
      Problems problems;
      problems.add({file, 0, 0, "compare." + channel.name, fmt::format("model '{}' shows no such channel", c.model),
                    "it shows " + any_of(shown.names)});
      throw ScenarioError{problems};
    }
    const auto own = static_cast<std::size_t>(place - shown.names.begin());
    const auto column = static_cast<std::size_t>(std::find(c.reference.names.begin(), c.reference.names.end(), channel.column) -
                                                 c.reference.names.begin());
    Deviation worst{channel.name};
    const std::size_t first = c.inputs.rows.size() - c.reference.rows.size();  // 1: the first row of inputs only begins
    double then = c.inputs.rows.front()[0];
    for (std::size_t r = 0; r < c.reference.rows.size(); ++r) {
      const double time = c.inputs.rows[r + first][0];
      const bool settled = time > then;
      then = time;
      if (channel.settled && !settled) continue;
      const double wanted = channel.scale * c.reference.rows[r][column] + channel.offset;
      if (std::isnan(wanted)) continue;  // an empty cell of the reference
      const double error = std::abs(shown.rows[last[r + first]][own] - wanted);
      const Deviation here{channel.name,
                           std::isnan(error) ? HUGE_VAL : error,
                           std::max(channel.absolute, channel.relative * std::abs(wanted)),
                           time,
                           r + 1,
                           0};
      const std::size_t rows = worst.rows + 1;
      if (worst.rows == 0 || here.share() > worst.share()) worst = here;
      worst.rows = rows;
    }
    all.push_back(worst);
  }
  return all;
}

const fs::path root = fs::path(URJA_SOURCE_DIR) / "tests" / "validation";

std::vector<fs::path> folders() {
  std::vector<fs::path> found;
  for (const auto& model : fs::directory_iterator(root)) {
    if (!model.is_directory()) continue;
    for (const auto& one : fs::directory_iterator(model.path())) {
      if (one.is_directory()) found.push_back(one.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// A case made for a test of the runner, in a folder of its own.
std::string refused(const std::string& yaml) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("urja_case_{}", std::hash<std::string>{}(yaml));
  fs::create_directories(folder);
  std::ofstream(folder / "in.csv") << "time_s,current\n0,0\n10,1\n";
  std::ofstream(folder / "ref.csv") << "t,V\n0,4\n10,4\n";
  std::ofstream(folder / "long.csv") << "t,V\n0,4\n10,4\n20,4\n";
  std::ofstream(folder / "short.csv") << "t,V\n10,4\n";
  std::ofstream(folder / "params.yaml") << "set: nmc_kokam\n";
  std::ofstream(folder / "case.yaml") << yaml;
  std::string text = "accepted";
  try {
    run(CaseReader(folder).read(), (folder / "case.yaml").string());
  } catch (const ScenarioError& e) { text = e.problems.text(); }
  fs::remove_all(folder);
  return text;
}

}  // namespace

TEST_CASE("validation: every folder says where its numbers come from", "[validation]") {
  REQUIRE(folders().size() >= 4);
  for (const fs::path& folder : folders()) {
    INFO(folder.string());
    CHECK(fs::exists(folder / "SOURCE.md"));
    CHECK((fs::exists(folder / "case.yaml") || fs::exists(folder / "reference.csv")));
  }
}

TEST_CASE("validation: cases", "[validation]") {
  for (const fs::path& folder : folders()) {
    if (!fs::exists(folder / "case.yaml")) continue;
    DYNAMIC_SECTION(fs::relative(folder, root).string()) {
      std::vector<Deviation> all;
      std::string wrong;
      try {
        all = run(CaseReader(folder).read(), (folder / "case.yaml").string());
      } catch (const ScenarioError& e) { wrong = e.problems.text(); }
      INFO(wrong);
      REQUIRE(wrong.empty());
      for (const Deviation& d : all) {
        INFO(fmt::format("{}: {}: largest error {:.3g} of {:.3g} allowed, at time_s {:g} (row {}; {} rows compared)",
                         fs::relative(folder, root).string(), d.channel, d.error, d.allowed, d.time, d.row, d.rows));
        CHECK(d.rows > 0);
        CHECK(d.error <= d.allowed);
      }
    }
  }
}

TEST_CASE("validation: a wrong case file is an error that names file and key", "[validation]") {
  const std::string head = "model: cell\nparams: params.yaml\ninputs: in.csv\nreference: ref.csv\n";
  CHECK(refused(head + "compare: {voltage: {column: V, absolute: 10}}\n") == "accepted");
  CHECK_THAT(refused(head + "compare: {voltage: {column: U, absolute: 10}}\n"),
             contains("case.yaml:5:29: compare.voltage.column: the reference has no column 'U'"));
  CHECK_THAT(refused(head + "compare: {volts: {column: V, absolute: 10}}\n"),
             contains("case.yaml: compare.volts: model 'cell' shows no such channel"));
  CHECK_THAT(refused(head + "compare: {voltage: {column: V}}\n"), contains("compare.voltage: has no tolerance"));
  CHECK_THAT(refused(head + "compare: {voltage: {column: V, absolut: 1, relative: 1}}\n"),
             contains("case.yaml:5:32: compare.voltage.absolut: a channel has no key 'absolut'"));
  CHECK_THAT(refused(head + "compare: {voltage: {column: V, absolute: 5 mV}}\n"), contains("'5 mV' is not a plain number"));
  CHECK_THAT(refused(head + "compare: {rows: some, voltage: {column: V, absolute: 5}}\n"),
             contains("compare.rows: 'some' is not one of its choices"));
  CHECK_THAT(refused(head + "compare: {}\n"), contains("compares nothing"));
  CHECK_THAT(refused(head), contains("the key 'compare' is missing"));
  CHECK_THAT(refused("model: sell\nparams: params.yaml\ninputs: in.csv\nreference: ref.csv\n"),
             contains("case.yaml:1:8: model: there is no model 'sell'"));
  CHECK_THAT(refused("model: cell\nparams: p.yaml\ninputs: in.csv\nreference: ref.csv\n"),
             contains("case.yaml:2:9: params: there is no file p.yaml"));
  CHECK_THAT(refused("model: cell\nparams: params.yaml\ninputs: in.csv\nreference: long.csv\ncompare: {voltage: {column: V, "
                     "absolute: 1}}\n"),
             contains("case.yaml:4:12: reference: has 3 rows, the inputs have 2"));
  CHECK(refused("model: cell\nparams: params.yaml\ninputs: in.csv\nreference: short.csv\ncompare: {voltage: {column: V, "
                "absolute: 1}}\n") == "accepted");
}

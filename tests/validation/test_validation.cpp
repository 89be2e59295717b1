// Runs every validation case: tests/validation/<subject>/<case>/ with a case.yaml, found by itself. README.md says what such a
// folder holds. With -s the largest error of each channel is printed beside its tolerance.
//
//   case.yaml + CSV ──> inputs of a model  ── probe ─────────┐
//                  └──> arguments of a function ── call ─────┴──> a row for each row of the reference ──> largest error
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>

#include "engine/calendar.hpp"
#include "engine/declare.hpp"
#include "engine/units.hpp"
#include "scenarios/assets.hpp"
#include "scenarios/csv.hpp"
#include "scenarios/probe.hpp"
#include "scenarios/tree.hpp"
#include "tests/catch.hpp"
#include "tests/validation/functions.hpp"

namespace {

namespace fs = std::filesystem;
using namespace urja;
using tests::Function;
using tests::functions;

struct Channel {
  std::string name;
  std::vector<double> wanted;  // in the model's unit; NaN: not compared
  double absolute = 0, relative = 0;
  double period = 0;     // of an angle, whose errors are the way around the circle; 0: none
  bool settled = false;  // rows of zero length, which only set inputs, are left out
};
struct Case {
  std::string source, licence, reference;
  // either a model, driven by a table of inputs
  std::string model, params, inputs_file;
  ProbeTable inputs;
  double longest_step = 0;  // s; 0: as the rows are
  // or a function, called for each row
  const Function* function = nullptr;
  std::map<std::string, std::vector<double>> arguments;

  std::vector<Channel> channels;
  std::size_t rows() const { return channels.front().wanted.size(); }  // of the reference
};
// What we say to each row of the reference.
struct Answer {
  std::vector<std::string> names;
  std::vector<std::vector<double>> rows;
  std::vector<bool> settled;
};
struct Deviation {
  std::string channel;
  double error = 0, allowed = 0;  // where the error is the largest part of what is allowed
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
    c.source = text(root, "source");
    c.licence = text(root, "licence");
    c.reference = path(root, "reference");
    const bool is_function = root.find("function");
    if (is_function == (root.find("model") != nullptr)) fail(root, "names neither or both of a model and a function");
    stop_if_wrong();
    if (is_function) read_function(root, c);
    else read_model(root, c);
    const Node* compare = root.find("compare");
    if (!compare || !compare->is_map())
      fail(compare ? *compare : root, "the key 'compare' is missing",
           "for example compare: {voltage: {column: V, absolute: 5e-5}}");
    else read_channels(*compare, c);
    stop_if_wrong();
    if (!is_function && c.inputs.rows.size() != c.rows() && c.inputs.rows.size() != c.rows() + 1) {
      fail(*root.find("reference"), fmt::format("has {} rows, the inputs have {}", c.rows(), c.inputs.rows.size()),
           "as many, or one less");
    }
    stop_if_wrong();
    return c;
  }

 private:
  void read_model(const Node& root, Case& c) {
    known_keys(root, {"source", "licence", "model", "params", "inputs", "reference", "resample", "compare"}, "a model's case");
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
    stop_if_wrong();
    c.inputs = read_table(c.inputs_file);
  }
  void read_function(const Node& root, Case& c) {
    known_keys(root, {"source", "licence", "function", "arguments", "reference", "compare"}, "a function's case");
    const auto found = functions().find(text(root, "function"));
    if (found == functions().end()) {
      std::vector<std::string> names;
      for (const auto& [name, function] : functions()) names.push_back(name);
      return fail(*root.find("function"), "there is no such function", "functions are " + any_of(names));
    }
    c.function = &found->second;
    const Node* arguments = root.find("arguments");
    if (!arguments) return fail(root, "the key 'arguments' is missing", "they are " + any_of(c.function->arguments));
    known_keys(*arguments, c.function->arguments, "the function");
    for (const std::string& name : c.function->arguments) {
      const Node* node = arguments->find(name);
      if (node) c.arguments[name] = column(*node, c.reference, name == "time");
      else fail(*arguments, fmt::format("the argument '{}' is missing", name));
    }
  }
  void read_channels(const Node& compare, Case& c) {
    const std::optional<bool> common = rows_of(compare, c);
    for (const Node::Entry& e : compare.entries) {
      if (e.key == "rows") continue;
      known_keys(e.value, {"column", "scale", "offset", "absolute", "relative", "period", "rows"}, "a channel");
      const double scale = number(e.value, "scale", 1), offset = number(e.value, "offset", 0);
      Channel channel{e.key,
                      {},
                      number(e.value, "absolute", 0),
                      number(e.value, "relative", 0),
                      number(e.value, "period", 0),
                      rows_of(e.value, c).value_or(common.value_or(false))};
      if (!(channel.absolute > 0) && !(channel.relative > 0))
        fail(e.value, "has no tolerance", "give `absolute: ..` in the model's unit, or `relative: ..`");
      if (!text(e.value, "column").empty()) channel.wanted = column(*e.value.find("column"), c.reference, false);
      for (double& value : channel.wanted) value = scale * value + offset;
      c.channels.push_back(std::move(channel));
    }
    if (c.channels.empty()) fail(compare, "compares nothing");
  }
  // Should zero-length rows be left out?
  std::optional<bool> rows_of(const Node& map, const Case& c) {
    const Node* rows = map.find("rows");
    if (!rows) return std::nullopt;
    if (c.function || (rows->text != "all" && rows->text != "settled"))
      fail(*rows, fmt::format("'{}' is not one of its choices", rows->text), "allowed, with a model: all or settled");
    return rows->text == "settled";
  }
  // The column of the reference that a node names; the file may have others that hold no numbers.
  std::vector<double> column(const Node& node, const std::string& file, bool instants) {
    CsvColumn wanted{node.text};
    if (instants) {
      wanted.form = "instant such as 2003-10-17T00:00:00Z";
      wanted.read = [](std::string_view cell, double& value) {
        const auto time = parse_time(cell);
        if (!time || !time->offset) return false;
        value = static_cast<double>(time->wall - *time->offset) + 1e-9 * time->nanosecond;
        return true;
      };
    }
    std::vector<Problem> found;
    Csv csv = read_csv(file, {&wanted, 1}, found);
    for (const Problem& p : found) {
      if (p.line > 1) problems_.add(p);
      else fail(node, fs::path(file).filename().string() + ": " + p.what, p.mend);
    }
    return std::move(csv.columns.front());
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

Answer answer_of_model(const Case& c) {
  std::vector<std::size_t> last;
  const ProbeTable shown = probe(c.model, c.params, subdivided(c.inputs, c.longest_step, last), c.inputs_file);
  Answer answer{shown.names, {}, {}};
  double then = c.inputs.rows.front()[0];
  for (std::size_t r = c.inputs.rows.size() - c.rows(); r < c.inputs.rows.size(); ++r) {  // from 1: the first only begins
    const double time = c.inputs.rows[r][0];
    answer.rows.push_back(shown.rows[last[r]]);
    answer.settled.push_back(time > then);
    then = time;
  }
  return answer;
}

Answer answer_of_function(const Case& c) {
  Answer answer;
  for (std::size_t r = 0; r < c.rows(); ++r) {
    tests::Values arguments;
    for (const auto& [name, values] : c.arguments) arguments[name] = values[r];
    const tests::Values results = c.function->call(arguments);
    answer.names.clear();
    answer.rows.emplace_back();
    for (const auto& [name, value] : results) {
      answer.names.push_back(name);
      answer.rows.back().push_back(value);
    }
    answer.settled.push_back(true);
  }
  return answer;
}

std::vector<Deviation> run(const Case& c, const std::string& file) {
  const Answer answer = c.function ? answer_of_function(c) : answer_of_model(c);
  std::vector<Deviation> all;
  for (const Channel& channel : c.channels) {
    const auto place = std::find(answer.names.begin(), answer.names.end(), channel.name);
    if (place == answer.names.end()) {
      Problems problems;
      problems.add({file, 0, 0, "compare." + channel.name,
                    fmt::format("the {} shows no such channel", c.function ? "function" : "model"),
                    "it shows " + any_of(answer.names)});
      throw ScenarioError{problems};
    }
    const auto own = static_cast<std::size_t>(place - answer.names.begin());
    Deviation worst{channel.name};
    for (std::size_t r = 0; r < c.rows(); ++r) {
      const double wanted = channel.wanted[r];
      if (std::isnan(wanted) || (channel.settled && !answer.settled[r])) continue;
      const double difference = answer.rows[r][own] - wanted;
      const double error = std::abs(channel.period > 0 ? std::remainder(difference, channel.period) : difference);
      const Deviation here{channel.name, std::isnan(error) ? HUGE_VAL : error,
                           std::max(channel.absolute, channel.relative * std::abs(wanted)), r + 1, 0};
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
  for (const auto& subject : fs::directory_iterator(root)) {
    if (!subject.is_directory()) continue;
    for (const auto& one : fs::directory_iterator(subject.path())) {
      if (one.is_directory()) found.push_back(one.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// A case made for a test of the runner, in a folder of its own.
std::string verdict(const std::string& yaml, const std::string& origin = "source: nobody\nlicence: none\n") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("urja_case_{}", std::hash<std::string>{}(yaml + origin));
  fs::create_directories(folder);
  std::ofstream(folder / "in.csv") << "time_s,current\n0,0\n10,1\n";
  std::ofstream(folder / "ref.csv") << "t,V\n0,4\n10,4\n";
  std::ofstream(folder / "long.csv") << "t,V\n0,4\n10,4\n20,4\n";
  std::ofstream(folder / "short.csv") << "t,V\n10,4\n";
  std::ofstream(folder / "light.csv") << "place,when,local,right,wrong\n"
                                         "here,2021-01-01T00:00:00Z,2021-01-01 00:00,1413.98,1413.98\n"
                                         "there,2021-01-01T12:00:00+05:30,2021-01-01 12:00,1413.98,1414.00\n"
                                         "there,2021-01-02T12:00:00Z,2021-01-01 12:00,,1414.008\n";
  std::ofstream(folder / "params.yaml") << "set: nmc_kokam\n";
  std::ofstream(folder / "case.yaml") << yaml << origin;
  std::string text = "passes";
  try {
    for (const Deviation& d : run(CaseReader(folder).read(), (folder / "case.yaml").string())) {
      if (!(d.error <= d.allowed)) text = fmt::format("{} fails in row {} of {}", d.channel, d.row, d.rows);
    }
  } catch (const ScenarioError& e) { text = e.problems.text(); }
  fs::remove_all(folder);
  return text;
}

}  // namespace

TEST_CASE("validation: every folder says where its numbers come from", "[validation]") {
  REQUIRE(folders().size() >= 14);
  for (const fs::path& folder : folders()) {
    INFO(folder.string());
    std::string wrong;
    try {
      const Case c = CaseReader(folder).read();
      CHECK(fs::exists(fs::path(c.reference).parent_path() / "SOURCE.md"));
    } catch (const ScenarioError& e) { wrong = e.problems.text(); }
    CHECK(wrong == "");
  }
}

TEST_CASE("validation: cases", "[validation]") {
  for (const fs::path& folder : folders()) {
    DYNAMIC_SECTION(fs::relative(folder, root).string()) {
      std::vector<Deviation> all;
      std::string wrong;
      try {
        all = run(CaseReader(folder).read(), (folder / "case.yaml").string());
      } catch (const ScenarioError& e) { wrong = e.problems.text(); }
      INFO(wrong);
      REQUIRE(wrong.empty());
      for (const Deviation& d : all) {
        INFO(fmt::format("{}: {}: largest error {:.3g} of {:.3g} allowed, in row {}; {} rows compared",
                         fs::relative(folder, root).string(), d.channel, d.error, d.allowed, d.row, d.rows));
        CHECK(d.rows > 0);
        CHECK(d.error <= d.allowed);
      }
    }
  }
}

TEST_CASE("validation: a wrong number fails, an empty cell is not compared", "[validation]") {
  const std::string light = "function: extraterrestrial\narguments: {time: when}\nreference: light.csv\n";
  CHECK(verdict(light + "compare: {irradiance: {column: right, absolute: 0.01}}\n") == "passes");
  CHECK(verdict(light + "compare: {irradiance: {column: right, absolute: 0.001}}\n") == "irradiance fails in row 1 of 2");
  CHECK(verdict(light + "compare: {irradiance: {column: wrong, absolute: 0.01}}\n") == "irradiance fails in row 2 of 3");
  CHECK(verdict(light + "compare: {irradiance: {column: wrong, relative: 2e-5}}\n") == "passes");
  CHECK(verdict(light + "compare: {irradiance: {column: right, absolute: 0.01, offset: 360, period: 360}}\n") == "passes");
  CHECK(verdict(light + "compare: {irradiance: {column: right, absolute: 0.01, offset: 360}}\n") ==
        "irradiance fails in row 1 of 2");
  const std::string cell = "model: cell\nparams: params.yaml\ninputs: in.csv\n";
  CHECK(verdict(cell + "reference: ref.csv\ncompare: {voltage: {column: V, absolute: 10}}\n") == "passes");
  CHECK(verdict(cell + "reference: short.csv\ncompare: {voltage: {column: V, absolute: 10}}\n") == "passes");
  CHECK(verdict(cell + "reference: short.csv\ncompare: {voltage: {column: V, absolute: 1e-9}}\n") ==
        "voltage fails in row 1 of 1");
}

TEST_CASE("validation: a wrong case file is an error that names file and key", "[validation]") {
  const std::string head = "model: cell\nparams: params.yaml\ninputs: in.csv\nreference: ref.csv\n";
  CHECK_THAT(verdict(head + "compare: {voltage: {column: U, absolute: 10}}\n"),
             contains("case.yaml:5:29: compare.voltage.column: ref.csv: there is no column 'U'"));
  CHECK_THAT(verdict(head + "compare: {volts: {column: V, absolute: 10}}\n"),
             contains("case.yaml: compare.volts: the model shows no such channel"));
  CHECK_THAT(verdict(head + "compare: {voltage: {column: V}}\n"), contains("compare.voltage: has no tolerance"));
  CHECK_THAT(verdict(head + "compare: {voltage: {column: V, absolut: 1, relative: 1}}\n"),
             contains("case.yaml:5:32: compare.voltage.absolut: a channel has no key 'absolut'"));
  CHECK_THAT(verdict(head + "compare: {voltage: {column: V, absolute: 5 mV}}\n"), contains("'5 mV' is not a plain number"));
  CHECK_THAT(verdict(head + "compare: {rows: some, voltage: {column: V, absolute: 5}}\n"),
             contains("compare.rows: 'some' is not one of its choices"));
  CHECK_THAT(verdict(head + "compare: {}\n"), contains("compares nothing"));
  CHECK_THAT(verdict(head), contains("the key 'compare' is missing"));
  CHECK_THAT(verdict("model: sell\nparams: params.yaml\ninputs: in.csv\nreference: ref.csv\n"),
             contains("case.yaml:1:8: model: there is no model 'sell'"));
  CHECK_THAT(verdict("model: cell\nparams: p.yaml\ninputs: in.csv\nreference: ref.csv\n"),
             contains("case.yaml:2:9: params: there is no file p.yaml"));
  CHECK_THAT(verdict("model: cell\nparams: params.yaml\ninputs: in.csv\nreference: long.csv\ncompare: {voltage: {column: V, "
                     "absolute: 1}}\n"),
             contains("case.yaml:4:12: reference: has 3 rows, the inputs have 2"));
  CHECK_THAT(verdict(head + "compare: {voltage: {column: V, absolute: 10}}\n", "source: nobody\n"),
             contains("the key 'licence' is missing"));
  CHECK_THAT(verdict("reference: ref.csv\ncompare: {voltage: {column: V, absolute: 10}}\n"),
             contains("names neither or both of a model and a function"));

  const std::string compare = "compare: {irradiance: {column: right, absolute: 1}}\nreference: light.csv\n";
  CHECK_THAT(verdict("function: moon\n" + compare), contains("case.yaml:1:11: function: there is no such function"));
  CHECK_THAT(verdict("function: extraterrestrial\n" + compare), contains("the key 'arguments' is missing"));
  CHECK_THAT(verdict("function: extraterrestrial\narguments: {day: when}\n" + compare), contains("has no key 'day'"));
  CHECK_THAT(verdict("function: extraterrestrial\narguments: {}\n" + compare), contains("the argument 'time' is missing"));
  CHECK_THAT(verdict("function: extraterrestrial\narguments: {time: then}\n" + compare),
             contains("case.yaml:2:19: arguments.time: light.csv: there is no column 'then'"));
  CHECK_THAT(verdict("function: extraterrestrial\narguments: {time: local}\n" + compare),
             contains("light.csv:2:27: '2021-01-01 00:00' in column local is no instant"));
  CHECK_THAT(verdict("function: extraterrestrial\narguments: {time: when}\ncompare: {light: {column: right, absolute: 1}}\n"
                     "reference: light.csv\n"),
             contains("compare.light: the function shows no such channel"));
}

// The program from outside: describe, probe, run, and the result file against its contract (read with HDF5's C library).
#include <hdf5.h>
#include <sys/wait.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "engine/declare.hpp"
#include "scenarios/planning/policy_options.hpp"
#include "scenarios/probe.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"

namespace {

using namespace urja;
using nlohmann::json;
using urja::tests::contents;
using urja::tests::program;
using urja::tests::ProgramResult;
using urja::tests::Scratch;

const std::string root = URJA_SOURCE_DIR;
const std::string village = root + "/scenarios/village.yaml";

// --- a result file ---
class ResultFile {
 public:
  explicit ResultFile(const std::string& path) : file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {}
  ~ResultFile() {
    if (file_ >= 0) H5Fclose(file_);
  }
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  bool good() const { return file_ >= 0; }

  std::vector<hsize_t> shape(const std::string& name) const {
    const hid_t set = H5Dopen2(file_, name.c_str(), H5P_DEFAULT), space = H5Dget_space(set);
    std::vector<hsize_t> size(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, size.data(), nullptr);
    H5Sclose(space);
    H5Dclose(set);
    return size;
  }
  std::vector<double> values(const std::string& name) const {
    std::size_t count = 1;
    for (hsize_t n : shape(name)) count *= n;
    std::vector<double> all(count);
    const hid_t set = H5Dopen2(file_, name.c_str(), H5P_DEFAULT);
    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data());
    H5Dclose(set);
    return all;
  }
  // Sum over everything but the rows.
  std::vector<double> row_sums(const std::string& name) const {
    const auto all = values(name);
    std::vector<double> sums(shape(name)[0]);
    for (std::size_t k = 0; k < all.size(); ++k) sums[k / (all.size() / sums.size())] += all[k];
    return sums;
  }
  bool has_attribute(const std::string& object, const char* name) const {
    return H5Aexists_by_name(file_, object.c_str(), name, H5P_DEFAULT) > 0;
  }
  std::string text(const std::string& object, const char* name) const {
    if (!has_attribute(object, name)) return "(missing)";
    const hid_t attribute = H5Aopen_by_name(file_, object.c_str(), name, H5P_DEFAULT, H5P_DEFAULT), type = H5Aget_type(attribute);
    std::string result = "(no text)";
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) {
      char* read = nullptr;
      if (H5Aread(attribute, type, &read) >= 0 && read) result = read;
      H5free_memory(read);
    } else if (H5Tget_class(type) == H5T_STRING) {
      std::string read(H5Tget_size(type), '\0');
      H5Aread(attribute, type, read.data());
      result = read.c_str();
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return result;
  }
  double number(const char* name) const {
    double value = NAN;
    const hid_t attribute = H5Aopen(file_, name, H5P_DEFAULT);
    H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
    H5Aclose(attribute);
    return value;
  }
  bool has(const std::string& name) const { return H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0; }
  std::vector<std::string> names(const std::string& group) const {
    std::vector<std::string> found;
    const hid_t g = H5Gopen2(file_, group.c_str(), H5P_DEFAULT);
    H5Literate(
        g, H5_INDEX_NAME, H5_ITER_INC, nullptr,
        [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
          static_cast<std::vector<std::string>*>(list)->emplace_back(name);
          return 0;
        },
        &found);
    H5Gclose(g);
    return found;
  }

 private:
  hid_t file_;
};

json run_json(const Scratch& folder, std::vector<std::string> more) {
  more.insert(more.begin(), {"run"});
  more.insert(more.end(), {"--out", folder.path("r.h5"), "--json", "--force"});
  const ProgramResult r = program(more, folder.path());
  INFO(r.err);
  REQUIRE(r.status == 0);
  return json::parse(r.out);
}

}  // namespace

// --- describe ---

TEST_CASE("describe: every member of every model once, as declared", "[program][describe]") {
  for (const auto& [name, type] : registry()) {
    if (name.rfind("test_", 0) == 0) continue;  // lives in the test program only
    INFO(name);
    const ProgramResult r = program({"describe", name, "--json"});
    REQUIRE(r.status == 0);
    CHECK(r.err.empty());
    const json all = json::parse(r.out);
    CHECK(all["name"] == name);
    CHECK(!all["doc"].get<std::string>().empty());
    std::map<std::string, std::set<std::string>> seen;
    for (const char* group :
         {"ports", "parameters", "states", "inputs", "outputs", "settings", "choices", "tables", "events", "data", "roles"}) {
      if (!all.contains(group)) continue;
      for (const json& one : all[group]) {
        INFO(group << " " << one.dump());
        const std::string member = one.at("name");
        CHECK(seen[group].insert(member).second);
        if (one.contains("default") && one["default"].is_number()) {
          if (one.contains("min")) CHECK(one["default"] >= one["min"]);
          if (one.contains("max")) CHECK(one["default"] <= one["max"]);
        }
        if (std::string(group) == "inputs" || std::string(group) == "outputs" || std::string(group) == "states" ||
            std::string(group) == "parameters")
          CHECK(one.contains("unit"));
      }
    }
    // The same name is never two things; `power` is what is wished when a model is driven, and what it then does.
    std::map<std::string, int> times;
    for (const auto& [group, names] : seen) {
      for (const std::string& n : names) ++times[n];
    }
    for (const auto& [n, count] : times) {
      INFO(n);
      CHECK(count == (n == "power" && !type.ports.empty() ? 2 : 1));
    }
    std::size_t expected = 0, listed = 0;
    for (const Member& m : type.members) {
      const char* group = m.kind == Kind::parameter ? "parameters"
                          : m.kind == Kind::state   ? "states"
                          : m.kind == Kind::input   ? "inputs"
                          : m.kind == Kind::output  ? "outputs"
                                                    : nullptr;
      if (!group) continue;
      ++expected;
      INFO(m.name);
      CHECK(seen[group].count(m.name) == 1);
    }
    for (const char* group : {"parameters", "states", "inputs", "outputs"}) listed += seen[group].size();
    CHECK(listed == expected + (type.ports.empty() ? 0u : 2u));
  }
}

TEST_CASE("describe: the list, the text, and a name that is not there", "[program][describe]") {
  const json all = json::parse(program({"describe", "--json"}).out);
  REQUIRE(all.is_array());
  std::size_t shipped = 0;
  for (const auto& [name, type] : registry()) shipped += name.rfind("test_", 0) != 0;
  CHECK(all.size() == shipped + policy_types().size());
  for (const PolicyType& policy : policy_types()) {
    const json one = json::parse(program({"describe", policy.name, "--json"}).out);
    CHECK(one["parameters"].size() == policy.keys.size());
    CHECK_THAT(program({"describe", policy.name}).out, contains("every") && contains("lost_load"));
  }
  const ProgramResult text = program({"describe", "battery"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, contains("state_of_charge") && contains("parameter sets") && contains("lfp_64kwh"));
  const std::string faults = program({"describe", "faults"}).out;
  std::size_t at = 0;  // kinds stand in their layers
  for (const char* part : {"Plant\n", "load_surge", "Grid\n", "grid_outage", "price_signal_loss", "Sensors\n", "sensor_bias",
                           "sensor_clock_skew", "Links\n", "link_delay"}) {
    INFO(part);
    const std::size_t found = faults.find(part, at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
  CHECK_THAT(faults, contains("(on a channel); effect: measured rises"));
  for (const json& kind : json::parse(program({"describe", "faults", "--json"}).out)) {
    INFO(kind["name"]);
    CHECK(std::set<std::string>{"plant", "grid", "sensors", "links"}.count(kind["layer"]) == 1);
    CHECK(!kind["effects"].empty());
  }
  for (const char* topic : {"sensor", "link"}) {
    const json of = json::parse(program({"describe", topic, "--json"}).out);
    CHECK(of["name"] == topic);
    CHECK(of["parameters"].size() >= 10);
    CHECK_THAT(program({"describe", topic}).out, contains("the channel's unit") && !contains("of channel"));
  }
  CHECK_THAT(program({"describe", "scenario"}).out, contains("sensors:") && contains("links:"));
  const ProgramResult wrong = program({"describe", "batery"});
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, contains("did you mean 'battery'?"));
  CHECK(program({}).status == 2);
  CHECK(program({"describe", "--bogus"}).status == 2);
  CHECK(program({"--help"}).status == 0);
  CHECK(program({"--version"}).status == 0);
  for (const char* command : {"run", "validate", "probe", "describe", "report"})
    CHECK_THAT(program({command, "--help"}).out, contains("Example: urja "));
}

// --- probe ---

TEST_CASE("probe: the program writes what the library computes", "[program][probe]") {
  const Scratch folder;
  const std::string params = folder.write("p.yaml", "set: nmc_kokam\nstate_of_charge: 80 %\n"),
                    inputs = folder.write("in.csv", "time_s,current\n0,0\n10,27\n10,0\n20,0\n3600,0\n");
  const std::string out = folder.path("out.csv");
  const ProgramResult r = program({"probe", "cell", "--params", params, "--inputs", inputs, "--out", out});
  INFO(r.err);
  REQUIRE(r.status == 0);
  CHECK((r.out + r.err).empty());
  const ProbeTable direct = probe("cell", params, read_table(inputs), inputs), written = read_table(out);
  CHECK(written.names == direct.names);
  CHECK(written.rows == direct.rows);  // every digit
  CHECK(direct.names[0] == "time_s");
  // Outputs and states that describe lists, each once, and nothing else.
  std::set<std::string> described;
  const json all = json::parse(program({"describe", "cell", "--json"}).out);
  for (const char* group : {"states", "outputs"}) {
    for (const json& one : all[group]) described.insert(one["name"]);
  }
  CHECK(std::set<std::string>(direct.names.begin() + 1, direct.names.end()) == described);
  // Nothing is overwritten without --force.
  const ProgramResult again = program({"probe", "cell", "--params", params, "--inputs", inputs, "--out", out});
  CHECK(again.status == 2);
  CHECK_THAT(again.err, contains("is there already; --force replaces it"));
  CHECK(program({"probe", "cell", "--params", params, "--inputs", inputs, "--out", out, "--force"}).status == 0);
}

TEST_CASE("probe: power is an input, means over the row, states at its end", "[program][probe]") {
  const Scratch folder;
  const std::string params = folder.write("p.yaml", "set: lfp_home_13kwh\nstate_of_charge: 50 %\n");
  const ProbeTable in{{"time_s", "power"}, {{0, 0}, {900, 2000}, {1800, -2000}, {2700, 1e8}}};
  const ProbeTable out = probe("battery", params, in, "in");
  const auto at = [&](std::size_t row, const char* name) {
    return out.rows[row][static_cast<std::size_t>(std::find(out.names.begin(), out.names.end(), name) - out.names.begin())];
  };
  CHECK(at(1, "power") == Approx(2000).epsilon(1e-12));
  CHECK(at(2, "power") == Approx(-2000).epsilon(1e-12));
  CHECK(at(3, "power") < 20e3);  // the converter's rating, not what was asked for
  CHECK(at(3, "power") > 2000);
  CHECK(at(1, "state_of_charge") < 0.5);
  CHECK(at(2, "state_of_charge") > at(1, "state_of_charge"));
  CHECK(at(0, "state_of_charge") == 0.5);  // a row of zero length only sets inputs
  CHECK(at(0, "temperature") == 25);
}

TEST_CASE("probe: without power, a model does as it wishes", "[program][probe]") {
  const Scratch folder;
  const ProbeTable out = probe("load", "", {{"time_s", "demand"}, {{0, 0}, {60, 1500}, {120, 10}}}, "in");
  const auto served = static_cast<std::size_t>(std::find(out.names.begin(), out.names.end(), "served") - out.names.begin());
  CHECK(out.rows[1][served] == 1500);
  CHECK(out.rows[2][served] == 10);
}

TEST_CASE("probe: a table as a spreadsheet writes it", "[program][probe]") {
  const Scratch folder;
  const auto names = [&](const std::string& text) { return read_table(folder.write("in.csv", text)).names; };
  const std::vector<std::string> wanted{"time_s", "current"};
  CHECK(names("time_s,current\r\n0,0\r\n10,5\r\n") == wanted);
  CHECK(names("\xEF\xBB\xBFtime_s,current\n0,0\n") == wanted);
  CHECK(names("\"time_s\",\"current\"\n0,0\n") == wanted);
  CHECK(names("time_s;current\n0;0\n") == wanted);
}

TEST_CASE("probe: what is wrong with the call is said, with 2", "[program][probe]") {
  const Scratch folder;
  const std::string good = folder.write("p.yaml", "set: nmc_kokam\n");
  const auto wrong = [&](const std::string& model, const std::string& params, const std::string& rows) {
    const ProgramResult r =
        program({"probe", model, "--params", params, "--inputs", folder.write("in.csv", rows), "--out", folder.path("out.csv")});
    INFO(r.err);
    CHECK(r.status == 2);
    CHECK(!std::filesystem::exists(folder.path("out.csv")));
    return r.err;
  };
  CHECK_THAT(wrong("cel", good, "time_s,current\n0,0\n"), contains("there is no such model; did you mean 'cell'?"));
  CHECK_THAT(wrong("cell", good, "time_s,curent\n0,0\n"),
             contains("in.csv: model 'cell' has no input 'curent'; inputs are ambient_temperature or current"));
  CHECK_THAT(wrong("cell", good, "t,current\n0,0\n"), contains("in.csv: the first column must be time_s"));
  CHECK_THAT(wrong("cell", good, "time_s,current\n10,0\n0,0\n"), contains("time_s goes back in row 2"));
  CHECK_THAT(wrong("cell", good, "time_s,current\n0,0\n10,five\n"),
             contains("in.csv:3:4: 'five' in column current is no number"));
  CHECK_THAT(wrong("cell", good, "time_s,current\n0,0\n10,\n"),
             contains("current is nan in row 2; allowed is -100000 to 100000"));
  CHECK_THAT(wrong("cell", good, "time_s,current\n0,0\n10,5e6\n"),
             contains("current is 5e+06 in row 2; allowed is -100000 to 100000"));
  CHECK_THAT(wrong("cell", good, ""), contains("in.csv: the file is empty"));
  CHECK_THAT(wrong("cell", folder.path("no.yaml"), "time_s,current\n0,0\n"), contains("no.yaml: cannot be opened"));
  CHECK_THAT(wrong("cell", folder.write("b.yaml", "set: nmc_kokam\ncapacty: 3 Ah\n"), "time_s,current\n0,0\n"),
             contains("b.yaml:2:1: capacty: model 'cell' has no 'capacty'; did you mean 'capacity'?"));
  CHECK_THAT(wrong("cell", folder.write("c.yaml", "capacity: 3 Ah\n"), "time_s,current\n0,0\n"),
             contains("c.yaml: no cell is given: name a parameter set"));
  CHECK(program({"probe", "cell", "--inputs", folder.path("nothing.csv"), "--out", folder.path("o.csv")}).status == 2);
  CHECK(program({"probe", "cell"}).status == 2);
  // A model that leaves its bounds is a failed run, not a wrong call.
  const ProgramResult empty =
      program({"probe", "cell", "--params", good, "--inputs", folder.write("in.csv", "time_s,current\n0,0\n100000,20\n"), "--out",
               folder.path("o.csv")});
  CHECK(empty.status == 1);
  CHECK_THAT(empty.err, contains("cell.state_of_charge has left its bounds") && contains("row 2, time_s 100000"));
}

// --- run ---

TEST_CASE("run: --json is one object with the contract's keys", "[program][run]") {
  const Scratch folder;
  const ProgramResult r = program(
      {"run", village, "--to", "2016-08-03 00:00", "--out", folder.path("r.h5"), "--json", "--seed", "11"}, folder.path());
  INFO(r.err);
  REQUIRE(r.status == 0);
  CHECK(r.err.empty());
  CHECK(std::count(r.out.begin(), r.out.end(), '\n') == 1);
  const json k = json::parse(r.out);
  for (const char* key : {"scenario",
                          "seed",
                          "steps",
                          "wall_s",
                          "steps_per_s",
                          "ledger_residual",
                          "currency",
                          "load_kwh",
                          "served_kwh",
                          "unserved_kwh",
                          "unserved_h",
                          "unserved_kwh_by_zone",
                          "pv_available_kwh",
                          "pv_kwh",
                          "curtailed_kwh",
                          "battery_charge_kwh",
                          "battery_discharge_kwh",
                          "battery_loss_kwh",
                          "equivalent_full_cycles",
                          "import_kwh",
                          "export_kwh",
                          "peak_import_kw",
                          "self_consumption",
                          "self_sufficiency",
                          "cost_total",
                          "cost_energy",
                          "cost_demand",
                          "revenue_export",
                          "co2_kg",
                          "faults"}) {
    INFO(key);
    CHECK(k.contains(key));
  }
  for (const char* key : {"genset_kwh", "fuel_l", "genset_run_h", "ev_kwh", "ev_unmet_kwh", "deferred_unmet_kwh", "cost_fuel"})
    CHECK(!k.contains(key));  // this plant has none
  CHECK(k["scenario"] == "village");
  CHECK(k["seed"] == 11);
  CHECK(k["steps"] == 2 * 24 * 60);
  CHECK(k["currency"] == "USD");
  CHECK(k["faults"].is_array());
  CHECK(k["unserved_kwh_by_zone"].is_object());
  CHECK(k["ledger_residual"].get<double>() < 1e-9);
  // What the figures must have in common.
  const auto v = [&](const char* key) { return k[key].get<double>(); };
  CHECK(v("pv_kwh") + v("curtailed_kwh") == Approx(v("pv_available_kwh")).epsilon(1e-9));
  CHECK(v("served_kwh") + v("unserved_kwh") == Approx(v("load_kwh")).epsilon(1e-9));
  CHECK(v("pv_kwh") + v("battery_discharge_kwh") + v("import_kwh") ==
        Approx(v("served_kwh") + v("battery_charge_kwh") + v("export_kwh")).epsilon(1e-9));
  CHECK(v("cost_total") == Approx(v("cost_energy") + v("cost_demand") - v("revenue_export")).epsilon(1e-12));
  CHECK(v("revenue_export") == Approx(0.05 * v("export_kwh")).epsilon(1e-9));
  CHECK(v("self_consumption") == Approx(1 - v("export_kwh") / v("pv_kwh")).epsilon(1e-9));
}

TEST_CASE("run: a genset and vehicles bring their keys", "[program][run]") {
  const Scratch folder;
  folder.write("s.csv", "arrival,departure,energy\n2024-01-01 08:00,2024-01-01 12:00,6\n");
  const std::string file = folder.write("p.yaml",
                                        "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: "
                                        "15 min}\nassets:\n  load: {model: load, demand: 3 kW}\n"
                                        "  genset: {model: genset}\n  ev: {model: ev_charger, sessions: {file: s.csv, columns: "
                                        "{energy: {column: energy, unit: kWh}, arrival: arrival, departure: departure}}}\n"
                                        "balance: [genset, ev, load]\n");
  const json k = run_json(folder, {file});
  for (const char* key : {"genset_kwh", "fuel_l", "genset_run_h", "ev_kwh", "ev_unmet_kwh", "cost_fuel", "cost_total"}) {
    INFO(key);
    CHECK(k.contains(key));
  }
  CHECK(k["ev_kwh"].get<double>() + k["ev_unmet_kwh"].get<double>() == Approx(6).epsilon(1e-9));
}

TEST_CASE("run: nothing is overwritten without --force", "[program][run]") {
  const Scratch folder;
  const std::string file = root + "/tests/corpus/good/constants.yaml", out = folder.path("r.h5"), html = folder.path("r.html");
  REQUIRE(program({"run", file, "--out", out, "--report", html}).status == 0);
  CHECK(!std::filesystem::exists(out + ".part"));
  const std::string before = contents(out);
  const ProgramResult again = program({"run", file, "--out", out});
  CHECK(again.status == 2);
  CHECK_THAT(again.err, contains("r.h5 is there already; --force replaces it"));
  CHECK(program({"run", file, "--out", folder.path("new.h5"), "--report", html}).status == 2);
  CHECK(!std::filesystem::exists(folder.path("new.h5")));
  CHECK(contents(out) == before);
  CHECK(program({"run", file, "--out", out, "--force"}).status == 0);
  // The report does not take the place of the result.
  const ProgramResult same = program({"run", file, "--out", folder.path("same"), "--report", folder.path("./same")});
  CHECK(same.status == 2);
  CHECK_THAT(same.err, contains("result and report cannot both be"));
  // Without --out each run has a folder of its own.
  REQUIRE(program({"run", file}, folder.path()).status == 0);
  REQUIRE(program({"run", file}, folder.path()).status == 0);
  for (const char* name : {"results/constants/1/result.h5", "results/constants/1/report.html", "results/constants/2/result.h5"})
    CHECK(std::filesystem::exists(folder.path(name)));
}

TEST_CASE("run: --seed, --set, --from and --to reach the run, threads change nothing", "[program][run]") {
  const Scratch folder;
  const json a = run_json(folder, {village, "--to", "2016-08-02 00:00"}),
             b = run_json(folder, {village, "--to", "2016-08-02 00:00", "--threads", "4"});
  CHECK(a["state_hash"] == b["state_hash"]);
  CHECK(a["steps"] == 1440);
  const json c = run_json(folder, {village, "--from", "2016-08-01 12:00", "--to", "2016-08-02 00:00", "--set",
                                   "assets.battery.state_of_charge=20 %"});
  CHECK(c["steps"] == 720);
  CHECK(c["state_hash"] != a["state_hash"]);
}

TEST_CASE("run: the scenario chooses its channels, every asset keeps its power", "[program][run]") {
  const Scratch folder;
  const std::string out = folder.path("few.h5"), report = folder.path("few.html");
  const ProgramResult r =
      program({"run", village, "--to", "2016-08-03 00:00", "--set",
               "run.channels=[battery.state_of_charge, '*.pair_power', plant]", "--out", out, "--report", report});
  INFO(r.err);
  REQUIRE(r.status == 0);
  const ResultFile file(out);
  REQUIRE(file.good());
  CHECK(file.names("/channels/battery") == std::vector<std::string>{"pair_power", "power", "state_of_charge"});
  CHECK(file.names("/channels/homes.load") == std::vector<std::string>{"power"});
  CHECK(file.names("/channels/grid") == std::vector<std::string>{"power"});
  CHECK(file.names("/plant").size() > 2);
  CHECK(std::filesystem::file_size(report) > 100'000);
}

TEST_CASE("run: Ctrl-C ends cleanly and leaves a file that can be read", "[program][run]") {
  const Scratch folder;
  const std::string out = folder.path("r.h5"), err = folder.path("err");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (!freopen(folder.path("out").c_str(), "w", stdout) || !freopen(err.c_str(), "w", stderr)) _exit(126);
    execl(URJA_PROGRAM, URJA_PROGRAM, "run", village.c_str(), "--set", "run.step=1 s", "--out", out.c_str(),
          static_cast<char*>(nullptr));
    _exit(127);
  }
  for (int wait = 0; wait < 200 && !std::filesystem::exists(out + ".part"); ++wait)
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  const std::string said = contents(err);
  INFO(said);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK_THAT(said, contains("interrupted at 201") && contains("go on with: urja run"));
  const ResultFile file(out);
  REQUIRE(file.good());
  CHECK(file.number("complete") == 0);
  CHECK(!file.values("/time").empty());  // one row under a sanitizer: Ctrl-C is looked for after each
  CHECK(file.values("/time").size() == file.values("/channels/grid/power").size());
}

// --- the result file ---

TEST_CASE("result: the contract, read with HDF5 alone", "[program][result]") {
  const Scratch folder;
  const json kpis = run_json(folder, {village, "--to", "2016-08-03 00:00", "--seed", "5"});
  const ResultFile file(folder.path("r.h5"));
  REQUIRE(file.good());
  const auto time = file.values("/time");
  REQUIRE(time.size() == 2 * 24 * 4);  // record: 15 min
  for (std::size_t k = 0; k < time.size(); ++k)
    CHECK(time[k] == 1470034800.0 + 900.0 * static_cast<double>(k));  // 2016-08-01 00:00 in Los Angeles
  CHECK(file.text("/time", "unit") == "s");

  std::vector<double> sum(time.size(), 0.0), largest(time.size(), 0.0);
  std::set<std::string> assets;
  for (const std::string& asset : file.names("/channels")) {
    assets.insert(asset);
    for (const std::string& name : file.names("/channels/" + asset)) {
      const std::string path = "/channels/" + asset + "/" + name;
      INFO(path);
      CHECK(file.shape(path)[0] == time.size());
      CHECK(file.shape(path).size() == (asset.rfind("homes.", 0) == 0 ? 2u : 1u));
      for (const char* attribute : {"unit", "description", "kind"}) {
        INFO(attribute);
        CHECK(file.text(path, attribute) != "(missing)");
        if (std::string(attribute) != "description") CHECK(!file.text(path, attribute).empty());
      }
      for (double v : file.values(path)) REQUIRE(std::isfinite(v));
      if (name != "power") continue;
      CHECK(file.text(path, "unit") == "W");
      const auto all = file.values(path);
      const std::size_t members = all.size() / time.size();
      for (std::size_t k = 0; k < all.size(); ++k) {
        sum[k / members] += all[k];
        largest[k / members] = std::max(largest[k / members], std::abs(all[k]));
      }
    }
  }
  for (const char* asset : {"battery", "grid", "homes.pv", "homes.load", "spill"}) CHECK(assets.count(asset) == 1);
  CHECK(assets.count("street") == (file.has("/channels/street/power") ? 99 : assets.count("street")));  // a feeder is no asset
  for (std::size_t k = 0; k < sum.size(); ++k) {
    INFO("row " << k << ": " << sum[k] << " of " << largest[k]);
    CHECK(std::abs(sum[k]) <= 1e-9 * largest[k]);
  }
  CHECK(file.shape("/channels/homes.pv/power") == std::vector<hsize_t>{time.size(), 10});

  // Means of flows times their interval are the key figures' energies; states are those at the end.
  const auto energy = [&](const std::string& path) {
    double joules = 0;
    for (double w : file.row_sums(path)) joules += w * 900;
    return joules / 3.6e6;
  };
  CHECK(energy("/channels/homes.pv/power") == Approx(kpis["pv_kwh"].get<double>()).epsilon(1e-9));
  CHECK(energy("/channels/homes.load/power") == Approx(-kpis["served_kwh"].get<double>()).epsilon(1e-9));
  CHECK(energy("/channels/grid/import_power") == Approx(kpis["import_kwh"].get<double>()).epsilon(1e-9));
  CHECK(energy("/channels/battery/discharge_power") == Approx(kpis["battery_discharge_kwh"].get<double>()).epsilon(1e-9));
  CHECK(file.values("/channels/grid/cost_energy").back() == Approx(kpis["cost_energy"].get<double>()).epsilon(1e-12));
  CHECK(file.text("/channels/battery/state_of_charge", "kind") == "state");
  CHECK(file.text("/channels/grid/cost_energy", "unit") == "USD");

  CHECK(file.text("/", "scenario") == contents(village));
  CHECK(file.number("seed") == 5);
  CHECK(!file.text("/", "version").empty());
  const json hashes = json::parse(file.text("/", "data_hashes"));
  CHECK(hashes.size() == 11);
  CHECK(json::parse(file.text("/", "kpis"))["state_hash"] == kpis["state_hash"]);
  CHECK(file.number("complete") == 1);
  for (const char* name : {"time", "asset", "kind", "text"}) CHECK(file.has(std::string("/events/") + name));
}

TEST_CASE("result: what nobody takes or gives stands in spill, and the sum is still zero", "[program][result]") {
  const Scratch folder;
  // 5 kW of PV that nobody may curtail, 1 kW of load, 2 kW of export; and a second plant with a load that nobody feeds.
  const std::string head =
      "urja: 1\nzone: Asia/Kolkata\nrun: {from: 2024-01-01 00:00, to: 2024-01-02 00:00, step: 1 h}\nassets:\n";
  run_json(folder,
           {folder.write("a.yaml", head + "  pv: {model: pv_profile, rated: 5 kW, generation: 1}\n  load: {model: load, demand: "
                                          "1 kW}\n  grid: {model: grid, export_limit: 2 kW}\nbalance: [grid]\n")});
  {
    const ResultFile file(folder.path("r.h5"));
    for (double w : file.values("/channels/spill/power")) CHECK(w == Approx(-2000).epsilon(1e-12));
    for (double w : file.values("/channels/pv/power")) CHECK(w == Approx(5000).epsilon(1e-12));
  }
  const json k = run_json(
      folder,
      {folder.write("b.yaml",
                    head + "  load: {model: load, demand: 1 kW}\n  grid: {model: grid, import_limit: 0 W}\nbalance: [grid]\n")});
  {
    const ResultFile file(folder.path("r.h5"));
    const auto load = file.values("/channels/load/power"), spill = file.values("/channels/spill/power"),
               unserved = file.values("/plant/unserved_power");
    for (std::size_t r = 0; r < load.size(); ++r) {
      CHECK(load[r] + spill[r] == Approx(0).margin(1e-6));
      CHECK(unserved[r] == Approx(1000).epsilon(1e-9));
    }
  }
  CHECK(k["unserved_kwh"] == Approx(24).epsilon(1e-9));
  CHECK(k["served_kwh"] == Approx(0).margin(1e-9));  // not served and unserved at once, though `balance` does not name the load
  CHECK(k["unserved_kwh_by_zone"]["critical"] == Approx(24).epsilon(1e-9));
}

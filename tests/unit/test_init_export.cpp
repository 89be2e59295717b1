// `urja init` gives a start that runs as it is; `urja export` gives the same numbers as the result file.
#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"
#include "viz/result_file.hpp"

namespace urja::tests {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

TEST_CASE("init: what it writes is valid, runs, and is not overwritten", "[program][init]") {
  const Scratch folder;
  REQUIRE(program({"init", "site.yaml"}, folder.path()).status == 0);
  const ProgramResult run = program({"run", "site.yaml", "--out", "r.h5"}, folder.path());
  INFO(run.err);
  CHECK(run.status == 0);
  CHECK(run.err.find("note:") == std::string::npos);
  const std::string before = contents(folder.path("site.yaml"));
  CHECK(program({"sweep", "site.yaml", "--sweep", "site_sweep.yaml"}, folder.path()).status == 0);
  const ProgramResult again = program({"init", "site.yaml"}, folder.path());
  CHECK(again.status == 2);
  CHECK_THAT(again.err, contains("--force"));
  CHECK(contents(folder.path("site.yaml")) == before);
  CHECK(program({"init", "site.yaml", "--force"}, folder.path()).status == 0);
  CHECK(program({"init", "no/such/folder/site.yaml"}, folder.path()).status == 1);
}

TEST_CASE("export: a CSV holds every number of the file, in units that its names tell", "[program][export]") {
  const Scratch folder;
  const std::string village = std::string(URJA_SOURCE_DIR) + "/scenarios/village.yaml", result = folder.path("r.h5");
  REQUIRE(program({"run", village, "--from", "2017-03-12 00:00", "--to", "2017-03-13 00:00", "--out", result}).status == 0);
  REQUIRE(program({"export", result, "--csv"}).status == 0);
  CHECK(program({"export", result, "--csv"}).status == 2);
  CHECK(program({"export", folder.path("none.h5"), "--csv", "--out", folder.path("x.csv")}).status == 1);
  CHECK_FALSE(std::filesystem::exists(folder.path("x.csv")));
  std::istringstream csv(contents(folder.path("r.csv")));
  std::string line;
  std::getline(csv, line);
  const std::vector<std::string> names = split(line);
  const viz::ResultFile file(result);
  REQUIRE(file.time().size() == 23 * 4);  // the day on which clocks are put forward
  std::map<std::string, std::size_t> column;
  for (std::size_t k = 0; k < names.size(); ++k) column[names[k]] = k;
  for (const char* name :
       {"time", "battery.power_kw", "battery.state_of_charge", "homes.10.pv.power_kw", "battery.temperature_c"}) {
    INFO(name);
    CHECK(column.count(name) == 1);
  }
  std::vector<std::vector<std::string>> rows;
  while (std::getline(csv, line)) rows.push_back(split(line));
  REQUIRE(rows.size() == file.time().size());
  CHECK(rows[0][0] == "2017-03-12T08:00:00Z");
  for (const viz::Channel& c : file.channels()) {
    if (c.name != "power" && c.name != "state_of_charge") continue;
    std::vector<double> values(file.time().size() * c.members);
    file.read(c, 0, file.time().size(), values.data());
    for (std::size_t m = 0; m < c.members; ++m) {
      const std::size_t dot = c.asset.find('.');
      const std::string asset = c.fleet ? c.asset.substr(0, dot) + "." + std::to_string(m + 1) + c.asset.substr(dot) : c.asset;
      const bool power = c.name == "power";
      INFO(asset << " " << c.name);
      const auto at = column.find(asset + "." + c.name + (power ? "_kw" : ""));
      REQUIRE(at != column.end());
      for (std::size_t r = 0; r < rows.size(); ++r)
        REQUIRE(std::stod(rows[r][at->second]) ==
                Approx(values[r * c.members + m] * (power ? 1e-3 : 1)).epsilon(1e-11).margin(1e-15));
    }
  }
}

}  // namespace urja::tests

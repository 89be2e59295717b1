// The report of a sweep, from the JSON file that `urja sweep` writes.
#include "viz/sweep_report.hpp"
#include "viz/sweep_table.hpp"

#include "tests/catch.hpp"

#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace urja::viz;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("urja_sweep_report_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

json variant(int index, json values, json kpis, const char* status = "done", const char* message = "") {
  return {{"index", index}, {"name", ""}, {"values", values}, {"status", status}, {"message", message}, {"kpis", kpis}};
}

json sweep(json variants) {
  return {{"urja_sweep", 1},
          {"title", "How large?"},
          {"scenario", "home"},
          {"scenario_text", "urja: 1\n"},
          {"sweep_text", "vary: {}\n"},
          {"keys",
           {{{"key", "assets.battery.capacity"}, {"kind", "number"}, {"unit", "kWh"}},
            {{"key", "controller.model"}, {"kind", "text"}, {"unit", ""}}}},
          {"kpis",
           {{{"name", "cost_total"}, {"unit", "USD"}, {"label", "Net cost"}},
            {{"name", "self_consumption"}, {"unit", "1"}, {"label", "Self-consumption"}}}},
          {"variants", variants}};
}

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

Sweep table_of(const Folder& folder, const json& j) {
  write(folder / "s.json", j.dump());
  return Sweep::read(folder / "s.json");
}

std::string page_of(const Folder& folder, const json& j) {
  write(folder / "s.json", j.dump());
  write_sweep_report(folder / "s.json", folder / "s.html");
  std::ifstream in(folder / "s.html", std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

bool contains(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }
std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

std::string failure(const Folder& folder, const std::string& text) {
  write(folder / "s.json", text);
  try {
    write_sweep_report(folder / "s.json", folder / "s.html");
  } catch (const std::runtime_error& e) { return e.what(); }
  return "no error";
}

}  // namespace

TEST_CASE("a sweep's report says what was varied, what is best and what failed", "[viz]") {
  const Folder folder;
  const std::string page =
      page_of(folder, sweep({variant(1, {5, "hold"}, {{"cost_total", 300}, {"self_consumption", 0.5}}),
                             variant(2, {10, nullptr}, {{"cost_total", 200}, {"self_consumption", 0.6}}),
                             variant(3, {20, "time_of_use"}, {{"cost_total", 250}, {"self_consumption", 0.9}}),
                             variant(4, {40, "hold"}, json::object(), "error", "capacity: 40 kWh is above the most"),
                             variant(5, {40, "hold"}, {{"cost_total", 1}}, "trouble", "ledger")}));
  CHECK(contains(page, "<title>How large?</title>"));
  CHECK(contains(page, "5 variants over 2 keys, of which 3 ran."));
  CHECK(contains(page, "1 failed with an error."));
  CHECK(contains(page, "1 ran into trouble."));
  // what did not end well is not the best, however cheap
  CHECK(contains(page, "Best Net cost: 200\u00a0USD with variant 2: assets.battery.capacity 10 kWh."));
  CHECK(contains(page, "<td>error</td><td>capacity: 40 kWh is above the most</td>"));
  CHECK(page.find("<th scope=\"row\">variant 2</th>") < page.find("<th scope=\"row\">variant 3</th>"));
  CHECK(count(page, "<script") == 3);
  CHECK(contains(page, "default-src 'none'"));
}

TEST_CASE("the front of two figures knows which way is better", "[viz]") {
  const Folder folder;
  const auto run = [](int i, double cost, double own) {
    return variant(i, {i, "hold"}, {{"cost_total", cost}, {"self_consumption", own}});
  };
  // cost is better when lower, self-consumption when higher; 4 equals 2, and 5 is worse than 2 in one figure only
  const Sweep s = table_of(folder, sweep({run(1, 100, 0.2), run(2, 200, 0.6), run(3, 300, 0.5), run(4, 200, 0.6),
                                          run(5, 250, 0.6), run(6, 400, 0.9)}));
  CHECK(pareto_front(s, 0, 1) == std::vector<std::size_t>{0, 1, 5});
  CHECK(pareto_front(s, 1, 0) == std::vector<std::size_t>{5, 1, 0});
}

TEST_CASE("the effect of a key is the span of its values' means", "[viz]") {
  const Folder folder;
  SECTION("values and texts") {
    const Sweep s =
        table_of(folder, sweep({variant(1, {5, "a"}, {{"cost_total", 10}}), variant(2, {5, "b"}, {{"cost_total", 20}}),
                                variant(3, {8, "a"}, {{"cost_total", 40}}), variant(4, {8, nullptr}, {{"cost_total", 70}})}));
    const std::vector<Effect> all = effects(s, 0);
    REQUIRE(all.size() == 2);
    CHECK(all[0].key == 1);  // 20 for b, 25 for a, 70 for the scenario's own
    CHECK(all[0].low == 20);
    CHECK(all[0].low_at == "b");
    CHECK(all[0].high == 70);
    CHECK(all[0].high_at == "the scenario’s own value");
    CHECK(all[1].low == 15);
    CHECK(all[1].high == 55);
    CHECK(all[1].high_at == "8 kWh");
    CHECK_FALSE(all[1].thirds);
  }
  SECTION("many numbers: their lowest and highest third") {
    json variants = json::array();
    for (int i = 0; i < 30; ++i) variants.push_back(variant(i + 1, {(i * 7) % 30, "a"}, {{"cost_total", 100 - (i * 7) % 30}}));
    const Sweep s = table_of(folder, sweep(variants));
    const std::vector<Effect> all = effects(s, 0);
    REQUIRE(all.size() == 1);
    CHECK(all[0].thirds);
    CHECK(all[0].low == Approx(100 - 24.5));
    CHECK(all[0].low_at == "from 20 kWh");
    CHECK(all[0].high == Approx(100 - 4.5));
    CHECK(all[0].high_at == "up to 9 kWh");
  }
}

TEST_CASE("a sweep file with gaps is still reported", "[viz]") {
  const Folder folder;
  SECTION("nothing but the mark") { CHECK(contains(page_of(folder, {{"urja_sweep", 1}}), "there is nothing to compare")); }
  SECTION("no lists of keys and figures") {
    json j = sweep({variant(1, {5}, {{"cost_total", 3}, {"fuel_l", 2}, {"faults", json::array()}})});
    j.erase("keys");
    j.erase("kpis");
    const std::string page = page_of(folder, j);
    CHECK(contains(page, "1 variant, which ran."));
    CHECK(contains(page, ">fuel l</option>"));
  }
  SECTION("fields of a wrong kind") {
    json j = sweep({variant(1, "five", "none"), variant(2, {{{"a", 1}}, 7, 8, 9}, {{"cost_total", "dear"}}), 17, nullptr,
                    variant(3, {true, 2.5}, {{"cost_total", 5}})});
    j["title"] = 4;
    j["wall_s"] = "long";
    CHECK(contains(page_of(folder, j), "3 variants over 2 keys"));
  }
  SECTION("all failed") {
    const std::string page = page_of(folder, sweep({variant(1, {5, "a"}, json::object(), "error", "broken")}));
    CHECK(contains(page, "1 variant over 2 keys, none of which ran."));
    CHECK_FALSE(contains(page, "Trade-off"));
    CHECK(contains(page, "<td>broken</td>"));
  }
}

TEST_CASE("texts of a sweep file cannot break out of its report", "[viz]") {
  const Folder folder;
  const std::string evil = "</script><script>alert(1)</script><img src=x onerror='alert(2)'>\"&{{data}}";
  json j = sweep({variant(1, {5, evil}, {{"cost_total", 1}}), variant(2, {6, "a"}, {{"cost_total", 2}}),
                  variant(3, {6, "a"}, json::object(), evil.c_str(), evil.c_str())});
  for (const char* key : {"title", "scenario", "scenario_text", "sweep_text", "version", "machine"}) j[key] = evil;
  j["keys"][0]["key"] = j["keys"][0]["unit"] = j["keys"][1]["key"] = evil;
  j["kpis"][0]["label"] = j["kpis"][0]["unit"] = evil;
  j["variants"][0]["name"] = evil;
  const std::string page = page_of(folder, j);
  CHECK(count(page, "<script") == 3);
  CHECK(count(page, "</script") == 3);
  CHECK_FALSE(contains(page, "<img"));
  CHECK(contains(page, "{{data}}</h1>"));
}

TEST_CASE("a large sweep is sampled, the same way each time, and keeps the best", "[viz]") {
  const Folder folder;
  json variants = json::array();
  for (int i = 0; i < 20'000; ++i)
    variants.push_back(variant(i + 1, {i % 1000, "set " + std::to_string(i)},
                               {{"cost_total", (i * 7919) % 20'000}, {"self_consumption", (i * 104'729 % 20'000) / 20'000.}}));
  const json j = sweep(variants);
  const std::string page = page_of(folder, j);
  CHECK(page.size() < 5'000'000);
  CHECK(contains(page, "of 20,000 variants"));
  CHECK(page == page_of(folder, j));

  const Sweep s = Sweep::read(folder / "s.json");
  const std::vector<std::size_t> shown = rows_to_show(s, 0, 1, 1000);
  CHECK(shown.size() == 1000);
  CHECK(std::is_sorted(shown.begin(), shown.end()));
  const auto has = [&](std::size_t row) { return std::binary_search(shown.begin(), shown.end(), row); };
  for (const std::size_t row : pareto_front(s, 0, 1)) CHECK(has(row));
  for (std::size_t row = 0; row < s.variants.size(); ++row)
    if (s.kpis[0].values[row] < 30) CHECK(has(row));
  // and no pattern of the grid: about as many from each tenth
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    const auto n = std::count_if(shown.begin(), shown.end(), [&](std::size_t r) { return r / 2000 == tenth; });
    CHECK(n > 60);
    CHECK(n < 140);
  }
}

TEST_CASE("a file that is no sweep is refused with its name and the reason", "[viz]") {
  const Folder folder;
  const std::string file = folder / "s.json";
  CHECK(failure(folder, "{") == file + ": is not JSON");
  CHECK(failure(folder, "[1]") == file + ": is not the result of a sweep (it lacks \"urja_sweep\": 1)");
  CHECK(failure(folder, R"({"urja_sweep": 2})") == file + ": is not the result of a sweep (it lacks \"urja_sweep\": 1)");
  fs::remove(file);
  CHECK_THROWS_WITH(write_sweep_report(file, folder / "s.html"), file + ": cannot be read");
  CHECK_FALSE(fs::exists(folder / "s.html"));
}

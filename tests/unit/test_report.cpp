#include "tests/catch.hpp"

#include "viz/page_text.hpp"
#include "viz/report.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("urja_report_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

// Writes result files as the recorder does, with the C API alone.
class Writer {
 public:
  explicit Writer(const std::string& path) : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Writer() { H5Fclose(file_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& text(const char* name, const std::string& value) {
    text(file_, name, value);
    return *this;
  }

  Writer& data(const std::string& path, const std::vector<double>& values, std::vector<hsize_t> shape = {},
               const char* unit = nullptr) {
    if (shape.empty()) shape = {values.size()};
    const hid_t links = H5Pcreate(H5P_LINK_CREATE),
                space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t set = H5Dcreate2(file_, path.c_str(), H5T_NATIVE_DOUBLE, space, links, H5P_DEFAULT, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    if (unit) text(set, "unit", unit);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
    return *this;
  }

  Writer& strings(const std::string& path, const std::vector<const char*>& values) {
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), type = string_type();
    const hsize_t n = values.size();
    H5Pset_create_intermediate_group(links, 1);
    const hid_t space = H5Screate_simple(1, &n, nullptr),
                set = H5Dcreate2(file_, path.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(links);
    return *this;
  }

  struct Row {
    double time;
    const char *asset, *kind, *text;
  };
  Writer& compound_events(const std::vector<Row>& rows) {
    const hid_t text = string_type(), type = H5Tcreate(H5T_COMPOUND, sizeof(Row));
    H5Tinsert(type, "time", HOFFSET(Row, time), H5T_NATIVE_DOUBLE);
    H5Tinsert(type, "asset", HOFFSET(Row, asset), text);
    H5Tinsert(type, "kind", HOFFSET(Row, kind), text);
    H5Tinsert(type, "text", HOFFSET(Row, text), text);
    const hsize_t n = rows.size();
    const hid_t space = H5Screate_simple(1, &n, nullptr),
                set = H5Dcreate2(file_, "events", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data());
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Tclose(text);
    return *this;
  }

 private:
  static hid_t string_type() {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
  }
  static void text(hid_t where, const char* name, const std::string& value) {
    const hid_t type = string_type(), space = H5Screate(H5S_SCALAR),
                attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const char* p = value.c_str();
    H5Awrite(attribute, type, &p);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
  }
  hid_t file_;
};

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

std::string page_of(const Folder& folder) {
  urja::viz::write_report(folder / "r.h5", folder / "r.html");
  return slurp(folder / "r.html");
}

std::string failure(const std::string& h5, const std::string& html) {
  try {
    urja::viz::write_report(h5, html);
  } catch (const std::runtime_error& e) { return e.what(); }
  return "no error";
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

bool contains(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

// The page without the three scripts and the style sheet, which are ours.
std::string without_scripts(const std::string& page) {
  std::string out;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t open = std::min({page.find("<script", at), page.find("<style>", at), page.size()});
    out += page.substr(at, open - at);
    if (open == page.size()) break;
    const std::size_t close = page.find(page[open + 3] == 'c' ? "</script>" : "</style>", open);
    if (close == std::string::npos) break;
    at = close;
  }
  return out;
}

std::vector<double> hours(std::size_t n) {
  std::vector<double> t(n);
  for (std::size_t i = 0; i < n; ++i) t[i] = 1470034800.0 + 3600.0 * static_cast<double>(i);
  return t;
}

const char* const k_evil = "</script><script>alert(1)</script><img src=x onerror='alert(2)'>\"&{{data}}";

}  // namespace

TEST_CASE("a report is one page that loads nothing and says what the file says", "[viz]") {
  const Folder folder;
  Writer(folder / "r.h5")
      .text("title", "Two homes")
      .text("zone", "America/Los_Angeles")
      .text("currency", "USD")
      .text("scenario", "urja: 1\ntitle: Two homes\n")
      .text("version", "0.1")
      .text("kpis",
            R"({"load_kwh": 12345.6, "unserved_kwh": 0, "cost_total": 812.5, "ledger_residual": 2e-13, "tank_level_l": 7})")
      .text("asset_kinds", R"({"homes.pv": "pv_profile", "homes.load": "load", "grid": "grid"})")
      .data("time", hours(4))
      .data("channels/homes.pv/power", {0, 0, 1000, 2000, 1500, 500, 0, 0}, {4, 2}, "W")
      .data("channels/homes.load/power", {-500, -500, -500, -500, -500, -500, -500, -500}, {4, 2}, "W")
      .data("channels/grid/power", {1000, -2000, -1000, 1000}, {}, "W")
      .data("channels/grid/price", {0.2, 0.2, 0.5, 0.5}, {}, "USD/kWh")
      .data("channels/grid/cost_total", {0.2, 0.1, 0.05, 0.55}, {}, "USD")
      .compound_events({{1470034800.0, "grid", "limit", "import clipped"}, {1470038400.0, "homes.pv", "fault", "inverter off"}});
  const std::string page = page_of(folder), seen = without_scripts(page);

  CHECK(contains(page, "<title>Two homes</title>"));
  CHECK(contains(page, "12.35 <small>MWh"));
  CHECK(contains(page, "812.5</td><td>USD"));
  CHECK(contains(page, "Tank level</th><td class=\"n\">7</td><td>l</td>"));
  CHECK(contains(page, "homes.pv ×2"));
  CHECK(contains(page, "import clipped"));
  CHECK(contains(page, "2 events"));
  CHECK(contains(page,
                 "Power balance (the assets’ powers sum to zero in every row), checked while this page was written: <b "
                 "class=\"good\">holds</b>"));
  CHECK(contains(page, "2016-08-01 07:00 UTC"));
  CHECK(page.size() < 1'500'000);

  CHECK_FALSE(std::regex_search(seen, std::regex(R"(<(link|img|iframe|object|embed|base|video|audio)\b)")));
  CHECK_FALSE(std::regex_search(seen, std::regex(R"((src|href|action)\s*=)")));
  CHECK_FALSE(contains(page, "<script src"));
  CHECK_FALSE(contains(page, "@import"));
  const std::size_t style = page.find("<style>");
  CHECK_FALSE(contains(page.substr(style, page.find("</style>") - style), "url("));
  CHECK(contains(page, "default-src 'none'"));
}

TEST_CASE("a report shows what was seen and what came of it: pairs that differ, and what the controller did otherwise", "[viz]") {
  const auto written = [](const Folder& folder, const std::string& decisions) {
    Writer(folder / "r.h5")
        .text("zone", "UTC")
        .text("record_s", "3600")
        .text("kpis",
              R"({"faults": [{"id": "gauge", "kind": "sensor_bias", "on": "battery.state_of_charge", "times": 1, "active_h": 2}],
                          "without_faults": {"decisions": )" +
                  decisions + "}}")
        .data("time", {0, 3600, 7200, 10800})
        .data("channels/battery/power", {0, 0, 0, 0}, {}, "W")
        .data("channels/battery/state_of_charge", {0.5, 0.5, 0.3, 0.2})
        .data("measured/battery/state_of_charge", {0.5, 0.5, 0.5, 0.5})
        .data("without_faults/battery/state_of_charge", {0.5, 0.5, 0.5, 0.5})
        .data("measured/battery/power", {0, 0, 0, 0}, {}, "W")
        .data("channels/controller/run", {0, 0, 0, 0})
        .data("without_faults/controller/run", {0, 0, 1, 1})
        .compound_events({{7200, "gauge", "fault", "sensor_bias on battery.state_of_charge begins"}});
    return page_of(folder);
  };
  {
    const Folder folder;
    const std::string page =
        written(folder, R"([{"command": "controller.run", "unit": "1", "otherwise_h": 2, "first": "1970-01-01 02:00",
                                                 "with": 0, "without": 1}])");
    CHECK(contains(page, "What the controller did otherwise"));
    CHECK(
        contains(page,
                 "<th scope=\"row\">controller.run</th><td class=\"n\">2</td><td>1970-01-01 02:00</td><td class=\"n\">0</td><td "
                 "class=\"n\">1</td>"));
    CHECK(contains(page, "<h2>What was seen, and what came of it</h2>"));
    CHECK(count(page, "data-id=\"compared\"") == 3);  // charge twice and the command; the power never differs
  }
  const Folder folder;
  CHECK(contains(written(folder, "[]"), "as if nothing had happened"));
}

TEST_CASE("a report shows measured and simulated side by side, and what a fault does to both", "[viz]") {
  const Folder folder;
  // Eight hours; the fault is there in the last four, takes half of the power, and the measurement misses an hour. The model gives a
  // tenth too much.
  const double none = std::numeric_limits<double>::quiet_NaN();
  Writer(folder / "r.h5")
      .text("zone", "UTC")
      .text("record_s", "3600")
      .text("kpis", R"({"faults": [{"id": "dark", "kind": "pv_shading", "on": "pv", "times": 1, "active_h": 4}]})")
      .data("time", {0, 3600, 7200, 10800, 14400, 18000, 21600, 25200})
      .data("channels/pv/power", {110, 220, 330, 440, 55, 110, 165, 220}, {}, "W")
      .data("reference/pv/power", {100, 200, 300, 400, 60, none, 180, 240}, {}, "W")
      .data("without_faults/pv/power", {110, 220, 330, 440, 110, 220, 330, 440}, {}, "W")
      .data("reference/pv/not_simulated", {1, 1, 1, 1, 1, 1, 1, 1}, {}, "W")
      .compound_events({{14400, "dark", "fault", "pv_shading on pv begins"}});
  const std::string page = page_of(folder);
  CHECK(contains(page, "<h2>Measured and simulated</h2>"));
  CHECK(count(page, "data-id=\"compared\"") == 1);  // no pair, no plot
  const auto row = [&](const std::string& head) {
    const std::size_t at = page.find(head);
    REQUIRE(at != std::string::npos);
    return std::regex_replace(page.substr(at, page.find("</tr>", at) - at), std::regex("(<[^>]*>)+"), "|");
  };
  // Measured 480 of 880 against 1000 of 1100: 0.6; simulated 440 of 880 against all: 0.5.
  CHECK(contains(row("<th scope=\"row\">dark</th><td>pv, power"), "|pv, power|3|0.600|0.500|−0.100|"));
  // e = 10, 20, 30, 40: bias 25, RMSE sqrt(750), of a range from 60 to 400.
  CHECK(contains(row("<th scope=\"row\">pv, power, W</th><td>no fault"), "|no fault|4|250|275|25|27.39|8.1|1.000|"));
  // e = -5, -15, -20.
  CHECK(contains(row("<th scope=\"row\">pv, power, W</th><td>dark is there"), "|dark is there|3|160|146.7|−13.33|14.72|4.3|"));
  CHECK(contains(row("<th scope=\"row\">pv, power, W</th><td>whole run"), "|whole run|7|"));
}

TEST_CASE("a report of a plant without prices does not speak of costs", "[viz]") {
  const Folder folder;
  const auto page = [&](bool priced) {
    {
      Writer file(folder / "r.h5");
      file.text("title", "Home").text("kpis", R"({"load_kwh": 12, "cost_total": 0, "co2_kg": 3})").data("time", hours(2));
      if (priced) file.text("currency", "USD");
    }
    return page_of(folder);
  };
  CHECK(contains(page(true), " Net cost 0\u00a0USD, 3\u00a0kg of CO₂."));
  CHECK(contains(page(true), "<span class=\"name\">Net cost</span>"));
  CHECK_FALSE(contains(page(false), " Net cost 0"));
  CHECK_FALSE(contains(page(false), "<span class=\"name\">Net cost</span>"));
}

TEST_CASE("names and texts of a result file cannot break out of the report", "[viz]") {
  const Folder folder;
  Writer(folder / "r.h5")
      .text("title", k_evil)
      .text("zone", k_evil)
      .text("currency", k_evil)
      .text("scenario", std::string("a: 1\n") + k_evil + "\nb: \xFF\x01")
      .text("scenario_file", k_evil)
      .text("version", k_evil)
      .text("machine", k_evil)
      .text("kpis", R"({"cost_total": 3, "<script>alert(3)</script>": "</script><b>", "unserved_kwh_by_zone": {"<i>": 1}})")
      .data("time", hours(3))
      .data("channels/<script>alert(4)<\\script>/power", {1, 2, 3}, {}, k_evil)
      .data("channels/cell/temperature", {1, 2, 3}, {}, "degC")
      .data("events/time", {1470034800.0})
      .strings("events/asset", {k_evil})
      .strings("events/kind", {k_evil})
      .strings("events/text", {k_evil});
  const std::string page = page_of(folder);

  CHECK(count(page, "<script") == 3);  // data, library, ours
  CHECK(count(page, "</script") == 3);
  CHECK_FALSE(contains(page, "<img"));
  CHECK_FALSE(contains(without_scripts(page), "<b>"));
  CHECK_FALSE(contains(without_scripts(page), "<i>"));
  CHECK(contains(page, "&lt;/script&gt;&lt;script&gt;alert(1)"));
  CHECK(contains(page, "{{data}}</h1>"));  // a placeholder in the input stays text
  CHECK_FALSE(contains(page, "\xFF"));
  CHECK(contains(page, "b: \xEF\xBF\xBD\xEF\xBF\xBD"));
}

TEST_CASE("a report shows where the run's energy came from and went", "[viz]") {
  const Folder folder;
  SECTION("sources and sinks, asset by asset") {
    Writer(folder / "r.h5")
        .text("asset_kinds", R"({"pv": "pv_profile", "load": "load", "grid": "grid"})")
        .data("time", hours(4))
        .data("channels/pv/power", {0, 3000, 3000, 0}, {}, "W")
        .data("channels/load/power", {-1000, -1000, -1000, -1000}, {}, "W")
        .data("channels/grid/power", {1000, -2000, -2000, 1000}, {}, "W");
    const std::string page = page_of(folder);
    CHECK(contains(page, "<th scope=\"row\">grid: import</th><td class=\"n\">2</td><td class=\"n\">25</td>"));
    CHECK(contains(page, "<th scope=\"row\">grid: export</th><td class=\"n\">4</td><td class=\"n\">50</td>"));
    CHECK(contains(page, "<th scope=\"row\">pv</th><td class=\"n\">6</td><td class=\"n\">75</td>"));
    CHECK(count(page, "<th scope=\"row\">Sum</th><td class=\"n\">8</td><td class=\"n\">100</td>") == 2);
    CHECK(contains(page, "Both sides sum to the same."));
  }
  SECTION("sides that differ are told") {
    Writer(folder / "r.h5")
        .data("time", hours(2))
        .data("channels/grid/power", {100, 100}, {}, "W")
        .data("channels/load/power", {-100, -90}, {}, "W");
    CHECK(contains(page_of(folder), "The two sides differ by 5.0e-02 of their sum."));
  }
  SECTION("many assets: the small ones by kind") {
    Writer w(folder / "r.h5");
    std::string kinds = R"({"grid": "grid")";
    w.data("time", hours(2)).data("channels/grid/power", {40e3, 40e3}, {}, "W");
    for (int k = 0; k < 40; ++k) {
      const std::string name = (k % 2 ? "shop_" : "pump_") + std::to_string(k);
      kinds += ", \"" + name + "\": \"load\"";
      w.data("channels/" + name + "/power", {-1000, -1000}, {}, "W");
    }
    w.text("asset_kinds", kinds + "}");
    const std::string page = page_of(folder);
    CHECK(contains(page, "more of kind load</th>"));
    CHECK(contains(page, "Both sides sum to the same."));
  }
}

TEST_CASE("a report holds the scenario's text and the files it includes", "[viz]") {
  const Folder folder;
  Writer(folder / "r.h5")
      .text("scenario", "urja: 1\ninclude: plant.yaml\n")
      .text("scenario_file", "site.yaml")
      .text("included", R"({"plant.yaml": "assets: {}\n</pre><script>", "broken.yaml": 3})")
      .data("time", hours(2));
  const std::string page = page_of(folder);
  CHECK(contains(page, "<summary>site.yaml <small>2 lines</small></summary>"));
  CHECK(contains(page, "<summary>Included: plant.yaml <small>2 lines</small></summary>"));
  CHECK(contains(page, "&lt;/pre&gt;&lt;script&gt;"));
  CHECK_FALSE(contains(page, "broken.yaml"));
  CHECK(count(page, "<script") == 3);
}

TEST_CASE("a result file with gaps is still reported", "[viz]") {
  const Folder folder;
  const double none = std::numeric_limits<double>::quiet_NaN();

  SECTION("no rows") {
    Writer(folder / "r.h5").data("time", {}).data("channels/grid/power", {}, {0});
    CHECK(contains(page_of(folder), "no rows"));
  }
  SECTION("only times") {
    Writer(folder / "r.h5").data("time", hours(2));
    const std::string page = page_of(folder);
    CHECK(contains(page, "no figures of the run"));
    CHECK(contains(page, "r.h5"));
  }
  SECTION("values missing, columns too short, kpis broken") {
    Writer(folder / "r.h5")
        .text("kpis", "{\"load")
        .data("time", hours(3))
        .data("channels/grid/power", {1, none, 3}, {}, "W")
        .data("channels/battery/state_of_charge", {none, none, none}, {}, "1")
        .data("channels/pv/power", {1}, {}, "W");
    const std::string page = page_of(folder);
    CHECK(contains(page, "grid/power has no value in 1 of 3 rows"));
    CHECK(contains(page, "pv/power has 1 rows, /time has 3"));
    CHECK_FALSE(contains(without_scripts(page), "nan"));
  }
  SECTION("many lanes: the first") {
    Writer(folder / "r.h5")
        .text("lanes", "2")
        .data("time", hours(2))
        .data("channels/grid/power", {1000, 9e9, 3000, 9e9}, {2, 2}, "W");
    const std::string page = page_of(folder);
    CHECK(contains(page, "The file holds 2 lanes; this page shows the first."));
    CHECK(contains(page, "<td class=\"n\">4</td><td class=\"n\">0</td><td class=\"n\">3</td><td class=\"n\">1</td>"));
  }
  SECTION("a broken balance is told") {
    Writer(folder / "r.h5")
        .data("time", hours(2))
        .data("channels/grid/power", {100, 100}, {}, "W")
        .data("channels/load/power", {-100, -90}, {}, "W");
    CHECK(contains(page_of(folder), "<b class=\"bad\">is broken</b>. Worst row 1.0e-01"));
  }
}

TEST_CASE("a file that is no result file is refused with its name and the reason", "[viz]") {
  const Folder folder;
  const std::string h5 = folder / "r.h5", html = folder / "r.html";

  SECTION("missing") { CHECK(failure(h5, html) == h5 + ": no such file"); }
  SECTION("a folder") { CHECK(contains(failure(folder.path.string(), html), "is not a file")); }
  SECTION("text") {
    std::ofstream(h5) << "time,power\n";
    CHECK(contains(failure(h5, html), h5 + ": is not an HDF5 file"));
  }
  SECTION("cut off") {
    Writer(h5).data("time", hours(1000));
    fs::resize_file(h5, fs::file_size(h5) / 2);
    CHECK(contains(failure(h5, html), h5 + ": is cut off"));
  }
  SECTION("without times") {
    Writer(h5).data("channels/grid/power", {1, 2});
    CHECK(contains(failure(h5, html), "no dataset /time"));
  }
  SECTION("times that go back") {
    Writer(h5).data("time", {10, 20, 15});
    CHECK(contains(failure(h5, html), "/time does not increase at row 2"));
  }
  SECTION("a report that cannot be written") {
    Writer(h5).data("time", hours(2));
    CHECK(contains(failure(h5, folder / "none/r.html"), "cannot be written"));
  }
  CHECK_FALSE(fs::exists(html));
}

TEST_CASE("a long run stays below its size in the page", "[viz]") {
  const Folder folder;
  {
    Writer w(folder / "r.h5");
    const std::size_t n = 50'000;
    w.data("time", hours(n));
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = 1000 * std::sin(static_cast<double>(i));
    for (int k = 0; k < 30; ++k) w.data("channels/cell_" + std::to_string(k) + "/temperature", x, {}, "degC");
  }
  const std::string page = page_of(folder);
  CHECK(page.size() < 5'000'000);
  CHECK(contains(page, "means over 6 h of the recorded rows"));
}

TEST_CASE("numbers and times of the page", "[viz]") {
  using urja::viz::number;
  CHECK(number(0) == "0");
  CHECK(number(12345.6) == "12,346");
  CHECK(number(1234567) == "1,234,567");
  CHECK(number(-3.5) == "−3.5");
  CHECK(number(0.054) == "0.054");
  CHECK(number(std::nan("")) == "–");
  CHECK(urja::viz::utc(951782400) == "2000-02-29 00:00 UTC");
  CHECK(urja::viz::utc(-1) == "1969-12-31 23:59:59 UTC");
}

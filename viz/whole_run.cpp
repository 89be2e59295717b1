#include "viz/whole_run.hpp"

#include "viz/curve.hpp"
#include "viz/page_text.hpp"
#include "viz/time_plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

namespace urja::viz {

using nlohmann::json;

namespace {

constexpr std::size_t k_fewest_rows = 10;  // of a duration curve
constexpr double k_least_share = 1e-3;     // of the energy that went through the bus: less gets no map of its own

// What a family's power is called on either side of the bus, in the order in which one asks for it.
struct Side {
  const char* family;
  bool up;
  const char* name;  // alone
  const char* what;  // after an asset's name, where its power goes both ways
};
constexpr std::array k_sides{
    Side{"grid", true, "Grid import", "import"},
    Side{"grid", false, "Grid export", "export"},
    Side{"load", false, "Loads", "demand"},
    Side{"load", true, "Loads giving power", "giving"},
    Side{"ev", false, "EV charging", "charging"},
    Side{"ev", true, "EV giving back", "giving back"},
    Side{"pv", true, "PV", "yield"},
    Side{"pv", false, "PV standby", "standby"},
    Side{"wind", true, "Wind", "yield"},
    Side{"wind", false, "Wind standby", "standby"},
    Side{"genset", true, "Genset", "yield"},
    Side{"genset", false, "Genset standby", "standby"},
    Side{"battery", true, "Battery discharging", "discharge"},
    Side{"battery", false, "Battery charging", "charge"},
    Side{"spill", false, "Spilt", "spilt"},
    Side{"spill", true, "Lacking", "lacking"},
    Side{"other", true, "Others in", "in"},
    Side{"other", false, "Others out", "out"},
};

const Side& side_of(const std::string& family, bool up) {
  const auto it = std::find_if(k_sides.begin(), k_sides.end(), [&](const Side& s) { return s.family == family && s.up == up; });
  return it == k_sides.end() ? k_sides[k_sides.size() - (up ? 2 : 1)] : *it;
}

struct Flow {
  std::string name, family;
  double joules;
};

void largest_first(std::vector<Flow>& all) {
  std::stable_sort(all.begin(), all.end(), [](const Flow& a, const Flow& b) { return a.joules > b.joules; });
}

std::string flow_table(const std::vector<Flow>& sources, const std::vector<Flow>& sinks, double in, double out, const Scale& e) {
  std::string t = "<table>";
  const auto half = [&](const char* head, const std::vector<Flow>& flows, double sum) {
    t += fmt::format(
        "<tbody><tr class=\"group\"><th scope=\"col\">{}</th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" "
        "class=\"n\">Share, %</th></tr>\n",
        head, e.unit);
    for (const Flow& f : flows)
      t += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", escape(f.name),
                       number(f.joules / 3600 * e.factor), number(std::round(f.joules / sum * 1000) / 10));
    t += fmt::format("<tr class=\"sum\"><th scope=\"row\">Sum</th><td class=\"n\">{}</td><td class=\"n\">100</td></tr></tbody>\n",
                     number(sum / 3600 * e.factor));
  };
  half("Into the bus", sources, in);
  half("Out of the bus", sinks, out);
  return t + "</table>";
}

json flow_data(const std::vector<Flow>& flows, double factor) {
  json all = json::array();
  for (const Flow& f : flows) all.push_back({{"name", valid_utf8(f.name)}, {"family", f.family}, {"value", f.joules * factor}});
  return all;
}

std::string section(const char* id, const std::string& title, const std::string& unit, const std::string& note,
                    const std::string& label, const std::string& table) {
  return fmt::format(
      "<section class=\"plot\" aria-labelledby=\"head-{0}\">\n<h2 id=\"head-{0}\">{1} <small>{2}</small></h2>\n<p "
      "class=\"note\">{3}</p>\n"
      "<div class=\"legend\"></div>\n<div class=\"chart {0}\" data-plot=\"{0}\" data-id=\"{0}\" role=\"img\" "
      "aria-label=\"{4}\"></div>\n{5}</section>\n",
      id, title, unit, note, label, table);
}

// Loads and vehicles are shown as what they take, all others as what they give.
bool turned(const std::string& family) { return family == "load" || family == "ev" || family == "spill"; }

const char* duration_name(const std::string& family, bool both_ways) {
  if (family == "grid") return both_ways ? "Grid (export below zero)" : "Grid";
  if (family == "battery") return "Battery (charging below zero)";
  if (family == "load") return "Loads";
  if (family == "ev") return both_ways ? "EV charging (giving back below zero)" : "EV charging";
  if (family == "spill") return "Spilt";
  return family == "pv" ? "PV" : family == "wind" ? "Wind" : family == "genset" ? "Genset" : "Others";
}

}  // namespace

Part energy_flow(const Drawing& d) {
  std::vector<Flow> sources, sinks;
  double in = 0, out = 0, missing = 0;
  for (const Series& s : d.series) {
    if (s.role != Role::power || !has_power(s)) continue;
    const double up = s.figures.into_bus, down = -s.figures.out_of_bus;
    missing += static_cast<double>(s.figures.missing);
    for (const bool into : {true, false}) {
      const double joules = into ? up : down;
      if (joules < 1) continue;  // the rounding of sums
      const Side& side = side_of(s.family, into);
      const bool say = (up >= 1 && down >= 1) || s.family == "grid" || s.family == "battery";
      (into ? sources : sinks).push_back({say ? s.label + ": " + side.what : s.label, s.family, joules});
      (into ? in : out) += joules;
    }
  }
  if (sources.empty() || sinks.empty()) return {};
  largest_first(sources);
  largest_first(sinks);
  const Scale e = energy_scale(std::max(in, out) / 3600);
  const double gap = std::abs(in - out) / std::max(in, out);
  std::string note = "From left to right over the whole run, as it passed the bus.";
  if (std::any_of(sinks.begin(), sinks.end(), [](const Flow& f) { return f.family == "battery"; }))
    note += " What a battery took and did not give back it lost, or held more of at the end than at the start.";
  if (missing > 0) note += " Some rows have missing values, which count as nothing.";
  note += gap < 1e-9 ? " Both sides sum to the same."
                     : fmt::format(" <b class=\"bad\">The two sides differ by {:.1e} of their sum.</b>", gap);
  Part part;
  part.html =
      section("flow", "Energy flow", e.unit, note,
              "Energy from its sources through the bus to its sinks. The figures are in the table below.",
              "<details><summary>Energy flow in numbers</summary>\n" + flow_table(sources, sinks, in, out, e) + "\n</details>\n");
  part.data = {{"unit", e.unit}, {"sources", flow_data(sources, e.factor / 3600)}, {"sinks", flow_data(sinks, e.factor / 3600)}};
  return part;
}

Part durations(const Drawing& d) {
  double largest = 0, seconds = 0;
  std::vector<const Total*> shown;
  for (const Total& t : d.totals) {
    if (t.duration.empty() || (t.into_bus < 1 && t.out_of_bus > -1)) continue;
    shown.push_back(&t);
    seconds = std::max(seconds, t.seconds);
    largest = std::max({largest, std::abs(t.duration.front()), std::abs(t.duration.back())});
  }
  if (shown.empty() || seconds < static_cast<double>(k_fewest_rows) * d.record) return {};
  const auto rank = [](const Total* t) {
    for (std::size_t i = 0; i < k_sides.size(); ++i)
      if (k_sides[i].family == t->family) return i;
    return k_sides.size();
  };
  std::stable_sort(shown.begin(), shown.end(), [&](const Total* a, const Total* b) { return rank(a) < rank(b); });
  const Scale scale = power_scale(largest);
  const std::array<std::pair<const char*, double>, 6> marks{
      {{"Highest", 0}, {"1 %", .01}, {"10 %", .1}, {"50 %", .5}, {"90 %", .9}, {"Lowest", 1}}};
  std::string table = fmt::format("<table><thead><tr><th scope=\"col\">{}, reached for</th>", scale.unit);
  for (const auto& [name, share] : marks) table += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", name);
  table += "</tr></thead><tbody>\n";
  Part part;
  part.data = {{"unit", scale.unit}, {"factor", scale.factor}, {"seconds", seconds}, {"curves", json::array()}};
  for (const Total* t : shown) {
    const bool both = t->into_bus >= 1 && t->out_of_bus <= -1, turn = turned(t->family);
    std::vector<double> values(t->duration);
    if (turn) {
      std::reverse(values.begin(), values.end());
      for (double& v : values) v = -v;
    }
    const char* name = duration_name(t->family, both);
    part.data["curves"].push_back({{"label", name}, {"family", t->family}, {"values", curve(values, true)}});
    table += fmt::format("<tr><th scope=\"row\">{}</th>", name);
    for (const auto& [mark, share] : marks) {
      std::size_t i = 0;
      while (i < k_duration_steps && duration_share(i) < share - 1e-9) ++i;
      table += fmt::format("<td class=\"n\">{}</td>", number(values[i] * scale.factor));
    }
    table += "</tr>\n";
  }
  table += "</tbody></table>";
  part.html = section(
      "duration", "Duration curves", scale.unit,
      "Every recorded row, sorted: for which share of the time a power was at least this high. Each curve is sorted by itself.",
      "Powers sorted from the highest to the lowest. The figures are in the table below.",
      "<details><summary>Duration curves in numbers</summary>\n" + table + "\n</details>\n");
  return part;
}

Part heat_map(const Drawing& d) {
  const Calendar& c = d.calendar;
  if (c.columns == 0) return {};
  double through = 0;
  for (const Total& t : d.totals) through += t.into_bus;
  Part part;
  double largest = 0;
  json maps = json::array();
  for (const Side& side : k_sides) {
    for (const Total& t : d.totals) {
      if (t.family != side.family) continue;
      std::vector<double> cells = side.up ? t.up : t.down;
      if (std::abs(side.up ? t.into_bus : t.out_of_bus) < std::max(3600., k_least_share * through)) continue;
      for (double& x : cells) {
        x = std::abs(x);
        if (std::isfinite(x)) largest = std::max(largest, x);
      }
      maps.push_back({{"label", side.name}, {"family", side.family}, {"cells", curve(cells, true)}});
    }
  }
  if (maps.empty()) return {};
  const Scale scale = power_scale(largest);
  json odd = json::array();  // cells that do not cover all their time: the edges of the run, days with a change of the clock
  for (std::size_t i = 0; i < c.seconds.size(); ++i)
    if (std::abs(c.seconds[i] - 3600. * c.days) > 1e-3) odd.push_back({i, c.seconds[i]});
  part.data = {{"unit", scale.unit},   {"factor", scale.factor},  {"first_day", c.first_day}, {"days", c.days},
               {"columns", c.columns}, {"maps", std::move(maps)}, {"odd", std::move(odd)}};
  const std::string of = c.days == 1 ? "day" : c.days == 7 ? "week" : fmt::format("{} weeks", c.days / 7);
  const std::string note = "Mean power in each hour of the wall clock" +
                           (c.days == 1 ? std::string(", which is also the energy of that hour.")
                                        : fmt::format(", averaged over each {}.", c.days == 7 ? of : "group of " + of));
  part.html = section("heat", fmt::format("By {} and hour", of), scale.unit, note + " From every recorded row.",
                      "Mean power by day and hour", "");
  return part;
}

}  // namespace urja::viz

// Result file -> page. The words and tables are written here, so that they are there without a script; the scripts draw
// the plots from the data block.
#include "viz/report.hpp"

#include "viz/assets.hpp"
#include "viz/compare.hpp"
#include "viz/faults.hpp"
#include "viz/kpis.hpp"
#include "viz/page.hpp"
#include "viz/page_text.hpp"
#include "viz/result_file.hpp"
#include "viz/series.hpp"
#include "viz/time_plots.hpp"
#include "viz/whole_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr std::size_t k_data_budget = 3'000'000;   // bytes of the series in the page; the page stays below 5 MB
constexpr std::size_t k_scenario_limit = 200'000;  // characters of scenario text in the page, with the files it includes
constexpr std::size_t k_events_shown = 300, k_events_counted = 1'000'000;

std::string events_section(const ResultFile& file) {
  const std::size_t n = file.event_count();
  if (n == 0) return "<p>No events.</p>";
  std::map<std::string, std::size_t> counts;
  for (std::size_t at = 0; at < std::min(n, k_events_counted); at += 10'000)
    for (const Event& e : file.events(at, std::min<std::size_t>(10'000, k_events_counted - at))) ++counts[e.kind];
  std::vector<std::pair<std::string, std::size_t>> kinds(counts.begin(), counts.end());
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string by_kind;
  for (std::size_t i = 0; i < std::min<std::size_t>(kinds.size(), 12); ++i)
    by_kind += fmt::format("{}{} {}", i ? ", " : ": ", number(static_cast<double>(kinds[i].second)),
                           escape(kinds[i].first.empty() ? "of no kind" : kinds[i].first));
  if (kinds.size() > 12) by_kind += fmt::format(" and {} other kinds", kinds.size() - 12);
  std::string s =
      fmt::format("<p>{} event{}{}.{}</p>\n", number(static_cast<double>(n)), n == 1 ? "" : "s", by_kind,
                  n > k_events_shown ? fmt::format(" The first {} are listed; all are in the result file.", k_events_shown) : "");
  s += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Events\"><table class=\"events\"><thead><tr><th "
       "scope=\"col\">Time</th><th scope=\"col\">Asset</th>"
       "<th scope=\"col\">Kind</th><th scope=\"col\">What happened</th></tr></thead><tbody>\n";
  for (const Event& e : file.events(0, k_events_shown))
    s += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", moment(e.time), escape(e.asset), escape(e.kind),
                     escape(e.text));
  s += "</tbody></table></div>\n";
  if (n > 60) s += "<p class=\"paper\">On paper: the first 60.</p>\n";
  return s;
}

// The scenario and the files that it includes (the root attribute `included`: name -> text).
std::string scenario_section(const ResultFile& file) {
  const std::string text = file.text("scenario"), name = file.text("scenario_file");
  if (text.empty()) return "<p>The file holds no scenario text.</p>";
  std::string all = code_block(name.empty() ? "Scenario text" : name, text, k_scenario_limit);
  std::size_t left = k_scenario_limit - std::min(text.size(), k_scenario_limit);
  const json files = parse_object(file.text("included"));
  for (const auto& [path, included] : files.items()) {
    if (!included.is_string()) continue;
    const std::string its = included.get<std::string>();
    all += code_block("Included: " + path, its, left);
    left -= std::min(its.size(), left);
  }
  return all;
}

std::string ledger_line(const Drawing& d, const json& kpis) {
  constexpr double bound = 1e-9;
  std::string s;
  const auto verdict = [](bool good) { return good ? "<b class=\"good\">holds</b>" : "<b class=\"bad\">is broken</b>"; };
  if (kpis.contains("ledger_residual") && kpis["ledger_residual"].is_number()) {
    const double r = kpis["ledger_residual"];
    s += fmt::format(
        "<p>Energy ledger (in = out + stored + lost, over the run): {}. Residual {:.1e} of the throughput, bound {}.</p>\n",
        verdict(std::abs(r) <= bound), r, "1e-9");
  } else {
    s += "<p>Energy ledger: the file states no residual.</p>\n";
  }
  if (std::isfinite(d.balance_worst))
    s += fmt::format(
        "<p>Power balance (the assets’ powers sum to zero in every row), checked while this page was written: {}. Worst row "
        "{:.1e} of its largest power, bound {}.</p>\n",
        verdict(d.balance_worst <= bound), d.balance_worst, "1e-9");
  return s;
}

std::string duration(double s) {
  if (s >= 86400 && std::fmod(s, 86400) == 0) return number(s / 86400) + " d";
  if (s >= 3600 && std::fmod(s, 3600) == 0) return number(s / 3600) + " h";
  if (s >= 60 && std::fmod(s, 60) == 0) return number(s / 60) + " min";
  return number(s) + " s";
}

std::string facts_section(const ResultFile& file, const Drawing& d, const json& kpis) {
  std::string rows;
  const auto fact = [&](const char* name, const std::string& text) {
    if (!text.empty()) rows += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, text);
  };
  const auto kpi = [&](const char* key) {
    return kpis.contains(key) && kpis[key].is_number() ? number(kpis[key].get<double>()) : std::string();
  };
  fact("Urja", escape(file.text("version")));
  fact("Seed", escape(file.text("seed")));
  if (const auto step = file.number("step_s")) fact("Step", duration(*step));
  if (d.record > 0)
    fact("Recorded every", fmt::format("{}, {} rows", duration(d.record), number(static_cast<double>(file.time().size()))));
  if (d.interval > 0)
    fact("Drawn from", d.interval > d.record
                           ? fmt::format("means over {} of the recorded rows; the tables use every row", duration(d.interval))
                           : "every recorded row");
  fact("Steps", kpi("steps"));
  if (!kpi("wall_s").empty()) fact("Wall time", kpi("wall_s") + " s");
  fact("Steps per second", kpi("steps_per_s"));
  fact("Machine", escape(file.text("machine")));
  fact("Result file", escape(std::filesystem::path(file.path()).filename().string()));
  return "<dl class=\"facts\">\n" + rows + "</dl>\n";
}

}  // namespace

void write_report(const std::string& result_h5, const std::string& report_html) {
  const ResultFile file(result_h5);
  const json kpis = parse_object(file.text("kpis")), asset_kinds = parse_object(file.text("asset_kinds"));
  std::map<std::string, std::string> kinds;
  for (const auto& [asset, kind] : asset_kinds.items())
    if (kind.is_string()) kinds[asset] = kind.get<std::string>();

  const std::string currency = file.text("currency"), zone = file.text("zone", "UTC"),
                    title = file.text("title", std::filesystem::path(result_h5).filename().string()),
                    scenario = scenario_section(file), events = events_section(file);
  const std::size_t text_bytes = scenario.size() + events.size();
  Drawing d = survey(file, kinds, zone, k_data_budget - std::min<std::size_t>(text_bytes, k_data_budget / 2));
  if (const json said = json::parse(file.text("notes"), nullptr, false); said.is_array()) {
    for (const json& one : said) {
      if (one.is_string()) d.notes.push_back(one.get<std::string>());
    }
  }
  if (file.text("kpis").empty()) d.notes.push_back("The file holds no figures of the run (root attribute kpis).");

  Page page;
  page.title = title;
  page.data = {{"zone", valid_utf8(zone)}, {"first", d.first},         {"end", d.end},          {"interval", d.interval},
               {"record", d.record},       {"intervals", d.intervals}, {"plots", json::array()}};
  const std::vector<Plot> plots = plots_of(d);
  std::string drawn;
  for (std::size_t i = 0; i < plots.size(); ++i) {
    drawn += plot_section(plots[i], i);
    page.data["plots"].push_back(plot_data(plots[i]));
  }
  const auto draw_pairs = [&](const std::vector<Compared>& pairs) {
    std::string all;
    for (const Plot& p : comparisons_of(pairs)) {
      all += plot_section(p, page.data["plots"].size());
      page.data["plots"].push_back(plot_data(p));
    }
    return all;
  };
  std::string side_by_side = draw_pairs(d.compared), seen = draw_pairs(d.faulted);
  if (!seen.empty())
    seen =
        "<section>\n<h2>What was seen, and what came of it</h2>\n<p class=\"note\">True and as measured, where sensors or links "
        "are not "
        "perfect; states and commands of the plant beside those of the same plant without its faults. Pairs that never differ "
        "are left "
        "out.</p>\n</section>\n" +
        seen;
  Part flow = energy_flow(d), duration = durations(d), heat = heat_map(d), faults = faults_part(file, kpis, currency);
  for (const auto& [name, part] : {std::pair("flow", &flow), {"duration", &duration}, {"heat", &heat}, {"faults", &faults}})
    if (!part->html.empty()) page.data[name] = std::move(part->data);

  if (!side_by_side.empty()) side_by_side = comparison_section(file, d, page.data.value("faults", json::array())) + side_by_side;
  const std::string heading = escape(title), zone_text = escape(zone), sentence = kpi_sentence(kpis, currency),
                    notes = notes_list(d.notes), cards = kpi_cards(kpis, currency), table = kpi_table(kpis, currency),
                    ledger = ledger_line(d, kpis), facts = facts_section(file, d, kpis),
                    hidden = page.data["plots"].empty() ? " hidden" : "",
                    period = file.time().empty() ? "no rows" : moment(d.first) + " to " + moment(d.end);
  page.body = fill(asset("run.html"), {{"title", heading},
                                       {"period", period},
                                       {"zone", zone_text},
                                       {"sentence", sentence},
                                       {"notes", notes},
                                       {"cards", cards},
                                       {"flow", flow.html},
                                       {"faults", faults.html},
                                       {"plots", drawn},
                                       {"compared", side_by_side + seen},
                                       {"no_plots", hidden},
                                       {"duration", duration.html},
                                       {"heat", heat.html},
                                       {"kpis", table},
                                       {"ledger", ledger},
                                       {"events", events},
                                       {"scenario", scenario},
                                       {"facts", facts}});
  page.footer =
      "Power is positive out of an asset into its bus. Times are those of <span class=\"zone\">" + zone_text + "</span>.";
  page.scripts = {"time_plots.js", "whole_run.js"};
  write_page(report_html, page);
}

}  // namespace urja::viz

// Result file -> page. The words and tables are written here, so that they are there without a script; report/report.js
// draws the plots from the data block. The page's parts are the files in report/, compiled in by embed.cmake.
#include "viz/report.hpp"

#include "viz/assets.hpp"
#include "viz/kpis.hpp"
#include "viz/page_text.hpp"
#include "viz/result_file.hpp"
#include "viz/series.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr std::size_t k_data_budget = 3'400'000;   // bytes of the series in the page; the page stays below 5 MB
constexpr std::size_t k_scenario_limit = 400'000;  // characters of scenario text in the page
constexpr std::size_t k_events_shown = 300, k_notes_shown = 12, k_events_counted = 1'000'000;

json parse(const std::string& text) {
  json j = json::parse(text, nullptr, false);
  return j.is_object() ? j : json::object();
}

std::string base64(const std::vector<std::int16_t>& values) {
  static constexpr char k[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> b;
  b.reserve(values.size() * 2 + 2);
  for (const std::int16_t v : values) {
    b.push_back(static_cast<unsigned char>(v & 0xFF));
    b.push_back(static_cast<unsigned char>((v >> 8) & 0xFF));
  }
  const std::size_t n = b.size();
  b.resize((n + 2) / 3 * 3);
  std::string out;
  out.reserve(b.size() / 3 * 4);
  for (std::size_t i = 0; i < b.size(); i += 3) {
    const unsigned w = static_cast<unsigned>(b[i]) << 16 | static_cast<unsigned>(b[i + 1]) << 8 | b[i + 2];
    for (const int shift : {18, 12, 6, 0}) out += k[w >> shift & 63];
  }
  for (std::size_t i = n % 3; i != 0 && i < 3; ++i) out[out.size() - (3 - i)] = '=';
  return out;
}

// value = zero + scale * q, q of 16 bits, -32768 for none. A curve through zero keeps its zero exactly.
json curve(const std::vector<double>& values, bool around_zero) {
  double lo = INFINITY, hi = -INFINITY;
  for (const double v : values)
    if (std::isfinite(v)) {
      lo = std::min(lo, v);
      hi = std::max(hi, v);
    }
  if (lo > hi) lo = hi = 0;
  const double zero = around_zero ? 0 : (lo + hi) / 2;
  const double half = around_zero ? std::max(std::abs(lo), std::abs(hi)) : (hi - lo) / 2;
  const double scale = half > 0 ? half / 32767 : 1;
  std::vector<std::int16_t> q(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    q[i] = std::isfinite(values[i]) ? static_cast<std::int16_t>(std::lround((values[i] - zero) / scale)) : std::int16_t{-32768};
  return {{"zero", zero}, {"scale", scale}, {"q", base64(q)}};
}

std::vector<double> mean_of(const Bins& b, bool up, bool down) {
  std::vector<double> v(b.seconds.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = b.seconds[i] > 0 ? ((up ? b.up[i] : 0) + (down ? b.down[i] : 0)) / b.seconds[i] : NAN;
  return v;
}

json series_data(const Series& s) {
  json j{{"label", s.label}, {"family", s.family}, {"description", s.channel.description}};
  if (s.role == Role::power) {
    if (s.figures.into_bus > 0) j["up"] = curve(mean_of(s.bins, true, false), true);
    if (s.figures.out_of_bus < 0) j["down"] = curve(mean_of(s.bins, false, true), true);
  } else if (s.role == Role::cost) {
    // sums grow all year, so 16 bits are too coarse for a day: the rest goes into a second curve
    json high = curve(s.bins.last, false);
    const double zero = high["zero"], scale = high["scale"];
    std::vector<double> rest(s.bins.last);
    for (double& v : rest) v -= zero + scale * std::round((v - zero) / scale);
    j["mean"] = std::move(high);
    j["rest"] = curve(rest, true);
  } else {
    j["mean"] = curve(mean_of(s.bins, true, true), s.figures.min >= 0 && s.role == Role::price);
    if (has_band(s)) {
      j["min"] = curve(s.bins.min, false);
      j["max"] = curve(s.bins.max, false);
    }
  }
  return j;
}

struct Plot {
  const char* id;
  std::string title, unit, note;
  double factor = 1;  // file's unit -> unit of the axis
  const char* form;   // stack, line, step or total
  std::vector<const Series*> series;
};

double largest(const std::vector<const Series*>& all) {
  double x = 0;
  for (const Series* s : all)
    for (std::size_t i = 0; i < s->bins.seconds.size(); ++i)
      if (s->bins.seconds[i] > 0) x = std::max({x, s->bins.up[i] / s->bins.seconds[i], -s->bins.down[i] / s->bins.seconds[i]});
  return x;
}

// Channels of one plot share a unit; another unit of the same role gets a plot of its own.
std::vector<Plot> plots_of(const Drawing& d) {
  std::map<std::pair<Role, std::string>, std::vector<const Series*>> groups;
  for (const Series& s : d.series) {
    // What never had any power is no news: a controller, an account that took nothing but the rounding of sums.
    if (s.role == Role::power && s.figures.into_bus < 1 && s.figures.out_of_bus > -1) continue;
    groups[{s.role, s.channel.unit}].push_back(&s);
  }
  std::vector<Plot> plots;
  for (auto& [key, series] : groups) {
    const auto& [role, unit] = key;
    switch (role) {
      case Role::power: {
        const Scale scale = unit == "W" || unit.empty() ? power_scale(largest(series)) : Scale{1, unit.c_str()};
        plots.push_back({"power", "Power", scale.unit,
                         "Above zero: into the bus. Below zero: out of it. Assets are stacked from zero outwards.", scale.factor,
                         "stack", series});
        break;
      }
      case Role::state_of_charge:
        plots.push_back({"charge", "State of charge", unit == "1" || unit.empty() ? "%" : unit, "",
                         unit == "1" || unit.empty() ? 100. : 1., "line", series});
        break;
      case Role::temperature: plots.push_back({"temperature", "Temperature", "°C", "", 1, "line", series}); break;
      case Role::price: plots.push_back({"price", "Price", unit, "", 1, "step", series}); break;
      case Role::cost: plots.push_back({"cost", "Cost since the start", unit, "", 1, "total", series}); break;
    }
  }
  for (Plot& p : plots) {
    const bool members = std::any_of(p.series.begin(), p.series.end(), [](const Series* s) { return s->channel.members > 1; });
    if (p.form == std::string_view("line") || p.form == std::string_view("step"))
      p.note = fmt::format("Lines are means over the drawn interval{}; the shade spans the lowest to the highest value.",
                           members ? " and a fleet’s members" : "");
  }
  return plots;
}

// The name of a series in its plot: the asset, and the channel where that alone would be ambiguous or say too little.
std::string label(const Plot& p, const Series& s) {
  if (s.role == Role::power || s.role == Role::state_of_charge) return s.label;
  for (const Series* other : p.series)
    if (other != &s && other->channel.asset == s.channel.asset) return s.label + " " + replaced(s.channel.name, "_", " ");
  return s.role == Role::temperature ? s.label : s.label + " " + replaced(s.channel.name, "_", " ");
}

std::string cell(double x) { return fmt::format("<td class=\"n\">{}</td>", number(x)); }

// What the plot says, in numbers: from every row of the file.
std::string figures_table(const Plot& p) {
  std::string t = "<table>";
  if (p.series[0]->role == Role::power) {
    double most = 0;
    for (const Series* s : p.series) most = std::max({most, s->figures.into_bus, -s->figures.out_of_bus});
    const Scale e = energy_scale(most / 3600);
    t += fmt::format(
        "<thead><tr><th scope=\"col\">Asset</th><th scope=\"col\" class=\"n\">Into the bus, {0}</th><th scope=\"col\" "
        "class=\"n\">Out of the bus, {0}</th>"
        "<th scope=\"col\" class=\"n\">Highest, {1}</th><th scope=\"col\" class=\"n\">Lowest, {1}</th></tr></thead><tbody>\n",
        e.unit, escape(p.unit));
    for (const Series* s : p.series) {
      const Figures& f = s->figures;
      t += fmt::format("<tr><th scope=\"row\">{}</th>{}{}{}{}</tr>\n", escape(label(p, *s)), cell(f.into_bus / 3600 * e.factor),
                       cell(-f.out_of_bus / 3600 * e.factor), cell(f.max * p.factor), cell(f.min * p.factor));
    }
  } else if (p.series[0]->role == Role::cost) {
    t += fmt::format(
        "<thead><tr><th scope=\"col\">Channel</th><th scope=\"col\" class=\"n\">At the end, {}</th></tr></thead><tbody>\n",
        escape(p.unit));
    for (const Series* s : p.series)
      t += fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>\n", escape(label(p, *s)), cell(s->figures.last));
  } else {
    t += fmt::format(
        "<thead><tr><th scope=\"col\">Channel</th><th scope=\"col\" class=\"n\">Lowest, {0}</th><th scope=\"col\" "
        "class=\"n\">Mean, {0}</th>"
        "<th scope=\"col\" class=\"n\">Highest, {0}</th><th scope=\"col\" class=\"n\">At the end, {0}</th></tr></thead><tbody>\n",
        escape(p.unit));
    for (const Series* s : p.series) {
      const Figures& f = s->figures;
      t += fmt::format("<tr><th scope=\"row\">{}</th>{}{}{}{}</tr>\n", escape(label(p, *s)), cell(f.min * p.factor),
                       cell(f.sum / f.seconds * p.factor), cell(f.max * p.factor), cell(f.last * p.factor));
    }
  }
  return t + "</tbody></table>";
}

std::string plot_section(const Plot& p, std::size_t index) {
  const std::string note = p.note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", p.note);
  return fmt::format(
      "<section class=\"plot\" aria-labelledby=\"plot-{0}\">\n<h2 id=\"plot-{0}\">{1} <small>{2}</small></h2>\n{3}"
      "<div class=\"legend\"></div>\n<div class=\"chart {4}\" data-plot=\"{0}\" role=\"img\" aria-label=\"{1} over time. The "
      "figures are in the table below.\"></div>\n"
      "<details><summary>{1} in numbers</summary>\n{5}\n</details>\n</section>\n",
      index, escape(p.title), escape(p.unit), note, p.form, figures_table(p));
}

std::string data_block(const Drawing& d, const std::vector<Plot>& plots, const std::string& zone) {
  json j{{"zone", valid_utf8(zone)}, {"first", d.first},         {"end", d.end},          {"interval", d.interval},
         {"record", d.record},       {"intervals", d.intervals}, {"plots", json::array()}};
  for (const Plot& p : plots) {
    json one{{"id", p.id},         {"title", p.title}, {"unit", p.unit},
             {"factor", p.factor}, {"form", p.form},   {"series", json::array()}};
    for (const Series* s : p.series) {
      json data = series_data(*s);
      data["label"] = label(p, *s);
      one["series"].push_back(std::move(data));
    }
    j["plots"].push_back(std::move(one));
  }
  // ensure_ascii keeps U+2028 out; '<' must not appear, or a name could end the script element
  return replaced(j.dump(-1, ' ', true, json::error_handler_t::replace), "<", "\\u003c");
}

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

std::string scenario_section(const ResultFile& file) {
  std::string text = file.text("scenario");
  const std::string name = file.text("scenario_file");
  if (text.empty()) return "<p>The file holds no scenario text.</p>";
  std::string note;
  if (text.size() > k_scenario_limit) {
    text.resize(k_scenario_limit);
    note =
        fmt::format("<p class=\"note\">The first {} characters; the whole text is in the result file.</p>\n", k_scenario_limit);
  }
  std::string lines;
  std::size_t count = 0;
  std::string rest = valid_utf8(text);
  if (!rest.empty() && rest.back() == '\n') rest.pop_back();
  for (std::size_t at = 0; at <= rest.size();) {
    const std::size_t end = std::min(rest.find('\n', at), rest.size());
    lines += "<span>" + escape(std::string_view(rest).substr(at, end - at)) + "\n</span>";
    at = end + 1;
    ++count;
  }
  return fmt::format("<details><summary>{} <small>{}</small></summary>\n{}<pre class=\"code\">{}</pre>\n</details>\n",
                     name.empty() ? "Scenario text" : escape(name),
                     count == 1 ? "1 line" : number(static_cast<double>(count)) + " lines", note, lines);
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

std::string notes_list(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string s = "<ul class=\"notes\">\n";
  for (std::size_t i = 0; i < std::min(notes.size(), k_notes_shown); ++i) s += "<li>" + escape(notes[i]) + "</li>\n";
  if (notes.size() > k_notes_shown)
    s += fmt::format("<li>… and {} more remarks of this kind.</li>\n", notes.size() - k_notes_shown);
  return s + "</ul>\n";
}

// Fills {{name}} in one pass: what is filled in is never looked at again.
std::string fill(std::string_view page, const std::map<std::string_view, std::string_view>& parts) {
  std::string out;
  while (true) {
    const std::size_t open = page.find("{{");
    if (open == std::string_view::npos) return out.append(page);
    const std::size_t close = page.find("}}", open);
    out.append(page.substr(0, open));
    out.append(parts.at(page.substr(open + 2, close - open - 2)));
    page.remove_prefix(close + 2);
  }
}

void write_file(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) {
      std::error_code ignored;
      std::filesystem::remove(part, ignored);
      throw std::runtime_error(fmt::format("{}: cannot be written", path));
    }
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) throw std::runtime_error(fmt::format("{}: cannot be written ({})", path, error.message()));
}

}  // namespace

void write_report(const std::string& result_h5, const std::string& report_html) {
  const ResultFile file(result_h5);
  const json kpis = parse(file.text("kpis"));
  const json kinds_json = parse(file.text("asset_kinds"));
  std::map<std::string, std::string> kinds;
  for (const auto& [asset, kind] : kinds_json.items())
    if (kind.is_string()) kinds[asset] = kind.get<std::string>();

  const std::string scenario = scenario_section(file), events = events_section(file);
  const std::size_t text_bytes = scenario.size() + events.size();
  Drawing d = survey(file, kinds, k_data_budget - std::min<std::size_t>(text_bytes, k_data_budget / 2));
  const std::vector<Plot> plots = plots_of(d);

  const std::string currency = file.text("currency"), zone = file.text("zone", "UTC");
  const std::string title = escape(file.text("title", std::filesystem::path(result_h5).filename().string()));
  if (file.text("kpis").empty()) d.notes.push_back("The file holds no figures of the run (root attribute kpis).");
  std::string drawn;
  for (std::size_t i = 0; i < plots.size(); ++i) drawn += plot_section(plots[i], i);
  const std::string period = file.time().empty() ? "no rows" : moment(d.first) + " to " + moment(d.end);
  const std::string zone_text = escape(zone), sentence = kpi_sentence(kpis, currency), notes = notes_list(d.notes),
                    cards = kpi_cards(kpis, currency), table = kpi_table(kpis, currency), ledger = ledger_line(d, kpis),
                    facts = facts_section(file, d, kpis), licences = escape(asset("vendor/LICENSES.txt")),
                    data = data_block(d, plots, zone), hidden = plots.empty() ? " hidden" : "";

  write_file(report_html, fill(asset("template.html"), {{"title", title},
                                                        {"period", period},
                                                        {"zone", zone_text},
                                                        {"sentence", sentence},
                                                        {"notes", notes},
                                                        {"cards", cards},
                                                        {"plots", drawn},
                                                        {"no_plots", hidden},
                                                        {"kpis", table},
                                                        {"ledger", ledger},
                                                        {"events", events},
                                                        {"scenario", scenario},
                                                        {"facts", facts},
                                                        {"licences", licences},
                                                        {"data", data},
                                                        {"style", asset("report.css")},
                                                        {"echarts", asset("vendor/echarts.min.js")},
                                                        {"script", asset("report.js")}}));
}

}  // namespace urja::viz

// Sweep file -> page. Tables of every variant are reduced here (effects of keys, the best rows, a sample of the others);
// report/sweep.js draws for the KPIs that the reader chooses.
#include "viz/sweep_report.hpp"

#include "viz/assets.hpp"
#include "viz/page.hpp"
#include "viz/page_text.hpp"
#include "viz/sweep_table.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr std::size_t k_most_rows = 3000, k_fewest_rows = 100;  // drawn; what the browser still moves with ease
constexpr std::size_t k_row_budget = 2'600'000;                 // bytes of them in the page, with the texts
constexpr std::size_t k_effects_budget = 600'000;
constexpr std::size_t k_text_limit = 150'000, k_level_limit = 80, k_message_limit = 400;  // characters
constexpr std::size_t k_failures_shown = 200, k_best_shown = 25, k_keys_named = 6;

std::string count(double n, const char* one, const char* many) { return number(n) + " " + (n == 1 ? one : many); }

std::string shortened(const std::string& s, std::size_t most) {
  if (s.size() <= most) return s;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) --end;  // whole characters
  return s.substr(0, end) + "…";
}

double rounded(double x) { return std::isfinite(x) ? std::stod(fmt::format("{:.6g}", x)) : x; }  // NaN becomes null in JSON

struct Choice {
  std::size_t kpi = 0, x = 0, y = 0;
};

Choice first_choice(const Sweep& s) {
  Choice c;
  const auto find = [&](std::string_view name, std::size_t* at) {
    for (std::size_t i = 0; i < s.kpis.size(); ++i)
      if (s.kpis[i].name == name) {
        *at = i;
        return true;
      }
    return false;
  };
  find("cost_total", &c.kpi);
  c.x = c.kpi;
  const auto varies = [&](std::size_t i) {
    double low = INFINITY, high = -INFINITY;
    for (const double v : s.kpis[i].values)
      if (std::isfinite(v)) {
        low = std::min(low, v);
        high = std::max(high, v);
      }
    return high > low;
  };
  for (const char* name : {"unserved_kwh", "co2_kg", "import_kwh"})
    if (find(name, &c.y) && c.y != c.x && varies(c.y)) return c;
  for (std::size_t i = 0; i < s.kpis.size(); ++i)
    if (i != c.x && varies(i)) {
      c.y = i;
      return c;
    }
  c.y = s.kpis.size() > 1 ? (c.x == 0 ? 1 : 0) : c.x;
  return c;
}

std::vector<std::size_t> best_rows(const SweepKpi& k, const std::vector<std::size_t>& rows) {
  std::vector<std::size_t> best;
  for (const std::size_t i : rows)
    if (std::isfinite(k.values[i])) best.push_back(i);
  std::stable_sort(best.begin(), best.end(), [&](std::size_t a, std::size_t b) {
    return k.higher_is_better ? k.values[a] > k.values[b] : k.values[a] < k.values[b];
  });
  return best;
}

std::string with_unit(const std::string& label, const std::string& unit) {
  return unit.empty() || unit == "1" ? label : label + ", " + unit;
}

std::string variant_name(const SweepVariant& v) {
  return v.name.empty() ? "variant " + number(v.index) : fmt::format("variant {} ({})", number(v.index), v.name);
}

// Without a script: the best by the first choice. report/sweep.js writes it anew for the reader's.
std::string best_table(const Sweep& s, const Choice& c, const std::vector<std::size_t>& rows) {
  const SweepKpi& k = s.kpis[c.kpi];
  const std::vector<std::size_t> best = best_rows(k, rows);
  std::string t = fmt::format("<thead><tr><th scope=\"col\">Variant</th><th scope=\"col\" class=\"n\">{}</th>",
                              escape(with_unit(k.label, k.unit)));
  for (const SweepKey& key : s.keys)
    t += fmt::format("<th scope=\"col\"{}>{}</th>", key.text ? "" : " class=\"n\"", escape(with_unit(key.name, key.unit)));
  t += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(best.size(), k_best_shown); ++i) {
    t += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td>", escape(variant_name(s.variants[best[i]])),
                     number(k.values[best[i]]));
    for (const SweepKey& key : s.keys)
      t += key.text ? fmt::format("<td>{}</td>", escape(shortened(value_text(key, key.values[best[i]]), k_level_limit)))
                    : fmt::format("<td class=\"n\">{}</td>", number(key.values[best[i]]));
    t += "</tr>\n";
  }
  return t + "</tbody>";
}

json sweep_data(const Sweep& s, const Choice& c, const std::vector<std::size_t>& rows) {
  json j{{"kpi", c.kpi}, {"x", c.x}, {"y", c.y}, {"keys", json::array()}, {"kpis", json::array()}};
  json names = json::array(), indices = json::array();
  for (const std::size_t i : rows) {
    names.push_back(shortened(s.variants[i].name, k_level_limit));
    indices.push_back(s.variants[i].index);
  }
  j["index"] = std::move(indices);
  j["name"] = std::move(names);
  for (const SweepKey& key : s.keys) {
    json one{{"label", key.name}, {"unit", key.unit == "1" ? "" : key.unit}, {"values", json::array()}};
    if (key.text) {  // only the levels of the rows that are here
      std::map<double, std::size_t> place;
      one["levels"] = json::array();
      for (const std::size_t i : rows) {
        const double v = key.values[i];
        if (!std::isfinite(v)) {
          one["values"].push_back(nullptr);
          continue;
        }
        const auto [it, fresh] = place.try_emplace(v, place.size());
        if (fresh) one["levels"].push_back(shortened(key.levels[static_cast<std::size_t>(v)], k_level_limit));
        one["values"].push_back(it->second);
      }
    } else {
      for (const std::size_t i : rows) one["values"].push_back(rounded(key.values[i]));
    }
    j["keys"].push_back(std::move(one));
  }
  std::size_t bytes = 0;
  for (std::size_t k = 0; k < s.kpis.size(); ++k) {
    const SweepKpi& kpi = s.kpis[k];
    json one{{"label", kpi.label}, {"unit", kpi.unit}, {"higher", kpi.higher_is_better}, {"values", json::array()}};
    for (const std::size_t i : rows) one["values"].push_back(rounded(kpi.values[i]));
    json moved = json::array();
    for (const Effect& e : effects(s, k)) {
      if (bytes > k_effects_budget) break;
      moved.push_back({e.key, rounded(e.low), shortened(e.low_at, k_level_limit), rounded(e.high),
                       shortened(e.high_at, k_level_limit), e.thirds});
      bytes += 40 + e.low_at.size() + e.high_at.size();
    }
    one["effects"] = std::move(moved);
    j["kpis"].push_back(std::move(one));
  }
  return j;
}

// How many rows fit into the page beside its texts.
std::size_t rows_that_fit(const Sweep& s, std::size_t text_bytes) {
  double bytes = 9 * static_cast<double>(s.keys.size() + s.kpis.size()) + 10;
  for (const SweepKey& key : s.keys) {
    double chars = 0;
    for (const std::string& level : key.levels) chars += static_cast<double>(std::min(level.size(), k_level_limit)) + 3;
    if (!s.variants.empty()) bytes += chars / static_cast<double>(s.variants.size());
  }
  for (const SweepVariant& v : s.variants)
    bytes += static_cast<double>(std::min(v.name.size(), k_level_limit)) / static_cast<double>(s.variants.size());
  return std::clamp(static_cast<std::size_t>(static_cast<double>(k_row_budget - std::min(text_bytes, k_row_budget)) / bytes),
                    k_fewest_rows, k_most_rows);
}

std::string failures_section(const Sweep& s) {
  std::string list;
  std::size_t n = 0;
  for (const SweepVariant& v : s.variants) {
    if (v.done()) continue;
    if (++n > k_failures_shown) continue;
    list += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", escape(variant_name(v)), escape(v.status),
                        escape(shortened(v.message, k_message_limit)));
  }
  if (n == 0) return {};
  const std::string more = n > k_failures_shown ? fmt::format("<p class=\"note\">The first {} of {}.</p>\n", k_failures_shown,
                                                              number(static_cast<double>(n)))
                                                : "";
  return "<section>\n<h2>Variants without a result</h2>\n" + more +
         "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Variants without a result\"><table class=\"events\">"
         "<thead><tr><th scope=\"col\">Variant</th><th scope=\"col\">Status</th><th "
         "scope=\"col\">Message</th></tr></thead><tbody>\n" +
         list + "</tbody></table></div>\n</section>\n";
}

std::string sentence(const Sweep& s, const Choice& c, const std::vector<std::size_t>& rows) {
  std::map<std::string, double> by_status;
  for (const SweepVariant& v : s.variants) ++by_status[v.status];
  const double n = static_cast<double>(s.variants.size()), done = by_status["done"];
  std::string t = count(n, "variant", "variants");
  if (!s.keys.empty()) t += fmt::format(" over {}", count(static_cast<double>(s.keys.size()), "key", "keys"));
  t += done == n   ? (n == 1 ? ", which ran." : ", all of which ran.")
       : done == 0 ? ", none of which ran."
                   : fmt::format(", of which {} ran.", number(done));
  for (const auto& [status, many] : by_status)
    if (status != "done" && many > 0)
      t += fmt::format(" <strong>{} {}.</strong>", number(many),
                       status == "error"     ? "failed with an error"
                       : status == "trouble" ? "ran into trouble"
                       : status == "not run" ? "did not run"
                                             : "ended as “" + escape(status) + "”");
  if (s.kpis.empty()) return t;
  const std::vector<std::size_t> best = best_rows(s.kpis[c.kpi], rows);
  if (best.empty()) return t;
  const SweepKpi& k = s.kpis[c.kpi];
  t += fmt::format(" Best {}: {}{} with {}", escape(k.label), number(k.values[best[0]]),
                   k.unit.empty() ? "" : "\u00a0" + escape(k.unit), escape(variant_name(s.variants[best[0]])));
  std::string at;
  for (std::size_t i = 0; i < std::min(s.keys.size(), k_keys_named); ++i)
    if (std::isfinite(s.keys[i].values[best[0]]))
      at += fmt::format("{}{} {}", at.empty() ? "" : ", ", escape(s.keys[i].name),
                        escape(shortened(value_text(s.keys[i], s.keys[i].values[best[0]]), k_level_limit)));
  return t + (at.empty() ? "." : ": " + at + ".");
}

std::string facts(const Sweep& s, const std::string& file) {
  std::string rows, keys;
  const auto fact = [&](const char* name, const std::string& text) {
    if (!text.empty()) rows += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, text);
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(s.keys.size(), 100); ++i)
    keys += (i ? "<br>" : "") + escape(with_unit(s.keys[i].name, s.keys[i].unit));
  fact("Scenario", escape(s.scenario));
  fact("Varied", keys);
  fact("Urja", escape(s.version));
  if (std::isfinite(s.wall_s)) fact("Wall time", number(s.wall_s) + " s");
  if (std::isfinite(s.variants_per_s)) fact("Variants per second", number(s.variants_per_s));
  fact("Machine", escape(s.machine));
  fact("Sweep file", escape(file));
  return "<dl class=\"facts\">\n" + rows + "</dl>\n";
}

std::string options(const Sweep& s, std::size_t chosen) {
  std::string all;
  for (std::size_t i = 0; i < s.kpis.size(); ++i)
    all += fmt::format("<option value=\"{}\"{}>{}</option>", i, i == chosen ? " selected" : "",
                       escape(with_unit(s.kpis[i].label, s.kpis[i].unit)));
  return all;
}

}  // namespace

void write_sweep_report(const std::string& sweep_json, const std::string& html) {
  const Sweep s = Sweep::read(sweep_json);
  const Choice c = first_choice(s);
  const std::string failed = failures_section(s),
                    texts = (s.sweep_text.empty() ? "" : code_block("Sweep", s.sweep_text, k_text_limit)) +
                            (s.scenario_text.empty() ? "" : code_block("Scenario", s.scenario_text, k_text_limit));
  const std::vector<std::size_t> rows = rows_to_show(s, c.x, c.y, rows_that_fit(s, failed.size() + texts.size()));
  const auto done =
      static_cast<double>(std::count_if(s.variants.begin(), s.variants.end(), [](const SweepVariant& v) { return v.done(); }));
  const bool plots = !rows.empty() && !s.kpis.empty();

  std::vector<std::string> notes;
  if (!plots) notes.emplace_back("No variant has a result, so there is nothing to compare.");
  std::string sampled;
  if (static_cast<double>(rows.size()) < done)
    sampled = fmt::format(
        "<p class=\"notes\">Plots and table show {} of {} variants: the best 30 by each figure, the front of {} over {}, and a "
        "sample of the rest, the same each time. The effects of the keys are of all.</p>\n",
        number(static_cast<double>(rows.size())), number(done), escape(s.kpis[c.x].label), escape(s.kpis[c.y].label));

  const std::string file = std::filesystem::path(sweep_json).filename().string();
  Page page;
  page.title = !s.title.empty() ? s.title : !s.scenario.empty() ? s.scenario : file;
  page.data = plots ? sweep_data(s, c, rows) : json{{"keys", json::array()}, {"kpis", json::array()}};
  const std::string title = escape(page.title), said = sentence(s, c, rows), remarks = notes_list(notes) + sampled,
                    these = facts(s, file), no_texts = texts.empty() ? "<p>The file holds neither text.</p>\n" : texts;
  std::string compared;
  if (plots) {
    const std::string table = best_table(s, c, rows), by = options(s, c.kpi), across = options(s, c.x), up = options(s, c.y);
    compared = fill(asset("sweep_plots.html"), {{"table", table}, {"kpis", by}, {"across", across}, {"up", up}});
  }
  page.body = fill(asset("sweep.html"), {{"title", title},
                                         {"sentence", said},
                                         {"notes", remarks},
                                         {"compared", compared},
                                         {"failed", failed},
                                         {"texts", no_texts},
                                         {"facts", these}});
  page.footer = "Where a variant does not set a key, the scenario’s own value holds; it is shown as –.";
  page.scripts = {"sweep.js"};
  write_page(html, page);
}

}  // namespace urja::viz

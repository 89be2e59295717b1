// Two tables, each from every recorded row in which both have a value.
//
//   errors       e = simulated - measured:  bias = mean e,  RMSE = sqrt(mean e^2),  the same as a share of the measured range, correlation
//   effect       sum(x) / sum(without) while the fault was there, over the same in the rows without any fault; x is measured, or simulated,
//                `without` the same plant simulated without faults: weather, and what the model misses on healthy days, fall out. Of a
//                temperature, differences instead of ratios.
#include "viz/compare.hpp"

#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr std::size_t k_block = 65'536;  // rows held at a time
constexpr std::size_t k_most_faults = 40;

// Means, and moments about them (Welford).
struct Errors {
  double n = 0, measured = 0, simulated = 0, mm = 0, ss = 0, ms = 0, e = 0, ee = 0;

  void add(double m, double s) {
    ++n;
    const double dm = m - measured, ds = s - simulated;
    measured += dm / n;
    simulated += ds / n;
    mm += dm * (m - measured);
    ss += ds * (s - simulated);
    ms += dm * (s - simulated);
    e += s - m;
    ee += (s - m) * (s - m);
  }
  double bias() const { return e / n; }
  double rmse() const { return std::sqrt(ee / n); }
  double correlation() const { return mm > 0 && ss > 0 ? ms / std::sqrt(mm * ss) : NAN; }
};

// Measured, simulated, and simulated without faults.
struct Sums {
  double n = 0, measured = 0, simulated = 0, without = 0, size = 0;

  void add(double m, double s, double w) { ++n, measured += m, simulated += s, without += w, size += std::abs(w); }
};

// What the fault does to x: `difference` of means, or ratio of sums.
double effect(double Sums::*x, const Sums& there, const Sums& none, bool difference) {
  if (there.n == 0 || none.n == 0) return NAN;
  if (difference) return (there.*x - there.without) / there.n - (none.*x - none.without) / none.n;
  // Of next to nothing, or of what goes both ways, there is no share.
  if (std::abs(there.without) < 0.5 * there.size || std::abs(none.without) < 0.5 * none.size || there.without == 0 ||
      none.*x == 0)
    return NAN;
  return there.*x / there.without / (none.*x / none.without);
}

struct Fault {
  std::string label;
  std::vector<std::pair<double, double>> spans;  // in order, none on another
  Errors there;
  Sums sums;

  // Rows come in order of time.
  bool is_there(double t) {
    while (at < spans.size() && t >= spans[at].second) ++at;
    return at < spans.size() && t >= spans[at].first;
  }
  std::size_t at = 0;
};

// Rows of a channel, members taken together.
void read_rows(const ResultFile& file, const Channel& c, std::size_t first, std::size_t rows, std::vector<double>& out) {
  std::vector<double> all(rows * c.members);
  file.read(c, first, rows, all.data());
  out.assign(rows, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t m = 0; m < c.members; ++m) out[r] += all[r * c.members + m] / static_cast<double>(c.members);
  }
}

std::string cell(double x, double factor = 1) {
  return fmt::format("<td class=\"n\">{}</td>", std::isfinite(x) ? number(x * factor) : "–");
}
std::string figures(double x, int digits) {
  return fmt::format("<td class=\"n\">{}</td>", std::isfinite(x) ? replaced(fmt::format("{:.{}f}", x, digits), "-", "−") : "–");
}

std::string error_row(const std::string& channel, const std::string& when, const Errors& e, double range, double record) {
  if (e.n == 0) return "";
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td>{}{}{}{}{}{}{}</tr>\n", channel, when, cell(e.n * record / 3600),
                     cell(e.measured), cell(e.simulated), cell(e.bias()), cell(e.rmse()),
                     range > 0 ? figures(100 * e.rmse() / range, 1) : cell(NAN), figures(e.correlation(), 3));
}

}  // namespace

std::string comparison_section(const ResultFile& file, const Drawing& d, const json& faults) {
  if (d.compared.empty()) return "";
  std::string errors, effects;
  const std::vector<double>& time = file.time();
  for (const Compared& pair : d.compared) {
    const Channel &measured = pair.curves[0].channel, &simulated = pair.curves[1].channel;
    std::vector<Fault> all;
    for (const json& f : faults.is_array() ? faults : json::array()) {
      if (all.size() == k_most_faults) break;
      all.push_back({f["label"].get<std::string>(), {}, {}, {}});
      for (const json& span : f["spans"]) all.back().spans.emplace_back(span[0].get<double>(), span[1].get<double>());
    }
    Errors whole, outside;
    Sums none;
    double low = INFINITY, high = -INFINITY;
    const Channel* without = pair.without_faults.empty() ? nullptr : &pair.without_faults.front();
    const std::size_t rows = std::min({time.size(), measured.rows, simulated.rows, without ? without->rows : time.size()});
    std::vector<double> m, s, w;
    for (std::size_t first = 0; first < rows; first += k_block) {
      const std::size_t n = std::min(k_block, rows - first);
      read_rows(file, measured, first, n, m);
      read_rows(file, simulated, first, n, s);
      if (without) read_rows(file, *without, first, n, w);
      for (std::size_t r = 0; r < n; ++r) {
        const double middle = time[first + r] + 0.5 * d.record;
        bool any = false;
        std::vector<Fault*> there;
        for (Fault& f : all) {
          if (!f.is_there(middle)) continue;
          any = true;
          there.push_back(&f);
        }
        if (!std::isfinite(m[r]) || !std::isfinite(s[r])) continue;
        low = std::min(low, m[r]);
        high = std::max(high, m[r]);
        whole.add(m[r], s[r]);
        const bool known = without && std::isfinite(w[r]);
        if (!any) outside.add(m[r], s[r]);
        if (!any && known) none.add(m[r], s[r], w[r]);
        for (Fault* f : there) {
          f->there.add(m[r], s[r]);
          if (known) f->sums.add(m[r], s[r], w[r]);
        }
      }
    }
    const double range = high - low;
    const std::string unit =
        measured.unit == "1" || measured.unit.empty() ? "" : ", " + (measured.unit == "degC" ? std::string("°C") : measured.unit);
    const std::string name = escape(measured.asset + ", " + replaced(measured.name, "_", " ") + unit);
    errors += error_row(name, "whole run", whole, range, d.record);
    if (!all.empty()) errors += error_row(name, "no fault", outside, range, d.record);
    for (const Fault& f : all) {
      const std::string label = escape(f.label);
      errors += error_row(name, label + " is there", f.there, range, d.record);
      const bool difference = measured.unit == "degC";
      const double m_did = effect(&Sums::measured, f.sums, none, difference),
                   s_did = effect(&Sums::simulated, f.sums, none, difference);
      if (!std::isfinite(m_did) || !std::isfinite(s_did)) continue;
      const int digits = difference ? 1 : 3;
      effects += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td>{}{}{}{}</tr>\n", label,
                             escape(measured.asset + ", " + replaced(measured.name, "_", " ")) + (difference ? ", K more" : ""),
                             cell(f.sums.n * d.record / 3600), figures(m_did, digits), figures(s_did, digits),
                             figures(s_did - m_did, digits));
    }
  }
  const auto table = [](const char* columns, const std::string& rows) {
    return fmt::format("<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n", columns,
                       rows);
  };
  constexpr const char* n = "<th scope=\"col\" class=\"n\">";
  std::string html =
      "<section>\n<h2>Measured and simulated</h2>\n<p class=\"note\">Measured at the plant that this is a model of, beside what "
      "is simulated of "
      "it; the simulation knows nothing of these measurements. Rows in which both have a value count.</p>\n";
  if (!effects.empty())
    html +=
        "<h3>What the fault does</h3>\n<p class=\"note\">Over the same plant simulated without faults, while the fault was "
        "there, and that over the same "
        "where there was none: 1 is as if nothing had happened.</p>\n" +
        table(fmt::format("<th scope=\"col\">Fault</th><th "
                          "scope=\"col\">Channel</th>{0}Hours</th>{0}Measured</th>{0}Simulated</th>{0}Difference</th>",
                          n)
                  .c_str(),
              effects);
  html +=
      "<h3>How far they are apart</h3>\n<p class=\"note\">Bias: simulated less measured. Share: RMSE over the range of what was "
      "measured in "
      "the run.</p>\n" +
      table(fmt::format("<th scope=\"col\">Channel</th><th scope=\"col\">When</th>{0}Hours</th>{0}Measured, "
                        "mean</th>{0}Simulated, mean</th>{0}Bias</th>"
                        "{0}RMSE</th>{0}Share, %</th>{0}Correlation</th>",
                        n)
                .c_str(),
            errors);
  return html + "</section>\n";
}

}  // namespace urja::viz

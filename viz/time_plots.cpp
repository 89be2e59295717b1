#include "viz/time_plots.hpp"

#include "viz/curve.hpp"
#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace urja::viz {

using nlohmann::json;

namespace {

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

double largest(const std::vector<const Series*>& all) {
  double x = 0;
  for (const Series* s : all)
    for (std::size_t i = 0; i < s->bins.seconds.size(); ++i)
      if (s->bins.seconds[i] > 0) x = std::max({x, s->bins.up[i] / s->bins.seconds[i], -s->bins.down[i] / s->bins.seconds[i]});
  return x;
}

// The name of a series in its plot: the asset, and the channel where that alone would be ambiguous or say too little.
std::string label(const Plot& p, const Series& s) {
  if (s.role == Role::power || s.role == Role::state_of_charge || s.role == Role::compared) return s.label;
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

}  // namespace

// What never had any power is no news: a controller, an account that took nothing but the rounding of sums.
bool has_power(const Series& s) { return s.figures.into_bus >= 1 || s.figures.out_of_bus <= -1; }

// Channels of one plot share a unit; another unit of the same role gets a plot of its own.
std::vector<Plot> plots_of(const Drawing& d) {
  std::map<std::pair<Role, std::string>, std::vector<const Series*>> groups;
  for (const Series& s : d.series) {
    if (s.role == Role::power && !has_power(s)) continue;
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
      case Role::compared: break;
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

// One for each channel that is there twice.
std::vector<Plot> comparisons_of(const std::vector<Compared>& pairs) {
  std::vector<Plot> plots;
  for (const Compared& c : pairs) {
    Plot p{"compared", "", "", "", 1, "step", {}};
    for (const Series& s : c.curves) p.series.push_back(&s);
    const Channel& last = c.curves.back().channel;
    const Scale scale = last.unit == "W"                 ? power_scale(largest(p.series))
                        : last.name == "state_of_charge" ? Scale{100, "%"}
                                                         : Scale{1, last.unit == "degC" ? "°C"
                                                                    : last.unit == "1"  ? ""
                                                                                        : last.unit.c_str()};
    p.title = last.asset + ", " + replaced(last.name, "_", " ");
    p.unit = scale.unit;
    p.factor = scale.factor;
    if (last.kind == "state") p.form = "line";
    plots.push_back(std::move(p));
  }
  return plots;
}

std::string plot_section(const Plot& p, std::size_t index) {
  const std::string note = p.note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", p.note);
  return fmt::format(
      "<section class=\"plot\" aria-labelledby=\"plot-{0}\">\n<h2 id=\"plot-{0}\">{1} <small>{2}</small></h2>\n{3}"
      "<div class=\"legend\"></div>\n<div class=\"chart {4}\" data-plot=\"{0}\" data-id=\"{6}\" role=\"img\" aria-label=\"{1} "
      "over time. The "
      "figures are in the table below.\"></div>\n"
      "<details><summary>{1} in numbers</summary>\n{5}\n</details>\n</section>\n",
      index, escape(p.title), escape(p.unit), note, p.form, figures_table(p), p.id);
}

json plot_data(const Plot& p) {
  json j{{"id", p.id}, {"title", p.title}, {"unit", p.unit}, {"factor", p.factor}, {"form", p.form}, {"series", json::array()}};
  for (const Series* s : p.series) {
    json data = series_data(*s);
    data["label"] = label(p, *s);
    j["series"].push_back(std::move(data));
  }
  return j;
}

}  // namespace urja::viz

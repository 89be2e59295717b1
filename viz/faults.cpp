#include "viz/faults.hpp"

#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace urja::viz {
namespace {

using nlohmann::json;

constexpr std::size_t k_spans_shown = 2000;  // of all faults together: more are no picture

struct Loss {
  const char *key, *name, *unit;
};
constexpr std::array k_losses{Loss{"cost_more", "Cost", "money"},    Loss{"unserved_more_kwh", "Not served", "kWh"},
                              Loss{"pv_lost_kwh", "PV lost", "kWh"}, Loss{"import_more_kwh", "Bought more", "kWh"},
                              Loss{"fuel_more_l", "Fuel", "l"},      Loss{"ev_unmet_more_kwh", "Missing in vehicles", "kWh"}};

std::string text(const json& one, const char* key) {
  return one.contains(key) && one[key].is_string() ? one[key].get<std::string>() : std::string();
}
double value(const json& one, const char* key) {
  return one.contains(key) && one[key].is_number() ? one[key].get<double>() : NAN;
}
// Where the plant is as well off without it, to the rounding of sums, nothing is said.
std::string amount(double x) { return !std::isfinite(x) ? "" : std::abs(x) < 5e-4 ? "0" : number(std::round(x * 1000) / 1000); }

// What controllers commanded otherwise than in the same plant without the faults, and because of which of them.
std::string decisions(const json& none, const json& faults) {
  if (!none.contains("decisions") || !none["decisions"].is_array()) return "";
  std::string s = "<h3>What the controller did otherwise</h3>\n";
  if (none["decisions"].empty())
    return s +
           "<p class=\"note\">Nothing: it gave the commands that it would have given without the faults, as if nothing had "
           "happened.</p>\n";
  const bool each =
      faults.size() > 1 && std::all_of(faults.begin(), faults.end(), [](const json& one) { return one.contains("decisions"); });
  std::string head =
      "<th scope=\"col\">Command</th><th scope=\"col\" class=\"n\">Hours</th><th scope=\"col\">First</th><th scope=\"col\" "
      "class=\"n\">It said</th><th scope=\"col\" class=\"n\">Without the faults</th>";
  if (each) {
    for (const json& one : faults) head += fmt::format("<th scope=\"col\" class=\"n\">Hours by {}</th>", escape(text(one, "id")));
  }
  const auto shown = [](const json& one, const char* key) {  // a limit that is none
    const double x = value(one, key);
    return std::abs(x) > 1e8 ? std::string(x > 0 ? "no limit" : "none")
                             : amount(x) + (text(one, "unit") == "1" ? "" : "\u00a0" + escape(text(one, "unit")));
  };
  std::string rows;
  for (const json& one : none["decisions"]) {
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
        escape(text(one, "command")), number(std::round(value(one, "otherwise_h") * 100) / 100), escape(text(one, "first")),
        shown(one, "with"), shown(one, "without"));
    for (const json& fault : each ? faults : json::array()) {
      double hours = 0;
      for (const json& its : fault["decisions"]) {
        if (text(its, "command") == text(one, "command")) hours = value(its, "otherwise_h");
      }
      rows += fmt::format("<td class=\"n\">{}</td>", amount(std::round(hours * 100) / 100));
    }
    rows += "</tr>\n";
  }
  return s +
         "<p class=\"note\">Hours in which a command was another one than in the same plant without the faults, by more than a "
         "hundredth.</p>\n<div "
         "class=\"wide\"><table>\n<thead><tr>" +
         head + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
}

}  // namespace

Part faults_part(const ResultFile& file, const json& kpis, const std::string& currency) {
  Part part;
  const json* faults =
      kpis.contains("faults") && kpis["faults"].is_array() && !kpis["faults"].empty() ? &kpis["faults"] : nullptr;
  if (!faults) return part;

  std::vector<const Loss*> losses;
  for (const Loss& loss : k_losses) {
    if (std::any_of(faults->begin(), faults->end(), [&](const json& one) { return std::abs(value(one, loss.key)) >= 5e-4; }))
      losses.push_back(&loss);
  }
  std::string head =
      "<th scope=\"col\">Fault</th><th scope=\"col\">What, and on what</th><th scope=\"col\" class=\"n\">Times</th><th "
      "scope=\"col\" class=\"n\">Hours</th>";
  for (const Loss* loss : losses)
    head += fmt::format("<th scope=\"col\" class=\"n\">{}, {}</th>", loss->name,
                        escape(loss->unit == std::string_view("money") ? currency : loss->unit));
  std::string rows;
  part.data = json::array();
  std::map<std::string, std::size_t> place;
  for (const json& one : *faults) {
    const std::string id = text(one, "id");
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{} on {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>",
                        escape(id), escape(text(one, "kind")), escape(text(one, "on")), amount(value(one, "times")),
                        amount(value(one, "active_h")));
    for (const Loss* loss : losses) rows += fmt::format("<td class=\"n\">{}</td>", amount(value(one, loss->key)));
    rows += "</tr>\n";
    place[id] = part.data.size();
    part.data.push_back({{"label", valid_utf8(id)}, {"spans", json::array()}});
  }
  // Events come as "begins" and "ends", in order.
  std::map<std::string, double> open;
  std::size_t spans = 0;
  const auto close = [&](const std::string& id, double end) {
    if (spans++ < k_spans_shown) part.data[place[id]]["spans"].push_back({open[id], end});
    open.erase(id);
  };
  const std::size_t count = std::min<std::size_t>(file.event_count(), 200'000);
  for (const auto& e : file.events(0, count)) {
    if (e.kind != "fault" || !place.count(e.asset)) continue;
    if (e.text.ends_with(" begins")) open.try_emplace(e.asset, e.time);
    else if (open.count(e.asset)) close(e.asset, e.time);
  }
  const double last = file.time().empty() ? 0 : file.time().back() + file.number("record_s").value_or(0);
  while (!open.empty()) close(open.begin()->first, last);

  part.html =
      "<section>\n<h2>Faults</h2>\n<p class=\"note\">Red bands in the plots: a fault was there. What each cost is the difference "
      "to the same plant, with the same "
      "data and random numbers, without it" +
      std::string(losses.empty() ? "; here there is none" : "") + ".</p>\n<div class=\"wide\"><table>\n<thead><tr>" + head +
      "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
  if (kpis.contains("without_faults") && kpis["without_faults"].is_object()) {
    const json& none = kpis["without_faults"];
    std::string all;
    for (const auto& [key, name, unit] : {std::tuple("cost_total", "net cost", currency.c_str()),
                                          {"unserved_kwh", "not served", "kWh"},
                                          {"pv_kwh", "PV energy used", "kWh"}}) {
      const double with = value(kpis, key), without = value(none, key);
      if (!std::isfinite(with) || !std::isfinite(without) || std::abs(with - without) < 5e-4) continue;
      all += fmt::format("{}{} {}\u00a0{} instead of {}", all.empty() ? "" : ", ", name, amount(with), escape(unit),
                         amount(without));
    }
    if (!all.empty()) part.html += "<p class=\"note\">With all of them: " + all + ".</p>\n";
    part.html += decisions(none, *faults);
  }
  part.html += "</section>\n";
  return part;
}

}  // namespace urja::viz

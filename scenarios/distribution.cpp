#include "scenarios/distribution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "engine/units.hpp"

namespace urja {

std::optional<Distribution> read_distribution(const Node& node, Problems& problems) {
  const auto problem = [&](const Node& at, const std::string& what, const std::string& mend = "") {
    problems.add({at.file(), at.line, at.column, at.path, what, mend});
  };
  static const std::vector<std::string> names{"uniform", "log_uniform", "whole", "triangular", "normal", "lognormal", "choice"};
  const Node::Entry* e = node.is_map() && node.entries.size() == 1 ? &node.entries.front() : nullptr;
  if (!e || std::find(names.begin(), names.end(), e->key) == names.end()) {
    problem(node, "expected a distribution", "for example {uniform: [4 kW, 8 kW]}; known: " + any_of(names));
    return std::nullopt;
  }
  Distribution out;
  const std::string& kind = e->key;
  if (kind == "choice") {
    if (e->value.kind != Node::Kind::list || e->value.items.empty()) {
      problem(e->value, "expected a list of values");
      return std::nullopt;
    }
    out.choices = e->value.items;
    return out;
  }
  bool good = true, first = true;
  const auto number = [&](const Node* at, const Node& otherwise, const char* name) {
    const auto v = at && at->is_scalar() ? parse_quantity(at->text) : std::nullopt;
    if (!v || !std::isfinite(v->value)) {
      problem(at ? *at : otherwise, at ? fmt::format("'{}' is not a number", at->text) : fmt::format("'{}' is missing", name));
      good = false;
      return 0.0;
    }
    if (!first && v->unit != out.unit) {
      problem(*at, fmt::format("has the unit '{}', the other numbers have '{}'", v->unit, out.unit),
              "write all with the same unit");
      good = false;
    }
    out.unit = v->unit, first = false;
    return v->value;
  };
  if (kind == "normal" || kind == "lognormal") {
    const bool log = kind == "lognormal";
    const char *middle = log ? "median" : "mean", *width = log ? "sigma" : "sd";
    known_keys(problems, e->value, {middle, width, "low", "high"}, "a " + kind + " distribution");
    const double m = number(e->value.find(middle), e->value, middle);
    double s = 0;
    if (log) {  // of the logarithm: a plain number
      const Node* at = e->value.find(width);
      const auto v = at && at->is_scalar() ? parse_quantity(at->text) : std::nullopt;
      if (!v || !v->unit.empty())
        problem(at ? *at : e->value, "'sigma' is the standard deviation of the logarithm, a plain number"), good = false;
      else s = v->value;
    } else {
      s = number(e->value.find(width), e->value, width);
    }
    const Node *low = e->value.find("low"), *high = e->value.find("high");
    const double a = low ? number(low, e->value, "low") : -HUGE_VAL, b = high ? number(high, e->value, "high") : HUGE_VAL;
    if (good && (!(s > 0) || (log && !(m > 0)) || !(a < b)))
      problem(e->value, "is no distribution", "a width above zero, low below high"), good = false;
    if (!good) return std::nullopt;
    // Cut off at low and high: the probability is spread over what is left.
    const boost::math::normal z;
    const auto below = [=](double x) {
      if (log && x <= 0) return 0.0;
      const double u = log ? std::log(x / m) / s : (x - m) / s;
      return u == HUGE_VAL ? 1.0 : u == -HUGE_VAL ? 0.0 : boost::math::cdf(z, u);
    };
    const double from = below(a), to = below(b);
    if (!(to - from > 1e-12)) return problem(e->value, "low and high leave nothing of it"), std::nullopt;
    out.quantile = [=](double p) {
      const double u = boost::math::quantile(z, std::clamp(from + p * (to - from), 1e-300, 1 - 1e-16));
      return std::clamp(log ? m * std::exp(s * u) : m + s * u, a, b);
    };
    return out;
  }
  const std::size_t count = kind == "triangular" ? 3 : 2;
  if (e->value.kind != Node::Kind::list || e->value.items.size() != count) {
    problem(e->value, count == 3 ? "expected [low, most likely, high]" : "expected [low, high]");
    return std::nullopt;
  }
  const double a = number(&e->value.items.front(), e->value, "low"), b = number(&e->value.items.back(), e->value, "high");
  const double mode = count == 3 ? number(&e->value.items[1], e->value, "most likely") : a;
  if (good && (!(a < b) || mode < a || mode > b || (kind == "log_uniform" && !(a > 0)) ||
               (kind == "whole" && (a != std::floor(a) || b != std::floor(b)))))
    problem(e->value, "is no distribution",
            kind == "log_uniform" ? "0 < low < high"
            : kind == "whole"     ? "whole numbers, low < high"
                                  : "low < high"),
        good = false;
  if (!good) return std::nullopt;
  if (kind == "uniform") out.quantile = [=](double p) { return a + p * (b - a); };
  else if (kind == "log_uniform") out.quantile = [=](double p) { return a * std::pow(b / a, p); };
  else if (kind == "whole") out.quantile = [=](double p) { return std::min(b, a + std::floor(p * (b - a + 1))); };
  else
    out.quantile = [=](double p) {
      const double at = (mode - a) / (b - a);
      return p < at ? a + std::sqrt(p * (b - a) * (mode - a)) : b - std::sqrt((1 - p) * (b - a) * (b - mode));
    };
  return out;
}

}  // namespace urja

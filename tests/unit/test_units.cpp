// Units: what can be written, what it is worth, what is refused.
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "engine/declare.hpp"
#include "engine/units.hpp"
#include "tests/catch.hpp"

using namespace urja;

namespace {
// "13.5 kWh" in the declared unit; NaN where it is refused.
double in(const std::string& text, const std::string& declared, std::string* currency = nullptr) {
  const auto q = parse_quantity(text);
  const auto value = q ? convert(*q, declared, currency) : std::nullopt;
  return value.value_or(std::nan(""));
}
}  // namespace

TEST_CASE("quantities are parsed into number and unit", "[units]") {
  const auto check = [](const char* text, double value, const char* unit) {
    INFO(text);
    const auto q = parse_quantity(text);
    REQUIRE(q);
    CHECK(q->value == value);
    CHECK(q->unit == unit);
  };
  check("13.5 kWh", 13.5, "kWh");
  check("13.5kWh", 13.5, "kWh");
  check("  -0.4 %/K ", -0.4, "%/K");
  check("+3", 3, "");
  check("1e3 W", 1000, "W");
  check("-5e-3", -0.005, "");
  check("25 W/(m2 K)", 25, "W/(m2 K)");
  check("0.2 USD/kWh", 0.2, "USD/kWh");
  for (const char* text : {"", " ", "kWh", "five", "inf", "nan W", "1e999 W", "-", "+", "e5"}) {
    INFO(text);
    CHECK_FALSE(parse_quantity(text));
  }
}

TEST_CASE("values are converted", "[units]") {
  CHECK(in("13.5 kWh", "Wh") == 13500);
  CHECK(in("3600 J", "Wh") == Approx(1).epsilon(1e-15));
  CHECK(in("3.6 MJ", "Wh") == Approx(1000).epsilon(1e-15));
  CHECK(in("5 MW", "W") == 5e6);
  CHECK(in("50 %", "1") == 0.5);
  CHECK(in("0.5", "1") == 0.5);
  CHECK(in("-0.4 %/K", "1/K") == Approx(-0.004).epsilon(1e-15));
  CHECK(in("298.15 K", "degC") == Approx(25).epsilon(1e-14));
  CHECK(in("212 degF", "degC") == Approx(100).epsilon(1e-14));
  CHECK(in("15 min", "s") == 900);
  CHECK(in("36 km/h", "m/s") == Approx(10).epsilon(1e-15));
  CHECK(in("kWh", "W") != in("kWh", "W"));
  CHECK(in("2 kWh/h", "W") == 2000);
  CHECK(in("600 W/kW", "W/W") == 0.6);
  CHECK(in("0.6", "W/W") == 0.6);
  CHECK(in("180 deg", "deg") == 180);
  CHECK(in("3.141592653589793 rad", "deg") == Approx(180).epsilon(1e-15));
  CHECK(in("400 g/kWh", "kg/kWh") == 0.4);
}

TEST_CASE("money has the currency that was written", "[units]") {
  std::string currency;
  CHECK(in("0.20 USD/kWh", "money/kWh", &currency) == 0.2);
  CHECK(currency == "USD");
  CHECK(in("50 EUR/MWh", "money/kWh", &currency) == Approx(0.05).epsilon(1e-15));
  CHECK(currency == "EUR");
  CHECK(in("12 INR", "money", &currency) == 12);
  CHECK(currency == "INR");
  currency = "kept";
  CHECK(in("5 kW", "W", &currency) == 5000);
  CHECK(currency == "kept");
  CHECK(std::isnan(in("0.2 kWh", "money/kWh")));
  CHECK(std::isnan(in("0.2", "money/kWh")));
}

TEST_CASE("a wrong or missing unit is refused", "[units]") {
  for (const auto& [text, declared] : {std::pair{"5 kW", "Wh"},
                                       {"5 kWh", "W"},
                                       {"5", "W"},
                                       {"5 kw", "W"},
                                       {"5 KW", "W"},
                                       {"5 kVA", "W"},
                                       {"5 kvar", "W"},
                                       {"5 C", "degC"},
                                       {"5 %", "W"},
                                       {"5 W", "1"},
                                       {"5 s", "Hz"},
                                       {"5 h", "1"},
                                       {"5 W", "furlong"},
                                       {"5 e", "1"},
                                       {"5 Wh/kWh", "1"}}) {
    INFO(text << " as " << declared);
    CHECK(std::isnan(in(text, declared)));
  }
}

TEST_CASE("every spelling goes there and back", "[units]") {
  std::set<std::string> declared;
  for (const auto& [name, type] : registry()) {
    for (const Member& m : type.members) declared.insert(m.unit);
  }
  REQUIRE(declared.size() > 15);
  for (const std::string& unit : declared) {
    const auto names = spellings(unit);
    REQUIRE_FALSE(names.empty());
    for (const std::string& name : names) {
      INFO(name << " as " << unit);
      const std::string written = name == "a plain number" ? "" : name;
      const auto one = convert({1, written}, unit), three = convert({3, written}, unit), zero = convert({0, written}, unit);
      REQUIRE((one && three && zero));
      CHECK(*three - *zero == Approx(3 * (*one - *zero)).epsilon(1e-12));
      if (written.empty() || written.find("USD") != std::string::npos) continue;
      if (!known_unit(written) || written == "K") continue;  // declared so it is a difference
      const auto back = convert({*three, unit}, written);
      REQUIRE(back);
      CHECK(*back == Approx(3).epsilon(1e-12));
    }
  }
}

TEST_CASE("a declared K is a difference of temperatures", "[units]") {
  CHECK(convert({10, "K"}, "K") == 10);
  for (const char* other : {"degC", "degF", "W", ""}) CHECK_FALSE(convert({10, other}, "K"));  // 3 degC is no difference
  CHECK(spellings("K") == std::vector<std::string>{"K"});
  CHECK(convert({10, "K"}, "degC").value() == Approx(-263.15).epsilon(1e-12));
}

TEST_CASE("durations", "[units]") {
  CHECK(parse_duration("15 min") == 900);
  CHECK(parse_duration("20 ms") == 0.02);
  CHECK(parse_duration("1 d") == 86400);
  CHECK_FALSE(parse_duration("15"));
  CHECK_FALSE(parse_duration("15 kW"));
  CHECK_FALSE(parse_duration("soon"));
}

TEST_CASE("names that leave us carry a unit", "[units]") {
  CHECK(outside_unit("W").suffix == "kw");
  CHECK(outside_unit("W").factor == 1e-3);
  CHECK(outside_unit("degC").suffix == "c");
  CHECK(outside_unit("1").suffix.empty());
}

TEST_CASE("units of amounts add up, others are averaged", "[units]") {
  for (const char* unit : {"W", "kW", "var", "VA", "W/s", "Wh", "J", "A", "Ah", "kg", "kg/h", "l", "l/h", "money", "J/K"}) {
    INFO(unit);
    CHECK(adds_up(unit));
  }
  for (const char* unit :
       {"1", "%", "V", "degC", "Hz", "s", "ohm", "W/m2", "K/W", "W/W", "money/kWh", "kg/kWh", "deg", "parsec"}) {
    INFO(unit);
    CHECK_FALSE(adds_up(unit));
  }
}

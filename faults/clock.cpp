#include "faults/clock.hpp"

#include "engine/random.hpp"

namespace urja {
namespace {

constexpr double rounding = 1e-6;    // s: as the engine's own
constexpr double check_every = 900;  // s: between looks at a temperature that a hazard grows with
enum : std::uint32_t { draw_hazard = 0, draw_length = 1 };

// A number with mean 1, exponentially distributed, for an occurrence of the fault.
Lanes exponential(const Step& s, std::uint32_t identity, const Lanes& occurrence, std::uint32_t what) {
  Lanes out;
  for (int i = 0; i < width; ++i) {  // rare: once for each time that the fault comes
    const auto key = static_cast<std::uint64_t>(s.key_low[i]) | (static_cast<std::uint64_t>(s.key_high[i]) << 32);
    const Draw d = draw(key, identity, static_cast<std::uint32_t>(occurrence[i]), (identity & 0xFFFFFF00u) | what,
                        static_cast<std::uint32_t>(s.episode[i]));
    out[i] = -std::log(d.uniform[0]);
  }
  return out;
}

}  // namespace

std::string FaultSettings::finish(const PlanFacts& facts) {
  identity = purpose(facts.name, 0);
  return "";
}

void FaultClock::declare_members(Declare& d) {
  d.parameter<&FaultClock::start_time>("s", never, {}, "when it comes, since the plan's start; in a scenario `at`, a local time");
  d.parameter<&FaultClock::every>("s", 0, {0, 1e10}, "comes again after each such time; 0: once");
  d.parameter<&FaultClock::rate>("1/s", 0, {0, 1}, "comes at random, so often while it is not there; 0: not at random");
  d.parameter<&FaultClock::ageing>("1/s", 0, {-1e-3, 1e-3}, "the rate grows as exp(ageing t) from the plan's start");
  d.parameter<&FaultClock::doubling>("K", 0, {0, 1000},
                                     "the rate doubles with each such rise of temperature above 25 degC; 0: it does not");
  d.parameter<&FaultClock::delay>("s", 0, {0, 1e10}, "behind the begin of the fault that it follows");
  d.parameter<&FaultClock::duration>("s", never, {1e-3, never}, "how long it is there; without it, to the end");
  d.parameter<&FaultClock::severity>("1", 1, {0, 1},
                                     "share of its size that it reaches; of one that is there or not: above a half it is");
  d.parameter<&FaultClock::rise>("s", 0, {0, 1e10}, "of a ramp, or time constant of an exponential onset");
  d.parameter<&FaultClock::on_time>("s", 60, {1e-3, 1e10}, "of an intermittent fault, at a time");
  d.parameter<&FaultClock::off_time>("s", 60, {1e-3, 1e10}, "between");
  d.input<&FaultClock::after>("s", never, {}, "begin of the fault that it follows").from("fault.begins");
  d.input<&FaultClock::temperature>("degC", 25, {}, "that the rate grows with");
  d.state<&FaultClock::begins>("s", never, {}, "since the plan's start: of this occurrence, or of the next one");
  d.state<&FaultClock::ends>("s", never, {}, "of it");
  d.state<&FaultClock::due>("s", -never, {}, "when it runs again");
  d.state<&FaultClock::since>("s", 0, {}, "first step of it");
  d.state<&FaultClock::spent>("s", 0, {}, "how long it was there before");
  d.state<&FaultClock::occurrence>("1", -1, {}, "how many have ended; -1 before the first step");
  d.state<&FaultClock::followed>("s", never, {}, "begin of the other fault that this one has answered");
  d.state<&FaultClock::hazard>("1", 0, {}, "left until it comes, where the rate grows with temperature");
  d.state<&FaultClock::checked>("s", 0, {}, "when the hazard was last counted");
  d.output<&FaultClock::level>("1", "how much of its size is there");
  d.output<&FaultClock::active>("1", "1 while it is there: the label");
  d.due<&FaultClock::due>();
  d.spells<&FaultClock::active, &FaultClock::since, &FaultClock::spent>();
}

// The next occurrence after `from`.
void FaultClock::schedule(const Mask& which, const Lanes& from, const Step& s, const FaultSettings& settings) {
  const Lanes number = most(occurrence, 0);
  Lanes next = lanes(never);
  // By the calendar: the first that is not over yet.
  const Lanes past = most(from - start_time, 0);
  const Lanes k = pick(every > 0, (past / pick(every > 0, every, 1.0) - 1e-9).ceil(), pick(past > 0, 1.0, lanes(0)));
  const Lanes by_calendar = start_time + pick(k > 0, k * every, 0.0);
  next = pick(start_time < never && (every > 0 || k < 0.5), by_calendar, next);
  if (some(rate > 0)) {
    const Lanes drawn = exponential(s, settings.identity, number, draw_hazard);
    // rate exp(ageing t) integrated from `from` on comes to what was drawn.
    const Lanes now = pick(rate > 0, rate, 1.0) * (ageing * from).exp();
    const Lanes grown = 1 + ageing * drawn / now;
    const Lanes wait = pick(ageing == 0, drawn / now,
                            pick(grown > 0, most(grown, 1e-300).log() / pick(ageing == 0, lanes(1), ageing), lanes(never)));
    const Mask by_heat = rate > 0 && doubling > 0;
    hazard = pick(which && by_heat, drawn, hazard);
    checked = pick(which && by_heat, from, checked);
    next = pick(rate > 0 && doubling <= 0, from + wait, next);
  }
  const Mask answers = after < never && after != followed;
  next = pick(answers, after + delay, next);
  followed = pick(which && answers, after, followed);
  Lanes length = duration;
  if (settings.length == "random")
    length = pick(duration < never, duration * exponential(s, settings.identity, number, draw_length), duration);
  begins = pick(which, next, begins);
  ends = pick(which, least(begins + length, never), ends);
}

void FaultClock::tick(const Step& s, const FaultSettings& settings) {
  const Lanes now = s.time + rounding;
  const Mask first = occurrence < 0;
  if (some(first)) {
    occurrence = pick(first, lanes(0), occurrence);
    // A lane that starts within an occurrence is in it.
    const Lanes back = pick(duration < never, s.time - duration, lanes(-never));
    schedule(first, pick(start_time < never && rate <= 0, back, s.time), s, settings);
  }
  const Mask answers = after < never && after != followed && (begins >= never || now < begins);
  if (some(answers)) schedule(answers, s.time, s, settings);
  for (int again = 0; again < 4; ++again) {  // one that is over, until there is one that is not
    const Mask over = ends <= now;
    if (!some(over)) break;
    occurrence = pick(over, occurrence + 1, occurrence);
    schedule(over, ends, s, settings);
  }
  const Mask by_heat = rate > 0 && doubling > 0 && begins >= never;
  if (some(by_heat)) {
    const Lanes faster =
        ((temperature - 25) / pick(doubling > 0, doubling, 1.0) * 0.6931471805599453).exp() * (ageing * s.time).exp();
    hazard = pick(by_heat, hazard - rate * faster * (s.time - checked), hazard);
    checked = pick(by_heat, s.time, checked);
    const Mask comes = by_heat && hazard <= 0;
    begins = pick(comes, s.time, begins);
    ends = pick(comes, least(s.time + duration, never), ends);
  }

  const Mask between = begins <= now && ends > now;
  const Mask is = between && severity > 0;
  const Mask was = active > 0.5;
  since = pick(is && !was, s.time, since);
  spent = pick(was && !is, spent + (s.time - since), spent);
  active = one_if(is);
  due = pick(between, ends, pick(by_heat && !between, s.time + check_every, begins));
  level = active * severity;
  if (settings.onset == "step") return;
  const Lanes into = pick(is, s.time + 0.5 * s.dt - begins, 0.0);  // at the step's middle
  const Lanes span = pick(rise > 0, rise, 1e-9);
  if (settings.onset == "ramp") {
    level = active * severity * least(into / span, 1);
    due = pick(is && into < span, least(due, s.time + s.dt), due);
  } else if (settings.onset == "exponential") {
    const Lanes left = (-into / span).exp();
    level = active * severity * (1 - left);
    due = pick(is && left > 1e-12, least(due, s.time + s.dt), due);
  } else {
    const Lanes period = on_time + off_time, inside = pick(is, s.time - begins, 0.0) + rounding,
                phase = inside - (inside / period).floor() * period;
    const Mask on = phase < on_time;
    level = active * severity * one_if(on);
    due = pick(is, least(due, s.time + pick(on, on_time - phase, period - phase) + rounding), due);
  }
}

}  // namespace urja

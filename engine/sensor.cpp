#include "engine/sensor.hpp"

#include <algorithm>

#include "engine/random.hpp"

namespace urja {
namespace {
constexpr double gone = 1e300, never = 1e299;  // a message that does not come (any more); later than all that do
constexpr double rounding = 1e-6;              // s
}  // namespace

void Sensor::declare(Declare& d) {
  constexpr auto value = "of channel", difference = "of channel, difference";
  d.parameter<&Sensor::accuracy>("1", 0, {0, 1}, "class: limit of the gain's error, a share of the reading")
      .cite("JCGM 100:2008, 4.3.7");
  d.parameter<&Sensor::offset_accuracy>(difference, 0, {0, 1e12}, "limit of the offset's error").cite("JCGM 100:2008, 4.3.7");
  d.parameter<&Sensor::gain>("1", 1, {-1e3, 1e3}, "reading over truth", hook);
  d.parameter<&Sensor::bias>(difference, 0, {-1e12, 1e12}, "reading at a truth of 0", hook | estimable);
  d.parameter<&Sensor::noise>(difference, 0, {0, 1e12}, "standard deviation of a sample");
  d.parameter<&Sensor::wander>(difference, 0, {0, 1e12}, "standard deviation of a slow drift (Gauss-Markov)");
  d.parameter<&Sensor::wander_time>("s", 3600, {1e-3, 1e9}, "time constant of that drift");
  d.parameter<&Sensor::lag>("s", 0, {0, 1e6}, "time constant of the instrument");
  d.parameter<&Sensor::resolution>(difference, 0, {0, 1e12}, "step of its readings");
  d.parameter<&Sensor::lowest>(value, -1e300, {}, "least reading");
  d.parameter<&Sensor::highest>(value, 1e300, {}, "largest reading");
  d.parameter<&Sensor::interval>("s", 0, {0, 1e8}, "between samples, from the plan's start on; 0: in each step");
  d.ordered<&Sensor::lowest, &Sensor::highest>();
  d.parameter<&Sensor::noise_added>(difference, 0, {0, 1e12}, "more noise", hook);
  d.parameter<&Sensor::coarse>(difference, 0, {0, 1e12}, "a coarser step of readings", hook);
  d.parameter<&Sensor::stuck>("1", 0, {0, 1e6}, "above a half the last reading stays", hook);
  d.parameter<&Sensor::missing>("1", 0, {0, 1e6}, "probability that a sample is missed", hook);
  d.parameter<&Sensor::swapped>("1", 0, {0, 1e6}, "above a half it reads the channel that it is swapped with", hook);
  d.state<&Sensor::gain_error>("1", 0, {}, "of this instrument");
  d.state<&Sensor::offset_error>(difference, 0, {}, "of this instrument");
  d.state<&Sensor::lagged>(value, 0, {}, "behind the instrument's lag");
  d.state<&Sensor::wandered>(difference, 0, {}, "drift");
  d.state<&Sensor::samples>("1", 0, {}, "since the episode's begin");
  d.state<&Sensor::noises>("1", -1, {}, "numbers of N(0, 1), drawn for four samples: for which, and they");
  d.state<&Sensor::drifts>("1", -1, {}, "numbers of N(0, 1), drawn for four samples: for which, and they");
  d.state<&Sensor::next>("s", -never, {}, "next sample");
  d.state<&Sensor::known>("1", 0, {0, 1}, "1 after the first sample");
  d.state<&Sensor::sampled>(value, 0, {}, "last sample");
  d.state<&Sensor::sampled_at>("s", 0, {}, "its time");
  d.state<&Sensor::measured>(value, 0, {}, "what has arrived last");
  d.state<&Sensor::measured_at>("s", 0, {}, "its stamp");
  d.state<&Sensor::age>("s", 0, {}, "now minus that stamp");
  d.derived<&Sensor::scale, &Sensor::shift, &Sensor::deviation, &Sensor::filtered, &Sensor::limited, &Sensor::extras,
            &Sensor::awake>();
}

void Sensor::wake(const Step& s, const Lanes& truth, const Lanes& linked) {
  const Lanes slept = 1 - awake;
  scale = (1 + gain_error) * gain;
  shift = offset_error + bias;
  deviation = (noise * noise + noise_added * noise_added).sqrt();
  // Compared with what does nothing, so that a NaN is awake and found.
  filtered = one_if(lag != 0 || wander != 0);
  limited = one_if(resolution != 0 || coarse != 0 || lowest > -never || highest < never);
  extras = filtered + limited + one_if(stuck > 0.5) + one_if(missing != 0);
  const Lanes timed = one_if(interval != 0 || stuck > 0.5 || missing != 0 || swapped > 0.5);
  awake = one_if(scale != 1 || shift != 0 || accuracy != 0 || offset_accuracy != 0 || deviation != 0 ||
                 filtered + limited + timed + linked > 0.5);
  const Lanes woken = slept * awake, time = s.index * s.dt;
  if (some(woken)) {
    for (Lanes* shown : {&lagged, &sampled, &measured}) *shown = pick(woken > 0.5, truth, *shown);
    for (Lanes* at : {&sampled_at, &measured_at}) *at = pick(woken > 0.5, time, *at);
    known = pick(woken > 0.5, one_if(s.index > s.first), known);
    next = pick(woken > 0.5, lanes(-never), next);
    age = pick(woken > 0.5, 0.0, age);
  }
  age *= awake;
}

Lanes Sensor::sample(const Lanes& now, const Lanes& due, const Lanes& missed, const Lanes& truth, bool share, bool noisy) {
  const Lanes which = samples - 4 * (samples * 0.25).floor();
  const double at = which[0];
  const bool in_step = !some(which != at);
  const auto number = [&](const Numbers& of) -> Lanes {
    if (in_step) return of.value[static_cast<std::size_t>(at)];
    return pick(which < 1.5, pick(which < 0.5, of.value[0], of.value[1]), pick(which < 2.5, of.value[2], of.value[3]));
  };
  // Before the first one nothing can be missed or stuck. Its own clock goes on also while no sample comes through.
  const Lanes taken = due * (1 - missed * known);
  Lanes reading = truth, drift = Lanes::Zero();
  const bool plain = !some(extras);
  if (!plain && some(filtered)) {
    const Lanes past = sampled_at - now, moves = taken * filtered;  // since the last one; none before the first
    const Lanes kept = pick(lag > 0, (past / most(lag, 1e-9)).exp(), 0.0) * known;
    reading = pick(kept > 0, truth + (lagged - truth) * kept, truth);
    lagged = pick(moves > 0.5, reading, lagged);
    const Lanes held = (past / wander_time).exp() * known;
    wandered = pick(moves > 0.5, wandered * held + wander * most(1 - held * held, 0).sqrt() * number(drifts), wandered);
    drift = wandered;
  }
  Lanes y = scale * reading + (shift + drift);
  if (noisy) y += deviation * number(noises);
  if (!plain && some(limited)) {
    const Lanes step = most(resolution, coarse), safe = pick(step > 0, step, 1.0);
    y = clamp(pick(step > 0, safe * (y / safe + 0.5).floor(), y), lowest, highest);
  }
  if (share) y = clamp(y, lanes(0), lanes(1));

  const Lanes comes_through = plain ? taken : Lanes(taken * (1 - pick(stuck > 0.5, known, 0.0)));
  sampled = pick(comes_through > 0.5, y, sampled);
  sampled_at = pick(taken > 0.5, now, sampled_at);
  if (some(interval)) {
    const Lanes span = pick(interval > 0, interval, 1.0);
    next = pick(due * interval > 0, (((now + rounding) / span).floor() + 1) * span, next);
  }
  known = most(known, due);
  samples += due;
  return taken;
}

void Link::declare(Declare& d) {
  constexpr auto value = "of channel", difference = "of channel, difference";
  d.parameter<&Link::delay>("s", 0, {0, 1e8}, "of each message", hook | held_by_link);
  d.parameter<&Link::jitter>("s", 0, {0, 1e8}, "mean of what is added to it at random (lognormal, sigma 1)", hook | held_by_link);
  d.parameter<&Link::loss>("1", 0, {0, 1}, "share of messages that are lost", hook);
  d.parameter<&Link::duplicates>("1", 0, {0, 1}, "share of messages that come a second time", hook);
  d.parameter<&Link::reordered>("1", 0, {0, 1}, "share of messages that are overtaken by later ones", hook);
  d.parameter<&Link::late_by>("s", 0, {0, 1e8}, "how much later these two come", hook | held_by_link);
  d.parameter<&Link::in_order>("1", 0, {0, 1}, "1: who receives passes over what is older than what has come");
  d.parameter<&Link::clock_offset>("s", 0, {-1e8, 1e8}, "stamp minus true time; who receives waits until a stamp has come",
                                   hook | held_by_link);
  d.parameter<&Link::false_gain>("1", 1, {-1e6, 1e6}, "falsified: factor", hook);
  d.parameter<&Link::false_term>(difference, 0, {-1e12, 1e12}, "falsified: term", hook);
  d.parameter<&Link::replayed>("s", 0, {0, 1e8}, "what was sent so long ago is sent again", hook);
  d.parameter<&Link::recording>("1", 0, {0, 1}, "1: somebody keeps what is sent, to send it again", hook);
  d.state<&Link::sent>("1", 0, {}, "messages");
  d.state<&Link::oldest>("1", 0, {}, "first message that may still be on its way");
  d.state<&Link::newest_stamp>("s", -never, {}, "of those that have come");
  d.state<&Link::next>("s", never, {}, "when something comes");
  d.state<&Link::value>(value, 0, {}, "of the last messages");
  d.state<&Link::stamp>("s", 0, {}, "of the last messages");
  d.state<&Link::due>("s", gone, {}, "their arrival");
  d.state<&Link::again>("s", gone, {}, "their second arrival");
  d.derived<&Link::awake>();
}

void Link::prepare(const Step&) {
  const Lanes was = awake;
  awake = one_if(!(delay == 0 && jitter == 0 && loss == 0 && duplicates == 0 && reordered == 0 && clock_offset == 0 &&
                   false_gain == 1 && false_term == 0 && replayed == 0 && recording < 0.5));
  // What was on its way when the link last slept does not come any more.
  const Lanes woken = awake * (1 - was);
  if (!some(woken)) return;
  oldest = pick(woken > 0.5, sent, oldest);
  next = pick(woken > 0.5, lanes(never), next);
  newest_stamp = pick(woken > 0.5, lanes(-never), newest_stamp);
}

// Lane by lane: a message is rare beside the arithmetic of a step, and lanes part ways in their rings.
void Link::send(const Step& s, const Lanes& now, const Lanes& taken, const Lanes& sampled, const Lanes& interval,
                std::uint32_t identity) {
  for (int i = 0; i < width; ++i) {
    if (taken[i] * awake[i] < 0.5) continue;
    const auto number = static_cast<std::int64_t>(sent[i]);
    const auto slot = static_cast<std::size_t>(number % room);
    double x = sampled[i];
    if (replayed[i] > 0) {
      const auto back = std::clamp<std::int64_t>(std::llround(replayed[i] / interval[i]), 1, room);
      if (number >= back) x = value[static_cast<std::size_t>((number - back) % room)][i];
    }
    x = false_gain[i] * x + false_term[i];
    double wait = delay[i], second = gone;
    if (jitter[i] > 0 || loss[i] > 0 || duplicates[i] > 0 || reordered[i] > 0) {
      const auto key = static_cast<std::uint64_t>(s.key_low[i]) | (static_cast<std::uint64_t>(s.key_high[i]) << 32);
      const auto numbers = [&](std::uint32_t what) {
        return draw(key, static_cast<std::uint32_t>(s.member[i]), static_cast<std::uint32_t>(s.index[i]),
                    (identity & 0xFFFFFF00u) | what, static_cast<std::uint32_t>(s.episode[i]));
      };
      const Draw fate = numbers(0xF0);
      if (jitter[i] > 0) wait += jitter[i] * std::exp(numbers(0xF1).normal()[0] - 0.5);
      if (fate.uniform[1] < duplicates[i]) second = now[i] + wait + late_by[i];
      if (fate.uniform[2] < reordered[i]) wait += late_by[i];
      if (fate.uniform[0] < loss[i]) wait = second = gone;
    }
    value[slot][i] = x;
    stamp[slot][i] = now[i] + clock_offset[i];
    due[slot][i] = wait < never ? now[i] + wait : gone;
    again[slot][i] = second;
    sent[i] = static_cast<double>(number + 1);
    oldest[i] = std::max(oldest[i], sent[i] - room);
    if (due[slot][i] < never) next[i] = std::min(next[i], std::max(due[slot][i], stamp[slot][i]));
  }
}

void Link::deliver(const Lanes& now, const Lanes& where, Lanes& measured, Lanes& measured_at) {
  const Lanes some_come = pick(next <= now + rounding, where, 0.0);
  if (!some(some_come)) return;
  for (int i = 0; i < width; ++i) {
    if (some_come[i] < 0.5) continue;
    double last = -never, waiting = never;
    std::size_t chosen = room;
    auto from = static_cast<std::int64_t>(oldest[i]);
    const auto to = static_cast<std::int64_t>(sent[i]);
    for (std::int64_t k = from; k < to; ++k) {
      const auto slot = static_cast<std::size_t>(k % room);
      for (auto* arrivals : {&due, &again}) {
        double& arrival = (*arrivals)[slot][i];
        if (arrival >= never) continue;
        const double at = std::max(arrival, stamp[slot][i]);
        if (at > now[i] + rounding) {
          waiting = std::min(waiting, at);
          continue;
        }
        arrival = gone;
        if (at < last || (in_order[i] > 0.5 && stamp[slot][i] <= newest_stamp[i])) continue;
        last = at;
        chosen = slot;
      }
    }
    while (from < to && due[static_cast<std::size_t>(from % room)][i] >= never &&
           again[static_cast<std::size_t>(from % room)][i] >= never)
      ++from;
    oldest[i] = static_cast<double>(from);
    next[i] = waiting;
    if (chosen == room) continue;
    measured[i] = value[chosen][i];
    measured_at[i] = stamp[chosen][i];
    newest_stamp[i] = std::max(newest_stamp[i], stamp[chosen][i]);
  }
}

const Type& sensor_type() {
  static const Type type = detail::make_type<Sensor>("sensor", "what is measured of a channel, and how well");
  return type;
}
const Type& link_type() {
  static const Type type = detail::make_type<Link>("link", "how the samples of a channel reach those who decide");
  return type;
}

}  // namespace urja

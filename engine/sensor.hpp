#pragma once
// What is measured of a plant, and how it reaches those who decide.
//
//    truth -> lag -> gain, bias, wander, noise -> steps, limits -> sampled ----------------------------------> measured
//             Sensor: at its interval; may stick, may miss a sample           Link: delayed, lost, twice, false
//
//    y = Q((1 + e_gain) gain x + e_offset + bias + d + sqrt(noise^2 + noise_added^2) w)       [handbook 11]
//    x' = (truth - x)/lag;    d_k+1 = d_k e^(-t/T) + wander sqrt(1 - e^(-2t/T)) w' (Gauss-Markov);    Q: nearest multiple of `resolution`
//    e_gain, e_offset evenly within the class of accuracy, drawn once for an episode       [JCGM 100:2008, 4.3.7]
//
// Each sensor is one channel of one asset and lies in that asset's plan, so that those of a fleet's members are lanes. Controllers and
// agents read `measured`, the physics and the KPIs the truth. A sensor that is perfect sleeps: then what it measures is the truth itself,
// and it costs nothing. Faults act on hooks of sensors and links as they do on those of assets.
//
// Flows and states are sampled at the end of a step, inputs (a demand, a price) at its begin, when they are known: a perfect sensor shows
// what the wire would have read, bit for bit.
#include <array>
#include <cstddef>

#include "engine/declare.hpp"

namespace urja {

struct Sensor {
  // What a plain sample moves lies side by side: many sensors are more than a core's cache.
  Lanes awake, extras, deviation, scale, shift;  // derived: y = scale x + shift + deviation w; 1 where there is more to do
  Lanes interval, samples, next, known, sampled, sampled_at, measured, measured_at,
      age;  // of its last sample, and of what has arrived
  // Numbers of N(0, 1) for four samples, and for which fours they were drawn.
  struct Numbers {
    Lanes of;
    std::array<Lanes, 4> value;
  };
  Numbers noises, drifts;
  Lanes accuracy, offset_accuracy, gain, bias, noise, wander, wander_time, lag, resolution, lowest, highest;
  Lanes noise_added, coarse, stuck, missing, swapped;  // hooks only
  Lanes gain_error, offset_error, lagged, wandered;    // of the instrument
  Lanes filtered, limited;                             // derived: which extras

  static void declare(Declare& d);
  // In lanes that were asleep and are not any more: what it showed until now is the truth. `linked`: its link is awake.
  void wake(const Step& s, const Lanes& truth, const Lanes& linked);
  // 1 where it samples at `now` [s since the plan's start].
  Lanes due_at(const Lanes& now) const { return pick(now + 1e-6 >= next, awake, 0.0); }
  // A sample of the truth in the lanes where it is `due`. `missed`: 1 where it is lost, so that the last one stays; `share`: readings
  // stay between 0 and 1; `noisy`: in some lane. Returns 1 where there is one.
  Lanes sample(const Lanes& now, const Lanes& due, const Lanes& missed, const Lanes& truth, bool share, bool noisy);
};

// The way of a sensor's messages. Up to `room` are on their way; of more than that the oldest are lost. Its random numbers belong to the
// asset: a message carries all channels of it, and they are lost together.
struct Link {
  static constexpr int room = 96;
  Lanes delay, jitter, loss, duplicates, reordered, late_by, in_order;
  Lanes clock_offset, false_gain, false_term, replayed, recording;  // hooks only
  Lanes sent, oldest, newest_stamp, next;
  std::array<Lanes, room> value, stamp, due, again;
  Lanes awake;  // derived

  static void declare(Declare& d);
  void prepare(const Step&);
  // A message with `sampled` at `now`, in the lanes of `taken`. `identity`: whose random numbers; `interval` s between two samples.
  void send(const Step& s, const Lanes& now, const Lanes& taken, const Lanes& sampled, const Lanes& interval,
            std::uint32_t identity);
  // What has come by `now` replaces value and stamp, the last to arrive last.
  void deliver(const Lanes& now, const Lanes& where, Lanes& measured, Lanes& measured_at);
};

// Its first rows: what a plain sample moves.
inline constexpr int plain_sensor_rows = static_cast<int>(offsetof(Sensor, drifts) / sizeof(Lanes));

const Type& sensor_type();
const Type& link_type();

}  // namespace urja

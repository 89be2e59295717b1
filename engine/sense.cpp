// Sensors of a plan: made, resolved, and run. What they do is in sensor.cpp.
//
//   read_profiles   inputs are known          -> sense at the begin: sensors of inputs, and those that have not sampled yet
//   settle          the step has been lived   -> sense at the end: all others
//
// Numbers of N(0, 1) come four at a time (Philox gives four words): a sensor draws for its next four samples. They belong to its name and to the
// number of its sample, so that adding a sensor or an asset moves nobody's noise.
#include <algorithm>
#include <stdexcept>

#include "engine/batch.hpp"
#include "engine/random.hpp"
#include "engine/sensor.hpp"

namespace urja {
namespace {

constexpr double always = 1e300;  // s
enum : std::uint32_t { draw_missing = 1, draw_class = 2, draw_noise = 3, draw_wander = 4 };

// One number per lane, by the sensor's own name.
Draw own_draw(const Step& s, int lane, std::uint32_t what) {
  const auto key = static_cast<std::uint64_t>(s.key_low[lane]) | (static_cast<std::uint64_t>(s.key_high[lane]) << 32);
  return draw(key, static_cast<std::uint32_t>(s.member[lane]), static_cast<std::uint32_t>(s.index[lane]), what,
              static_cast<std::uint32_t>(s.episode[lane]));
}

}  // namespace

Plan::Instrument& Plan::sensor(const std::string& asset_name, const std::string& channel) {
  const std::string name = asset_name + "." + channel;
  for (Instrument& i : instruments) {
    if (i.self.name == name) return i;
  }
  const Asset* a = asset(asset_name);
  const int row = a ? row_of(*a, channel) : -1;
  if (row < 0) throw std::invalid_argument("there is no channel '" + name + "'");
  Instrument one;
  one.self = {name, &sensor_type(), lay(sensor_type()), nullptr, -1, "", {}};
  one.asset = asset_name, one.channel = channel;
  one.truth = row;
  const Member* m = a->type->find(channel);
  one.at_begin = m && m->kind == Kind::input;
  one.unit = m ? m->unit : "W";
  one.share = m && m->unit == "1" && m->range.low == 0 && m->range.high == 1;
  for (const PortField& f : port_fields()) {
    if (!m && channel == f.name) one.unit = f.unit;
  }
  one.identity = purpose(asset_name, 0);
  one.own_identity = purpose(name, 0);
  one.link.type = nullptr;
  instruments.push_back(std::move(one));
  return instruments.back();
}

Plan::Instrument& Plan::link(Instrument& sensor) {
  if (sensor.link.type) return sensor;
  sensor.link = {sensor.self.name, &link_type(), lay(link_type()), nullptr, -1, "", {}};
  return sensor;
}

const Plan::Instrument* Plan::instrument(std::string_view name) const {
  for (const Instrument& i : instruments) {
    if (i.self.name == name) return &i;
  }
  return nullptr;
}

// After their parameters have changed: who is awake.
void Batch::prepare_instruments(int b) {
  if (plan_->instruments.empty()) return;
  Lanes* rows = block(b);
  const Step& s = head_of(rows).step;
  Lanes awake = Lanes::Zero();
  for (const Plan::Instrument& one : plan_->instruments) {
    Lanes linked = Lanes::Zero();
    if (one.link.type) {
      Link& link = *reinterpret_cast<Link*>(rows + one.link.offset);
      link.prepare(s);
      linked = link.awake;
    }
    Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
    sensor.wake(s, rows[one.truth], linked);
    awake += sensor.awake;
  }
  rows[plan_->sensing] = awake;
  rows[plan_->sensing + 1] = urja::lanes(-always);
}

// The errors of a lane's instruments, for an episode.
void Batch::begin_instruments(int lane) {
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  bool drawn = false;
  for (const Plan::Instrument& one : plan_->instruments) {
    Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
    if (sensor.accuracy[i] == 0 && sensor.offset_accuracy[i] == 0) continue;
    const Draw d = own_draw(head_of(rows).step, i, one.own_identity | draw_class);
    sensor.gain_error[i] = sensor.accuracy[i] * (2 * d.uniform[0] - 1);
    sensor.offset_error[i] = sensor.offset_accuracy[i] * (2 * d.uniform[1] - 1);
    drawn = true;
  }
  if (drawn) prepare_instruments(lane / width);
}

void Batch::sense(int b, bool at_end) {
  Lanes* rows = block(b);
  const Step& s = head_of(rows).step;
  const Lanes now = s.index * s.dt;
  Lanes& next = rows[plan_->sensing + 1];
  if (!some(now + 1e-6 >= next)) {  // most of the time, where steps are short
    for (const Plan::Instrument& one : plan_->instruments) {
      if (at_end == one.at_begin) continue;
      Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
      sensor.age = sensor.awake * (now - sensor.measured_at);
    }
    return;
  }
  for (const Plan::Instrument& one : plan_->instruments) {
    Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
    if ((at_end && one.at_begin) || !some(sensor.awake)) continue;
    Lanes due = sensor.due_at(now);
    if (!at_end && !one.at_begin) {  // those have had their turn, but for one that has never sampled
      due *= 1 - sensor.known;
      if (!some(due)) continue;
    }
    if (!one.link.type && !some(due)) {
      sensor.age = sensor.awake * (now - sensor.measured_at);
      continue;
    }
    const bool noise = some(sensor.deviation), wander = some(sensor.extras) && some(sensor.wander);
    if (noise || wander) {
      const Lanes fours = (sensor.samples * 0.25).floor();
      // Only where it is noisy: a neighbour's noise leaves no trace.
      const auto draw = [&](Sensor::Numbers& to, const Lanes& size, std::uint32_t what) {
        const Lanes where = pick(to.of != fours && size > 0, due, 0.0);
        if (!some(where)) return;
        if (where.sum() == width) {  // as a rule
          normals(s, one.own_identity | what, fours, to.value.data());
          to.of = fours;
          return;
        }
        Lanes numbers[4];
        normals(s, one.own_identity | what, fours, numbers);
        to.of = pick(where > 0.5, fours, to.of);
        for (std::size_t w = 0; w < 4; ++w) to.value[w] = pick(where > 0.5, numbers[w], to.value[w]);
      };
      if (noise) draw(sensor.noises, sensor.deviation, draw_noise);
      if (wander) draw(sensor.drifts, sensor.wander, draw_wander);
    }
    sense_one(rows, one, now, due, noise);
  }
  next = urja::lanes(always);
  const auto not_after = [&](const Lanes& time, const Lanes& awake) {
    next = pick(awake > 0.5, pick(time < next, time, next), next);
  };
  for (const Plan::Instrument& one : plan_->instruments) {
    const Sensor& sensor = *reinterpret_cast<const Sensor*>(rows + one.self.offset);
    not_after(sensor.next, sensor.awake);
    if (!one.link.type) continue;
    const Link& link = *reinterpret_cast<const Link*>(rows + one.link.offset);
    not_after(link.next, sensor.awake * link.awake);
  }
}

void Batch::sense_one(Lanes* rows, const Plan::Instrument& one, const Lanes& now, const Lanes& due, bool noisy) {
  const Step& s = head_of(rows).step;
  Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
  const bool somebody = some(due);
  const Lanes linked =
      one.link.type ? Lanes(sensor.awake * reinterpret_cast<Link*>(rows + one.link.offset)->awake) : Lanes(Lanes::Zero());
  Lanes taken = Lanes::Zero();
  if (somebody) {
    Lanes missed = Lanes::Zero(), truth = rows[one.truth];
    if (some(sensor.extras) && some(sensor.missing)) {
      for (int i = 0; i < width; ++i) {
        if (due[i] * sensor.missing[i] > 0)
          missed[i] = own_draw(s, i, one.own_identity | draw_missing).uniform[0] < sensor.missing[i] ? 1 : 0;
      }
    }
    if (one.other >= 0) truth = pick(sensor.swapped > 0.5, rows[one.other], truth);
    const Lanes known = sensor.known;
    taken = sensor.sample(now, due, missed, truth, one.share, noisy);
    // The first one is known at once, however long the link takes: nobody decides by a price that never was.
    const Lanes shown = taken * (1 - linked * known);
    sensor.measured = pick(shown > 0.5, sensor.sampled, sensor.measured);
    sensor.measured_at = pick(shown > 0.5, sensor.sampled_at, sensor.measured_at);
  }
  if (one.link.type) {
    Link& link = *reinterpret_cast<Link*>(rows + one.link.offset);
    if (somebody) link.send(s, now, taken * linked, sensor.sampled, most(sensor.interval, s.dt), one.identity);
    link.deliver(now, linked, sensor.measured, sensor.measured_at);
  }
  sensor.age = sensor.awake * (now - sensor.measured_at);
}

}  // namespace urja

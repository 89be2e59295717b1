// Sensors of a plan: made, resolved, and run. What they do is in sensor.cpp.
//
//   read_profiles   inputs are known          -> sense at the begin: sensors of inputs, and those that have not sampled yet
//   settle          the step has been lived   -> sense at the end: all others
//
// Numbers of N(0, 1) come four at a time (Philox gives four words): sensors of one asset share a draw, each having its place in it by the
// asset's declaration, so that adding a sensor or an asset moves nobody's noise. It is drawn only where some sensor samples.
#include <algorithm>
#include <stdexcept>

#include "engine/batch.hpp"
#include "engine/random.hpp"
#include "engine/sensor.hpp"

namespace urja {
namespace {

enum : std::uint32_t { draw_missing = 0xE0, draw_class = 0xE1, draw_noise = 0x80, draw_wander = 0xA0 };

constexpr int per_draw = 4;

// One number per lane, by the sensor's own name.
Draw own_draw(const Step& s, int lane, std::uint32_t what) {
  const auto key = static_cast<std::uint64_t>(s.key_low[lane]) | (static_cast<std::uint64_t>(s.key_high[lane]) << 32);
  return draw(key, static_cast<std::uint32_t>(s.member[lane]), static_cast<std::uint32_t>(s.index[lane]), what,
              static_cast<std::uint32_t>(s.episode[lane]));
}

// The place of a channel among those of its model: telemetered ones first, which are those that are measured together.
int place_of(const Type& type, const std::string& channel) {
  int place = 0;
  for (const bool usual : {true, false}) {
    for (const PortField& f : port_fields()) {
      if (((f.flags & telemetered) != 0) != usual) continue;
      if (channel == f.name) return place;
      ++place;
    }
    for (const Member& m : type.members) {
      if (m.has(telemetered) != usual) continue;
      if (m.name == channel) return place;
      ++place;
    }
  }
  return place;
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
  const auto lay = [&](const Type& type) {
    Asset self{name, &type, rows, nullptr, -1, "", {}};
    rows += type.rows;
    starts.resize(static_cast<std::size_t>(rows), 0.0);
    for (const Member& m : type.members) {
      for (int k = 0; k < m.count; ++k) set_start(self.offset + m.offset + k, m.start);
    }
    return self;
  };
  Instrument one;
  one.self = lay(sensor_type());
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
  const int place = place_of(*a->type, channel);
  one.noise = static_cast<std::uint32_t>(place / per_draw);
  one.word = static_cast<std::uint32_t>(place % per_draw);
  one.link.type = nullptr;
  instruments.push_back(std::move(one));
  return instruments.back();
}

Plan::Instrument& Plan::link(Instrument& sensor) {
  if (sensor.link.type) return sensor;
  const Type& type = link_type();
  sensor.link = {sensor.self.name, &type, rows, nullptr, -1, "", {}};
  rows += type.rows;
  starts.resize(static_cast<std::size_t>(rows), 0.0);
  for (const Member& m : type.members) {
    for (int k = 0; k < m.count; ++k) set_start(sensor.link.offset + m.offset + k, m.start);
  }
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
}

// The errors of a lane's instruments, for an episode.
void Batch::begin_instruments(int lane) {
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  bool drawn = false;
  for (const Plan::Instrument& one : plan_->instruments) {
    Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
    if (sensor.accuracy[i] == 0 && sensor.offset_accuracy[i] == 0) continue;
    const Draw d = own_draw(head_of(rows).step, i, purpose(one.self.name, draw_class));
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
  // Some at a time, so that their noise is drawn together.
  constexpr int chunk = most_normals / 2;
  const int count = static_cast<int>(plan_->instruments.size());
  for (int first = 0; first < count; first += chunk) {
    struct Sampling {
      const Plan::Instrument* one;
      Lanes due;
      int noise = -1, wander = -1;
    } sampling[chunk];
    NormalNumber wanted[most_normals];
    Lanes numbers[most_normals];
    int samplers = 0, draws = 0;
    for (int k = first; k < std::min(first + chunk, count); ++k) {
      const Plan::Instrument& one = plan_->instruments[static_cast<std::size_t>(k)];
      const Sensor& sensor = *reinterpret_cast<const Sensor*>(rows + one.self.offset);
      if ((at_end && one.at_begin) || !some(sensor.awake)) continue;
      Sampling& here = sampling[samplers++];
      here.one = &one;
      here.due = sensor.due_at(now);
      if (!at_end && !one.at_begin) here.due *= 1 - sensor.known;
      if (!some(here.due)) continue;
      const auto want = [&](std::uint32_t what) {
        wanted[draws] = {(one.identity & 0xFFFFFF00u) | (what + one.noise), one.word};
        return draws++;
      };
      if (some(sensor.deviation)) here.noise = want(draw_noise);
      if (some(sensor.wander)) here.wander = want(draw_wander);
    }
    if (draws > 0) normals(s, wanted, draws, numbers);
    for (int k = 0; k < samplers; ++k) {
      const auto number = [&](int which) { return which < 0 ? Lanes(Lanes::Zero()) : numbers[which]; };
      const Lanes normal[2] = {number(sampling[k].noise), number(sampling[k].wander)};
      sense_one(rows, *sampling[k].one, now, sampling[k].due, normal);
    }
  }
}

void Batch::sense_one(Lanes* rows, const Plan::Instrument& one, const Lanes& now, const Lanes& due, const Lanes normal[2]) {
  const Step& s = head_of(rows).step;
  Sensor& sensor = *reinterpret_cast<Sensor*>(rows + one.self.offset);
  const bool somebody = some(due);
  Lanes taken = Lanes::Zero();
  if (somebody) {
    Lanes missed = Lanes::Zero(), truth = rows[one.truth];
    if (some(sensor.missing)) {
      for (int i = 0; i < width; ++i) {
        if (due[i] * sensor.missing[i] > 0)
          missed[i] = own_draw(s, i, purpose(one.self.name, draw_missing)).uniform[0] < sensor.missing[i] ? 1 : 0;
      }
    }
    if (one.other >= 0) truth = pick(sensor.swapped > 0.5, rows[one.other], truth);
    taken = sensor.sample(now, due, missed, truth, normal, one.share);
  }
  if (one.link.type) {
    Link& link = *reinterpret_cast<Link*>(rows + one.link.offset);
    const Lanes linked = sensor.awake * link.awake;
    if (somebody) link.send(s, now, taken * linked, sensor.sampled, most(sensor.interval, s.dt), one.identity);
    link.deliver(now, linked, sensor.measured, sensor.measured_at);
    taken *= 1 - linked;
  }
  if (somebody) {
    sensor.measured = pick(taken > 0.5, sensor.sampled, sensor.measured);
    sensor.measured_at = pick(taken > 0.5, sensor.sampled_at, sensor.measured_at);
  }
  sensor.age = sensor.awake * (now - sensor.measured_at);
}

}  // namespace urja

// Making batches, addressing, episodes, agents' doors and snapshots. The step itself is in step.cpp, its checks in health.cpp.
#include "engine/batch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace urja {
namespace {

constexpr int step_row(int offset) { return offset; }

// Members of a fleet that follow one another in a map from k on lie side by side in its blocks.
std::size_t end_of_members(const std::vector<Quantity>& map, std::size_t k) {
  std::size_t end = k + 1;
  while (map[k].member >= 0 && end < map.size() && map[end].fleet == map[k].fleet && map[end].row == map[k].row &&
         map[end].when == map[k].when && map[end].member == map[end - 1].member + 1)
    ++end;
  return end;
}

Mask only(int lane_of_block) {
  Mask mask = Mask::Constant(false);
  mask[lane_of_block] = true;
  return mask;
}

}  // namespace

// ----------------------------------------------------------------------------------------------------- making, addressing

Batch::Batch(std::shared_ptr<const Plan> plan, int lanes) : Batch(std::move(plan), lanes, 0) {
  for (int lane = 0; lane < lanes_; ++lane) {
    Start start;
    start.key = static_cast<std::uint64_t>(lane);
    reset(lane, start);
  }
}

Batch::Batch(std::shared_ptr<const Plan> plan, int lanes, int blocks_per_parent)
    : plan_(std::move(plan)),
      lanes_(lanes),
      blocks_((lanes + width - 1) / width),
      blocks_per_parent_(blocks_per_parent),
      rows_(static_cast<std::size_t>(blocks_) * static_cast<std::size_t>(plan_->rows)),
      image_(static_cast<std::size_t>(std::max(1, blocks_per_parent)) * static_cast<std::size_t>(plan_->rows)),
      has_frozen_(static_cast<std::size_t>(blocks_), 0) {
  if (lanes < 1) throw std::invalid_argument("a batch has at least one lane");
  for (const Plan::Fleet& f : plan_->fleets) {
    // The child plan lives in the parent's: share its ownership.
    std::shared_ptr<const Plan> child_plan(plan_, f.plan.get());
    children_.emplace_back(new Batch(std::move(child_plan), lanes * f.blocks * width, f.blocks));
  }
  if (plan_->wake >= 0)
    ran_.assign(static_cast<std::size_t>(blocks_), std::vector<Mask>(plan_->disturbers.size(), Mask::Constant(false)));
  for (int b = 0; b < blocks_; ++b) start_block(b);
  prepare_all();
  make_image();
}

Batch::~Batch() = default;

int Batch::child_lane(int lane, int fleet, int member) const {
  return lane * plan_->fleets[static_cast<std::size_t>(fleet)].blocks * width + member;
}

void Batch::start_block(int b) {
  Lanes* rows = block(b);
  for (int r = 0; r < plan_->rows; ++r) rows[r] = urja::lanes(plan_->starts[static_cast<std::size_t>(r)]);
  if (blocks_per_parent_ == 0) return;
  // Padding lanes repeat the last member, so that they compute something harmless; no sum includes them.
  for (int i = 0; i < width; ++i) {
    const int member = std::min((b % blocks_per_parent_) * width + i, plan_->members - 1);
    rows[step_row(detail::offset_of<&Step::member>())][i] = member;
    for (const auto& [row, values] : plan_->member_starts) rows[row][i] = values[static_cast<std::size_t>(member)];
  }
}

// Freshly prepared lanes; a reset copies them.
void Batch::make_image() { std::copy_n(block(0), image_.size(), image_.data()); }

double Batch::shown(const Lanes* rows, const Quantity& q, int lane) {
  return rows[q.when >= 0 && rows[q.when][lane] > 0.5 ? q.instead : q.row][lane];
}

double Batch::get(int lane, const Quantity& q) const {
  if (q.fleet < 0) return shown(block(lane / width), q, lane % width);
  const Batch& c = child(q.fleet);
  const auto one = [&](int member) {
    const int at = child_lane(lane, q.fleet, member);
    return shown(c.block(at / width), q, at % width);
  };
  if (q.member >= 0) return one(q.member);
  const int members = plan_->fleets[static_cast<std::size_t>(q.fleet)].members;
  double sum = 0;
  for (int m = 0; m < members; ++m) sum += one(m);
  return q.mean ? sum / members : sum;
}

void Batch::set(int lane, const Quantity& q, double value) {
  if (q.fleet < 0) return set_column(lane, q.row, value);
  Batch& c = child(q.fleet);
  const int members = plan_->fleets[static_cast<std::size_t>(q.fleet)].members;
  const int padded = plan_->fleets[static_cast<std::size_t>(q.fleet)].blocks * width;
  for (int m = 0; m < padded; ++m) {  // padding follows the last member
    if (q.member < 0 || std::min(m, members - 1) == q.member) c.set_column(child_lane(lane, q.fleet, m), q.row, value);
  }
}

const Head& Batch::head(int b) const { return head_of(block(b)); }
std::int64_t Batch::index(int lane) const {
  return static_cast<std::int64_t>(head_of(block(lane / width)).step.index[lane % width]);
}
double Batch::time(int lane) const {
  const Step& s = head_of(block(lane / width)).step;
  return s.epoch[lane % width] + s.index[lane % width] * s.dt[lane % width];
}

// --------------------------------------------------------------------------------------------------------------- episodes

void Batch::start_lane(int lane, const Start& start, const Plan* values) {
  const int column = blocks_per_parent_ == 0 ? lane % width : lane % (blocks_per_parent_ * width);
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  const Lanes* image = image_.data() + static_cast<std::ptrdiff_t>(column / width) * plan_->rows;
  for (int r = 0; r < plan_->rows; ++r) rows[r][i] = image[r][i];
  set_clock(rows, i, start);
  Step& s = head_of(rows).step;
  if (values) {
    constexpr auto first = static_cast<std::size_t>(sizeof(Head) / sizeof(Lanes));  // behind the clock and the account
    for (std::size_t r = first; r < values->starts.size(); ++r) rows[r][i] = values->starts[r];
    const auto member = static_cast<std::size_t>(std::min(column, values->members - 1));
    for (const auto& [row, each] : values->member_starts) rows[row][i] = each[member];
  }
  const bool other_step = !starts_as_image(start);
  if (other_step) s.dt[i] = start.dt;
  if (other_step || values) prepare(lane);
  s.time[i] = s.index[i] * s.dt[i];
}

void Batch::set_clock(Lanes* rows, int i, const Start& start) {
  Step& s = head_of(rows).step;
  s.index[i] = s.first[i] = static_cast<double>(start.index);
  s.key_low[i] = static_cast<double>(start.key & 0xFFFFFFFFu);
  s.key_high[i] = static_cast<double>(start.key >> 32);
  s.episode[i] = start.episode;
  s.time[i] = s.index[i] * s.dt[i];
}

// A block whose lanes all begin: `starts` of each, `apart` from one another (0: one start for all, a lane of the parent).
void Batch::reset_block(int b, const Start* starts, int apart) {
  Lanes* rows = block(b);
  const int of_image = blocks_per_parent_ == 0 ? 0 : b % blocks_per_parent_;
  std::copy_n(image_.data() + static_cast<std::ptrdiff_t>(of_image) * plan_->rows, plan_->rows, rows);
  for (int i = 0; i < width; ++i) set_clock(rows, i, starts[i * apart]);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int per_lane = plan_->fleets[f].blocks;
    for (int k = 0; k < width * per_lane; ++k)
      children_[f]->reset_block(b * width * per_lane + k, starts + k / per_lane * apart, 0);
  }
  bool holder_began = false;
  for (const Plan::Asset& a : plan_->assets) {
    if (!a.type->begin) continue;
    holder_began = holder_began || a.type->held_energy;
    a.type->begin(rows + a.offset, head_of(rows).step, a.settings.get());
  }
  if (holder_began) take_contents(b, Mask::Constant(true), false);
  for (int i = 0; i < width && !plan_->instruments.empty(); ++i) begin_instruments(b * width + i);
}

void Batch::reset(int lane, const Start& start) { reset(lane, start, nullptr); }
void Batch::reset(int lane, const Start& start, const Plan& values) { reset(lane, start, &values); }
void Batch::reset(int lane, const Start& start, const Plan* values) {
  start_lane(lane, start, values);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const int members = plan_->fleets[f].blocks * width;
    if (!values && starts_as_image(start)) {
      for (int k = 0; k < plan_->fleets[f].blocks; ++k) children_[f]->reset_block(lane * plan_->fleets[f].blocks + k, &start, 0);
      continue;
    }
    for (int m = 0; m < members; ++m)
      children_[f]->reset(child_lane(lane, static_cast<int>(f), m), start, values ? values->fleets[f].plan.get() : nullptr);
  }
  begin_lane(lane);
}

void Batch::reset(std::span<const int> which, std::span<const Start> starts) {
  for (std::size_t k = 0; k < which.size();) {
    const bool whole =
        which[k] % width == 0 && k + width <= which.size() && which[k + width - 1] == which[k] + width - 1 &&
        std::all_of(starts.begin() + static_cast<std::ptrdiff_t>(k), starts.begin() + static_cast<std::ptrdiff_t>(k) + width,
                    [&](const Start& s) { return starts_as_image(s); });
    if (whole) {
      reset_block(which[k] / width, &starts[k], 1);
      k += width;
    } else {
      reset(which[k], starts[k]);
      ++k;
    }
  }
}

// begin() of every model, in one lane of its block only.
void Batch::begin_lane(int lane) {
  Lanes* rows = block(lane / width);
  const int i = lane % width;
  bool holder_began = false;
  for (const Plan::Asset& a : plan_->assets) {
    if (!a.type->begin) continue;
    holder_began = holder_began || a.type->held_energy;
    std::array<Lanes, most_model_rows> before;
    Lanes* model = rows + a.offset;
    std::copy_n(model, a.type->rows, before.begin());
    a.type->begin(model, head_of(rows).step, a.settings.get());
    for (int r = 0; r < a.type->rows; ++r) {
      const double mine = model[r][i];
      model[r] = before[static_cast<std::size_t>(r)];
      model[r][i] = mine;
    }
  }
  if (holder_began) take_contents(lane / width, only(i), false);  // the others' are those of the image
  if (!plan_->instruments.empty()) begin_instruments(lane);
}

void Batch::prepare(int lane) { renew(lane, false); }
void Batch::prepare(std::span<const int> which) {
  for (std::size_t k = 0; k < which.size();) {
    const int b = which[k] / width;
    Mask lanes = Mask::Constant(false);
    for (; k < which.size() && which[k] / width == b; ++k) lanes[which[k] % width] = true;
    renew(b, lanes, false);
  }
}
void Batch::prepare_all() {
  for (int b = 0; b < blocks_; ++b) {
    prepare_block(b);
    take_contents(b, Mask::Constant(true), false);
  }
  for (auto& c : children_) c->prepare_all();
}

void Batch::change(int lane, const Quantity& parameter, double value) {
  set(lane, parameter, value);
  renew(lane, true);
}

void Batch::prepare_block(int b) {
  Lanes* rows = block(b);
  for (const Plan::Asset& a : plan_->assets) {
    if (a.type->prepare) a.type->prepare(rows + a.offset, head_of(rows).step, a.settings.get());
  }
  prepare_instruments(b);
}

void Batch::renew(int lane, bool book) { renew(lane / width, only(lane % width), book); }
void Batch::renew(int b, const Mask& lanes, bool book) {
  prepare_block(b);
  take_contents(b, lanes, book);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    for (int k = 0; k < width * plan_->fleets[f].blocks; ++k) {
      if (!lanes[k / plan_->fleets[f].blocks]) continue;
      const int inner = b * width * plan_->fleets[f].blocks + k;  // all its lanes are members of one of these
      children_[f]->prepare_block(inner);
      children_[f]->take_contents(inner, Mask::Constant(true), book);
    }
  }
}

// Energy contents after parameters or states were written from outside, in some lanes; `book`: the difference is a jump.
void Batch::take_contents(int b, const Mask& where, bool book) {
  Lanes* rows = block(b);
  for (std::size_t k = 0; k < plan_->assets.size(); ++k) {
    const Plan::Asset& a = plan_->assets[k];
    if (!a.type->held_energy) continue;
    const Plan::Watch& w = plan_->watches[k];
    const Lanes now = a.type->held_energy(rows + a.offset, a.settings.get());
    Lanes &content = rows[w.energy.content], &jumped = rows[w.jumped];
    if (book) jumped = pick(where, jumped + (now - content), jumped);
    content = pick(where, now, content);
  }
}

// ---------------------------------------------------------------------------------------------------- actions, observations

int Batch::write(const std::vector<Quantity>& map, std::span<const double> actions) {
  if (actions.size() != map.size() * static_cast<std::size_t>(lanes_)) throw std::invalid_argument("actions: wrong shape");
  static const int command = [] {
    for (const PortField& f : port_fields()) {
      if (std::string_view(f.name) == "command") return f.row;
    }
    return 0;
  }();
  static const int to_commanded = [] {
    for (const PortField& f : port_fields()) {
      if (std::string_view(f.name) == "commanded") return f.row - command;
    }
    return 0;
  }();
  int clipped = 0;
  const std::size_t count = map.size();
  for (std::size_t k = 0; k < count; ++k) {
    const Quantity& q = map[k];
    const bool power = q.name == "command";
    const double low = q.range.low, high = q.range.high;
    if (q.fleet < 0) {
      for (int lane = 0; lane < lanes_; ++lane) {
        double value = actions[static_cast<std::size_t>(lane) * count + k];
        Lanes* rows = block(lane / width);
        const bool finite = std::isfinite(value);
        if (power) rows[q.row + to_commanded][lane % width] = finite ? 1 : 0;
        if (!finite) {
          ++clipped;
          continue;
        }
        const double inside = std::clamp(value, low, high);
        clipped += inside != value;
        rows[q.row][lane % width] = inside;
      }
      continue;
    }
    Batch& c = child(q.fleet);
    const Plan::Fleet& fleet = plan_->fleets[static_cast<std::size_t>(q.fleet)];
    // Members one after the other, lane by lane: their rows lie side by side. Padding follows the last member.
    std::size_t last = end_of_members(map, k);
    const auto other = [&](const Quantity& one) { return one.range.low != low || one.range.high != high; };
    last = static_cast<std::size_t>(std::find_if(&map[k], &map[k] + (last - k), other) - map.data());
    const bool all = q.member < 0, to_the_end = all || map[last - 1].member == fleet.members - 1;
    const int from = std::max(q.member, 0), to = to_the_end ? fleet.blocks * width : map[last - 1].member + 1;
    for (int lane = 0; lane < lanes_; ++lane) {
      const double* value = &actions[static_cast<std::size_t>(lane) * count + k];
      const double* const of_last = value + (last - k) - 1;
      for (const double* v = value; v <= of_last; ++v) clipped += !(*v >= low && *v <= high);
      for (int at = child_lane(lane, q.fleet, 0) + from, end = at + to - from; at < end;) {
        Lanes* rows = c.block(at / width);
        Lanes& set = rows[q.row];
        for (int i = at % width; i < width && at < end; ++i, ++at) {
          const bool finite = std::isfinite(*value);
          if (power) rows[q.row + to_commanded][i] = finite ? 1 : 0;
          if (finite) set[i] = std::clamp(*value, low, high);
          if (value < of_last) ++value;
        }
      }
    }
    k = last - 1;
  }
  return clipped;
}

void Batch::read(const std::vector<Quantity>& map, std::span<float> observations, std::size_t stride) const {
  const std::size_t count = map.size();
  if (stride == 0) stride = count;
  if (stride < count || observations.size() != stride * static_cast<std::size_t>(lanes_))
    throw std::invalid_argument("observations: wrong shape");
  for (int b = 0; b < blocks_; ++b) {
    const Lanes* rows = block(b);
    const int here = std::min(width, lanes_ - b * width);
    std::size_t end = 0;
    for (std::size_t k = 0; k < count; k = end) {
      if (map[k].fleet >= 0 && map[k].member >= 0) {
        end = end_of_members(map, k);
        const Quantity& q = map[k];
        const Batch& c = child(q.fleet);
        for (int i = 0; i < here; ++i) {
          float* to = observations.data() + static_cast<std::size_t>(b * width + i) * stride;
          const int first = child_lane(b * width + i, q.fleet, 0);
          for (std::size_t m = k; m < end;) {
            const int at = first + map[m].member;
            const Lanes value = as_shown(c.block(at / width), q.row, q.when, q.instead);
            for (int lane = at % width; lane < width && m < end; ++lane, ++m) to[m] = static_cast<float>(value[lane]);
          }
        }
        continue;
      }
      constexpr std::size_t tile = 4;
      for (end = k + 1; end < count && end < k + tile && (map[end].fleet < 0 || map[end].member < 0);) ++end;
      const bool own = std::all_of(&map[k], &map[k] + (end - k), [](const Quantity& q) { return q.fleet < 0; });
      if (own && end == k + tile && here == width) {
        Lanes values[tile];
        for (std::size_t c = 0; c < tile; ++c) values[c] = as_shown(rows, map[k + c].row, map[k + c].when, map[k + c].instead);
        for (int first = 0; first < width; first += 4) {
          detail::Four lane[4], columns[4];
          for (std::size_t c = 0; c < tile; ++c) columns[c] = detail::four(values[c], first);
          detail::turn(columns, lane);
          for (int i = 0; i < 4; ++i) {
            const auto shown = __builtin_convertvector(lane[i], detail::FourFloats);
            std::memcpy(&observations[static_cast<std::size_t>(b * width + first + i) * stride + k], &shown, sizeof shown);
          }
        }
        continue;
      }
      for (std::size_t c = k; c < end; ++c) {
        const Quantity& q = map[c];
        Lanes value;
        if (q.fleet < 0) value = as_shown(rows, q.row, q.when, q.instead);
        for (int i = 0; i < here; ++i)
          observations[static_cast<std::size_t>(b * width + i) * stride + c] =
              static_cast<float>(q.fleet < 0 ? value[i] : get(b * width + i, q));
      }
    }
  }
}

void Batch::read_columns(const std::vector<Quantity>& map, std::span<double> columns) const {
  if (columns.size() != map.size() * static_cast<std::size_t>(lanes_)) throw std::invalid_argument("columns: wrong shape");
  for (std::size_t k = 0; k < map.size(); ++k) {
    const Quantity& q = map[k];
    double* to = columns.data() + k * static_cast<std::size_t>(lanes_);
    for (int b = 0; b < blocks_; ++b) {
      const int here = std::min(width, lanes_ - b * width);
      if (q.fleet >= 0 && q.member >= 0) {
        for (int i = 0; i < here; ++i) to[b * width + i] = get(b * width + i, q);
        continue;
      }
      Plan::Place place{q.row};
      place.fleet = q.fleet, place.when = q.when, place.instead = q.instead;
      Lanes value = q.fleet < 0 ? as_shown(block(b), q.row, q.when, q.instead) : reduce(b, place);
      if (q.mean) value /= plan_->fleets[static_cast<std::size_t>(q.fleet)].members;
      std::copy_n(value.data(), here, to + b * width);
    }
  }
}

// -------------------------------------------------------------------------------------------------------------- snapshots

std::size_t Batch::snapshot_size() const {
  std::size_t size = static_cast<std::size_t>(plan_->rows);
  for (std::size_t f = 0; f < children_.size(); ++f) {
    size += children_[f]->snapshot_size() * static_cast<std::size_t>(plan_->fleets[f].blocks * width);
  }
  return size;
}

void Batch::save(int lane, std::span<double> snapshot) const {
  const double* column = block(lane / width)->data() + lane % width;
  double* to = snapshot.data();
  for (int r = 0; r < plan_->rows; ++r) to[r] = column[static_cast<std::ptrdiff_t>(r) * width];
  to += plan_->rows;
  for (std::size_t f = 0; f < children_.size(); ++f) {
    // Whole blocks, as they lie.
    const std::size_t blocks = static_cast<std::size_t>(plan_->fleets[f].blocks),
                      size = blocks * static_cast<std::size_t>(children_[f]->plan_->rows) * width;
    std::memcpy(to, children_[f]->block(lane * static_cast<int>(blocks))->data(), size * sizeof(double));
    to += size;
  }
}

void Batch::restore(int lane, std::span<const double> snapshot) {
  double* column = block(lane / width)->data() + lane % width;
  const double* from = snapshot.data();
  for (int r = 0; r < plan_->rows; ++r) column[static_cast<std::ptrdiff_t>(r) * width] = from[r];
  from += plan_->rows;
  for (std::size_t f = 0; f < children_.size(); ++f) {
    const std::size_t blocks = static_cast<std::size_t>(plan_->fleets[f].blocks),
                      size = blocks * static_cast<std::size_t>(children_[f]->plan_->rows) * width;
    Batch& c = *children_[f];
    const int first = lane * static_cast<int>(blocks);
    std::memcpy(c.block(first)->data(), from, size * sizeof(double));
    for (int k = 0; k < static_cast<int>(blocks); ++k) {
      if ((c.head(first + k).account.status != 0).any()) c.has_frozen_[static_cast<std::size_t>(first + k)] = 1;
    }
    from += size;
  }
  if (status(lane) != Trouble::none) has_frozen_[static_cast<std::size_t>(lane / width)] = 1;
}

void Batch::copy_lane(int from, int to) {
  std::vector<double> snapshot(snapshot_size());
  save(from, snapshot);
  restore(to, snapshot);
}

}  // namespace urja

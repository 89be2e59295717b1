#include "engine/meter.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace urja {

Rows::Rows(std::size_t count)
    : data_(static_cast<Lanes*>(::operator new (std::max<std::size_t>(count, 1) * sizeof(Lanes), std::align_val_t{64}))),
      count_(count) {
  std::memset(static_cast<void*>(data_), 0, count * sizeof(Lanes));
}
Rows::~Rows() { ::operator delete (data_, std::align_val_t{64}); }

Meter::Meter(const Plan& plan, int blocks, const std::vector<Quantity>& quantities) {
  std::vector<std::vector<Quantity>> of_fleet(plan.fleets.size());
  for (const Quantity& q : quantities) {
    if (q.fleet < 0) {
      // A row that is asked for twice is summed once.
      const Summed summed{q.row, q.when, q.instead};
      const auto there = std::find(rows_.begin(), rows_.end(), summed);
      places_.push_back({-1, static_cast<int>(there - rows_.begin()), -1, false});
      if (there == rows_.end()) rows_.push_back(summed);
      all_true_ = all_true_ && q.when < 0;
    } else {
      auto& list = of_fleet[static_cast<std::size_t>(q.fleet)];
      places_.push_back({q.fleet, static_cast<int>(list.size()), q.member, q.mean});
      Quantity inner = q;
      inner.fleet = -1;
      list.push_back(inner);
    }
  }
  sums_ = std::make_unique<Rows>(rows_.size() * static_cast<std::size_t>(blocks));
  for (std::size_t f = 0; f < plan.fleets.size(); ++f) {
    const int per_lane = plan.fleets[f].blocks;
    blocks_per_lane_.push_back(per_lane);
    members_.push_back(plan.fleets[f].members);
    children_.push_back(
        of_fleet[f].empty() ? nullptr : std::make_unique<Meter>(*plan.fleets[f].plan, blocks * width * per_lane, of_fleet[f]));
  }
}

void Meter::clear() {
  std::memset(static_cast<void*>(sums_->data()), 0, sums_->size() * sizeof(Lanes));
  for (auto& c : children_) {
    if (c) c->clear();
  }
}

void Meter::add(int block, const Lanes* rows) {
  Lanes* sums = sums_->data() + static_cast<std::ptrdiff_t>(block) * static_cast<std::ptrdiff_t>(rows_.size());
  if (all_true_) {
    for (std::size_t k = 0; k < rows_.size(); ++k) sums[k] += rows[rows_[k].row];
    return;
  }
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    const Summed& s = rows_[k];
    sums[k] += as_shown(rows, s.row, s.when, s.instead);
  }
}

double Meter::sum(int lane, int k, int member) const {
  const Place place = places_[static_cast<std::size_t>(k)];
  if (place.fleet < 0)
    return sums_
        ->data()[static_cast<std::size_t>(lane / width) * rows_.size() + static_cast<std::size_t>(place.index)][lane % width];
  const int per_lane = blocks_per_lane_[static_cast<std::size_t>(place.fleet)];
  return children_[static_cast<std::size_t>(place.fleet)]->sum(lane * per_lane * width + member, place.index);
}

void Meter::read(int k, std::span<double> to) const {
  const Place place = places_[static_cast<std::size_t>(k)];
  const auto index = static_cast<std::size_t>(place.index);
  if (place.fleet < 0) {
    for (std::size_t lane = 0; lane < to.size(); lane += width) {
      const Lanes& sums = sums_->data()[lane / width * rows_.size() + index];
      std::copy_n(sums.data(), std::min<std::size_t>(width, to.size() - lane), to.data() + lane);
    }
    return;
  }
  if (place.member >= 0) {
    for (std::size_t lane = 0; lane < to.size(); ++lane) to[lane] = sum(static_cast<int>(lane), k, place.member);
    return;
  }
  // Members in a fixed order: blocks one after the other, then one tree over the eight.
  const auto f = static_cast<std::size_t>(place.fleet);
  const Meter& inner = *children_[f];
  const auto per_lane = static_cast<std::size_t>(blocks_per_lane_[f]);
  const std::size_t row = static_cast<std::size_t>(inner.places_[index].index), wide = inner.rows_.size();
  static const Lanes numbers = Lanes::LinSpaced(0, width - 1);
  const Lanes last =
      one_if(numbers < members_[f] - static_cast<int>(per_lane - 1) * width);  // which of the last block are members
  for (std::size_t lane = 0; lane < to.size(); ++lane) {
    const Lanes* sums = inner.sums_->data() + lane * per_lane * wide + row;
    Lanes all = pick(last > 0, sums[(per_lane - 1) * wide], 0.0);
    for (std::size_t block = 0; block + 1 < per_lane; ++block) all += sums[block * wide];
    to[lane] = place.mean ? all.sum() / members_[f] : all.sum();
  }
}

}  // namespace urja

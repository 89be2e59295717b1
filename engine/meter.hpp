#pragma once
// Memory of blocks, and sums over it.
#include <memory>
#include <span>
#include <vector>

#include "engine/plan.hpp"

namespace urja {

// 64-byte aligned rows; one allocation for all blocks.
class Rows {
 public:
  explicit Rows(std::size_t count);
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Lanes* data() { return data_; }
  const Lanes* data() const { return data_; }
  std::size_t size() const { return count_; }

 private:
  Lanes* data_;
  std::size_t count_;
};

// Sums rows of every block over the steps of a call: what the recorder, KPIs and rewards are made of.
// sums()[block][k] += block's row k, once per step. One Meter for a plan, one nested for each of its fleets.
class Meter {
 public:
  Meter(const Plan& plan, int blocks, const std::vector<Quantity>& quantities);
  void clear();
  void add(int block, const Lanes* rows);
  // Sum over the steps since clear() of quantity k as given to the constructor, member m, in a lane.
  double sum(int lane, int k, int member = 0) const;
  // The same of lanes [0, to.size()): of a fleet the quantity's own member, or, where it is -1, that of all: the sum, or the mean.
  void read(int k, std::span<double> to) const;
  Meter* child(int fleet) { return children_[static_cast<std::size_t>(fleet)].get(); }

 private:
  struct Place {
    int fleet, index, member;
    bool mean;
  };
  struct Summed {
    int row, when, instead;  // the last two: as measured, see Quantity
    bool operator==(const Summed&) const = default;
  };
  std::vector<Summed> rows_;
  bool all_true_ = true;  // none as measured
  std::unique_ptr<Rows> sums_;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<Meter>> children_;
  std::vector<int> blocks_per_lane_, members_;
};

}  // namespace urja

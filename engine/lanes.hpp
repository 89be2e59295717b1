#pragma once
// Lanes: one quantity of eight plants.
//
// A model's code reads like its equations because every quantity in it is a `Lanes`: eight doubles, one cache line, one
// value for each of eight plants that step together. No index, no loop, no pointer.
//
// Rules that keep a lane independent of its seven neighbours, bit for bit:
//   - every operation is full width: there is never a scalar tail beside a vector body;
//   - a branch becomes `pick(condition, a, b)`: both sides are computed, so guard divisions and logarithms;
//   - an iteration is masked: a lane that has converged keeps its value;
//   - minimum and maximum keep NaN, so that a bad lane is found by the engine's checks and not hidden.
#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace urja {

inline constexpr int width = 8;
using Lanes = Eigen::Array<double, width, 1>;
using Mask = Eigen::Array<bool, width, 1>;

#define URJA_INLINE [[gnu::always_inline]] inline

URJA_INLINE Lanes lanes(double value) { return Lanes::Constant(value); }

// Smaller and larger of two; NaN in either operand comes out. (Debian's Eigen 3.4.0 offers this only below its array API.)
URJA_INLINE Lanes least(const Lanes& a, const Lanes& b) {
  namespace op = Eigen::internal;
  return Eigen::CwiseBinaryOp<op::scalar_min_op<double, double, Eigen::PropagateNaN>, const Lanes, const Lanes>(a, b);
}
URJA_INLINE Lanes most(const Lanes& a, const Lanes& b) {
  namespace op = Eigen::internal;
  return Eigen::CwiseBinaryOp<op::scalar_max_op<double, double, Eigen::PropagateNaN>, const Lanes, const Lanes>(a, b);
}
URJA_INLINE Lanes least(const Lanes& a, double b) { return least(a, lanes(b)); }
URJA_INLINE Lanes most(const Lanes& a, double b) { return most(a, lanes(b)); }
URJA_INLINE Lanes clamp(const Lanes& x, const Lanes& low, const Lanes& high) { return least(most(x, low), high); }

// Conditions. Eigen 3.4 compares lane by lane; here a condition is taken apart and its comparisons are made in vectors, all bits of a lane
// set where it holds. (Eigen's own select takes 3 to 11 ns a block.)
namespace detail {
using Half = double __attribute__((vector_size(32), may_alias));
using HalfMask = long long __attribute__((vector_size(32), may_alias));
using FourBytes = signed char __attribute__((vector_size(4), may_alias, aligned(1)));

struct Truth {
  HalfMask half[2];
};
URJA_INLINE Lanes as_lanes(double value) { return Lanes::Constant(value); }
template <class Expression> URJA_INLINE Lanes as_lanes(const Eigen::ArrayBase<Expression>& value) { return value; }
URJA_INLINE const Half* halves(const Lanes& value) { return reinterpret_cast<const Half*>(value.data()); }

URJA_INLINE Truth truth_of(const Mask& stored) {
  Truth t;
  for (int h = 0; h < 2; ++h)
    t.half[h] = __builtin_convertvector(reinterpret_cast<const FourBytes*>(stored.data())[h], HalfMask) != 0;
  return t;
}
template <class Other> URJA_INLINE Truth truth_of(const Eigen::ArrayBase<Other>& other) { return truth_of(Mask(other)); }
template <Eigen::internal::ComparisonName C, class L, class R>
URJA_INLINE Truth truth_of(const Eigen::CwiseBinaryOp<Eigen::internal::scalar_cmp_op<double, double, C>, L, R>& comparison) {
  const Lanes left = comparison.lhs(), right = comparison.rhs();
  const Half *l = halves(left), *r = halves(right);
  Truth t;
  for (int h = 0; h < 2; ++h) {
    if constexpr (C == Eigen::internal::cmp_LT) t.half[h] = l[h] < r[h];
    else if constexpr (C == Eigen::internal::cmp_LE) t.half[h] = l[h] <= r[h];
    else if constexpr (C == Eigen::internal::cmp_GT) t.half[h] = l[h] > r[h];
    else if constexpr (C == Eigen::internal::cmp_GE) t.half[h] = l[h] >= r[h];
    else if constexpr (C == Eigen::internal::cmp_EQ) t.half[h] = l[h] == r[h];
    else {
      static_assert(C == Eigen::internal::cmp_NEQ);
      t.half[h] = l[h] != r[h];
    }
  }
  return t;
}
template <class X>
URJA_INLINE Truth truth_of(const Eigen::CwiseUnaryOp<Eigen::internal::scalar_boolean_not_op<bool>, X>& negated) {
  Truth t = truth_of(negated.nestedExpression());
  for (auto& h : t.half) h = ~h;
  return t;
}
template <class L, class R>
URJA_INLINE Truth truth_of(const Eigen::CwiseBinaryOp<Eigen::internal::scalar_boolean_and_op, L, R>& both) {
  Truth t = truth_of(both.lhs());
  const Truth other = truth_of(both.rhs());
  for (int h = 0; h < 2; ++h) t.half[h] &= other.half[h];
  return t;
}
template <class L, class R>
URJA_INLINE Truth truth_of(const Eigen::CwiseBinaryOp<Eigen::internal::scalar_boolean_or_op, L, R>& either) {
  Truth t = truth_of(either.lhs());
  const Truth other = truth_of(either.rhs());
  for (int h = 0; h < 2; ++h) t.half[h] |= other.half[h];
  return t;
}

// Four doubles of each of four become one of all four each, and back.
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));
using FourFloats = float __attribute__((vector_size(16)));
URJA_INLINE void turn(const Four (&from)[4], Four (&to)[4]) {
  const Four even01 = __builtin_shufflevector(from[0], from[1], 0, 4, 2, 6),
             even23 = __builtin_shufflevector(from[2], from[3], 0, 4, 2, 6);
  const Four odd01 = __builtin_shufflevector(from[0], from[1], 1, 5, 3, 7),
             odd23 = __builtin_shufflevector(from[2], from[3], 1, 5, 3, 7);
  to[0] = __builtin_shufflevector(even01, even23, 0, 1, 4, 5), to[1] = __builtin_shufflevector(odd01, odd23, 0, 1, 4, 5);
  to[2] = __builtin_shufflevector(even01, even23, 2, 3, 6, 7), to[3] = __builtin_shufflevector(odd01, odd23, 2, 3, 6, 7);
}
// Four lanes of a row, from the first or the fifth on.
URJA_INLINE Four& four(Lanes& row, int first) { return *reinterpret_cast<Four*>(row.data() + first); }
}  // namespace detail

// pick(condition, a, b): a in the lanes where the condition holds, b in the others. Both are computed, so guard divisions and
// logarithms.
template <class Condition, class A, class B>
URJA_INLINE Lanes pick(const Eigen::ArrayBase<Condition>& condition, const A& a, const B& b) {
  const Lanes then = detail::as_lanes(a), otherwise = detail::as_lanes(b);
  const detail::Truth truth = detail::truth_of(condition.derived());
  Lanes result;
  for (int h = 0; h < 2; ++h)
    reinterpret_cast<detail::Half*>(result.data())[h] = truth.half[h] ? detail::halves(then)[h] : detail::halves(otherwise)[h];
  return result;
}

// Condition as a number: 1 where it holds, 0 elsewhere.
template <class Condition> URJA_INLINE Lanes one_if(const Eigen::ArrayBase<Condition>& condition) {
  return pick(condition, 1.0, 0.0);
}

// Whether a condition holds in some lane: one that is made of numbers 0 and 1, that is stored, or that is being computed.
URJA_INLINE bool some(const Lanes& flags) { return flags.sum() != 0; }
URJA_INLINE bool some(const Mask& condition) {
  std::uint64_t bytes;
  std::memcpy(&bytes, condition.data(), sizeof bytes);
  return bytes != 0;
}
template <class Condition> URJA_INLINE bool some(const Eigen::ArrayBase<Condition>& condition) {
  const detail::Truth truth = detail::truth_of(condition.derived());
  const detail::HalfMask any = truth.half[0] | truth.half[1];
  return (any[0] | any[1] | any[2] | any[3]) != 0;
}

// Linear first-order lag x' = (u - x)/tau over a step of length dt, u constant [handbook 0.3].
// kept = exp(-dt/tau) is what is left of the start's distance from u at the end; mean_kept its mean over the step.
struct Lag {
  Lanes kept, mean_kept;
};
URJA_INLINE Lag lag(const Lanes& dt, const Lanes& tau) {
  const Lanes x = dt / tau;
  const Lanes kept = (-x).exp();
  // (1 - e^-x)/x loses digits for small x; its series is exact to 1e-16 below 1e-5.
  const Lanes mean = pick(x > 1e-5, (1 - kept) / most(x, 1e-5), 1 - x * (0.5 - x / 6));
  return {kept, mean};
}

// The clock of a block: each lane has its own. Time is start + index dt, never accumulated.
struct Step {
  Lanes dt;                 // s, length of the step
  Lanes index;              // steps since the start of the plan
  Lanes time;               // s since the start of the plan, at the step's begin: index dt
  Lanes utc_offset;         // s, local civil time minus UTC
  Lanes epoch;              // s, UTC of the plan's start since 1970
  Lanes member;             // which member of a fleet this lane is (0, 1, ..); 0 in a plant
  Lanes key_low, key_high;  // the lane's seed, 32 bits each
  Lanes episode;            // number of the episode that runs in the lane
  Lanes first;              // index at which it began

  // Seconds since local midnight at the step's begin.
  Lanes second_of_day() const {
    const Lanes local = epoch + time + utc_offset;
    return local - 86400 * (local * (1.0 / 86400)).floor();
  }
};

// One connection of an asset to a bus. Power is positive out of the asset into the bus, in W and var.
struct Port {
  Lanes p_min, p_max;        // what the asset could do in this step, p_min <= p_max
  Lanes p_wish;              // what it would do if it were alone
  Lanes p;                   // what the balance has fixed
  Lanes q_min, q_max, q;     // reactive power: range that the balance may use, and what it fixed (in: the wish)
  Lanes voltage, frequency;  // of its bus at the end of the last step, per unit of nominal
  Lanes command, commanded;  // a power commanded from outside (W), and 1 if one is given for this step
  Lanes clipped;             // part of the command that the asset's limits did not allow
};

}  // namespace urja

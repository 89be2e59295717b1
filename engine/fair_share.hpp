#pragma once
// Max-min fair sharing of a power among consumers of whom each has a need, a floor and an urgency.
//
// Nobody gets more while somebody with less could still take more. Nobody gets less than his floor, below which he cannot use
// it at all (a charging point offers 6 A or nothing, IEC 61851-1); where the floors of all do not fit, those with the smallest
// urgency value come first, and the others get nothing.
#include <cstddef>

namespace urja {

inline constexpr int most_sharers = 4096;

// need[n], floor[n] (<= need), power: W, not negative. urgency[n]: s of slack. Writes got[n] and returns its sum: `power`
// itself if it can all be used. n is at most `most_sharers`.
double share_fairly(int n, const double* need, const double* floor, const double* urgency, double power, double* got);

}  // namespace urja

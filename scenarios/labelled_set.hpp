#pragma once
// All variants of a sweep as one data set, for those who train and score detectors.
//
//   <folder>/dataset.h5
//     /time                        [T]
//     /channels, /measured, /plant, /feeders, /faults/..   [V, T] or [V, T, M]: views of the variants' own files, nothing is copied
//     /label                       [V, T] which fault is there: 0 none, k the k-th of the attribute `faults` (the last, of several)
//     /variants/number, name, seed, and one for each key of the sweep   [V]
//
// Keep it beside the folder `variants`. A variant that did not end, or has not a channel, is NaN there.
#include <string>

#include "scenarios/sweep.hpp"

namespace urja {

// Throws RecordError. Nothing is written where no variant has a result.
void write_labelled_set(const std::string& folder, const Sweep& sweep, const SweepResult& result);
// Of a variant, from the folder on: "variants/1.h5".
std::string variant_file(std::size_t variant);

}  // namespace urja

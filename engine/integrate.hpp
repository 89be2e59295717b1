#pragma once
// Integrators for parts without a closed form. Boost.Odeint stays behind integrate.cpp: its headers are heavy.
//
// In a batch only fixed steps are allowed. An adaptive stepper's error norm spans the whole vector, so the stiffest lane
// would choose everybody's step and a lane's bits would depend on its neighbours. The adaptive one works on a single lane:
// it is the oracle of the tests and the high-accuracy option.
#include <span>

#include "engine/lanes.hpp"

namespace urja {

// dx/dt = f(x, t) for up to eight quantities at once, each eight lanes wide.
using LanesRates = void (*)(const void* context, std::span<const Lanes> x, std::span<Lanes> rates, const Lanes& t);
// Classic fourth-order Runge-Kutta: `steps` equal steps over [t, t + dt], dt per lane.
void runge_kutta4(LanesRates f, const void* context, std::span<Lanes> x, const Lanes& t, const Lanes& dt, int steps);

using Rates = void (*)(const void* context, std::span<const double> x, std::span<double> rates, double t);
// Dormand-Prince 5 with step control over [t, t + dt]; returns the number of steps that it took.
long dormand_prince(Rates f, const void* context, std::span<double> x, double t, double dt, double relative = 1e-10,
                    double absolute = 1e-12);

}  // namespace urja

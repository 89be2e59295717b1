#include "engine/integrate.hpp"

#include <boost/numeric/odeint/algebra/array_algebra.hpp>
#include <boost/numeric/odeint/integrate/integrate_adaptive.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <stdexcept>
#include <vector>

namespace urja {
namespace {

namespace odeint = boost::numeric::odeint;

// Odeint's time is scalar; each lane has a dt of its own. So integrate over the unit interval: dx/ds = dt f(x, t + s dt).
template <std::size_t n>
void fixed_steps(LanesRates f, const void* context, std::span<Lanes> x, const Lanes& t, const Lanes& dt, int steps) {
  using State = std::array<Lanes, n>;
  odeint::runge_kutta4<State, double, State, double, odeint::array_algebra> stepper;
  const auto rates = [&](const State& state, State& rate, double s) {
    f(context, state, rate, t + s * dt);
    for (Lanes& r : rate) r *= dt;
  };
  State state;
  std::copy(x.begin(), x.end(), state.begin());
  const double h = 1.0 / steps;
  for (int k = 0; k < steps; ++k) stepper.do_step(rates, state, k * h, h);
  std::copy(state.begin(), state.end(), x.begin());
}

}  // namespace

void runge_kutta4(LanesRates f, const void* context, std::span<Lanes> x, const Lanes& t, const Lanes& dt, int steps) {
  switch (x.size()) {
    case 1: return fixed_steps<1>(f, context, x, t, dt, steps);
    case 2: return fixed_steps<2>(f, context, x, t, dt, steps);
    case 3: return fixed_steps<3>(f, context, x, t, dt, steps);
    case 4: return fixed_steps<4>(f, context, x, t, dt, steps);
    case 5: return fixed_steps<5>(f, context, x, t, dt, steps);
    case 6: return fixed_steps<6>(f, context, x, t, dt, steps);
    case 7: return fixed_steps<7>(f, context, x, t, dt, steps);
    case 8: return fixed_steps<8>(f, context, x, t, dt, steps);
    default: throw std::invalid_argument("runge_kutta4 takes one to eight quantities");
  }
}

long dormand_prince(Rates f, const void* context, std::span<double> x, double t, double dt, double relative, double absolute) {
  using State = std::vector<double>;
  State state(x.begin(), x.end());
  const auto rates = [&](const State& s, State& rate, double now) { f(context, s, rate, now); };
  const auto steps = odeint::integrate_adaptive(odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(absolute, relative),
                                                rates, state, t, t + dt, dt / 100);
  std::copy(state.begin(), state.end(), x.begin());
  return static_cast<long>(steps);
}

}  // namespace urja

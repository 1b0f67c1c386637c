// One time step of each neuron and its gradient, as the template in real.cpp runs them.
// The equations' home is arlif/core/steps.py; tests hold these lines to it.
//
// A neuron has `states` state variables, `parameters` learned numbers and keeps `kept` values of a
// step for the step's gradient. `numbers`: surrogate width, constants, then the parameters.
#pragma once

#include "mathematics.h"

// ds/dv of the rectangular surrogate, arXiv:2507.20746 Eq. (11).
template <class F> struct Surrogate {
  F half_width, height;
  explicit Surrogate(F width) : half_width(width / 2), height(1 / width) {}
  F operator()(F v) const { return v >= -half_width && v <= half_width ? height : F(0); }
};

template <class F, bool memory> struct Arlif {
  static constexpr int states = 2, parameters = memory ? 2 : 1, kept = memory ? 6 : 4;
  const Surrogate<F> surrogate;
  const F decay, threshold, alpha, beta;

  explicit Arlif(const double *numbers)
      : surrogate(F(numbers[0])), decay(F(numbers[1])), threshold(F(numbers[2])),
        alpha(memory ? F(numbers[3]) : 0), beta(F(numbers[2 + parameters])) {}

  // The sigmoids share one division: 1 / (a b c) times the other factors.
  F step(F x, F *state, F *keep) const {
    const F r = state[1];
    const F h = decay * state[0] + x;
    const F e = exp_minus(clamped(x));
    const F a = 1 + e, b = 1 + e * e;
    F push, gate = 0, drive, half_tanh;  // half_tanh = (1 + tanh x) / 2 = sigma(2 x)
    if constexpr (memory) {
      const F c = 1 + exp_minus(clamped(r >= 0 ? alpha * x : -alpha * x));
      const F ab = a * b, inverse = 1 / (ab * c), inverse_ab = inverse * c;
      drive = inverse_ab * b, half_tanh = inverse_ab * a, gate = inverse * ab;
      push = r * gate;
    } else {
      const F inverse = 1 / (a * b);
      drive = inverse * b, half_tanh = inverse * a;
      push = 0;
    }
    const F tanh = 2 * half_tanh - 1;
    const F theta = threshold + beta * tanh;
    const F v = h - theta;
    const bool fired = v >= 0;
    const F next = push + (fired ? drive : -drive);
    const F reset = 1 / (1 + exp_minus(clamped(next)));
    state[0] = fired ? h - (theta + reset) : h;
    state[1] = next;
    keep[0] = v, keep[1] = drive, keep[2] = tanh, keep[3] = reset;
    if constexpr (memory) keep[4] = gate, keep[5] = r;
    return fired ? F(1) : F(0);
  }

  // Turns the gradient of the new state into that of the old one, adds to the parameters'
  // gradients and returns the gradient of x.
  F gradient(F x, F of_spike, const F *keep, F *of_state, F *of_parameters) const {
    const F v = keep[0], drive = keep[1], tanh = keep[2], reset = keep[3];
    const bool fired = v >= 0;
    const F of_u = of_state[0], lost = fired ? of_u : F(0);
    const F theta = threshold + beta * tanh;
    const F of_r = of_state[1] - lost * (reset * (1 - reset));
    const F of_v =
        surrogate(v) * (of_spike - of_u * (theta + reset) + 2 * of_r * drive);
    const F of_h = of_u + of_v, of_theta = -(lost + of_v);
    F of_x = of_h + of_theta * beta * (1 - tanh * tanh) +
             (fired ? of_r : -of_r) * (drive * (1 - drive));
    of_parameters[parameters - 1] += of_theta * tanh;
    of_state[0] = decay * of_h;
    of_state[1] = 0;
    if constexpr (memory) {
      const F gate = keep[4], r = keep[5];
      const F of_exponent = of_r * (r >= 0 ? r : -r) * (gate * (1 - gate));  // of alpha x
      of_x += of_exponent * alpha;
      of_parameters[0] += of_exponent * x;
      of_state[1] = of_r * gate;
    }
    return of_x;
  }
};

template <class F, bool hard> struct Lif {
  static constexpr int states = 1, parameters = 0, kept = hard ? 2 : 1;
  const Surrogate<F> surrogate;
  const F decay, threshold;

  explicit Lif(const double *numbers)
      : surrogate(F(numbers[0])), decay(F(numbers[1])), threshold(F(numbers[2])) {}

  F step(F x, F *state, F *keep) const {
    const F h = decay * state[0] + x;
    const F v = h - threshold;
    const bool fired = v >= 0;
    state[0] = fired ? (hard ? F(0) : v) : h;
    keep[0] = v;
    if constexpr (hard) keep[1] = h;
    return fired ? F(1) : F(0);
  }

  F gradient(F, F of_spike, const F *keep, F *of_state, F *) const {
    const F v = keep[0], of_u = of_state[0];
    const F removed = hard ? keep[1] : threshold;  // u = h - s removed
    const F passed = hard && v >= 0 ? F(0) : of_u;
    const F of_h = passed + surrogate(v) * (of_spike - of_u * removed);
    of_state[0] = decay * of_h;
    return of_h;
  }
};

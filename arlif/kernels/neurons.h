// One time step of each neuron and its gradient, on vectors, as real.cpp runs them.
// The equations' home is arlif/core/steps.py; tests hold these lines to it.
//
// A neuron has `states` state variables, `parameters` learned numbers and keeps `kept` values of a
// step for the step's gradient. `numbers`: surrogate width, threshold, decay, other parameters.
#pragma once

#include "vectors.h"

// Gradient of v from that of the spike [v >= 0] by the rectangular surrogate, arXiv:2507.20746
// Eq. (11): 0 outside, also where a gradient is infinite or not a number.
template <class F> struct Surrogate {
  F half_width, height;
  explicit Surrogate(F width) : half_width(width / 2), height(1 / width) {}
  INLINE Vector<F> operator()(Vector<F> v, Vector<F> of_spike) const {
    return magnitude(v) <= half_width ? height * of_spike : Vector<F>{};
  }
};

template <class Number, bool memory> struct Arlif {
  using F = Number;
  using V = Vector<F>;
  static constexpr int states = 2, parameters = memory ? 2 : 1, kept = memory ? 6 : 4;
  const Surrogate<F> surrogate;
  const F threshold, decay, alpha, beta;

  explicit Arlif(const double *numbers)
      : surrogate(F(numbers[0])), threshold(F(numbers[1])), decay(F(numbers[2])),
        alpha(memory ? F(numbers[3]) : 0), beta(F(numbers[2 + parameters])) {}

  // The sigmoids of x share one division: 1 / (a b c) times the other factors.
  INLINE V step(V x, V *state, V *keep) const {
    const V r = state[1];
    const V h = decay * state[0] + x;
    const V e = exp_minus(x);
    const V a = F(1) + e, b = F(1) + e * e;
    V push, drive, half_tanh; // half_tanh = (1 + tanh x) / 2 = sigma(2 x)
    if constexpr (memory) {
      const V exponent = alpha * x;
      const V d = exp_minus_within(at_most(magnitude(exponent), highest<F>)), c = F(1) + d;
      const V ab = a * b, inverse = F(1) / (ab * c), inverse_ab = inverse * c;
      const V larger = inverse * ab, smaller = larger * d; // sigma(|exponent|), 1 - that
      const V gate = (r >= F(0) ? exponent : -exponent) >= F(0) ? larger : smaller;
      drive = inverse_ab * b, half_tanh = inverse_ab * a;
      push = r * gate;
      keep[4] = gate, keep[5] = r * (larger * smaller);
    } else {
      const V inverse = F(1) / (a * b);
      drive = inverse * b, half_tanh = inverse * a;
      push = V{};
    }
    const V tanh = F(2) * half_tanh - F(1);
    const V theta = beta * tanh + threshold;
    const V v = h - theta;
    const auto fired = v >= F(0);
    const V next = push + (fired ? drive : -drive);
    const V reset = F(1) / (F(1) + exp_minus(next));
    state[0] = fired ? h - (theta + reset) : h;
    state[1] = next;
    keep[0] = v, keep[1] = drive, keep[2] = tanh, keep[3] = reset;
    return fired ? V{} + F(1) : V{};
  }

  // Turns the gradient of the new state into that of the old one, adds to the parameters'
  // gradients and returns the gradient of x.
  INLINE V gradient(V x, V of_spike, const V *keep, V *of_state, V *of_parameters) const {
    const V v = keep[0], drive = keep[1], tanh = keep[2], reset = keep[3];
    const auto fired = v >= F(0);
    const V of_u = of_state[0], lost = fired ? of_u : V{};
    const V theta = beta * tanh + threshold;
    const V of_r = of_state[1] - lost * (reset * (F(1) - reset));
    const V of_v = surrogate(v, of_spike - of_u * (theta + reset) + F(2) * of_r * drive);
    const V of_h = of_u + of_v, of_theta = -(lost + of_v);
    V of_x = of_h + of_theta * beta * (F(1) - tanh * tanh) +
             (fired ? of_r : -of_r) * (drive * (F(1) - drive));
    of_parameters[parameters - 1] += of_theta * tanh;
    of_state[0] = decay * of_h;
    of_state[1] = V{};
    if constexpr (memory) {
      const V gate = keep[4], slope = keep[5]; // slope = r gate (1 - gate)
      const V of_exponent = of_r * magnitude(slope); // of alpha x
      of_x += of_exponent * alpha;
      of_parameters[0] += of_exponent * x;
      of_state[1] = of_r * gate;
    }
    return of_x;
  }
};

enum class Reset { threshold, zero, amount }; // what a spike takes from u, or sets it to

// weighted: decay is a parameter, and x is multiplied by another one, gain.
template <class Number, Reset reset, bool weighted = false> struct Lif {
  using F = Number;
  using V = Vector<F>;
  static constexpr bool hard = reset == Reset::zero, learned = reset == Reset::amount;
  static constexpr int states = 1, parameters = weighted ? 2 : learned ? 1 : 0;
  static constexpr int kept = weighted ? 3 : hard ? 2 : 1;
  const Surrogate<F> surrogate;
  const F threshold, decay, amount, gain;

  explicit Lif(const double *numbers)
      : surrogate(F(numbers[0])), threshold(F(numbers[1])), decay(F(numbers[2])),
        amount(F(numbers[learned ? 3 : 1])), gain(F(weighted ? numbers[3] : 1)) {}

  INLINE V step(V x, V *state, V *keep) const {
    if constexpr (weighted) keep[2] = state[0], x *= gain;
    const V h = decay * state[0] + x;
    const V v = h - threshold;
    state[0] = v >= F(0) ? (hard ? V{} : h - amount) : h;
    keep[0] = v;
    if constexpr (hard) keep[1] = h;
    return v >= F(0) ? V{} + F(1) : V{};
  }

  INLINE V gradient(V x, V of_spike, const V *keep, V *of_state, V *of_parameters) const {
    const V v = keep[0], of_u = of_state[0];
    const V lost = v >= F(0) ? of_u : V{};
    const V removed = hard ? keep[1] : V{} + amount; // u = h - s removed
    V of_h = of_u + surrogate(v, of_spike - of_u * removed);
    if constexpr (hard) of_h -= lost;
    if constexpr (learned) of_parameters[0] -= lost;
    of_state[0] = decay * of_h;
    if constexpr (weighted) {
      of_parameters[0] += of_h * keep[2];
      of_parameters[1] += of_h * x;
      return of_h * gain;
    }
    return of_h;
  }
};

template <class Number> struct Clif {
  using F = Number;
  using V = Vector<F>;
  static constexpr int states = 2, parameters = 0, kept = 4;
  const Surrogate<F> surrogate;
  const F threshold, decay;

  explicit Clif(const double *numbers)
      : surrogate(F(numbers[0])), threshold(F(numbers[1])), decay(F(numbers[2])) {}

  INLINE V step(V x, V *state, V *keep) const {
    const V m = state[1];
    const V h = decay * state[0] + x;
    const V v = h - threshold;
    const auto fired = v >= F(0);
    const V gate = F(1) / (F(1) + exp_minus((1 - decay) * h));
    const V spike = fired ? V{} + F(1) : V{};
    const V next = m * gate + spike;
    const V reset = F(1) / (F(1) + exp_minus(next));
    state[0] = fired ? v - reset : h;
    state[1] = next;
    keep[0] = v, keep[1] = gate, keep[2] = reset, keep[3] = m;
    return spike;
  }

  INLINE V gradient(V, V of_spike, const V *keep, V *of_state, V *) const {
    const V v = keep[0], gate = keep[1], reset = keep[2], m = keep[3], of_u = of_state[0];
    const V lost = v >= F(0) ? of_u : V{};
    const V of_m = of_state[1] - lost * (reset * (F(1) - reset));
    const V of_v = surrogate(v, of_spike - of_u * (threshold + reset) + of_m);
    const V of_h = of_u + of_v + (1 - decay) * (of_m * m * (gate * (F(1) - gate)));
    of_state[0] = decay * of_h;
    of_state[1] = of_m * gate;
    return of_h;
  }
};

// AR-LIF on raw integers over T time steps, and its straight-through gradient: one pass over memory
// each. The equation's home is arlif/core/steps.py, the gradients' is arlif/arithmetic/straight_through.py;
// tests hold these lines to both. Called from Python through ctypes (arlif/kernels/quantized.py).
#include "tiles.h"
#include "vectors.h"

#include <cmath>
#include <vector>

namespace {

struct Table {
  const int32_t *values;
  int64_t low, last, shift; // raw input of the first cell; index of the last cell; log2 cell width
  double operator()(double x) const {
    const int64_t cell = (int64_t(x) - low) >> shift; // floors, also below the first cell
    return values[cell < 0 ? 0 : cell > last ? last : cell];
  }
};

struct Neuron {
  Table threshold, gate, drive, reset;
  double decay;      // k
  double low, high;  // of the state format
  double one;        // raw value of 1.0 in the state format
  double gate_one;   // raw value of 1.0 in the gate's table
  double width;      // of the surrogate, raw
  double alpha, beta;
  int64_t memory;    // whether r is kept from step to step
};

struct Call {
  int64_t steps, size, stride, threads; // stride: from one time step of x to the next, 0 if constant
};

constexpr int64_t TILE = 256;

// What the gradient of a step needs, raw, for a tile of neurons: h and r before saturation, what a
// spike takes from h, and what the step started from.
struct Moment {
  double h[TILE], theta[TILE], drive[TILE], kept[TILE], before[TILE], r[TILE], removed[TILE];
};

// Applies `function` to scale x of a tile, in float32, a vector at a time.
template <class Function>
void map(const double *x, double scale, double *result, Function function) {
  for (int64_t i = 0; i < TILE; i += lanes<float>) {
    Vector<float> argument;
    for (int64_t k = 0; k < lanes<float>; ++k) argument[k] = float(x[i + k] * scale);
    const Vector<float> value = function(argument);
    for (int64_t k = 0; k < lanes<float>; ++k) result[i + k] = value[k];
  }
}

// sigma'(x) = e / (1 + e)^2 with e = exp(-x): nothing cancels, however steep.
INLINE Vector<float> logistic_slope(Vector<float> x) {
  const Vector<float> e = exp_minus(x);
  return e / ((1.f + e) * (1.f + e));
}

// tanh(x); where its exponentials would cancel, its series.
INLINE Vector<float> tanh(Vector<float> x) {
  const Vector<float> e = exp_minus(x + x);
  return (x < 0 ? -x : x) < 0.04f ? x * (1.f - x * x / 3.f) : (1.f - e) / (1.f + e);
}

struct Arlif {
  const Neuron n;

  double saturate(double value) const { return std::min(std::max(value, n.low), n.high); }
  double inside(double value) const { return n.low <= value && value <= n.high ? 1. : 0.; }

  void step(const double *x, double *u, double *r, Moment &m, double *fired) const {
#pragma omp simd
    for (int64_t i = 0; i < TILE; ++i) {
      m.h[i] = std::trunc(u[i] * n.decay) + x[i];
      const double h = saturate(m.h[i]), drive = n.drive(x[i]), theta = n.threshold(x[i]);
      const double s = h >= theta ? 1. : 0.;
      const double gate = n.gate(x[i]), kept = r[i] >= 0 ? gate : n.gate_one - gate;
      const double stays = n.memory ? std::trunc(r[i] * (kept * (1 / n.gate_one))) : 0.;
      m.before[i] = r[i], m.theta[i] = theta, m.drive[i] = drive, m.kept[i] = kept;
      m.r[i] = (2 * s - 1) * drive + stays;
      r[i] = saturate(m.r[i]);
      m.removed[i] = theta + n.reset(r[i]);
      u[i] = saturate(h - s * m.removed[i]);
      fired[i] = s;
    }
  }

  // Turns the gradients of u and r after the step into those before it, gives that of x and adds
  // to those of alpha and beta.
  void gradient(const double *x, const double *of_spike, const Moment &m, double *of_u,
                double *of_r, double *of_x, double &of_alpha, double &of_beta) const {
    const auto slope = [](Vector<float> v) { return logistic_slope(v); };
    double drive[TILE], gate[TILE], reset[TILE], tanhs[TILE], r[TILE];
    for (int64_t i = 0; i < TILE; ++i) r[i] = saturate(m.r[i]);
    map(x, 1 / n.one, drive, slope);
    map(x, n.alpha / n.one, gate, slope);
    map(r, 1 / n.one, reset, slope);
    map(x, 1 / n.one, tanhs, [](Vector<float> v) { return tanh(v); });
    double sum_alpha = 0, sum_beta = 0;
#pragma omp simd reduction(+ : sum_alpha, sum_beta)
    for (int64_t i = 0; i < TILE; ++i) {
      const double h = saturate(m.h[i]), v = h - m.theta[i], s = v >= 0 ? 1. : 0.;
      const double of_left = of_u[i] * inside(h - s * m.removed[i]), lost = s * of_left;
      const double of_push =
          (of_r[i] - lost * reset[i]) * inside(m.r[i]);
      const double of_fire = of_spike[i] - m.removed[i] * of_left + 2 * m.drive[i] * of_push;
      const double of_v = std::abs(v) <= n.width / 2 ? of_fire / n.width : 0.;
      const double of_h = (of_left + of_v) * inside(m.h[i]), of_theta = -lost - of_v;
      const double of_gate = n.memory ? of_push * std::abs(m.before[i]) * gate[i] : 0.;
      sum_beta += of_theta * tanhs[i];
      sum_alpha += of_gate * x[i];
      of_x[i] = of_h + of_theta * n.beta * (1 - tanhs[i] * tanhs[i]) +
                (2 * s - 1) * of_push * drive[i] + of_gate * n.alpha / n.one;
      of_u[i] = n.decay * of_h;
      of_r[i] = n.memory ? of_push * m.kept[i] / n.gate_one : 0.;
    }
    of_alpha += sum_alpha / n.one;
    of_beta += sum_beta * n.one;
  }
};

// A row of a tile, with zeros behind it, and back.
template <class F> void widen(const F *from, int64_t count, double *to) {
  std::fill(std::copy(from, from + count, to), to + TILE, 0.);
}
template <class F> void narrow(const double *from, int64_t count, F *to) {
  for (int64_t i = 0; i < count; ++i) to[i] = F(from[i]);
}

template <class F> void forward(const Call &call, const Neuron &neuron, const F *x, F *spikes) {
  for_tiles(call.size, TILE, call.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Arlif arlif{neuron};
    double u[TILE] = {}, r[TILE] = {}, now[TILE], fired[TILE];
    Moment unused;
    for (int64_t t = 0; t < call.steps; ++t) {
      widen(x + t * call.stride + begin, count, now);
      arlif.step(now, u, r, unused, fired);
      narrow(fired, count, spikes + t * call.size + begin);
    }
  });
}

template <class F>
void backward(const Call &call, const Neuron &neuron, const F *x, const F *of_spikes, F *of_x,
              double *of_parameters) {
  std::vector<double> sums(size_t((call.size + TILE - 1) / TILE * 2));
  for_tiles(call.size, TILE, call.threads, [&](int64_t begin, int64_t count, int64_t number) {
    const Arlif arlif{neuron};
    static thread_local std::vector<Moment> moments;
    moments.resize(size_t(call.steps));
    double u[TILE] = {}, r[TILE] = {}, now[TILE], fired[TILE];
    for (int64_t t = 0; t < call.steps; ++t) {
      widen(x + t * call.stride + begin, count, now);
      arlif.step(now, u, r, moments[size_t(t)], fired);
    }
    double of_u[TILE] = {}, of_r[TILE] = {}, of_spike[TILE], of_now[TILE];
    double *of_alpha = &sums[size_t(number * 2)];
    for (int64_t t = call.steps - 1; t >= 0; --t) {
      widen(x + t * call.stride + begin, count, now);
      widen(of_spikes + t * call.size + begin, count, of_spike);
      arlif.gradient(now, of_spike, moments[size_t(t)], of_u, of_r, of_now, of_alpha[0],
                     of_alpha[1]);
      narrow(of_now, count, of_x + t * call.size + begin);
    }
    free_if_large(moments);
  });
  for (size_t i = 0; i < sums.size(); ++i) of_parameters[i % 2] += sums[i];
}

} // namespace

extern "C" {

// What arlif/kernels/quantized.py repeats.
int64_t arlif_quantized_layout[] = {sizeof(Table), sizeof(Neuron), sizeof(Call)};

void arlif_quantized_forward(int is_double, const Call *call, const Neuron *neuron, const void *x,
                             void *spikes) {
  if (is_double) forward(*call, *neuron, (const double *)x, (double *)spikes);
  else forward(*call, *neuron, (const float *)x, (float *)spikes);
}

// of_parameters: of alpha and beta, added to what is there.
void arlif_quantized_backward(int is_double, const Call *call, const Neuron *neuron, const void *x,
                              const void *of_spikes, void *of_x, double *of_parameters) {
  if (is_double)
    backward(*call, *neuron, (const double *)x, (const double *)of_spikes, (double *)of_x,
             of_parameters);
  else
    backward(*call, *neuron, (const float *)x, (const float *)of_spikes, (float *)of_x,
             of_parameters);
}
}

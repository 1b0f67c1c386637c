// The update of a population of integer neurons over T time steps, in one pass over memory.
// Equal to arlif/core/steps.py on arlif.core.ops.IntegerOps in every bit; tests hold it to that.
// Called from Python through ctypes (arlif/kernels/integer_update.py).
#include "narrow_neurons.h"

#include <cmath>
#include <type_traits>

namespace {

// Accumulators [steps or 1, size]; spikes [steps, size]; state [states, size], written, and read
// first unless `fresh`: then it starts at 0; history [states, steps, size] or null. Channel of an
// element: (index / inner) % channels.
struct Arrays {
  int64_t steps, size, threads, channels, inner, accumulator_stride, fresh;
  const int32_t *gain, *bias;
  int32_t gain_shift;
  int32_t *state;
  uint8_t *spikes;
  int32_t *history;
};

// Copies `rows` rows of `count` numbers.
template <class To, class From>
void copy_rows(To *to, int64_t to_stride, const From *from, int64_t from_stride, int64_t rows,
               int64_t count) {
  for (int64_t k = 0; k < rows; ++k)
    std::copy(from + k * from_stride, from + k * from_stride + count, to + k * to_stride);
}

// Writes the gain and bias of every neuron of a tile that begins at `begin`.
void expand(const Arrays &a, int64_t begin, int64_t count, float *gain, int32_t *bias) {
  const float unit = std::ldexp(1.f, -a.gain_shift);
  const int64_t step = a.inner == 1; // a run has one channel each, or all of it one channel
  int64_t channel = begin / a.inner % a.channels, left = a.inner - begin % a.inner;
  for (int64_t i = 0, run; i < count; i += run) {
    run = std::min(count - i, step ? a.channels - channel : left);
    for (int64_t k = 0; k < run; ++k) {
      gain[i + k] = float(a.gain[channel + step * k]) * unit;
      bias[i + k] = a.bias[channel + step * k];
    }
    channel = step ? 0 : (channel + 1) % a.channels, left = a.inner;
  }
}

// Input currents. R holds the products of sums and gains, which are divided by a power of two:
// R may be a floating type, whose conversion to integers rounds toward zero as the steps do.
template <class R, class A, class Lane>
void currents(const A *in, const float *gain, const int32_t *bias, const Constants &c,
              int64_t count, Lane *x) {
  using Sum = std::conditional_t<sizeof(R) == 4, int32_t, int64_t>;
  const Sum low = c.low, high = c.high;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i)
    x[i] = Lane(clamped<Sum>(Sum(R(in[i]) * R(gain[i])) + bias[i], low, high));
}

// Whether products of these sums with 8-bit gains are exact in float32.
template <class A> bool exact_in_float32(const A *in, int64_t count) {
  constexpr int32_t limit = 1 << 16;
  int32_t outside = 0;
  for (int64_t i = 0; i < count; ++i) outside |= (in[i] < -limit) | (in[i] > limit);
  return !outside;
}

template <class Neuron, class A>
void run(const Neuron &from, const Constants &c, const Arrays &a, const A *acc) {
  using Lane = typename Neuron::Lane;
  constexpr int64_t tile = Neuron::tile;
  constexpr int states = Neuron::states;
  for_tiles(a.size, tile, a.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Neuron neuron = from;
    float gain[tile];
    int32_t bias[tile];
    Lane x[tile] = {}, derived[Neuron::derived * tile], now[states * tile] = {}, fired[tile];
    if (!a.fresh) copy_rows(now, tile, a.state + begin, a.size, states, count);
    expand(a, begin, count, gain, bias);
    for (int64_t t = 0; t < a.steps; ++t) {
      if (t == 0 || a.accumulator_stride) {
        const A *in = acc + t * a.accumulator_stride + begin;
        if (exact_in_float32(in, count)) currents<float>(in, gain, bias, c, count, x);
        else currents<double>(in, gain, bias, c, count, x);
        neuron.derive(x, count, derived);
      }
      neuron.step(derived, count, now, fired);
      std::copy(fired, fired + count, a.spikes + t * a.size + begin);
      if (a.history)
        copy_rows(a.history + t * a.size + begin, a.steps * a.size, now, tile, states, count);
    }
    copy_rows(a.state + begin, a.size, now, tile, states, count);
  });
}

#if defined(__AVX512BW__)
template <class Neuron, class A>
bool run_narrow(const Constants &c, const Arrays &a, const A *acc) {
  if (!Neuron::applies(c)) return false;
  run(Neuron(c), c, a, acc);
  return true;
}

template <class A>
bool with_narrow_neuron(int kind, const Constants &c, const Arrays &a, const A *acc) {
  switch (kind) {
  case ARLIF: return run_narrow<NarrowArlif<true>>(c, a, acc);
  case ARLIF_WITHOUT_MEMORY: return run_narrow<NarrowArlif<false>>(c, a, acc);
  case LIF_SOFT: return run_narrow<NarrowLif<LIF_SOFT>>(c, a, acc);
  case LIF_HARD: return run_narrow<NarrowLif<LIF_HARD>>(c, a, acc);
  case LIF_SUBTRACT: return run_narrow<NarrowLif<LIF_SUBTRACT>>(c, a, acc);
  }
  return false;
}
#else
template <class A> bool with_narrow_neuron(int, const Constants &, const Arrays &, const A *) {
  return false;
}
#endif

template <class W, class A>
void with_neuron(int kind, const Constants &c, const Arrays &a, const A *acc) {
  if ((kind == ARLIF || kind == ARLIF_WITHOUT_MEMORY) && Joined::applies(c)) {
    const Joined tables(c);
    if (kind == ARLIF) return run(Arlif<W, true, true>{{c}, tables.values}, c, a, acc);
    return run(Arlif<W, false, true>{{c}, tables.values}, c, a, acc);
  }
  switch (kind) {
  case ARLIF: return run(Arlif<W, true, false>{{c}}, c, a, acc);
  case ARLIF_WITHOUT_MEMORY: return run(Arlif<W, false, false>{{c}}, c, a, acc);
  case LIF_SOFT: return run(Lif<W, LIF_SOFT>{{c}}, c, a, acc);
  case LIF_HARD: return run(Lif<W, LIF_HARD>{{c}}, c, a, acc);
  case LIF_SUBTRACT: return run(Lif<W, LIF_SUBTRACT>{{c}}, c, a, acc);
  }
}

} // namespace

// What arlif/kernels/integer_update.py repeats.
extern "C" {
int64_t arlif_integer_layout[] = {sizeof(Table), sizeof(Constants), sizeof(Arrays)};
}

// wide: whether products of state and factor need 64 bits. real: accumulators are float32.
extern "C" void arlif_integer(int kind, int wide, int real, const Constants *c,
                              const Arrays *arrays, const void *accumulators) {
  const auto with_accumulators = [&](auto *acc) {
    if (with_narrow_neuron(kind, *c, *arrays, acc)) return;
    if (wide) with_neuron<int64_t>(kind, *c, *arrays, acc);
    else with_neuron<int32_t>(kind, *c, *arrays, acc);
  };
  if (real) with_accumulators((const float *)accumulators);
  else with_accumulators((const int32_t *)accumulators);
}

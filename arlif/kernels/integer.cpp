// The update of a population of integer neurons over T time steps, in one pass over memory.
// Equal to arlif/core/steps.py on arlif.core.ops.IntegerOps in every bit; tests hold it to that.
// Called from Python through ctypes (arlif/kernels/integer.py).
#include "tiles.h"

namespace {

struct Table {
  const int32_t *values;
  int32_t low, high, shift;
};

// A neuron's constants, in the order in which arlif/kernels/integer.py lays them out.
struct Constants {
  int32_t low, high, factor_bits, decay, threshold;
  Table thresholds, gates, drives, resets;
};

// value factor / 2**bits, rounded toward zero; W holds the product.
template <class W> inline W multiply(int32_t value, int32_t factor, int32_t bits) {
  const W product = W(value) * factor;
  return (product + ((product >> (8 * sizeof(W) - 1)) & ((W(1) << bits) - 1))) >> bits;
}

// By value: std::clamp's references keep a compiler from vectorising.
template <class V> inline V clamped(V value, V low, V high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

template <class W> struct Arithmetic {
  const Constants c;  // by value: stores of spikes may alias what is behind a reference

  template <class V> int32_t saturate(V value) const {
    return int32_t(clamped<V>(value, c.low, c.high));
  }
  int32_t scale(int32_t value, int32_t factor) const {
    return int32_t(multiply<W>(value, factor, c.factor_bits));
  }
  int32_t lookup(const Table &table, int32_t x) const {
    const uint32_t inside = clamped(x, table.low, table.high);
    return table.values[(inside - uint32_t(table.low)) >> table.shift];
  }
};

// The three tables of x in one, where they have one domain and their values fit: an entry is
// threshold (12 bits), drive (10 bits), gate (10 bits). Gathers are what an update costs most.
struct Joined {
  int32_t values[1024];

  static bool applies(const Constants &c) {
    const auto &[values, low, high, shift] = c.thresholds;
    for (const Table *other : {&c.drives, &c.gates})
      if (other->low != low || other->high != high || other->shift != shift) return false;
    for (int64_t i = 0, n = entries(c); i < n; ++i)
      if (values[i] < -2048 || values[i] > 2047 || uint32_t(c.drives.values[i]) > 1023 ||
          uint32_t(c.gates.values[i]) > 1023)
        return false;
    return true;
  }
  explicit Joined(const Constants &c) {
    for (int64_t i = 0, n = entries(c); i < n; ++i)
      values[i] = int32_t(uint32_t(c.thresholds.values[i]) << 20 |
                          uint32_t(c.drives.values[i]) << 10 | uint32_t(c.gates.values[i]));
  }
  static int64_t entries(const Constants &c) {
    return ((int64_t(c.thresholds.high) - c.thresholds.low) >> c.thresholds.shift) + 1;
  }
};

template <class W, bool memory, bool joined> struct Arlif : Arithmetic<W> {
  static constexpr int states = 2;
  const int32_t *entries = nullptr;  // of Joined

  bool step(int32_t x, int32_t *state) const {
    const Constants &c = this->c;
    const int32_t h = this->saturate(this->scale(state[0], c.decay) + x);
    int32_t theta, drive, gate = 0;
    if constexpr (joined) {
      const Table table{entries, c.thresholds.low, c.thresholds.high, c.thresholds.shift};
      const int32_t entry = this->lookup(table, x);
      theta = entry >> 20, drive = entry >> 10 & 1023, gate = entry & 1023;
    } else {
      theta = this->lookup(c.thresholds, x), drive = this->lookup(c.drives, x);
      if constexpr (memory) gate = this->lookup(c.gates, x);
    }
    const bool fired = h >= theta;
    int32_t push = fired ? drive : -drive;
    if constexpr (memory) {
      const int32_t r = state[1];
      push += this->scale(r, r >= 0 ? gate : (1 << c.factor_bits) - gate);
    }
    state[1] = this->saturate(push);
    const int32_t removed = theta + this->lookup(c.resets, state[1]);
    state[0] = this->saturate(h - (fired ? removed : 0));
    return fired;
  }
};

template <class W, bool hard> struct Lif : Arithmetic<W> {
  static constexpr int states = 1;

  bool step(int32_t x, int32_t *state) const {
    const int32_t h = this->saturate(this->scale(state[0], this->c.decay) + x);
    const bool fired = h >= this->c.threshold;
    state[0] = fired ? (hard ? 0 : this->saturate(h - this->c.threshold)) : h;
    return fired;
  }
};

// Accumulators [steps or 1, size]; spikes [steps, size]; state [states, size], read and written;
// history [states, steps, size] or null. Channel of an element: (index / inner) % channels.
struct Arrays {
  int64_t steps, size, threads, channels, inner, accumulator_stride;
  const int32_t *gain, *bias;
  int32_t gain_shift;
  int32_t *state;
  uint8_t *spikes;
  int32_t *history;
};

// Copies `rows` rows of `count` numbers.
void copy_rows(int32_t *to, int64_t to_stride, const int32_t *from, int64_t from_stride,
               int64_t rows, int64_t count) {
  for (int64_t k = 0; k < rows; ++k)
    std::copy(from + k * from_stride, from + k * from_stride + count, to + k * to_stride);
}

// Currents of `count` neurons; W holds the products of sums and gains.
template <class W, class Neuron, class A>
void currents(const Neuron &neuron, const A *in, const int32_t *gain, const int32_t *bias,
              int32_t gain_shift, int64_t count, int32_t *x) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i)
    x[i] = neuron.saturate(multiply<W>(int32_t(in[i]), gain[i], gain_shift) + bias[i]);
}

// Whether products of these sums with 8-bit gains, and their rounding, stay within 32 bits.
template <class A> bool narrow(const A *in, int64_t count, int32_t gain_shift) {
  constexpr int32_t limit = 1 << 22;
  int32_t outside = gain_shift > 29;
  for (int64_t i = 0; i < count; ++i) outside |= (in[i] < -limit) | (in[i] > limit);
  return !outside;
}

template <class Neuron, class A>
void run(const Neuron &from, const Arrays &a, const A *acc) {
  constexpr int64_t tile = 1024;
  constexpr int states = Neuron::states;
  for_tiles(a.size, tile, a.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Neuron neuron = from;
    int32_t now[states * tile], gain[tile], bias[tile], x[tile], fired[tile];
    copy_rows(now, tile, a.state + begin, a.size, states, count);
    int64_t channel = begin / a.inner % a.channels, left = a.inner - begin % a.inner;
    for (int64_t i = 0; i < count; ++i) {
      gain[i] = a.gain[channel], bias[i] = a.bias[channel];
      if (--left == 0) left = a.inner, channel = channel + 1 < a.channels ? channel + 1 : 0;
    }
    for (int64_t t = 0; t < a.steps; ++t) {
      if (t == 0 || a.accumulator_stride) {
        const A *in = acc + t * a.accumulator_stride + begin;
        if (narrow(in, count, a.gain_shift))
          currents<int32_t>(neuron, in, gain, bias, a.gain_shift, count, x);
        else
          currents<int64_t>(neuron, in, gain, bias, a.gain_shift, count, x);
      }
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        int32_t s[states];
        for (int k = 0; k < states; ++k) s[k] = now[k * tile + i];
        fired[i] = neuron.step(x[i], s);
        for (int k = 0; k < states; ++k) now[k * tile + i] = s[k];
      }
      std::copy(fired, fired + count, a.spikes + t * a.size + begin);
      if (a.history)
        copy_rows(a.history + t * a.size + begin, a.steps * a.size, now, tile, states, count);
    }
    copy_rows(a.state + begin, a.size, now, tile, states, count);
  });
}

template <class W, class A>
void with_neuron(int neuron, const Constants &c, const Arrays &a, const A *acc) {
  if (neuron < 2 && Joined::applies(c)) {
    const Joined tables(c);
    if (neuron == 0) return run(Arlif<W, true, true>{{c}, tables.values}, a, acc);
    return run(Arlif<W, false, true>{{c}, tables.values}, a, acc);
  }
  switch (neuron) {
  case 0: return run(Arlif<W, true, false>{{c}}, a, acc);
  case 1: return run(Arlif<W, false, false>{{c}}, a, acc);
  case 2: return run(Lif<W, false>{{c}}, a, acc);
  case 3: return run(Lif<W, true>{{c}}, a, acc);
  }
}

} // namespace

// wide: whether products of state and factor need 64 bits. real: accumulators are float32.
extern "C" void arlif_integer(int neuron, int wide, int real, const Constants *c,
                              const Arrays *arrays, const void *accumulators) {
  const auto with_accumulators = [&](auto *acc) {
    if (wide) with_neuron<int64_t>(neuron, *c, *arrays, acc);
    else with_neuron<int32_t>(neuron, *c, *arrays, acc);
  };
  if (real) with_accumulators((const float *)accumulators);
  else with_accumulators((const int32_t *)accumulators);
}

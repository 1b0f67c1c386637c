// Integers that train, as whole numbers in float vectors, where each of them is exact. Factors are
// in units of 1. Neurons in the namespace `quantized` (arlif/kernels/quantized_printer.py) read it.
#pragma once
#include "vectors.h"

namespace quantized {

template <class F> struct WholeOf { typedef int32_t type __attribute__((vector_size(4 * lanes<F>))); };

// What every neuron of a call reads: its tables [tables, entries] in the compute type, which have
// one domain, and the state format. Repeated in arlif/kernels/quantized.py.
struct Held {
  const void *values;
  int64_t entries, first, shift, low, high;
};

template <class F> struct Integers {
  using V = Vector<F>;
  using Whole = typename WholeOf<F>::type;
  const F *values;
  const F first, last, low, high;
  const int32_t entries, origin, shift;

  explicit Integers(const void *held) : Integers(*static_cast<const Held *>(held)) {}
  explicit Integers(const Held &h)
      : values(static_cast<const F *>(h.values)), first(F(h.first)),
        last(F(h.first + (h.entries << h.shift) - 1)), low(F(h.low)), high(F(h.high)),
        entries(int32_t(h.entries)), origin(int32_t(h.first)), shift(int32_t(h.shift)) {}

  // value * factor, rounded toward zero; fits 32 bits.
  INLINE V product(V value, V factor) const {
    return __builtin_convertvector(__builtin_convertvector(value * factor, Whole), V);
  }
  INLINE V saturate(V x) const { return at_least(at_most(x, high), low); }
  INLINE V inside(V x, V gradient) const { return (x >= low) & (x <= high) ? gradient : V{}; }
  INLINE V read(int table, V x) const {
    const V within = at_least(at_most(x, last), first);
    const Whole cells = (__builtin_convertvector(within, Whole) - origin) >> shift;
    const F *const from = values + table * int64_t(entries);
    V found;
    for (int i = 0; i < lanes<F>; ++i) found[i] = from[cells[i]];
    return found;
  }
};

// Slopes need no more digits than float has: functions of doubles are computed in it.
typedef float Half __attribute__((vector_size(VECTOR_BYTES / 2)));
INLINE Half narrow(Vector<double> x) { return __builtin_convertvector(x, Half); }
INLINE Vector<double> widen(Half x) { return __builtin_convertvector(x, Vector<double>); }

INLINE Vector<double> exp_minus(Vector<double> x) { return widen(::exp_minus(narrow(x))); }
INLINE Vector<double> exp_minus_wide(Vector<double> x) { return widen(::exp_minus_wide(narrow(x))); }
INLINE Vector<double> exponential(Vector<double> x) { return widen(::exponential(narrow(x))); }
INLINE Vector<float> exp_minus(Vector<float> x) { return ::exp_minus(x); }
INLINE Vector<float> exp_minus_wide(Vector<float> x) { return ::exp_minus_wide(x); }
INLINE Vector<float> exponential(Vector<float> x) { return ::exponential(x); }

} // namespace quantized

// Input currents of a tile of neurons: saturate(round_to_zero(sum gain) + bias).
#pragma once

#include "integer_lanes.h"

#include <type_traits>

// One number for each of `period` neurons, again and again.
template <class T> struct Repeated {
  const T *values;
  int64_t period;
};

// Where the gains over 2**left are whole in units of 2**-16 and below 1, and biases fit 16 bits, both
// are there in 16 bits, too; else null.
struct Weights {
  Repeated<float> gain;
  Repeated<int32_t> bias;
  Repeated<uint16_t> small_gain;
  Repeated<int16_t> small_bias;
  int64_t left;
};

// The numbers of the neurons of a tile that begins at `begin`.
template <class T, class To>
void expand(const Repeated<T> &from, int64_t begin, int64_t count, To *to) {
  int64_t at = begin % from.period;
  for (int64_t i = 0, run; i < count; i += run, at = 0) {
    run = std::min(count - i, from.period - at);
    std::copy(from.values + at, from.values + at + run, to + i);
  }
}

template <class Lanes> class Currents {
  using Lane = typename Lanes::Lane;
  static constexpr bool narrow = sizeof(Lane) == sizeof(int16_t);
  static constexpr int64_t tile = Lanes::tile, room = narrow ? tile : 0;

  const Weights &weights;
  const Lanes &lanes;
  const Numbers &numbers;
  const int64_t begin, count;
  bool expanded = false; // gain and bias, when they are needed
  float gain[tile];
  int32_t bias[tile];
  alignas(64) int16_t small_gain[room + 1], small_bias[room + 1], sums[room + 1] = {};

public:
  Currents(const Weights &weights, const Lanes &lanes, const Numbers &numbers, int64_t begin,
           int64_t count)
      : weights(weights), lanes(lanes), numbers(numbers), begin(begin), count(count) {
    if (!narrow || !weights.small_gain.values) return;
    expand(weights.small_gain, begin, count, small_gain);
    expand(weights.small_bias, begin, count, small_bias);
  }

  // x: as many as whole vectors hold, of which what is beyond the tile means nothing.
  template <class A> [[gnu::noinline]] void of(const A *in, Lane *x) {
    if constexpr (narrow && std::is_integral_v<A>)
      if (weights.small_gain.values)
        if (const int16_t *small = in_16_bits(in))
          if (weights.left ? by_moved(small, x) : by_16_bits(small, x)) return;
    if (!expanded) {
      expand(weights.gain, begin, count, gain);
      expand(weights.bias, begin, count, bias);
      expanded = true;
    }
    if (exact_in_float32(in)) by<float>(in, x);
    else by<double>(in, x);
  }

private:
  // The sums in whole vectors of 16 bits; null where some leaves them.
  const int16_t *in_16_bits(const int16_t *in) {
    if (count % Lanes::lanes == 0) return in;
    std::copy(in, in + count, sums);
    return sums;
  }
  const int16_t *in_16_bits(const int32_t *in) {
    uint32_t outside = 0;
    for (int64_t i = 0; i < count; ++i) {
      outside |= uint32_t(in[i]) + (1 << 15);
      sums[i] = int16_t(in[i]);
    }
    return outside >> 16 ? nullptr : sums;
  }

  // Currents of sums of 16 bits; false where they need more on the way.
  bool by_16_bits(const int16_t *small, Lane *x) const {
    for (int64_t i = 0; i < count; i += Lanes::lanes) {
      const auto sum = lanes.load(small + i);
      const auto product = Lanes::upper(Lanes::size(sum), lanes.load(small_gain + i));
      lanes.store(x + i, lanes.current(product, sum, lanes.load(small_bias + i)));
    }
    return true; // a gain below 1 makes no sum larger
  }
  bool by_moved(const int16_t *small, Lane *x) const {
    const int left = int(weights.left);
    auto sizes = Lanes::number(0), products = sizes;
    for (int64_t i = 0; i < count; i += Lanes::lanes) {
      const auto sum = lanes.load(small + i), size = Lanes::size(sum);
      const auto product = Lanes::upper(Lanes::moved(size, left), lanes.load(small_gain + i));
      sizes = Lanes::either(sizes, size), products = Lanes::either(products, product);
      lanes.store(x + i, lanes.current(product, sum, lanes.load(small_bias + i)));
    }
    return Lanes::below(sizes, 16 - left) && Lanes::below(products, 15);
  }

  // Whether products of these sums with 8-bit gains are exact in float32.
  template <class A> bool exact_in_float32(const A *in) const {
    if constexpr (sizeof(A) == 2) return true;
    constexpr int32_t limit = 1 << 16;
    int32_t outside = 0;
    for (int64_t i = 0; i < count; ++i) outside |= (in[i] < -limit) | (in[i] > limit);
    return !outside;
  }

  // R holds the products of sums and gains, which are multiples of a power of two: a floating type,
  // whose conversion to integers rounds toward zero as the steps do.
  template <class R, class A> void by(const A *in, Lane *x) const {
    using Sum = std::conditional_t<sizeof(R) == 4, int32_t, int64_t>;
    const Sum low = numbers.low, high = numbers.high;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i)
      x[i] = Lane(clamped<Sum>(Sum(R(in[i]) * R(gain[i])) + bias[i], low, high));
  }
};

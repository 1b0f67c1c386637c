// Vectors as wide as the CPU's, exp(-x) on them, and how their numbers lie in memory.
// The arithmetic is that of GCC's and Clang's vector types: + - * / >= and ?: element by element.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#define INLINE [[gnu::always_inline]] inline

template <class F> struct VectorOf {
  typedef F type __attribute__((vector_size(VECTOR_BYTES)));
};
template <class F> using Vector = typename VectorOf<F>::type;
template <class F> constexpr int64_t lanes = VECTOR_BYTES / sizeof(F);

// |x|: all bits but the sign.
INLINE Vector<float> magnitude(Vector<float> x) {
  return (Vector<float>)((Vector<uint32_t>)x & 0x7fffffffu);
}
INLINE Vector<double> magnitude(Vector<double> x) {
  return (Vector<double>)((Vector<uint64_t>)x & 0x7fffffffffffffffu);
}

// x where a condition is true, else -x.
template <class Mask, class V> INLINE V flip(Mask condition, V x) {
#if defined(__AVX512F__)
  return condition ? x : -x;
#else
  return (V)((Mask)x ^ (~condition & (Mask)(-V{})));
#endif
}

// The smaller and the larger of x and a limit; NaN stays NaN.
template <class V, class F> INLINE V at_most(V x, F limit) { return x > limit ? V{} + limit : x; }
template <class V, class F> INLINE V at_least(V x, F limit) { return x < limit ? V{} + limit : x; }
// One instruction, which returns its second operand for NaN.
#if defined(__AVX512F__)
INLINE Vector<float> at_most(Vector<float> x, float limit) {
  return _mm512_min_ps(_mm512_set1_ps(limit), x);
}
INLINE Vector<float> at_least(Vector<float> x, float limit) {
  return _mm512_max_ps(_mm512_set1_ps(limit), x);
}
#elif defined(__AVX__)
INLINE Vector<float> at_most(Vector<float> x, float limit) {
  return _mm256_min_ps(_mm256_set1_ps(limit), x);
}
INLINE Vector<float> at_least(Vector<float> x, float limit) {
  return _mm256_max_ps(_mm256_set1_ps(limit), x);
}
#endif

// Where exp_minus ends. Below `lowest`, sigma(x) and tanh(x) are 0 and -1 to 1e-9 (float), and
// exp(-x)^4 is still finite; above `highest`, exp(-x) is as good as 0, but not denormal.
template <class F> constexpr F lowest = F(sizeof(F) == 4 ? -21 : -170);
template <class F> constexpr F highest = F(sizeof(F) == 4 ? 80 : 700);

// exp(-x) for x from -`highest` to `highest`. In float the relative error is below 2e-6 at the ends
// and 2e-7 around 0: 2**n 2**f with n = round(-x log2 e), and for 2**f a minimax polynomial of
// degree 5 over [-1/2, 1/2].
template <class V> INLINE V exp_minus_within(V x) {
  if constexpr (sizeof x[0] == sizeof(double)) {
    for (size_t i = 0; i < sizeof x / sizeof x[0]; ++i) x[i] = std::exp(-x[i]);
    return x;
  } else {
    typedef uint32_t Bits __attribute__((vector_size(sizeof(V))));
    constexpr float log2e = -1.44269504f;
    constexpr float shifter = 12582912.f + 127; // 1.5 2**23: rounds; 127: the exponent's bias
    const V shifted = x * log2e + shifter;
    const V f = x * log2e - (shifted - shifter);
    const V power = (V)((Bits)shifted << 23);
    V p = f * 0.00132028596f + 0.0096749533f;
    p = p * f + 0.0555104762f;
    p = p * f + 0.240221664f;
    p = p * f + 0.693146586f;
    p = p * f + 1.f;
    return p * power;
  }
}

// exp(-x) of the nearest x from `lowest` to `highest`; NaN stays NaN.
template <class V> INLINE V exp_minus(V x) {
  using F = std::remove_reference_t<decltype(x[0])>;
  return exp_minus_within(at_least(at_most(x, highest<F>), lowest<F>));
}

// exp(-x) of the nearest x from -`highest` to `highest`; NaN stays NaN.
template <class V> INLINE V exp_minus_wide(V x) {
  using F = std::remove_reference_t<decltype(x[0])>;
  return exp_minus_within(at_least(at_most(x, highest<F>), -highest<F>));
}

// exp(x); NaN stays NaN.
template <class V> INLINE V exponential(V x) {
  using F = std::remove_reference_t<decltype(x[0])>;
  constexpr F end = F(sizeof(F) == 4 ? 87 : 708);
  const V e = exp_minus_within(at_least(at_most(-x, end), -end));
  const V large = x > end ? V{} + std::numeric_limits<F>::infinity() : e;
  return x < -end ? V{} : large;
}

// x where it is finite, else 0.
template <class V> INLINE V finite(V x) {
  using F = std::remove_reference_t<decltype(x[0])>;
  return magnitude(x) <= std::numeric_limits<F>::max() ? x : V{};
}

// Gradients of v from that of the spike [v >= 0] by the surrogates of arlif.arithmetic.surrogates:
// 0 outside, also where a gradient is infinite or not a number.
template <class F> struct Rectangle {
  F half_width, height;
  explicit Rectangle(F width) : half_width(width / 2), height(1 / width) {}
  INLINE Vector<F> operator()(Vector<F> v, Vector<F> of_spike) const {
    return magnitude(v) <= half_width ? height * of_spike : Vector<F>{};
  }
};
template <class F> struct Triangle {
  F width, steepness;
  explicit Triangle(F width) : width(width), steepness(1 / (width * width)) {}
  INLINE Vector<F> operator()(Vector<F> v, Vector<F> of_spike) const {
    const Vector<F> inside = width - magnitude(v);
    return inside > 0 ? inside * steepness * of_spike : Vector<F>{};
  }
};

struct BFloat16 {
  uint16_t bits;
};

// What a stored number is computed in.
template <class S> struct Compute { using type = S; };
template <> struct Compute<BFloat16> { using type = float; };

template <class S> INLINE Vector<S> load(const S *from) {
  Vector<S> x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
INLINE Vector<float> load(const BFloat16 *from) {
  Vector<uint32_t> bits;
  for (int i = 0; i < lanes<float>; ++i) bits[i] = uint32_t(from[i].bits) << 16;
  return (Vector<float>)bits;
}

template <class S> INLINE void store(S *to, Vector<S> x) { std::memcpy(to, &x, sizeof x); }
INLINE void store(BFloat16 *to, Vector<float> x) { // to nearest, ties to even
  const Vector<uint32_t> bits = (Vector<uint32_t>)x;
  const Vector<uint32_t> rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  for (int i = 0; i < lanes<float>; ++i)
    to[i].bits = uint16_t((bits[i] & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded[i]);
}

// As many weights of 8 bits as a vector holds numbers of 16.
INLINE Vector<int16_t> widened(const int8_t *weights) {
#if defined(__AVX512BW__) // GCC 12 takes five instructions to convert
  return (Vector<int16_t>)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)weights));
#elif defined(__AVX2__)
  return (Vector<int16_t>)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)weights));
#else
  typedef int8_t Weights __attribute__((vector_size(VECTOR_BYTES / 2)));
  Weights narrow;
  std::memcpy(&narrow, weights, sizeof narrow);
  return __builtin_convertvector(narrow, Vector<int16_t>);
#endif
}

// exp(-x) that a compiler can vectorise, and number types in memory.
#pragma once

#include <cmath>
#include <cstdint>

// Beyond this |x|, sigma(x) and tanh(x) are 0 or 1 to 5e-10 (float), and exp(-x)^4 stays finite.
template <class F> constexpr F range = 0;
template <> constexpr float range<float> = 21;
template <> constexpr double range<double> = 170;

// The nearest number within the range; NaN stays NaN. One comparison, as it is the costly part.
template <class F> inline F clamped(F x) {
  return std::fabs(x) > range<F> ? std::copysign(range<F>, x) : x;
}

// exp(-x) for |x| <= range, relative error below 2e-6 at the ends and 2e-7 around 0:
// 2**n 2**f with n = round(-x log2 e), 2**f a minimax polynomial of degree 5 over [-1/2, 1/2].
inline float exp_minus(float x) {
  constexpr float log2e = -1.44269504f;
  constexpr float shifter = 12582912.f + 127;  // 1.5 2**23: rounds; 127: the exponent's bias
  const float shifted = x * log2e + shifter;
  const float f = x * log2e - (shifted - shifter);
  const float power = __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, shifted) << 23);
  float p = 0.00132028596f;
  p = p * f + 0.0096749533f;
  p = p * f + 0.0555104762f;
  p = p * f + 0.240221664f;
  p = p * f + 0.693146586f;
  p = p * f + 1;
  return p * power;
}
inline double exp_minus(double x) { return std::exp(-x); }

struct BFloat16 {
  uint16_t bits;
};

// How a number lies in memory, and what it is computed in.
template <class S> struct Compute { using type = S; };
template <> struct Compute<BFloat16> { using type = float; };

template <class S> inline S load(S stored) { return stored; }
inline float load(BFloat16 stored) {
  return __builtin_bit_cast(float, uint32_t(stored.bits) << 16);
}

template <class S> inline void store(S *to, S value) { *to = value; }
inline void store(BFloat16 *to, float value) {  // to nearest, ties to even
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  to->bits = uint16_t(value != value ? 0x7fc0 : rounded);
}

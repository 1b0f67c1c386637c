// The steps of integer_steps.h in 16-bit lanes, for neurons whose numbers fit them.
//
// AVX-512 looks 64 numbers of 16 bits up in two registers at once, so four such look-ups and three
// choices replace the gathers of a table of up to 256 entries; sums saturate by themselves.
#pragma once

#include "integer_steps.h"

#if defined(__AVX512BW__)
#include <immintrin.h>

class NarrowArithmetic {
protected:
  using Vector = __m512i;
  static constexpr int64_t lanes = 32;

  // A table in eight registers.
  struct Cells {
    Vector values[8];
    Vector low, high;
    __m128i shift;

    explicit Cells(const Table &table)
        : low(_mm512_set1_epi16(int16_t(table.low))),
          high(_mm512_set1_epi16(int16_t(std::min(table.high, 32767)))),
          shift(_mm_cvtsi32_si128(table.shift)) {
      int16_t narrow[8 * lanes] = {};
      std::copy(table.values, table.values + table.entries(), narrow);
      for (int i = 0; i < 8; ++i) values[i] = load(narrow + i * lanes);
    }
    Vector index(Vector x) const {
      const Vector inside = _mm512_min_epi16(_mm512_max_epi16(x, low), high);
      return _mm512_srl_epi16(_mm512_sub_epi16(inside, low), shift);
    }
    Vector at(Vector index) const {
      const __mmask32 odd = _mm512_test_epi16_mask(index, _mm512_set1_epi16(64));
      const __mmask32 upper = _mm512_test_epi16_mask(index, _mm512_set1_epi16(128));
      const auto half = [&](const Vector *v) {
        return _mm512_mask_blend_epi16(odd, _mm512_permutex2var_epi16(v[0], index, v[1]),
                                       _mm512_permutex2var_epi16(v[2], index, v[3]));
      };
      return _mm512_mask_blend_epi16(upper, half(values), half(values + 4));
    }
  };

  const Vector low, high, bits, rest, decay;

  explicit NarrowArithmetic(const Constants &c)
      : low(_mm512_set1_epi16(int16_t(c.low))), high(_mm512_set1_epi16(int16_t(c.high))),
        bits(_mm512_set1_epi16(int16_t(c.factor_bits))),
        rest(_mm512_set1_epi16(int16_t(16 - c.factor_bits))),
        decay(_mm512_set1_epi16(int16_t(c.decay))) {}

  static Vector load(const int16_t *from) { return _mm512_loadu_si512(from); }
  static void store(int16_t *to, Vector value) { _mm512_storeu_si512(to, value); }
  static Vector minus_where(__mmask32 mask, Vector value) {
    return _mm512_mask_sub_epi16(value, mask, _mm512_setzero_si512(), value);
  }
  static Vector ones_where(__mmask32 mask) {
    return _mm512_maskz_mov_epi16(mask, _mm512_set1_epi16(1));
  }
  Vector saturate(Vector value) const {
    return _mm512_min_epi16(_mm512_max_epi16(value, low), high);
  }
  // value factor / 2**factor_bits toward zero: of the magnitude, then with the sign again.
  Vector scale(Vector value, Vector factor) const {
    const Vector magnitude = _mm512_abs_epi16(value);
    const Vector above = _mm512_sllv_epi16(_mm512_mulhi_epu16(magnitude, factor), rest);
    const Vector below = _mm512_srlv_epi16(_mm512_mullo_epi16(magnitude, factor), bits);
    return minus_where(_mm512_movepi16_mask(value), _mm512_or_si512(above, below));
  }

  static bool fits(const Constants &c) {
    return c.low >= -32768 && c.high <= 32767 && c.factor_bits <= 15;
  }
  static bool fits(const Table &table, int32_t limit) {
    if (table.entries() > 8 * lanes || table.low < -32768 || table.low > 32767 || table.shift > 15)
      return false;
    const int32_t *end = table.values + table.entries();
    return std::all_of(table.values, end, [&](int32_t v) { return v >= -limit && v <= limit; });
  }

public:
  using Lane = int16_t;
  static constexpr int64_t tile = 1024;
};

template <bool memory> class NarrowArlif : public NarrowArithmetic {
  const Cells thresholds, gates, drives, resets;

public:
  static constexpr int states = 2, derived = 4;

  // The threshold and what is subtracted beside it add up within 16 bits.
  static bool applies(const Constants &c) {
    return fits(c) && fits(c.thresholds, 16383) && fits(c.resets, 16383) &&
           fits(c.drives, 32767) && fits(c.gates, 32767) &&
           c.thresholds.same_cells(c.drives) && c.thresholds.same_cells(c.gates);
  }
  explicit NarrowArlif(const Constants &c)
      : NarrowArithmetic(c), thresholds(c.thresholds), gates(c.gates), drives(c.drives),
        resets(c.resets) {}

  void derive(const int16_t *from, int64_t count, int16_t *to) const {
    for (int64_t i = 0; i < count; i += lanes) {
      const Vector x = load(from + i), index = thresholds.index(x);
      store(to + i, x);
      store(to + tile + i, thresholds.at(index));
      store(to + 2 * tile + i, drives.at(index));
      if constexpr (memory) store(to + 3 * tile + i, gates.at(index));
    }
  }
  void step(const int16_t *from, int64_t count, int16_t *u, int16_t *fired) const {
    int16_t *r = u + tile;
    for (int64_t i = 0; i < count; i += lanes) {
      const Vector theta = load(from + tile + i), drive = load(from + 2 * tile + i);
      const Vector h = saturate(_mm512_adds_epi16(scale(load(u + i), decay), load(from + i)));
      const __mmask32 fires = _mm512_cmpge_epi16_mask(h, theta);
      Vector next = minus_where(_knot_mask32(fires), drive);
      if constexpr (memory) {
        const Vector old = load(r + i), gate = load(from + 3 * tile + i);
        const Vector one = _mm512_sllv_epi16(_mm512_set1_epi16(1), bits);
        const Vector kept = _mm512_mask_sub_epi16(gate, _mm512_movepi16_mask(old), one, gate);
        next = _mm512_adds_epi16(next, scale(old, kept));
      }
      next = saturate(next);
      const Vector removed = _mm512_add_epi16(theta, resets.at(resets.index(next)));
      store(r + i, next);
      store(u + i, saturate(_mm512_subs_epi16(h, _mm512_maskz_mov_epi16(fires, removed))));
      store(fired + i, ones_where(fires));
    }
  }
};

template <Kind kind> class NarrowLif : public NarrowArithmetic {
  const Vector threshold, raised, amount;

public:
  static constexpr int states = 1, derived = 1;

  static bool applies(const Constants &c) { return fits(c); }
  explicit NarrowLif(const Constants &c)
      : NarrowArithmetic(c), threshold(_mm512_set1_epi16(int16_t(c.threshold))),
        raised(_mm512_set1_epi16(int16_t(c.raised))),
        amount(_mm512_set1_epi16(int16_t(c.amount))) {}

  void derive(const int16_t *x, int64_t count, int16_t *to) const { std::copy(x, x + count, to); }
  void step(const int16_t *x, int64_t count, int16_t *u, int16_t *fired) const {
    for (int64_t i = 0; i < count; i += lanes) {
      const Vector old = load(u + i);
      const Vector h = saturate(_mm512_adds_epi16(scale(old, decay), load(x + i)));
      Vector reached = threshold;
      if constexpr (kind == LIF_SUBTRACT)
        reached = _mm512_mask_mov_epi16(reached, _mm512_cmpge_epi16_mask(old, threshold), raised);
      const __mmask32 fires = _mm512_cmpge_epi16_mask(h, reached);
      Vector left = _mm512_setzero_si512();
      if constexpr (kind != LIF_HARD) left = saturate(_mm512_subs_epi16(h, amount));
      store(u + i, _mm512_mask_mov_epi16(h, fires, left));
      store(fired + i, ones_where(fires));
    }
  }
};
#endif

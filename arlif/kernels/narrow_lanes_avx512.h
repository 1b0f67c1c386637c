// NarrowLanes (narrow_lanes.h) in the registers of AVX-512.
#pragma once

#include "integer_lanes.h"

#include <immintrin.h>

// 16 bits. AVX-512 looks 64 numbers up in two registers at once, so four such look-ups and three
// choices replace the gathers of a table of up to 256 entries.
template <bool usual> struct NarrowLanes {
  using Lane = int16_t;
  using Value = __m512i;
  using Condition = __mmask32;
  static constexpr int64_t tile = 1024, lanes = 32;

  // A constant factor: the part below 1 in units of 2**-16, and the whole part.
  struct Factor {
    Value below, whole;
  };
  // A table in eight registers.
  struct Cells {
    Value values[8];
    Value low, high;
    __m128i shift;
  };

  const Value low, high, bits, rest;
  const int32_t factor_bits;
  const int32_t *constants;
  const Cells *tables;

  NarrowLanes(const Numbers &n, const Cells *tables)
      : low(number(n.low)), high(number(n.high)), bits(number(n.factor_bits)),
        rest(number(16 - n.factor_bits)), factor_bits(n.factor_bits), constants(n.constants),
        tables(tables) {}
  static Cells cells(const Table &t) {
    int16_t narrow[8 * lanes] = {};
    std::copy(t.values, t.values + ((t.high - t.low) >> t.shift) + 1, narrow);
    Cells cells{{}, number(t.low), number(std::min(t.high, 32767)), _mm_cvtsi32_si128(t.shift)};
    for (int i = 0; i < 8; ++i) cells.values[i] = load(narrow + i * lanes);
    return cells;
  }

  static Value load(const Lane *from) { return _mm512_loadu_si512(from); }
  static void store(Lane *to, Value value) { _mm512_storeu_si512(to, value); }
  static void store(Lane *to, Condition c) { store(to, _mm512_maskz_mov_epi16(c, number(1))); }
  static Value number(int32_t value) { return _mm512_set1_epi16(int16_t(value)); }
  Value constant(int k) const { return number(constants[k]); }
  Factor factor(int k) const {
    const uint32_t factor = uint32_t(constants[k]);
    return {number(int32_t(factor << (16 - factor_bits))), number(constants[k] >> factor_bits)};
  }
  Cells table(int k) const { return tables[k]; }

  static Value plus(Value a, Value b) { return _mm512_add_epi16(a, b); }
  static Value minus(Value a, Value b) { return _mm512_sub_epi16(a, b); }
  static Value plus_within(Value a, Value b) { return _mm512_adds_epi16(a, b); }
  static Value minus_within(Value a, Value b) { return _mm512_subs_epi16(a, b); }
  static Condition reaches(Value a, Value b) { return _mm512_cmpge_epi16_mask(a, b); }
  static Value choose(Condition c, Value a, Value b) { return _mm512_mask_mov_epi16(b, c, a); }
  static Value only(Condition c, Value a) { return _mm512_maskz_mov_epi16(c, a); }
  static Value unless(Condition c, Value a) { return _mm512_maskz_mov_epi16(~c, a); }
  static Value flip(Condition c, Value a) {
    return _mm512_mask_sub_epi16(a, ~c, _mm512_setzero_si512(), a);
  }
  Value saturate(Value value) const {
    return usual ? value : _mm512_min_epi16(_mm512_max_epi16(value, low), high);
  }
  static Value with_sign(Value size, Value of) { return flip(~_mm512_movepi16_mask(of), size); }
  static Value size(Value value) { return _mm512_abs_epi16(value); }
  // The upper halves of products of numbers without a sign.
  static Value upper(Value a, Value b) { return _mm512_mulhi_epu16(a, b); }
  static Value moved(Value value, int left) {
    return _mm512_sll_epi16(value, _mm_cvtsi32_si128(left));
  }
  static Value either(Value a, Value b) { return _mm512_or_si512(a, b); }
  // Whether all bits from that one on are 0.
  static bool below(Value value, int bit) {
    return !_mm512_test_epi16_mask(value, number(int32_t(0xffffu << bit)));
  }
  // The product of a sum and a gain, with the sum's sign, plus a bias.
  Value current(Value product, Value sum, Value bias) const {
    return saturate(plus_within(with_sign(product, sum), bias));
  }
  Value multiply(Value value, Value factor) const { // of the magnitude, then with the sign again
    const Value magnitude = size(value);
    const Value above = _mm512_sllv_epi16(upper(magnitude, factor), rest);
    const Value below = _mm512_srlv_epi16(_mm512_mullo_epi16(magnitude, factor), bits);
    return with_sign(_mm512_or_si512(above, below), value);
  }
  Value scaled(Value value, Factor factor) const {
    const Value magnitude = size(value);
    Value product = upper(magnitude, factor.below);
    if (!usual) product = plus(product, _mm512_mullo_epi16(magnitude, factor.whole));
    return with_sign(product, value);
  }
  static Value entry(const Cells &table, Value x) {
    const Value inside = _mm512_min_epi16(_mm512_max_epi16(x, table.low), table.high);
    return _mm512_srl_epi16(_mm512_sub_epi16(inside, table.low), table.shift);
  }
  static Value field(const Cells &table, Value index) {
    const Condition odd = _mm512_test_epi16_mask(index, number(64));
    const Condition upper = _mm512_test_epi16_mask(index, number(128));
    const auto half = [&](const Value *v) {
      return choose(odd, _mm512_permutex2var_epi16(v[2], index, v[3]),
                    _mm512_permutex2var_epi16(v[0], index, v[1]));
    };
    return choose(upper, half(table.values + 4), half(table.values));
  }
  static Value lookup(const Cells &table, Value x) { return field(table, entry(table, x)); }
};

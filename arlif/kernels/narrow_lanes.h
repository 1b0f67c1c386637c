// Lanes of 16 bits, where a neuron's proven intervals fit them (arlif/kernels/integer_widths.py).
#pragma once

#include "integer_lanes.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// `usual`: states have all of 16 bits, so that sums which saturate by themselves are saturated, and
// constant factors are below 1.

#if defined(__AVX512BW__)
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
  // A sum times a gain in units of 2**-16, plus a bias.
  Value current(Value sum, Value gain, Value bias) const {
    const Value product = _mm512_mulhi_epu16(_mm512_abs_epi16(sum), gain);
    return saturate(plus_within(with_sign(product, sum), bias));
  }
  Value multiply(Value value, Value factor) const { // of the magnitude, then with the sign again
    const Value magnitude = _mm512_abs_epi16(value);
    const Value above = _mm512_sllv_epi16(_mm512_mulhi_epu16(magnitude, factor), rest);
    const Value below = _mm512_srlv_epi16(_mm512_mullo_epi16(magnitude, factor), bits);
    return with_sign(_mm512_or_si512(above, below), value);
  }
  Value scaled(Value value, Factor factor) const {
    const Value magnitude = _mm512_abs_epi16(value);
    Value product = _mm512_mulhi_epu16(magnitude, factor.below);
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

#elif defined(__AVX2__)

// 16 bits. Numbers of tables are gathered, those of joined ones by one gather for all.
template <bool joined, bool usual> struct GatheringLanes {
  using Lane = int16_t;
  using Value = __m256i;
  static constexpr int64_t tile = 1024, lanes = 16;

  struct Condition { // no bit of a lane, or all where it fails
    __m256i fails;
  };
  // A constant factor: the part below 1 in units of 2**-16, and the whole part.
  struct Factor {
    Value below, whole;
  };
  struct Cells {
    const int32_t *values;
    Value low, high;
    __m128i shift, left, right;
  };
  // 32 bits of each lane: values that tables share, or the number of a cell.
  struct Entry {
    __m256i even, odd;
  };

  const Value low, high;
  const __m128i bits, rest;
  const int32_t factor_bits;
  const int32_t *constants;
  const Cells *tables;

  GatheringLanes(const Numbers &n, const Cells *tables)
      : low(number(n.low)), high(number(n.high)), bits(_mm_cvtsi32_si128(n.factor_bits)),
        rest(_mm_cvtsi32_si128(16 - n.factor_bits)), factor_bits(n.factor_bits),
        constants(n.constants), tables(tables) {}
  static Cells cells(const Table &t) {
    const int32_t beyond = std::max(16 - t.right, 0); // bits of a field that a lane leaves out
    return {t.values, number(t.low), number(std::min(t.high, 32767)), _mm_cvtsi32_si128(t.shift),
            _mm_cvtsi32_si128(t.left + beyond), _mm_cvtsi32_si128(t.right + beyond - 16)};
  }

  static Value load(const Lane *from) {
    return _mm256_loadu_si256(reinterpret_cast<const Value *>(from));
  }
  static void store(Lane *to, Value value) {
    _mm256_storeu_si256(reinterpret_cast<Value *>(to), value);
  }
  static void store(Lane *to, Condition c) { store(to, only(c, number(1))); }
  static Value number(int32_t value) { return _mm256_set1_epi16(int16_t(value)); }
  Value constant(int k) const { return number(constants[k]); }
  Factor factor(int k) const {
    const uint32_t factor = uint32_t(constants[k]);
    return {number(int32_t(factor << (16 - factor_bits))), number(constants[k] >> factor_bits)};
  }
  Cells table(int k) const { return tables[k]; }

  static Value plus(Value a, Value b) { return _mm256_add_epi16(a, b); }
  static Value minus(Value a, Value b) { return _mm256_sub_epi16(a, b); }
  static Value plus_within(Value a, Value b) { return _mm256_adds_epi16(a, b); }
  static Value minus_within(Value a, Value b) { return _mm256_subs_epi16(a, b); }
  static Condition reaches(Value a, Value b) { return {_mm256_cmpgt_epi16(b, a)}; }
  static Value choose(Condition c, Value a, Value b) { return _mm256_blendv_epi8(a, b, c.fails); }
  static Value only(Condition c, Value a) { return _mm256_andnot_si256(c.fails, a); }
  static Value unless(Condition c, Value a) { return _mm256_and_si256(c.fails, a); }
  static Value flip(Condition c, Value a) {
    return minus(_mm256_xor_si256(a, c.fails), c.fails);
  }
  Value saturate(Value value) const {
    return usual ? value : _mm256_min_epi16(_mm256_max_epi16(value, low), high);
  }
  // A sum times a gain in units of 2**-16, plus a bias.
  Value current(Value sum, Value gain, Value bias) const {
    const Value product = _mm256_mulhi_epu16(_mm256_abs_epi16(sum), gain);
    return saturate(plus_within(_mm256_sign_epi16(product, sum), bias));
  }
  Value multiply(Value value, Value factor) const { // of the magnitude, then with the sign again
    const Value magnitude = _mm256_abs_epi16(value);
    const Value above = _mm256_sll_epi16(_mm256_mulhi_epu16(magnitude, factor), rest);
    const Value below = _mm256_srl_epi16(_mm256_mullo_epi16(magnitude, factor), bits);
    return _mm256_sign_epi16(_mm256_or_si256(above, below), value);
  }
  Value scaled(Value value, Factor factor) const {
    const Value magnitude = _mm256_abs_epi16(value);
    Value product = _mm256_mulhi_epu16(magnitude, factor.below);
    if (!usual) product = plus(product, _mm256_mullo_epi16(magnitude, factor.whole));
    return _mm256_sign_epi16(product, value);
  }
  static Entry read(const Cells &table, Entry cell) {
    return {_mm256_i32gather_epi32(table.values, cell.even, 4),
            _mm256_i32gather_epi32(table.values, cell.odd, 4)};
  }
  static Entry cell(const Cells &table, Value x) {
    const Value inside = _mm256_min_epi16(_mm256_max_epi16(x, table.low), table.high);
    const Value number = _mm256_srl_epi16(_mm256_sub_epi16(inside, table.low), table.shift);
    return {_mm256_blend_epi16(number, _mm256_setzero_si256(), ODD), _mm256_srli_epi32(number, 16)};
  }
  // The lower halves: factors need 16 bits without a sign, other values 16 with it.
  static Value narrow(Entry wide) {
    return _mm256_blend_epi16(wide.even, _mm256_slli_epi32(wide.odd, 16), ODD);
  }
  static Value lookup(const Cells &table, Value x) { return narrow(read(table, cell(table, x))); }
  static Entry entry(const Cells &table, Value x) {
    const Entry found = cell(table, x);
    return joined ? read(table, found) : found;
  }
  static Value field(const Cells &table, Entry entry) {
    if (!joined) return narrow(read(table, entry));
    const __m256i even = _mm256_srli_epi32(_mm256_sll_epi32(entry.even, table.left), 16);
    const __m256i odd = _mm256_sll_epi32(entry.odd, table.left);
    return _mm256_sra_epi16(_mm256_blend_epi16(even, odd, ODD), table.right);
  }

private:
  static constexpr int ODD = 0xaa; // of a blend of lanes of 16 bits
};
#endif

// The arithmetic that printed steps of integer neurons are written in, as lanes of two widths.
//
// A `Value` holds `lanes` integers, a `Condition` as many truths. `plus_within` and `minus_within`
// are sums that only saturate() reads, so they may saturate by themselves. entry() and field() read
// several tables that have the same cells: what is found once, and what each table has there.
#pragma once

#include "tiles.h"

// bits: joined tables share their values; a table's field is (value << left) >> right.
struct Table {
  const int32_t *values;
  int32_t low, high, shift, left, right;
};

// The numbers of a neuron that are one for the layer.
struct Numbers {
  int32_t low, high, factor_bits;
  const int32_t *constants;
  const Table *tables;
};

// By value: std::clamp's references keep a compiler from vectorising.
template <class V> inline V clamped(V value, V low, V high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

// 32 bits, one lane, which the compiler makes a vector of; W holds the products of two.
template <class W, bool joined> struct WideLanes {
  using Lane = int32_t;
  using Value = int32_t;
  using Condition = bool;
  using Cells = Table;
  static constexpr int64_t tile = 512, lanes = 1;
  const int32_t low, high, bits;
  const int32_t *constants;
  const Cells *tables;

  WideLanes(const Numbers &n, const Cells *tables)
      : low(n.low), high(n.high), bits(n.factor_bits), constants(n.constants), tables(tables) {}
  static Cells cells(const Table &table) { return table; }

  static Value load(const Lane *from) { return *from; }
  static void store(Lane *to, Value value) { *to = value; }
  static Value number(int32_t value) { return value; }
  Value constant(int k) const { return constants[k]; }
  Cells table(int k) const { return tables[k]; }

  static Value plus(Value a, Value b) { return a + b; }
  static Value minus(Value a, Value b) { return a - b; }
  static Value plus_within(Value a, Value b) { return a + b; }
  static Value minus_within(Value a, Value b) { return a - b; }
  static Condition reaches(Value a, Value b) { return a >= b; }
  static Value choose(Condition c, Value a, Value b) { return c ? a : b; }
  Value saturate(Value value) const { return clamped(value, low, high); }
  Value multiply(Value value, Value factor) const { // rounded toward zero
    const W rest = ((value ^ factor) >> 31) & ((1 << bits) - 1), product = W(value) * factor + rest;
    if (sizeof(W) == 8) return Value(uint64_t(product) >> bits); // whose lower half is what stays
    return Value(product >> bits);
  }
  static Value lookup(const Table &table, Value x) {
    const uint32_t inside = clamped(x, table.low, table.high);
    return table.values[(inside - uint32_t(table.low)) >> table.shift];
  }
  static Value entry(const Table &table, Value x) { return joined ? lookup(table, x) : x; }
  static Value field(const Table &table, Value entry) {
    return joined ? int32_t(uint32_t(entry) << table.left) >> table.right : lookup(table, entry);
  }
};

#if defined(__AVX512BW__)
#include <immintrin.h>

// 16 bits. AVX-512 looks 64 numbers up in two registers at once, so four such look-ups and three
// choices replace the gathers of a table of up to 256 entries.
struct NarrowLanes {
  using Lane = int16_t;
  using Value = __m512i;
  using Condition = __mmask32;
  static constexpr int64_t tile = 1024, lanes = 32;

  // A table in eight registers.
  struct Cells {
    Value values[8];
    Value low, high;
    __m128i shift;
  };

  const Value low, high, bits, rest;
  const int32_t *constants;
  const Cells *tables;

  NarrowLanes(const Numbers &n, const Cells *tables)
      : low(number(n.low)), high(number(n.high)), bits(number(n.factor_bits)),
        rest(number(16 - n.factor_bits)), constants(n.constants), tables(tables) {}
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
  Cells table(int k) const { return tables[k]; }

  static Value plus(Value a, Value b) { return _mm512_add_epi16(a, b); }
  static Value minus(Value a, Value b) { return _mm512_sub_epi16(a, b); }
  static Value plus_within(Value a, Value b) { return _mm512_adds_epi16(a, b); }
  static Value minus_within(Value a, Value b) { return _mm512_subs_epi16(a, b); }
  static Condition reaches(Value a, Value b) { return _mm512_cmpge_epi16_mask(a, b); }
  static Value choose(Condition c, Value a, Value b) { return _mm512_mask_mov_epi16(b, c, a); }
  Value saturate(Value value) const {
    return _mm512_min_epi16(_mm512_max_epi16(value, low), high);
  }
  Value multiply(Value value, Value factor) const { // of the magnitude, then with the sign again
    const Value magnitude = _mm512_abs_epi16(value);
    const Value above = _mm512_sllv_epi16(_mm512_mulhi_epu16(magnitude, factor), rest);
    const Value below = _mm512_srlv_epi16(_mm512_mullo_epi16(magnitude, factor), bits);
    const Value product = _mm512_or_si512(above, below);
    return choose(_mm512_movepi16_mask(value), minus(_mm512_setzero_si512(), product), product);
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
#endif

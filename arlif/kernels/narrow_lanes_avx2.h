// NarrowLanes (narrow_lanes.h) in the registers of AVX2.
#pragma once

#include "integer_lanes.h"

#include <immintrin.h>

// 16 bits, two vectors at a time. A shuffle looks 32 bytes up among 16 of a table. Cells that lie as
// far from the ends of a sigmoid's table, or of tanh's, add up to one number, or to one less. Where
// that is so, and a half is within 127, 8 shuffles and 7 choices replace 32 loads from memory.
template <bool usual> struct NarrowLanes {
  using Lane = int16_t;
  using Half = __m256i;
  static constexpr int64_t tile = 1024, lanes = 32;

  struct Value {
    Half a, b;
  };
  struct Condition { // no bit of a lane, or all where it fails
    Half a, b;
  };
  // A constant factor: the part below 1 in units of 2**-16, and the whole part.
  struct Factor {
    Value below, whole;
  };
  // A table's bytes by cells. folded: twice the numbers of the lower half, less `least`, and the 1
  // that a sum lacks; with all bits turned, plus `turned`, that is twice those of the upper half, or
  // 1 more. Else all lower bytes, then all upper ones.
  struct Cells {
    alignas(16) uint8_t rows[2][16][16];
    Half low, high, last, least, turned;
    __m128i shift;
    bool folded;
  };
  // Numbers of cells in bytes, from the first one and from the nearer end, whose bits 4 to 6 are the
  // highest of `bits`; where that end is the upper one, also in lanes.
  struct Entry {
    Half cells, nearer, bits[3], upper;
    Value upper_lanes;
  };

  const Half low, high;
  const __m128i bits, rest;
  const int32_t factor_bits;
  const int32_t *constants;
  const Cells *tables;

  NarrowLanes(const Numbers &n, const Cells *tables)
      : low(half(n.low)), high(half(n.high)), bits(_mm_cvtsi32_si128(n.factor_bits)),
        rest(_mm_cvtsi32_si128(16 - n.factor_bits)), factor_bits(n.factor_bits),
        constants(n.constants), tables(tables) {}
  static Cells cells(const Table &t) {
    const int32_t last = (t.high - t.low) >> t.shift, half_way = last / 2, *v = t.values;
    const auto [least, most] = std::minmax_element(v, v + half_way + 1);
    int32_t both = v[0] + v[last];
    for (int32_t i = 1; i <= half_way; ++i) both = std::max(both, v[i] + v[last - i]);
    const int32_t turned = both - *least;
    bool folded = *most - *least <= 127 && std::abs(*least) < 1 << 13 && std::abs(turned) < 1 << 13;
    for (int32_t i = 0; i <= half_way; ++i) folded &= v[i] + v[last - i] >= both - 1;
    Cells cells{{}, half(t.low), half(std::min(t.high, 32767)), _mm256_set1_epi8(char(last)),
                half(2 * *least), half(2 * turned + 1), _mm_cvtsi32_si128(t.shift), folded};
    for (int32_t i = 0; i <= (folded ? half_way : last); ++i) {
      const int32_t byte = folded ? 2 * (v[i] - *least) + both - v[i] - v[last - i] : v[i];
      cells.rows[0][i >> 4][i & 15] = uint8_t(byte);
      cells.rows[1][i >> 4][i & 15] = uint8_t(byte >> 8);
    }
    return cells;
  }

  static Value load(const Lane *from) {
    return {_mm256_loadu_si256(reinterpret_cast<const Half *>(from)),
            _mm256_loadu_si256(reinterpret_cast<const Half *>(from + lanes / 2))};
  }
  static void store(Lane *to, Value value) {
    _mm256_storeu_si256(reinterpret_cast<Half *>(to), value.a);
    _mm256_storeu_si256(reinterpret_cast<Half *>(to + lanes / 2), value.b);
  }
  static void store(Lane *to, Condition c) { store(to, only(c, number(1))); }
  static Half half(int32_t value) { return _mm256_set1_epi16(int16_t(value)); }
  static Value number(int32_t value) { return {half(value), half(value)}; }
  Value constant(int k) const { return number(constants[k]); }
  Factor factor(int k) const {
    const uint32_t factor = uint32_t(constants[k]);
    return {number(int32_t(factor << (16 - factor_bits))), number(constants[k] >> factor_bits)};
  }
  const Cells *table(int k) const { return tables + k; }

  static Value plus(Value a, Value b) {
    return {_mm256_add_epi16(a.a, b.a), _mm256_add_epi16(a.b, b.b)};
  }
  static Value minus(Value a, Value b) {
    return {_mm256_sub_epi16(a.a, b.a), _mm256_sub_epi16(a.b, b.b)};
  }
  static Value plus_within(Value a, Value b) {
    return {_mm256_adds_epi16(a.a, b.a), _mm256_adds_epi16(a.b, b.b)};
  }
  static Value minus_within(Value a, Value b) {
    return {_mm256_subs_epi16(a.a, b.a), _mm256_subs_epi16(a.b, b.b)};
  }
  static Condition reaches(Value a, Value b) {
    return {_mm256_cmpgt_epi16(b.a, a.a), _mm256_cmpgt_epi16(b.b, a.b)};
  }
  static Value choose(Condition c, Value a, Value b) {
    return {_mm256_blendv_epi8(a.a, b.a, c.a), _mm256_blendv_epi8(a.b, b.b, c.b)};
  }
  static Value only(Condition c, Value a) {
    return {_mm256_andnot_si256(c.a, a.a), _mm256_andnot_si256(c.b, a.b)};
  }
  static Value unless(Condition c, Value a) {
    return {_mm256_and_si256(c.a, a.a), _mm256_and_si256(c.b, a.b)};
  }
  static Value flip(Condition c, Value a) {
    return minus({_mm256_xor_si256(a.a, c.a), _mm256_xor_si256(a.b, c.b)}, {c.a, c.b});
  }
  static Half clamped(Half value, Half low, Half high) {
    return _mm256_min_epi16(_mm256_max_epi16(value, low), high);
  }
  Value saturate(Value value) const {
    return usual ? value : Value{clamped(value.a, low, high), clamped(value.b, low, high)};
  }
  static Value size(Value value) {
    return {_mm256_abs_epi16(value.a), _mm256_abs_epi16(value.b)};
  }
  // The upper and the lower halves of products of numbers without a sign.
  static Value upper(Value a, Value b) {
    return {_mm256_mulhi_epu16(a.a, b.a), _mm256_mulhi_epu16(a.b, b.b)};
  }
  static Value lower(Value a, Value b) {
    return {_mm256_mullo_epi16(a.a, b.a), _mm256_mullo_epi16(a.b, b.b)};
  }
  static Value moved(Value value, int left) {
    const __m128i bits = _mm_cvtsi32_si128(left);
    return {_mm256_sll_epi16(value.a, bits), _mm256_sll_epi16(value.b, bits)};
  }
  static Value either(Value a, Value b) {
    return {_mm256_or_si256(a.a, b.a), _mm256_or_si256(a.b, b.b)};
  }
  // Whether all bits from that one on are 0.
  static bool below(Value value, int bit) {
    return _mm256_testz_si256(_mm256_or_si256(value.a, value.b), half(int32_t(0xffffu << bit)));
  }
  static Value with_sign(Value size, Value of) {
    return {_mm256_sign_epi16(size.a, of.a), _mm256_sign_epi16(size.b, of.b)};
  }
  // The product of a sum and a gain, with the sum's sign, plus a bias.
  Value current(Value product, Value sum, Value bias) const {
    return saturate(plus_within(with_sign(product, sum), bias));
  }
  Value multiply(Value value, Value factor) const { // of the magnitude, then with the sign again
    const Value above = upper(size(value), factor), below = lower(size(value), factor);
    return with_sign({shifted(above.a, below.a), shifted(above.b, below.b)}, value);
  }
  Value scaled(Value value, Factor factor) const {
    Value product = upper(size(value), factor.below);
    if (!usual) product = plus(product, lower(size(value), factor.whole));
    return with_sign(product, value);
  }
  static Entry entry(const Cells *table, Value x) {
    const Half cells = _mm256_packus_epi16(number_of(table, x.a), number_of(table, x.b));
    const Half other = _mm256_sub_epi8(table->last, cells);
    const Half nearer = _mm256_min_epu8(cells, other), upper = _mm256_cmpeq_epi8(nearer, other);
    const Half six = twice(nearer), five = twice(six), four = twice(five);
    return {cells, nearer, {four, five, six}, upper, by_lane(upper, upper)};
  }
  static Value field(const Cells *table, const Entry &entry) {
    if (table->folded) {
      const Half found = among<3>(table->rows[0], entry.nearer, entry.bits);
      const Value rest = by_lane(_mm256_xor_si256(found, entry.upper), entry.upper);
      const Half least = table->least, turned = table->turned;
      return halved(plus(rest, {_mm256_blendv_epi8(least, turned, entry.upper_lanes.a),
                                _mm256_blendv_epi8(least, turned, entry.upper_lanes.b)}));
    }
    const Half low = _mm256_and_si256(entry.cells, _mm256_set1_epi8(15));
    const Half six = twice(entry.cells), five = twice(six);
    const Half bits[] = {twice(five), five, six, entry.cells};
    return by_lane(among<4>(table->rows[0], low, bits), among<4>(table->rows[1], low, bits));
  }
  static Value lookup(const Cells *table, Value x) { return field(table, entry(table, x)); }

private:
  Half shifted(Half above, Half below) const { // of 32 bits, by `bits`
    return _mm256_or_si256(_mm256_sll_epi16(above, rest), _mm256_srl_epi16(below, bits));
  }
  static Half number_of(const Cells *table, Half x) {
    const Half inside = clamped(x, table->low, table->high);
    return _mm256_srl_epi16(_mm256_sub_epi16(inside, table->low), table->shift);
  }
  static Value halved(Value value) { // rounded down
    return {_mm256_srai_epi16(value.a, 1), _mm256_srai_epi16(value.b, 1)};
  }
  static Half twice(Half bytes) { return _mm256_add_epi8(bytes, bytes); }
  // Lanes of the lower bytes and the upper ones of those that entry() packed.
  static Value by_lane(Half lower, Half upper) {
    return {_mm256_unpacklo_epi8(lower, upper), _mm256_unpackhi_epi8(lower, upper)};
  }
  // The bytes that numbers choose of 2**n rows: of these by `bits`, of a row's by the lowest four.
  template <int n> static Half among(const uint8_t (*rows)[16], Half number, const Half *bits) {
    if constexpr (n == 0) {
      const auto row = _mm_load_si128(reinterpret_cast<const __m128i *>(rows));
      return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), number);
    } else {
      constexpr int half = 1 << (n - 1);
      const Half below = among<n - 1>(rows, number, bits);
      return _mm256_blendv_epi8(below, among<n - 1>(rows + half, number, bits), bits[n - 1]);
    }
  }
};

// The arithmetic that printed steps of integer neurons are written in, as lanes of two widths.
//
// A `Value` holds `lanes` integers, a `Condition` as many truths. `plus_within` and `minus_within`
// are sums that only saturate() reads, so they may saturate by themselves. only() chooses 0 where a
// condition fails, unless() where it holds, and flip() negates where it fails. scaled() multiplies by
// a constant. entry() and field() read several tables that have the same cells: what is found once,
// and what each table has there.
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
  using Factor = int32_t;
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
  Factor factor(int k) const { return constants[k]; }
  Cells table(int k) const { return tables[k]; }

  static Value plus(Value a, Value b) { return a + b; }
  static Value minus(Value a, Value b) { return a - b; }
  static Value plus_within(Value a, Value b) { return a + b; }
  static Value minus_within(Value a, Value b) { return a - b; }
  static Condition reaches(Value a, Value b) { return a >= b; }
  static Value choose(Condition c, Value a, Value b) { return c ? a : b; }
  static Value only(Condition c, Value a) { return c ? a : 0; }
  static Value unless(Condition c, Value a) { return c ? 0 : a; }
  static Value flip(Condition c, Value a) { return c ? a : -a; }
  Value saturate(Value value) const { return clamped(value, low, high); }
  Value multiply(Value value, Value factor) const { // rounded toward zero
    const W rest = ((value ^ factor) >> 31) & ((1 << bits) - 1), product = W(value) * factor + rest;
    if (sizeof(W) == 8) return Value(uint64_t(product) >> bits); // whose lower half is what stays
    return Value(product >> bits);
  }
  Value scaled(Value value, Factor factor) const { return multiply(value, factor); }
  static Value lookup(const Table &table, Value x) {
    const uint32_t inside = clamped(x, table.low, table.high);
    return table.values[(inside - uint32_t(table.low)) >> table.shift];
  }
  static Value entry(const Table &table, Value x) { return joined ? lookup(table, x) : x; }
  static Value field(const Table &table, Value entry) {
    return joined ? int32_t(uint32_t(entry) << table.left) >> table.right : lookup(table, entry);
  }
};

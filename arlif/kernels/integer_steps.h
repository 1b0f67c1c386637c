// One time step of each integer neuron in 32-bit lanes, as integer_update.cpp runs them.
// The equations' home is arlif/core/steps.py; tests hold these lines to it in every bit.
//
// A neuron works on up to `tile` numbers of type Lane at a time. derive() computes from the input
// current x what a step needs of it, `derived` rows of `tile` numbers; where x is the same at every
// step, that happens once. step() reads them, reads and writes `states` rows of state, and says
// who fired.
#pragma once

#include "kinds.h"
#include "tiles.h"

struct Table {
  const int32_t *values;
  int32_t low, high, shift;

  int64_t entries() const { return ((int64_t(high) - low) >> shift) + 1; }
  bool same_cells(const Table &other) const {
    return low == other.low && high == other.high && shift == other.shift;
  }
};

// A neuron's constants; AR-LIF has the tables. LIF has the threshold, the one that holds while u
// exceeds it, and the amount that a spike subtracts.
struct Constants {
  int32_t low, high, factor_bits, decay, threshold, raised, amount;
  Table thresholds, gates, drives, resets;
};

// value factor / 2**bits, rounded toward zero; W holds the product.
template <class W> inline W multiply(int32_t value, int32_t factor, int32_t bits) {
  const W product = W(value) * factor;
  return (product + ((product >> (8 * sizeof(W) - 1)) & ((W(1) << bits) - 1))) >> bits;
}

// By value: std::clamp's references keep a compiler from vectorising.
template <class V> inline V clamped(V value, V low, V high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

template <class W> struct Arithmetic {
  using Lane = int32_t;
  static constexpr int64_t tile = 512;
  const Constants c; // by value: stores of spikes may alias what is behind a reference

  int32_t saturate(int32_t value) const { return clamped(value, c.low, c.high); }
  int32_t scale(int32_t value, int32_t factor) const {
    return int32_t(multiply<W>(value, factor, c.factor_bits));
  }
  int32_t lookup(const Table &table, int32_t x) const {
    const uint32_t inside = clamped(x, table.low, table.high);
    return table.values[(inside - uint32_t(table.low)) >> table.shift];
  }
};

// The three tables of x in one, where they have the same cells and their values fit: an entry is
// threshold (12 bits), drive (10 bits), gate (10 bits). Gathers are what an update costs most.
struct Joined {
  int32_t values[1024];

  static bool applies(const Constants &c) {
    if (!c.thresholds.same_cells(c.drives) || !c.thresholds.same_cells(c.gates)) return false;
    for (int64_t i = 0, n = c.thresholds.entries(); i < n; ++i)
      if (c.thresholds.values[i] < -2048 || c.thresholds.values[i] > 2047 ||
          uint32_t(c.drives.values[i]) > 1023 || uint32_t(c.gates.values[i]) > 1023)
        return false;
    return true;
  }
  explicit Joined(const Constants &c) {
    for (int64_t i = 0, n = c.thresholds.entries(); i < n; ++i)
      values[i] = int32_t(uint32_t(c.thresholds.values[i]) << 20 |
                          uint32_t(c.drives.values[i]) << 10 | uint32_t(c.gates.values[i]));
  }
};

template <class W, bool memory, bool joined> struct Arlif : Arithmetic<W> {
  using Base = Arithmetic<W>;
  static constexpr int states = 2, derived = 4;
  static constexpr int64_t tile = Base::tile;
  const int32_t *entries = nullptr; // of Joined

  void derive(const int32_t *x, int64_t count, int32_t *to) const {
    const Constants &c = this->c;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
      const int32_t now = x[i];
      to[i] = now;
      if constexpr (joined) {
        const Table table{entries, c.thresholds.low, c.thresholds.high, c.thresholds.shift};
        const int32_t entry = this->lookup(table, now);
        to[tile + i] = entry >> 20, to[2 * tile + i] = entry >> 10 & 1023;
        to[3 * tile + i] = entry & 1023;
      } else {
        to[tile + i] = this->lookup(c.thresholds, now);
        to[2 * tile + i] = this->lookup(c.drives, now);
        if constexpr (memory) to[3 * tile + i] = this->lookup(c.gates, now);
      }
    }
  }
  void step(const int32_t *from, int64_t count, int32_t *u, int32_t *fired) const {
    const Constants &c = this->c;
    int32_t *r = u + tile;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
      const int32_t theta = from[tile + i], drive = from[2 * tile + i];
      const int32_t h = this->saturate(this->scale(u[i], c.decay) + from[i]);
      const bool fires = h >= theta;
      int32_t push = fires ? drive : -drive;
      if constexpr (memory) {
        const int32_t gate = from[3 * tile + i];
        push += this->scale(r[i], r[i] >= 0 ? gate : (1 << c.factor_bits) - gate);
      }
      const int32_t next = this->saturate(push);
      const int32_t removed = theta + this->lookup(c.resets, next);
      r[i] = next;
      u[i] = this->saturate(h - (fires ? removed : 0));
      fired[i] = fires;
    }
  }
};

template <class W, Kind kind> struct Lif : Arithmetic<W> {
  static constexpr int states = 1, derived = 1;

  void derive(const int32_t *x, int64_t count, int32_t *to) const { std::copy(x, x + count, to); }
  void step(const int32_t *x, int64_t count, int32_t *u, int32_t *fired) const {
    const Constants &c = this->c;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) {
      const int32_t h = this->saturate(this->scale(u[i], c.decay) + x[i]);
      const bool above = kind == LIF_SUBTRACT && u[i] >= c.threshold;
      const bool fires = h >= (above ? c.raised : c.threshold);
      u[i] = fires ? (kind == LIF_HARD ? 0 : this->saturate(h - c.amount)) : h;
      fired[i] = fires;
    }
  }
};

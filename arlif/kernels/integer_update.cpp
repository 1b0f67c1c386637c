// The update of a population of integer neurons over T time steps, in one pass over memory.
// Equal to the neurons' steps on arlif.core.ops.IntegerOps in every bit; tests hold it to that.
// Called from Python through ctypes (arlif/kernels/integer_update.py).
//
// A printed neuron N works on up to `tile` numbers at a time. N::derive computes N::rows rows from
// the input current x, all that a step needs of x alone; where x is the same at every step, that
// happens once. N::step reads them, reads and writes N::states rows of state, and says who fired.
#include "narrow_lanes.h"

#include <type_traits>

namespace {

#include "printed.h"

// Types of accumulators: integers, or integers in float32.
enum Kind { INT16, INT32, FLOAT32 };

// One number for each of `period` neurons, again and again.
template <class T> struct Repeated {
  const T *values;
  int64_t period;
};

// Accumulators [steps or 1, size], of type `kind`; spikes [steps, size]; counts [size], how often
// each fired, where steps are at most 255; state [states, size], written, and read first unless
// `fresh`: then it starts at 0; history [states, steps, size] or null; varying: the
// neuron's constants that are not one for the layer.
struct Update {
  Numbers numbers;
  const Repeated<int32_t> *varying;
  Repeated<float> gain;
  Repeated<int32_t> bias;
  int64_t steps, size, threads, accumulator_stride, fresh, kind;
  const void *accumulators;
  int32_t *state;
  uint8_t *spikes, *counts;
  int32_t *history;
};

// Copies `rows` rows of `count` numbers.
template <class To, class From>
void copy_rows(To *to, int64_t to_stride, const From *from, int64_t from_stride, int64_t rows,
               int64_t count) {
  for (int64_t k = 0; k < rows; ++k)
    std::copy(from + k * from_stride, from + k * from_stride + count, to + k * to_stride);
}

// The numbers of the neurons of a tile that begins at `begin`.
template <class T, class To>
void expand(const Repeated<T> &from, int64_t begin, int64_t count, To *to) {
  int64_t at = begin % from.period;
  for (int64_t i = 0, run; i < count; i += run, at = 0) {
    run = std::min(count - i, from.period - at);
    std::copy(from.values + at, from.values + at + run, to + i);
  }
}

// Input currents. R holds the products of sums and gains, which are multiples of a power of two:
// a floating type, whose conversion to integers rounds toward zero as the steps do.
template <class R, class A, class Lane>
void currents(const A *in, const float *gain, const int32_t *bias, const Numbers &n,
              int64_t count, Lane *x) {
  using Sum = std::conditional_t<sizeof(R) == 4, int32_t, int64_t>;
  const Sum low = n.low, high = n.high;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i)
    x[i] = Lane(clamped<Sum>(Sum(R(in[i]) * R(gain[i])) + bias[i], low, high));
}

// Whether products of these sums with 8-bit gains are exact in float32.
template <class A> bool exact_in_float32(const A *in, int64_t count) {
  if constexpr (sizeof(A) == 2) return true;
  constexpr int32_t limit = 1 << 16;
  int32_t outside = 0;
  for (int64_t i = 0; i < count; ++i) outside |= (in[i] < -limit) | (in[i] > limit);
  return !outside;
}

template <class A, class Lane>
void currents_of(const A *in, const float *gain, const int32_t *bias, const Numbers &n,
                 int64_t count, Lane *x) {
  if (exact_in_float32(in, count)) currents<float>(in, gain, bias, n, count, x);
  else currents<double>(in, gain, bias, n, count, x);
}

template <class Body> void with_accumulators(const Update &u, Body body) {
  if (u.kind == INT16) body(static_cast<const int16_t *>(u.accumulators));
  else if (u.kind == INT32) body(static_cast<const int32_t *>(u.accumulators));
  else body(static_cast<const float *>(u.accumulators));
}

template <class N, class Lanes> void run(const Update &u) {
  using Lane = typename Lanes::Lane;
  constexpr int64_t tile = Lanes::tile;
  std::vector<typename Lanes::Cells> tables;
  for (int k = 0; k < N::tables; ++k) tables.push_back(Lanes::cells(u.numbers.tables[k]));
  for_tiles(u.size, tile, u.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Lanes lanes(u.numbers, tables.data());
    float gain[tile];
    int32_t bias[tile];
    Lane x[tile] = {}, now[N::states * tile] = {}, fired[tile], total[tile] = {};
    Lane rows[N::rows * tile + 1], varying[N::varying * tile + 1] = {};
    if (!u.fresh) copy_rows(now, tile, u.state + begin, u.size, N::states, count);
    expand(u.gain, begin, count, gain);
    expand(u.bias, begin, count, bias);
    for (int k = 0; k < N::varying; ++k) expand(u.varying[k], begin, count, varying + k * tile);
    for (int64_t t = 0; t < u.steps; ++t) {
      if (t == 0 || u.accumulator_stride) {
        const int64_t from = t * u.accumulator_stride + begin;
        with_accumulators(u, [&](auto sums) {
          currents_of(sums + from, gain, bias, u.numbers, count, x);
        });
        if constexpr (N::rows > 0) N::derive(lanes, count, varying, x, rows);
      }
      N::step(lanes, count, varying, x, rows, now, fired);
      std::copy(fired, fired + count, u.spikes + t * u.size + begin);
      for (int64_t i = 0; i < count; ++i) total[i] = Lane(total[i] + fired[i]);
      if (u.history)
        copy_rows(u.history + t * u.size + begin, u.steps * u.size, now, tile, N::states, count);
    }
    copy_rows(u.state + begin, u.size, now, tile, N::states, count);
    std::copy(total, total + count, u.counts + begin);
  });
}

enum Width { NARROW, PRODUCTS_OF_32_BITS, PRODUCTS_OF_64_BITS };

template <class N, class W> void run_wide(bool joined, const Update &u) {
  if (N::joins && joined) run<N, WideLanes<W, N::joins>>(u);
  else run<N, WideLanes<W, false>>(u);
}

} // namespace

// What arlif/kernels/integer_update.py repeats.
extern "C" {
int64_t arlif_integer_layout[] = {sizeof(Table), sizeof(Repeated<float>), sizeof(Update)};
// Whether there are lanes of 16 bits, and whether tables can be joined there.
#if defined(__AVX512BW__)
int64_t arlif_integer_narrow[] = {1, 0};
#elif defined(__AVX2__)
int64_t arlif_integer_narrow[] = {1, 1};
#else
int64_t arlif_integer_narrow[] = {0, 0};
#endif
}

// number: of a printed neuron. joined: whether tables that are read together share their values.
extern "C" void arlif_integer(int64_t number, int64_t width, int64_t joined, const Update *u) {
  with_neuron(number, [&](auto neuron) {
    using N = decltype(neuron);
    if (width == PRODUCTS_OF_32_BITS) run_wide<N, int32_t>(joined, *u);
    else if (width == PRODUCTS_OF_64_BITS) run_wide<N, int64_t>(joined, *u);
#if defined(__AVX512BW__)
    else run<N, NarrowLanes>(*u);
#elif defined(__AVX2__)
    else if (N::joins && joined) run<N, GatheringLanes<N::joins>>(*u);
    else run<N, GatheringLanes<false>>(*u);
#endif
  });
}

// The update of a population of integer neurons over T time steps, in one pass over memory.
// Equal to the neurons' steps on arlif.core.ops.IntegerOps in every bit; tests hold it to that.
// Called from Python through ctypes (arlif/kernels/integer_update.py).
//
// A printed neuron N works on up to `tile` numbers at a time. N::derive computes N::rows rows from
// the input current x, all that a step needs of x alone; where x is the same at every step, that
// happens once. N::step reads them, reads and writes N::states rows of state, and says who fired.
#include "currents.h"
#include "narrow_lanes.h"

namespace {

#include "printed.h"

// Types of accumulators: integers, or integers in float32.
enum Kind { INT16, INT32, FLOAT32 };

// Accumulators [steps or 1, size], of type `kind`; spikes [steps, size]; counts [size], how often
// each fired, where steps are at most 255; before, after: state [states, size] or null, where it
// starts at 0, and where nobody asks for it; history [states, steps, size] or null; varying: the
// neuron's constants that are not one for the layer.
struct Update {
  Numbers numbers;
  const Repeated<int32_t> *varying;
  Weights weights;
  int64_t steps, size, threads, accumulator_stride, kind;
  const void *accumulators;
  const int32_t *before;
  int32_t *after;
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
    Currents<Lanes> currents(u.weights, lanes, u.numbers, begin, count);
    alignas(64) Lane x[tile] = {}, now[N::states * tile] = {}, fired[tile];
    alignas(64) Lane rows[N::rows * tile + 1], varying[N::varying * tile + 1] = {};
    alignas(64) uint8_t total[tile] = {};
    if (u.before) copy_rows(now, tile, u.before + begin, u.size, N::states, count);
    for (int k = 0; k < N::varying; ++k) expand(u.varying[k], begin, count, varying + k * tile);
    for (int64_t t = 0; t < u.steps; ++t) {
      if (t == 0 || u.accumulator_stride) {
        const int64_t from = t * u.accumulator_stride + begin;
        with_accumulators(u, [&](auto sums) { currents.of(sums + from, x); });
        if constexpr (N::rows > 0) N::derive(lanes, count, varying, x, rows);
      }
      N::step(lanes, count, varying, x, rows, now, fired);
      uint8_t *spikes = u.spikes + t * u.size + begin;
      std::copy(fired, fired + count, spikes);
      for (int64_t i = 0; i < count; ++i) total[i] = uint8_t(total[i] + spikes[i]);
      if (u.history)
        copy_rows(u.history + t * u.size + begin, u.steps * u.size, now, tile, N::states, count);
    }
    if (u.after) copy_rows(u.after + begin, u.size, now, tile, N::states, count);
    std::copy(total, total + count, u.counts + begin);
  });
}

#if defined(__AVX2__)
constexpr bool has_narrow = true;
#else
constexpr bool has_narrow = false;
template <bool usual> using NarrowLanes = WideLanes<int32_t, false>; // which nobody asks for
#endif

enum Width { NARROW, NARROW_USUAL, PRODUCTS_OF_32_BITS, PRODUCTS_OF_64_BITS };

template <class N, class W> void run_wide(bool joined, const Update &u) {
  if (N::joins && joined) run<N, WideLanes<W, N::joins>>(u);
  else run<N, WideLanes<W, false>>(u);
}

} // namespace

// What arlif/kernels/integer_update.py repeats.
extern "C" {
int64_t arlif_integer_layout[] = {sizeof(Table), sizeof(Weights), sizeof(Update)};
// Whether there are lanes of 16 bits.
int64_t arlif_integer_narrow = has_narrow;
}

// number: of a printed neuron. joined: whether tables that are read together share their values.
extern "C" void arlif_integer(int64_t number, int64_t width, int64_t joined, const Update *u) {
  with_neuron(number, [&](auto neuron) {
    using N = decltype(neuron);
    if (width == NARROW) run<N, NarrowLanes<false>>(*u);
    else if (width == NARROW_USUAL) run<N, NarrowLanes<true>>(*u);
    else if (width == PRODUCTS_OF_32_BITS) run_wide<N, int32_t>(joined, *u);
    else run_wide<N, int64_t>(joined, *u);
  });
}

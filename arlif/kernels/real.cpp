// Neurons over T time steps, forward and backward: one pass over memory each. They are real, or
// integers that train. Called from Python through ctypes (arlif/kernels/cpu.py).
#include "quantized.h"
#include "tiles.h"
#include "vectors.h"

#include <algorithm>
#include <vector>

// Vectors that a neuron works on at once.
constexpr int64_t block = 8;

#include "printed.h" // Neuron<F, 0>, Neuron<F, 1>, ...

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace {

constexpr int most_groups = 64; // vectors of a tile

// A constant with several values, in the compute type: element i reads number (i / inner) % count.
struct Spread {
  const void *values;
  int64_t count, inner;
};

// What one call works on, or a part of it. first: number of the first element. stride: from one step
// of x to the next, 0 if all are the same. numbers: surrogate width, then the constants of one value.
// integers: what quantized.h reads, null for real neurons. Arrays are [steps, size] as stored, S, or
// [states, size] in the compute type, F; null where they are not given or not asked for.
template <class S, class F> struct Call {
  int64_t first, steps, size, stride, threads;
  const double *numbers;
  const Spread *spread;
  const void *integers;
  const S *x, *of_spikes;
  const F *start, *of_final;
  S *out;              // spikes, or gradients of x
  F *end, *of_spread;  // last states, or gradients of the first ones; gradients of constants
  double *of_numbers;
};

// Fresh memory is faulted in page by page; large pages make that many times cheaper.
void prefer_large_pages(void *memory, int64_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t page = 1 << 21;
  const uintptr_t start = (uintptr_t(memory) + page - 1) / page * page;
  const uintptr_t end = (uintptr_t(memory) + uintptr_t(bytes)) / page * page;
  if (start < end) madvise(reinterpret_cast<void *>(start), end - start, MADV_HUGEPAGE);
#endif
}

// Asks for memory that is read, or written, soon.
template <class S> INLINE void fetch(const S *from, int64_t numbers) {
  for (int64_t i = 0; i < numbers; i += 64 / int64_t(sizeof(S))) __builtin_prefetch(from + i);
}
template <class S> INLINE void fetch_to_write(const S *to, int64_t numbers) {
  for (int64_t i = 0; i < numbers; i += 64 / int64_t(sizeof(S))) __builtin_prefetch(to + i, 1);
}

// The vectors [groups, rows] of a tile from an array [rows, size], or zeros where that is null.
template <class F>
void load_rows(Vector<F> *to, const F *from, int64_t size, int64_t begin, int64_t count, int rows) {
  for (int64_t i = 0; i < count; i += lanes<F>)
    for (int k = 0; k < rows; ++k) *to++ = from ? load(from + k * size + begin + i) : Vector<F>{};
}
template <class F>
void store_rows(F *to, const Vector<F> *from, int64_t size, int64_t begin, int64_t count,
                int rows) {
  for (int64_t i = 0; i < count; i += lanes<F>)
    for (int k = 0; k < rows; ++k) store<F>(to + k * size + begin + i, *from++);
}

// The vectors [groups, rows] of a tile from `rows` constants.
template <class F>
void expand(Vector<F> *to, const Spread *spread, int64_t begin, int64_t count, int rows) {
  for (int k = 0; k < rows; ++k) {
    const F *const values = static_cast<const F *>(spread[k].values);
    const int64_t numbers = spread[k].count, inner = spread[k].inner;
    int64_t at = begin / inner % numbers, left = inner - begin % inner;
    const auto advance = [&](int64_t steps) {
      left -= steps;
      if (left == 0) at = at + 1 == numbers ? 0 : at + 1, left = inner;
    };
    for (int64_t i = 0; i < count; i += lanes<F>) {
      Vector<F> *const group = to + i / lanes<F> * rows + k;
      if (inner == 1 && at + lanes<F> <= numbers) {
        *group = load(values + at);
        at += lanes<F> - 1, advance(1);
      } else if (left >= lanes<F>) {
        *group = Vector<F>{} + values[at];
        advance(lanes<F>);
      } else {
        for (int lane = 0; lane < lanes<F>; ++lane, advance(1)) (*group)[lane] = values[at];
      }
    }
  }
}

// Spikes and last states of the elements [begin, begin + count), whole vectors of them. What loops
// read lies in variables of their own: compilers take it for changed wherever a loop stores.
template <class Neuron, class S, class F>
void forward(Call<S, F> a, int64_t begin, int64_t count) {
  constexpr int states = Neuron::states, spread = Neuron::spread;
  constexpr int vectors = most_groups * states, constants = most_groups * spread + 1;
  const Neuron neuron(a.numbers, a.integers);
  const int64_t steps = a.steps, groups = count / lanes<F>;
  Vector<F> now[vectors], own[constants];
  load_rows<F>(now, a.start, a.size, begin, count, states);
  expand<F>(own, a.spread, a.first + begin, count, spread);
  for (int64_t t = 0; t < steps; ++t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const next = t + 1 < steps ? x + a.stride : a.x + begin + count;
    S *const spikes = a.out + t * a.size + begin;
    S *const later = t + 1 < steps ? spikes + a.size : a.out + begin + count; // written next
    for (int64_t i = 0; i < groups; i += block) {
      const int64_t some = std::min(block, groups - i), at = i * lanes<F>;
      fetch(next + at, some * lanes<F>);
      fetch_to_write(later + at, some * lanes<F>);
      neuron.step(some, x + at, own + i * spread, now + i * states, spikes + at);
    }
  }
  if (a.end) store_rows<F>(a.end, now, a.size, begin, count, states);
}

// Gradients of these elements; adds to those of the constants of one value.
template <class Neuron, class S, class F>
void backward(Call<S, F> a, int64_t begin, int64_t count, double *sums) {
  constexpr int states = Neuron::states, spread = Neuron::spread, kept = Neuron::kept;
  constexpr int rows = Neuron::of_spread;
  const Neuron neuron(a.numbers, a.integers);
  const int64_t steps = a.steps, groups = count / lanes<F>;
  static thread_local std::vector<Vector<F>> memory;
  memory.resize(size_t(groups * (states + spread + rows + steps * kept)));
  Vector<F> *const now = memory.data(), *const own = now + groups * states;
  Vector<F> *const of_own = own + groups * spread, *const all = of_own + groups * rows;
  load_rows<F>(now, a.start, a.size, begin, count, states);
  expand<F>(own, a.spread, a.first + begin, count, spread);
  std::fill(of_own, all, Vector<F>{});
  for (int64_t t = 0; t < steps; ++t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const next = t + 1 < steps ? x + a.stride : a.of_spikes + t * a.size + begin;
    Vector<F> *const keep = all + t * groups * kept;
    for (int64_t i = 0; i < groups; i += block) {
      const int64_t some = std::min(block, groups - i), at = i * lanes<F>;
      fetch(next + at, some * lanes<F>);
      neuron.record(some, x + at, own + i * spread, now + i * states, keep + i * kept);
    }
  }
  load_rows<F>(now, a.of_final, a.size, begin, count, states);
  double of_lanes[Neuron::sums * lanes<F> + 1] = {};
  for (int64_t t = steps - 1; t >= 0; --t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const of_spikes = a.of_spikes + t * a.size + begin;
    const S *const next = t > 0 ? of_spikes - a.size : a.x + begin + count;
    S *const of_x = a.out + t * a.size + begin;
    S *const later = t > 0 ? of_x - a.size : of_x;
    const Vector<F> *keep = all + t * groups * kept;
    Vector<F> *s = now, *c = own, *of_c = of_own, sum[Neuron::sums + 1] = {};
    for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread, keep += kept) {
      __builtin_prefetch(next + i);
      __builtin_prefetch(later + i, 1);
      store(of_x + i, neuron.gradient(load(x + i), c, load(of_spikes + i), keep, s, sum, of_c));
      of_c += rows;
    }
    for (int j = 0; j < Neuron::sums; ++j) {
      F row[lanes<F>];
      store<F>(row, sum[j]);
      for (int i = 0; i < lanes<F>; ++i) of_lanes[j * lanes<F> + i] += double(row[i]);
    }
  }
  for (int j = 0; j < Neuron::sums; ++j)
    for (int i = 0; i < lanes<F>; ++i) sums[j] += of_lanes[j * lanes<F> + i];
  if (a.end) store_rows<F>(a.end, now, a.size, begin, count, states);
  store_rows<F>(a.of_spread, of_own, a.size, begin, count, rows);
  free_if_large(memory);
}

// Calls body(call, begin, count, number of the tile) for all elements, in parallel. The last ones,
// which are no whole vector, are copied to where zeros follow them, and their results back.
template <class Neuron, class S, class F, class Body>
void for_vectors(const Call<S, F> &a, int64_t tile, Body body) {
  constexpr int64_t lane = lanes<F>, states = Neuron::states;
  const int64_t whole = a.size / lane * lane, rest = a.size - whole, steps = a.steps;
  prefer_large_pages(a.out, steps * a.size * int64_t(sizeof(S)));
  for_tiles(whole, tile, a.threads, [&](int64_t begin, int64_t count, int64_t number) {
    body(a, begin, count, number);
  });
  if (rest == 0) return;
  std::vector<S> stored(size_t(3 * steps * lane));
  std::vector<F> computed(size_t((3 * states + Neuron::of_spread) * lane));
  S *const x = stored.data(), *const of_spikes = x + steps * lane;
  F *const start = computed.data(), *const of_final = start + states * lane;
  const auto in = [&](auto *to, const auto *from, int64_t stride, int64_t rows) {
    for (int64_t k = 0; from && k < rows; ++k)
      std::copy(from + k * stride + whole, from + k * stride + whole + rest, to + k * lane);
  };
  const auto out = [&](auto *to, const auto *from, int64_t rows) {
    for (int64_t k = 0; to && k < rows; ++k)
      std::copy(from + k * lane, from + k * lane + rest, to + k * a.size + whole);
  };
  in(x, a.x, a.stride, steps), in(of_spikes, a.of_spikes, a.size, steps);
  in(start, a.start, a.size, states), in(of_final, a.of_final, a.size, states);
  Call<S, F> b = a;
  b.first = whole, b.size = b.stride = lane;
  b.x = x, b.of_spikes = of_spikes, b.out = of_spikes + steps * lane;
  b.start = start, b.of_final = of_final, b.end = of_final + states * lane;
  b.of_spread = b.end + states * lane;
  body(b, 0, lane, (whole + tile - 1) / tile);
  out(a.out, b.out, steps), out(a.end, b.end, states);
  out(a.of_spread, b.of_spread, Neuron::of_spread);
}

template <class Neuron, class S, class F> void forward(const Call<S, F> &call) {
  for_vectors<Neuron>(call, most_groups * lanes<F>, [](auto &part, int64_t begin, int64_t count,
                                                       int64_t) {
    forward<Neuron, S, F>(part, begin, count);
  });
}

template <class Neuron, class S, class F> void backward(const Call<S, F> &call) {
  // What a tile keeps for its gradient should stay in the caches, of a few steps in the first one,
  // but rows that are too short waste memory accesses.
  constexpr int64_t sums = Neuron::sums, width = sizeof(Vector<F>);
  const int64_t fitting = 262144 / (call.steps * Neuron::kept * width);
  const int64_t tile = std::clamp<int64_t>(fitting, 4, 1024 / width) * lanes<F>;
  std::vector<double> all(size_t((call.size / tile + 2) * sums));
  for_vectors<Neuron>(call, tile, [&](auto &part, int64_t begin, int64_t count, int64_t number) {
    backward<Neuron, S, F>(part, begin, count, all.data() + number * sums);
  });
  std::fill(call.of_numbers, call.of_numbers + sums, 0.0);
  for (auto one = all.begin(); one != all.end(); one += sums)
    for (int j = 0; j < sums; ++j) call.of_numbers[j] += one[j];
}

// Calls visit with a neuron of no meaning but its type, and the call as what it is.
template <int number, class S, class Visit>
void with_neuron(int wanted, const void *call, Visit visit) {
  using F = typename Compute<S>::type;
  if (wanted == number)
    return visit((Neuron<F, number> *)nullptr, *static_cast<const Call<S, F> *>(call));
  if constexpr (number + 1 < neurons) with_neuron<number + 1, S>(wanted, call, visit);
}
// The storage types' numbers are those of arlif/kernels/cpu.py.
template <class Visit> void with_types(int number, int storage, const void *call, Visit visit) {
  switch (storage) {
  case 0: return with_neuron<0, float>(number, call, visit);
  case 1: return with_neuron<0, double>(number, call, visit);
  case 2: return with_neuron<0, BFloat16>(number, call, visit);
  }
}

} // namespace

extern "C" {

// What arlif/kernels/cpu.py repeats.
int64_t arlif_real_layout[] = {sizeof(Spread), sizeof(Call<float, float>)};

// Backward where there are gradients of spikes.
void arlif_real(int number, int storage, const void *call) {
  with_types(number, storage, call, [](auto *neuron, const auto &typed) {
    using N = std::remove_pointer_t<decltype(neuron)>;
    typed.of_spikes ? backward<N>(typed) : forward<N>(typed);
  });
}
}

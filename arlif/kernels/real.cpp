// Neurons over T time steps, forward and backward: one pass over memory each. They are real, or
// integers that train. Called from Python through ctypes (arlif/kernels/cpu.py).
#include "quantized.h"
#include "tiles.h"
#include "vectors.h"

#include <algorithm>
#include <type_traits>
#include <vector>

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

// What one call works on. stride: from one step of x to the next, 0 if all are the same. numbers:
// surrogate width, then the constants of one value. integers: what quantized.h reads, null for real
// neurons.
struct Call {
  int64_t steps, size, stride, threads;
  const double *numbers;
  const Spread *spread;
  const void *integers;
};

// Memory of a call or of a part of it. Arrays are [steps, size], or [states, size] in the compute
// type, null where they are not given or not asked for. first: number of the first element.
template <class S, class F> struct Arrays {
  const S *x, *of_spikes;
  S *out; // spikes, or the gradient of x
  const F *start, *of_final;
  F *end, *of_spread; // end: the last state, or the gradient of the first one
  int64_t size, stride, first;
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
void forward(const Call &call, Arrays<S, F> a, int64_t begin, int64_t count) {
  constexpr int states = Neuron::states, spread = Neuron::spread, groups = most_groups;
  constexpr int vectors = groups * states, constants = groups * spread + 1;
  const Neuron neuron(call.numbers, call.integers);
  const int64_t steps = call.steps;
  Vector<F> now[vectors], own[constants];
  load_rows<F>(now, a.start, a.size, begin, count, states);
  expand<F>(own, call.spread, a.first + begin, count, spread);
  for (int64_t t = 0; t < steps; ++t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const next = t + 1 < steps ? x + a.stride : a.x + begin + count;
    S *const spikes = a.out + t * a.size + begin;
    Vector<F> *s = now, *c = own;
    for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread) {
      __builtin_prefetch(next + i);
      Vector<F> unused[Neuron::kept];
      store(spikes + i, neuron.step(load(x + i), c, s, unused));
    }
  }
  if (a.end) store_rows<F>(a.end, now, a.size, begin, count, states);
}

// Gradients of these elements; adds to those of the constants of one value.
template <class Neuron, class S, class F>
void backward(const Call &call, Arrays<S, F> a, int64_t begin, int64_t count, double *sums) {
  constexpr int states = Neuron::states, spread = Neuron::spread, kept = Neuron::kept;
  constexpr int rows = Neuron::of_spread;
  const Neuron neuron(call.numbers, call.integers);
  const int64_t steps = call.steps, groups = count / lanes<F>;
  static thread_local std::vector<Vector<F>> memory;
  memory.resize(size_t(groups * (states + spread + rows + steps * kept)));
  Vector<F> *const now = memory.data(), *const own = now + groups * states;
  Vector<F> *const of_own = own + groups * spread, *const all = of_own + groups * rows;
  load_rows<F>(now, a.start, a.size, begin, count, states);
  expand<F>(own, call.spread, a.first + begin, count, spread);
  std::fill(of_own, all, Vector<F>{});
  for (int64_t t = 0; t < steps; ++t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const next = t + 1 < steps ? x + a.stride : a.of_spikes + t * a.size + begin;
    Vector<F> *s = now, *c = own, *keep = all + t * groups * kept;
    for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread, keep += kept) {
      __builtin_prefetch(next + i);
      neuron.step(load(x + i), c, s, keep);
    }
  }
  load_rows<F>(now, a.of_final, a.size, begin, count, states);
  for (int64_t t = steps - 1; t >= 0; --t) {
    const S *const x = a.x + t * a.stride + begin;
    const S *const of_spikes = a.of_spikes + t * a.size + begin;
    const S *const next = t > 0 ? of_spikes - a.size : a.x + begin + count;
    S *const of_x = a.out + t * a.size + begin;
    const Vector<F> *keep = all + t * groups * kept;
    Vector<F> *s = now, *c = own, *of_c = of_own, sum[Neuron::sums + 1] = {};
    for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread, keep += kept) {
      __builtin_prefetch(next + i);
      store(of_x + i, neuron.gradient(load(x + i), c, load(of_spikes + i), keep, s, sum, of_c));
      of_c += rows;
    }
    for (int j = 0; j < Neuron::sums; ++j)
      for (int i = 0; i < lanes<F>; ++i) sums[j] += double(sum[j][i]);
  }
  if (a.end) store_rows<F>(a.end, now, a.size, begin, count, states);
  store_rows<F>(a.of_spread, of_own, a.size, begin, count, rows);
  free_if_large(memory);
}

// Calls body(arrays, begin, count, number of the tile) for all elements, in parallel. The last ones,
// which are no whole vector, are copied to where zeros follow them, and their results back.
template <class Neuron, class S, class F, class Body>
void for_vectors(const Call &call, const Arrays<S, F> &a, int64_t tile, Body body) {
  constexpr int64_t lane = lanes<F>, states = Neuron::states;
  const int64_t whole = a.size / lane * lane, rest = a.size - whole, steps = call.steps;
  prefer_large_pages(a.out, steps * a.size * int64_t(sizeof(S)));
  for_tiles(whole, tile, call.threads, [&](int64_t begin, int64_t count, int64_t number) {
    body(a, begin, count, number);
  });
  if (rest == 0) return;
  std::vector<S> stored(size_t(3 * steps * lane));
  std::vector<F> computed(size_t((3 * states + Neuron::of_spread) * lane));
  S *const x = stored.data(), *const of_spikes = x + steps * lane;
  F *const start = computed.data(), *const of_final = start + states * lane;
  F *const end = of_final + states * lane;
  const Arrays<S, F> b{x, of_spikes, of_spikes + steps * lane, a.start ? start : nullptr,
                       of_final, end, end + states * lane, lane, lane, a.first + whole};
  const auto in = [&](auto *to, const auto *from, int64_t stride, int64_t rows) {
    for (int64_t k = 0; from && k < rows; ++k)
      std::copy(from + k * stride + whole, from + k * stride + whole + rest, to + k * lane);
  };
  const auto out = [&](auto *to, const auto *from, int64_t rows) {
    for (int64_t k = 0; to && k < rows; ++k)
      std::copy(from + k * lane, from + k * lane + rest, to + k * a.size + whole);
  };
  in(x, a.x, a.stride, steps);
  in(of_spikes, a.of_spikes, a.size, steps);
  in(start, a.start, a.size, states);
  in(of_final, a.of_final, a.size, states);
  body(b, 0, lane, (whole + tile - 1) / tile);
  out(a.out, b.out, steps);
  out(a.end, b.end, states);
  out(a.of_spread, b.of_spread, Neuron::of_spread);
}

template <class Neuron, class S, class F = typename Neuron::F>
void forward(const Call &call, const Arrays<S, F> &a) {
  for_vectors<Neuron>(call, a, most_groups * lanes<F>, [&](auto &part, int64_t begin,
                                                           int64_t count, int64_t) {
    forward<Neuron, S, F>(call, part, begin, count);
  });
}

template <class Neuron, class S, class F = typename Neuron::F>
void backward(const Call &call, const Arrays<S, F> &a, double *of_numbers) {
  // What a tile keeps for its gradient should stay in the caches, of a few steps in the first one,
  // but rows that are too short waste memory accesses.
  constexpr int sums = Neuron::sums;
  constexpr int64_t width = sizeof(Vector<F>);
  const int64_t fitting = 262144 / (call.steps * Neuron::kept * width);
  const int64_t tile = std::clamp<int64_t>(fitting, 4, 1024 / width) * lanes<F>;
  std::vector<double> all(size_t((a.size / tile + 2) * sums));
  for_vectors<Neuron>(call, a, tile, [&](auto &part, int64_t begin, int64_t count, int64_t number) {
    backward<Neuron, S, F>(call, part, begin, count, all.data() + number * sums);
  });
  std::fill(of_numbers, of_numbers + sums, 0.0);
  for (auto one = all.begin(); one != all.end(); one += sums)
    for (int j = 0; j < sums; ++j) of_numbers[j] += one[j];
}

// Calls visit with a neuron and a number of its storage type, both of no meaning but their types.
// The storage types' numbers are those of arlif/kernels/cpu.py.
template <int number, class S, class Visit> void with_neuron(int wanted, Visit visit) {
  using Chosen = Neuron<typename Compute<S>::type, number>;
  if (wanted == number) return visit((Chosen *)nullptr, (S *)nullptr);
  if constexpr (number + 1 < neurons) with_neuron<number + 1, S>(wanted, visit);
}
template <class Visit> void with_types(int number, int storage, Visit visit) {
  switch (storage) {
  case 0: return with_neuron<0, float>(number, visit);
  case 1: return with_neuron<0, double>(number, visit);
  case 2: return with_neuron<0, BFloat16>(number, visit);
  }
}

} // namespace

extern "C" {

// What arlif/kernels/cpu.py repeats.
int64_t arlif_real_layout[] = {sizeof(Spread), sizeof(Call)};

void arlif_forward(int number, int storage, const Call *call, const void *x, const void *state,
                   void *spikes, void *final_state) {
  with_types(number, storage, [&](auto *neuron, auto *stored) {
    using N = std::remove_pointer_t<decltype(neuron)>;
    using S = std::remove_pointer_t<decltype(stored)>;
    using F = typename N::F;
    forward<N, S>(*call, {(const S *)x, nullptr, (S *)spikes, (const F *)state, nullptr,
                          (F *)final_state, nullptr, call->size, call->stride, 0});
  });
}

void arlif_backward(int number, int storage, const Call *call, const void *x, const void *state,
                    const void *of_spikes, const void *of_final, void *of_x, void *of_state,
                    void *of_spread, double *of_numbers) {
  with_types(number, storage, [&](auto *neuron, auto *stored) {
    using N = std::remove_pointer_t<decltype(neuron)>;
    using S = std::remove_pointer_t<decltype(stored)>;
    using F = typename N::F;
    backward<N, S>(*call,
                   {(const S *)x, (const S *)of_spikes, (S *)of_x, (const F *)state,
                    (const F *)of_final, (F *)of_state, (F *)of_spread, call->size, call->stride,
                    0},
                   of_numbers);
  });
}
}

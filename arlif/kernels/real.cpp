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

// A constant with several values, in the compute type: element i reads number (i / inner) % count.
struct Spread {
  const void *values;
  int64_t count, inner;
};

// What one call works on; arrays are [steps, size], states [states, size] in the compute type.
// stride: from one step of x to the next, 0 if all are the same. numbers: surrogate width, then
// the constants of one value. integers: what quantized.h reads, null for real neurons.
struct Call {
  int64_t steps, size, stride, threads;
  const double *numbers;
  const Spread *spread;
  const void *integers;
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
    for (int k = 0; k < rows; ++k, ++to) {
      *to = Vector<F>{};
      if (from) *to = load(from + k * size + begin + i, count - i);
    }
}
template <class F>
void store_rows(F *to, const Vector<F> *from, int64_t size, int64_t begin, int64_t count,
                int rows) {
  for (int64_t i = 0; i < count; i += lanes<F>)
    for (int k = 0; k < rows; ++k) store<F>(to + k * size + begin + i, *from++, count - i);
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
        *group = load(values + at, lanes<F>);
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

template <class Neuron, class S, class F = typename Neuron::F>
void forward(const Call &call, const S *x, const F *state, S *spikes, F *final_state) {
  constexpr int states = Neuron::states, spread = Neuron::spread;
  constexpr int groups = 64, vectors = groups * states, constants = groups * spread + 1;
  prefer_large_pages(spikes, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, groups * lanes<F>, call.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Neuron neuron(call.numbers, call.integers);
    Vector<F> now[vectors], own[constants];
    load_rows<F>(now, state, call.size, begin, count, states);
    expand<F>(own, call.spread, begin, count, spread);
    for (int64_t t = 0; t < call.steps; ++t) {
      Vector<F> *s = now, *c = own;
      const S *const next = x + (t + 1 < call.steps ? (t + 1) * call.stride : count) + begin;
      for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread) {
        const int64_t at = t * call.size + begin + i, left = count - i;
        __builtin_prefetch(next + i);
        Vector<F> unused[Neuron::kept];
        const Vector<F> current = load(x + t * call.stride + begin + i, left);
        store(spikes + at, neuron.step(current, c, s, unused), left);
      }
    }
    if (final_state) store_rows<F>(final_state, now, call.size, begin, count, states);
  });
}

template <class Neuron, class S, class F = typename Neuron::F>
void backward(const Call &call, const S *x, const F *state, const S *of_spikes,
              const F *of_final, S *of_x, F *of_state, F *of_spread, double *of_numbers) {
  constexpr int states = Neuron::states, kept = Neuron::kept, spread = Neuron::spread;
  constexpr int sums = Neuron::sums, rows = Neuron::of_spread;
  // What a tile keeps for its gradient should stay in the second-level cache, but rows that are
  // too short waste memory accesses.
  const int64_t fitting = 262144 / (call.steps * kept * int64_t(sizeof(Vector<F>)));
  const int64_t groups = std::clamp<int64_t>(fitting, 4, 32), tile = groups * lanes<F>;
  std::vector<double> all(size_t((call.size + tile - 1) / tile * sums));
  prefer_large_pages(of_x, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, tile, call.threads, [&](int64_t begin, int64_t count, int64_t number) {
    const Neuron neuron(call.numbers, call.integers);
    static thread_local std::vector<Vector<F>> memory;
    memory.resize(size_t(groups * (states + spread + rows + call.steps * kept)));
    Vector<F> *const now = memory.data(), *const own = now + groups * states;
    Vector<F> *const of_own = own + groups * spread, *keep = of_own + groups * rows;
    load_rows<F>(now, state, call.size, begin, count, states);
    expand<F>(own, call.spread, begin, count, spread);
    std::fill(of_own, keep, Vector<F>{});
    for (int64_t t = 0; t < call.steps; ++t) {
      Vector<F> *s = now, *c = own;
      const bool last = t + 1 == call.steps;
      const S *const next =
          (last ? of_spikes + t * call.size : x + (t + 1) * call.stride) + begin;
      for (int64_t i = 0; i < count; i += lanes<F>, s += states, c += spread, keep += kept) {
        __builtin_prefetch(next + i);
        neuron.step(load(x + t * call.stride + begin + i, count - i), c, s, keep);
      }
    }
    load_rows<F>(now, of_final, call.size, begin, count, states);
    double *const tile_sums = all.data() + number * sums;
    const int64_t kept_per_step = (count + lanes<F> - 1) / lanes<F> * kept;
    for (int64_t t = call.steps - 1; t >= 0; --t) {
      Vector<F> *s = now, *c = own, *of_c = of_own;
      const Vector<F> *k = keep -= kept_per_step;
      const S *const next = (t > 0 ? of_spikes + (t - 1) * call.size : x + count) + begin;
      Vector<F> sum[sums + 1] = {};
      for (int64_t i = 0; i < count; i += lanes<F>, s += states, k += kept, c += spread) {
        const int64_t at = t * call.size + begin + i, left = count - i;
        const Vector<F> of_spike = load(of_spikes + at, left);
        __builtin_prefetch(next + i);
        const Vector<F> current = load(x + t * call.stride + begin + i, left);
        store(of_x + at, neuron.gradient(current, c, of_spike, k, s, sum, of_c), left);
        of_c += rows;
      }
      for (int j = 0; j < sums; ++j)
        for (int i = 0; i < lanes<F>; ++i) tile_sums[j] += double(sum[j][i]);
    }
    if (of_state) store_rows<F>(of_state, now, call.size, begin, count, states);
    store_rows<F>(of_spread, of_own, call.size, begin, count, rows);
    free_if_large(memory);
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
    forward<N, S>(*call, (const S *)x, (const F *)state, (S *)spikes, (F *)final_state);
  });
}

void arlif_backward(int number, int storage, const Call *call, const void *x, const void *state,
                    const void *of_spikes, const void *of_final, void *of_x, void *of_state,
                    void *of_spread, double *of_numbers) {
  with_types(number, storage, [&](auto *neuron, auto *stored) {
    using N = std::remove_pointer_t<decltype(neuron)>;
    using S = std::remove_pointer_t<decltype(stored)>;
    using F = typename N::F;
    backward<N, S>(*call, (const S *)x, (const F *)state, (const S *)of_spikes,
                   (const F *)of_final, (S *)of_x, (F *)of_state, (F *)of_spread, of_numbers);
  });
}
}

// Real-valued neurons over T time steps, forward and backward: one pass over memory each.
// Called from Python through ctypes (arlif/kernels/cpu.py).
#include "neurons.h"
#include "tiles.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace {

constexpr int64_t lanes = 64;  // elements of a tile are a multiple of this, except at the end

// What one call works on; arrays are [steps, size], states [states, size] in the compute type.
struct Call {
  int64_t steps, size, threads;
  const double *numbers;
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

// Rows of a tile from an array that starts at `from`, or zeros where that is null.
template <class F>
void start_rows(F *to, int64_t tile, const F *from, int64_t begin, int64_t size, int64_t rows,
                int64_t count) {
  if (from) copy_rows(to, tile, from + begin, size, rows, count);
  else std::fill(to, to + rows * tile, F(0));
}

template <class Neuron, class S, class F = typename Compute<S>::type>
void forward(const Call &call, const S *x, const F *state, S *spikes, F *final_state) {
  constexpr int64_t tile = 1024;
  const Neuron neuron(call.numbers);
  prefer_large_pages(spikes, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, tile, call.threads, [&](int64_t begin, int64_t count, int64_t) {
    alignas(64) F now[Neuron::states * tile];
    start_rows(now, tile, state, begin, call.size, Neuron::states, count);
    for (int64_t t = 0; t < call.steps; ++t) {
      const S *in = x + t * call.size + begin;
      S *out = spikes + t * call.size + begin;
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        F s[Neuron::states], unused[Neuron::kept];
        load_values(s, now + i, tile);
        store(out + i, neuron.step(load(in[i]), s, unused));
        store_values(s, now + i, tile);
      }
    }
    if (final_state)
      copy_rows(final_state + begin, call.size, now, tile, Neuron::states, count);
  });
}

template <class Neuron, class S, class F = typename Compute<S>::type>
void backward(const Call &call, const S *x, const F *state, const S *of_spikes,
              const F *of_final, S *of_x, F *of_state, double *of_parameters) {
  constexpr int states = Neuron::states, kept = Neuron::kept, parameters = Neuron::parameters;
  // What a tile keeps for its gradient should stay in the first-level cache.
  const int64_t wanted = 24576 / (call.steps * kept * int64_t(sizeof(F)));
  const int64_t tile = std::clamp(wanted / lanes * lanes, lanes, 16 * lanes);
  const int64_t tiles = (call.size + tile - 1) / tile;
  std::vector<double> sums(size_t(tiles * parameters));
  const Neuron neuron(call.numbers);
  prefer_large_pages(of_x, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, tile, call.threads, [&](int64_t begin, int64_t count, int64_t number) {
    static thread_local std::vector<F> memory;
    memory.resize(size_t((states + parameters + call.steps * kept) * tile));
    F *const now = memory.data(), *const sum = now + states * tile;
    F *const keep = sum + parameters * tile;
    start_rows(now, tile, state, begin, call.size, states, count);
    for (int64_t t = 0; t < call.steps; ++t) {
      const S *in = x + t * call.size + begin;
      F *const keep_t = keep + t * kept * tile;
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        F s[states], k[kept];
        load_values(s, now + i, tile);
        neuron.step(load(in[i]), s, k);
        store_values(s, now + i, tile);
        store_values(k, keep_t + i, tile);
      }
    }
    start_rows(now, tile, of_final, begin, call.size, states, count);
    std::fill(sum, sum + parameters * tile, F(0));
    for (int64_t t = call.steps - 1; t >= 0; --t) {
      const S *in = x + t * call.size + begin, *of_out = of_spikes + t * call.size + begin;
      const F *const keep_t = keep + t * kept * tile;
      S *of_in = of_x + t * call.size + begin;
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        F s[states], k[kept], p[parameters + 1];
        load_values(s, now + i, tile);
        load_values(k, keep_t + i, tile);
        for (int j = 0; j < parameters; ++j) p[j] = sum[j * tile + i];
        store(of_in + i, neuron.gradient(load(in[i]), load(of_out[i]), k, s, p));
        store_values(s, now + i, tile);
        for (int j = 0; j < parameters; ++j) sum[j * tile + i] = p[j];
      }
    }
    if (of_state) copy_rows(of_state + begin, call.size, now, tile, states, count);
    for (int j = 0; j < parameters; ++j)
      for (int64_t i = 0; i < count; ++i)
        sums[size_t(number * parameters + j)] += double(sum[j * tile + i]);
  });
  for (int j = 0; j < parameters; ++j) {
    of_parameters[j] = 0;
    for (int64_t i = 0; i < tiles; ++i) of_parameters[j] += sums[size_t(i * parameters + j)];
  }
}

// The order of these is known to arlif/kernels/cpu.py: neuron, then storage type.
template <class F, class Visit> void with_neuron(int neuron, Visit visit) {
  switch (neuron) {
  case 0: return visit((Arlif<F, true> *)nullptr);
  case 1: return visit((Arlif<F, false> *)nullptr);
  case 2: return visit((Lif<F, false> *)nullptr);
  case 3: return visit((Lif<F, true> *)nullptr);
  }
}

template <class Visit> void with_types(int neuron, int storage, Visit visit) {
  const auto with_storage = [&](auto *stored) {
    using S = std::remove_pointer_t<decltype(stored)>;
    with_neuron<typename Compute<S>::type>(neuron, [&](auto *n) { visit(n, stored); });
  };
  switch (storage) {
  case 0: return with_storage((float *)nullptr);
  case 1: return with_storage((double *)nullptr);
  case 2: return with_storage((BFloat16 *)nullptr);
  }
}

} // namespace

extern "C" {

void arlif_forward(int neuron, int storage, int64_t steps, int64_t size, int64_t threads,
                   const double *numbers, const void *x, const void *state, void *spikes,
                   void *final_state) {
  const Call call{steps, size, threads, numbers};
  with_types(neuron, storage, [&](auto *n, auto *s) {
    using N = std::remove_pointer_t<decltype(n)>;
    using S = std::remove_pointer_t<decltype(s)>;
    using F = typename Compute<S>::type;
    forward<N, S>(call, (const S *)x, (const F *)state, (S *)spikes, (F *)final_state);
  });
}

void arlif_backward(int neuron, int storage, int64_t steps, int64_t size, int64_t threads,
                    const double *numbers, const void *x, const void *state,
                    const void *of_spikes, const void *of_final, void *of_x, void *of_state,
                    double *of_parameters) {
  const Call call{steps, size, threads, numbers};
  with_types(neuron, storage, [&](auto *n, auto *s) {
    using N = std::remove_pointer_t<decltype(n)>;
    using S = std::remove_pointer_t<decltype(s)>;
    using F = typename Compute<S>::type;
    backward<N, S>(call, (const S *)x, (const F *)state, (const S *)of_spikes,
                   (const F *)of_final, (S *)of_x, (F *)of_state, of_parameters);
  });
}
}

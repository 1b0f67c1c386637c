// Real-valued neurons over T time steps, forward and backward: one pass over memory each.
// Called from Python through ctypes (arlif/kernels/cpu.py).
#include "kinds.h"
#include "neurons.h"
#include "tiles.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace {

// What one call works on; arrays are [steps, size], states [states, size] in the compute type.
// stride: from one step of x to the next, 0 if all are the same.
struct Call {
  int64_t steps, size, stride, threads;
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

template <class Neuron, class S, class F = typename Neuron::F>
void forward(const Call &call, const S *x, const F *state, S *spikes, F *final_state) {
  constexpr int states = Neuron::states, groups = 64, vectors = groups * states;
  prefer_large_pages(spikes, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, groups * lanes<F>, call.threads, [&](int64_t begin, int64_t count, int64_t) {
    const Neuron neuron(call.numbers);
    Vector<F> now[vectors];
    load_rows<F>(now, state, call.size, begin, count, states);
    for (int64_t t = 0; t < call.steps; ++t) {
      Vector<F> *s = now;
      const S *const next = x + (t + 1 < call.steps ? (t + 1) * call.stride : count) + begin;
      for (int64_t i = 0; i < count; i += lanes<F>, s += states) {
        const int64_t at = t * call.size + begin + i, left = count - i;
        __builtin_prefetch(next + i);
        Vector<F> unused[Neuron::kept];
        const Vector<F> current = load(x + t * call.stride + begin + i, left);
        store(spikes + at, neuron.step(current, s, unused), left);
      }
    }
    if (final_state) store_rows<F>(final_state, now, call.size, begin, count, states);
  });
}

template <class Neuron, class S, class F = typename Neuron::F>
void backward(const Call &call, const S *x, const F *state, const S *of_spikes,
              const F *of_final, S *of_x, F *of_state, double *of_parameters) {
  constexpr int states = Neuron::states, kept = Neuron::kept, parameters = Neuron::parameters;
  // What a tile keeps for its gradient should stay in the second-level cache, but rows that are
  // too short waste memory accesses.
  const int64_t fitting = 262144 / (call.steps * kept * int64_t(sizeof(Vector<F>)));
  const int64_t groups = std::clamp<int64_t>(fitting, 4, 32), tile = groups * lanes<F>;
  std::vector<double> sums(size_t((call.size + tile - 1) / tile * parameters));
  prefer_large_pages(of_x, call.steps * call.size * int64_t(sizeof(S)));
  for_tiles(call.size, tile, call.threads, [&](int64_t begin, int64_t count, int64_t number) {
    const Neuron neuron(call.numbers);
    static thread_local std::vector<Vector<F>> memory;
    memory.resize(size_t(groups * (states + call.steps * kept)));
    Vector<F> *const now = memory.data();
    Vector<F> *keep = now + groups * states;
    load_rows<F>(now, state, call.size, begin, count, states);
    for (int64_t t = 0; t < call.steps; ++t) {
      Vector<F> *s = now;
      const bool last = t + 1 == call.steps;
      const S *const next =
          (last ? of_spikes + t * call.size : x + (t + 1) * call.stride) + begin;
      for (int64_t i = 0; i < count; i += lanes<F>, s += states, keep += kept) {
        __builtin_prefetch(next + i);
        neuron.step(load(x + t * call.stride + begin + i, count - i), s, keep);
      }
    }
    load_rows<F>(now, of_final, call.size, begin, count, states);
    double *const tile_sums = sums.data() + number * parameters;
    const int64_t kept_per_step = (count + lanes<F> - 1) / lanes<F> * kept;
    for (int64_t t = call.steps - 1; t >= 0; --t) {
      Vector<F> *s = now;
      const Vector<F> *k = keep -= kept_per_step;
      const S *const next = (t > 0 ? of_spikes + (t - 1) * call.size : x + count) + begin;
      Vector<F> sum[parameters + 1] = {};
      for (int64_t i = 0; i < count; i += lanes<F>, s += states, k += kept) {
        const int64_t at = t * call.size + begin + i, left = count - i;
        const Vector<F> of_spike = load(of_spikes + at, left);
        __builtin_prefetch(next + i);
        const Vector<F> current = load(x + t * call.stride + begin + i, left);
        store(of_x + at, neuron.gradient(current, of_spike, k, s, sum), left);
      }
      for (int j = 0; j < parameters; ++j)
        for (int i = 0; i < lanes<F>; ++i) tile_sums[j] += double(sum[j][i]);
    }
    if (of_state) store_rows<F>(of_state, now, call.size, begin, count, states);
    free_if_large(memory);
  });
  std::fill(of_parameters, of_parameters + parameters, 0.0);
  for (auto one = sums.begin(); one != sums.end(); one += parameters)
    for (int j = 0; j < parameters; ++j) of_parameters[j] += one[j];
}

template <class F, class Visit> void with_neuron(int kind, Visit visit) {
  switch (kind) {
  case ARLIF: return visit((Arlif<F, true> *)nullptr);
  case ARLIF_WITHOUT_MEMORY: return visit((Arlif<F, false> *)nullptr);
  case LIF_SOFT: return visit((Lif<F, Reset::threshold> *)nullptr);
  case LIF_HARD: return visit((Lif<F, Reset::zero> *)nullptr);
  case LIF_SUBTRACT: return visit((Lif<F, Reset::amount> *)nullptr);
  case LIF_WEIGHTED: return visit((Lif<F, Reset::zero, true> *)nullptr);
  case CLIF: return visit((Clif<F> *)nullptr);
  }
}

// The storage types' numbers are those of arlif/kernels/cpu.py.
template <class Visit> void with_types(int kind, int storage, Visit visit) {
  const auto with_storage = [&](auto *stored) {
    using S = std::remove_pointer_t<decltype(stored)>;
    with_neuron<typename Compute<S>::type>(kind, [&](auto *n) { visit(n, stored); });
  };
  switch (storage) {
  case 0: return with_storage((float *)nullptr);
  case 1: return with_storage((double *)nullptr);
  case 2: return with_storage((BFloat16 *)nullptr);
  }
}

} // namespace

extern "C" {

// How many state variables and learned numbers each kind has, as arlif/kernels/kinds.py says.
int64_t arlif_real_layout[] = {
    Arlif<float, true>::states,            Arlif<float, true>::parameters,
    Arlif<float, false>::states,           Arlif<float, false>::parameters,
    Lif<float, Reset::threshold>::states,  Lif<float, Reset::threshold>::parameters,
    Lif<float, Reset::zero>::states,       Lif<float, Reset::zero>::parameters,
    Lif<float, Reset::amount>::states,     Lif<float, Reset::amount>::parameters,
    Lif<float, Reset::zero, true>::states, Lif<float, Reset::zero, true>::parameters,
    Clif<float>::states,                   Clif<float>::parameters,
};

void arlif_forward(int kind, int storage, int64_t steps, int64_t size, int64_t stride,
                   int64_t threads, const double *numbers, const void *x, const void *state,
                   void *spikes, void *final_state) {
  const Call call{steps, size, stride, threads, numbers};
  with_types(kind, storage, [&](auto *n, auto *s) {
    using N = std::remove_pointer_t<decltype(n)>;
    using S = std::remove_pointer_t<decltype(s)>;
    using F = typename Compute<S>::type;
    forward<N, S>(call, (const S *)x, (const F *)state, (S *)spikes, (F *)final_state);
  });
}

void arlif_backward(int kind, int storage, int64_t steps, int64_t size, int64_t stride,
                    int64_t threads, const double *numbers, const void *x, const void *state,
                    const void *of_spikes, const void *of_final, void *of_x, void *of_state,
                    double *of_parameters) {
  const Call call{steps, size, stride, threads, numbers};
  with_types(kind, storage, [&](auto *n, auto *s) {
    using N = std::remove_pointer_t<decltype(n)>;
    using S = std::remove_pointer_t<decltype(s)>;
    using F = typename Compute<S>::type;
    backward<N, S>(call, (const S *)x, (const F *)state, (const S *)of_spikes,
                   (const F *)of_final, (S *)of_x, (F *)of_state, of_parameters);
  });
}
}

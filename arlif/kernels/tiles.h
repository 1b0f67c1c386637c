// Cutting an array into tiles that threads work on.
#pragma once

#include <algorithm>
#include <cstdint>

// Calls body(begin, count, number of the tile) for all tiles of [0, size), in parallel.
template <class Body> void for_tiles(int64_t size, int64_t tile, int64_t threads, Body body) {
  const int64_t tiles = (size + tile - 1) / tile;
#pragma omp parallel for num_threads(int(threads)) schedule(static) if (tiles > 1)
  for (int64_t i = 0; i < tiles; ++i) body(i * tile, std::min(tile, size - i * tile), i);
}

// Copies `rows` rows of `count` numbers.
template <class F>
void copy_rows(F *to, int64_t to_stride, const F *from, int64_t from_stride, int64_t rows,
               int64_t count) {
  for (int64_t k = 0; k < rows; ++k)
    std::copy(from + k * from_stride, from + k * from_stride + count, to + k * to_stride);
}

// Constant-size loads and stores of one element's values, which a compiler unrolls.
template <int count, class F> void load_values(F (&to)[count], const F *from, int64_t stride) {
  for (int k = 0; k < count; ++k) to[k] = from[k * stride];
}
template <int count, class F> void store_values(const F (&from)[count], F *to, int64_t stride) {
  for (int k = 0; k < count; ++k) to[k * stride] = from[k];
}

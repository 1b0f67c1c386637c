// Cutting an array into tiles that threads work on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

// A thread keeps its scratch memory for its next tile, but not what only a very long run needs.
template <class T> void free_if_large(std::vector<T> &scratch) {
  constexpr size_t large = 8 << 20;
  if (scratch.capacity() * sizeof(T) > large) std::vector<T>().swap(scratch);
}

// Calls body(begin, count, number of the tile) for all tiles of [0, size), in parallel.
template <class Body> void for_tiles(int64_t size, int64_t tile, int64_t threads, Body body) {
  const int64_t tiles = (size + tile - 1) / tile;
#pragma omp parallel for num_threads(int(threads)) schedule(static) if (tiles > 1)
  for (int64_t i = 0; i < tiles; ++i) body(i * tile, std::min(tile, size - i * tile), i);
}

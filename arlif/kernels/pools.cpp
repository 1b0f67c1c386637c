// Window sums of bytes, channels last. Called from Python through ctypes (arlif/kernels/pools.py).
#include <cstring>
#include <vector>

#include "tiles.h"

namespace {

// Inputs [frames, height, width, channels], sums [frames, rows, columns, channels].
struct Pool {
  int64_t frames, channels, height, width, rows, columns;
  int64_t kernel[2], stride[2], padding[2];
};

typedef uint8_t Bytes __attribute__((vector_size(16)));

void add(const uint8_t *from, int64_t count, uint8_t *to) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) to[i] = uint8_t(to[i] + from[i]);
}

// The sums of `size` pixels side by side; in registers, as a pixel has few channels.
void add_pixels(const uint8_t *from, int64_t size, int64_t channels, uint8_t *to) {
  int64_t i = 0;
  for (; i + int64_t(sizeof(Bytes)) <= channels; i += sizeof(Bytes)) {
    Bytes sum = {}, more;
    for (int64_t x = 0; x < size; ++x) {
      std::memcpy(&more, from + x * channels + i, sizeof more);
      sum += more;
    }
    std::memcpy(to + i, &sum, sizeof sum);
  }
  for (; i < channels; ++i) {
    to[i] = 0;
    for (int64_t x = 0; x < size; ++x) to[i] = uint8_t(to[i] + from[x * channels + i]);
  }
}

// Adds up a window's rows, all columns at once, and then their columns.
void frame(const Pool &p, const uint8_t *from, uint8_t *to) {
  const int64_t line = p.width * p.channels;
  std::vector<uint8_t> sums(static_cast<size_t>(line));
  for (int64_t row = 0; row < p.rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0);
    const int64_t top = row * p.stride[0] - p.padding[0];
    const int64_t bottom = std::min(top + p.kernel[0], p.height);
    for (int64_t y = std::max<int64_t>(top, 0); y < bottom; ++y)
      add(from + y * line, line, sums.data());
    for (int64_t column = 0; column < p.columns; ++column, to += p.channels) {
      const int64_t begin = column * p.stride[1] - p.padding[1];
      const int64_t left = std::max<int64_t>(begin, 0);
      const int64_t right = std::min(begin + p.kernel[1], p.width);
      add_pixels(sums.data() + left * p.channels, right - left, p.channels, to);
    }
  }
}

} // namespace

// What arlif/kernels/pools.py repeats.
extern "C" {
int64_t arlif_pool_layout[] = {sizeof(Pool)};
}

extern "C" void arlif_pool(const Pool *p, int64_t threads, const uint8_t *inputs, uint8_t *sums) {
  const int64_t size = p->height * p->width * p->channels;
  const int64_t pooled = p->rows * p->columns * p->channels;
  for_tiles(p->frames, 1, threads, [&](int64_t i, int64_t, int64_t) {
    frame(*p, inputs + i * size, sums + i * pooled);
  });
}

// Convolutions of each channel by itself: shortcuts, and depthwise layers. Exact.
// Called from Python through ctypes (arlif/kernels/depthwise.py).
#include "sum_kinds.h"
#include "tiles.h"

namespace {

// Inputs [frames, height, width, channels], sums [frames, rows, columns, channels].
struct Geometry {
  int64_t frames, channels, height, width, rows, columns;
  int64_t kernel[2], stride[2], padding[2], dilation[2];
  int64_t kind, adds, scale;
};

template <class Sum>
void add(const uint8_t *inputs, const Sum *weights, int64_t count, Sum *sums) {
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) sums[i] = Sum(sums[i] + inputs[i] * weights[i]);
}

template <class Sum>
void frame(const Geometry &g, const uint8_t *inputs, const Sum *weights, Sum *sums) {
  for (int64_t row = 0; row < g.rows; ++row)
    for (int64_t column = 0; column < g.columns; ++column, sums += g.channels) {
      if (!g.adds) std::fill(sums, sums + g.channels, Sum{});
      for (int64_t ky = 0; ky < g.kernel[0]; ++ky)
        for (int64_t kx = 0; kx < g.kernel[1]; ++kx) {
          const int64_t y = row * g.stride[0] + ky * g.dilation[0] - g.padding[0];
          const int64_t x = column * g.stride[1] + kx * g.dilation[1] - g.padding[1];
          if (y < 0 || y >= g.height || x < 0 || x >= g.width) continue;
          add(inputs + (y * g.width + x) * g.channels,
              weights + (ky * g.kernel[1] + kx) * g.channels, g.channels, sums);
        }
    }
}

template <class Sum>
void frames(const Geometry &g, int64_t threads, const uint8_t *inputs, const int8_t *weights,
            Sum *sums) {
  std::vector<Sum> scaled(size_t(g.kernel[0] * g.kernel[1] * g.channels));
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] = Sum(weights[i] * g.scale);
  const int64_t size = g.height * g.width * g.channels;
  const int64_t summed = g.rows * g.columns * g.channels;
  for_tiles(g.frames, 1, threads, [&](int64_t i, int64_t, int64_t) {
    frame(g, inputs + i * size, scaled.data(), sums + i * summed);
  });
}

} // namespace

// What arlif/kernels/depthwise.py repeats.
extern "C" {
int64_t arlif_depthwise_layout[] = {sizeof(Geometry)};
}

// weights: int8 [kernel, kernel, channels].
extern "C" void arlif_depthwise(const Geometry *g, int64_t threads, const uint8_t *inputs,
                                const int8_t *weights, void *sums) {
  if (g->kind == NARROW) frames(*g, threads, inputs, weights, static_cast<int16_t *>(sums));
  else frames(*g, threads, inputs, weights, static_cast<int32_t *>(sums));
}

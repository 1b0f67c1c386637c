// Convolutions driven by events: every spike adds its rows of weights to the sums that it reaches.
// Exact: sums of up to 255 weights of 8 bits fit 16 bits; they are then added to 32-bit sums. Callers
// prove that those of kind NARROW fit 16 bits.
// Called from Python through ctypes (arlif/kernels/events.py).
#include <vector>

#include "sum_kinds.h"
#include "tiles.h"
#include "vectors.h"

namespace {

// Inputs [frames, height, width, channels], sums [frames, rows, columns, outputs].
struct Geometry {
  int64_t frames, channels, height, width, rows, columns, outputs;
  int64_t kernel[2], stride[2], padding[2];
  int64_t kind, adds, scale;
};

constexpr int64_t group = 32;      // numbers of 16 bits in a cache line
constexpr int64_t widest = 4 * group; // outputs whose sums are in registers at once
constexpr int64_t exact = 255;     // weights that a 16-bit sum takes

// The events of one frame, row by row: an event's index is x channels + c. A graded input of
// value v is v events. `first` says where the events of each pixel begin.
struct Events {
  std::vector<uint32_t> indices;
  std::vector<int64_t> first;

  Events(const uint8_t *frame, const Geometry &g)
      : indices(size_t(total(frame, g.height * g.width * g.channels))),
        first(size_t(g.height * g.width + 1)) {
    const uint8_t *end = frame + g.height * g.width * g.channels;
    uint32_t *to = indices.data();
    int64_t *pixel = first.data();
    for (int64_t y = 0; y < g.height; ++y)
      for (int64_t x = 0; x < g.width; ++x, frame += g.channels) {
        *pixel++ = to - indices.data();
        for (int64_t c = 0; c < g.channels; c += 8)
          to = find(bytes(frame + c, std::min<int64_t>(8, g.channels - c), end),
                    uint32_t(x * g.channels + c), to);
      }
    *pixel = to - indices.data();
  }

  // The sum of bytes, eight at a time in four fields of 16 bits, which 128 times two bytes fit.
  static int64_t total(const uint8_t *values, int64_t count) {
    constexpr uint64_t even = 0x00ff00ff00ff00ff;
    int64_t sum = 0, i = 0;
    while (count - i >= 8) {
      const int64_t words = std::min<int64_t>(128, (count - i) / 8);
      uint64_t fields = 0;
      for (int64_t k = 0; k < words; ++k) {
        uint64_t word;
        std::memcpy(&word, values + i + 8 * k, 8);
        fields += (word & even) + (word >> 8 & even);
      }
      for (int shift = 0; shift < 64; shift += 16) sum += int64_t(fields >> shift & 0xffff);
      i += 8 * words;
    }
    for (; i < count; ++i) sum += values[i];
    return sum;
  }

private:
  // The first `count` bytes, 1 to 8, the first in the lowest place; nothing is read at `end`.
  static uint64_t bytes(const uint8_t *from, int64_t count, const uint8_t *end) {
    uint64_t word = 0;
    if (end - from >= 8) std::memcpy(&word, from, 8);
    else std::memcpy(&word, from, size_t(count));
    return word & (~uint64_t(0) >> (64 - 8 * count));
  }
  static uint32_t *find(uint64_t word, uint32_t base, uint32_t *to) {
    while (word) {
      const int shift = __builtin_ctzll(word) & ~7;
      for (uint64_t value = word >> shift & 255; value; --value) *to++ = base + shift / 8;
      word &= ~(uint64_t(255) << shift);
    }
    return to;
  }
};

// Sums of 16 bits, as many as a vector holds.
using Narrow = Vector<int16_t>;

// The sums of one pixel for `groups * group` outputs; a flush adds them to what is there, or, the first
// of new ones, writes them.
template <int groups, class Out> struct Sums {
  static constexpr int vectors = groups * group / lanes<int16_t>;
  static constexpr int64_t most = sizeof(Out) == sizeof(int16_t) ? int64_t(1) << 62 : exact;
  Narrow narrow[vectors] = {};
  int64_t room = most;
  bool adds;

  explicit Sums(bool adds) : adds(adds) {}

  // In registers from the first event to the last.
  void add(const uint32_t *begin, const uint32_t *end, const int8_t *weights) {
    Narrow sum[vectors];
    for (int i = 0; i < vectors; ++i) sum[i] = narrow[i];
    for (; begin < end; ++begin) {
      const int8_t *row = weights + int64_t(*begin) * groups * group;
#pragma GCC unroll 16
      for (int i = 0; i < vectors; ++i) sum[i] += widened(row + i * lanes<int16_t>);
    }
    for (int i = 0; i < vectors; ++i) narrow[i] = sum[i];
  }
  void flush(Out *to, int64_t count, int32_t scale) {
    int16_t values[groups * group];
    std::memcpy(values, narrow, sizeof values);
    if (adds)
      for (int64_t i = 0; i < count; ++i) to[i] = Out(to[i] + values[i] * scale);
    else
      for (int64_t i = 0; i < count; ++i) to[i] = values[i];
    for (Narrow &sum : narrow) sum = Narrow{};
    room = most;
    adds = true;
  }
};

// One frame's sums for the outputs of a block; `weights`: [kernel, kernel, channels, its width].
template <int groups, class Out>
void block(const Geometry &g, const Events &events, const int8_t *weights, int64_t outputs,
           Out *to) {
  constexpr int64_t width = groups * group;
  const int32_t scale = int32_t(g.scale);
  for (int64_t row = 0; row < g.rows; ++row)
    for (int64_t column = 0; column < g.columns; ++column, to += g.outputs) {
      const int64_t top = row * g.stride[0] - g.padding[0];
      const int64_t left = column * g.stride[1] - g.padding[1];
      const int64_t begin = std::clamp<int64_t>(left, 0, g.width); // a window may be outside
      const int64_t end = std::clamp<int64_t>(left + g.kernel[1], 0, g.width);
      Sums<groups, Out> sums(g.adds);
      for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + g.kernel[0], g.height); ++y) {
        const int64_t shift = ((y - top) * g.kernel[1] - left) * g.channels;
        int64_t i = events.first[y * g.width + begin];
        const int64_t last = events.first[y * g.width + end];
        while (i < last) {
          const int64_t stop = std::min(last, i + sums.room);
          sums.room -= stop - i;
          const uint32_t *indices = events.indices.data();
          sums.add(indices + i, indices + stop, weights + shift * width);
          i = stop;
          if (sums.room == 0) sums.flush(to, outputs, scale);
        }
      }
      sums.flush(to, outputs, scale);
    }
}

template <class Out>
void frame(const Geometry &g, const Events &events, const int8_t *weights, Out *to) {
  const int64_t taps = g.kernel[0] * g.kernel[1] * g.channels;
  for (int64_t first = 0; first < g.outputs; first += widest) {
    const int64_t outputs = std::min(widest, g.outputs - first);
    switch ((outputs + group - 1) / group) {
    case 1: block<1>(g, events, weights, outputs, to + first); break;
    case 2: block<2>(g, events, weights, outputs, to + first); break;
    case 3: block<3>(g, events, weights, outputs, to + first); break;
    case 4: block<4>(g, events, weights, outputs, to + first); break;
    }
    weights += taps * widest;
  }
}

template <class Out>
void convolution(const Geometry &g, int64_t threads, const uint8_t *inputs, const int8_t *weights,
                 Out *sums) {
  const int64_t size = g.height * g.width * g.channels;
  for_tiles(g.frames, 1, threads, [&](int64_t number, int64_t, int64_t) {
    const Events events(inputs + number * size, g);
    frame(g, events, weights, sums + number * g.rows * g.columns * g.outputs);
  });
}

} // namespace

// What arlif/kernels/events.py repeats.
extern "C" {
int64_t arlif_event_layout[] = {sizeof(Geometry), group, widest};
}

// The events of `count` inputs.
extern "C" int64_t arlif_event_count(const uint8_t *values, int64_t count) {
  return Events::total(values, count);
}

// weights: for every block of `widest` outputs [kernel, kernel, channels, outputs of the block
// filled up to a multiple of `group`].
extern "C" void arlif_event_convolution(const Geometry *g, int64_t threads, const uint8_t *inputs,
                                        const int8_t *weights, void *sums) {
  if (g->kind == NARROW) convolution(*g, threads, inputs, weights, static_cast<int16_t *>(sums));
  else convolution(*g, threads, inputs, weights, static_cast<int32_t *>(sums));
}

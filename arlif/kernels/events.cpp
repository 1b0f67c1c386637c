// Convolutions driven by events: every spike adds its rows of weights to the sums that it reaches.
// Exact: sums of up to 255 weights of 8 bits fit 16 bits; they are then added to 32-bit sums. Callers
// prove that those of kind NARROW fit 16 bits.
// Called from Python through ctypes (arlif/kernels/events.py).
#include <cstring>
#include <vector>

#include "sum_kinds.h"
#include "tiles.h"

namespace {

// Inputs [frames, height, width, channels], sums [frames, rows, columns, outputs].
struct Geometry {
  int64_t frames, channels, height, width, rows, columns, outputs;
  int64_t kernel[2], stride[2], padding[2];
  int64_t kind, scale;
};

constexpr int64_t group = 32;         // outputs whose weights of one event are added at once
constexpr int64_t widest = 2 * group; // outputs whose sums are in registers at once
constexpr int64_t exact = 255;        // weights that a 16-bit sum takes
constexpr int64_t room = 28 << 10;    // bytes of weights that stay in the first-level cache
constexpr int64_t enough = 512;       // pixels that are added to meanwhile

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

// Sums of 16 bits. A word of weights is that of one output plus 128, and 256 times that of another:
// shifted down it is the other's, and of its sum the other's leave the one's, and 128 for each event.
constexpr int64_t half = group / 2;
typedef int16_t Narrow __attribute__((vector_size(group)));

// Adds `scale` times the sums of `count` outputs, or of `half`, where there are more.
template <class Out> void add(const Narrow &sums, int32_t scale, int64_t count, Out *to) {
  typedef Out Sums __attribute__((vector_size(half * sizeof(Out))));
  Sums now = {};
  const size_t bytes = size_t(std::clamp<int64_t>(count, 0, half)) * sizeof(Out);
  if (count >= half) std::memcpy(&now, to, sizeof now);
  else std::memcpy(&now, to, bytes);
  now += __builtin_convertvector(sums, Sums) * Out(scale);
  if (count >= half) std::memcpy(to, &now, sizeof now);
  else std::memcpy(to, &now, bytes);
}

// Adds the rows of events, at most `exact` where sums are of 32 bits, in registers from the first to
// the last, `scale` times to `count` outputs.
template <int groups, class Out>
void add(const uint32_t *begin, const uint32_t *end, const uint8_t *weights, int32_t scale,
         int64_t count, Out *to) {
  Narrow both[groups] = {}, other[groups] = {};
  const Narrow extra = Narrow{} + int16_t((end - begin) * 128);
#pragma GCC unroll 4
  for (; begin < end; ++begin) {
    const uint8_t *row = weights + int64_t(*begin) * groups * group;
#pragma GCC unroll 4
    for (int i = 0; i < groups; ++i) {
      Narrow words;
      std::memcpy(&words, row + i * group, sizeof words);
      both[i] += words;
      other[i] += words >> 8;
    }
  }
  for (int i = 0; i < groups; ++i, count -= group, to += group) {
    add(both[i] - (other[i] << 8) - extra, scale, count, to);
    add(other[i], scale, count - half, to + half);
  }
}

// One frame's sums for the outputs of a block, of what `span` places of the windows from (y, x) on
// see, whose rows of weights stay in the first-level cache meanwhile.
template <int groups, class Out>
void places(const Geometry &g, const Events &events, const uint8_t *weights, int64_t y, int64_t x,
            int64_t span, int64_t outputs, Out *to) {
  constexpr int64_t width = groups * group;
  const int32_t scale = int32_t(std::max<int64_t>(g.scale, 1));
  const uint32_t *indices = events.indices.data();
  for (int64_t row = 0; row < g.rows; ++row)
    for (int64_t column = 0; column < g.columns; ++column, to += g.outputs) {
      const int64_t down = row * g.stride[0] - g.padding[0] + y;
      if (down < 0 || down >= g.height) continue;
      const int64_t left = column * g.stride[1] - g.padding[1] + x;
      const int64_t *pixels = events.first.data() + down * g.width;
      const int64_t end = pixels[std::clamp<int64_t>(left + span, 0, g.width)];
      const uint8_t *rows = weights - left * g.channels * width;
      for (int64_t i = pixels[std::clamp<int64_t>(left, 0, g.width)], stop; i < end; i = stop) {
        stop = sizeof(Out) == sizeof(int16_t) ? end : std::min(end, i + exact);
        add<groups>(indices + i, indices + stop, rows, scale, outputs, to);
      }
    }
}

template <int groups, class Out>
void block(const Geometry &g, const std::vector<Events> &frames, const uint8_t *weights,
           int64_t outputs, Out *to) {
  const int64_t pixels = g.rows * g.columns;
  if (!g.scale)
    for (int64_t i = 0; i < int64_t(frames.size()) * pixels; ++i)
      std::fill(to + i * g.outputs, to + i * g.outputs + outputs, Out{});
  const int64_t rows = g.channels * groups * group; // bytes of a place's
  const int64_t span = g.kernel[1] * rows <= room ? g.kernel[1] : 1;
  for (int64_t y = 0; y < g.kernel[0]; ++y)
    for (int64_t x = 0; x < g.kernel[1]; x += span, weights += span * rows) {
      Out *sums = to;
      for (const Events &events : frames) {
        places<groups>(g, events, weights, y, x, span, outputs, sums);
        sums += pixels * g.outputs;
      }
    }
}

template <class Out>
void convolution(const Geometry &g, int64_t threads, const uint8_t *inputs,
                 const uint8_t *weights, Out *sums) {
  const int64_t size = g.height * g.width * g.channels, pixels = g.rows * g.columns;
  const int64_t taps = g.kernel[0] * g.kernel[1] * g.channels;
  const int64_t most = std::min(enough / pixels, g.frames / threads);
  for_tiles(g.frames, std::max<int64_t>(1, most), threads, [&](int64_t from, int64_t count, int64_t) {
    std::vector<Events> frames;
    for (int64_t i = from; i < from + count; ++i) frames.emplace_back(inputs + i * size, g);
    for (int64_t first = 0; first < g.outputs; first += widest) {
      const int64_t outputs = std::min(widest, g.outputs - first);
      const uint8_t *of_block = weights + first * taps;
      Out *to = sums + from * pixels * g.outputs + first;
      if (outputs > group) block<2>(g, frames, of_block, outputs, to);
      else block<1>(g, frames, of_block, outputs, to);
    }
  });
}

} // namespace

// What arlif/kernels/events.py repeats.
extern "C" {
int64_t arlif_event_layout[] = {sizeof(Geometry), group, widest, room};
}

// The events of `count` inputs.
extern "C" int64_t arlif_event_count(const uint8_t *values, int64_t count) {
  return Events::total(values, count);
}

// weights: for every block of `widest` outputs [kernel, kernel, channels, outputs of the block
// filled up to a multiple of `group`], in words of two outputs `group / 2` apart, see Narrow.
extern "C" void arlif_event_convolution(const Geometry *g, int64_t threads, const uint8_t *inputs,
                                        const uint8_t *weights, void *sums) {
  if (g->kind == NARROW) convolution(*g, threads, inputs, weights, static_cast<int16_t *>(sums));
  else convolution(*g, threads, inputs, weights, static_cast<int32_t *>(sums));
}

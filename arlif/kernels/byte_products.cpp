// Convolutions of bytes with weights of 8 bits, as sums of products that are exact.
// Called from Python through ctypes (arlif/kernels/byte_products.py).
#include <vector>

#include "tiles.h"
#include "vectors.h"
#include "window_sums.h"

namespace {

// `step` inputs of one pixel are multiplied at once, with the weights of `width` outputs in one
// vector, and added to that vector's sums. `complete` makes a number of 32 bits of each output's.
// Callers prove that no sum leaves its type, and that no two products leave 16 bits.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__SSSE3__)
constexpr int64_t step = 4, width = lanes<int32_t>;
using Weights = Vector<int8_t>;
using Inputs = uint32_t;
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
INLINE Vector<int16_t> pairs_of(uint32_t inputs, Weights weights) {
#if defined(__AVX512BW__)
  return (Vector<int16_t>)_mm512_maddubs_epi16(_mm512_set1_epi32(int(inputs)), (__m512i)weights);
#elif defined(__AVX2__)
  return (Vector<int16_t>)_mm256_maddubs_epi16(_mm256_set1_epi32(int(inputs)), (__m256i)weights);
#else
  return (Vector<int16_t>)_mm_maddubs_epi16(_mm_set1_epi32(int(inputs)), (__m128i)weights);
#endif
}
#endif
// One sum of 32 bits an output.
struct Long {
  using Sum = int32_t;
  INLINE static Vector<Sum> plus_products(Vector<Sum> sums, uint32_t inputs, Weights weights) {
#if defined(__AVX512VNNI__)
    return (Vector<Sum>)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32(int(inputs)),
                                            (__m512i)weights);
#elif defined(__AVXVNNI__)
    return (Vector<Sum>)_mm256_dpbusd_avx_epi32((__m256i)sums, _mm256_set1_epi32(int(inputs)),
                                                (__m256i)weights);
#else
    const Vector<int16_t> pairs = pairs_of(inputs, weights);
#if defined(__AVX512BW__)
    return sums + (Vector<Sum>)_mm512_madd_epi16((__m512i)pairs, _mm512_set1_epi16(1));
#elif defined(__AVX2__)
    return sums + (Vector<Sum>)_mm256_madd_epi16((__m256i)pairs, _mm256_set1_epi16(1));
#else
    return sums + (Vector<Sum>)_mm_madd_epi16((__m128i)pairs, _mm_set1_epi16(1));
#endif
#endif
  }
  INLINE static void complete(Vector<Sum> sums, int32_t *to) { store(to, sums); }
};
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
using Short = Long;
#else
// Two sums of 16 bits an output, side by side.
struct Short {
  using Sum = int16_t;
  INLINE static Vector<Sum> plus_products(Vector<Sum> sums, uint32_t inputs, Weights weights) {
    return sums + pairs_of(inputs, weights);
  }
  INLINE static void complete(Vector<Sum> sums, int32_t *to) {
    const Vector<int32_t> both = (Vector<int32_t>)sums;
    store(to, (both << 16 >> 16) + (both >> 16));
  }
};
#endif
#else
constexpr int64_t step = 1, width = lanes<int16_t>;
typedef int8_t Weights __attribute__((vector_size(VECTOR_BYTES / 2)));
using Inputs = uint8_t;
struct Short {
  using Sum = int16_t;
  INLINE static Vector<Sum> plus_products(Vector<Sum> sums, uint8_t inputs, Weights weights) {
    return sums + __builtin_convertvector(weights, Vector<Sum>) * Sum(inputs);
  }
  INLINE static void complete(Vector<Sum> sums, int32_t *to) {
    for (int64_t i = 0; i < width; ++i) to[i] = sums[i];
  }
};
using Long = Short;
#endif

// `step` bytes as one number.
INLINE Inputs together(const uint8_t *from) {
  Inputs value;
  std::memcpy(&value, from, step);
  return value;
}

constexpr int registers = VECTOR_BYTES == 64 ? 24 : 12; // that hold sums
constexpr int64_t widest = 2;                           // vectors of outputs at once
constexpr int64_t enough = 96;                          // pixels that share what is in the cache

// The sums of P pixels for V vectors of outputs.
template <class Lanes, int P, int V> struct Tile {
  using Sum = typename Lanes::Sum;
  static constexpr bool splits = sizeof(Sum) < sizeof(int32_t); // whether sums are put away

  Vector<Sum> sums[P][V] = {};
  int32_t wide[splits ? P : 1][V * width] = {};

  INLINE void put_away() {
    for (int p = 0; p < P; ++p)
      for (int v = 0; v < V; ++v) {
        int32_t now[width];
        Lanes::complete(sums[p][v], now);
        for (int i = 0; i < width; ++i) wide[p][v * width + i] += now[i];
        sums[p][v] = Vector<Sum>{};
      }
  }

  void run(const uint8_t *const *windows, const Piece *pieces, int64_t count,
           const int8_t *weights) {
    for (const Piece *piece = pieces; piece < pieces + count; ++piece) {
      const uint8_t *at[P];
      for (int p = 0; p < P; ++p) at[p] = windows[p] + piece->offset;
      Vector<Sum> now[P][V]; // in registers from the first input to the last
      std::memcpy(now, sums, sizeof now);
      for (int64_t k = 0; k < piece->steps; ++k, weights += V * sizeof(Weights)) {
        Weights row[V];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v)
          std::memcpy(&row[v], weights + v * sizeof(Weights), sizeof(Weights));
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) {
          const Inputs inputs = together(at[p] + k * step);
#pragma GCC unroll 8
          for (int v = 0; v < V; ++v) now[p][v] = Lanes::plus_products(now[p][v], inputs, row[v]);
        }
      }
      std::memcpy(sums, now, sizeof now);
      if constexpr (splits)
        if (piece->fills) put_away();
    }
  }

  // put(place, sum): where a pixel's sums go, which lie `stride` apart.
  template <class Out, class Put>
  INLINE void write(Out *to, int64_t stride, int64_t outputs, Put put) {
    for (int p = 0; p < P; ++p, to += stride) {
      int32_t now[V * width];
      for (int v = 0; v < V; ++v) Lanes::complete(sums[p][v], now + v * width);
      if constexpr (splits)
        for (int i = 0; i < V * width; ++i) now[i] += wide[p][i];
      if (outputs == V * width)
        for (int i = 0; i < V * width; ++i) put(to[i], now[i]);
      else
        for (int i = 0; i < outputs; ++i) put(to[i], now[i]);
    }
  }
};

// A part of the outputs, for pixels whose windows begin at `windows`.
template <class Lanes, class Out> struct Block {
  const Geometry &g;
  const Piece *pieces;
  const int8_t *weights;
  int64_t outputs;

  template <int V> void run(const std::vector<const uint8_t *> &windows, Out *to) const {
    constexpr int most = std::min(registers / V, 12);
    const int64_t count = int64_t(windows.size());
    int64_t i = 0;
    tiles<most, V>(windows, i, count, to);
    if constexpr (most > 6) tiles<6, V>(windows, i, count, to);
    tiles<3, V>(windows, i, count, to);
    tiles<1, V>(windows, i, count, to);
  }

private:
  template <int P, int V>
  void tiles(const std::vector<const uint8_t *> &windows, int64_t &i, int64_t count,
             Out *to) const {
    for (; i + P <= count; i += P) {
      Tile<Lanes, P, V> tile;
      tile.run(windows.data() + i, pieces, g.pieces, weights);
      Out *place = to + i * g.outputs;
      const int32_t scale = int32_t(g.scale);
      if (g.adds)
        tile.write(place, g.outputs, outputs,
                   [&](Out &to, int32_t sum) { to = Out(to + sum * scale); });
      else tile.write(place, g.outputs, outputs, [](Out &to, int32_t sum) { to = Out(sum); });
    }
  }
};

// Frames with zeros around them, as far as a window goes, and behind them what is read beyond; the
// frames themselves where neither is.
struct Padded {
  const uint8_t *frames;
  int64_t line, size;

  Padded(const Geometry &g, const uint8_t *inputs, int64_t threads)
      : frames(inputs), line((g.width + 2 * g.padding[1]) * g.channels),
        size((g.height + 2 * g.padding[0]) * line) {
    if (g.padding[0] == 0 && g.padding[1] == 0 && g.beyond == 0) return;
    uint8_t *const copied = zeros<uint8_t>(g.frames * size + g.beyond);
    frames = copied;
    const int64_t row = g.width * g.channels;
    for_tiles(g.frames, 1, threads, [&](int64_t frame, int64_t, int64_t) {
      const uint8_t *from = inputs + frame * g.height * row;
      uint8_t *to = copied + frame * size + g.padding[0] * line + g.padding[1] * g.channels;
      for (int64_t y = 0; y < g.height; ++y, from += row, to += line)
        std::copy(from, from + row, to);
    });
  }
};

template <class Lanes, class Out>
void of_group(const Geometry &g, const Piece *pieces, int64_t steps, int64_t threads,
              const uint8_t *inputs, const int8_t *weights, Out *sums) {
  const Padded padded(g, inputs, threads);
  const int64_t pixels = g.rows * g.columns, share = std::max<int64_t>(1, enough / pixels);
  const int64_t shares = (g.frames + share - 1) / share;
  const int64_t blocks = (g.outputs + widest * width - 1) / (widest * width);
  const int64_t parts = shares < 2 * threads ? blocks : 1; // of the outputs, for threads
  for_tiles(shares * parts, 1, threads, [&](int64_t item, int64_t, int64_t) {
    const int64_t first = item / parts * share, frames = std::min(share, g.frames - first);
    std::vector<const uint8_t *> windows;
    windows.reserve(size_t(frames * pixels));
    for (int64_t frame = first; frame < first + frames; ++frame)
      for (int64_t row = 0; row < g.rows; ++row)
        for (int64_t column = 0; column < g.columns; ++column)
          windows.push_back(padded.frames + frame * padded.size + row * g.stride[0] * padded.line +
                            column * g.stride[1] * g.channels);
    for (int64_t block = item % parts; block < blocks; block += parts) {
      const int64_t begin = block * widest * width;
      const int64_t outputs = std::min(widest * width, g.outputs - begin);
      const Block<Lanes, Out> part{g, pieces, weights + begin * steps * step, outputs};
      Out *to = sums + first * pixels * g.outputs + begin;
      if (outputs > width) part.template run<2>(windows, to);
      else part.template run<1>(windows, to);
    }
  });
}

template <class Lanes, class Out>
void products(const Geometry &g, const Piece *pieces, int64_t threads, const uint8_t *inputs,
              const int8_t *weights, Out *sums) {
  in_groups(g, pieces, step, threads, inputs, sums,
            [&](const Geometry &part, int64_t steps, int64_t used, const uint8_t *from, Out *to) {
              of_group<Lanes>(part, pieces, steps, used, from, weights, to);
            });
}

} // namespace

// What arlif/kernels/byte_products.py repeats, and what it packs weights by.
extern "C" {
int64_t arlif_products_layout[] = {sizeof(Geometry), sizeof(Piece)};
int64_t arlif_products_form[] = {step, width, widest, sizeof(Short::Sum), sizeof(Long::Sum)};
}

// weights: for every block of `widest` vectors of outputs [steps, vectors, width, step], zeros
// where there are none.
extern "C" void arlif_products(const Geometry *g, const Piece *pieces, int64_t threads,
                               const uint8_t *inputs, const int8_t *weights, void *sums) {
  if (g->kind == NARROW)
    products<Short>(*g, pieces, threads, inputs, weights, static_cast<int16_t *>(sums));
  else if (g->longs)
    products<Long>(*g, pieces, threads, inputs, weights, static_cast<int32_t *>(sums));
  else products<Short>(*g, pieces, threads, inputs, weights, static_cast<int32_t *>(sums));
}

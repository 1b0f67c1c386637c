// Convolutions of spikes, or of a few added up, with weights of 8 bits: sums of tables' rows, exact.
//
// Four spikes side by side are one of 16 patterns, two sums of up to four spikes one of 25. What each
// adds to the sums of some outputs is made once, as a row of a table that stays in the first-level
// cache, and added for many pixels.
// Called from Python through ctypes (arlif/kernels/spike_tables.py).
#include <vector>

#include "tiles.h"
#include "vectors.h"
#include "window_sums.h"

namespace {

using Sums = Vector<int16_t>;
constexpr int64_t width = lanes<int16_t>;
constexpr int64_t widest = VECTOR_BYTES == 64 ? 2 : 4; // vectors of outputs at once
constexpr int64_t room = 24 << 10;                     // bytes of a table
constexpr int64_t enough = 2048;                       // pixels that share a table

// Inputs that are one pattern together, and the values that each takes.
struct Fours {
  static constexpr int64_t inputs = 4, levels = 2, patterns = 16;
  static uint32_t pattern(const uint8_t *from) {
    uint32_t four; // the spikes are its bits 0, 8, 16 and 24
    std::memcpy(&four, from, 4);
    return (four * 0x01020408u) >> 24 & (patterns - 1);
  }
};
struct Pairs {
  static constexpr int64_t inputs = 2, levels = 5, patterns = 25;
  static uint32_t pattern(const uint8_t *from) { return from[0] + uint32_t(levels) * from[1]; }
};

// The patterns of frames with zeros around them, each times the bytes of one vector.
template <class Group> struct Patterns {
  int64_t groups, line, size;
  uint16_t *values;

  Patterns(const Geometry &g, const uint8_t *spikes, int64_t threads)
      : groups(g.channels / Group::inputs), line((g.width + 2 * g.padding[1]) * groups),
        size((g.height + 2 * g.padding[0]) * line), values(zeros<uint16_t>(g.frames * size)) {
    const int64_t row = g.width * groups;
    for_tiles(g.frames, 1, threads, [&](int64_t frame, int64_t, int64_t) {
      const uint8_t *from = spikes + frame * g.height * row * Group::inputs;
      uint16_t *to = values + frame * size + g.padding[0] * line + g.padding[1] * groups;
      for (int64_t y = 0; y < g.height; ++y, from += row * Group::inputs, to += line)
        found(from, row, to);
    });
  }

private:
  static void found(const uint8_t *from, int64_t count, uint16_t *to) {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i)
      to[i] = uint16_t(Group::pattern(from + Group::inputs * i) * VECTOR_BYTES);
  }
};

// V vectors of outputs, for pixels whose windows begin at `windows`.
template <class Group, int V> class Block {
  static constexpr int64_t patterns = Group::patterns;

  const Geometry &g;
  const Piece *pieces;
  std::vector<Sums> table, sums;
  std::vector<int32_t> wide;

public:
  Block(const Geometry &g, const Piece *pieces)
      : g(g), pieces(pieces), table(size_t(most * patterns * V)) {}

  template <class Out>
  void run(const std::vector<const uint16_t *> &windows, const int8_t *weights, int64_t outputs,
           Out *to) {
    const int64_t pixels = int64_t(windows.size());
    sums.assign(size_t(pixels * V), Sums{});
    wide.clear();
    for (const Piece *piece = pieces; piece < pieces + g.pieces; ++piece) {
      const int64_t parts = (piece->steps + most - 1) / most;
      for (int64_t part = 0; part < parts; ++part) {
        const int64_t begin = piece->steps * part / parts;
        const int64_t count = piece->steps * (part + 1) / parts - begin;
        for (int64_t group = 0; group < count; ++group, weights += Group::inputs * V * width)
          fill(weights, table.data() + group * patterns * V);
        add(windows, piece->offset / Group::inputs + begin, count);
      }
      if (piece->fills) put_away();
    }
    constexpr std::integral_constant<int64_t, V * width> all; // a count that the compiler knows
    if (outputs == all) write(pixels, all, to);
    else write(pixels, outputs, to);
  }

private:
  static constexpr int64_t most = room / (patterns * V * VECTOR_BYTES); // groups of a table
  static constexpr int together = std::min(4, 12 / V);                  // pixels in registers

  const int16_t *numbers() const { return reinterpret_cast<const int16_t *>(sums.data()); }

  // The rows of a group of inputs: [patterns, V].
  static void fill(const int8_t *weights, Sums *rows) {
    for (int v = 0; v < V; ++v) {
      Sums row[patterns] = {};
      int64_t known = 1;
#pragma GCC unroll 4
      for (int input = 0; input < Group::inputs; ++input) {
        const Sums more = widened(weights + (input * V + v) * width);
        const int64_t end = known * Group::levels;
#pragma GCC unroll 32
        for (int64_t i = known; i < end; ++i) row[i] = row[i - known] + more;
        known = end;
      }
#pragma GCC unroll 32
      for (int i = 0; i < patterns; ++i) rows[i * V + v] = row[i];
    }
  }

  void add(const std::vector<const uint16_t *> &windows, int64_t offset, int64_t count) {
    const int64_t pixels = int64_t(windows.size());
    int64_t i = 0;
    for (; i + together <= pixels; i += together)
      add<together>(windows.data() + i, offset, count, sums.data() + i * V);
    for (; i < pixels; ++i) add<1>(windows.data() + i, offset, count, sums.data() + i * V);
  }

  // Adds the rows of P pixels, in registers from the first to the last.
  template <int P>
  void add(const uint16_t *const *windows, int64_t offset, int64_t count, Sums *to) const {
    Sums now[P][V];
    const uint16_t *at[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      at[p] = windows[p] + offset;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) now[p][v] = to[p * V + v];
    }
    const char *rows = reinterpret_cast<const char *>(table.data());
#pragma GCC unroll 4
    for (int64_t group = 0; group < count; ++group, rows += patterns * V * VECTOR_BYTES)
#pragma GCC unroll 4
      for (int p = 0; p < P; ++p) {
        const char *row = rows + size_t(at[p][group]) * V;
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
          now[p][v] += *reinterpret_cast<const Sums *>(row + v * VECTOR_BYTES);
      }
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) to[p * V + v] = now[p][v];
  }

  void put_away() {
    wide.resize(sums.size() * size_t(width));
    for (size_t i = 0; i < wide.size(); ++i) wide[i] += numbers()[i];
    std::fill(sums.begin(), sums.end(), Sums{});
  }

  template <class Count> void write(int64_t pixels, Count outputs, int16_t *to) const {
    const int16_t *sum = numbers(); // nothing was put away
    for (int64_t pixel = 0; pixel < pixels; ++pixel, to += g.outputs, sum += V * width)
      if (g.adds) write(to, outputs, [&](int64_t i) { return sum[i]; });
      else std::memcpy(to, sum, size_t(outputs) * sizeof *to);
  }
  template <class Count> void write(int64_t pixels, Count outputs, int32_t *to) const {
    for (int64_t pixel = 0; pixel < pixels; ++pixel, to += g.outputs) {
      const int16_t *sum = numbers() + pixel * V * width;
      const int32_t *more = wide.data() + pixel * V * width;
      if (wide.empty()) write(to, outputs, [&](int64_t i) { return int32_t(sum[i]); });
      else write(to, outputs, [&](int64_t i) { return sum[i] + more[i]; });
    }
  }
  template <class Out, class Count, class Sum> void write(Out *to, Count outputs, Sum sum) const {
    const Out scale = Out(g.scale);
    if (g.adds)
      for (int64_t i = 0; i < outputs; ++i) to[i] = Out(to[i] + sum(i) * scale);
    else
      for (int64_t i = 0; i < outputs; ++i) to[i] = Out(sum(i));
  }
};

template <class Group, class Out>
void of_frames(const Geometry &g, const Piece *pieces, int64_t groups, int64_t threads,
              const uint8_t *spikes, const int8_t *weights, Out *sums) {
  const int64_t of_frame = g.rows * g.columns, pixels = g.frames * of_frame;
  const Patterns<Group> patterns(g, spikes, threads);
  const int64_t tiles = (pixels + enough - 1) / enough;
  const int64_t blocks = (g.outputs + widest * width - 1) / (widest * width);
  const int64_t parts = tiles < 2 * threads ? blocks : 1; // of the outputs, for threads
  for_tiles(tiles * parts, 1, threads, [&](int64_t item, int64_t, int64_t) {
    const int64_t tile = item / parts;
    const int64_t first = pixels * tile / tiles, last = pixels * (tile + 1) / tiles;
    std::vector<const uint16_t *> windows(size_t(last - first));
    for (int64_t pixel = first, count; pixel < last; pixel += count) { // row by row
      const int64_t frame = pixel / of_frame, row = pixel % of_frame / g.columns;
      const int64_t column = pixel % g.columns, step = g.stride[1] * patterns.groups;
      const uint16_t *window = patterns.values + frame * patterns.size +
                               row * g.stride[0] * patterns.line + column * step;
      count = std::min(g.columns - column, last - pixel);
      for (int64_t i = 0; i < count; ++i) windows[size_t(pixel - first + i)] = window + i * step;
    }
    for (int64_t block = item % parts; block < blocks; block += parts) {
      const int64_t begin = block * widest * width;
      const int64_t outputs = std::min(widest * width, g.outputs - begin);
      const int8_t *rows = weights + begin * groups * Group::inputs;
      Out *to = sums + first * g.outputs + begin;
      switch ((outputs + width - 1) / width) {
      case 1: Block<Group, 1>(g, pieces).run(windows, rows, outputs, to); break;
      case 2: Block<Group, 2>(g, pieces).run(windows, rows, outputs, to); break;
      case 3: Block<Group, 3>(g, pieces).run(windows, rows, outputs, to); break;
      case 4: Block<Group, 4>(g, pieces).run(windows, rows, outputs, to); break;
      }
    }
  });
}

template <class Group, class Out>
void sums_of(const Geometry &g, const Piece *pieces, int64_t threads, const uint8_t *spikes,
             const int8_t *weights, Out *sums) {
  in_groups(g, pieces, Group::inputs, threads, spikes, sums,
            [&](const Geometry &part, int64_t groups, int64_t used, const uint8_t *from, Out *to) {
              of_frames<Group>(part, pieces, groups, used, from, weights, to);
            });
}

template <class Group>
void sums_of_kind(const Geometry &g, const Piece *pieces, int64_t threads, const uint8_t *spikes,
                  const int8_t *weights, void *sums) {
  if (g.kind == NARROW)
    sums_of<Group>(g, pieces, threads, spikes, weights, static_cast<int16_t *>(sums));
  else sums_of<Group>(g, pieces, threads, spikes, weights, static_cast<int32_t *>(sums));
}

} // namespace

// What arlif/kernels/spike_tables.py repeats, and what it packs weights by.
extern "C" {
int64_t arlif_tables_layout[] = {sizeof(Geometry), sizeof(Piece)};
int64_t arlif_tables_form[] = {width, widest};
}

// weights: for every block of `widest` vectors of outputs [groups, inputs, vectors, width], zeros
// where there are none.
extern "C" void arlif_tables_of_fours(const Geometry *g, const Piece *pieces, int64_t threads,
                                      const uint8_t *spikes, const int8_t *weights, void *sums) {
  sums_of_kind<Fours>(*g, pieces, threads, spikes, weights, sums);
}
extern "C" void arlif_tables_of_pairs(const Geometry *g, const Piece *pieces, int64_t threads,
                                      const uint8_t *spikes, const int8_t *weights, void *sums) {
  sums_of_kind<Pairs>(*g, pieces, threads, spikes, weights, sums);
}

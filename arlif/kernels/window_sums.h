// What kernels of convolutions of bytes are told, whose weights lie in the order of a window's
// inputs. Called from Python through ctypes (arlif/kernels/window_sums.py).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sum_kinds.h"

// Inputs [frames, height, width, channels], sums [frames, rows, columns, outputs]. beyond: bytes that
// the last piece of a window reads behind it, for weights of 0. longs: whether sums that could leave
// 16 bits are made in 32.
struct Geometry {
  int64_t frames, channels, height, width, rows, columns, outputs, pieces;
  int64_t stride[2], padding[2];
  int64_t kind, adds, scale, beyond, longs;
};

// Inputs that lie side by side: from `offset` on behind a window's first, `steps` times `step`. A sum
// of 16 bits is put away after a piece that `fills` it.
struct Piece {
  int64_t offset, steps, fills;
};

constexpr int64_t worth = 1 << 21; // products that are worth one more thread
constexpr int64_t nearby = 1 << 20; // bytes of inputs, made ready, that a thread finds in its cache

// Calls body(frames of a group, steps of a window, threads, inputs, sums) for groups of about equal
// size, of as many frames as lie nearby, with as many threads as have products enough.
template <class Out, class Body>
void in_groups(const Geometry &g, const Piece *pieces, int64_t step, int64_t threads,
               const uint8_t *inputs, Out *sums, Body body) {
  int64_t steps = 0;
  for (int64_t i = 0; i < g.pieces; ++i) steps += pieces[i].steps;
  const int64_t size = g.height * g.width * g.channels, of_frame = g.rows * g.columns * g.outputs;
  threads = std::clamp<int64_t>(g.frames * of_frame * steps * step / worth, 1, threads);
  const int64_t most = std::max<int64_t>(1, threads * nearby / size);
  const int64_t groups = (g.frames + most - 1) / most;
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t first = g.frames * group / groups;
    Geometry part = g;
    part.frames = g.frames * (group + 1) / groups - first;
    body(part, steps, threads, inputs + first * size, sums + first * of_frame);
  }
}

// Memory that a thread keeps from call to call, so that no page of it is asked for twice.
template <class T> T *zeros(int64_t count) {
  static thread_local std::vector<T> kept;
  kept.assign(size_t(count), T{});
  return kept.data();
}

// What kernels of convolutions of bytes are told, whose weights lie in the order of a window's
// inputs. Called from Python through ctypes (arlif/kernels/window_sums.py).
#pragma once

#include <cstdint>

// Inputs [frames, height, width, channels], sums [frames, rows, columns, outputs], int16 or int32
// by `kind`. ADDED: `scale` times each sum is added to what is there, 32 bits. beyond: bytes that
// the last piece of a window reads behind it, for weights of 0. longs: whether sums that could leave
// 16 bits are made in 32.
struct Geometry {
  int64_t frames, channels, height, width, rows, columns, outputs, pieces;
  int64_t stride[2], padding[2];
  int64_t kind, scale, beyond, longs;
};

enum Kind { NARROW, WIDE, ADDED };

// Inputs that lie side by side: from `offset` on behind a window's first, `steps` times `step`. A sum
// of 16 bits is put away after a piece that `fills` it.
struct Piece {
  int64_t offset, steps, fills;
};

constexpr int64_t worth = 1 << 21; // products that are worth one more thread

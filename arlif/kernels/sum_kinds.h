// How kernels of convolutions give sums, by `kind` and `scale`: of 16 or of 32 bits; new ones where
// `scale` is 0, else `scale` times each is added to what is there. Sums wrap, so those of 16 bits are
// right where they fit in the end. Repeated in arlif/kernels/byte_frames.py.
#pragma once

enum Kind { NARROW, WIDE };

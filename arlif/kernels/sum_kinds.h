// How kernels of convolutions give sums: by `kind` of 16 or of 32 bits; where it `adds`, `scale` times
// each is added to what is there, else they are new, and `scale` is 1. Sums wrap, so those of 16 bits
// are right where they fit in the end. Repeated in arlif/kernels/byte_frames.py.
#pragma once

enum Kind { NARROW, WIDE };

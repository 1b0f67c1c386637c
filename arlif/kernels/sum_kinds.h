// How kernels of convolutions give sums: new ones of 16 or of 32 bits, or added to those of 32 bits
// that are there. Repeated in arlif/kernels/byte_frames.py.
#pragma once

enum Kind { NARROW, WIDE, ADDED };

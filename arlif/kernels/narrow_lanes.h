// Lanes of 16 bits, where a neuron's proven intervals fit them (arlif/kernels/integer_widths.py).
#pragma once

#include "integer_lanes.h"

// NarrowLanes<usual>, `usual`: states have all of 16 bits, so that sums which saturate by themselves
// are saturated, and constant factors are below 1.
#if defined(__AVX512BW__)
#include "narrow_lanes_avx512.h"
#elif defined(__AVX2__)
#include "narrow_lanes_avx2.h"
#endif

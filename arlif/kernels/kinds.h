// Numbers of the neurons, as in arlif/kernels/kinds.py.
#pragma once

enum Kind { ARLIF, ARLIF_WITHOUT_MEMORY, LIF_SOFT, LIF_HARD, LIF_SUBTRACT, LIF_WEIGHTED, CLIF };

"""Neurons whose numbers reach as far as their formats and 16-bit lanes do, or farther."""

import numpy as np
from hypothesis import strategies as st

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.real_neurons import RealArlif
from arlif.core.tables import LookupTable
from support.raw_neurons import lif_hard, lif_soft, lif_subtract


@st.composite
def extreme_arlifs(draw: st.DrawFn) -> IntegerNeuron:
    """AR-LIF of 16-bit states whose tables reach as far as 16-bit arithmetic does, or farther."""
    bits, one = draw(st.sampled_from([1, 8, 15])), draw(st.sampled_from([16383, 16384]))
    entries = draw(st.sampled_from([16, 64, 128, 256, 512]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    low, shift = draw(st.sampled_from([(-2048, 4), (-32768, 8), (0, 0), (32000, 3), (-40000, 9)]))

    def table(reach: int, first: int) -> LookupTable:
        ends = rng.choice([first, 0, reach], entries)
        values = np.where(rng.random(entries) < 0.5, ends, rng.integers(first, reach + 1, entries))
        return LookupTable(values, low, shift)

    tables = {
        "threshold": table(one, -one),
        "gate": table(1 << bits, draw(st.sampled_from([0, 0, -(1 << bits)]))),
        "drive": table(32767, -draw(st.sampled_from([32767, 32768]))),
        "reset": table(one, -one),
    }
    kind, decays = RealArlif(memory=draw(st.booleans())), (0, 1, 1 << (bits - 1), (1 << bits) - 1)
    tables = tables if kind.memory else {n: t for n, t in tables.items() if n != "gate"}
    decay = draw(st.sampled_from([*decays, 1 << bits]))
    return IntegerNeuron.of(kind, FixedPointFormat(16, 8), bits, {"decay": decay}, tables)


@st.composite
def extreme_lifs(draw: st.DrawFn) -> IntegerNeuron:
    """LIF whose threshold, amount and hold reach as far as its states do, of 16 bits and more."""
    form = draw(st.sampled_from([FixedPointFormat(16, 8), FixedPointFormat(30, 8)]))
    edges = st.sampled_from([form.low, form.low + 1, -1, 0, 1, 300, form.high - 1, form.high])
    shared = (form, 8, draw(st.sampled_from([0, 1, 128, 255, 256])), draw(edges))
    kind = draw(st.sampled_from([lif_soft, lif_hard, lif_subtract]))
    if kind is not lif_subtract:
        return kind(*shared)
    return lif_subtract(*shared, draw(edges), draw(st.integers(0, form.high)))

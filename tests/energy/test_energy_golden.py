"""The energy bill of one small network, counted and priced by hand; no number comes from the code.

The network stands in support/billed_network.py.
"""

from collections import Counter

import pytest
from support.billed_network import billed_network, billed_sample, sent

from hw_sim.energy.catalogue import FLOAT, INTEGER, LOIHI1, MEMORY, MODELS, PAPER
from hw_sim.energy.counter import count
from hw_sim.energy.counts import NetworkCounts
from hw_sim.energy.estimate import estimates
from hw_sim.energy.models import CostModel, network_energy_uj
from hw_sim.energy.operations import Operation, OperationKind
from hw_sim.energy.traffic import Memory, traffic, traffic_bits

ADD, COMPARE, SELECT, LOOKUP = (
    OperationKind.ADD,
    OperationKind.COMPARE,
    OperationKind.SELECT,
    OperationKind.LOOKUP,
)


@pytest.fixture(scope="module")
def counts() -> NetworkCounts:
    """One sample: 3 pixels that are not 0, 4 spikes of the image, 3 of the flat layer."""
    frames, spikes = billed_sample()
    return count(billed_network(), frames, sent(spikes), 2)


def test_operations(counts: NetworkCounts) -> None:
    image, flat, readout = counts.layers
    # conv 3 x 3 with a border: the middle pixel reaches 9 places, the corner 4, the edge 6; 2 maps
    (a,) = image.incoming
    assert (a.operations.tolist(), a.events.tolist(), a.graded) == ([(9 + 4 + 6) * 2], [3], True)
    # all pixels: 4 corners, 4 edges, the middle; with windows full everywhere 18 neurons x 9
    assert (a.connections, a.nominal) == ((4 * 4 + 4 * 6 + 9) * 2, 162)
    # pool of 2 x 2: the corner lies under 1 window, the middle under 4 (twice), the edge under 2;
    # each sum goes to 3 neurons
    pooled, viewed = flat.incoming
    assert (pooled.operations.tolist(), pooled.graded) == ([(1 + 4 * 2 + 2) * 3], False)
    assert (pooled.connections, pooled.nominal) == (2 * 16 * 3, 96)
    # conv 2 x 2: the middle lies under 4 windows, the corner under 1, the edge under 2
    assert (viewed.operations.tolist(), viewed.graded) == ([(4 + 1 + 2) * 3], True)
    assert (viewed.connections, viewed.nominal) == (16 * 3, 48)
    assert [p.operations.tolist() for p in readout.incoming] == [[3 * 2]]
    assert [layer.multiply_accumulates.tolist() for layer in counts.layers] == [[38], [21], [0]]
    assert [layer.accumulates.tolist() for layer in counts.layers] == [[0], [33], [6]]
    # neurons x time steps
    assert [layer.updates for layer in counts.layers] == [18 * 2, 3 * 2, 2 * 2]


def test_widths(counts: NetworkCounts) -> None:
    # image: 3 (8 + 7) = 45 and 3 (-7) = -21: 7 bits. flat: 100 x 4 + 31 x 12 = 772 and
    # -100 x 4 - 4 x 12 = -448: 11 bits. readout: -3 to 3: 3 bits, summed over 2 steps 5 bits
    assert [layer.accumulator_bits for layer in counts.layers] == [7, 11, 3]
    assert [layer.state_bits for layer in counts.layers] == [12, 10, 5]


def test_what_an_update_of_lif_does(counts: NetworkCounts) -> None:
    """States of 12 bits, an accumulator of 7, a gain of 8, k = 16 (6 bits), threshold 64 (8)."""
    adds, compares, selects = (
        # acc gain rounds 15 bits and leaves 15 - 4 = 11; + bias; k u rounds 18, leaves 13; + x; h -
        [15, 13, 18, 14, 13],
        # two for each of three saturations; fire
        [13, 13, 14, 14, 13, 13, 12],
        [8],
    )
    want = Counter(
        {Operation(OperationKind.MULTIPLY, 7, 8): 1, Operation(OperationKind.MULTIPLY, 12, 6): 1}
    )
    for kind, widths in ((ADD, adds), (COMPARE, compares), (SELECT, selects)):
        want.update(Operation(kind, bits) for bits in widths)
    assert counts.layers[0].update.operations == want
    assert counts.layers[0].update.states == ("u",)


def test_what_an_update_of_arlif_does(counts: NetworkCounts) -> None:
    """States of 10 bits, an accumulator of 11; k = 8 (5 bits), 1.0 = 16 (6 bits).

    Tables of 16 values: threshold 20 and gate 1 to 16 take 6 bits, drive -16 to -1 and reset 9 5.
    """
    adds = [
        *(19, 14),  # acc gain rounds, leaves 13; + bias
        *(15, 12),  # k u rounds, leaves 11; + x
        *(10, 10, 10, 10),  # the index of four look-ups, of 10-bit values
        6,  # -drive
        7,  # 1 - gate
        *(17, 14),  # r kept rounds, leaves 13; + push
        *(7, 11),  # theta + reset; h -
    ]
    compares = [14] * 2 + [12] * 2 + [10] * 8 + [10] + [10] + [14] * 2 + [11] * 2
    # saturate x, h; clip four look-ups; fire; r >= 0; saturate r, u
    selects = [6, 7, 7]  # drive or -drive; gate or 1 - gate; theta + reset or 0
    multiplies = [(11, 8), (10, 5), (10, 7)]
    lookups = [(6, 96), (6, 96), (5, 80), (5, 80)]
    want = Counter(Operation(OperationKind.MULTIPLY, *widths) for widths in multiplies)
    want.update(Operation(LOOKUP, *widths) for widths in lookups)
    for kind, widths in ((ADD, adds), (COMPARE, compares), (SELECT, selects)):
        want.update(Operation(kind, bits) for bits in widths)
    assert counts.layers[1].update.operations == want
    assert counts.layers[1].update.states == ("u", "r")


def test_what_the_readout_does(counts: NetworkCounts) -> None:
    """+ bias, + the sum so far."""
    assert counts.layers[2].update.operations == {Operation(ADD, 3): 1, Operation(ADD, 5): 1}


TRAFFIC = (
    # weights: 7 takes 4 bits. accumulators: read and written by 38 operations and 36 updates
    {"weights": 38 * 4, "accumulators": 2 * (38 + 36) * 7, "states": 2 * 36 * 12},
    # 100 takes 8 bits; a pixel's path reads a 1 (2 bits) and a 31 (6 bits). u and r
    {
        "weights": 33 * 8 + 21 * 2 + 21 * 6,
        "accumulators": 2 * (54 + 6) * 11,
        "states": 2 * 2 * 6 * 10,
    },
    {"weights": 6 * 2, "accumulators": 2 * (6 + 4) * 3, "states": 2 * 4 * 5},
)
PARAMETERS = (36 * (8 + 12), 6 * (8 + 10), 4 * 5)
TABLES = (0, 6 * (6 + 6 + 5 + 5), 0)


def test_traffic(counts: NetworkCounts) -> None:
    for layer, moved, parameters, tables in zip(
        counts.layers, TRAFFIC, PARAMETERS, TABLES, strict=True
    ):
        rest = {"gains and biases": parameters, "tables": tables}
        want = {Memory(name): bits for name, bits in (moved | rest).items()}
        assert traffic_bits(layer) == want


SIZES = (
    # 18 weights of 4 bits, 18 accumulators of 7, 18 states of 12, 2 channels of gains and biases
    {
        "weights": [18 * 4],
        "accumulators": [18 * 7],
        "states": [18 * 12],
        "gains and biases": [2 * 8, 2 * 12],
    },
    # 3 x 8 weights of 8 bits; a kernel of 4 of 2 bits, 3 x 4 weights of 6 bits; u and r;
    # tables of 16 values, of 6 and of 5 bits, two of each
    {
        "weights": [24 * 8, 4 * 2, 12 * 6],
        "accumulators": [3 * 11],
        "states": [2 * 3 * 10],
        "gains and biases": [3 * 8, 3 * 10],
        "tables": [16 * 6, 16 * 5],
    },
    {
        "weights": [6 * 2],
        "accumulators": [2 * 3],
        "states": [2 * 5],
        "gains and biases": [2 * 5],
    },
)


def test_sizes_of_memories_in_bits(counts: NetworkCounts) -> None:
    for layer, sizes in zip(counts.layers, SIZES, strict=True):
        found: dict[str, list[int]] = {}
        for part in traffic(layer):
            found.setdefault(part.memory.value, []).append(part.size_bits)
        assert found == sizes


def test_what_the_literature_would_count(counts: NetworkCounts) -> None:
    """3 events of 9 pixels on 162 connections with windows full, of which 98 exist; 38 counted."""
    image, pooled, *_ = estimates(counts)
    assert (image.estimate, image.padding) == pytest.approx((162 / 3, (162 - 98) / 3))
    assert (image.border, image.error) == pytest.approx((38 - 98 / 3, 16 / 38))
    assert image.paper_pj == pytest.approx(54 * 4.6)
    assert pooled.estimate == pytest.approx(96 * 4 / 18)
    assert pooled.error == pytest.approx((96 * 4 / 18 - 33) / 33)
    assert pooled.paper_pj == pytest.approx(96 * 4 / 18 * 0.9)


# Additions of 8, 16 and 32 bits cost 0.03, 0.05 and 0.1 pJ, multiplications of 8 x 8 and 32 x 32
# bits 0.2 and 3.1 pJ; a line between them. 64 bits of a memory of up to 8 KiB cost 10 pJ.
PER_BIT = 0.15625
ADDITION = {3: 0.01125, 5: 0.01875, 7: 0.02625, 11: 0.0375}
"""Of so many bits: 0.03 bits / 8, then 0.0025 a bit up to 16, then 0.003125."""

LIF_PJ = (
    (0.175 + 0.2 + 8 * 2.9 / 960)  # 7 x 8 = 56: 0.2 x 56 / 64; 12 x 6 = 72: 8 beyond 64
    + (0.0475 + 0.0425 + 0.05625 + 0.045 + 0.0425)  # additions of 15, 13, 18, 14, 13 bits
    + (4 * 0.0425 + 2 * 0.045 + 0.04)  # comparisons: 4 of 13, 2 of 14, 1 of 12
    + 0.03  # a selection of 8
)
ARLIF_PJ = (
    (0.2 + 24 * 2.9 / 960 + 0.15625 + 0.2 + 6 * 2.9 / 960)  # 88, 50 and 70 products of bits
    + (0.059375 + 0.045 + 0.0475 + 0.04 + 4 * 0.035)  # 19, 14, 15, 12, 4 of 10
    + (0.0225 + 0.02625 + 0.053125 + 0.045 + 0.02625 + 0.0375)  # 6, 7, 17, 14, 7, 11
    + (4 * 0.045 + 2 * 0.04 + 10 * 0.035 + 2 * 0.0375)  # 4 of 14, 2 of 12, 10 of 10, 2 of 11
    + (0.0225 + 2 * 0.02625)  # 6, 7, 7
    + (6 + 6 + 5 + 5) * PER_BIT  # four reads of tables
)
BILLS = {
    # (synapses, neurons, memory) of image, flat and readout, in pJ
    PAPER.name: (
        (38 * 4.6, None, None),
        (21 * 4.6 + 33 * 0.9, None, None),
        (6 * 0.9, None, None),
    ),
    # 2 multiplications and 13 others; 3 and 35, and the tables; 2 additions
    FLOAT.name: (
        (38 * 4.6, 36 * (2 * 3.7 + 13 * 0.9), None),
        (21 * 4.6 + 33 * 0.9, 6 * (3 * 3.7 + 35 * 0.9 + 22 * PER_BIT), None),
        (6 * 0.9, 4 * 2 * 0.9, None),
    ),
    # a pixel (8 bits) times 7 (4 bits): 0.2 x 32 / 64; times 31 (6 bits), the widest on the way:
    # 0.2 x 48 / 64
    INTEGER.name: (
        (38 * (ADDITION[7] + 0.1), 36 * LIF_PJ, None),
        (21 * (ADDITION[11] + 0.15) + 33 * ADDITION[11], 6 * ARLIF_PJ, None),
        (6 * ADDITION[3], 4 * (ADDITION[3] + ADDITION[5]), None),
    ),
    # every memory is smaller than 8 KiB: 2772, 2100 and 132 bits
    MEMORY.name: (
        (38 * 0.12625, 36 * LIF_PJ, 2772 * PER_BIT),
        (21 * 0.1875 + 33 * 0.0375, 6 * ARLIF_PJ, 2100 * PER_BIT),
        (0.0675, 0.12, 132 * PER_BIT),
    ),
    # AR-LIF takes two compartments
    LOIHI1.name: (
        (38 * 23.6, 36 * 81.0, None),
        (54 * 23.6, 6 * 162.0, None),
        (6 * 23.6, 4 * 81.0, None),
    ),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_bill(model: CostModel, counts: NetworkCounts) -> None:
    """Equal but for the order of additions: one part in 10**12."""
    total = 0.0
    for layer, wanted in zip(counts.layers, BILLS[model.name], strict=True):
        bill = model.bill(layer)
        for got, want in zip((bill.synapses, bill.neurons, bill.memory), wanted, strict=True):
            assert (got is None) == (want is None), layer.name
            assert got is None or got == pytest.approx([want], rel=1e-12), layer.name
        parts = sum(part for part in wanted if part is not None)
        assert bill.total == pytest.approx([parts], rel=1e-12)
        total += parts
    assert network_energy_uj(counts, model) == pytest.approx([total * 1e-6], rel=1e-12)


def test_totals_in_plain_numbers(counts: NetworkCounts) -> None:
    """174.8 + 126.3 + 5.4 pJ, and 3812.8 + 2246.4 + 465.6 pJ."""
    assert network_energy_uj(counts, PAPER) == pytest.approx([306.5e-6], rel=1e-12)
    assert network_energy_uj(counts, LOIHI1) == pytest.approx([6524.8e-6], rel=1e-12)

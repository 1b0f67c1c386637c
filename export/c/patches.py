"""What a window sees over all steps, and its products with weights: the fused style's inner loops.

A patch holds, for every input under a window, the values of all steps, a byte each. Two steps are
summed by one multiplication, in the halves of a word of 32 bits, where their sums fit 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arlif.base.errors import NetworkError, require
from arlif.core.maps import (
    Conv2d,
    Dense,
    LinearMap,
    Shape,
    SumPool2d,
    Window,
    as_convolution,
)
from arlif.core.nodes import Projection
from arlif.core.ranges import within
from export.c.c_types import SIZES, Constants, indented, pixel, sides, times
from export.c.spike_trains import LANES, Trains

BYTE = 255


@dataclass(frozen=True)
class Patch:
    """One projection of spikes: a window, or none, then weights.

    shape: of the source, as (C, H, W). pool: None where weights read spikes; `joins` by OR, else it
    sums. weights: a convolution of what the pool gives; `wide` where its sums leave 16 bits.
    """

    number: int
    shape: tuple[int, int, int]
    pool: Window | None
    joins: bool
    weights: Conv2d
    shift: int
    wide: bool
    trains: Trains

    @property
    def taps(self) -> int:
        """Inputs that one output reads."""
        return int(np.prod(self.weights.weight.shape[1:]))

    @property
    def length(self) -> int:
        """Words of the whole patch, of all groups."""
        return self.taps * self.weights.groups * self.trains.words

    def functions(self) -> list[str]:
        """fillN(patch, trains, row, column) and dotN(totals, patch, weights)."""
        return [*self._fill(), "", *self._dot(), ""]

    def weight_array(self, constants: Constants) -> str:
        """The array of the weights: for every output those of its inputs, in H, W, C."""
        return constants.add(f"dot{self.number}_weights", self.weights.weight.transpose(0, 2, 3, 1))

    def _fill(self) -> list[str]:
        channels = self.shape[0]
        groups, words = self.weights.groups, self.trains.words
        plus = "|=" if self.joins else "+="
        inside = channels // groups
        first = f"{times('g', inside)} + " if groups > 1 else ""
        y, x = ("sy", "sx") if self.pool else ("y", "x")
        gather = [
            f"const int32_t at = {pixel(y, x, self.shape[2], channels)};",
            f"for (int32_t k = 0; k < {inside}; k++) {{",
            f"    const uint32_t train = train_of(from, at + {first}k);",
            *(
                f"    to[{times('k', words)} + {j}] {plus} spread(train >> {LANES * j});"
                if j
                else f"    to[{times('k', words)}] {plus} spread(train);"
                for j in range(words)
            ),
            "}",
        ]
        middle = self.shape
        if self.pool:
            middle = (channels, *self.pool.output_size(self.shape))
            gather = _under(self.pool, ("sy", "sx"), ("y", "x"), self.shape, "q", gather)
        clear = [
            f"for (int32_t k = 0; k < {inside * words}; k++) {{",
            "    to[k] = 0;",
            "}",
        ]
        advance = f"to += {inside * words};"
        body = _under(
            self.weights.window, ("y", "x"), ("row", "column"), middle, "k", gather, clear, advance
        )
        if groups > 1:
            body = [f"for (int32_t g = 0; g < {groups}; g++) {{", *indented(body), "}"]
        text = "\n".join(body)
        unused = [f"(void){word};" for word in ("row", "column") if word not in text]
        return [
            f"static void fill{self.number}(uint32_t *restrict to, const {self.trains.kind} "
            "*restrict from, int32_t row,",
            "                  int32_t column)",
            "{",
            *indented([*unused, *body]),
            "}",
        ]

    def _dot(self) -> list[str]:
        words, steps = self.trains.words, self.trains.steps
        scaled = f" * {1 << self.shift}" if self.shift else ""
        declared, products, results = [], [], []
        for j in range(words):
            products.append(
                f"const uint32_t value{j} = patch[{times('k', words)}{f' + {j}' if j else ''}];"
            )
            if self.wide:
                for lane in range(min(LANES, steps - LANES * j)):
                    t = LANES * j + lane
                    byte = f"(value{j} >> {8 * lane})" if lane else f"value{j}"
                    declared.append(f"int32_t sum{t} = 0;")
                    products.append(f"sum{t} += w[k] * (int32_t)({byte} & 255u);")
                    results.append(f"totals[{t}] += sum{t}{scaled};")
                continue
            for half in range(min(2, steps - LANES * j)):
                name = f"sums{2 * j + half}"
                byte = f"(value{j} >> 8)" if half else f"value{j}"
                declared.append(f"uint32_t {name} = 0;")
                products.append(f"{name} += weight * ({byte} & 0x00FF00FFu);")
                for lane, part in ((half, "low"), (half + 2, "high")):
                    t = LANES * j + lane
                    if t < steps:
                        results.append(f"totals[{t}] += {part}_half({name}){scaled};")
        weight = [] if self.wide else ["const uint32_t weight = (uint32_t)(int32_t)w[k];"]
        return [
            f"static inline void dot{self.number}(int32_t *restrict totals, "
            "const uint32_t *restrict patch,",
            "                        const int8_t *restrict w)",
            "{",
            *indented(declared),
            f"    for (int32_t k = 0; k < {self.taps}; k++) {{",
            *indented(indented([*weight, *products])),
            "    }",
            *indented(results),
            "}",
        ]


HELPERS = {
    "spread": [
        "/* Four bits as the lowest bits of four bytes. */",
        "static inline uint32_t spread(uint32_t four)",
        "{",
        "    return ((four & 15u) * 0x00204081u) & 0x01010101u;",
        "}",
        "",
    ],
    "low_half": [
        "/* The low half of a word as a number of 16 bits. */",
        "static inline int32_t low_half(uint32_t word)",
        "{",
        "    return (int32_t)((word & 0xFFFFu) ^ 0x8000u) - 0x8000;",
        "}",
        "",
    ],
    "high_half": [
        "/* The number above it: what is left of the word without the low one. */",
        "static inline int32_t high_half(uint32_t word)",
        "{",
        "    return low_half((word - (uint32_t)low_half(word)) >> 16);",
        "}",
        "",
    ],
}
"""Functions by name, each after what it calls."""


def patch(number: int, projection: Projection, shape: Shape, trains: Trains) -> Patch:
    """How the fused style reads a projection of spikes. Raises NetworkError where it cannot."""
    maps, at, windows = list(projection.maps), sides(shape), list(projection.pools)
    joins = bool(windows)
    if maps and isinstance(maps[0], SumPool2d):
        windows.append(maps[0].window)
        del maps[0]
    area = 1 if joins or not windows else windows[0].kernel[0] * windows[0].kernel[1]
    require(
        len(windows) <= 1 and len(maps) <= 1 and area <= BYTE,
        f"the fused style takes one pool of at most {BYTE} spikes and weights behind it; "
        f"projection {projection} is another chain: use --style dense",
        NetworkError,
    )
    pool = windows[0] if windows else None
    middle = (at[0], *pool.output_size(at)) if pool else at
    weights = _weights(maps[0] if maps else None, middle, projection)
    sums = weights.output_interval((0, area))
    wide = not within(sums, SIZES["int16_t"])
    return Patch(number, at, pool, joins, weights, projection.shift, wide, trains)


def _weights(linear: LinearMap | None, shape: tuple[int, int, int], who: Projection) -> Conv2d:
    """A last map as a convolution."""
    if linear is None:
        return Conv2d(np.ones((shape[0], 1, 1, 1), np.int8), groups=shape[0])
    if isinstance(linear, Dense):
        return Conv2d(linear.weight.reshape(-1, *shape))
    found = as_convolution(linear, shape)
    if found is None:
        raise NetworkError(
            f"the fused style takes convolutions and dense maps, and projection {who} has a "
            f"{type(linear).__name__}: use --style dense"
        )
    return found


def _under(
    window: Window,
    places: tuple[str, str],
    outputs: tuple[str, str],
    shape: tuple[int, int, int],
    letter: str,
    inside: list[str],
    before: Sequence[str] = (),
    after: str = "",
) -> list[str]:
    """`inside` for every place of a window that lies in a frame, `before` and `after` for all."""
    coordinates, limits = [], []
    axes = zip(
        places,
        outputs,
        *(window.kernel, window.stride, window.padding, window.dilation),
        shape[1:],
        "yx",
        strict=True,
    )
    for place, output, kernel, stride, padding, dilation, limit, axis in axes:
        one = kernel == 1
        offset = "" if one else f" + {times(f'{letter}{axis}', dilation)}"
        base = times(output, stride)
        whole = f"{base}{offset}{f' - {padding}' if padding else ''}"
        coordinates.append(f"const int32_t {place} = {whole};")
        if padding:
            limits.append(f"({place} >= 0) && ({place} < {limit})")
    guarded = [f"if ({' && '.join(limits)}) {{", *indented(inside), "}"] if limits else inside
    body = [*before, *coordinates, *guarded, *([after] if after else [])]
    for axis, kernel in (("x", window.kernel[1]), ("y", window.kernel[0])):
        if kernel > 1:
            head = (
                f"for (int32_t {letter}{axis} = 0; {letter}{axis} < {kernel}; {letter}{axis}++) {{"
            )
            body = [head, *indented(body), "}"]
    return body

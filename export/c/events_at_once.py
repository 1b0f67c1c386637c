"""Events of one pixel, added to the sums of a target at once: the event style's inner loops.

    static void NAME(SUM *restrict sums, const CHANNEL *restrict sent, int32_t count,
                     [int32_t value,] int32_t row, int32_t column)

sums: of the whole target in the order H, W, C. sent: the channels of the pixel (row, column) that
sent something, a spike or `value` each.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from arlif.core.maps import (
    Conv2d,
    LinearMap,
    Shape,
    SumPool2d,
    Window,
    as_convolution,
    as_dense,
)
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.core.nodes import Projection
from arlif.core.ranges import INT32
from export.c.c_types import (
    Constants,
    channels_last,
    indented,
    narrowest,
    pixel,
    sides,
    times,
)

WEIGHT = 127
"""The largest weight."""


def obstacle(network: QuantizedNetwork, projection: Projection) -> str:
    """Why a projection cannot be scattered; empty where it can."""
    source = projection.source
    if projection.delay:
        return "it has a delay"
    if projection.pools:
        return "an OR of spikes stands in front of it"
    if source == INPUT and network.input.static:
        return "its input is static and is summed once"
    if len(_behind(projection)) > 1:
        return "it is a chain of maps"
    low, high = network.source_interval(source)
    if (high - low) * WEIGHT << projection.shift > INT32[1]:
        return "the change of one input may need more than 32 bits"
    return ""


def _pool(projection: Projection) -> Window | None:
    """A sum over windows that neither overlap nor leave the frame: it divides coordinates."""
    first = projection.maps[0] if projection.maps else None
    if isinstance(first, SumPool2d) and first.kernel == first.stride and first.padding == (0, 0):
        return first.window
    return None


def _behind(projection: Projection) -> tuple[LinearMap, ...]:
    """The maps behind such a pool."""
    return projection.maps[1:] if _pool(projection) else projection.maps


@dataclass(frozen=True)
class Scatter:
    """How such a function is printed; of a projection without an obstacle.

    shape: of the source. values: whether it sends more than spikes. sum_type: in C.
    """

    name: str
    projection: Projection
    shape: Shape
    values: bool
    sum_type: str

    @property
    def channel_type(self) -> str:
        """Of a source's channel."""
        return narrowest((0, self.shape[0] - 1))

    def lines(self, constants: Constants) -> list[str]:
        """The function; its weights join `constants`."""
        pool, middle = _pool(self.projection), sides(self.shape)
        before: list[str] = []
        place = ("row", "column")
        if pool:
            output = pool.output_size(middle)
            before, place = self._divided(pool, output, constants), ("y0", "x0")
            middle = (middle[0], *output)
        maps = _behind(self.projection)
        shape = middle if len(self.shape) == 3 else self.shape
        linear = maps[0] if maps else _same(middle)
        convolution = as_convolution(linear, shape) if maps else _same(middle)
        if convolution is not None:
            body = self._convolution(convolution, middle, place, constants)
        else:
            body = self._matrix(linear, shape, place, constants)
        text = "\n".join([*before, *body])
        unused = [f"    (void){word};" for word in ("sent", "row", "column") if word not in text]
        value = "int32_t value, " if self.values else ""
        return [
            f"static void {self.name}({self.sum_type} *restrict sums, "
            f"const {self.channel_type} *restrict sent,",
            f"    int32_t count, {value}int32_t row, int32_t column)",
            "{",
            *unused,
            *(f"    {line}" for line in [*before, *body]),
            "}",
            "",
        ]

    def _divided(self, pool: Window, output: tuple[int, int], constants: Constants) -> list[str]:
        """y0 and x0, the place in the pool's output; nothing is left to do outside of it."""
        lines, beyond = [], []
        axes = zip(("y", "x"), ("row", "column"), pool.kernel, output, self.shape[1:], strict=True)
        for axis, place, kernel, size, limit in axes:
            if kernel & (kernel - 1):
                table = constants.add(f"{self.name}_{place}s", np.arange(limit) // kernel)
                quotient = f"{table}[{place}]"
            else:
                quotient = f"{place} >> {kernel.bit_length() - 1}" if kernel > 1 else place
            lines.append(f"const int32_t {axis}0 = {quotient};")
            if size * kernel < limit:
                beyond.append(f"({axis}0 >= {size})")
        if beyond:
            lines += [f"if ({' || '.join(beyond)}) {{", "    return;", "}"]
        return lines

    def _convolution(
        self,
        linear: Conv2d,
        shape: tuple[int, int, int],
        place: tuple[str, str],
        constants: Constants,
    ) -> list[str]:
        outputs, inside, height, width = linear.weight.shape
        share = outputs // linear.groups
        _, _, columns = linear.output_shape(shape)
        laid = linear.weight.reshape(linear.groups, share, inside, height, width)
        by_input = laid.transpose(0, 2, 3, 4, 1)
        body = [f"{self.sum_type} *const to = &sums[{pixel('y', 'x', columns, outputs)}];"]
        lines, first = [], "0"
        if inside == share == 1 and linear.groups > 1:
            first = "sent[k]"
        elif linear.groups > 1:
            channels = np.arange(shape[0]) // inside * share
            first = f"{constants.add(f'{self.name}_first', channels)}[sent[k]]"
        if share == 1 and bool((linear.weight == 1).all()):
            lines = [self._added(f"to[{first}]", "1")]
        else:
            weights = constants.add(f"{self.name}_weights", by_input)
            taps = height * width * share
            at = f"{times('sent[k]', taps)} + {pixel('ky', 'kx', width, share)}"
            into = "to"
            if linear.groups > 1:
                lines.append(f"{self.sum_type} *const into = &to[{first}];")
                into = "into"
            lines += self._row(f"&{weights}[{at}]", share, into)
        body += lines
        for axis in (1, 0):
            body = self._taps(axis, linear.window, shape, place, constants, body)
        return ["for (int32_t k = 0; k < count; k++) {", *indented(body), "}"]

    def _taps(
        self,
        axis: int,
        window: Window,
        shape: tuple[int, int, int],
        place: tuple[str, str],
        constants: Constants,
        body: list[str],
    ) -> list[str]:
        """`body` for every output along an axis that reads the place, at ky or kx."""
        letter, kernel, stride = "yx"[axis], window.kernel[axis], window.stride[axis]
        padding, dilation = window.padding[axis], window.dilation[axis]
        limit, size = window.output_size(shape)[axis], shape[axis + 1]
        least, most = padding - (kernel - 1) * dilation, size - 1 + padding
        step = times(f"k{letter}", dilation)
        reach = f"{place[axis]}{f' + {padding}' if padding else ''} - {step}"
        if stride == 1:
            outside = [f"({letter} < 0)"] if least < 0 else []
            outside += [f"({letter} >= {limit})"] if most >= limit else []
        else:
            low = min(0, least)
            reached = np.arange(low, most + 1)
            found = np.where((reached >= 0) & (reached % stride == 0), reached // stride, -1)
            found = np.where(found < limit, found, -1)
            table = constants.add(f"{self.name}_outputs_{letter}", found)
            reach = f"{table}[{reach}{f' + {-low}' if low else ''}]"
            outside = [f"({letter} < 0)"] if int(found.min()) < 0 else []
        guard = [f"if ({' || '.join(outside)}) {{", "    continue;", "}"] if outside else []
        return [
            f"for (int32_t k{letter} = 0; k{letter} < {kernel}; k{letter}++) {{",
            *indented([f"const int32_t {letter} = {reach};", *guard, *body]),
            "}",
        ]

    def _matrix(
        self, linear: LinearMap, shape: Shape, place: tuple[str, str], constants: Constants
    ) -> list[str]:
        """Every output, for the inputs of one pixel."""
        to, inputs = linear.output_shape(shape), prod(shape)
        matrix = as_dense(linear, shape).weight
        by_input = channels_last(matrix.reshape(-1, *shape), shape)
        by_output = channels_last(np.transpose(by_input).reshape(inputs, *to), to)
        weights = constants.add(f"{self.name}_weights", by_output)
        count, height, width = sides(shape)
        first = f"{pixel(*place, width, count)} + " if height * width > 1 else ""
        at = f"&{weights}[{times(f'({first}sent[k])', prod(to))}]"
        return [
            "for (int32_t k = 0; k < count; k++) {",
            *indented(self._row(at, prod(to), "sums")),
            "}",
        ]

    def _row(self, weights: str, outputs: int, into: str) -> list[str]:
        """The weights of one input, each added to an output."""
        return [
            f"const int8_t *const w = {weights};",
            f"for (int32_t o = 0; o < {outputs}; o++) {{",
            f"    {self._added(f'{into}[o]', 'w[o]')}",
            "}",
        ]

    def _added(self, place: str, weight: str) -> str:
        factors = [weight] if weight != "1" or not self.values else []
        factors += ["value"] if self.values else []
        factors += [str(1 << self.projection.shift)] if self.projection.shift else []
        return f"{place} = ({self.sum_type})({place} + {' * '.join(factors)});"


def _same(shape: tuple[int, int, int]) -> Conv2d:
    """What passes values on, as a convolution."""
    return Conv2d(np.ones((shape[0], 1, 1, 1), np.int8), groups=shape[0])

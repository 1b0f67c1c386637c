"""Linear maps as C functions that add one pixel of their output to a row of sums.

    static void NAME(SUM *restrict sums, const VALUE *restrict from, int32_t row, int32_t column)

sums: one for every output channel. from: the whole input in the order H, W, C.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from arlif.core.maps import (
    Conv2d,
    Dense,
    LinearMap,
    Shape,
    SumPool2d,
    Window,
    as_convolution,
    as_dense,
)
from export.c.c_types import Constants, channels_last, pixel, sides, times


@dataclass(frozen=True)
class AddFunction:
    """What such a function is printed from.

    linear: a Window is an OR of spikes; None passes values on. shape: of the input. value_type,
    sum_type: in C. shift: what is added is multiplied by 2**shift.
    """

    name: str
    linear: LinearMap | Window | None
    shape: Shape
    value_type: str
    sum_type: str
    shift: int = 0

    def lines(self, constants: Constants) -> list[str]:
        """The function; its weights join `constants`."""
        arguments = f"{self.sum_type} *restrict sums, const {self.value_type} *restrict from"
        linear = self.linear
        if linear is None:
            body = self._channels(sides(self.shape)[2], "row", "column")
        elif isinstance(linear, SumPool2d | Window):
            window = linear if isinstance(linear, Window) else linear.window
            body = self._window(window, self._channels(sides(self.shape)[2], "y", "x"))
        elif (convolution := as_convolution(linear, self.shape)) is not None:
            body = self._convolution(convolution, constants)
        else:
            body = self._matrix(as_dense(linear, self.shape), constants)
        text = "\n".join(body)
        unused = [f"    (void){word};" for word in ("row", "column") if word not in text]
        return [
            f"static void {self.name}({arguments}, int32_t row, int32_t column)",
            "{",
            *unused,
            *(f"    {line}" for line in body),
            "}",
        ]

    def _added(self, place: str, value: str) -> str:
        times = f" * {1 << self.shift}" if self.shift else ""
        joined = "|" if isinstance(self.linear, Window) else "+"
        return f"sums[{place}] = ({self.sum_type})(sums[{place}] {joined} {value}{times});"

    def _channels(self, width: int, row: str, column: str) -> list[str]:
        """Every channel of one pixel of the input."""
        channels = self.shape[0]
        value = "(int32_t)at[c]" if self.shift else "at[c]"
        return [
            f"const {self.value_type} *const at = &from[{pixel(row, column, width, channels)}];",
            f"for (int32_t c = 0; c < {channels}; c++) {{",
            f"    {self._added('c', value)}",
            "}",
        ]

    def _window(self, window: Window, body: list[str]) -> list[str]:
        """`body` for every pixel (y, x) of the input under the window, at kernel place (ky, kx)."""
        lines: list[str] = []
        _, *size = sides(self.shape)
        axes = zip(
            (("y", "row"), ("x", "column")),
            *(window.kernel, window.stride, window.padding, window.dilation),
            size,
            strict=True,
        )
        for depth, ((place, output), kernel, stride, padding, dilation, limit) in enumerate(axes):
            indent = "    " * depth
            base, offset = times(output, stride), times(f"k{place}", dilation)
            start = f"{base} - {padding}" if padding else base
            lines += [
                f"{indent}for (int32_t k{place} = 0; k{place} < {kernel}; k{place}++) {{",
                f"{indent}    const int32_t {place} = {start} + {offset};",
            ]
            if padding:
                lines += [
                    f"{indent}    if (({place} < 0) || ({place} >= {limit})) {{",
                    f"{indent}        continue;",
                    f"{indent}    }}",
                ]
        return [*lines, *(f"        {line}" for line in body), "    }", "}"]

    def _convolution(self, linear: Conv2d, constants: Constants) -> list[str]:
        outputs, inside, height, width = linear.weight.shape
        groups, channels = linear.groups, self.shape[0]
        share = outputs // groups
        laid = linear.weight.reshape(groups, share, inside, height, width)
        weights = constants.add(f"{self.name}_weights", laid.transpose(3, 4, 0, 2, 1))
        inner = self._products(inside, share)
        if groups > 1:
            inner = [
                f"for (int32_t g = 0; g < {groups}; g++) {{",
                *(
                    f"    {line}"
                    for line in self._products(
                        inside, share, f"{times('g', inside)} + ", f"{times('g', share)} + "
                    )
                ),
                "}",
            ]
        return self._window(
            linear.window,
            [
                f"const {self.value_type} *const at = "
                f"&from[{pixel('y', 'x', sides(self.shape)[2], channels)}];",
                f"const int8_t *w = &{weights}[{pixel('ky', 'kx', width, channels * share)}];",
                *inner,
            ],
        )

    def _products(self, inputs: int, outputs: int, first: str = "", to: str = "") -> list[str]:
        """One row of weights for every input, one weight for every output."""
        return [
            f"for (int32_t k = 0; k < {inputs}; k++) {{",
            f"    const int32_t value = at[{first}k];",
            f"    for (int32_t o = 0; o < {outputs}; o++) {{",
            f"        {self._added(f'{to}o', 'w[o] * value')}",
            "    }",
            f"    w += {outputs};",
            "}",
        ]

    def _matrix(self, linear: Dense, constants: Constants) -> list[str]:
        """Every input, for the outputs of one pixel."""
        assert isinstance(self.linear, LinearMap)
        to = sides(self.linear.output_shape(self.shape))
        inputs = prod(self.shape)
        by_input = channels_last(linear.weight.reshape(-1, *self.shape), self.shape)
        by_pixel = by_input.reshape(to[0], to[1] * to[2], inputs)
        weights = constants.add(f"{self.name}_weights", np.transpose(by_pixel, (1, 2, 0)))
        at = f"&{weights}[{pixel('row', 'column', to[2], inputs * to[0])}]"
        if to[1] * to[2] == 1:
            at = weights
        return [
            f"const {self.value_type} *const at = from;",
            f"const int8_t *w = {at};",
            *self._products(inputs, to[0]),
        ]

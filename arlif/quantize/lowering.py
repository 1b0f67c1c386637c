"""From a torch module to a LinearizedNetwork, or to every reason why there is none."""

from collections.abc import Callable
from typing import Any

from torch import nn

from arlif.base.errors import ArlifError, LoweringError
from arlif.core.maps import Shape
from arlif.core.network import Input
from arlif.quantize.linearized import Current, LinearizedNetwork
from arlif.quantize.neuron_constants import integer_neuron
from arlif.quantize.rounding import Precision, quantize, to_population, to_readout
from arlif.quantize.torch_graph import CANNOT_TRACE, trace
from arlif.quantize.walk import Walk


def linearize(module: nn.Module, input_shape: Shape) -> LinearizedNetwork:
    """Absorb a trained module over [T, N, *input_shape] into neurons and linear maps.

    A signal (C, L) is a frame (C, 1, L) from here on.
    Raises LoweringError that names every layer without an integer counterpart, and why.
    """
    walk = _walk(module, input_shape, None)
    if walk.violations:
        raise LoweringError("; ".join(walk.violations))
    return _network(walk)


def check(
    module: nn.Module,
    input_shape: Shape,
    precision: Precision | None = None,
    time_steps: int | None = None,
) -> tuple[LinearizedNetwork | None, tuple[str, ...]]:
    """The linearized network, or None and every reason why it cannot become integers.

    precision: what its numbers must fit, for inputs from 0 to 1; None: compact16, 8-bit weights.
    time_steps: T that it runs for; None where any will do.
    """
    try:
        walk = _walk(module, input_shape, time_steps)
    except LoweringError as error:
        return None, (str(error),)
    violations = (*walk.violations, *_misfits(walk, precision or Precision()))
    return (None, violations) if violations else (_network(walk), ())


def _walk(module: nn.Module, input_shape: Shape, time_steps: int | None) -> Walk:
    try:
        graph = trace(module)
    except LoweringError:
        raise
    except Exception as error:  # whatever user code raises on symbolic values
        raise LoweringError(
            f"{CANNOT_TRACE} ({error}); a forward of your own takes all "
            "time steps [T, N, ...] at once and calls layers, without loops over time, without "
            "branches on values, and without a library's step functions"
        ) from error
    channels, *size = input_shape
    frame = (channels, 1, *size) if len(size) == 1 else (channels, *size)
    return Walk(graph, dict(module.named_modules()), frame, time_steps)


def _network(walk: Walk) -> LinearizedNetwork:
    assert walk.readout is not None, "a walk without violations ends at the output"
    return LinearizedNetwork(walk.input_shape, walk.static, tuple(walk.populations), walk.readout)


def _misfits(walk: Walk, precision: Precision) -> list[str]:
    """Every node whose numbers do not fit; without any, what the network as a whole violates."""
    whole = walk.readout is not None and not walk.violations
    high = _network(walk).highest if whole else 127
    source = Input(walk.input_shape, 1 / high, 0, high, walk.static)
    found = []

    def attempt(make: Callable[..., Any], *arguments: Any) -> None:
        try:
            make(*arguments)
        except ArlifError as error:
            found.append(str(error))

    for population in walk.populations:
        attempt(to_population, population, source, precision)
    for name, neuron in walk.unfed.items():
        attempt(integer_neuron, name, neuron, precision.numbers)
    if isinstance(walk.readout, Current):
        attempt(to_readout, walk.readout, source, precision)
    if not found and not walk.violations:
        attempt(quantize, _network(walk), source, precision, walk.time_steps or 1)
    return found

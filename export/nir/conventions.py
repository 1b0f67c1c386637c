"""How a real-valued neuron is said in NIR, and by which factor its input weights are multiplied.

NIR's LIF is tau dv/dt = v_leak - v + r I. One Euler step of dt is v = k v + (1 - k) r I with
k = 1 - dt / tau; tools differ in where they look for the factor (1 - k) r.
NIR fires on v > v_threshold and arlif on >=, so files hold the next float32 below the threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import LoweringError, require
from arlif.core.integer_neurons import integer_name
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifHard, RealLifSoft, RealLifSubtract

DT = 1e-4
"""Seconds per time step; snnTorch 1.0 fixes this value, SpikingJelly 2.0 has it as its default."""

REAL_NEURONS: dict[str, type[Neuron]] = {
    cls.__name__: cls for cls in (RealArlif, RealLifSoft, RealLifHard, RealLifSubtract)
}
"""Every real-valued neuron that is written and read, by the name it has in files."""


@dataclass(eq=False)
class ARLIF(nir.NIRNode):
    """Adaptive-reset LIF (arXiv:2507.20746, Eqs. 5-8) with its input current as it is.

    decay k, v_threshold, alpha, beta: float64 numbers. memory: whether r outlives a step.
    """

    shape: NDArray[np.int64]
    decay: float
    v_threshold: float
    alpha: float
    beta: float
    memory: bool

    def __post_init__(self) -> None:
        self.input_type = {"input": self.shape}
        self.output_type = {"output": self.shape}


@dataclass(frozen=True)
class Spoken:
    """A neuron as a NIR node, with the factor on the weights and biases that feed it."""

    node: nir.NIRNode
    factor: float = 1.0


Convention = Callable[[Neuron, Shape], Spoken]
"""Says a neuron in NIR."""


def portable(neuron: Neuron, shape: Shape) -> Spoken:
    """r = 1, weights divided by 1 - k: what snnTorch, Norse and SpikingJelly all run exactly."""
    lost = 1 - decay(neuron)
    if lost == 0:
        return _integrator(neuron, shape)
    return Spoken(_lif(neuron, shape, r=1.0), 1 / lost)


def unscaled(neuron: Neuron, shape: Shape) -> Spoken:
    """r = 1 / (1 - k), weights as they are: for snnTorch, SpikingJelly; Norse ignores r."""
    lost = 1 - decay(neuron)
    if lost == 0:
        return _integrator(neuron, shape)
    return Spoken(_lif(neuron, shape, r=1 / lost))


def exact(neuron: Neuron, shape: Shape) -> Spoken:
    """AR-LIF as a node of its own, which only arlif reads; other neurons as in `unscaled`."""
    if type(neuron) is not RealArlif:
        return unscaled(neuron, shape)
    return Spoken(ARLIF(np.array(shape), **neuron_constants(neuron)))


def neuron_constants(neuron: Neuron) -> dict[str, Any]:
    """The constants and flags of a real-valued neuron as plain numbers.

    Raises LoweringError where NIR cannot say the neuron.
    """
    kind, constants = type(neuron), neuron.constants()
    require(
        kind in REAL_NEURONS.values(),
        f"NIR has no node for {integer_name(kind)}; quantize the network and write it with "
        "write_nir, whose files hold any neuron's step, or use arlif.ARLIF or arlif.LIF",
        LoweringError,
    )
    many = [name for name, value in constants.items() if np.size(value) > 1]
    require(
        not many,
        f"{' and '.join(many)} of {integer_name(kind)} has a value for each channel or neuron, "
        "which NIR files of real numbers do not hold; quantize the network and write it with "
        "write_nir",
        LoweringError,
    )
    return {name: float(value) for name, value in constants.items()} | neuron.flags()


def decay(neuron: Neuron) -> float:
    """What the membrane potential keeps of itself. Raises LoweringError as neuron_constants."""
    return float(neuron_constants(neuron)["decay"])


def threshold(neuron: Neuron) -> float:
    """The threshold that a plain LIF takes over: v_threshold, without AR-LIF's adaptation."""
    constants = neuron_constants(neuron)
    return float(constants["v_threshold" if type(neuron) is RealArlif else "threshold"])


def _lif(neuron: Neuron, shape: Shape, r: float) -> nir.LIF:
    return nir.LIF(
        tau=_full(shape, DT / (1 - decay(neuron))),
        r=_full(shape, r),
        v_leak=_full(shape, 0.0),
        v_reset=_full(shape, 0.0),
        v_threshold=_threshold(neuron, shape),
        metadata=_metadata(neuron),
    )


def _integrator(neuron: Neuron, shape: Shape) -> Spoken:
    """Without a leak the neuron is NIR's IF, dv/dt = r I, with r = 1 / dt."""
    node = nir.IF(
        r=_full(shape, 1 / DT),
        v_reset=_full(shape, 0.0),
        v_threshold=_threshold(neuron, shape),
        metadata=_metadata(neuron),
    )
    return Spoken(node)


def _metadata(neuron: Neuron) -> dict[str, Any]:
    return {"arlif": {"type": type(neuron).__name__, **neuron_constants(neuron)}}


def _threshold(neuron: Neuron, shape: Shape) -> NDArray[np.float32]:
    """The largest float32 below the threshold: v > it is v >= threshold."""
    return np.nextafter(_full(shape, threshold(neuron)), np.float32(-np.inf))


def _full(shape: Shape, value: float) -> NDArray[np.float32]:
    """One value per neuron: some readers take nothing shorter."""
    return np.full(shape, value, np.float32)

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
from arlif.core.real_neurons import (
    RealArlif,
    RealIntegrator,
    RealLifHard,
    RealLifReset,
    RealLifSoft,
    RealLifSubtract,
    RealSynaptic,
    RealSynapticIntegrator,
)

Real = NDArray[np.float64]

DT = 1e-4
"""Seconds per time step; snnTorch 1.0 fixes this value, SpikingJelly 2.0 has it as its default."""

EQUATIONS = (RealLifReset, RealSynaptic, RealIntegrator, RealSynapticIntegrator)
"""Neurons whose equation NIR has, constant by constant."""

REAL_NEURONS: dict[str, type[Neuron]] = {
    cls.__name__: cls for cls in (RealArlif, RealLifSoft, RealLifHard, RealLifSubtract)
}
"""Neurons that NIR has no node for, and plain LIF: by the name that metadata give them."""


@dataclass(eq=False)
class ARLIF(nir.NIRNode):
    """Adaptive-reset LIF (arXiv:2507.20746, Eqs. 5-8) with its input current as it is.

    decay k, v_threshold, alpha, beta: float64 numbers. memory: whether r outlives a step. strict: a
    spike needs h > theta; files of earlier versions do not say it.
    """

    shape: NDArray[np.int64]
    decay: float
    v_threshold: float
    alpha: float
    beta: float
    memory: bool
    strict: bool = False

    def __post_init__(self) -> None:
        self.input_type = {"input": self.shape}
        self.output_type = {"output": self.shape}


@dataclass(frozen=True)
class Spoken:
    """A neuron as a NIR node, with the factor on the weights and biases that feed it.

    factor: one number, or [C].
    """

    node: nir.NIRNode
    factor: float | Real = 1.0


Convention = Callable[[Neuron, Shape], Spoken]
"""Says a neuron in NIR."""


def portable(neuron: Neuron, shape: Shape) -> Spoken:
    """r = 1, weights divided by 1 - k: what snnTorch, Norse and SpikingJelly all run exactly."""
    if isinstance(neuron, EQUATIONS):
        return _equation(neuron, shape)
    lost = 1 - decay(neuron)
    if lost == 0:
        return _integrator(neuron, shape)
    return Spoken(_lif(neuron, shape, r=1.0), 1 / lost)


def unscaled(neuron: Neuron, shape: Shape) -> Spoken:
    """r = 1 / (1 - k), weights as they are: for snnTorch, SpikingJelly; Norse ignores r."""
    if isinstance(neuron, EQUATIONS):
        return _equation(neuron, shape)
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
        f"NIR has no node for {integer_name(kind)}; {kind.instead}, or keep to network.nir, "
        "arlif's own file (write_nir)",
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


def _equation(
    neuron: RealLifReset | RealSynaptic | RealIntegrator | RealSynapticIntegrator, shape: Shape
) -> Spoken:
    """LIF, CubaLIF, LI or CubaLI with every constant that NIR has; arlif's step is an Euler step.

    Weights are divided by what the current is multiplied with, or r and w_in where that differs
    within a channel, and in a CubaLIF: snnTorch and SpikingJelly read no other.
    """

    def full(value: Any) -> Real:
        values = np.asarray(value, np.float64)
        many = values.ndim == 1 < len(shape)  # features that are written as (C, 1, 1)
        return np.broadcast_to(values[:, None, None] if many else values, shape)

    def stored(value: Any) -> NDArray[np.float32]:
        return full(value).astype(np.float32)

    lost = full(1 - np.asarray(neuron.decay))
    ends = {}
    if isinstance(neuron, RealLifReset | RealSynaptic):
        fires = np.nextafter(stored(neuron.threshold), np.float32(-np.inf))
        ends = {"v_threshold": fires, "v_reset": stored(neuron.reset)}
    current_based = isinstance(neuron, RealSynaptic | RealSynapticIntegrator)
    if not lost.any() and not np.any(neuron.leak) and not current_based:
        return Spoken((nir.IF if ends else nir.I)(r=_full(shape, 1 / DT), **ends))
    flows = full(1 - np.asarray(getattr(neuron, "current_decay", 0.0)))
    require(
        bool((lost > 0).all() and (flows > 0).all()),
        f"a {integer_name(neuron)} that keeps all of its potential or current has no time constant "
        "in NIR; give it decays below 1 (alpha and beta of snnTorch, c_decay and v_decay of "
        "SpikingJelly), or keep to network.nir, arlif's own file (write_nir)",
        LoweringError,
    )
    rows = (1 / (lost * flows)).reshape(shape[0], -1)
    even = bool((rows == rows[:, :1]).all()) and not isinstance(neuron, RealSynaptic)
    leaky = {"v_leak": stored(full(neuron.leak) / lost), **ends}
    r, weight = (1.0, 1.0) if even else (1 / lost, 1 / flows)
    factor = rows[:, 0] if even else 1.0
    if not current_based:
        node = (nir.LIF if ends else nir.LI)(tau=stored(DT / lost), r=stored(r), **leaky)
        return Spoken(node, factor)
    taus = {"tau_mem": stored(DT / lost), "tau_syn": stored(DT / flows)}
    node = (nir.CubaLIF if ends else nir.CubaLI)(**taus, r=stored(r), w_in=stored(weight), **leaky)
    return Spoken(node, factor)


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

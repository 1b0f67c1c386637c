"""NIR's neurons as layers over [T, N, ...]: Euler steps of their equations.

Tools agree on the order: the current of this step, the potential, the spike, the reset. A current
I reaches the potential as (1 - k) r I = r I dt / tau, a Scale in front of the neuron.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from torch import nn

from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifReset, RealSynaptic
from arlif.layers import Integrator, Scale
from arlif.neurons import LIF
from arlif.neurons.convert import spiking_module
from arlif.neurons.layer import NeuronLayer
from export.hdf5 import Tree
from export.nir.conventions import REAL_NEURONS, decay, threshold
from export.nir.fields import each
from export.nir.node_list import Node
from export.records import value

NEURONS = ("IF", "LIF", "CubaLIF", "Threshold", "ARLIF")
"""The spiking neurons that are read."""

INTEGRATORS = ("I", "LI", "CubaLI")
"""What sends its membrane potential, and may only end a network."""

TINY = 1e-3
"""A current of 1 that moves an IF by less than this share of its threshold is hardly meant."""


@dataclass(frozen=True)
class Driven:
    """A layer of neurons, what multiplies its current, and what a user should know of it."""

    layer: nn.Module
    factor: Any = 1.0
    warning: str = ""

    @property
    def scale(self) -> Scale | None:
        """The layer in front that multiplies; None where nothing is to do."""
        return None if np.ndim(self.factor) == 0 and self.factor == 1 else Scale(self.factor)


def neuron(node: Node, shape: Shape, dt: float | None) -> Driven:
    """The layer that steps a neuron's equations by dt, seconds, which NIR leaves open."""
    if node.kind == "ARLIF":
        return Driven(spiking_module(_constants(RealArlif, node.fields, node.name)))
    if node.kind == "Threshold":
        return Driven(_hard(0.0, _fires(node, "threshold", shape)))
    require(
        dt is not None,
        f"{node.name} ({node.kind}) is defined in continuous time and the file does not say how "
        f"long a time step is; give dt in seconds ({_usual(node, shape)})",
        FormatError,
    )
    assert dt is not None
    if node.kind in INTEGRATORS:
        return _integrator(node, shape, dt)
    if node.kind == "CubaLIF":
        return _synaptic(node, shape, dt)
    return _plain(node, shape, dt)


def _usual(node: Node, shape: Shape) -> str:
    """What a time step is likely to be, by the tools that write such nodes."""
    if node.kind in ("IF", "I"):
        r = each(node, "r", shape)
        step = f"{1 / r:g}" if np.ndim(r) == 0 and r > 0 else "1 / r"
        return (
            f"an {node.kind} adds r I dt to its potential at every step; tools without a unit of "
            f"time, such as sinabs, mean v += I: dt = {step}"
        )
    return "snnTorch and SpikingJelly write files for 1e-4"


def _plain(node: Node, shape: Shape, dt: float) -> Driven:
    """IF and LIF: k = 1 - dt / tau, an IF has k = 1."""
    if node.kind == "IF":
        leaves, leak, factor = 0.0, 0.0, each(node, "r", shape) * dt
    else:
        leaves = _leaves(node, "tau", shape, dt)
        leak, factor = leaves * each(node, "v_leak", shape), each(node, "r", shape) * leaves
    fires, reset = _fires(node, "v_threshold", shape), _reset(node, shape)
    plain = _hard(1 - leaves, fires, leak, reset)
    noted = _noted(node)
    if noted is not None:
        return Driven(spiking_module(_checked(node, noted, 1 - leaves, fires)), factor)
    return Driven(plain, factor, _too_small(node, factor, fires))


def _synaptic(node: Node, shape: Shape, dt: float) -> Driven:
    """CubaLIF: its current decays by 1 - dt / tau_syn; both factors go in front."""
    flows, leaves = (_leaves(node, field, shape, dt) for field in ("tau_syn", "tau_mem"))
    cell = RealSynaptic(
        current_decay=1 - flows,
        decay=1 - leaves,
        threshold=_fires(node, "v_threshold", shape),
        leak=_number(leaves * each(node, "v_leak", shape)),
        reset=_reset(node, shape),
    )
    factor = flows * _weight(node, shape) * leaves * each(node, "r", shape)
    return Driven(NeuronLayer(cell, shape), factor)


def _integrator(node: Node, shape: Shape, dt: float) -> Driven:
    r = each(node, "r", shape)
    if node.kind == "I":
        return Driven(Integrator(1.0), r * dt)
    leaves = _leaves(node, "tau" if node.kind == "LI" else "tau_mem", shape, dt)
    leak = leaves * each(node, "v_leak", shape)
    if node.kind == "LI":
        return Driven(Integrator(1 - leaves, leak), leaves * r)
    flows = _leaves(node, "tau_syn", shape, dt)
    layer = Integrator(1 - leaves, leak, 1 - flows)
    return Driven(layer, flows * _weight(node, shape) * leaves * r)


def _hard(decays: Any, fires: Any, leak: Any = 0.0, reset: Any = 0.0) -> nn.Module:
    """LIF that resets to a potential; arlif.LIF where one decay and threshold say everything."""
    leak, reset = _number(leak), _number(reset)
    single = all(np.ndim(v) == 0 for v in (decays, fires, leak, reset))
    if single and leak == 0 and reset == 0 and fires > 0:
        return LIF(float(decays), float(fires), "hard")
    return NeuronLayer(RealLifReset(decays, fires, leak, reset))


def _leaves(node: Node, field: str, shape: Shape, dt: float) -> Any:
    """dt / tau, the share of a potential that leaks in one step, at most 1."""
    tau = each(node, field, shape)
    require(
        bool(np.min(tau) >= dt * (1 - 1e-6)),  # float32 may round tau = dt down
        f"{node.name}/{field}: its time constant {np.min(tau):g} s is shorter than the time step "
        f"{dt:g} s; give a smaller dt",
        FormatError,
    )
    share = np.asarray(dt / tau)
    if np.asarray(node.fields[field]).dtype == np.float32:  # as the tools that wrote it divide
        share = np.asarray(np.float32(dt) / np.asarray(tau, np.float32), np.float64)
    return _number(np.minimum(share, 1.0))


def _fires(node: Node, field: str, shape: Shape) -> Any:
    """NIR fires on v > threshold, arlif on >= the next float32."""
    real = np.asarray(each(node, field, shape), np.float32)
    fires = np.nextafter(real, np.float32(np.inf)).astype(np.float64)
    return float(fires) if fires.ndim == 0 else fires


def _reset(node: Node, shape: Shape) -> Any:
    return each(node, "v_reset", shape) if "v_reset" in node.fields else 0.0


def _weight(node: Node, shape: Shape) -> Any:
    return each(node, "w_in", shape) if "w_in" in node.fields else 1.0


def _number(values: Any) -> Any:
    """A float for an array of equal values."""
    array = np.asarray(values, np.float64)
    return float(array.flat[0]) if (array == array.flat[0]).all() else values


def _too_small(node: Node, factor: Any, fires: Any) -> str:
    """A warning where a step moves an IF by next to nothing."""
    if node.kind != "IF" or np.max(factor) >= TINY * np.min(np.abs(fires)):
        return ""
    return (
        f"{node.name} (IF): r dt = {np.max(factor):g}, so that a current of 1 moves the potential "
        f"by {np.max(factor / fires):.1g} of the threshold in a time step; files of tools without "
        "a unit of time, such as sinabs, mean v += I at every step, which is dt = 1 / r"
    )


def _noted(node: Node) -> Tree | None:
    """The constants that arlif noted in the metadata, if any."""
    metadata = node.fields.get("metadata")
    noted = metadata.get("arlif") if isinstance(metadata, dict) else None
    require(
        noted is None or isinstance(noted, dict),
        f"{node.name}/metadata/arlif must be a group",
        FormatError,
    )
    return noted


def _checked(node: Node, noted: Tree, decays: Any, fires: Any) -> Neuron:
    """The neuron that arlif noted, checked against the plain LIF."""
    where = f"{node.name}/metadata/arlif"
    kind = value(str, noted.get("type"), f"{where}/type")
    require(kind in REAL_NEURONS, f"{where}: no neuron is called {kind}", FormatError)
    found: Neuron = _constants(REAL_NEURONS[kind], noted, where)
    require(
        np.ndim(decays) == 0
        and np.ndim(fires) == 0
        and abs(decay(found) - decays) < 1e-5
        and abs(threshold(found) - fires) < 1e-5 * abs(fires),
        f"{where} says decay {decay(found)} and threshold {threshold(found)}, but {node.name} has "
        f"{_range(decays)} and {_range(fires)}; delete the metadata or export again",
        FormatError,
    )
    return found


def _range(values: Any) -> str:
    """A number, or the ends of several."""
    return f"{values}" if np.ndim(values) == 0 else f"{np.min(values)} to {np.max(values)}"


def _constants(cls: type[Neuron], tree: Tree, where: str) -> Any:
    """A neuron of a tree; a flag that is off by default may be left out, as in older files."""
    constants = cls.parameters()
    read: dict[str, Any] = {}
    for field in fields(cls):
        if field.name not in tree and field.default is False:
            continue
        require(field.name in tree, f"{where}/{field.name} is missing", FormatError)
        hint = float if field.name in constants else bool
        read[field.name] = value(hint, tree[field.name], f"{where}/{field.name}")
        require(
            bool(np.isfinite(read[field.name])), f"{where}/{field.name} is not finite", FormatError
        )
    return cls(**read)

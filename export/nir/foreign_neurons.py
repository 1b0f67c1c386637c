"""NIR's neurons as spiking modules, and the factor that belongs on the weights before them."""

from dataclasses import fields
from typing import Any

import numpy as np

from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif, RealLifHard
from arlif.neurons import SpikingNeuron
from arlif.neurons.convert import spiking_module
from export.hdf5 import Tree
from export.nir.conventions import REAL_NEURONS, decay, threshold
from export.nir.fields import numbers, uniform
from export.nir.node_list import Node
from export.records import value

NEURONS = ("IF", "LIF", "ARLIF")
"""The neurons that are read."""


def neuron(node: Node, shape: Shape, dt: float | None) -> tuple[SpikingNeuron, float]:
    """The module of a neuron and the factor on its input current.

    dt: seconds per time step, which NIR's IF and LIF leave open.
    """
    if node.kind == "ARLIF":
        return spiking_module(_constants(RealArlif, node.fields, node.name)), 1.0
    require(
        dt is not None,
        f"{node.name} ({node.kind}) is defined in continuous time and the file does not say how "
        "long a time step is; give dt in seconds (many tools use 1e-4)",
        FormatError,
    )
    assert dt is not None
    plain, factor = _euler(node, int(np.prod(shape)), dt)
    return spiking_module(_restored(node, plain)), factor


def _euler(node: Node, neurons: int, dt: float) -> tuple[RealLifHard, float]:
    """One Euler step of dt: k = 1 - dt / tau, factor (1 - k) r; an IF has k = 1, factor r dt.

    NIR fires on v > v_threshold, arlif on >= the next float32.
    """
    for field in ("v_leak", "v_reset"):
        if field in node.fields or (field == "v_leak" and node.kind == "LIF"):
            potential = numbers(node, field)
            require(
                not potential.any(),
                f"{node.name}/{field} is not 0 but reaches {potential.max()}; "
                "arlif's neurons leak and reset to 0",
                FormatError,
            )
    r = uniform(node, "r", neurons)
    fires = float(
        np.nextafter(np.float32(uniform(node, "v_threshold", neurons)), np.float32(np.inf))
    )
    require(r > 0, f"{node.name}/r must be positive, not {r}", FormatError)
    if node.kind == "IF":
        return RealLifHard(1.0, fires), r * dt
    tau = uniform(node, "tau", neurons)
    require(
        tau >= dt * (1 - 1e-6),  # float32 may round tau = dt down
        f"{node.name}: its time constant {tau} s is shorter than the time step {dt} s; "
        "give a smaller dt",
        FormatError,
    )
    leak = min(dt / tau, 1.0)
    if np.asarray(node.fields["tau"]).dtype == np.float32:
        leak = min(float(np.float32(dt) / np.float32(tau)), 1.0)
    return RealLifHard(1 - leak, fires), r * leak


def _restored(node: Node, plain: RealLifHard) -> Neuron:
    """The neuron that arlif noted in the metadata, if any, checked against the plain LIF."""
    noted = node.fields.get("metadata")
    noted = noted.get("arlif") if isinstance(noted, dict) else None
    if noted is None:
        return plain
    where = f"{node.name}/metadata/arlif"
    require(isinstance(noted, dict), f"{where} must be a group", FormatError)
    kind = value(str, noted.get("type"), f"{where}/type")
    require(kind in REAL_NEURONS, f"{where}: no neuron is called {kind}", FormatError)
    found = _constants(REAL_NEURONS[kind], noted, where)
    require(
        abs(decay(found) - plain.decay) < 1e-5
        and abs(threshold(found) - plain.threshold) < 1e-5 * abs(plain.threshold),
        f"{where} says decay {decay(found)} and threshold {threshold(found)}, but {node.name} has "
        f"{plain.decay} and {plain.threshold}; delete the metadata or export again",
        FormatError,
    )
    return found


def _constants(cls: type[Neuron], tree: Tree, where: str) -> Any:
    constants = cls.parameters()
    read = {}
    for field in fields(cls):
        require(field.name in tree, f"{where}/{field.name} is missing", FormatError)
        hint = float if field.name in constants else bool
        read[field.name] = value(hint, tree[field.name], f"{where}/{field.name}")
        require(
            bool(np.isfinite(read[field.name])), f"{where}/{field.name} is not finite", FormatError
        )
    return cls(**read)

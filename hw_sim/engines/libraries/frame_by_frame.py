"""A network that another library made of lif.nir, frame by frame, and what its neurons do."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.base.cut import cut
from arlif.base.errors import MissingToolError, SimulationError, first_line
from arlif.base.options import NoOptions
from arlif.core.maps import Shape
from arlif.core.nodes import OverTime, Reading
from arlif.quantize.linearized import RealReading
from hw_sim.engines.simulation import Simulation, Trace, count_type, joined
from hw_sim.engines.work import Outcome, Work
from hw_sim.origin.of_run import load_original

BATCH = 64
"""Samples at once; of traced ones no more, so that batches are traced whole or not at all."""

UNREAD = {
    "Unknown node type <class 'nir.ir.neuron": "it has no neuron that only integrates; let the "
    "answer be the mean of the potentials over time, which needs none",
    "Unknown node type <class 'nir.ir.delay": "it has no delays; leave them out",
}
"""What to do where nirtorch finds no counterpart of a node of ours, by a part of its text."""

Load = Callable[[nir.NIRGraph], nn.Module]
"""Makes a library's network of a graph: (frame [N, ...], state) -> (output, state)."""


def run_in(
    library: str, load: Load, work: Work[NoOptions], cures: Mapping[str, str] = MappingProxyType({})
) -> Outcome:
    """The lif.nir of a run in a library; its spikes under the names that the run gives them.

    cures: what to do about an error of the library, by a part of its text. Raises SimulationError
    where the library cannot run the file.
    """
    linear = load_original(work.path.parent).linear
    reading = linear.readout.reading if isinstance(linear.readout, RealReading) else None
    silent = reading.population if reading else ""
    shapes = {p.name: p.current.shape for p in linear.populations if p.name != silent}
    total = work.real.shape[1]
    shown = work.real.expand(work.time_steps, *work.real.shape[1:])
    parts = []
    for part in (*cut(work.traced, BATCH), *cut(total, BATCH, start=work.traced)):
        try:
            with quietly(), torch.no_grad():
                network = load(graph_of(work.path))
                outputs, spikes = _step(network, tuple(shapes), shown[:, part])
        except Exception as error:  # whatever a reader or its modules raise
            raise SimulationError(
                f"{library} cannot run {work.path}: {with_cure(error, cures)}"
            ) from error
        found = {name: _shaped(frames, shapes[name]) for name, frames in spikes.items()}
        counts = {n: s.sum(0, dtype=count_type(work.time_steps)) for n, s in found.items()}
        traced = part.start < work.traced
        parts.append(
            Simulation(
                _readout(torch.stack(outputs).flatten(2).double(), reading).numpy(),
                counts,
                {name: Trace(frames) for name, frames in found.items()} if traced else {},
            )
        )
        work.progress(part.stop, total)
    return Outcome(joined(parts))


def graph_of(path: Path) -> nir.NIRGraph:
    """The graph of a file. Raises ValueError where every library would make another network of it.

    NIR's own check of shapes is wrong about groups and kernels that are no squares: it is left out.
    """
    graph = nir.read(path, type_check=False)
    padded = [
        name
        for name, node in graph.nodes.items()
        if isinstance(node, nir.SumPool2d) and np.any(node.padding)
    ]
    if padded:
        raise ValueError(
            f"{', '.join(padded)}: it leaves a pool's padding out; pool without padding, or by a "
            "convolution"
        )
    return graph


def packages(library: str, *modules: str) -> list[Any]:
    """Modules of a library. Raises MissingToolError where it, or nirtorch, is not installed."""
    try:
        with quietly():
            return [import_module(name) for name in ("nirtorch", *modules)][1:]
    except ImportError as error:
        raise MissingToolError(
            f"{library} cannot be imported ({first_line(error)})", f"pip install {library} nirtorch"
        ) from error


def with_cure(error: Exception, cures: Mapping[str, str]) -> str:
    """What a library says in its error, and what to do about it where that is known."""
    said = first_line(error)
    return "; ".join([said, *(cure for part, cure in cures.items() if part in said)])


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Drops what other libraries print and warn about."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _step(
    network: nn.Module, names: tuple[str, ...], frames: Tensor
) -> tuple[list[Tensor], dict[str, list[Tensor]]]:
    """The outputs of every time step, and the spikes of the named modules."""
    spikes: dict[str, list[Tensor]] = {name: [] for name in names}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda module, given, out: spikes[name].append(
            out[0] if isinstance(out, tuple) else out
        )

    for name in names:
        network.get_submodule(name).register_forward_hook(keep(name))
    outputs, state = [], None
    for frame in frames:
        output, state = network(frame, state)
        outputs.append(output)
    return outputs, spikes


def _readout(outputs: Tensor, reading: Reading | None) -> Tensor:
    """[N, classes] of outputs [T, N, classes]: their sum, or what is read of potentials."""
    if reading is None:
        return outputs.sum(0)
    return outputs[-1] if reading.over is OverTime.LAST else outputs.amax(0)


def _shaped(frames: list[Tensor], shape: Shape) -> NDArray[np.bool_]:
    """Spikes [T, N, *shape]; files hold (n, 1, 1) where a network has n neurons."""
    return torch.stack(frames).numpy().reshape(len(frames), -1, *shape) != 0

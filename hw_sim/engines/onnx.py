"""The ONNX engine: runs the integer graph that is shipped, on ONNX Runtime."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime import GraphOptimizationLevel, InferenceSession

from arlif.base.errors import FormatError, SimulationError, first_line, require
from arlif.base.files import StrPath
from arlif.base.options import NoOptions
from arlif.base.scratch import scratch
from arlif.core.network import INPUT, READOUT, Input, QuantizedNetwork
from export.onnx.file import DIGEST, UNKNOWN, digest_of, strange_control
from export.onnx.integer_graph import SPIKES, TIME_STEPS, write_onnx
from export.records import require_numerics_version
from hw_sim.engines.in_batches import over_work
from hw_sim.engines.simulation import (
    Record,
    Simulation,
    Trace,
    check_request,
    count_type,
)
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """The graph of an integer .onnx file; it outputs spikes, not states."""
    graph = load(work.path)
    simulation = over_work(graph, work, Record(graph.populations))
    return Outcome(simulation, clipped=graph.input.clipped(work.real))


def simulate(
    source: QuantizedNetwork | StrPath,
    inputs: NDArray[Any],
    time_steps: int,
    record: Record = Record(),
    optimize: bool = True,
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape], through an integer graph.

    source: a file that export.onnx.write_onnx wrote, or a network, which is written and read back.
    optimize: False switches ONNX Runtime's graph optimisations off; the bits do not change.
    Raises ArlifError on inputs that do not fit, FormatError on any other file, SimulationError
    where the file does not output what is to be recorded.
    """
    if isinstance(source, QuantizedNetwork):
        with scratch() as folder:
            path = folder / "network.onnx"
            write_onnx(source, path, states=record.states)
            return simulate(path, inputs, time_steps, record, optimize)
    return load(source, optimize).simulate(inputs, time_steps, record)


def load(path: StrPath, optimize: bool = True) -> "OnnxGraph":
    """An integer graph from its file. Raises FormatError on any other, and a damaged one."""
    graph = OnnxGraph(Path(path), _session(Path(path), optimize))
    graph.require_whole()
    return graph


@dataclass(frozen=True)
class OnnxGraph:
    """An integer graph, loaded, with what its metadata say."""

    path: Path
    session: InferenceSession

    def __post_init__(self) -> None:
        require_numerics_version(self._metadata("numerics_version"), self.path)

    def require_whole(self) -> None:
        """Raise FormatError where the file is not as it was written."""
        noted = self._text(DIGEST)
        require(
            len(noted) == len(UNKNOWN) and digest_of(self.path.read_bytes(), noted) == noted,
            f"{self.path} was damaged or changed after it was written; export it again",
            FormatError,
        )

    @cached_property
    def input(self) -> Input:
        """Shape, range and scale of the input."""
        scale, low, high, static = (
            self._metadata(f"input_{name}") for name in ("scale", "low", "high", "static")
        )
        with _readable(self.path):
            frame = self.session.get_inputs()[0].shape[1 if static else 2 :]
            return Input(tuple(frame), scale, low, high, static)

    @cached_property
    def outputs(self) -> list[str]:
        """Names of all outputs: the readout, then spikes and states, population by population."""
        return [value.name for value in self.session.get_outputs()]

    @property
    def populations(self) -> tuple[str, ...]:
        """The names of all populations, in topological order."""
        return tuple(name for name in self._counted if "." not in name)

    @property
    def _counted(self) -> tuple[str, ...]:
        """Populations, and ORs of spikes, whose names have a dot."""
        return tuple(name.removesuffix(SPIKES) for name in self.outputs if name.endswith(SPIKES))

    def simulate(self, inputs: NDArray[Any], time_steps: int, record: Record) -> Simulation:
        """Run raw inputs; see the function simulate."""
        check_request(self.input, self.populations, inputs, time_steps, record)
        values = self._outputs(inputs, time_steps, record)
        return Simulation(
            readout=values[READOUT],
            counts={
                n: values[n + SPIKES].sum(0, dtype=count_type(time_steps)) for n in self._counted
            },
            traces={
                name: Trace(
                    values[name + SPIKES],
                    {
                        v: values[f"{name}.{v}"].astype(np.int32)
                        for v in self._recorded(name, record)
                    },
                )
                for name in record.layers
            },
        )

    def _recorded(self, layer: str, record: Record) -> list[str]:
        """The state variables of a population that are to be recorded."""
        names = [name for name in self.outputs if name.startswith(f"{layer}.")]
        states = [name.removeprefix(f"{layer}.") for name in names if not name.endswith(SPIKES)]
        require(
            bool(states) or not record.states,
            f"{self.path} does not output the states of {layer!r}; "
            "write it with write_onnx(..., states=True), or record spikes only",
            SimulationError,
        )
        return states if record.states else []

    def _outputs(
        self, inputs: NDArray[Any], time_steps: int, record: Record
    ) -> dict[str, NDArray[Any]]:
        """Every output that a simulation needs, by name."""
        states = [f"{name}.{v}" for name in record.layers for v in self._recorded(name, record)]
        spikes = [name for name in self.outputs if name.endswith(SPIKES)]
        feeds = {INPUT: inputs.astype(np.int8)}
        if self.input.static:
            feeds[TIME_STEPS] = np.array(time_steps, np.int64)
        samples = inputs.shape[self.input.sample_axis]
        leads = {
            READOUT: ((samples,), "i"),
            **dict.fromkeys(spikes, ((time_steps, samples), "b")),
            **dict.fromkeys(states, ((time_steps, samples), "i")),
        }
        with _readable(self.path):
            found = dict(zip(leads, self.session.run([*leads], feeds), strict=True))
            for name, (lead, kind) in leads.items():
                given = found[name]
                require(
                    given.shape[: len(lead)] == lead
                    and given.dtype.kind == kind
                    and (given.ndim == 2 if name == READOUT else given.ndim > 2),
                    f"{name} is {given.dtype} of shape {given.shape}, which no graph of arlif "
                    f"gives for {samples} samples",
                )
        return found

    def _text(self, name: str) -> str:
        values = self.session.get_modelmeta().custom_metadata_map
        require(
            name in values,
            f"{self.path} is not an integer graph of arlif, or of an earlier one (no {name!r} in "
            "its metadata); only files of export.onnx.write_onnx can be simulated: export it again",
            FormatError,
        )
        return str(values[name])

    def _metadata(self, name: str) -> Any:
        text = self._text(name)
        with _readable(self.path):
            return json.loads(text)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what ONNX Runtime raises on a damaged file into a FormatError."""
    try:
        yield
    except Exception as error:  # its own classes share no narrower base
        raise FormatError(
            f"{path} is missing or not a sound ONNX file ({first_line(error)}); export it again"
        ) from error


def _session(path: Path, optimize: bool) -> InferenceSession:
    level = GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised, too
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    with _readable(path):
        content = path.read_bytes()  # the session takes no name that is not UTF-8
        strange = strange_control(content)
        require(not strange, f"it holds {', '.join(strange)}, which no graph of arlif does")
        return InferenceSession(content, options, providers=["CPUExecutionProvider"])

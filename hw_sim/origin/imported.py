"""What an imported run keeps of its float network, and how it is built again from that."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, fx

from arlif.artifacts import GRAPH, IMPORT, NIR, WEIGHTS
from arlif.base.errors import ArlifError, LoweringError, first_line, require
from arlif.base.files import atomic_path
from arlif.base.plain_data import STRICT, from_mapping, to_mapping
from arlif.core.equality import fingerprint
from arlif.core.network import OverTime, require_time_steps
from arlif.core.neuron import traced
from arlif.interop.recognise import to_arlif
from arlif.layers import Repeat
from arlif.networks.weight_files import read_saved, weights_in
from arlif.quantize import linearize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.run_folder import Run
from export.nir import load_nir
from export.readout_tree import over_time
from hw_sim.origin.original import Original
from hw_sim.origin.user_module import build_user_module, require_like_inputs


@dataclass(frozen=True)
class Imported:
    """Where a float network came from: what import.json says.

    file: where it was read from. function: of a Python file, what built it; empty for a NIR graph,
    of which the run keeps a copy. dt: seconds per time step of a NIR graph. time_steps: T.
    input_shape, static: what it takes. calibrate: own data that its scales were fitted to, None
    where they were random. identity: a digest of all its numbers. readout: the value of an
    OverTime, of a NIR graph for which one was asked.
    """

    file: str
    function: str
    time_steps: int
    dt: float | None
    input_shape: tuple[int, ...]
    static: bool
    calibrate: str | None
    identity: str
    readout: str | None = None

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require_time_steps(self.time_steps)
        require(
            bool(self.input_shape) and all(size > 0 for size in self.input_shape),
            f"input_shape has sizes of at least 1, not {self.input_shape}",
        )

    @property
    def name(self) -> str:
        """What it is called where it stands beside others: its file, and the function in it."""
        return ":".join(filter(None, (Path(self.file).name, self.function)))


def read_graph(file: Path, dt: float | None, time_steps: int, readout: OverTime | None) -> Original:
    """The network of a NIR graph; readout: as `over` of load_nir. Raises ArlifError."""
    found = load_nir(file, dt, readout)
    module = found.module.eval()
    if found.static:
        assert isinstance(module, fx.GraphModule)
        _show_one_frame(module, time_steps)
    return Original(module, found.input_shape, found.static, time_steps, warnings=found.warnings)


def read_script(script: Path, function: str, example: Tensor, time_steps: int) -> Original:
    """The network that a function of a Python file builds, of whatever library. Raises ArlifError.

    example: inputs as the network will be given them, [1 or T, N, *shape].
    """
    built = build_user_module(script, function)
    require_like_inputs(built)
    module = to_arlif(built, example).eval()
    linear = linearize(module, tuple(example.shape[2:]))
    static = linear.static
    shown = {layer.time_steps for layer in module.modules() if isinstance(layer, Repeat)}
    require(
        not static or time_steps in shown,
        f"{script}:{function} runs for {', '.join(map(str, shown))} time steps, not {time_steps}; "
        "give as many --time-steps as its loop or its Repeat has",
    )
    return Original(module, linear.input_shape, static, time_steps)


def keep(
    run: Run,
    original: Original,
    file: Path,
    function: str,
    dt: float | None,
    own: Path | None,
    readout: OverTime | None = None,
) -> None:
    """Write into a run what builds its float network again; network.nir is to follow.

    function: of a Python file; empty where `file` is a NIR graph. own: see Imported.calibrate.
    """
    from arlif.training.checkpoints import save  # loads Lightning

    content = file.read_bytes()  # which may be the run's own copy
    forget(run)
    if function:
        save(original.module.state_dict(), run.path(WEIGHTS))
    else:
        with atomic_path(run.path(GRAPH)) as temporary:
            temporary.write_bytes(content)
    linear = original.linear
    record = Imported(
        str(file.resolve()),
        function,
        original.time_steps,
        dt,
        linear.input_shape,
        linear.static,
        None if own is None else str(own.resolve()),
        _identity(linear),
        None if readout is None else readout.value,
    )
    run.write_json(IMPORT, to_mapping(record))
    run.record(WEIGHTS if function else GRAPH)
    run.record(IMPORT, made_from=(GRAPH, WEIGHTS))


def forget(run: Run) -> None:
    """Remove the float network that a run was imported from, and the integers made of it."""
    for artifact in (IMPORT, GRAPH, WEIGHTS, NIR):
        run.path(artifact).unlink(missing_ok=True)


def read_imported(run: Run) -> Imported:
    """What import.json says. Raises ArlifError where it is missing or damaged."""
    return from_mapping(Imported, run.read_object(IMPORT), str(run.path(IMPORT)))


def rebuild(run: Run) -> Original:
    """The float network that a run was imported from.

    A NIR graph is read from the run's copy. A Python file is run again, where it lay, and its
    network gets the weights that it had. Raises ArlifError where the file is gone, and where it now
    builds another network.
    """
    record = read_imported(run)
    file, steps = Path(record.file), record.time_steps
    if not record.function:
        word, where = record.readout, f"{run.path(IMPORT)}/readout"
        readout = None if word is None else over_time(word, where)
        return read_graph(run.require(GRAPH), record.dt, steps, readout)
    where = f"{file}:{record.function}"
    require(
        file.is_file(),
        f"{run.folder} was imported from {where}, which is gone; bring it back, as its code is the "
        "float network (the integers in network.nir need it no more)",
    )
    weights = _read_weights(run.require(WEIGHTS))
    ones = torch.ones(1 if record.static else steps, 1, *record.input_shape)
    try:
        found = read_script(file, record.function, ones, steps)
        found.module.load_state_dict(weights)
        same = _identity(found.linear) == record.identity
    except (LoweringError, RuntimeError):  # the latter of weights that do not fit
        same = False
    require(
        same,
        f"{where} builds another network than {run.folder} was imported from; take back what was "
        f"changed, or import it into {run.folder} again",
    )
    return found


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        return weights_in(read_saved(path))
    except Exception as error:  # whatever torch raises on bytes that are something else
        raise ArlifError(
            f"{path} is damaged ({first_line(error)}); import the network again"
        ) from None


def _show_one_frame(module: fx.GraphModule, time_steps: int) -> None:
    """Let a network show the frame that it is given at every time step."""
    given = next(iter(module.graph.nodes))
    name = "shown"
    while hasattr(module, name):
        name += "_"
    module.add_module(name, Repeat(time_steps))
    with module.graph.inserting_after(given):
        frames = module.graph.call_module(name, (given,))
    given.replace_all_uses_with(frames, delete_user_cb=lambda user: user is not frames)
    module.recompile()


def _identity(linear: LinearizedNetwork) -> str:
    """A digest that two networks share where their neurons, weights and connections are equal."""
    neurons = tuple(
        (p.name, fingerprint(traced(p.neuron)), p.neuron.constants(), p.current)
        for p in linear.populations
    )
    return fingerprint((linear.input_shape, linear.static, neurons, linear.readout))

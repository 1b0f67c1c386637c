"""import_run: a network from another tool, or of your own code, becomes a run."""

from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch

from arlif.artifacts import CONFIG, NIR
from arlif.base.errors import ArlifError, LoweringError, require
from arlif.base.lock import only_writer
from arlif.core.network import OverTime, QuantizedNetwork, require_time_steps
from arlif.data.own import OwnData, OwnSamples
from arlif.quantize.values import Totals
from arlif.run_folder import Run
from export.lava import is_ours, read_net
from export.nir import is_native, load_nir, read_nir, write_nir
from export.slayer import read_slayer
from hw_sim.origin.imported import forget, keep, read_graph, read_script
from hw_sim.origin.original import Original
from hw_sim.origin.user_module import require_runs
from hw_sim.pipeline.defaults import numbers_or_default
from hw_sim.pipeline.parent import parent_of

KINDS = (".nir", ".net")

LITTLE = 0.1
"""Which share of all time steps a time constant may last that a mean of potentials leaves out."""


def import_run(
    file: Path,
    folder: Path,
    time_steps: int | None = None,
    dt: float | None = None,
    calibrate: Path | None = None,
    preset: str | None = None,
    weight_bits: int | None = None,
    readout: OverTime | None = None,
) -> dict[str, Any]:
    """Read a foreign network, quantize it where it is real-valued; writes network.nir.

    file: .nir, .net, or FILE.py:FUNCTION, which returns a torch module. time_steps: T, where the
    file does not say it. Of real-valued networks only: dt, seconds per time step of a NIR graph;
    calibrate, real inputs (.npy) that set scales; preset and weight_bits, None for compact16 and 8,
    and more where a layer with a unit of its own needs more; readout, which time step of what
    reaches a NIR graph's output is the answer, None for the mean of all, or what the file says.
    Returned of real-valued networks: what hw_sim.comparison.agreement says, and warnings.
    Raises ArlifError where the file is no network, options do not fit it, or a run was trained in
    the folder.
    """
    run = Run(folder)
    script, _, function = str(file).rpartition(":")
    own = script.endswith(".py")
    require(
        own or file.suffix in KINDS,
        f"{file} must be a {' or '.join(KINDS)} file, or FILE.py:FUNCTION",
    )
    require(own or file.is_file(), f"there is no file {file}; give the path of one")
    _require_untrained(run)
    if time_steps is not None:
        require_time_steps(time_steps)
    found: dict[str, Any] = {"warnings": []}
    if own:
        require(dt is None, "--dt is for NIR files; a network of your own counts time steps")
        require(
            readout is None,
            "--readout is for NIR files; a network of your own returns x[-1] or x.amax(0)",
        )
        original, own_data = _own(Path(script), function, time_steps, calibrate)
        network, found = _fitted(original, own_data, preset, weight_bits)
        settle = partial(keep, run, original, Path(script), function, None, calibrate)
    elif file.suffix == KINDS[0] and not is_native(file):
        original, shown = _foreign(file, time_steps, dt, calibrate, readout)
        network, found = _fitted(original, shown, preset, weight_bits)
        settle = partial(keep, run, original, file, "", dt, calibrate, readout)
    else:
        require(
            (dt, calibrate, preset, weight_bits, readout) == (None,) * 5,
            f"{file} holds integers; --dt, --calibrate, --preset, --weight-bits and --readout are "
            "for real-valued NIR files, leave them out",
        )
        network = _integers(file, time_steps)
        settle = partial(forget, run)
    with only_writer(folder, "import"):
        _require_untrained(run)
        if run.has(NIR):
            found["warnings"].append(f"the network that {folder} held before is replaced")
        settle()
        write_nir(network, run.path(NIR))
        run.record(NIR)
    return {
        "path": str(run.path(NIR)),
        "populations": len(network.populations),
        "neurons": sum(prod(p.shape) for p in network.populations),
        "input_shape": list(network.input.shape),
        "static": network.input.static,
        "time_steps": network.time_steps,
        **found,
    }


def _require_untrained(run: Run) -> None:
    require(
        not run.has(CONFIG), f"{run.folder} holds a training run; import into a folder of its own"
    )


def _fitted(
    original: Original, own: OwnSamples | None, preset: str | None, weight_bits: int | None
) -> tuple[QuantizedNetwork, dict[str, Any]]:
    """The integer network, and what is to be said of it."""
    made = parent_of(original, own).fit(preset, weight_bits)
    name, bits = numbers_or_default(preset, weight_bits)
    for population in made.network.populations:
        neuron = population.neuron
        made.found["layers"][population.name] |= {
            "state_bits": neuron.state_format.bits,
            "factor_bits": neuron.factor_bits,
        }
    return made.network, {
        "preset": name,
        "weight_bits": bits,
        "wide": made.wide,
        "random_inputs": own is None,
        **made.found,
        "warnings": [
            *original.warnings,
            *made.warnings,
            *_slow_answers(original),
            *_as_stored(own),
        ],
    }


def _as_stored(own: OwnSamples | None) -> list[str]:
    """A warning where inputs look like images as files hold them: whole numbers up to 255."""
    if own is None or not 127 < own.real.max() <= 255 or own.real.min() < 0:
        return []
    if bool((own.real != own.real.round()).any()):
        return []
    return [
        f"its inputs are whole numbers up to {own.real.max():.0f}, as images are stored; if the "
        "network was trained on scaled ones, give those: integers are fitted to what they see"
    ]


def _slow_answers(original: Original) -> list[str]:
    """A warning where a mean of potentials weighs the last time steps as if they had decayed."""
    readout = original.linear.readout
    if not isinstance(readout, Totals) or readout.steps <= LITTLE * original.time_steps:
        return []
    return [
        f"the answer is the mean of potentials whose time constant is {readout.steps:.0f} time "
        f"steps, of {original.time_steps} in all; integers take it as if all had decayed, so "
        "decisions may differ; the last or the largest potential is exact: return x[-1] or "
        "x.amax(0), of a NIR file give --readout"
    ]


def _integers(file: Path, time_steps: int | None) -> QuantizedNetwork:
    if file.suffix != KINDS[0] and not is_ours(file):
        return read_slayer(file, time_steps)
    network = read_nir(file) if file.suffix == KINDS[0] else read_net(file)
    require(
        time_steps in (None, network.time_steps),
        f"{file} says T = {network.time_steps} itself, not {time_steps}; leave out --time-steps",
    )
    return network


def _own(
    script: Path, function: str, time_steps: int | None, calibrate: Path | None
) -> tuple[Original, OwnSamples]:
    require(script.is_file(), f"there is no file {script}")
    if time_steps is None or calibrate is None:
        lacks = {
            "how many time steps its network runs for": (time_steps, "--time-steps T"),
            "what its inputs are": (calibrate, "--calibrate INPUTS.npy, [1 or T, N, *shape]"),
        }
        said = {what: option for what, (given, option) in lacks.items() if given is None}
        raise ArlifError(
            f"{script} does not say {' and '.join(said)}; give {' and '.join(said.values())}"
        )
    data, problems = OwnData(calibrate), []
    for example in data.examples(time_steps):
        try:
            original = read_script(script, function, torch.from_numpy(example), time_steps)
            own = data.load(original.input_shape, original.frames)
            require_runs(original.module, torch.from_numpy(example))
        except LoweringError as error:
            problems.append(
                f"{script}:{function} on {calibrate}, read as "
                f"[{', '.join(map(str, (len(example), 'N', *example.shape[2:])))}], time first: "
                f"{error}"
            )
        else:
            return original, own
    raise LoweringError("; ".join(problems))


def _foreign(
    file: Path,
    time_steps: int | None,
    dt: float | None,
    calibrate: Path | None,
    readout: OverTime | None,
) -> tuple[Original, OwnSamples | None]:
    if time_steps is None:
        load_nir(file, dt)  # what is wrong with the file comes first
        raise ArlifError(f"{file} does not say how many time steps it runs for; give --time-steps")
    original = read_graph(file, dt, time_steps, readout)
    if calibrate is None:
        return original, None
    return original, OwnData(calibrate).load(original.input_shape, original.frames)

"""import_run: a network from another tool, or of your own code, becomes a run."""

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.network import Input, QuantizedNetwork
from arlif.interop.recognise import to_arlif
from arlif.layers import Repeat
from arlif.quantize import Precision, calibrate_input, linearize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.presets import STOCK_LAVA, read_numbers, read_quantizer
from arlif.run_folder import CONFIG, NIR, Run
from export.lava import is_ours, read_net
from export.nir import is_native, load_nir, read_nir, write_nir
from export.slayer import read_slayer
from hw_sim.comparison.agreement import agreement
from hw_sim.comparison.fitting import SHOWN, fit, typical
from hw_sim.origin.user_module import build_user_module, require_runs
from hw_sim.pipeline.defaults import DEFAULT_BITS, DEFAULT_PRESET
from hw_sim.pipeline.samples import read_array

KINDS = (".nir", ".net")


def import_run(
    file: Path,
    folder: Path,
    time_steps: int | None = None,
    dt: float | None = None,
    calibrate: Path | None = None,
    preset: str | None = None,
    weight_bits: int | None = None,
) -> dict[str, Any]:
    """Read a foreign network, quantize it where it is real-valued; writes network.nir.

    file: .nir, .net, or FILE.py:FUNCTION, which returns a torch module. time_steps: T, where the
    file does not say it. Of real-valued networks only: dt, seconds per time step of a NIR graph;
    calibrate, real inputs (.npy) that set scales; preset and weight_bits, None for compact16 and 8,
    and more where a layer with a unit of its own needs more.
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
    require(not run.has(CONFIG), f"{folder} holds a training run; import into a folder of its own")
    found: dict[str, Any] = {"warnings": []}
    if own:
        require(dt is None, "--dt is for NIR files; a network of your own counts time steps")
        given = _own(Path(script), function, time_steps, calibrate)
        network, found = _fitted(given, calibrate, preset, weight_bits)
    elif file.suffix == KINDS[0] and not is_native(file):
        given = _foreign(file, time_steps, dt, calibrate)
        network, found = _fitted(given, calibrate, preset, weight_bits)
    else:
        require(
            (dt, calibrate, preset, weight_bits) == (None, None, None, None),
            f"{file} holds integers; --dt, --calibrate, --preset and --weight-bits are for "
            "real-valued NIR files, leave them out",
        )
        network = _integers(file, time_steps)
    write_nir(network, run.path(NIR))
    return {
        "path": str(run.path(NIR)),
        "populations": len(network.populations),
        "neurons": sum(prod(p.shape) for p in network.populations),
        "input_shape": list(network.input.shape),
        "static": network.input.static,
        "time_steps": network.time_steps,
        **found,
    }


@dataclass(frozen=True)
class _Given:
    """A real-valued network, its input and T."""

    module: nn.Module
    linear: LinearizedNetwork
    source: Input
    time_steps: int
    warnings: tuple[str, ...] = ()


def _fitted(
    given: _Given, calibrate: Path | None, preset: str | None, weight_bits: int | None
) -> tuple[QuantizedNetwork, dict[str, Any]]:
    """The integer network, and what is to be said of it."""
    linear, steps = given.linear, given.time_steps
    name, bits = preset or DEFAULT_PRESET, weight_bits or DEFAULT_BITS
    if calibrate is None:
        real = typical(linear, steps)
    else:
        real = torch.from_numpy(read_array(calibrate)[:, :SHOWN].astype(np.float32))
    wide, warnings = False, list(given.warnings)
    if name == STOCK_LAVA:
        network = read_quantizer(name, bits)(linear, given.source, steps)
        shown = network if linear.static else replace(network, time_steps=len(real))
        found = agreement(given.module, shown, real)
    else:
        asked = Precision(read_numbers(name), bits)
        may_widen = preset is None and weight_bits is None
        made = fit(given.module, linear, given.source, real, steps, asked, may_widen)
        network, found, wide = made.network, made.found, made.wide
        warnings += made.warnings
    for population in network.populations:
        neuron = population.neuron
        found["layers"][population.name] |= {
            "state_bits": neuron.state_format.bits,
            "factor_bits": neuron.factor_bits,
        }
    return network, {
        "preset": name,
        "weight_bits": bits,
        "wide": wide,
        "random_inputs": calibrate is None,
        **found,
        "warnings": warnings,
    }


def _integers(file: Path, time_steps: int | None) -> QuantizedNetwork:
    if file.suffix != KINDS[0] and not is_ours(file):
        return read_slayer(file, time_steps)
    network = read_nir(file) if file.suffix == KINDS[0] else read_net(file)
    require(
        time_steps in (None, network.time_steps),
        f"{file} says T = {network.time_steps} itself, not {time_steps}; leave out --time-steps",
    )
    return network


def _own(script: Path, function: str, time_steps: int | None, calibrate: Path | None) -> _Given:
    if time_steps is None or calibrate is None:
        raise ArlifError(
            f"{script} says neither how many time steps its network runs for nor what its inputs "
            "are; give --time-steps and --calibrate INPUTS.npy, [1 or T, N, *shape]"
        )
    inputs = read_array(calibrate)
    require(inputs.ndim >= 3, f"{calibrate} must be [1 or T, N, *shape], not {inputs.shape}")
    built = build_user_module(script, function)
    try:
        example = torch.from_numpy(inputs.astype(np.float32))
        module = to_arlif(built, example)
        linear = linearize(module, inputs.shape[2:])
        require_runs(module, example)
    except LoweringError as error:
        raise LoweringError(
            f"{script}:{function} on {calibrate}, {inputs.shape} as [1 or T, N, *shape], time "
            f"first: {error}"
        ) from None
    shown = {layer.time_steps for layer in module.modules() if isinstance(layer, Repeat)}
    require(
        not linear.static or time_steps in shown,
        f"{script}:{function} runs for {', '.join(map(str, shown))} time steps, not {time_steps}; "
        "make its Repeat and --time-steps equal",
    )
    return _Given(module, linear, _source(linear, calibrate, time_steps), time_steps)


def _foreign(
    file: Path, time_steps: int | None, dt: float | None, calibrate: Path | None
) -> _Given:
    imported = load_nir(file, dt)
    if time_steps is None:
        raise ArlifError(f"{file} does not say how many time steps it runs for; give --time-steps")
    linear = replace(linearize(imported.module, imported.input_shape), static=imported.static)
    if calibrate is None:
        source = Input(linear.input_shape, 1.0, 0, 127, static=linear.static)
    else:
        source = _source(linear, calibrate, time_steps)
    return _Given(imported.module, linear, source, time_steps, imported.warnings)


def _source(linear: LinearizedNetwork, calibrate: Path, time_steps: int) -> Input:
    """The input, scaled to fit a file of what the network takes."""
    inputs = read_array(calibrate)
    frames = 1 if linear.static else time_steps
    require(
        inputs.shape[:1] == (frames,) and inputs.shape[2:] == linear.input_shape,
        f"{calibrate} must be [{', '.join(map(str, (frames, 'N', *linear.input_shape)))}], as the "
        f"network takes its inputs, not {inputs.shape}; time comes first",
    )
    return calibrate_input(inputs, linear.input_shape, linear.static)

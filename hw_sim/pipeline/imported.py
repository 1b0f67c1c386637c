"""import_run: a network from another tool becomes a run."""

from math import prod
from pathlib import Path
from typing import Any

from arlif.core.network import Input, QuantizedNetwork
from arlif.errors import ArlifError, require
from arlif.quantize import calibrate_input, linearize
from arlif.run import CONFIG, NIR, Run
from export.lava import is_ours, read_net
from export.nir import is_native, load_nir, read_nir, write_nir
from export.slayer import read_slayer
from hw_sim.options import DEFAULT_BITS, DEFAULT_PRESET
from hw_sim.pipeline.presets import read_quantizer
from hw_sim.pipeline.samples import read_array

KINDS = (".nir", ".net")


def import_run(
    file: Path,
    folder: Path,
    time_steps: int | None = None,
    dt: float | None = None,
    calibrate: Path | None = None,
    preset: str = DEFAULT_PRESET,
    weight_bits: int = DEFAULT_BITS,
) -> dict[str, Any]:
    """Read a foreign network, quantize it where it is real-valued; writes network.nir.

    time_steps: T, where the file does not say it. Of real-valued networks only: dt, seconds per
    time step; calibrate, real inputs (.npy) that set the input scale; preset and weight_bits.
    Raises ArlifError where the file is no network, options do not fit it, or a run was trained in
    the folder.
    """
    run = Run(folder)
    require(file.suffix in KINDS, f"{file} must be a {' or '.join(KINDS)} file")
    require(not run.has(CONFIG), f"{folder} holds a training run; import into a folder of its own")
    if file.suffix == KINDS[0] and not is_native(file):
        network = _quantized(file, time_steps, dt, calibrate, preset, weight_bits)
    else:
        require(
            (dt, calibrate, preset, weight_bits) == (None, None, DEFAULT_PRESET, DEFAULT_BITS),
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


def _quantized(
    file: Path,
    time_steps: int | None,
    dt: float | None,
    calibrate: Path | None,
    preset: str,
    weight_bits: int,
) -> QuantizedNetwork:
    quantizer = read_quantizer(preset, weight_bits)
    imported = load_nir(file, dt)
    if time_steps is None:
        raise ArlifError(f"{file} does not say how many time steps it runs for; give --time-steps")
    linear = linearize(imported.module, imported.input_shape)
    if calibrate is None:
        source = Input(imported.input_shape, 1.0, 0, 127, static=imported.static)
    else:
        source = calibrate_input(read_array(calibrate), imported.input_shape, imported.static)
    return quantizer(linear, source, time_steps)

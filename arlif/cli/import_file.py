"""arlif import: a network from another tool becomes a run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.options import PresetOption, WeightBitsOption
from arlif.cli.output import JsonOption, Output, RunArgument


def import_network(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .nir or .net file.")],
    run: RunArgument,
    time_steps: Annotated[
        int | None, typer.Option(min=1, help="T, where the file does not say it.")
    ] = None,
    dt: Annotated[
        float | None, typer.Option(help="Seconds per time step, where a NIR file needs it.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(help="Real inputs (.npy) that set the input scale; default spikes, scale 1."),
    ] = None,
    preset: PresetOption = "compact16",
    weight_bits: WeightBitsOption = 8,
    as_json: JsonOption = False,
) -> None:
    """Import NIR graphs (of any tool) and .net files (of lava-dl or arlif); writes network.nir."""
    output = Output(as_json)
    result = run_import(file, run, time_steps, dt, calibrate, preset, weight_bits)
    output.say(
        f"{file}: {result['populations']} populations, {result['neurons']} neurons, input "
        f"{result['input_shape']}, T = {result['time_steps']}; wrote {result['path']}"
    )
    output.say(f"simulate it on your data: arlif simulate {run} --inputs FILE.npy")
    output.result(result)


def run_import(
    file: Path,
    folder: Path,
    time_steps: int | None,
    dt: float | None,
    calibrate: Path | None,
    preset: str,
    weight_bits: int,
) -> dict[str, Any]:
    """Read a foreign network, quantize it where it is real-valued, write it as network.nir."""
    import numpy as np

    from arlif.errors import require
    from arlif.run import NIR, Run
    from export.nir import is_native, read_nir, write_nir

    kinds = (".nir", ".net")
    require(file.suffix in kinds, f"{file} must be a {' or '.join(kinds)} file")
    if file.suffix == ".net":
        network = _read_net(file, time_steps)
    elif is_native(file):
        network = read_nir(file)
    else:
        network = _quantized(file, time_steps, dt, calibrate, preset, weight_bits)
    run = Run(folder)
    write_nir(network, run.path(NIR))
    return {
        "path": str(run.path(NIR)),
        "populations": len(network.populations),
        "neurons": sum(int(np.prod(p.shape)) for p in network.populations),
        "input_shape": list(network.input.shape),
        "static": network.input.static,
        "time_steps": network.time_steps,
    }


def _read_net(file: Path, time_steps: int | None) -> Any:
    from export.lava import is_ours, read_net
    from export.slayer import read_slayer

    return read_net(file) if is_ours(file) else read_slayer(file, time_steps)


def _quantized(
    file: Path,
    time_steps: int | None,
    dt: float | None,
    calibrate: Path | None,
    preset: str,
    weight_bits: int,
) -> Any:
    from arlif.core.network import Input
    from arlif.errors import require
    from arlif.quantize import calibrate_input, linearize
    from export.nir import load_nir
    from hw_sim.pipeline.presets import read_quantizer
    from hw_sim.pipeline.samples import read_array

    quantizer = read_quantizer(preset, weight_bits)
    imported = load_nir(file, dt)
    require(
        time_steps is not None,
        f"{file} does not say how many time steps it runs for; give --time-steps",
    )
    linear = linearize(imported.module, imported.input_shape)
    if calibrate is None:
        source = Input(imported.input_shape, 1.0, 0, 127, static=imported.static)
    else:
        source = calibrate_input(read_array(calibrate), imported.input_shape, imported.static)
    return quantizer(linear, source, int(time_steps or 0))

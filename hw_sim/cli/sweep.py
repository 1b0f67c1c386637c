"""arlif sweep: accuracy and energy over bit widths and time steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import ArlifError, require
from arlif.base.numerals import percent, significant
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, LabelsOption, own_data
from hw_sim.pipeline.defaults import SWEPT_BITS, SWEPT_STEPS


def sweep(
    run: RunArgument,
    weight_bits: Annotated[str, typer.Option(help="Bit widths, by commas.")] = ",".join(
        map(str, SWEPT_BITS)
    ),
    time_steps: Annotated[str, typer.Option(help="Time steps T, by commas.")] = ",".join(
        map(str, SWEPT_STEPS)
    ),
    samples: Annotated[
        int | None, typer.Option(min=1, help="Test samples, of all classes; default all.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="RUN2,RUN3", help="Runs of the recipe with other seeds: mean and spread."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler to run on.")
    ] = None,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Quantize and simulate at every combination; writes sweep.json, which the report plots.

    sweep.json is written after every point: what it holds already is not measured again.
    """
    from hw_sim.pipeline import sweep_run
    from hw_sim.pipeline.sweep_seeds import over_seeds, require_seeds

    output, own = Output(as_json, as_csv, as_latex), own_data(inputs, labels, data_folder)
    bits, steps = _numbers("--weight-bits", weight_bits), _numbers("--time-steps", time_steps)
    runs = [run, *_runs(seeds)] if seeds is not None else [run]
    named = require_seeds(runs) if seeds is not None else None
    sweeps = {}
    for folder in runs:
        with output.progress("sweeping") as update:
            sweeps[folder] = sweep_run(
                folder, bits, steps, samples, jobs, data_folder, update, output.say, own, dask
            )
    output.say_fewer(samples, sweeps[run]["samples"])
    if named is None:
        show(output, sweeps[run])
        output.result(sweeps[run])
        return
    spread = over_seeds(named, sweeps)
    show_spread(output, spread)
    output.result(spread)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print every point that was asked for."""
    _show(output, result, "", lambda value, written: written(value))


def show_spread(output: Output, result: dict[str, Any]) -> None:
    """Print mean and standard deviation over seeds of every point."""
    seeds = ", ".join(str(run["seed"]) for run in result["runs"])
    _show(output, result, f"; mean ± standard deviation over seeds {seeds}", _spread)


def _show(
    output: Output,
    result: dict[str, Any],
    about: str,
    cell: Callable[[Any, Callable[[float], str]], str],
) -> None:
    """One table of points. about: what its title ends in. cell: a figure, as others are written."""
    rows = result["rows"]
    models = list(rows[0]["energy_uj"])
    output.table(
        f"{result['samples']} samples; synaptic operations (ops) and uJ per inference{about}",
        ["bits", "T", "accuracy", "ops", *models],
        [
            [
                str(row["weight_bits"]),
                str(row["time_steps"]),
                cell(row["accuracy"], percent),
                cell(row["synaptic_operations"], output.count),
                *(cell(row["energy_uj"][model], significant) for model in models),
            ]
            for row in rows
        ],
    )


def _spread(found: dict[str, float], written: Callable[[float], str]) -> str:
    return f"{written(found['mean'])} ± {written(found['std'])}"


def _runs(text: str) -> list[Path]:
    names = text.split(",")
    require(
        all(names),  # no name is the working directory
        f"--seeds takes folders of runs by commas, such as RUN2,RUN3, not {text!r}",
    )
    return [Path(name) for name in names]


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise ArlifError(f"{option} takes numbers by commas, such as 2,4,8, not {text!r}") from None
    if min(numbers) < 1:
        raise ArlifError(f"{option} takes numbers of at least 1, not {min(numbers)}")
    return numbers

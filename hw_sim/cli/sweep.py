"""arlif sweep: accuracy and energy over bit widths and time steps."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from arlif.base.errors import ArlifError, require
from arlif.base.numerals import significant, whole
from arlif.base.plain_data import to_mapping
from hw_sim.cli.output import JsonOption, Output, RunArgument, percent
from hw_sim.cli.parameters import DataOption

if TYPE_CHECKING:
    from arlif.run_folder import Run
    from hw_sim.pipeline.sweep import Sweep


def sweep(
    run: RunArgument,
    weight_bits: Annotated[str, typer.Option(help="Bit widths, by commas.")] = "2,3,4,6,8",
    time_steps: Annotated[str, typer.Option(help="Time steps T, by commas.")] = "1,2,4",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Test samples, of all classes; default all.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    data_folder: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize and simulate at every combination; writes sweep.json, which the report plots.

    sweep.json is written after every point: what it holds already is not measured again.
    """
    import arlif
    from arlif.run_folder import Run
    from hw_sim.pipeline.samples import load_quantizable, load_spread
    from hw_sim.pipeline.sweep import Sweep, write_sweep
    from hw_sim.pipeline.sweep import sweep as run_sweep

    output = Output(as_json)
    bits, steps = _numbers("--weight-bits", weight_bits), _numbers("--time-steps", time_steps)
    trained = load_quantizable(run, data_folder)
    test = load_spread(trained.recipe, data_folder, "test", samples)
    assert test.labels is not None
    asked = Sweep(arlif.__version__, trained.recipe.dataset, len(test), bits, steps)
    done = _earlier(output, Run(run), asked)
    rows = run_sweep(
        trained.linear, trained.source, test.real, test.labels, done.missing, jobs=jobs
    )
    with output.progress("sweeping") as update:
        update(len(done.answer), len(done.points))
        for row in rows:
            done = done.with_row(row)
            write_sweep(Run(run), done)
            update(len(done.answer), len(done.points))
    write_sweep(Run(run), done)
    show(output, done)
    output.result(to_mapping(replace(done, rows=())) | {"rows": [*map(to_mapping, done.answer)]})


def show(output: Output, sweep: "Sweep") -> None:
    """Print every point that was asked for."""
    models = list(sweep.answer[0].energy_uj)
    output.table(
        f"{sweep.samples} test samples; synaptic operations (ops) and uJ per inference",
        ["bits", "T", "accuracy", "ops", *models],
        [
            [
                str(row.weight_bits),
                str(row.time_steps),
                percent(row.accuracy),
                whole(row.synaptic_operations),
                *(significant(row.energy_uj[model]) for model in models),
            ]
            for row in sweep.answer
        ],
    )


def _earlier(output: Output, run: "Run", asked: "Sweep") -> "Sweep":
    """The sweep that was asked for with the points that earlier ones have measured."""
    from arlif.run_folder import SWEEP
    from hw_sim.pipeline.sweep import read_sweep

    if not run.has(SWEEP):
        return asked
    try:
        run.require_fresh(SWEEP)
        found = read_sweep(run)
        others = asked.differs(found)
        require(not others, f"{', '.join(others)} differ from those of {run.path(SWEEP)}")
    except ArlifError as error:
        output.say(f"the sweep starts anew: {error}")
        return asked
    known = replace(asked, rows=found.rows)
    if known.answer:
        output.say(
            f"{run.path(SWEEP)} has {len(known.answer)} of {len(known.points)} points already; "
            "remove it to measure them again"
        )
    return known


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise ArlifError(f"{option} takes numbers by commas, such as 2,4,8, not {text!r}") from None
    if min(numbers) < 1:
        raise ArlifError(f"{option} takes numbers of at least 1, not {min(numbers)}")
    return tuple(dict.fromkeys(numbers))

"""arlif sweep: accuracy and energy over bit widths and time steps."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent
from arlif.errors import ArlifError


def sweep(
    run: RunArgument,
    weight_bits: Annotated[str, typer.Option(help="Bit widths, by commas.")] = "2,3,4,6,8",
    time_steps: Annotated[str, typer.Option(help="Time steps T, by commas.")] = "1,2,4",
    samples: Annotated[
        int | None, typer.Option(min=1, help="Test samples, of all classes; default all.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes side by side.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize and simulate at every combination; writes sweep.json, which the report plots."""
    from arlif.cli.samples import load_quantizable, load_spread
    from arlif.run import SWEEP, Run
    from hw_sim.sweep import sweep as run_sweep

    output = Output(as_json)
    bits, steps = _numbers("--weight-bits", weight_bits), _numbers("--time-steps", time_steps)
    trained = load_quantizable(run, data)
    test = load_spread(trained.recipe, data, "test", samples)
    assert test.labels is not None
    rows = run_sweep(trained.linear, trained.source, test.real, test.labels, bits, steps, jobs=jobs)
    models = list(rows[0].energy_uj)
    output.table(
        f"{len(test)} test samples; synaptic operations (ops) and uJ per inference",
        ["bits", "T", "accuracy", "ops", *models],
        [
            [
                str(row.weight_bits),
                str(row.time_steps),
                percent(row.accuracy),
                f"{row.synaptic_operations:,.0f}",
                *(f"{row.energy_uj[model]:.4f}" for model in models),
            ]
            for row in rows
        ],
    )
    content = {
        "dataset": trained.recipe.dataset,
        "samples": len(test),
        "rows": [asdict(row) for row in rows],
    }
    Run(run).write_json(SWEEP, content)
    output.result(content)


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise ArlifError(f"{option} takes numbers by commas, such as 2,4,8, not {text!r}") from None
    if min(numbers) < 1:
        raise ArlifError(f"{option} takes numbers of at least 1, not {min(numbers)}")
    return numbers

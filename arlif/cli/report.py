"""arlif report: one self-contained page of everything that was measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent


def report(
    run: RunArgument,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Another run whose sweep is compared at equal accuracy; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write report.html and report.json from what a run holds."""
    output = Output(as_json)
    content = run_report(run, beside or ())
    output.table(
        "Accuracy",
        ["engine", "samples", "accuracy", "spikes per inference"],
        [
            [
                row["engine"],
                str(row["samples"]),
                "" if row["accuracy"] is None else percent(row["accuracy"]),
                f"{row['spikes_per_inference']:.1f}",
            ]
            for row in content["engines"]
        ],
    )
    output.say(f"report: {content['html']}")
    output.result(content)


def run_report(folder: Path, beside: Sequence[Path] = ()) -> dict[str, Any]:
    """Collect a run's figures, write report.html and report.json, return the latter's content."""
    from arlif.run import Run
    from hw_sim.report import write_report

    return write_report(Run(folder), [Run(other) for other in beside])

"""arlif report: one self-contained page of everything that was measured."""

from pathlib import Path
from typing import Annotated

import typer

from arlif.base.numerals import percent
from hw_sim.cli.output import JsonOption, Output, RunArgument


def report(
    run: RunArgument,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Another run whose sweep is compared at equal accuracy; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write report.html and report.json from what a run holds."""
    from arlif.run_folder import Run
    from hw_sim.report import write_report

    output = Output(as_json)
    content = write_report(Run(run), [Run(other) for other in beside or ()])
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
    for note in content["notes"]:
        output.say(f"note: {note}")
    output.say(f"report: {content['html']}")
    output.result(content)

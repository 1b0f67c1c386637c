"""arlif verify: one table of what survives where, and one exit code."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arlif.base.numerals import percent, points, significant
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.flags import SamplesOption, engines_from
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, LabelsOption
from hw_sim.cli.simulate import say_clipped
from hw_sim.engines.table import ENGINES
from hw_sim.pipeline.defaults import TRACED_SAMPLES

if TYPE_CHECKING:
    from hw_sim.pipeline import Selection

COLUMNS = ["engine", "reads", "images", "accuracy", "spikes", "compared", "different"]
"""Of the table that the README shows too."""

NOT_RUN = ("not installed", "not possible", "failed")
"""Outcomes of engines whose reason stands below the table."""


def verify(
    run: RunArgument,
    engine: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENGINE",
            autocompletion=engines_from,
            help=f"Only this engine, again for more; default all: {', '.join(ENGINES)}.",
        ),
    ] = None,
    samples: SamplesOption = None,
    trace: Annotated[
        int, typer.Option(min=1, help="Compare spikes and states of so many first samples.")
    ] = TRACED_SAMPLES,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize, export, simulate on every engine that is installed, compare, price: one table.

    Does only what is missing or outdated. Exits with 1 unless every exact engine is equal in every
    bit; an engine that is not installed is no failure.
    """
    from hw_sim.pipeline import Selection

    output = Output(as_json)
    selection = Selection(samples, data_folder, inputs, labels)
    result = verified(output, run, selection, trace, engine or tuple(ENGINES))
    if ran := [row["samples"] for row in result["engines"] if "samples" in row]:
        output.say_fewer(samples, max(ran))
    show(output, result)
    output.result(result)
    if not result["equal"]:
        raise typer.Exit(ExitCode.FOUND)


def verified(
    output: Output,
    run: Path,
    selection: "Selection | None" = None,
    trace: int = TRACED_SAMPLES,
    engines: Sequence[str] = tuple(ENGINES),
) -> dict[str, Any]:
    """Verify with a bar for every step, and a line for every engine; None is the test split."""
    from hw_sim.pipeline import Selection, verify_run

    return verify_run(
        run,
        selection or Selection(),
        trace,
        engines,
        watch=lambda step: output.progress(f"    {step}"),
        ended=lambda row: output.say(f"    {row['engine']}: {_outcome(row)}"),
    )


def show(output: Output, result: dict[str, Any]) -> None:
    """The table, and what it comes to."""
    output.table(
        "Spikes per sample, and those compared with the integer engine's",
        COLUMNS,
        [_cells(row) for row in result["engines"]],
    )
    for line in (*_reasons(result["engines"]), *summary(result["verdict"])):
        output.say(line)
    say_clipped(output, max(row.get("clipped", 0.0) for row in result["engines"]))


def summary(verdict: dict[str, Any]) -> list[str]:
    """A verdict in sentences."""
    lines = []
    if accuracy := verdict["accuracy"]:
        lost = points(accuracy["lost"])
        lines.append(
            f"accuracy {'lost' if accuracy['lost'] >= 0 else 'gained'} by integers: {lost} "
            f"({percent(accuracy['float'])} float, {percent(accuracy['integers'])} integers "
            f"on {accuracy['samples']} samples by arlif {accuracy['measured_by']})"
        )
    if bits := verdict["bits"]:
        if bits["different"]:
            lines.append(f"not equal to the integer engine: {', '.join(bits['different'])}")
        if bits["equal"]:
            lines.append(
                f"equal to the integer engine in every bit: {', '.join(bits['equal'])} "
                f"({bits['spikes']:,} spikes, {bits['states']:,} state values, {bits['sums']:,} "
                "spike counts and readouts compared)"
            )
    if verdict["energy_uj"]:
        prices = ", ".join(f"{significant(e)} ({m})" for m, e in verdict["energy_uj"].items())
        lines.append(
            f"{verdict['events']:,.0f} synaptic operations per sample; energy in uJ, by cost "
            f"model: {prices}"
        )
    if fits := verdict["fits"]:
        lines.append(
            f"does not fit: {fits['reason']}"
            if "reason" in fits
            else f"fits {fits['cores']} cores of {fits['limits']}, on {fits['chips']} of its chips"
        )
    return lines


def _reasons(rows: list[dict[str, Any]]) -> list[str]:
    """Why engines were not compared: each reason once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["outcome"] in NOT_RUN:
            found.setdefault(f"{row['outcome']}: {row['reason']}", []).append(row["engine"])
    return [f"{', '.join(names)}: {reason}" for reason, names in found.items()]


def _cells(row: dict[str, Any]) -> list[str]:
    ran = "samples" in row
    compared = row.get("compared")
    return [
        row["engine"],
        row["reads"],
        str(row["samples"]) if ran else "",
        percent(row["accuracy"]) if ran and row["accuracy"] is not None else "",
        f"{row['spikes_per_inference']:.1f}" if ran else "",
        f"{compared['spikes_compared']:,}" if compared else "",
        _different(row),
    ]


def _different(row: dict[str, Any]) -> str:
    """What differs from the integer engine: a number, shares, or that nothing was compared."""
    compared = row.get("compared")
    if row["outcome"] in NOT_RUN:
        return str(row["outcome"])
    if not compared:
        return ""
    if row["exact"]:
        spikes = compared["spikes_different"]
        return f"{spikes:,}" if spikes else row["reason"] or "0"
    decisions = f"{compared['decisions_different']} of {compared['samples']} decisions"
    return f"{percent(compared['spikes_changed'])}, {decisions}"


def _outcome(row: dict[str, Any]) -> str:
    """A line on an engine that has ended."""
    if row["outcome"] == "reference":
        return "the others are compared with it"
    if row["outcome"] == "equal":
        compared = row["compared"]
        states = compared["states_compared"]
        return (
            f"0 of {compared['spikes_compared']:,} spikes differ"
            + f", 0 of {states:,} state values" * bool(states)
        )
    if row["outcome"] == "different":
        return f"different: {row['reason']}"
    if row["outcome"] == "measured":
        return f"{_different(row).replace(', ', ' of spikes and ', 1)} differ"
    return f"{row['outcome']}, see below"

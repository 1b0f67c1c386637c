"""arlif compare: are the spikes the same, and if not, where do they first differ?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import require
from arlif.base.numerals import percent
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.engines.table import INTEGER, LAVA

STEP_BY_STEP = {"spikes": "spikes", "states": "state values"}
SUMMED = {"counts": "spike counts", "readouts": "readouts"}


def compare(
    run: RunArgument,
    want: Annotated[str, engine_option("--want", "The engine that is right.")] = INTEGER.name,
    got: Annotated[str, engine_option("--got", "The engine that is checked.")] = LAVA.name,
    foreign: Annotated[
        Path | None,
        typer.Option(
            help="In place of engines: what another implementation made of vectors/, .npz or a "
            "folder in its layout."
        ),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(help="With --foreign: the vectors that it ran; default vectors/ in RUN."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two engines bit for bit; names the first divergence and exits with 1.

    Float and integers are compared in shares, which is no mismatch. With --foreign it also names
    the part of the other implementation that is wrong.
    """
    from hw_sim.pipeline import compare_foreign_run, compare_run

    output = Output(as_json)
    if foreign is not None:
        engines = (want, got) == (INTEGER.name, LAVA.name)
        require(engines, "--foreign is compared with the specification; leave out --want and --got")
        verdict = compare_foreign_run(run, foreign, vectors)
        show_foreign(output, verdict)
        output.result(verdict)
        if not verdict["equal"]:
            raise typer.Exit(ExitCode.FOUND)
        return
    require(vectors is None, "--vectors belongs to --foreign; give both, or none")
    result = compare_run(run, want, got)
    show(output, result)
    output.result(result)
    if result["exact"] and not result["equal"]:
        raise typer.Exit(ExitCode.FOUND)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print the verdict; of float and integers, what quantization changed."""
    for name in result["edited"]:
        output.say(f"warning: {name} is not as it was exported; what ran is the changed one")
    if not result["exact"]:
        output.table(
            f"{result['want']} and {result['got']}, {result['traced']} samples step by step",
            ["layer", "spikes compared", "different"],
            [
                [
                    layer["layer"],
                    f"{layer['spikes_compared']:,}",
                    percent(layer["spikes_changed"]),
                ]
                for layer in result["layers"]
            ],
        )
        output.say(f"decisions changed: {result['decisions_different']} of {result['samples']}")
        return
    output.say(
        f"{result['want']} and {result['got']}, {result['traced']} samples step by step: "
        f"{_differ(result, STEP_BY_STEP)}"
    )
    output.say(f"{result['samples']} samples over all steps: {_differ(result, SUMMED)}")
    if result["first"]:
        output.say(f"first divergence: {result['message']}")
    if result["same_network"] is False:
        output.say(
            "the two engines ran different networks (network.nir and network.net differ); "
            "if that is not on purpose, export and simulate again"
        )


def _differ(result: dict[str, Any], words: dict[str, str]) -> str:
    """How many values differ, of those that were compared, by what they are."""
    return ", ".join(
        f"{result[f'{what}_different']:,} of {result[f'{what}_compared']:,} {word} differ"
        for what, word in words.items()
        if result[f"{what}_compared"]
    )


def show_foreign(output: Output, verdict: dict[str, Any]) -> None:
    """Print what was compared with another implementation, and where it first goes wrong."""
    compared = sum(row["compared"] for row in verdict["arrays"])
    different = sum(row["different"] for row in verdict["arrays"])
    output.say(
        f"{verdict['foreign']}, {verdict['samples']} samples, {len(verdict['arrays'])} arrays: "
        f"{different:,} of {compared:,} values differ"
    )
    if verdict["first"]:
        output.say(f"first divergence: {verdict['message']}")
    if verdict["not_given"]:
        output.say(f"not given, and so not compared: {', '.join(verdict['not_given'])}")

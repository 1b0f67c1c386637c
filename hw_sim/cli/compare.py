"""arlif compare: are the spikes the same, and if not, where do they first differ?"""

from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.engines.table import INTEGER, LAVA


def compare(
    run: RunArgument,
    want: Annotated[str, engine_option("--want", "The engine that is right.")] = INTEGER.name,
    got: Annotated[str, engine_option("--got", "The engine that is checked.")] = LAVA.name,
    as_json: JsonOption = False,
) -> None:
    """Compare two engines bit for bit; names the first divergence and exits with 1.

    Float and integers are compared in shares, which is no mismatch.
    """
    from hw_sim.pipeline import compare_run

    output = Output(as_json)
    result = compare_run(run, want, got)
    show(output, result)
    output.result(result)
    if result["exact"] and not result["equal"]:
        raise typer.Exit(ExitCode.FOUND)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print the verdict; of float and integers, what quantization changed."""
    if not result["exact"]:
        output.table(
            f"{result['want']} and {result['got']}, {result['samples']} samples",
            ["layer", "spikes compared", "different"],
            [
                [
                    layer["layer"],
                    f"{layer['spikes_compared']:,}",
                    percent(layer["spikes_different"] / max(1, layer["spikes_compared"])),
                ]
                for layer in result["layers"]
            ],
        )
        output.say(f"decisions changed: {result['decisions_different']} of {result['samples']}")
        return
    differ = [
        f"{result[f'{what}_different']:,} of {result[f'{what}_compared']:,} {words} differ"
        for what, words in (("spikes", "spikes"), ("states", "state values"))
        if result[f"{what}_compared"]
    ]
    output.say(
        f"{result['want']} and {result['got']}, {result['samples']} samples: {', '.join(differ)}"
    )
    if result["first"]:
        output.say(f"first divergence: {result['message']}")
    if result["same_network"] is False:
        output.say(
            "the two engines ran different networks (network.nir and network.net differ); "
            "if that is not on purpose, export and simulate again"
        )

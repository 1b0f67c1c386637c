"""arlif compare: are the spikes the same, and if not, where do they first differ?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument
from arlif.cli.simulate import EngineName

MISMATCH = 1


def compare(
    run: RunArgument,
    want: Annotated[EngineName, typer.Option(help="The engine that is right.")] = (
        EngineName.INTEGER
    ),
    got: Annotated[EngineName, typer.Option(help="The engine that is checked.")] = EngineName.LAVA,
    as_json: JsonOption = False,
) -> None:
    """Compare two engines bit for bit; names the first divergence and exits with 1."""
    output = Output(as_json)
    result = run_compare(run, want, got)
    show(output, result)
    output.result(result)
    if not result["equal"]:
        raise typer.Exit(MISMATCH)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print the verdict."""
    output.say(
        f"{result['want']} and {result['got']}, {result['samples']} samples: "
        f"{result['spikes_different']:,} of {result['spikes_compared']:,} spikes differ, "
        f"{result['states_different']:,} of {result['states_compared']:,} state values differ"
    )
    if result["first"]:
        output.say(f"first divergence: {result['message']}")
    if result["same_network"] is False:
        output.say(
            "the two engines ran different networks (network.nir and network.net differ); "
            "if that is not on purpose, export and simulate again"
        )


def run_compare(folder: Path, want: EngineName, got: EngineName) -> dict[str, Any]:
    """Compare two engines' traces; writes compare.json and returns its content."""
    from arlif.errors import require
    from arlif.run import COMPARE, NIR, Run, outcome, traces
    from export.nir import read_nir
    from hw_sim.compare import compare as compare_simulations
    from hw_sim.traces import read_traces

    require(want != got, f"comparing {want} with itself tells nothing; name another --got")
    require(
        EngineName.FLOAT not in (want, got),
        "the float network is not bit-exact; arlif quantize prints what quantization changed",
    )
    run = Run(folder)
    paths = [run.require_fresh(traces(e)) for e in (want, got)]
    network = read_nir(run.require(NIR))
    comparison = compare_simulations(network, *(read_traces(path) for path in paths))
    networks = [run.read_json(outcome(engine))["network"] for engine in (want, got)]
    result = {
        "want": str(want),
        "got": str(got),
        "equal": comparison.equal,
        "samples": comparison.samples,
        "spikes_compared": comparison.spikes_compared,
        "spikes_different": comparison.spikes_different,
        "states_compared": comparison.states_compared,
        "states_different": comparison.states_different,
        "decisions_different": comparison.decisions_different,
        "same_network": networks[0] == networks[1] if all(networks) else None,
        "first": asdict(comparison.first) if comparison.first else None,
        "message": str(comparison.first) if comparison.first else "",
        "layers": [asdict(layer) for layer in comparison.layers],
    }
    everything = run.read_json(COMPARE) if run.has(COMPARE) else {}
    run.write_json(COMPARE, {**everything, f"{want}-{got}": result})
    return result

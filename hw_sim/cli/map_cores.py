"""arlif map: how many neuromorphic cores a network would need, by published limits."""

from typing import Annotated

import typer

from arlif.base.numerals import percent
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output, RunArgument
from hw_sim.pipeline.defaults import DEFAULT_CORES

HEADS = {
    "neurons": "neurons",
    "synaptic_bits": "memory",
    "input_axons": "inputs",
    "output_axons": "outputs",
}


def map_cores(
    run: RunArgument,
    cores: Annotated[str, typer.Option(help="Which limits: loihi1 or loihi2.")] = DEFAULT_CORES,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Estimate cores, how full they are and the layer that limits; writes nothing."""
    from hw_sim.pipeline import map_run

    output = Output(as_json, as_csv, as_latex)
    result = map_run(run, cores)
    layers = result["layers"]
    resources = list(layers[0]["needs"])
    output.table(
        f"Estimate for {cores}: cores, and how full the fullest core of each layer is (inputs and "
        "outputs: axons)",
        ["layer", "cores", "blocks", "scarcest", *(HEADS[resource] for resource in resources)],
        [
            [
                layer["layer"],
                str(layer["cores"]),
                "x".join(map(str, layer["blocks"])),
                HEADS[layer["limit"]],
                *(percent(layer["utilisation"][resource]) for resource in resources),
            ]
            for layer in layers
        ],
    )
    totals = {layer["layer"]: layer["cores"] for layer in layers}
    most = result["limiting_layer"]
    alone = list(totals.values()).count(totals[most]) == 1
    output.say(
        f"{result['cores']} cores on {result['chips']} chip(s); {most} "
        f"{'takes most' if alone else 'is the fullest of those that take most'}. "
        "An estimate: it gives whole cores to each layer and knows no routing."
    )
    output.say(f"limits: {result['source']}. Assumed: {'; '.join(result['assumptions'])}")
    output.result(result)

"""arlif map: how many neuromorphic cores a network would need, by published limits."""

from typing import Annotated

import typer

from arlif.base.errors import require
from hw_sim.cli.output import JsonOption, Output, RunArgument, percent

HEADS = {
    "neurons": "neurons",
    "synaptic_bits": "memory",
    "input_axons": "inputs",
    "output_axons": "outputs",
}


def map_cores(
    run: RunArgument,
    cores: Annotated[str, typer.Option(help="Which limits: loihi1 or loihi2.")] = "loihi2",
    as_json: JsonOption = False,
) -> None:
    """Estimate cores, how full they are and the layer that limits; writes nothing."""
    from arlif.run_folder import NIR, Run
    from export.nir import read_nir
    from hw_sim.energy.cores import LIMITS, estimate_mapping

    require(cores in LIMITS, f"no core is called {cores!r}; there are {', '.join(LIMITS)}")
    output = Output(as_json)
    mapping = estimate_mapping(read_nir(Run(run).require_fresh(NIR)), LIMITS[cores])
    resources = list(mapping.layers[0].needs)
    output.table(
        f"Estimate for {cores}: cores, and how full the fullest core of each layer is (inputs and "
        "outputs: axons)",
        ["layer", "cores", "blocks", "scarcest", *(HEADS[resource] for resource in resources)],
        [
            [
                layer.layer,
                str(layer.total),
                "x".join(map(str, layer.blocks)),
                HEADS[layer.limit],
                *(percent(layer.shares[resource]) for resource in resources),
            ]
            for layer in mapping.layers
        ],
    )
    largest = mapping.largest
    alone = [layer.total for layer in mapping.layers].count(largest.total) == 1
    output.say(
        f"{mapping.cores} cores on {mapping.chips} chip(s); {largest.layer} "
        f"{'takes most' if alone else 'is the fullest of those that take most'}. "
        "An estimate: it gives whole cores to each layer and knows no routing."
    )
    limits = mapping.limits
    output.say(f"limits: {limits.source}. Assumed: {'; '.join(limits.assumptions)}")
    output.result(
        {
            "limits": cores,
            "source": limits.source,
            "assumptions": list(limits.assumptions),
            "cores": mapping.cores,
            "chips": mapping.chips,
            "limiting_layer": mapping.largest.layer,
            "layers": mapping.rows(),
        }
    )

"""arlif check: can this network become integers? Every mapping rule, before anything is written."""

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import PresetOption, WeightBitsOption
from hw_sim.pipeline.defaults import DEFAULT_BITS, DEFAULT_PRESET


def check(
    run: RunArgument,
    preset: PresetOption = DEFAULT_PRESET,
    weight_bits: WeightBitsOption = DEFAULT_BITS,
    as_json: JsonOption = False,
) -> None:
    """Name all that has no integer counterpart, and why; exits with 1 if there is anything."""
    from arlif.quantize.presets import violations
    from arlif.training import load_trained

    output = Output(as_json)
    module, recipe = load_trained(run)
    linear, found = violations(
        module, recipe.network().input_shape, preset, weight_bits, recipe.time_steps
    )
    for violation in found:
        output.say(violation)
    if linear is not None:
        output.say(
            f"everything maps: {len(linear.populations)} populations, "
            f"{sum(len(p.current.terms) for p in linear.populations)} projections and a readout"
        )
    output.result({"maps": linear is not None, "violations": list(found)})
    if found:
        raise typer.Exit(ExitCode.FOUND)

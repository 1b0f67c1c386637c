"""arlif check: can this network become integers? Every mapping rule, before anything is written."""

from typing import Annotated

import typer

from arlif.cli.output import JsonOption, Output, RunArgument

VIOLATIONS = 1


def check(
    run: RunArgument,
    preset: Annotated[
        str, typer.Option(help="Formats: compact16, loihi24 or as arlif calibrate prints.")
    ] = "compact16",
    weight_bits: Annotated[int, typer.Option(help="Bits per weight, 2 to 8.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Name all that has no integer counterpart, and why; exits with 1 if there is anything."""
    from arlif.cli.numbers import read_numbers
    from arlif.quantize import Precision
    from arlif.quantize import check as check_network
    from arlif.run import MODEL, Run
    from arlif.training import load_trained

    Run(run).require(MODEL)
    output = Output(as_json)
    precision = Precision(read_numbers(preset), weight_bits)
    module, recipe = load_trained(run)
    linear, violations = check_network(
        module, recipe.network().input_shape, precision, recipe.time_steps
    )
    for violation in violations:
        output.say(violation)
    if linear is not None:
        output.say(
            f"everything maps: {len(linear.populations)} populations, "
            f"{sum(len(p.current.terms) for p in linear.populations)} projections and a readout"
        )
    output.result({"maps": linear is not None, "violations": list(violations)})
    if violations:
        raise typer.Exit(VIOLATIONS)

"""arlif check: can this network become integers? Every mapping rule, before anything is written."""

import typer

from arlif.cli.output import JsonOption, Output, RunArgument

VIOLATIONS = 1


def check(run: RunArgument, as_json: JsonOption = False) -> None:
    """Name every layer that has no integer counterpart, and why; exits with 1 if there is one."""
    from arlif.quantize.trace import check as check_network
    from arlif.run import MODEL, Run
    from arlif.training import load_trained

    Run(run).require(MODEL)
    output = Output(as_json)
    module, recipe = load_trained(run)
    linear, violations = check_network(module, recipe.network().input_shape)
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

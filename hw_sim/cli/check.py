"""arlif check: can this network become integers? Every mapping rule, before anything is written."""

import typer

from arlif.base.numerals import counted
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
    from hw_sim.pipeline import check_run

    output = Output(as_json)
    result = check_run(run, preset, weight_bits)
    for violation in result["violations"]:
        output.say(violation)
    if result["maps"]:
        output.say(
            f"everything maps: {counted(result['populations'], 'population')}, "
            f"{counted(result['projections'], 'projection')} and a readout"
        )
    output.result({name: result[name] for name in ("maps", "violations")})
    if result["violations"]:
        raise typer.Exit(ExitCode.FOUND)

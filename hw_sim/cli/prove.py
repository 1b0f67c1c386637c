"""arlif prove: is the printed hardware of a neuron its specification, whatever comes in?"""

from typing import Annotated, Any

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.pipeline.defaults import PROVEN_CELLS


def prove(
    run: RunArgument,
    cells: Annotated[
        int, typer.Option(min=1, help="So many cells of the tables, spread evenly.")
    ] = PROVEN_CELLS,
    as_json: JsonOption = False,
) -> None:
    """Prove every neuron's Verilog equal to the specification; exits with 1 where it is not."""
    from hw_sim.pipeline import prove_run

    output = Output(as_json)
    with output.progress("proving"):
        result = prove_run(run, cells)
    for row in result["populations"]:
        output.say(_verdict(row))
    output.result(result)
    if not result["proven"]:
        raise typer.Exit(ExitCode.FOUND)


def _verdict(row: dict[str, Any]) -> str:
    states = ", ".join(f"{name} in {ends}" for name, ends in row["states"].items())
    where = f"x in {row['x']}, {states}"
    if row["difference"]:
        values = ", ".join(f"{name} = {value}" for name, value in row["difference"].items())
        return f"{row['population']} ({row['neuron']}): its Verilog differs at {values}"
    part = "for every input"
    if row["cells_asked"] < row["cells"]:
        part = f"in {row['cells_asked']} of {row['cells']} cells of the tables"
    return f"{row['population']} ({row['neuron']}): its Verilog is the step {part}: {where}"

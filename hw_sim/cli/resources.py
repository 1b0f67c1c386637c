"""arlif resources: what a network takes of a microcontroller or an FPGA, and whether it fits."""

from typing import Annotated, Any

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.pipeline.defaults import DEFAULT_TARGETS


def resources(
    run: RunArgument,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="A device, as stm32f411re or ice40-hx8k; again for more. By default "
            f"microcontrollers where c/ was exported, {DEFAULT_TARGETS[0]} where verilog/ was."
        ),
    ] = None,
    place: Annotated[
        bool, typer.Option("--place", help="FPGA: also place and route, for the clock.")
    ] = False,
    beside_lif: Annotated[
        bool, typer.Option("--lif", help="Also the same network with LIF neurons, beside it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what the exported C or Verilog takes; exits with 1 where it does not fit.

    Writes resources.json, which the report shows.
    """
    from hw_sim.pipeline import resources_run

    output = Output(as_json)
    with output.progress("targets") as update:
        result = resources_run(run, target or (), place, beside_lif, update)
    rows = result["targets"]
    _table(output, "Microcontrollers: bytes, zig cc -Os", [r for r in rows if "stack" in r])
    _table(output, "Used of available, as yosys counts cells", [r for r in rows if "mhz" in r])
    for row in rows:
        if row["cure"]:
            output.say(f"{row['target']}: {row['cure']}")
    for name, cure in result["not_installed"].items():
        output.say(f"{name}: not measured; its tool is installed with: {cure}")
    output.result(result)
    if not result["fits"]:
        raise typer.Exit(ExitCode.FOUND)


def _table(output: Output, title: str, rows: list[dict[str, Any]]) -> None:
    """One table of rows of one kind."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row["used"]))
    output.table(
        title,
        ["target", "neurons", *names, "MHz" if "mhz" in rows[0] else "instructions", "fits"],
        [
            [
                row["target"],
                row["neurons"],
                *(_share(row, name) for name in names),
                _speed(row),
                "yes" if row["fits"] else "no",
            ]
            for row in rows
        ],
    )


def _share(row: dict[str, Any], name: str) -> str:
    if name not in row["used"]:
        return ""
    return f"{row['used'][name]:,} / {row['available'][name]:,}"


def _speed(row: dict[str, Any]) -> str:
    if "mhz" in row:
        return f"{row['mhz']:.1f}" if row["mhz"] else ""
    return f"{row['instructions']['mean']:,.0f}" if row["instructions"] else "not run"

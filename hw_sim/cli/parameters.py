"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Where datasets lie; default ARLIF_DATA.")
]
PresetOption = Annotated[
    str,
    typer.Option(help="Formats: compact16, loihi24, stock-lava or as arlif calibrate prints."),
]
WeightBitsOption = Annotated[int, typer.Option(help="Bits per weight, 2 to 8.")]
ChangeOption = Annotated[
    list[str] | None, typer.Option("--set", help="Replace a value of the recipe: key=value.")
]

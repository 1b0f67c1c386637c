"""Options that several verbs share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arlif.data.own import OwnData

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Where datasets lie; default ARLIF_DATA.")
]
InputsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="SOURCE",
        help="Your own data: .npy or .npz, [1 or T, N, *shape], a folder, or FILE.py:FUNCTION "
        "that returns a torch Dataset.",
    ),
]
LabelsOption = Annotated[
    Path | None, typer.Option(help="Their labels, .npy [N], where they have none themselves.")
]
PresetOption = Annotated[
    str,
    typer.Option(help="Formats: compact16, loihi24, stock-lava or as arlif calibrate prints."),
]
WeightBitsOption = Annotated[int, typer.Option(help="Bits per weight, 2 to 8.")]
ChosenPresetOption = Annotated[
    str | None,
    typer.Option(
        help="Formats: compact16, loihi24, stock-lava or as arlif calibrate prints; default "
        "compact16, of an imported network wider where a layer needs it."
    ),
]
ChosenBitsOption = Annotated[
    int | None,
    typer.Option(
        help="Bits per weight, 2 to 8; default 8, of an imported network in two parts where a "
        "layer needs it."
    ),
]
ChangeOption = Annotated[
    list[str] | None, typer.Option("--set", help="Replace a value of the recipe: key=value.")
]


def own_data(
    inputs: Path | None, labels: Path | None, data_folder: Path | None = None
) -> "OwnData | None":
    """The user's own data; None where the run's are asked for. Raises ArlifError."""
    from hw_sim.pipeline import Selection

    return Selection(None, data_folder, inputs, labels).own

"""arlif data: datasets, where they come from, whether they are what was published."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output
from hw_sim.cli.parameters import DataOption

if TYPE_CHECKING:
    from arlif.data import DatasetInfo
    from arlif.data.store import FileState

MANY = 20
"""Beyond so many files only the wrong ones are listed."""

app = typer.Typer(help="List, get and check datasets.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A dataset's name.")]


@app.command("list")
def list_datasets(data_folder: DataOption = None, as_json: JsonOption = False) -> None:
    """List every dataset, and how many samples of it are here."""
    from arlif import data

    output = Output(as_json)
    infos = [data.describe(name) for name in data.names()]
    here = [_here(info, data_folder) for info in infos]
    rows = [
        [
            info.name,
            "images" if info.static else "recordings",
            " x ".join(str(size) for size in info.shape),
            str(len(info.classes)),
            found if isinstance(found, str) else info.share(*found),
            info.licence,
        ]
        for info, found in zip(infos, here, strict=True)
    ]
    output.table("Datasets", ["name", "kind", "shape", "classes", "here", "licence"], rows)
    output.result(
        [
            {
                "name": info.name,
                "static": info.static,
                "shape": info.shape,
                "classes": info.classes,
                "licence": info.licence,
                "samples": info.samples,
                "here": found or None,
            }
            for info, found in zip(infos, here, strict=True)
        ]
    )


@app.command("get")
def get(name: NameArgument, data_folder: DataOption = None, as_json: JsonOption = False) -> None:
    """Get a dataset's files; an interrupted download continues."""
    from arlif import data

    output = Output(as_json)
    info = data.describe(name)
    output.say(f"{name}: {info.licence}")
    told: list[str] = []

    def say(message: str) -> None:
        told.append(message)
        output.say(message)

    with output.progress(name) as update:
        place = data.get(name, data_folder, lambda what, done, total: update(done, total), say)
    output.say(f"{name} is ready in {place}")
    output.result({"name": name, "folder": str(place), "licence": info.licence, "sources": told})


@app.command("check")
def check(name: NameArgument, data_folder: DataOption = None, as_json: JsonOption = False) -> None:
    """Compare a dataset's files with their checksums; exits with 2 where one is wrong.

    Files without a known checksum must be there and, for most datasets, open.
    """
    from arlif import data

    output = Output(as_json)
    states = data.check(name, data_folder)
    wrong = [state for state in states if state.wrong]
    shown = states if len(states) <= MANY else wrong
    if shown:
        output.table("Files", ["file", "state"], [[s.file, _state(s)] for s in shown])
    output.say(f"{len(states):,} files, {len(wrong):,} wrong")
    if wrong:
        info = data.describe(name)
        place = ["--data", str(data_folder)] if data_folder else []
        cure = shlex.join(["arlif", "data", "get", name, *place])
        output.say(info.by_hand or f"get what is missing or damaged with: {cure}")
    if unknown := [state for state in states if not state.wrong and not state.verified]:
        cure = f"; arlif data get {name} fetches them anew and notes it"
        output.say(
            f"{len(unknown):,} without a known checksum: what is in them was not compared"
            + ("" if data.describe(name).by_hand else cure)
        )
    if not wrong and (found := data.count(name, data_folder)):
        output.say(data.describe(name).share(*found))
    output.result([asdict(state) for state in states])
    if wrong:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _state(state: "FileState") -> str:
    return state.wrong or ("good" if state.verified else "there, not compared")


def _here(info: "DatasetInfo", data_folder: Path | None) -> tuple[int, int] | str:
    """The samples that are here; words where there are none or the files are damaged."""
    from arlif import data
    from arlif.base.errors import ArlifError

    try:
        return data.count(info.name, data_folder) or ""
    except ArlifError:
        return f"damaged; see arlif data check {info.name}"

"""arlif data: datasets, where they come from, whether they are what was published."""

from pathlib import Path
from typing import Annotated

import typer

from arlif.cli.output import JsonOption, Output

app = typer.Typer(help="List, get and check datasets.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A dataset's name.")]
FolderOption = Annotated[
    Path | None, typer.Option("--data", help="Where datasets lie; default ARLIF_DATA.")
]


@app.command("list")
def list_datasets(as_json: JsonOption = False) -> None:
    """List every dataset."""
    from arlif import data

    output = Output(as_json)
    infos = [data.describe(name) for name in data.names()]
    rows = [
        [
            info.name,
            "images" if info.static else "events",
            " x ".join(str(size) for size in info.shape),
            str(len(info.classes)),
            info.licence,
        ]
        for info in infos
    ]
    output.table("Datasets", ["name", "kind", "shape", "classes", "licence"], rows)
    output.result(
        [
            {
                "name": info.name,
                "static": info.static,
                "shape": info.shape,
                "classes": info.classes,
                "licence": info.licence,
            }
            for info in infos
        ]
    )


@app.command("get")
def get(name: NameArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Get a dataset's files; an interrupted download continues."""
    from arlif import data

    output = Output(as_json)
    info = data.describe(name)
    output.say(f"{name}: {info.licence}")
    with output.progress(name) as update:
        place = data.get(name, folder, lambda what, done, total: update(done, total))
    output.say(f"{name} is ready in {place}")
    output.result({"name": name, "folder": str(place), "licence": info.licence})


@app.command("check")
def check(name: NameArgument, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Compare a dataset's files with their checksums; exits with 2 where one is wrong."""
    from arlif import data

    output = Output(as_json)
    states = data.check(name, folder)
    output.table("Files", ["file", "state"], [[s.file, s.wrong or "good"] for s in states])
    output.result([{"file": s.file, "wrong": s.wrong} for s in states])
    if any(state.wrong for state in states):
        raise typer.Exit(2)

"""What a file of a run holds, as a dataclass that checks it."""

from typing import Any, TypeVar

from arlif.artifacts import Artifact
from arlif.base.errors import ArlifError, FormatError
from arlif.base.plain_data import from_mapping
from arlif.run_folder import Run

T = TypeVar("T")


def checked(run: Run, kind: type[T], content: dict[str, Any], artifact: Artifact) -> T:
    """The content of an artifact as a dataclass.

    Raises FormatError naming every field that it lacks or that holds another kind of value.
    """
    try:
        return from_mapping(kind, content, str(run.path(artifact)))
    except ArlifError as error:
        raise FormatError(
            f"{error}: it was written by another version of arlif or by hand; write it again with: "
            f"{run.command(artifact)}"
        ) from None


def read_checked(
    run: Run, kind: type[Any], artifact: Artifact, earlier: bool = False
) -> dict[str, Any]:
    """An artifact that `checked` takes for this dataclass, with what it holds besides.

    earlier: see Run.read_object.
    """
    content = run.read_object(artifact, earlier)
    checked(run, kind, content, artifact)
    return content

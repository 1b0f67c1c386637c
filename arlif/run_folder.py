"""The run directory: one folder that carries a model from training to its report."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from arlif.artifacts import (
    BEGINNINGS,
    CONFIG,
    IMPORT,
    IMPORTED_VERBS,
    MODEL,
    NEURON,
    NIR,
    TRAIN,
    Artifact,
)
from arlif.base.digests import (
    Digests,
    Entry,
    Trouble,
    combined,
    digests_of,
    read_digests,
    write_digests,
)
from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import json_text, read_json, write_text
from arlif.base.lock import only_writer

Others = ParamSpec("Others")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """Every verb reads earlier files of a run and writes only its own."""

    folder: Path

    def path(self, artifact: Artifact) -> Path:
        """Where an artifact is or will be."""
        return self.folder / artifact.name

    def has(self, artifact: Artifact) -> bool:
        """Whether the artifact has been written."""
        return self.path(artifact).is_file()

    @property
    def imported(self) -> bool:
        """Whether its network came from elsewhere: it has no recipe and no test split."""
        return self.has(NIR) and not self.has(CONFIG)

    def standing(self, artifact: Artifact) -> Artifact:
        """What a run has in an artifact's place: import.json for model.pt, where it is imported."""
        real = artifact == MODEL and self.has(IMPORT) and not self.has(CONFIG)
        return IMPORT if real else artifact

    def require(self, artifact: Artifact) -> Path:
        """The path of an artifact that must exist, whole and made from what the run holds now.

        Of an imported network, what stands in the artifact's place. ArlifError names the first file
        that is missing, was made from another one or is damaged, and the verb that writes it.
        """
        artifact = self.standing(artifact)
        require(
            any(map(self.has, (CONFIG, IMPORT, NIR, MODEL))),
            f"there is no run {'in ' if self.folder.is_dir() else ''}{self.folder}; arlif import "
            f"brings a network of yours, {self.line(TRAIN)} trains one",
        )
        absent = self.imported and not self.has(artifact)
        require(
            not (absent and artifact in (MODEL, IMPORT)),
            f"{self.folder} holds an imported network of integers, which has no float network; "
            "import it from real numbers (a NIR graph, FILE.py:FUNCTION), or use what it has: "
            f"{', '.join(IMPORTED_VERBS)}",
        )
        require(
            not (absent and self.standing(artifact.made_from or artifact).verb == TRAIN),
            f"{self.folder} holds an imported network, which has no {artifact.name}; train a run "
            "of your own in another folder",
        )
        require(
            self.has(artifact),
            f"{self.folder} has no {artifact.name}; write it with: {self.command(artifact)}",
        )
        if trouble := self._trouble(artifact):
            raise self._refusal(trouble)
        return self.path(artifact)

    def is_fresh(self, artifact: Artifact) -> bool:
        """Whether an artifact exists, is whole and was made from what the run holds now."""
        artifact = self.standing(artifact)
        return self.has(artifact) and not self._trouble(artifact)

    def is_current(self, artifact: Artifact) -> bool:
        """As is_fresh, for what is shown and not made again; FormatError where it is damaged."""
        self.require_whole(self.standing(artifact))
        return self.is_fresh(artifact)

    def require_whole(self, *artifacts: Artifact) -> None:
        """Raise FormatError where one of these is there and damaged, or what it was made from."""
        for artifact in filter(self.has, artifacts):
            trouble = self._trouble(artifact)
            if trouble and trouble.damaged:
                raise self._refusal(trouble)

    def record(
        self, *artifacts: Artifact, made_from: Sequence[Artifact] = (), beside: Sequence[str] = ()
    ) -> None:
        """Note what artifacts hold and were made from, after all of them were written.

        made_from: what their verb read; by default what they say themselves. beside: files that
        belong to them, by name within the run. A run without notes, of an earlier arlif, gets them
        for all that its training or import left.
        """
        entries = read_digests(self.folder) or {
            a.name: Entry(a.verb, digests_of(self.folder, [a.name]), {})
            for a in (*BEGINNINGS, NIR)
            if self.has(a) and self._begins_with(a)
        }
        entries = {name: entry for name, entry in entries.items() if (self.folder / name).is_file()}
        noted = Digests(self.folder, entries)
        for artifact in artifacts:
            direct = made_from or ([artifact.made_from] if artifact.made_from else [])
            sources = [s.name for s in map(self.standing, direct) if s.name in entries]
            made = {name: noted.current(name) for name in sources}
            files = digests_of(self.folder, (artifact.name, *beside))
            entries[artifact.name] = Entry(artifact.verb, files, made, artifact.editable)
        write_digests(self.folder, entries)

    def edited(self, artifact: Artifact) -> bool:
        """Whether an artifact's files are no longer as their verb wrote them."""
        noted = Digests(self.folder, read_digests(self.folder) or {})
        entry = noted.entries.get(artifact.name)
        return entry is not None and noted.now(artifact.name) != entry.digest

    def _begins_with(self, artifact: Artifact) -> bool:
        """Whether nothing in the run comes before an artifact."""
        return artifact.begins or (artifact == NIR and self.imported and not self.has(IMPORT))

    def _trouble(self, artifact: Artifact) -> Trouble | None:
        """What is wrong with an artifact that is there."""
        entries = read_digests(self.folder)
        if entries is not None:
            return Digests(self.folder, entries).trouble(artifact.name, artifact.verb)
        reason = "is of an earlier arlif, which did not note what it was made from"
        old = Trouble(artifact.name, artifact.verb, reason)
        return None if self._begins_with(artifact) else old

    def _refusal(self, trouble: Trouble) -> ArlifError:
        wrong = Artifact(trouble.name, trouble.verb)
        kind = FormatError if trouble.damaged else ArlifError
        return kind(
            f"{self.path(wrong)} {trouble.reason}; write it again with: {self.command(wrong)}"
        )

    def command(self, artifact: Artifact) -> str:
        """The command that writes an artifact of this run."""
        verb, *options = artifact.verb.split(" ")
        if verb == TRAIN and self.has(CONFIG):
            options.append("--overwrite" if artifact in (CONFIG, NEURON) else "--resume")
        if verb in ("simulate", "sweep") and self.imported:
            options += ["--inputs", "FILE.npy", *["--labels", "FILE.npy"] * (verb == "sweep")]
        if verb == "import":
            return shlex.join(["arlif", verb, *options, str(self.folder)])
        return self.line(verb, *options)

    def line(self, verb: str, *options: str) -> str:
        """A verb on this run, as a shell takes it."""
        return shlex.join(["arlif", verb, str(self.folder), *options])

    def digest(self, artifact: Artifact) -> str:
        """A digest of an artifact's bytes: another one, where its verb has been run again."""
        self.require(artifact)
        return combined(digests_of(self.folder, [artifact.name]))[:16]

    def read_json(self, artifact: Artifact, earlier: bool = False) -> Any:
        """The content of a JSON artifact; ArlifError where it is missing or damaged.

        earlier: also where it was made from files that the run holds no more.
        """
        known = earlier and self.has(artifact) and not self.edited(artifact)
        path = self.path(artifact) if known else self.require(artifact)
        try:
            return read_json(path)
        except (OSError, ValueError) as error:
            raise ArlifError(
                f"{path} is not readable JSON ({error}); write it again: {self.command(artifact)}"
            ) from None

    def read_object(self, artifact: Artifact, earlier: bool = False) -> dict[str, Any]:
        """As read_json, of an artifact that is an object; FormatError where it is anything else."""
        content = self.read_json(artifact, earlier)
        if not isinstance(content, dict):
            raise FormatError(
                f"{self.path(artifact)} holds no JSON object; write it again with: "
                f"{self.command(artifact)}"
            )
        return content

    def write_json(self, artifact: Artifact, content: Any) -> Path:
        """Write a JSON artifact atomically."""
        write_text(self.path(artifact), json_text(content) + "\n")
        return self.path(artifact)


Stage = Callable[Concatenate[Path, Others], Result]
"""What a verb does: a function of a run's folder, and of others."""


def writes(verb: str) -> Callable[[Stage[Others, Result]], Stage[Others, Result]]:
    """Decorates a stage that writes into a run: while it works, no other process may.

    verb: what others are told. A folder that is missing is left to the stage, which refuses it.
    """

    def decorate(stage: Stage[Others, Result]) -> Stage[Others, Result]:
        @wraps(stage)
        def held(folder: Path, /, *args: Others.args, **others: Others.kwargs) -> Result:
            if not folder.is_dir():
                return stage(folder, *args, **others)
            with only_writer(folder, verb):
                return stage(folder, *args, **others)

        return held

    return decorate

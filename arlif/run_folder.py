"""The run directory: one folder that carries a model from training to its report."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from arlif.base.errors import ArlifError, require
from arlif.base.files import json_text, write_text
from arlif.base.lock import only_writer

Others = ParamSpec("Others")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Artifact:
    """A file of a run directory, the verb that writes it, and the file that the verb makes it from.

    made_from: None where the verb reads no earlier file whose change would leave this one behind.
    """

    name: str
    verb: str
    made_from: "Artifact | None" = None

    @property
    def trained(self) -> bool:
        """Whether it comes from training, without a quantized network between."""
        return (self.made_from or self).verb == TRAIN


TRAIN = "train"
CONFIG = Artifact("config.json", TRAIN)
NEURON = Artifact("neuron.py", TRAIN)
"""Of a neuron of the user's own: a copy of its file, which is run wherever the run is used."""
MODEL = Artifact("model.pt", TRAIN)
TRAINING = Artifact("training.json", TRAIN)
METRICS = Artifact("metrics.csv", TRAIN)
CONFUSION = Artifact("confusion.csv", TRAIN)
BEST = Artifact("checkpoints/best.ckpt", TRAIN)
LAST = Artifact("checkpoints/last.ckpt", TRAIN)
IMPORT = Artifact("import.json", "import FILE")
"""Of a real-valued network from elsewhere: what builds it again, in place of model.pt."""
GRAPH = Artifact("imported.nir", "import FILE")
"""A copy of the NIR graph that was imported."""
WEIGHTS = Artifact("imported.pt", "import FILE")
"""The weights of a network that a file of the user's builds."""
NIR = Artifact("network.nir", "quantize", MODEL)
QUANTIZE = Artifact("quantize.json", "quantize", MODEL)
COMPARE = Artifact("compare.json", "compare")
ENERGY = Artifact("energy.json", "energy")
ENERGY_CSV = Artifact("energy.csv", "energy")
SWEEP = Artifact("sweep.json", "sweep", MODEL)
REPORT_HTML = Artifact("report.html", "report")
REPORT_JSON = Artifact("report.json", "report")

IMPORTED_VERBS = (
    "export",
    "simulate",
    "evaluate",
    "compare",
    "energy",
    "map",
    "prove",
    "resources",
    "vectors",
    "report",
    "verify",
)
"""What an imported network of integers has: all that needs no float network."""

SNAPSHOTS = "crosscheck"
"""The folder of what cross-checks still need; it is gone when they have ended."""


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
        """The path of an artifact that must exist; ArlifError names the verb that writes it.

        Of an imported network, what stands in the artifact's place.
        """
        artifact = self.standing(artifact)
        require(
            self.folder.is_dir(),
            f"there is no run {self.folder}; start one with: {self.line(TRAIN)}",
        )
        absent = self.imported and not self.has(artifact)
        require(
            not (absent and artifact in (MODEL, IMPORT)),
            f"{self.folder} holds an imported network of integers, which has no float network; "
            "import it from real numbers (a NIR graph, FILE.py:FUNCTION), or use what it has: "
            f"{', '.join(IMPORTED_VERBS)}",
        )
        require(
            not (absent and artifact.trained),
            f"{self.folder} holds an imported network, which has no {artifact.name}; train a run "
            "of your own in another folder",
        )
        require(
            self.has(artifact),
            f"{self.folder} has no {artifact.name}; write it with: {self.command(artifact)}",
        )
        return self.path(artifact)

    def is_fresh(self, artifact: Artifact) -> bool:
        """Whether an artifact and all that it was made from exist, each newer than its source."""
        return self._outdated(artifact) is None

    def require_fresh(self, artifact: Artifact) -> Path:
        """The path of an artifact that must exist and belong to what it was made from."""
        path = self.require(artifact)
        if outdated := self._outdated(artifact):
            self.require(outdated)
            raise ArlifError(
                f"{self.path(outdated)} is older than what it is made from; write it again with: "
                f"{self.command(outdated)}"
            )
        return path

    def _outdated(self, artifact: Artifact) -> Artifact | None:
        """The first file, from the model on, that is missing or older than what it was made from.

        An imported network of integers is where its run begins.
        """
        artifact = self.standing(artifact)
        if not self.has(artifact):
            return artifact
        if artifact.made_from is None:
            return None
        source = self.standing(artifact.made_from)
        if artifact == NIR and self.imported and source == MODEL:
            return None
        if outdated := self._outdated(source):
            return outdated
        older = self.path(artifact).stat().st_mtime_ns < self.path(source).stat().st_mtime_ns
        return artifact if older else None

    def command(self, artifact: Artifact) -> str:
        """The command that writes an artifact of this run."""
        verb, *options = artifact.verb.split(" ")
        if verb == TRAIN and self.has(CONFIG):
            options.append("--resume")
        if verb == "simulate" and self.imported:
            options += ["--inputs", "FILE.npy"]
        if verb == "import":
            return shlex.join(["arlif", verb, *options, str(self.folder)])
        return self.line(verb, *options)

    def line(self, verb: str, *options: str) -> str:
        """A verb on this run, as a shell takes it."""
        return shlex.join(["arlif", verb, str(self.folder), *options])

    def digest(self, artifact: Artifact) -> str:
        """A digest of an artifact's bytes: another one, where its verb has been run again."""
        return sha256(self.require(artifact).read_bytes()).hexdigest()[:16]

    def read_json(self, artifact: Artifact) -> Any:
        """The content of a JSON artifact; ArlifError where it is missing or damaged."""
        path = self.require(artifact)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ArlifError(
                f"{path} is not readable JSON ({error}); write it again: {self.command(artifact)}"
            ) from None

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

"""The run directory: one folder that carries a model from training to its report."""

import json
import shlex
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from arlif.base.errors import ArlifError, require
from arlif.base.files import json_text, write_text


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
NIR = Artifact("network.nir", "quantize", MODEL)
QUANTIZE = Artifact("quantize.json", "quantize", MODEL)
COMPARE = Artifact("compare.json", "compare")
ENERGY = Artifact("energy.json", "energy")
ENERGY_CSV = Artifact("energy.csv", "energy")
SWEEP = Artifact("sweep.json", "sweep", MODEL)
REPORT_HTML = Artifact("report.html", "report")
REPORT_JSON = Artifact("report.json", "report")

IMPORTED_VERBS = ("export", "simulate", "compare", "energy", "map", "report")
"""What an imported network has: all that needs neither a recipe nor a trained model."""

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
        """Whether its network came from another tool: it has no recipe, no model, no test split."""
        return self.has(NIR) and not self.has(CONFIG)

    def require(self, artifact: Artifact) -> Path:
        """The path of an artifact that must exist; ArlifError names the verb that writes it."""
        require(
            self.folder.is_dir(),
            f"there is no run {self.folder}; start one with: {self.line(TRAIN)}",
        )
        require(
            self.has(artifact) or not (self.imported and artifact.trained),
            f"{self.folder} holds an imported network, which has no {artifact.name}; train a run "
            f"of your own in another folder, or use what it has: {', '.join(IMPORTED_VERBS)}",
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

        An imported network is where its run begins.
        """
        source = artifact.made_from
        if not self.has(artifact):
            return artifact
        if source is None or (artifact is NIR and self.imported):
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

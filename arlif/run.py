"""The run directory: one folder that carries a model from training to its report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arlif.errors import ArlifError
from arlif.files import write_text


@dataclass(frozen=True)
class Artifact:
    """A file of a run directory, the verb that writes it, and the file that the verb makes it from.

    made_from: None where the verb reads no earlier file whose change would leave this one behind.
    """

    name: str
    verb: str
    made_from: "Artifact | None" = None


CONFIG = Artifact("config.json", "train")
MODEL = Artifact("model.pt", "train")
TRAINING = Artifact("training.json", "train")
METRICS = Artifact("metrics.csv", "train")
BEST = Artifact("checkpoints/best.ckpt", "train")
LAST = Artifact("checkpoints/last.ckpt", "train")
NIR = Artifact("network.nir", "quantize", MODEL)
QUANTIZE = Artifact("quantize.json", "quantize", MODEL)
NET = Artifact("network.net", "export", NIR)
ONNX = Artifact("network.onnx", "export", NIR)
LIF_NIR = Artifact("lif.nir", "export --lif", MODEL)
FLOAT_ONNX = Artifact("float.onnx", "export --float", MODEL)
COMPARE = Artifact("compare.json", "compare")
ENERGY = Artifact("energy.json", "energy")
ENERGY_CSV = Artifact("energy.csv", "energy")
SWEEP = Artifact("sweep.json", "sweep", MODEL)
REPORT_HTML = Artifact("report.html", "report")
REPORT_JSON = Artifact("report.json", "report")


ENGINE_INPUT = {"float": MODEL, "integer": NIR, "lava": NET, "onnx": ONNX}
"""The artifact that each engine runs: what is shipped is what is simulated."""


def traces(engine: str) -> Artifact:
    """The readouts, spike counts and traces that an engine wrote."""
    return Artifact(f"traces/{engine}.h5", f"simulate --engine {engine}", ENGINE_INPUT[engine])


def outcome(engine: str) -> Artifact:
    """The figures of an engine's run."""
    return Artifact(f"traces/{engine}.json", f"simulate --engine {engine}", ENGINE_INPUT[engine])


def counted(engine: str) -> Artifact:
    """energy.json where it counts what this engine did."""
    return Artifact(ENERGY.name, f"energy --engine {engine}", traces(engine))


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

    def require(self, artifact: Artifact) -> Path:
        """The path of an artifact that must exist; ArlifError names the verb that writes it."""
        if not self.folder.is_dir():
            raise ArlifError(
                f"there is no run {self.folder}; start one with: arlif train {self.folder}"
            )
        if not self.has(artifact):
            raise ArlifError(
                f"{self.folder} has no {artifact.name}; write it with: {self.command(artifact)}"
            )
        return self.path(artifact)

    def is_fresh(self, artifact: Artifact) -> bool:
        """Whether an artifact exists and nothing that it was made from is newer."""
        return self.has(artifact) and self._outdated(artifact) is None

    def require_fresh(self, artifact: Artifact) -> Path:
        """The path of an artifact that must exist and belong to what it was made from."""
        path = self.require(artifact)
        if outdated := self._outdated(artifact):
            raise ArlifError(
                f"{self.path(outdated)} is older than what it is made from; write it again with: "
                f"{self.command(outdated)}"
            )
        return path

    def _outdated(self, artifact: Artifact) -> Artifact | None:
        """The first file, from the model on, that is older than what it was made from."""
        source = artifact.made_from
        if source is None or not self.has(source):
            return None
        older = self.path(artifact).stat().st_mtime_ns < self.path(source).stat().st_mtime_ns
        return self._outdated(source) or (artifact if older else None)

    def command(self, artifact: Artifact) -> str:
        """The command that writes an artifact of this run."""
        verb, *options = artifact.verb.split(" ")
        return " ".join(["arlif", verb, str(self.folder), *options])

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
        write_text(self.path(artifact), json.dumps(content, indent=2) + "\n")
        return self.path(artifact)

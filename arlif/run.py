"""The run directory: one folder that carries a model from training to its report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arlif.errors import ArlifError
from arlif.files import write_text


@dataclass(frozen=True)
class Artifact:
    """A file of a run directory and the verb that writes it."""

    name: str
    verb: str


CONFIG = Artifact("config.json", "train")
MODEL = Artifact("model.pt", "train")
TRAINING = Artifact("training.json", "train")
NIR = Artifact("network.nir", "quantize")
QUANTIZE = Artifact("quantize.json", "quantize")
NET = Artifact("network.net", "export")
ONNX = Artifact("network.onnx", "export")
LIF_NIR = Artifact("lif.nir", "export --lif")
FLOAT_ONNX = Artifact("float.onnx", "export --float")
COMPARE = Artifact("compare.json", "compare")
ENERGY = Artifact("energy.json", "energy")
ENERGY_CSV = Artifact("energy.csv", "energy")
SWEEP = Artifact("sweep.json", "sweep")
REPORT_HTML = Artifact("report.html", "report")
REPORT_JSON = Artifact("report.json", "report")


ENGINE_INPUT = {"float": MODEL, "integer": NIR, "lava": NET, "onnx": ONNX}
"""The artifact that each engine runs: what is shipped is what is simulated."""


def traces(engine: str) -> Artifact:
    """The readouts, spike counts and traces that an engine wrote."""
    return Artifact(f"traces/{engine}.h5", f"simulate --engine {engine}")


def outcome(engine: str) -> Artifact:
    """The figures of an engine's run."""
    return Artifact(f"traces/{engine}.json", f"simulate --engine {engine}")


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

    def is_fresh(self, artifact: Artifact, source: Artifact) -> bool:
        """Whether an artifact exists and is not older than what it was made from."""
        return self.has(artifact) and not (
            self.has(source)
            and self.path(artifact).stat().st_mtime_ns < self.path(source).stat().st_mtime_ns
        )

    def require_fresh(self, artifact: Artifact, source: Artifact) -> Path:
        """The path of an artifact that must exist and belong to its source as it is now."""
        path = self.require(artifact)
        if not self.is_fresh(artifact, source):
            raise ArlifError(
                f"{path} is older than {source.name}; write it again with: {self.command(artifact)}"
            )
        return path

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

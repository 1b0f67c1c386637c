"""Which samples a stage works on: the run's test split, or a user's own files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlif.base.errors import require
from arlif.run_folder import CONFIG, NIR, Run

if TYPE_CHECKING:
    from hw_sim.pipeline.samples import Samples


@dataclass(frozen=True)
class Source:
    """The first `limit` samples of the test split, or of .npy files; None takes all."""

    limit: int | None = None
    data_folder: Path | None = None
    inputs: Path | None = None
    labels: Path | None = None

    def __post_init__(self) -> None:
        require(
            self.labels is None or self.inputs is not None,
            f"labels {self.labels} belong to inputs of your own; give --inputs too",
        )
        require(
            self.inputs is None or self.data_folder is None,
            f"inputs {self.inputs} need no dataset; give --inputs or --data, not both",
        )

    def load(self, run: Run) -> tuple["Samples", int]:
        """The samples and T, from the run's recipe or for an imported network from its file."""
        from arlif.training import read_recipe
        from export.nir import read_nir
        from hw_sim.pipeline.samples import load_samples, read_samples

        trained = run.has(CONFIG)
        require(
            trained or self.inputs is not None,
            f"{run.folder} was not trained here, so there is no test split; give --inputs FILE.npy",
        )
        recipe = read_recipe(run.folder) if trained else None
        time_steps = recipe.time_steps if recipe else read_nir(run.require(NIR)).time_steps
        if recipe and self.inputs is None:
            return load_samples(recipe, self.data_folder, self.limit), time_steps
        assert self.inputs is not None
        return read_samples(self.inputs, self.labels, self.limit), time_steps

    def to_json(self) -> dict[str, Any]:
        """The source as plain data; paths are made absolute, so that other verbs find them."""
        paths = {"data_folder": self.data_folder, "inputs": self.inputs, "labels": self.labels}
        return {"limit": self.limit} | {
            name: None if path is None else str(path.resolve()) for name, path in paths.items()
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Source":
        """What to_json wrote."""
        names = ("data_folder", "inputs", "labels")
        paths = [Path(content[name]) if content.get(name) else None for name in names]
        return cls(content.get("limit"), *paths)

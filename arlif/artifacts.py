"""The files of a run, the verb that writes each, and the file that it is made from."""

from dataclasses import dataclass

TRAIN = "train"


@dataclass(frozen=True)
class Artifact:
    """A file of a run directory, the verb that writes it, and the file that the verb makes it from.

    made_from: None where the verb reads no earlier file whose change would leave this one behind.
    editable: whether a user may change it by hand, and it is still run: sources that were printed.
    """

    name: str
    verb: str
    made_from: "Artifact | None" = None
    editable: bool = False

    @property
    def trained(self) -> bool:
        """Whether it comes from training, without a quantized network between."""
        return (self.made_from or self).verb == TRAIN

    @property
    def begins(self) -> bool:
        """Whether a training or an import writes it: nothing in the run comes before it."""
        return self.verb.split(" ")[0] in (TRAIN, "import")


CONFIG = Artifact("config.json", TRAIN)
NEURON = Artifact("neuron.py", TRAIN)
"""Of a neuron of the user's own: a copy of its file, which is run wherever the run is used."""
MODEL = Artifact("model.pt", TRAIN)
TRAINING = Artifact("training.json", TRAIN)
METRICS = Artifact("metrics.csv", TRAIN)
CONFUSION = Artifact("confusion.csv", TRAIN)
CROSSCHECK = Artifact("crosscheck.json", "train --cross-check 5", CONFIG)
"""The list of checks of a training run."""
BEST = Artifact("checkpoints/best.ckpt", TRAIN)
LAST = Artifact("checkpoints/last.ckpt", TRAIN)
IMPORT = Artifact("import.json", "import FILE")
"""Of a real-valued network from elsewhere: what builds it again, in place of model.pt."""
GRAPH = Artifact("imported.nir", "import FILE")
"""A copy of the NIR graph that was imported."""
WEIGHTS = Artifact("imported.pt", "import FILE")
"""The weights of a network that a file of the user's builds."""
NIR = Artifact("network.nir", "quantize", MODEL)
QUANTIZE = Artifact("quantize.json", "quantize", NIR)
COMPARE = Artifact("compare.json", "compare")
ENERGY = Artifact("energy.json", "energy")
ENERGY_CSV = Artifact("energy.csv", "energy")
RESOURCES = Artifact("resources.json", "resources", NIR)
VECTORS = Artifact("vectors/vectors.json", "vectors", NIR)
SWEEP = Artifact("sweep.json", "sweep", MODEL)
REPORT_HTML = Artifact("report.html", "report")
REPORT_JSON = Artifact("report.json", "report")

BEGINNINGS = (
    CONFIG,
    NEURON,
    MODEL,
    TRAINING,
    METRICS,
    CONFUSION,
    CROSSCHECK,
    IMPORT,
    GRAPH,
    WEIGHTS,
)
"""All that a training or an import leaves, but checkpoints, which carry their own digest."""

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

"""What the report says first: the verdict, and integers beside each engine on its samples."""

from collections.abc import Sequence
from typing import Any

from arlif.run_folder import Run
from hw_sim.engines.table import ENGINES, INTEGER
from hw_sim.pipeline.verdict import same_samples, verdict


def judged(run: Run, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The verdict, and the engines' figures with the integer engine's accuracy on their samples.

    rows: the figures of all simulations that are current. integer_accuracy: None where it is not
    known.
    """
    engines = [ENGINES[row["engine"]] for row in rows]
    known = INTEGER in engines
    told = [
        row | {"integer_accuracy": same_samples(run, engine) if known else None}
        for engine, row in zip(engines, rows, strict=True)
    ]
    return {"engines": told, "verdict": verdict(run)}

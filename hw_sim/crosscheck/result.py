"""What one cross-check found, and the file that keeps all of them, in the order of epochs."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from arlif.artifacts import CROSSCHECK
from arlif.base.bounded import Amount, Count, Share
from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import read_json
from arlif.base.plain_data import STRICT, from_mapping, to_mapping
from arlif.run_folder import Run


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    """Lava and the integer engine are identical."""
    NO_LAVA = "no lava"
    """Lava is not installed; the integer engine alone was run."""
    FAILED = "failed"
    """They differ, or the check could not be run; see the message."""
    DROPPED = "dropped"
    """Nobody waited for it; see the message."""


@dataclass(frozen=True)
class Figures:
    """Numbers of one check. Operations and energies per inference.

    samples: run by float and integer network. traced: the first of them, run on Lava too and
    compared spike by spike; 0 where Lava did not run. operations: by view ("estimate", "integer",
    and on the traced samples "integer traced" and "lava"). energy_uj: by cost model, then by view;
    the estimate is priced by the paper's model only. Raises ArlifError where the integer engine's
    operations, or their energy by that model, are missing.
    """

    samples: Count
    traced: Count
    float_accuracy: Share
    fixed_accuracy: Share
    decisions_changed: Share
    spikes_changed: Share
    operations: dict[str, Amount]
    energy_uj: dict[str, dict[str, Amount]]
    seconds: Amount

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            "integer" in self.operations and "integer" in self.energy_uj.get("paper", {}),
            "the integer engine's operations, priced by the model paper, are missing",
        )


@dataclass(frozen=True)
class Check:
    """One cross-check. epoch counts from 1. figures: None where the check has not run."""

    epoch: int
    verdict: Verdict
    message: str
    figures: Figures | None = None

    __pydantic_config__: ClassVar = STRICT

    def metrics(self) -> dict[str, float]:
        """Its numbers by the names they have in metrics.csv; a dropped check has none."""
        if self.verdict is Verdict.DROPPED:
            return {}
        values = {"check/failed": float(self.verdict is Verdict.FAILED)}
        if self.figures is None:
            return values
        for name in ("float_accuracy", "fixed_accuracy", "decisions_changed", "spikes_changed"):
            values[f"check/{name}"] = getattr(self.figures, name)
        for view, number in self.figures.operations.items():
            values[f"check/operations/{view}"] = number
        for model, views in self.figures.energy_uj.items():
            values |= {f"check/energy_uj/{model}/{view}": uj for view, uj in views.items()}
        return values


def read_checks(run: Run) -> list[Check]:
    """All checks of a run, in the order of epochs; empty where there are none of this training.

    Raises FormatError where the file is damaged or of another version.
    """
    path = run.path(CROSSCHECK)
    try:
        if not run.is_current(CROSSCHECK):
            return []
        content = read_json(path)
        require(isinstance(content, list), "it holds no list of checks")
        return [from_mapping(Check, mapping, path.name) for mapping in content]
    except (ArlifError, OSError, ValueError) as error:
        raise FormatError(
            f"{path} is damaged or of another version of arlif ({error}); remove it, or train with "
            "checks again"
        ) from None


def set_aside(run: Run) -> Path:
    """Keep a crosscheck.json that cannot be read under another name, which is returned."""
    path = run.path(CROSSCHECK)
    return path.replace(path.with_suffix(".old.json"))


def write_checks(run: Run, checks: list[Check]) -> None:
    """Write all checks, atomically."""
    run.write_json(CROSSCHECK, [to_mapping(check) for check in checks])
    run.record(CROSSCHECK)

"""Which Lava this project knows, and whether it is here."""

from importlib.metadata import PackageNotFoundError, version

from arlif.base.errors import SimulationError, require

PINNED = {"lava-nc": "0.10.0", "lava-dl": "0.6.0"}
"""Archived for ever; both declare Python 3.10 only, so pip has to be told to ignore that."""

NEEDED = ("asteval", "networkx", "scipy", "scikit-learn", "h5py")
"""What the two need of their requirements."""

CURE = "run: arlif lava install"


def installed(package: str) -> str | None:
    """The installed release of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def has_lava() -> bool:
    """Whether the Lava that arlif knows is installed."""
    return installed("lava-nc") == PINNED["lava-nc"]


def require_lava() -> None:
    """Raise SimulationError unless the Lava that arlif knows is installed."""
    found = installed("lava-nc") or "none"
    require(
        has_lava(),
        f"simulating on Lava needs lava-nc {PINNED['lava-nc']}, found {found}; {CURE}",
        SimulationError,
    )

"""Which Lava this project knows, and whether it is here."""

from importlib.metadata import PackageNotFoundError, version

from arlif.base.errors import MissingToolError

PINNED = {"lava-nc": "0.10.0", "lava-dl": "0.6.0"}
"""Archived for ever; both declare Python 3.10 only, so pip has to be told to ignore that."""

NEEDED = ("asteval", "networkx", "scipy", "scikit-learn", "h5py")
"""What the two need of their requirements."""

INSTALL = "arlif lava install"
CURE = f"run: {INSTALL}"


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
    """Raise MissingToolError unless the Lava that arlif knows is installed."""
    if not has_lava():
        found = installed("lava-nc") or "none"
        raise MissingToolError(
            f"simulating on Lava needs lava-nc {PINNED['lava-nc']}, found {found}", INSTALL
        )

"""Where the project lies, and the data that only some machines have beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
DOCS = ROOT / "docs"
SHARED = ROOT.parent / "shared"

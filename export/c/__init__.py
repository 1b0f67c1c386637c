"""A quantized network as C99 without dependencies: write_c."""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily
from export.c.c_options import COptions, Style

if TYPE_CHECKING:
    from export.c.write_project import write_c

__all__ = ["COptions", "Style", "write_c"]

__getattr__ = lazily(__name__, {"write_c": "export.c.write_project"})

"""Golden vectors and a memory map: what a hardware team needs, whatever its tools are."""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from export.vectors.vectors_folder import write_vectors

__all__ = ["write_vectors"]

__getattr__ = lazily(__name__, {"write_vectors": "export.vectors.vectors_folder"})

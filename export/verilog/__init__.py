"""Verilog-2005: a network as hardware, one module a layer.

Importing this package loads nothing heavy: the command line reads its options for its help.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from export.verilog.verilog_folder import write_verilog

__all__ = ["write_verilog"]

__getattr__ = lazily(__name__, {"write_verilog": "export.verilog.verilog_folder"})

"""Our .net files: all that a quantized network holds, in the HDF5 layout of Lava's netx."""

from export.lava.net import is_ours, read_net, write_net
from export.lava.netx import stock_obstacles

__all__ = ["is_ours", "read_net", "stock_obstacles", "write_net"]

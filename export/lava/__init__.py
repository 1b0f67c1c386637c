"""The .net file: Lava's netx HDF5 layout, with all that a quantized network holds."""

from export.lava.net import is_ours, read_net, write_net
from export.lava.netx import stock_obstacles

__all__ = ["is_ours", "read_net", "stock_obstacles", "write_net"]

"""Networks that lava-dl's SLAYER exported (.net files for netx), read into quantized networks."""

from export.netx.read import read_netx

__all__ = ["read_netx"]

"""Network architectures as frozen configurations, and the builder that makes modules of them."""

from arlif.networks.build import NetworkConfig, build
from arlif.networks.stack import Stack

__all__ = ["NetworkConfig", "Stack", "build"]

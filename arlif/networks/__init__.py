"""Network architectures as frozen configurations, and the builder that makes modules of them."""

from arlif.networks.airbench import Airbench
from arlif.networks.builder import Architecture, NetworkConfig, build
from arlif.networks.neuron_choice import NeuronConfig
from arlif.networks.resnet import PreActResNet, ResNet19
from arlif.networks.stack import Stack
from arlif.networks.summary import NetworkSummary, summarize

__all__ = [
    "Airbench",
    "Architecture",
    "NetworkConfig",
    "NetworkSummary",
    "NeuronConfig",
    "PreActResNet",
    "ResNet19",
    "Stack",
    "build",
    "summarize",
]

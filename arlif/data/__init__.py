"""Datasets: what they are, where they come from, and how they are loaded."""

from arlif.data.dataset import Dataset, DatasetInfo, Split
from arlif.data.library import check, count, describe, get, load, names

__all__ = ["Dataset", "DatasetInfo", "Split", "check", "count", "describe", "get", "load", "names"]

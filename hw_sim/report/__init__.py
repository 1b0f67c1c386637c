"""The report: figures of a run as JSON, and the same figures with plots as one HTML page."""

from hw_sim.report.write import write_report

__all__ = ["write_report"]

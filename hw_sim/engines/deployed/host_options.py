"""What can be asked of the engine that runs exported C on this machine."""

from dataclasses import dataclass

from arlif.base.options import option


@dataclass(frozen=True)
class HostOptions:
    """Whether the program checks itself while it runs, and how it is told its frames."""

    sanitize: bool = option(False, "--sanitize", "under UBSan and ASan, which end it at a fault")
    as_events: bool = option(False, "--as-events", "frames told event by event (streamed inputs)")

"""Every dataset by name."""

from arlif.data.entry import Entry
from arlif.data.event_sets import EVENT_SETS
from arlif.data.image_sets import IMAGE_SETS
from arlif.data.sound_sets import SOUND_SETS

DATASETS: dict[str, Entry] = {
    entry.info.name: entry for entry in (*IMAGE_SETS, *EVENT_SETS, *SOUND_SETS)
}
"""Every dataset by name."""

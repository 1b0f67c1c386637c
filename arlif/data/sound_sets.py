"""The datasets of sound: how they are got, loaders."""

from arlif.data.dataset import DatasetInfo
from arlif.data.entry import Entry
from arlif.data.filter_bank import BANDS
from arlif.data.sounds import PACKED, WAV_FOLDER, encoded, find_fsdd, probe_wav, read_packed
from arlif.data.splits import recording_counter, recording_loader

FSDD = Entry(
    DatasetInfo(
        "fsdd",
        (1, 1, BANDS),
        tuple("0123456789"),
        False,
        "CC BY-SA 4.0 (Jackson et al., Free Spoken Digit Dataset)",
        samples=(2_700, 300),
        by_hand="put recordings/ of github.com/Jakobovski/free-spoken-digit-dataset there",
    ),
    recording_loader(
        find_fsdd, lambda recordings, time_steps, cut: encoded(recordings, time_steps)
    ),
    recording_counter(find_fsdd),
    required=((WAV_FOLDER, ""),),
    probes=((f"{WAV_FOLDER}/*.wav", probe_wav), (PACKED, read_packed)),
    packed=PACKED,
)

SOUND_SETS = (FSDD,)

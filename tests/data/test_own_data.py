"""A user's own data, in every form that they may have, and the one line where they do not fit."""

from pathlib import Path

import numpy as np
import pytest
from support.places import SHARED

from arlif.base.errors import ArlifError
from arlif.data.own import HELD_OUT, OwnData, OwnSamples

T, N, SHAPE = 3, 6, (2, 4)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(T, N, *SHAPE)).astype(np.float32)
Y = np.array([0, 1, 0, 1, 1, 0])

SCRIPT = """
import numpy as np
from beside import T

def recordings():
    return Items()

class Items:
    def __len__(self):
        return 6
    def __getitem__(self, index):
        return np.load("X.npy")[:, index], int(np.load("Y.npy")[index])

def alone():
    return [np.zeros((3, 2, 4))]

def none():
    return []

def number():
    return 5

def uneven():
    return [(np.zeros((3, 2, 4)), 0), (np.zeros((2, 2, 4)), 1)]

def soft():
    return [(np.zeros((3, 2, 4)), np.zeros(2, int))]

def broken():
    class Broken(list):
        def __getitem__(self, index):
            raise KeyError("gone")
    return Broken([1])
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same data in every form."""
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)
    np.save("Y.npy", Y)
    np.savez("XY.npz", inputs=X, labels=Y)
    np.savez_compressed("X.npz", inputs=X)
    Path("mine.py").write_text(SCRIPT)
    Path("beside.py").write_text("T = 3")
    for index, label in enumerate(Y):
        for folder in (Path("classes", f"class {label}"), Path("loose")):
            folder.mkdir(parents=True, exist_ok=True)
            np.savez(folder / f"{index}.npz", inputs=X[:, index])
    Path("loose", "notes.txt").write_text("are no sample")


def load(inputs: str, labels: str | None = None, limit: int | None = None) -> OwnSamples:
    return OwnData(Path(inputs), labels and Path(labels)).load(SHAPE, T, limit)


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [("X.npy", "Y.npy"), ("XY.npz", None), ("X.npz", "Y.npy"), ("mine.py:recordings", None)],
)
@pytest.mark.parametrize("limit", [None, 4])
def test_every_form_holds_the_same(inputs: str, labels: str | None, limit: int | None) -> None:
    found = load(inputs, labels, limit)
    assert found.real.dtype == np.float32
    np.testing.assert_array_equal(found.real, X[:, :limit])
    assert found.labels is not None
    np.testing.assert_array_equal(found.labels, Y[:limit])


def test_a_folder_names_its_classes() -> None:
    found = load("classes")
    order = np.argsort(Y, kind="stable")
    np.testing.assert_array_equal(found.real, X[:, order])
    assert found.labels is not None
    np.testing.assert_array_equal(found.labels, Y[order])
    assert found.names("classes", 2) == ("class 0", "class 1")
    with pytest.raises(ArlifError, match=r"has 2 folders of classes .* tells 3 classes apart"):
        found.names("classes", 3)
    loose = load("loose", "Y.npy")
    np.testing.assert_array_equal(loose.real, X)
    assert (loose.classes, loose.names("loose", 2)) == ((), ("0", "1"))


def test_a_sample_of_one_frame_needs_no_time() -> None:
    np.save("image.npy", X[:1])
    Path("images").mkdir()
    for index in range(N):
        np.save(f"images/{index}.npy", X[0, index] if index % 2 else X[:1, index])
    found = OwnData(Path("images")).load(SHAPE, 1)
    np.testing.assert_array_equal(found.real, OwnData(Path("image.npy")).load(SHAPE, 1).real)


@pytest.mark.parametrize(
    ("lead", "frames"), [((N,), 1), ((N,), T), ((N, T), T), ((1, N), 1), ((1, N), T), ((T, N), 1)]
)
@pytest.mark.parametrize("channels_last", [False, True])
def test_axes_in_another_order_are_told_what_to_save(
    lead: tuple[int, ...], frames: int, channels_last: bool
) -> None:
    """Two refusals at most, of which each says how one fault of the array is mended."""
    shape, file = (3, 5, 4), Path("given.npy")
    np.save(file, np.ones((*lead, *((5, 4, 3) if channels_last else shape))))
    for _ in range(2):
        try:
            OwnData(file).load(shape, frames)
        except ArlifError as error:
            cure = str(error).rpartition("save ")[2]
            np.save(file, eval(cure, {"x": np.load(file), "np": np}))
    assert OwnData(file).load(shape, frames).real.shape == (frames, N, *shape)


def test_a_signal_needs_no_height(tmp_path: Path) -> None:
    """(C, L) is (C, 1, L) to a network; nothing else is turned or flattened."""
    for inputs in ("X.npy", "loose", "mine.py:recordings"):
        found = OwnData(Path(inputs)).load((2, 1, 4), T)
        np.testing.assert_array_equal(found.real, X[:, :, :, None])
        for other in ((8,), (2, 2, 2), (1, 2, 4), (2, 4, 1)):
            with pytest.raises(ArlifError, match="as the network takes i"):
                OwnData(Path(inputs)).load(other, T)


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ((N, 5, 4), (1, N, 5, 4)),
        ((N, T, 5, 4), (T, N, 5, 4)),
        ((N, 5, 4, T), (T, N, 5, 4)),
        ((N, 5, T, 4), (T, N, 5, 4)),
    ],
)
def test_examples_whose_time_is_not_first_are_told_what_to_save(
    given: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    x = np.ones(given)
    np.save("given.npy", x)
    with pytest.raises(ArlifError, match=r"time comes first: .*save ") as refused:
        OwnData(Path("given.npy")).examples(T)
    np.save("given.npy", eval(str(refused.value).rpartition("save ")[2], {"x": x, "np": np}))
    (example,) = OwnData(Path("given.npy")).examples(T)
    assert example.shape == shape


def test_where_two_axes_may_be_time_both_are_said() -> None:
    np.save("given.npy", np.ones((N, T, 5, T)))
    with pytest.raises(ArlifError, match=r"x, 1, 0\) or np.moveaxis\(x, 3, 0\), whichever axis is"):
        OwnData(Path("given.npy")).examples(T)


def test_examples_of_other_time_steps_are_told_how_many_to_give() -> None:
    np.save("given.npy", np.ones((T + 1, N, 5, 4)))
    with pytest.raises(ArlifError, match=f"give --time-steps {T + 1} where it does, else save x"):
        OwnData(Path("given.npy")).examples(T)


def test_examples_are_what_a_network_may_be_given() -> None:
    shapes = {
        name: [e.shape for e in OwnData(Path(name)).examples(T)] for name in ("X.npy", "loose")
    }
    assert shapes == {"X.npy": [X.shape], "loose": [(T, 1, *SHAPE), (1, 1, T, *SHAPE)]}


@pytest.mark.parametrize(
    ("inputs", "labels", "complaint"),
    [
        ("nothing.npy", None, "there is no nothing.npy; own data are a .npy or .npz file, a fol"),
        ("own.py", None, "own.py names no function of it; give own.py:FUNCTION"),
        ("none", None, "none holds no samples"),
        (
            "Y.npy",
            None,
            r"Y.npy must be \[3, N, 2, 4\], as the network takes its inputs, not \(6,\)",
        ),
        ("turned.npy", None, r"not \(6, 3, 2, 4\); time comes first: save x.swapaxes"),
        ("nine.npy", None, r"as the network takes its inputs, not \(9, 9, 2, 4\)"),
        ("X.npy", "X.npy", "X.npy must hold integers, the class of each sample"),
        ("X.npy", "five.npy", r"need N = 6 labels; got \(5,\)"),
        ("XY.npz", "Y.npy", "XY.npz holds labels itself; leave out --labels Y.npy"),
        (
            "names.npz",
            None,
            "must hold an array named 'inputs', and may hold 'labels'; it holds 'x'",
        ),
        ("few.npz", None, r"few.npz holds labels \(5,\) for inputs \(3, 6, 2, 4\)"),
        (
            "objects.npy",
            None,
            "objects.npy is not a readable .npy file .Object arrays cannot be lo",
        ),
        ("nan.npy", None, "nan.npy holds NaN, infinity"),
        ("complex.npy", None, "complex.npy must hold one array of real numbers, not complex64"),
        ("text.npy", None, r"text.npy is not a readable .npy file \(it begins as none does\); wri"),
        ("half.npz", None, "half.npz is not a readable .npz file"),
        ("torn.npz", None, "torn.npz is not a readable .npz file"),
        ("mixed", None, r"mixed holds samples \(a.npy\) beside folders of classes \(one\)"),
        (
            "torn",
            None,
            r"sample of torn must have the shape \(3, 2, 4\), .* not \(2, 4\) as torn/b",
        ),
        ("mine.py:nowhere", None, "mine.py has no function 'nowhere'"),
        ("mine.py:alone", None, r"mine.py:alone\[0\] is of type ndarray, not a pair"),
        ("mine.py:none", None, "mine.py:none holds no samples"),
        ("mine.py:number", None, "mine.py:number returns int, not a torch Dataset"),
        (
            "mine.py:uneven",
            None,
            r"not \(2, 2, 4\) as mine.py:uneven\[1\] has it \(1 of 2 differ\)",
        ),
        ("mine.py:soft", None, r"the label of mine.py:soft\[0\] must be one whole number"),
        ("mine.py:broken", None, "mine.py:broken gives no data: KeyError: 'gone'"),
        ("other.py:data", None, "there is no file other.py"),
    ],
)
def test_what_does_not_fit_is_one_line(inputs: str, labels: str | None, complaint: str) -> None:
    for folder in ("none", "mixed/one", "torn"):
        Path(folder).mkdir(parents=True)
    np.save("mixed/a.npy", X[:, 0])
    np.save("mixed/one/b.npy", X[:, 0])
    np.save("torn/a.npy", X[:, 0])
    np.save("torn/b.npy", X[0, 0])
    np.save("turned.npy", X.swapaxes(0, 1))
    np.save("five.npy", Y[:5])
    np.save("nine.npy", np.ones((9, 9, *SHAPE)))
    np.savez("names.npz", x=X)
    np.savez("few.npz", inputs=X, labels=Y[:5])
    np.save("objects.npy", np.array([{}]), allow_pickle=True)
    np.save("nan.npy", np.full_like(X, np.nan))
    np.save("complex.npy", X.astype(np.complex64))
    Path("text.npy").write_text("1 2 3")
    whole = Path("XY.npz").read_bytes()
    Path("half.npz").write_bytes(whole[: len(whole) // 2])
    Path("torn.npz").write_bytes(whole.replace(X.tobytes()[:8], b"\0" * 8))
    with pytest.raises(ArlifError, match=complaint) as error:
        load(inputs, labels)
    assert "\n" not in str(error.value)


def test_a_header_that_python_cannot_read_is_one_line() -> None:
    file = SHARED / "cases" / "reliability" / "npy-tokenerror.npy"
    if not file.exists():
        pytest.skip(f"{file} is not here")
    with pytest.raises(ArlifError, match=r"is not a readable \.npy file"):
        load(str(file))


def test_an_array_that_no_memory_holds_is_one_line() -> None:
    content = bytearray(Path("X.npy").read_bytes())
    header = content.index(b"(3, 6, 2, 4)")
    content[header : header + 12] = b"(9" + b"0" * 8 + b",)"
    Path("X.npy").write_bytes(content)
    with pytest.raises(ArlifError, match=r"not a readable \.npy file"):
        load("X.npy")


def test_training_leaves_out_one_of_five_of_every_class() -> None:
    labels = np.repeat([0, 1, 2], 10)
    samples = OwnSamples(np.arange(60, dtype=np.float32).reshape(2, 30, 1), labels)
    data = samples.as_dataset("mine", static=False, classes=3)
    assert HELD_OUT == 5
    np.testing.assert_array_equal(np.bincount(data.test.labels), [2, 2, 2])
    np.testing.assert_array_equal(np.bincount(data.train.labels), [8, 8, 8])
    for split in (data.train, data.test):
        shown = data.network_input(split).numpy()
        assert shown.shape == (2, len(split), 1)
        np.testing.assert_array_equal(shown[0, :, 0] // 10, split.labels)
        np.testing.assert_array_equal(shown[1], shown[0] + 30)
    both = np.concatenate([data.train.inputs, data.test.inputs])
    assert len(np.unique(both[:, 0])) == 30


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (OwnSamples(X), "training needs the class of every sample, which mine does not say"),
        (OwnSamples(X[:, :4], Y[:4]), "training needs 5 samples or more, .* mine holds 4"),
        (OwnSamples(X, Y + 2), "labels of 3 classes lie in 0 to 2, not 2 to 3 as in mine"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(samples: OwnSamples, complaint: str) -> None:
    with pytest.raises(ArlifError, match=complaint):
        samples.as_dataset("mine", static=False, classes=3)

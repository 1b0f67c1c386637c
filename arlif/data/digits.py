"""Handwritten digits, 8x8, from inside scikit-learn: the dataset that is always there."""

import numpy as np

from arlif.data.dataset import Dataset, DatasetInfo, Split

DIGITS = DatasetInfo(
    name="digits",
    shape=(1, 8, 8),
    classes=tuple("0123456789"),
    static=True,
    licence="CC BY 4.0 (Alpaydin and Kaynak, UCI Machine Learning Repository, 1998)",
    scale=1 / 16,
    samples=(1347, 450),
)


def load_digits() -> Dataset:
    """The 1,797 digits, pixels 0 to 16; 1,347 for training, 450 for testing, stratified, fixed."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]
    train_x, test_x, train_y, test_y = train_test_split(
        images,
        digits.target.astype(np.int64),
        test_size=450,
        stratify=digits.target,
        random_state=0,
    )
    return Dataset(DIGITS, Split(train_x, train_y), Split(test_x, test_y))

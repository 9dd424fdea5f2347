"""The textbook's convolution, step by step: every number on the page can be computed here.

    python examples/convolution_basics.py

Cross-correlation, an edge detector learned from examples, padding and stride, channels, 1x1 convolutions, parameter
counts, pooling, backpropagation.
"""

import argparse

import numpy as np

import cconv
from cconv import layers, ops


def image(rows) -> np.ndarray:
    """Rows of numbers as a batch of one image with one channel, (1, h, w, 1)."""
    return np.asarray(rows, np.float32)[None, :, :, None]


def kernel(rows) -> np.ndarray:
    """Rows of numbers as a kernel of one input and one output channel, (kh, kw, 1, 1)."""
    return np.asarray(rows, np.float32)[:, :, None, None]


def turned(k: np.ndarray) -> np.ndarray:
    """A kernel rotated by 180 degrees."""
    return np.ascontiguousarray(k[::-1, ::-1])


def heading(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def cross_correlation() -> None:
    heading("Cross-correlation")
    x, k = image([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), kernel([[0, 1], [2, 3]])
    y = ops.conv2d(x, k)[0, :, :, 0]
    print(f"input\n{x[0, :, :, 0]}\nkernel\n{k[:, :, 0, 0]}\noutput\n{y}")
    print("top left: 0*0 + 1*1 + 3*2 + 4*3 =", y[0, 0])
    flipped = ops.conv2d(x, turned(k))[0, :, :, 0]
    print(f"the mathematician's convolution turns the kernel by 180 degrees first:\n{flipped}")
    assert y.tolist() == [[19, 25], [37, 43]]


def edge_detector(epochs: int) -> float:
    heading("A kernel learned from input and output alone")
    x = np.ones((1, 6, 8, 1), np.float32)
    x[:, :, 2:6] = 0
    y = ops.conv2d(x, kernel([[1, -1]]))
    print(f"input row {x[0, 0, :, 0]}\nits edges {y[0, 0, :, 0]}")
    cconv.utils.set_random_seed(1)
    model = cconv.Sequential([cconv.Input((6, 8, 1)), layers.Conv2D(1, (1, 2), use_bias=False)])
    model.compile(cconv.optimizers.SGD(0.5), "mse")
    model.fit(x, y, epochs=epochs, verbose=0)
    learned = model.get_weights()[0].ravel()
    print(f"learned kernel after {epochs} steps: {learned.round(4)}; the one that made the data: [ 1 -1]")
    return float(np.abs(learned - [1, -1]).max())


def padding_and_stride() -> None:
    heading("Padding and stride")
    x = np.zeros((1, 8, 8, 1), np.float32)
    print("output size = floor((size + padding - kernel) / stride) + 1")
    for (kh, kw), padding, stride in [
        ((3, 3), "valid", 1),
        ((3, 3), "same", 1),
        ((5, 3), ((2, 2), (1, 1)), 1),
        ((3, 3), "same", 2),
        ((3, 5), ((0, 0), (1, 1)), (3, 4)),
    ]:
        y = ops.conv2d(x, np.zeros((kh, kw, 1, 1), np.float32), strides=stride, padding=padding)
        print(f"  8x8 image, kernel {kh}x{kw}, padding {padding}, stride {stride}: {y.shape[1]}x{y.shape[2]}")


def channels() -> None:
    heading("Several channels")
    x = np.stack([np.arange(9).reshape(3, 3), np.arange(1, 10).reshape(3, 3)], -1)[None].astype(np.float32)
    k = np.stack([[[0, 1], [2, 3]], [[1, 2], [3, 4]]], -1)[..., None].astype(np.float32)
    y = ops.conv2d(x, k)[0, :, :, 0]
    print(f"two input channels: the sum over both\n{y}")
    print("three output channels, one kernel each:", ops.conv2d(x, np.concatenate([k, k + 1, k + 2], -1)).shape)
    assert y.tolist() == [[56, 72], [104, 120]]


def one_by_one() -> None:
    heading("A 1x1 convolution is a dense layer over pixels")
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 3, 3, 3)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    difference = np.abs(ops.conv2d(x, w[None, None]) - (x.reshape(-1, 3) @ w).reshape(1, 3, 3, 2)).max()
    print(f"largest difference: {difference:.1e}")
    assert difference < 1e-6


def parameters() -> None:
    heading("Parameters: dense against convolution, from a 28x28 image to 24x24x6")
    flat = cconv.Sequential([cconv.Input((784,)), layers.Dense(24 * 24 * 6)])
    local = cconv.Sequential([cconv.Input((28, 28, 1)), layers.Conv2D(6, 5)])
    print(f"dense: {flat.count_params():,}   convolution with six 5x5 kernels: {local.count_params():,}")


def pooling() -> None:
    heading("Pooling")
    x = image([[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    y = ops.max_pool(x, 2, strides=1)[0, :, :, 0]
    print(f"maximum of 2x2 windows, stride 1\n{y}\naverage\n{ops.average_pool(x, 2, strides=1)[0, :, :, 0]}")
    strided = ops.max_pool(image(np.arange(16).reshape(4, 4)), 3, strides=2, padding="same")
    print(f"4x4 image, windows of 3x3, stride 2, padding same\n{strided[0, :, :, 0]}")
    assert y.tolist() == [[4, 5], [7, 8]]


def gradients() -> None:
    heading("Backpropagation through a convolution")
    x, k = image([[0, 1, 2], [3, 4, 5], [6, 7, 8]]), kernel([[0, 1], [2, 3]])
    dy = image([[1, 0], [0, 2]])
    dx = ops.conv2d_input_gradient(dy, k, x.shape)
    dw = ops.conv2d_weight_gradient(x, dy, k.shape)
    print(f"dx = full correlation of dy with the kernel turned by 180 degrees\n{dx[0, :, :, 0]}")
    print(f"dw = correlation of x with dy\n{dw[:, :, 0, 0]}")
    assert np.array_equal(dx, ops.conv2d(dy, turned(k), padding=((1, 1), (1, 1))))
    assert np.array_equal(dw[:, :, 0, 0], ops.conv2d(x, kernel(dy[0, :, :, 0]))[0, :, :, 0])


def main(argv: list[str] | None = None) -> float:
    """Walks through all of it; returns the largest error of the learned edge detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60, help="training steps of the edge detector (default: 60)")
    arguments = parser.parse_args(argv)
    cross_correlation()
    error = edge_detector(arguments.epochs)
    padding_and_stride()
    channels()
    one_by_one()
    parameters()
    pooling()
    gradients()
    return error


if __name__ == "__main__":
    main()

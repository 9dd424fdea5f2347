"""A whole convolutional network on one page: every intermediate value printed beside its formula, forward and backward.

    python examples/paper_cnn.py

The network of P. Murugan, "Feed forward and backward run in deep convolution neural network", arXiv:1711.03278 (2017):
one convolution with ReLU, one max pooling, fully connected layers with ReLU and sigmoid, cross-entropy, gradient
descent. The formulas are written out in NumPy; cconv computes the same, and a table shows how far apart the two are.
"""

import argparse
import textwrap

import numpy as np

import cconv
from cconv import layers


def relu(z):
    return np.maximum(z, 0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def correlate(image, k):
    """sum over (m, n) of image[i + m, j + n] * k[m, n]."""
    windows = np.lib.stride_tricks.sliding_window_view(image, k.shape)
    return np.einsum("ijmn,mn->ij", windows, k)


def show(formula: str, value) -> None:
    print(f"\n{formula}")
    text = np.array2string(np.round(value, 4) + 0.0, precision=4, suppress_small=True)  # + 0.0: no minus before a zero
    print(textwrap.indent(text, "    "))


def letters() -> tuple[np.ndarray, np.ndarray]:
    """Three pictures of T (label 1), three of L (label 0), each shifted a little: (6, 6, 6, 1) and (6, 1)."""
    tee, ell = np.zeros((6, 6)), np.zeros((6, 6))
    tee[1, 1:4] = tee[1:5, 2] = 1
    ell[1:5, 1] = ell[4, 1:4] = 1
    shifts = [(0, 0), (0, 1), (1, 0)]
    x = [np.roll(letter, shift, (0, 1)) for letter in (tee, ell) for shift in shifts]
    return np.stack(x)[..., None].astype(np.float32), np.array([[1], [1], [1], [0], [0], [0]], np.float32)


def build(learning_rate: float) -> cconv.Sequential:
    model = cconv.Sequential(
        [
            cconv.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu", name="convolution"),
            layers.MaxPooling2D(2, name="pooling"),
            layers.Flatten(),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(1, activation="sigmoid", name="output"),
        ]
    )
    model.compile(cconv.optimizers.SGD(learning_rate), "binary_crossentropy")
    return model


def forward_and_backward(image, target, weights):
    """The formulas, in float64; image (6, 6), weights as the model lists them. Returns the gradients in that order."""
    k, b, w1, b1, w2, b2 = [w.astype(float) for w in weights]
    print("\n=== Feed forward ===")
    show("image x", image)
    z = np.stack([correlate(image, k[:, :, 0, p]) + b[p] for p in range(2)])
    show("convolution  z_p[i,j] = sum_mn x[i+m,j+n] k_p[m,n] + b_p   (p = 1, 2)", z)
    c = relu(z)
    show("ReLU  C_p = max(0, z_p)", c)
    cells = c.reshape(2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2, 2, 2, 4)
    s = cells.max(-1)
    show("max pooling  P_p[i,j] = max of the 2x2 window", s)
    f = s.transpose(1, 2, 0).ravel()
    show("flatten  f (row, column, channel)", f)
    z1 = f @ w1 + b1
    a1 = relu(z1)
    show("hidden layer  a = max(0, f W1 + b1)", a1)
    y = sigmoid(a1 @ w2 + b2)
    show("output  y = sigmoid(a W2 + b2)", y)
    show(
        f"cross-entropy  L = -t log y - (1-t) log(1-y),  t = {target:g}",
        -target * np.log(y) - (1 - target) * np.log(1 - y),
    )

    print("\n=== Backward ===")
    d2 = y - target
    show("output error  dL/dz2 = y - t   (sigmoid and cross-entropy together)", d2)
    dw2 = np.outer(a1, d2)
    show("dW2 = a' dL/dz2", dw2)
    d1 = (w2 @ d2) * (z1 > 0)
    show("hidden error  dL/dz1 = (W2 dL/dz2) * ReLU'(z1)", d1)
    dw1 = np.outer(f, d1)
    ds = (w1 @ d1).reshape(2, 2, 2).transpose(2, 0, 1)
    show("through flatten  dP = W1 dL/dz1, back in its shape", ds)
    dcells = (np.arange(4) == cells.argmax(-1)[..., None]) * ds[..., None]
    dc = dcells.reshape(2, 2, 2, 2, 2).transpose(0, 1, 3, 2, 4).reshape(2, 4, 4)
    show("through max pooling  dC: to the cell that was the maximum", dc)
    dz = dc * (z > 0)
    dk = np.stack([correlate(image, dz[p]) for p in range(2)], -1)[:, :, None]
    show("kernel gradient  dk_p[m,n] = sum_ij x[i+m,j+n] dz_p[i,j]", dk[:, :, 0].transpose(2, 0, 1))
    db = dz.sum((1, 2))
    show("bias gradient  db_p = sum_ij dz_p[i,j]", db)
    return [dk, db, dw1, d1, dw2, d2]


def main(argv: list[str] | None = None) -> tuple[float, float]:
    """Returns the largest difference between the formulas' gradients and cconv's, and the loss after training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=300, help="epochs of gradient descent (default: 300)")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="step size alpha (default: 0.1)")
    arguments = parser.parse_args(argv)

    cconv.utils.set_random_seed(1)
    x, t = letters()
    model = build(learning_rate=1.0)
    before = model.get_weights()
    gradients = forward_and_backward(x[0, :, :, 0].astype(float), float(t[0, 0]), before)

    # One step of gradient descent with step size 1 subtracts the gradient: the difference is what cconv computed.
    model.train_on_batch(x[:1], t[:1])
    computed = [old - new for old, new in zip(before, model.get_weights())]
    print("\n=== The same by cconv: largest difference of each gradient ===")
    differences = [float(np.abs(ours - formula).max()) for ours, formula in zip(computed, gradients)]
    for name, difference in zip(["k", "b", "W1", "b1", "W2", "b2"], differences):
        print(f"  {name:<3} {difference:.1e}")

    model = build(arguments.learning_rate)
    history = model.fit(x, t, batch_size=1, epochs=arguments.epochs, verbose=0).history["loss"]
    print(f"\n=== {arguments.epochs} epochs of gradient descent, W := W - {arguments.learning_rate:g} dW ===")
    print(f"loss {history[0]:.4f} -> {history[-1]:.4f}")
    print("targets    ", t.ravel())
    print("predictions", model.predict(x, verbose=0).ravel().round(3))
    return max(differences), history[-1]


if __name__ == "__main__":
    main()

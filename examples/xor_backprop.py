"""A network of 2 inputs, 4 hidden units and 1 output learns the exclusive or by backpropagation.

    python examples/xor_backprop.py

XOR is the smallest problem that one layer cannot solve: no line separates (0,1) and (1,0) from (0,0) and (1,1).
The program first walks through one step of backpropagation, each formula beside its numbers, and shows that cconv
computes the same; then it trains, draws the loss curve, and says whether XOR was learned.
"""

import argparse
from pathlib import Path

import numpy as np

import cconv
from cconv import layers

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TARGETS = np.array([[0], [1], [1], [0]], np.float32)


def build(learning_rate: float) -> cconv.Sequential:
    model = cconv.Sequential(
        [
            cconv.Input((2,)),
            layers.Dense(4, activation="tanh", name="hidden"),
            layers.Dense(1, activation="sigmoid", name="output"),
        ]
    )
    model.compile(cconv.optimizers.SGD(learning_rate), "mean_squared_error")
    return model


def show(formula: str, value: np.ndarray) -> None:
    print(f"\n{formula}")
    print(np.array2string(np.asarray(value), precision=4, suppress_small=True))


def walk_through(model: cconv.Sequential, rate: float) -> float:
    """One step of gradient descent by the formulas of the textbook, then by cconv; returns the largest difference."""
    w1, b1, w2, b2 = (w.astype(float) for w in model.get_weights())
    x, t, n = INPUTS.astype(float), TARGETS.astype(float), len(INPUTS)
    print("=== One step of backpropagation, over the four samples (one per row) ===")
    show("inputs x", x)
    show("targets t", t)

    print("\n--- forward ---")
    z1 = x @ w1 + b1
    h = np.tanh(z1)
    show("hidden units  h = tanh(x W1 + b1)", h)
    y = 1 / (1 + np.exp(-(h @ w2 + b2)))
    show("output  y = sigmoid(h W2 + b2)", y)
    show("loss  L = 1/n sum (y - t)^2", np.mean((y - t) ** 2))

    print("\n--- backward: the chain rule, from the loss to the weights ---")
    dy = 2 * (y - t) / n
    show("dL/dy = 2 (y - t) / n", dy)
    d2 = dy * y * (1 - y)
    show("d2 = dL/dy * y (1 - y)             since sigmoid' = y (1 - y)", d2)
    dw2, db2 = h.T @ d2, d2.sum(0)
    show("dL/dW2 = h' d2", dw2)
    show("dL/db2 = sum d2", db2)
    d1 = (d2 @ w2.T) * (1 - h**2)
    show("d1 = (d2 W2') * (1 - h^2)          since tanh' = 1 - h^2", d1)
    dw1, db1 = x.T @ d1, d1.sum(0)
    show("dL/dW1 = x' d1", dw1)
    show("dL/db1 = sum d1", db1)

    print(f"\n--- update: w := w - a dL/dw, a = {rate:g} ---")
    by_formula = [w - rate * d for w, d in zip((w1, b1, w2, b2), (dw1, db1, dw2, db2))]
    model.train_on_batch(INPUTS, TARGETS)
    differences = [float(np.abs(a - b).max()) for a, b in zip(by_formula, model.get_weights())]
    for name, formula, ours in zip(("W1", "b1", "W2", "b2"), by_formula, model.get_weights()):
        show(f"{name} by the formula", formula)
        show(f"{name} by cconv", ours)
    print(f"\nlargest difference: {max(differences):.1e}")
    return max(differences)


def plot(losses: list[float], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    axes.semilogy(range(1, len(losses) + 1), losses)
    axes.set(xlabel="epoch", ylabel="mean squared error", title="A 2-4-1 network learns XOR")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(argv: list[str] | None = None) -> tuple[bool, float]:
    """Returns whether XOR was learned, and the largest difference between the formulas' step and cconv's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=1500, help="epochs of gradient descent (default: 1500)")
    parser.add_argument("--learning-rate", type=float, default=1.0, help="step size a (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first weights (default: 1)")
    parser.add_argument(
        "--output", type=Path, default=Path("demo_output/xor_loss.png"), help="picture of the loss curve"
    )
    arguments = parser.parse_args(argv)

    cconv.utils.set_random_seed(arguments.seed)
    difference = walk_through(build(arguments.learning_rate), arguments.learning_rate)

    cconv.utils.set_random_seed(arguments.seed)
    model = build(arguments.learning_rate)
    losses = model.fit(INPUTS, TARGETS, batch_size=4, epochs=arguments.epochs, verbose=0).history["loss"]
    predictions = model.predict(INPUTS, verbose=0)
    print(f"\n=== {arguments.epochs} epochs of gradient descent ===")
    print(f"loss {losses[0]:.4f} -> {losses[-1]:.6f}")
    for x, target, y in zip(INPUTS, TARGETS, predictions):
        print(f"  {x[0]:.0f} xor {x[1]:.0f} = {target[0]:.0f}   network: {y[0]:.3f}")
    learned = bool((np.abs(predictions - TARGETS) < 0.1).all())
    print("XOR was learned." if learned else "XOR was NOT learned: try more epochs or another seed.")
    plot(losses, arguments.output)
    print(f"The loss curve is in {arguments.output}.")
    return learned, difference


if __name__ == "__main__":
    main()

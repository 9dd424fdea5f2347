"""ResNet-20 trained on CIFAR-10 by PyTorch, compiled, with the recipe and the batches of `examples/cifar10.py`.

    python benchmarks/cifar10_torch.py cifar10/

Writes `history.csv` as that program does, and after each epoch what `--resume` goes on from.
`python benchmarks/cifar10_torch.py cifar10/ --compare A B` draws the accuracies of such files of two folders, cconv's
first, into `B/curves.png`.
"""

import argparse
import csv
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / name) for name in ("examples", "")]
import cifar10 as recipe  # noqa: E402


class Block(nn.Module):
    """Two convolutions of 3x3 beside every second pixel of the input, with channels of zeros (option A)."""

    def __init__(self, c: int, k: int) -> None:
        super().__init__()
        self.stride = 1 if c == k else 2
        self.conv1 = nn.Conv2d(c, k, 3, self.stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(k)
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(k)
        self.more = k - c

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.conv2(functional.relu(self.norm1(self.conv1(x)))))
        if self.more:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return functional.relu(x + y)


def resnet20() -> nn.Module:
    pairs = [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    net = nn.Sequential(
        *stem, *(Block(c, k) for c, k in pairs), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in")
    return net.to(memory_format=torch.channels_last)


def rate(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return recipe.LEARNING_RATE * (0.1 + 0.9 * step / warmup)
    return recipe.LEARNING_RATE * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def batch(x: np.ndarray) -> torch.Tensor:
    """Images (n, h, w, c) as PyTorch has them, where they are."""
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def train(folder: Path, epochs: int, batch_size: int, seed: int, output: Path, *, resume: bool) -> None:
    torch.manual_seed(seed)
    data = recipe.Augmented(*recipe.read(folder / "train"), batch_size, seed)
    images, labels = recipe.read(folder / "test")
    net, loss = resnet20(), nn.CrossEntropyLoss()
    compiled = torch.compile(net)
    optimizer = torch.optim.SGD(net.parameters(), recipe.LEARNING_RATE, recipe.MOMENTUM, nesterov=True)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    output.mkdir(parents=True, exist_ok=True)
    history = recipe.History(output / "history.csv")
    stands = output / "state.pt"
    if resume and stands.exists():
        state = torch.load(stands)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        history.rows = state["rows"]
        history.start -= history.rows[-1]["seconds"]
        data.rng.bit_generator.state = state["rng"]
        data.on_epoch_end()
    for epoch in range(len(history.rows), epochs):
        net.train()
        right = 0
        for i in range(len(data)):
            x, y = data[i]
            x, y = batch(x), torch.from_numpy(y).long()
            steps = epochs * len(data)
            step = rate(epoch * len(data) + i, steps, min(len(data), steps // 2))
            optimizer.param_groups[0]["lr"] = step
            scores = compiled(x)
            optimizer.zero_grad()
            loss(scores, y).backward()
            with torch.no_grad():
                torch._foreach_mul_(decayed, 1 - step * recipe.WEIGHT_DECAY)
            optimizer.step()
            right += int((scores.argmax(1) == y).sum())
        net.eval()
        with torch.no_grad():
            parts = [compiled(batch(images[i : i + 500])).argmax(1).numpy() for i in range(0, len(images), 500)]
        accuracy = float(np.mean(np.concatenate(parts) == labels))
        history.on_epoch_end(epoch, {"accuracy": right / (len(data) * batch_size), "val_accuracy": accuracy})
        row = history.rows[-1]
        state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "rows": history.rows}
        torch.save({**state, "rng": data.rng.bit_generator.state}, stands.with_suffix(".new"))
        stands.with_suffix(".new").replace(stands)
        data.on_epoch_end()
        print(f"epoch {epoch + 1}/{epochs} - {row['seconds']:.0f} s - val_accuracy: {accuracy:.4f}", flush=True)


def draw(ours: Path, theirs: Path) -> None:
    """The accuracies on the test images after each epoch, of both."""
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
    for folder, label, color in ((ours, "cconv", "#2f6fab"), (theirs, "PyTorch", "#dd8033")):
        with (folder / "history.csv").open() as file:
            rows = list(csv.DictReader(file))
        y = [100 * float(row["val_accuracy"]) for row in rows]
        ax.plot([int(row["epoch"]) for row in rows], y, color=color, label=f"{label}: {y[-1]:.1f} % at the end")
    ax.set(xlabel="epoch", ylabel="test images right, %")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right")
    figure.savefig(theirs / "curves.png", dpi=100)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks/cifar10_torch"))
    parser.add_argument("--resume", action="store_true", help="goes on after the last epoch in --output")
    parser.add_argument("--compare", type=Path, nargs=2, help="draws the curves of two folders instead of training")
    options = parser.parse_args()
    if options.compare:
        draw(*options.compare)
        return
    torch.set_num_threads(options.threads)
    train(options.folder, options.epochs, options.batch_size, options.seed, options.output, resume=options.resume)


if __name__ == "__main__":
    main()

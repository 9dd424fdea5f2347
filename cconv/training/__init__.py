"""How models learn and are run: `Trainer`, what `compile` asks for, and the steps that `fit` is made of."""

from .trainer import Trainer

__all__ = ["Trainer"]

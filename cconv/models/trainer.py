"""Training of models."""


class Trainer:
    """What makes a layer trainable as a whole."""

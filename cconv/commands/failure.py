"""What a command says when it cannot go on."""


class Failure(Exception):
    """A sentence for the user of a command, which ends with exit code 1."""

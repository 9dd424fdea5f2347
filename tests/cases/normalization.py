"""Cases of batch normalization, in both modes, of layer and group normalization, dropout, and random numbers."""

from cases import Case

VALUES = ("normal", "normal", "normal", "normal", "positive")


def far_from_zero(rng, shape):
    """A mean a thousand times the deviation."""
    return 1000 + rng.standard_normal(shape)


def wide(rng, shape):
    """Some rows far out, so that a clipped result is clipped on both sides."""
    return rng.standard_normal(shape) ** 3


def batch_norm(
    id, shape, attributes=None, *, gamma=True, beta=True, residual=False, training=True, values="normal", **more
):
    attributes = {"training": training, **(attributes or {})}
    c = (shape[attributes.get("axis", -1)],)
    return Case(
        id,
        [shape, c if gamma else None, c if beta else None, c, c, *([shape] if residual else [])],
        attributes,
        values=(values, *VALUES[1:], *(["normal"] if residual else [])),
        training=True,
        # Sums of as many terms as a channel has elements, and differences of them.
        tolerance=more.pop("tolerance", 4),
        **more,
    )


def layer_norm(id, shape, attributes=None, *, gamma=True, beta=True, values="normal", **more):
    attributes = attributes or {}
    own = shape[attributes.get("axis", -1) :]
    return Case(
        id,
        [shape, own if gamma else None, own if beta else None],
        attributes,
        values=(values, "normal", "normal"),
        tolerance=more.pop("tolerance", 4),  # sums of as many terms as a row has, and differences of them
        **more,
    )


def group_norm(id, shape, attributes=None, *, gamma=True, beta=True, values="normal", **more):
    c = shape[-1:]
    inputs = [shape, c if gamma else None, c if beta else None]
    return Case(id, inputs, attributes or {}, values=(values, "normal", "normal"), tolerance=4, **more)


CASES = {
    "lrn": [
        Case("image", [(2, 3, 5, 7)], {"size": 5, "alpha": 0.5}),
        Case("even window", [(2, 5, 9)], {"size": 4, "alpha": 0.75, "beta": 0.5, "bias": 2.0}),
        Case("alpha not divided", [(3, 4, 5, 6)], {"size": 3, "alpha": 0.25, "beta": 1.0, "alpha_over_size": False}),
        Case("another exponent", [(4, 11)], {"size": 2, "alpha": 1.0, "beta": 0.375, "bias": 0.5}),
        Case("one channel", [(2, 4, 3, 1)], {"size": 5, "alpha": 2.0}),
        Case("window of one", [(2, 4, 3)], {"size": 1, "alpha": 2.0}),
        Case("window beyond all channels", [(2, 3, 4)], {"size": 99, "alpha": 30.0}),
        Case("defaults, large numbers", [(3, 7, 33)], {"size": 5}, values=far_from_zero),
        Case("negative exponent", [(3, 8)], {"size": 3, "alpha": 0.5, "beta": -0.75}),
        Case("a row", [(13,)], {"size": 3, "alpha": 0.5}),
        Case("volume, several shares", [(2, 5, 6, 7, 21)], {"size": 7, "alpha": 1.0}),
        Case("empty", [(0, 3, 4)], {"size": 3}),
        Case("no channels", [(2, 3, 0)], {"size": 3}),
    ],
    "layer_norm": [
        layer_norm("tokens", (3, 5, 17)),
        layer_norm("whole vectors", (4, 64)),
        layer_norm("no gamma", (4, 9), {"epsilon": 1e-5}, gamma=False),
        layer_norm("no beta", (2, 3, 33), beta=False),
        layer_norm("neither, rms", (7, 12), {"rms": True}, gamma=False, beta=False),
        layer_norm("rms, far from zero", (6, 21), {"rms": True}, values=far_from_zero),
        layer_norm("several axes", (3, 4, 5, 6), {"axis": 1}),
        layer_norm("two axes", (3, 2, 5, 7), {"axis": 2, "epsilon": 0.1}),
        layer_norm("one row", (50,), {"axis": 0}, gamma=False, beta=False),
        layer_norm("long rows", (2, 5003), tolerance=8),
        layer_norm("many blocks", (1500, 6), tolerance=8),
        layer_norm("large mean, small variance", (9, 40), values=far_from_zero),
        layer_norm("gradient of gamma and beta only", (5, 11), grad=(1, 2)),
        layer_norm("gradient of x only", (5, 11), grad=(0,)),
        # One element in a row: y = beta, and nothing flows to x or gamma.
        layer_norm("one element", (6, 1), grad=(0, 2), numeric=False, min_nonzero=0),
    ],
    "group_norm": [
        group_norm("images", (3, 4, 5, 12), {"groups": 3}),
        group_norm("one group", (2, 3, 3, 7)),
        group_norm("each channel by itself", (2, 5, 3, 6), {"groups": 6, "epsilon": 1e-4}),
        group_norm("no gamma", (2, 4, 3, 8), {"groups": 2}, gamma=False),
        group_norm("no beta, rows", (3, 9, 20), {"groups": 5}, beta=False),
        group_norm("vectors, neither", (5, 24), {"groups": 4}, gamma=False, beta=False),
        group_norm("many blocks", (2, 30, 40, 4), {"groups": 2}),
        group_norm("volumes", (2, 3, 4, 2, 6), {"groups": 2}),
        group_norm("large mean, small variance", (3, 6, 5, 8), {"groups": 2}, values=far_from_zero),
        group_norm("gradient of gamma and beta only", (2, 3, 8), {"groups": 4}, grad=(1, 2)),
    ],
    "batch_norm": [
        batch_norm("images", (3, 5, 4, 7)),
        batch_norm("images, moving statistics", (3, 5, 4, 7), training=False),
        batch_norm("vectors, no gamma", (9, 13), {"epsilon": 1e-5}, gamma=False),
        batch_norm("vectors, no beta, moving statistics", (9, 13), training=False, beta=False),
        batch_norm("neither gamma nor beta", (6, 2, 3, 5), {"momentum": 0.9}, gamma=False, beta=False),
        batch_norm("channels first", (3, 7, 5, 4), {"axis": 1}),
        batch_norm("channels first, moving statistics", (3, 7, 5, 4), {"axis": 1}, training=False),
        batch_norm("axis in the middle of many", (40, 3, 70), {"axis": 1}),
        batch_norm("many blocks", (700, 4, 3, 5)),
        batch_norm("many channels", (50, 2000), tolerance=8),  # 2000 channels: the worst of many
        batch_norm("one channel", (50, 1)),
        # The rounding of x itself, 1000 times larger than what is left of it.
        batch_norm("large mean, small variance", (16, 8, 8, 3), values=far_from_zero),
        batch_norm("large mean, channels first", (16, 3, 8, 8), {"axis": 1}, values=far_from_zero),
        # One element for each channel: y = beta, and nothing flows to x or gamma.
        batch_norm("one element", (1, 6), grad=(0, 2), numeric=False),
        batch_norm("relu", (3, 5, 4, 21), {"activation": "relu"}),
        batch_norm("relu, moving statistics", (2, 3, 4, 21), {"activation": "relu"}, training=False),
        batch_norm("relu, moving statistics, one gradient", (9, 33), {"activation": "relu"}, training=False, grad=(0,)),
        batch_norm("relu6, wide", (9, 3, 40), {"activation": "relu6"}, gamma=False, values=wide),
        batch_norm("relu, channels first", (3, 7, 5, 4), {"axis": 1, "activation": "relu"}),
        batch_norm("relu6, channels first, residual", (3, 7, 5, 4), {"axis": 1, "activation": "relu6"}, residual=True),
        batch_norm("residual", (4, 3, 2, 18), residual=True),
        batch_norm("residual, relu", (4, 3, 2, 18), {"activation": "relu"}, residual=True),
        batch_norm("residual, relu, blocks", (700, 6), {"activation": "relu"}, residual=True),
        batch_norm("residual, relu6, moving", (5, 3, 17), {"activation": "relu6"}, residual=True, training=False),
        Case(
            "training asked for in a plan for inference",
            [(4, 3, 3, 5), (5,), (5,), (5,), (5,)],
            {"training": True},
            values=VALUES,
            tolerance=4,
        ),
    ],
    "dropout": [
        Case("half", [(7, 5, 3)], {"rate": 0.5}, values="away_from_zero", training=True),
        Case("tenth, several blocks", [(13, 401)], {"rate": 0.1, "seed": 77}, values="positive", training=True),
        Case("most", [(50, 41)], {"rate": 0.9}, values="positive", training=True, min_nonzero=0.05),
        Case("rate 0", [(4, 5)], {"rate": 0.0}, training=True),
        Case("plan for inference", [(6, 7)], {"rate": 0.5}),
        Case("scalar", [()], {"rate": 0.25}, values="ones", training=True, min_nonzero=0),
    ],
    "random": [
        Case("uniform", [None], {"distribution": "uniform", "shape": (13, 401)}),
        Case("normal", [None], {"distribution": "normal", "shape": (3, 5, 77), "seed": 5}),
        Case("normal, plan for training", [None], {"distribution": "normal", "shape": (6, 7)}, training=True),
        Case("truncated normal", [None], {"distribution": "truncated_normal", "shape": (50, 31)}),
        Case("sizes of x", [(7, 5, 3)], {"distribution": "normal", "shape": (-1, 1, -1)}),
        Case("more axes than x, fewer", [(7, 5)], {"distribution": "uniform", "shape": (-1, 4, 6)}),
        Case("fixed", [(4, 3)], {"distribution": "normal", "shape": (-1, 9), "seed": -3, "fixed": True}),
        Case("scalar", [None], {"distribution": "uniform", "shape": ()}),
        Case("empty", [(0, 3)], {"distribution": "truncated_normal", "shape": (-1, 3)}),
    ],
}

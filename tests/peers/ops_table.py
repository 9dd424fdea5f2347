"""Calls of functions that are tried in both libraries: (name, tensors, settings). The tensors come first."""

import numpy as np

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4)).astype(np.float32)
B = (np.abs(RNG.normal(size=(3, 4))) + 0.5).astype(np.float32)
UNIT = RNG.uniform(-0.9, 0.9, (3, 4)).astype(np.float32)
WHOLE = RNG.integers(-5, 6, (3, 4)).astype(np.int32)
COUNTS = RNG.integers(1, 6, (3, 4)).astype(np.int32)
BOOLS = A > 0
ODD = np.float32([1, -1, 0, np.nan, np.inf, -np.inf, -0.0, 2.5])
HOLES = np.where(RNG.uniform(size=(3, 4)) < 0.3, np.nan, A).astype(np.float32)
HOLES[1] = np.nan
CUBE = RNG.permutation(24).reshape(2, 3, 4).astype(np.float32)
VECTOR = np.float32([3, 1, 2, 5, 4])
RISING = np.float32([-1, 0, 0, 1.5, 4])
SQUARE = RNG.normal(size=(2, 3, 3)).astype(np.float32)
IMAGE = RNG.normal(size=(2, 4, 4, 8)).astype(np.float32)

CALLS = [
    *[
        (name, (x,), {})
        for name in ("tan", "arcsinh", "exp2", "cbrt", "erf", "erfc", "sinc", "deg2rad", "rad2deg", "trunc", "fabs")
        for x in (A, WHOLE, BOOLS)
        if (name, x.dtype) not in (("trunc", bool), ("erfc", bool), ("erf", bool))
    ],
    *[(name, (UNIT,), {}) for name in ("arcsin", "arccos", "arctanh", "erfinv")],
    *[(name, (x,), {}) for name in ("log2", "log10") for x in (B, COUNTS)],
    ("arccosh", (B + 1,), {}),
    *[
        (name, (ODD,), {})
        for name in ("isnan", "isinf", "isfinite", "isneginf", "isposinf", "signbit", "nan_to_num", "trunc", "isreal")
    ],
    ("nan_to_num", (ODD,), {"nan": 1.0, "posinf": 2.0, "neginf": -3.0}),
    *[(name, (WHOLE,), {}) for name in ("isnan", "isinf", "isfinite", "nan_to_num", "signbit")],
    *[(name, (A, B), {}) for name in ("arctan2", "hypot", "logaddexp", "logaddexp2", "mod", "fmod", "floor_divide")],
    *[(name, (WHOLE, COUNTS), {}) for name in ("arctan2", "hypot", "logaddexp", "mod", "fmod", "floor_divide", "fmax")],
    *[(name, (A, B[0]), {}) for name in ("divide_no_nan", "fmax", "fmin", "mod")],
    ("divide_no_nan", (A, np.float32([0, 1, 2, 0])), {}),
    ("divide_no_nan", (WHOLE, COUNTS - 1), {}),
    *[(name, (HOLES, A), {}) for name in ("fmax", "fmin")],
    ("heaviside", (np.float32([-1, 0, 2]), np.float32([5, 0.5, 5])), {}),
    ("ldexp", (A, COUNTS), {}),
    *[(name, (COUNTS, WHOLE), {}) for name in ("gcd", "lcm")],
    ("nextafter", (A, B), {}),
    *[
        (name, args, {})
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
        for args in ((WHOLE, COUNTS), (BOOLS, ~BOOLS), (WHOLE, BOOLS))
    ],
    *[(name, (x,), {}) for name in ("bitwise_not", "bitwise_invert") for x in (WHOLE, BOOLS)],
    *[
        (name, (WHOLE, COUNTS), {})
        for name in ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift")
    ],
    ("logical_xor", (BOOLS, WHOLE), {}),
    ("isclose", (A, A + 1e-6), {}),
    ("isclose", (ODD, ODD), {}),
    ("isclose", (ODD, ODD), {"equal_nan": True}),
    ("isclose", (A, B), {"atol": 1.0}),
    ("allclose", (A, A), {}),
    ("allclose", (A, B), {}),
    ("isin", (WHOLE, COUNTS), {}),
    ("isin", (WHOLE, COUNTS), {"invert": True}),
    ("select", ([A > 1, A < 0], [A, B], WHOLE), {}),
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("all", "any", "ptp")
        for x in (A, WHOLE, BOOLS)
        for axis in (None, 0, (0, 1), -1)
        for keepdims in (False, True)
        if (name, x.dtype) != ("ptp", bool) and (axis is not None or not keepdims)
    ],
    *[("count_nonzero", (WHOLE,), {"axis": axis}) for axis in (None, 0, 1)],
    *[("average", (x,), {"axis": axis}) for x in (A, WHOLE) for axis in (None, 0, 1)],
    ("average", (A, 1, B[0]), {}),
    ("moments", (A, [0]), {}),
    ("moments", (CUBE, [0, 2], True), {}),
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd", "nanmedian")
        for x in (HOLES, WHOLE)
        for axis in (None, 0, 1)
        for keepdims in (False, True)
        if axis is not None or not keepdims
    ],
    *[(name, (HOLES,), {"axis": axis}) for name in ("nanargmax", "nanargmin") for axis in (0, None)],
    *[
        (name, (x,), {"axis": axis})
        for name in ("cumsum", "cumprod", "nancumsum", "nancumprod")
        for x in (A, WHOLE, BOOLS)
        for axis in (None, 0, -1)
    ],
    ("cumsum", (BOOLS,), {"axis": 0, "dtype": "float32"}),
    ("nancumsum", (HOLES,), {"axis": 1}),
    *[("diff", (x,), {"n": n, "axis": axis}) for x in (A, WHOLE) for n in (1, 2) for axis in (0, -1)],
    ("trapezoid", (A,), {}),
    ("trapezoid", (A, B), {"axis": 0}),
    ("trapezoid", (A,), {"dx": 0.5, "axis": 0}),
    *[("sort", (x,), {"axis": axis}) for x in (A, WHOLE) for axis in (0, -1)],
    *[
        (name, (x,), {"axis": axis, "keepdims": keepdims})
        for name in ("median",)
        for x in (CUBE, WHOLE)
        for axis in (None, 0, (0, 1), -1)
        for keepdims in (False, True)
        if axis is not None or not keepdims
    ],
    *[
        (name, (x, q), {"axis": axis, "method": method})
        for name, x in (("quantile", CUBE), ("nanquantile", HOLES[[0, 2]]))
        for q, axis, method in (
            (0.3, None, "linear"),
            (0.3, 0, "midpoint"),
            (0.4, -1, "nearest"),
            ([0.1, 0.5, 1.0], None, "linear"),
            ([0.1, 0.5, 1.0], 0, "lower"),
            ([0.1, 0.5, 1.0], -1, "higher"),
        )
    ],
    ("percentile", (CUBE, 30), {"axis": 1}),
    ("nanpercentile", (HOLES[[0, 2]], 30), {"axis": 1}),
    *[("searchsorted", (RISING, x), {"side": side}) for x in (VECTOR, RISING, A) for side in ("left", "right")],
    ("digitize", (A, RISING), {}),
    ("in_top_k", (np.int32([1, 0, 3]), A), {"k": 2}),
    *[("bincount", (x,), {}) for x in (COUNTS[0], COUNTS[1])],
    ("bincount", (COUNTS[0], B[0]), {"minlength": 9}),
    ("histogram", (VECTOR,), {"bins": 4}),
    ("histogram", (A[0],), {"bins": 3, "range": (-1, 1)}),
    ("unique", (WHOLE,), {}),
    ("unique", (WHOLE,), {"return_inverse": True, "return_counts": True}),
    ("unravel_index", (np.int32([3, 23, 7]),), {"shape": (2, 3, 4)}),
    ("append", (A, B), {}),
    ("append", (A, WHOLE), {"axis": 1}),
    *[(name, ([A, B],), {}) for name in ("hstack", "vstack", "dstack")],
    *[(name, ([VECTOR, RISING],), {}) for name in ("hstack", "vstack", "dstack")],
    ("split", (A, 2), {"axis": 1}),
    ("split", (A, [1, 3]), {"axis": -1}),
    ("array_split", (A, 3), {"axis": 1}),
    ("vsplit", (A, 3), {}),
    ("hsplit", (A, 2), {}),
    ("dsplit", (CUBE, [1]), {}),
    *[("unstack", (A,), {"axis": axis}) for axis in (0, -1)],
    *[("flip", (CUBE,), {"axis": axis}) for axis in (None, 0, (0, 2), -1)],
    ("fliplr", (A,), {}),
    ("flipud", (A,), {}),
    *[("roll", (CUBE, shift), {"axis": axis}) for shift, axis in ((1, None), (-2, 1), (7, 2), ((1, 2), (0, 2)))],
    *[("rot90", (CUBE,), {"k": k, "axes": axes}) for k in (0, 1, 2, 3, -1) for axes in ((0, 1), (2, 1))],
    ("ravel", (CUBE,), {}),
    ("swapaxes", (CUBE, 0, -1), {}),
    *[("repeat", (CUBE, n), {"axis": axis}) for n, axis in ((2, None), (3, 1), (np.array([1, 2, 1]), 1))],
    *[("tile", (A, n), {}) for n in ((2,), (2, 3), (2, 1, 2))],
    *[("diag", (x,), {"k": k}) for x in (VECTOR, A) for k in (0, 1, -2)],
    ("diagflat", (A,), {"k": 1}),
    *[("diagonal", (CUBE,), {"offset": k, "axis1": a, "axis2": b}) for k, a, b in ((0, 0, 1), (1, 1, 2), (-1, 2, 0))],
    *[("trace", (CUBE,), {"offset": k, "axis1": a, "axis2": b}) for k, a, b in ((0, 0, 1), (1, 1, 2))],
    *[(name, (CUBE,), {"k": k}) for name in ("tril", "triu") for k in (0, 1, -1)],
    ("tril", (WHOLE,), {}),
    *[("tri", args, {}) for args in ((3,), (2, 4, 1), (3, 3, -1, "int32"))],
    ("cross", (A[:2, :3].copy(), B[:2, :3].copy()), {}),
    ("cross", (A.T[:3, :2].copy(), B.T[:3, :2].copy()), {"axis": 0}),
    ("kron", (A, B[:2]), {}),
    ("kron", (VECTOR, A), {}),
    *[("vander", (VECTOR,), {"N": n, "increasing": up}) for n, up in ((None, False), (3, True))],
    ("corrcoef", (A,), {}),
    *[("correlate", (VECTOR, RISING[:3]), {"mode": mode}) for mode in ("valid", "same", "full")],
    ("linspace", (0, 1, 5), {}),
    ("linspace", (1.0, 4.0, 4), {"endpoint": False}),
    ("linspace", (A, B, 3), {}),
    ("linspace", (A, B), {"num": 3, "endpoint": False}),
    ("logspace", (0, 2, 4), {}),
    ("geomspace", (1, 16, 5), {}),
    *[("meshgrid", (VECTOR, RISING[:2], A[0]), {"indexing": i}) for i in ("xy", "ij")],
    *[(name, (7,), {}) for name in ("bartlett", "blackman", "hamming", "hanning")],
    ("kaiser", (7, 4.0), {}),
    *[(name, (x,), {}) for name in ("zeros_like", "ones_like") for x in (A, WHOLE, BOOLS)],
    ("full_like", (A, 2), {}),
    ("full_like", (WHOLE, 3), {"dtype": "float32"}),
    ("array", ([1, 2],), {}),
    ("copy", (A,), {}),
    ("saturate_cast", (A,), {"dtype": "int32"}),
    ("scatter", (np.int32([[0], [2], [0]]), VECTOR[:3]), {"shape": (4,)}),
    ("scatter", (np.int32([[0, 1], [2, 0], [0, 1]]), A[:3]), {"shape": (3, 2, 4)}),
    *[
        ("scatter_update", (A, np.int32([[0, 1], [2, 3], [1, 0]]), VECTOR[:3]), {"reduction": r})
        for r in (None, "add", "mul", "max", "min")
    ],
    ("scatter_update", (A, np.int32([[2], [0]]), B[:2]), {}),
    ("scatter_update", (WHOLE, np.int32([[2], [2]]), COUNTS[:2]), {"reduction": "add"}),
    ("slice_update", (A, [1, 2], B[:2, :2].copy()), {}),
    ("slice_update", (WHOLE, [0, 1], COUNTS[:, :1].copy()), {}),
    *[
        (name, (x, np.int32([2, 0, 2])), {"num_segments": 4})
        for name in ("segment_sum", "segment_prod", "segment_max", "segment_min")
        for x in (A, VECTOR[:3], WHOLE)
        if x.dtype == np.float32 or name != "segment_min"  # there an empty one of int32 has the lowest
    ],
    ("extract_sequences", (A,), {"sequence_length": 2, "sequence_stride": 1}),
    ("fft", ((A, B),), {}),
    ("fft2", ((A, B),), {}),
    ("ifft2", ((A, B),), {}),
    *[("rfft", (A,), {"fft_length": n}) for n in (None, 3, 6)],
    *[("irfft", ((A, B),), {"fft_length": n}) for n in (None, 5)],
    *[
        ("stft", (np.sin(np.arange(40, dtype=np.float32)), length, 3, 8), {"window": window, "center": center})
        for length, window in ((8, "hann"), (6, "hamming"), (5, None))
        for center in (True, False)
    ],
    ("angle", (A,), {}),
    *[(name, (A,), {}) for name in ("real", "conj", "conjugate", "i0")],
    ("view_as_complex", (A[:, :2],), {}),
    ("polar", (B, A), {}),
    ("norm", (A,), {}),
    *[("norm", (A,), {"ord": o, "axis": axis}) for o in (None, 1, 2, 3, np.inf, -np.inf, 0) for axis in (0, -1)],
    *[("norm", (CUBE,), {"ord": o, "axis": (0, 2)}) for o in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
    ("norm", (A,), {"axis": 1, "keepdims": True}),
    *[("normalize", (A,), {"axis": axis, "order": o}) for axis, o in ((-1, 2), (0, 1), (1, 3))],
    ("cdist", (A, B), {}),
    ("psnr", (A, B), {"max_val": 2.0}),
    *[(name, (SQUARE,), {}) for name in ("det", "inv", "slogdet", "lu_factor", "pinv", "qr", "matrix_rank")],
    ("logdet", (SQUARE @ SQUARE.swapaxes(1, 2),), {}),
    *[("cholesky", (SQUARE @ SQUARE.swapaxes(1, 2) + np.eye(3, dtype="f4"),), {"upper": u}) for u in (False, True)],
    ("cholesky_inverse", (SQUARE[0] + 3 * np.eye(3, dtype="f4"),), {}),
    ("solve", (SQUARE, SQUARE), {}),
    ("solve", (SQUARE[0], VECTOR[:3]), {}),
    *[("solve_triangular", (SQUARE + 3 * np.eye(3, dtype="f4"), SQUARE), {"lower": low}) for low in (False, True)],
    ("lstsq", (A[:, :2], B[:, 0]), {}),
    ("svd", (SQUARE,), {"compute_uv": False}),
    *[(name, (IMAGE, 2), {"data_format": f}) for name in ("depth_to_space", "space_to_depth")
      for f in ("channels_last", "channels_first")],
    *[("unfold", (IMAGE, k), {"padding": p, "stride": s, "dilation": d})
      for k, p, s, d in ((2, 0, 1, 1), ((2, 3), (1, 0), (2, 1), 1), (2, 1, 2, 2))],
    ("fold", (RNG.normal(size=(2, 12, 9)).astype(np.float32), (4, 4), 2), {}),
    ("fold", (RNG.normal(size=(2, 12, 8)).astype(np.float32), (4, 6), 2), {"stride": 2, "padding": (0, 1)}),
    ("get_item", (A, np.array([2, 0])), {}),
    ("get_item", (CUBE, (slice(None), [0, 2])), {}),
    ("get_item", (CUBE, (np.array([0, 1]), np.array([2, 0]))), {}),
    ("get_item", (CUBE, ([0, 1], slice(None), [[1], [2]])), {}),
    ("get_item", (CUBE, (..., [3, -1], None)), {}),
    ("get_item", (A, A > 0), {}),
    ("get_item", (A, (slice(0, 2), BOOLS[0])), {}),
    ("multi_hot", (np.int32([[0, 2], [1, 1]]), 4), {}),
]  # fmt: skip

# Computed by NumPy, of arrays only.
ON_ARRAYS = {
    "angle", "bincount", "cholesky", "cholesky_inverse", "conj", "conjugate", "correlate", "det", "eig", "eigh", "fft",
    "fft2", "gcd", "histogram", "i0", "ifft2", "imag", "inv", "irfft", "istft", "lcm", "logdet", "lstsq", "lu_factor",
    "matrix_rank", "nextafter", "nonzero", "pinv", "polar", "qr", "real", "rfft", "slogdet", "solve",
    "solve_triangular", "stft", "svd", "unique", "view_as_complex", "view_as_real",
}  # fmt: skip

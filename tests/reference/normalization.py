"""Batch, layer, group and local response normalization, dropout and random numbers."""

import numpy as np

from reference import DEFAULT_RUN

LIMITS = {"linear": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}


def along(axis, x):
    """All axes but one, and a function that lays a row of channels along that one."""
    axis %= x.ndim
    others = tuple(i for i in range(x.ndim) if i != axis)
    shape = [1] * x.ndim
    shape[axis] = -1
    return others, lambda row: row.reshape(shape)


def batch_statistics(x, axis):
    """Mean and biased variance of each channel."""
    others, lay = along(axis, x)
    mean = x.mean(others)
    return mean, ((x - lay(mean)) ** 2).mean(others)


def batch_norm(
    x,
    gamma,
    beta,
    moving_mean,
    moving_var,
    residual=None,
    *,
    axis=-1,
    momentum=0.99,
    epsilon=0.001,
    training=False,
    activation="linear",
    run=DEFAULT_RUN,
):
    """x (...), gamma, beta, moving_mean, moving_var (c), residual (...) -> (...), the c channels along `axis`:
    y = act(v), v = gamma z + beta + residual, z = (x - mean) s, s = 1 / sqrt(variance + epsilon)
    Where absent, gamma is 1, beta and residual 0. act: linear is v, relu max(v, 0), relu6 min(max(v, 0), 6).
    mean and variance are moving_mean and moving_var; with `training`, in a plan for training, those of x: over the
    m elements of a channel, squares divided by m. Such a run ends with moving = momentum moving + (1 - momentum) (that
    of x) for both, if both are variables.
    """
    mean, variance = batch_statistics(x, axis) if training and run.training else (moving_mean, moving_var)
    _, lay = along(axis, x)
    y = (x - lay(mean)) / np.sqrt(lay(variance) + epsilon)
    if gamma is not None:
        y = y * lay(gamma)
    if beta is not None:
        y = y + lay(beta)
    if residual is not None:
        y = y + residual
    return np.clip(y, *LIMITS[activation])


def batch_norm_backward(
    dy,
    x,
    gamma,
    beta,
    moving_mean,
    moving_var,
    residual=None,
    *,
    axis=-1,
    momentum=0.99,
    epsilon=0.001,
    training=False,
    activation="linear",
    run=DEFAULT_RUN,
):
    """dv = dy act'(v), act' 0 at the bounds; all sums are over the elements of a channel:
    dgamma = sum of dv z        dbeta = sum of dv        dresidual = dv
    moving ones: dx = gamma s dv, dmoving_mean = -gamma s (sum of dv), dmoving_var = -gamma s^2 (sum of dv z) / 2
    those of x: dx = gamma s (dv - (sum of dv) / m - z (sum of dv z) / m); moving_mean and moving_var get none
    """
    # In training mode by the chain rule through variance and mean, step by step.
    of_batch = training and run.training
    mean, variance = batch_statistics(x, axis) if of_batch else (moving_mean, moving_var)
    others, lay = along(axis, x)
    centered = x - lay(mean)
    deviation = np.sqrt(variance + epsilon)
    v = batch_norm(
        x, gamma, beta, moving_mean, moving_var, residual, axis=axis, epsilon=epsilon, training=training, run=run
    )
    dy = dy * ((LIMITS[activation][0] < v) & (v < LIMITS[activation][1]))
    dgamma = (dy * centered / lay(deviation)).sum(others)
    dbeta = dy.sum(others)
    dz = dy if gamma is None else dy * lay(gamma)
    dvariance = (dz * centered).sum(others) * -0.5 / deviation**3
    dmean = -dz.sum(others) / deviation
    dx = dz / lay(deviation)
    if of_batch:
        count = x.size // len(mean)
        dx = dx + lay(dvariance) * 2 * centered / count + lay(dmean) / count
        dmean = dvariance = None
    gradients = (dx, None if gamma is None else dgamma, None if beta is None else dbeta, dmean, dvariance)
    return gradients if residual is None else (*gradients, dy)


def batch_norm_moving(x, moving_mean, moving_var, *, axis=-1, momentum=0.99):
    """The moving statistics after a training step on x."""
    mean, variance = batch_statistics(x, axis)
    return moving_mean * momentum + mean * (1 - momentum), moving_var * momentum + variance * (1 - momentum)


def random_words(count, seed, step, draw):
    """`count` numbers of 32 bits: Philox4x32-10 of (seed, step, draw), four for each value of the counter."""
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    counter = [blocks, *(np.full_like(blocks, number) for number in (draw, step & 0xFFFFFFFF, step >> 32))]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        left, right = np.uint64(0xD2511F53) * counter[0], np.uint64(0xCD9E8D57) * counter[2]
        counter = [
            (right >> half) ^ counter[1] ^ np.uint64(key[0]),
            right & low,
            (left >> half) ^ counter[3] ^ np.uint64(key[1]),
            left & low,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(counter, axis=-1).reshape(-1)[:count]


def random_numbers(count, seed, step, draw):
    """`count` uniform numbers in [0, 1): the upper 24 of the bits."""
    return (random_words(count, seed, step, draw) >> np.uint64(8)) / 2.0**24


def normal_numbers(count, seed, step, draw):
    """Two normal numbers of two words, by the transform of Box and Muller; see kernels/random/normal.inc.h."""
    words = random_words(-(-count // 2) * 2, seed, step, draw)
    a, b = words[::2], words[1::2]
    r = np.sqrt(-2 * np.log(((a >> np.uint64(8)) + 0.5) / 2.0**24))
    t = ((b >> np.uint64(8)) / 2.0**24 - 0.5) * np.pi / 2
    c, s = np.where(b & np.uint64(1), -np.cos(t), np.cos(t)), np.sin(t)
    turned = (a & np.uint64(1)).astype(bool)
    return np.stack([r * np.where(turned, s, c), r * np.where(turned, c, s)], axis=-1).reshape(-1)[:count]


def dropout_mask(shape, rate, seed, run):
    if not run.training:
        return np.ones(shape)
    mixed = run.seed ^ (seed * 0x9E3779B97F4A7C15) % 2**64
    uniform = random_numbers(int(np.prod(shape)), mixed, run.step, run.draw).reshape(shape)
    return (uniform >= np.float32(rate)) / (1 - np.float64(np.float32(rate)))


def dropout(x, *, rate, seed=0, run=DEFAULT_RUN):
    """(...) -> (...): y = x m; in a plan for training m is 0 with probability `rate`, else 1 / (1 - rate); in others 1.
    m is a function of the seed and step of the run, `seed`, the node's number and the element's. 0 <= rate < 1.
    """
    return x * dropout_mask(x.shape, rate, seed, run)


def dropout_backward(dy, x, *, rate, seed=0, run=DEFAULT_RUN):
    """dx = dy m"""
    return (dy * dropout_mask(x.shape, rate, seed, run),)


def random(x=None, *, distribution, shape=(), seed=0, fixed=False, run=DEFAULT_RUN):
    """x (...) -> (shape): y of random numbers; a size of -1 is that of x along the same axis, all that x is for.
    uniform: from 0 up to 1, without it; normal: of mean 0 and deviation 1; truncated_normal: a normal number beyond
    -2 .. 2 is drawn again. A number is a function of the seed and step of the run, `seed`, the node's number and the
    element's; with `fixed` of `seed` and the element's number. Plans for training and others draw the same.
    """
    shape = [x.shape[k] if size == -1 else size for k, size in enumerate(shape)]
    own = seed * 0x9E3779B97F4A7C15 % 2**64
    place = (own, 0, 0) if fixed else (run.seed ^ own, run.step, run.draw)
    count = int(np.prod(shape))
    if distribution == "uniform":
        return random_numbers(count, *place).reshape(shape)
    y, attempt = normal_numbers(count, *place), 0
    while distribution == "truncated_normal" and np.any(np.abs(y) > 2):
        attempt += 1
        again = normal_numbers(count, place[0] ^ attempt * 0xD1B54A32D192ED03 % 2**64, *place[1:])
        y = np.where(np.abs(y) > 2, again, y)
    return y.reshape(shape)


def _row_moments(x, axis, rms):
    axes = tuple(range(axis % x.ndim, x.ndim))
    mean = 0 * x if rms else x.mean(axes, keepdims=True)
    return axes, x - mean, ((x - mean) ** 2).mean(axes, keepdims=True)


def layer_norm(x, gamma=None, beta=None, *, axis=-1, epsilon=0.001, rms=False):
    """x (...), gamma, beta: the sizes of x from `axis` on -> (...): for each position on the axes before `axis`,
    y = gamma z + beta, z = (x - mean) s, s = 1 / sqrt(variance + epsilon), of the n elements on the others
    mean = (sum of x) / n, with `rms` 0; variance = (sum of (x - mean)^2) / n. Where absent, gamma is 1 and beta 0.
    """
    _, centered, variance = _row_moments(x, axis, rms)
    y = centered / np.sqrt(variance + epsilon)
    if gamma is not None:
        y = y * gamma
    return y if beta is None else y + beta


def layer_norm_backward(dy, x, gamma=None, beta=None, *, axis=-1, epsilon=0.001, rms=False):
    """With g = dy gamma, and sums over the n elements of a row but those of dgamma and dbeta, which are over the rows:
    dx = s (g - (sum of g) / n - z (sum of g z) / n), with `rms` s (g - z (sum of g z) / n)
    dgamma = sum of dy z        dbeta = sum of dy
    """
    axes, centered, variance = _row_moments(x, axis, rms)
    deviation = np.sqrt(variance + epsilon)
    dz = dy if gamma is None else dy * gamma
    dvariance = (dz * centered).sum(axes, keepdims=True) * -0.5 / deviation**3
    n = np.prod([x.shape[i] for i in axes])
    dx = dz / deviation + dvariance * 2 * centered / n
    if not rms:
        dx = dx - (dz / deviation).sum(axes, keepdims=True) / n
    rows = tuple(range(axis % x.ndim))
    dgamma = None if gamma is None else (dy * centered / deviation).sum(rows)
    return dx, dgamma, None if beta is None else dy.sum(rows)


def group_norm(x, gamma=None, beta=None, *, groups=1, epsilon=0.001):
    """x (n, ..., c), gamma, beta (c) -> (n, ..., c): of each sample, `groups` times c / groups neighbouring channels,
    y = gamma z + beta, z = (x - mean) / sqrt(variance + epsilon), mean and variance (squares divided by their number)
    over all positions and channels of the group. Where absent, gamma is 1 and beta 0.
    """
    rows = x.reshape(len(x), -1, groups, x.shape[-1] // groups).swapaxes(1, 2)
    y = layer_norm(rows, axis=2, epsilon=epsilon).swapaxes(1, 2).reshape(x.shape)
    if gamma is not None:
        y = y * gamma
    return y if beta is None else y + beta


def group_norm_backward(dy, x, gamma=None, beta=None, *, groups=1, epsilon=0.001):
    """With g = dy gamma, s = 1 / sqrt(variance + epsilon), and sums over the m elements of a group in dx, over those of
    a channel in the others:
    dx = s (g - (sum of g) / m - z (sum of g z) / m)        dgamma = sum of dy z        dbeta = sum of dy
    """
    shape = (len(x), -1, groups, x.shape[-1] // groups)
    g = dy if gamma is None else dy * gamma
    dx = layer_norm_backward(g.reshape(shape).swapaxes(1, 2), x.reshape(shape).swapaxes(1, 2), axis=2, epsilon=epsilon)[
        0
    ]
    z = group_norm(x, groups=groups, epsilon=epsilon)
    others = tuple(range(x.ndim - 1))
    dgamma = None if gamma is None else (dy * z).sum(others)
    return dx.swapaxes(1, 2).reshape(x.shape), dgamma, None if beta is None else dy.sum(others)


def lrn_sums(terms, before, behind):
    """Of each channel the sum of the terms from `before` channels in front of it to `behind` channels behind."""
    c = terms.shape[-1]
    ranges = [slice(max(i - before, 0), i + behind + 1) for i in range(c)]
    return np.stack([terms[..., window].sum(-1) for window in ranges], axis=-1) if c else terms


def lrn(x, *, size, alpha=0.0001, beta=0.75, bias=1.0, alpha_over_size=True):
    """(..., c) -> (..., c), over neighbouring channels:
    y[i] = x[i] / d[i]^beta, d[i] = bias + a sum of x[j]^2, j from i - floor((size - 1) / 2) to i + ceil((size - 1) / 2)
    as far as there are channels, where a is alpha / size, or alpha if not alpha_over_size.
    """
    a = alpha / size if alpha_over_size else alpha
    return x / (bias + a * lrn_sums(x**2, (size - 1) // 2, size // 2)) ** beta


def lrn_backward(dy, x, *, size, alpha=0.0001, beta=0.75, bias=1.0, alpha_over_size=True):
    """dx[j] = dy[j] / d[j]^beta - 2 a beta x[j] sum of dy[i] x[i] / d[i]^(beta + 1) over the i in whose windows j is"""
    a = alpha / size if alpha_over_size else alpha
    d = bias + a * lrn_sums(x**2, (size - 1) // 2, size // 2)
    return (dy / d**beta - 2 * a * beta * x * lrn_sums(dy * x / d ** (beta + 1), size // 2, (size - 1) // 2),)

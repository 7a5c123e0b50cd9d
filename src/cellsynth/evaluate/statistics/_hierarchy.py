"""What two orders of the same methods may truly be, given scores with noise on two sets."""

import numpy as np
from jaxtyping import Float

_SPREADS = (np.arange(16) + 0.5) / 16 * 2.5
"""True spread of the methods that is considered, as share of the observed one."""

_CORRELATIONS = np.concatenate([[-1.0], (np.arange(31) + 0.5) / 31 * 2 - 1, [1.0]])
"""True correlation of both sets that is considered; at the ends both orders are one, or reversed."""

_BELIEFS = np.concatenate([[0.1], np.full(31, 0.8 / 31), [0.1]])
"""Share of each correlation beforehand. Without a share for the ends themselves an interval of tau leaves out 1 where
the scores do not speak against one order: in a quarter of studies of methods that differ by half a standard error."""


def plausible_levels(
    a: Float[np.ndarray, " m"],
    noise_a: Float[np.ndarray, "n m"],
    b: Float[np.ndarray, " m"],
    noise_b: Float[np.ndarray, "n m"],
    generator: np.random.Generator,
) -> tuple[Float[np.ndarray, "n m"], Float[np.ndarray, "n m"]]:
    """Draw true levels of the methods on both sets from what the observed ones leave possible [1]_.

    True levels are taken to be normal over methods, with an unknown spread on each set and an unknown correlation
    between the sets, uniform beforehand but for its ends; observed ones have noise on top. Given spreads and
    correlation, a draw of levels and noise is moved to the observation by the normal regression [2]_.

    Parameters
    ----------
    a, b
        Observed level of each method, less the mean over methods.
    noise_a, noise_b
        Errors of the same, as many draws as are wanted.

    References
    ----------
    .. [1] B. Efron, C. Morris, "Data analysis using Stein's estimator and its generalizations", J. Am. Stat. Assoc. 70
       (1975) 311-319, with the spread integrated out instead of estimated.
    .. [2] Y. Hoffman, E. Ribak, "Constrained realizations of Gaussian fields", Astrophys. J. 380 (1991) L5-L8, Eq. 3.
    """
    n = len(noise_a)
    var_a, var_b = (
        np.maximum((e**2).mean(axis=0), 1e-12 * (x @ x) + 1e-300) for e, x in ((noise_a, a), (noise_b, b))
    )
    tops = [np.sqrt((x @ x) / (len(x) - 1) + v.mean()) for x, v in ((a, var_a), (b, var_b))]
    grid = np.meshgrid(_SPREADS * tops[0], _SPREADS * tops[1], _CORRELATIONS, indexing="ij")
    spread_a, spread_b, correlation = (g.reshape(-1, 1) for g in grid)
    shared = correlation * spread_a * spread_b
    p, q = spread_a**2 + var_a, spread_b**2 + var_b
    determinant = p * q - shared**2
    misfit = (q * a * a - 2 * shared * a * b + p * b * b) / determinant
    likelihood = -(np.log(determinant) + misfit).sum(axis=1) / 2
    belief = np.broadcast_to(_BELIEFS, grid[0].shape).ravel()
    weight = np.exp(likelihood - likelihood.max()) * belief
    chosen = generator.choice(len(weight), n, p=weight / weight.sum())
    spread_a, spread_b, correlation, shared = (g[chosen] for g in (spread_a, spread_b, correlation, shared))
    p, q, determinant = p[chosen], q[chosen], determinant[chosen]

    first, second = generator.normal(size=(2, n, len(a)))
    level_a = spread_a * first
    level_b = spread_b * (correlation * first + np.sqrt(1 - correlation**2) * second)
    gap_a, gap_b = a - level_a - noise_a, b - level_b - noise_b
    pull_a, pull_b = (q * gap_a - shared * gap_b) / determinant, (p * gap_b - shared * gap_a) / determinant
    return (
        level_a + spread_a**2 * pull_a + shared * pull_b,
        level_b + shared * pull_a + spread_b**2 * pull_b,
    )

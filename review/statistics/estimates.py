"""How sure a share is, and whether two shares differ: the arithmetic, without any data.

All intervals are two-sided, 95 %.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

Interval = tuple[float, float]
Falling = Callable[[float], float]
Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
TAIL = 0.025  # what an interval leaves out on each side


def wilson(hits: int, of: int) -> Interval | None:
    """Return Wilson's score interval of a share: near its nominal coverage also for few and for extremes.

    Source: Wilson, J Am Stat Assoc 1927;22:209-212. None when there is nothing to share.
    """
    if not of:
        return None
    share, weight = hits / of, Z * Z / of
    middle = share + weight / 2
    reach = Z * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    # At the ends rounding would leave a bound that is off 0 or 1 by a last bit.
    low = 0.0 if hits == 0 else (middle - reach) / (1 + weight)
    high = 1.0 if hits == of else (middle + reach) / (1 + weight)
    return low, high


def share_of(hits: int, of: int) -> dict[str, float | None]:
    """Return a share with Wilson's interval as the cells of a table's row; None where nothing is shared."""
    low, high = wilson(hits, of) or (None, None)
    return {"share": hits / of if of else None, "low": low, "high": high}


def clopper_pearson(hits: int, of: int) -> Interval | None:
    """Return the exact interval of a share: right at least 95 times of 100, however few there are.

    Each bound is the share at which a count as extreme as this has a chance of 2.5 %, found by bisection.
    Source: Clopper and Pearson, Biometrika 1934;26:404-413. None when there is nothing to share.
    """
    if not of:
        return None
    low = 0.0 if hits == 0 else _bisect(lambda p: at_most(hits - 1, of, p) - (1 - TAIL))
    high = 1.0 if hits == of else _bisect(lambda p: at_most(hits, of, p) - TAIL)
    return low, high


def at_most(hits: int, of: int, share: float) -> float:
    """Return the chance of at most `hits` among `of`, each with the chance `share`."""
    if not 0 < share < 1:
        return 1.0 if share <= 0 or hits >= of else 0.0
    yes, no, ways = math.log(share), math.log1p(-share), math.lgamma(of + 1)
    terms = (
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(hits + 1)
    )
    return min(1.0, math.fsum(terms))


def _bisect(falling: Falling) -> float:
    """Return where a function of a share, falling from above 0 to below, is 0."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def same_share(hits: int, of: int, hits_before: int, of_before: int) -> float | None:
    """Return the chance of so large a difference between two shares that are the same (pooled z-test).

    None when fewer than five are expected to be, or not to be, among one of the two: then the test says
    nothing.
    """
    both, total = hits + hits_before, of + of_before
    expected = [both * part / total for part in (of, of_before)] if total else [0.0]
    against = [(total - both) * part / total for part in (of, of_before)] if total else [0.0]
    if min(expected + against) < 5:
        return None
    pooled = both / total
    spread = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_before))
    return math.erfc(abs(hits / of - hits_before / of_before) / spread / math.sqrt(2))


def holm(chances: Sequence[float]) -> list[float]:
    """Return chances corrected for how many were looked at, in the order given.

    Among many terms some differ by chance. With Holm's correction the chance that even one of them is
    called different without being so stays below the level. Source: Holm, Scand J Stat 1979;6:65-70.
    """
    order = sorted(range(len(chances)), key=chances.__getitem__)
    corrected, worst = [0.0] * len(chances), 0.0
    for place, at in enumerate(order):
        worst = max(worst, min(1.0, chances[at] * (len(chances) - place)))
        corrected[at] = worst
    return corrected


def quantiles(done: Iterable[float], waiting: Iterable[float], shares: Sequence[float]) -> list[float | None]:
    """Return the times by which these shares of all were done, those that still wait taken into account.

    Parameters
    ----------
    done
        The times after which things were done.
    waiting
        The times that others have waited so far.
    shares
        In rising order.

    Returns
    -------
    list of float or None
        Kaplan-Meier quantiles; None where fewer were done so far. To leave out what still waits would show
        the quick ones only. Source: Kaplan and Meier, J Am Stat Assoc 1958;53:457-481.
    """
    done, waiting = sorted(done), sorted(waiting)
    found: list[float | None] = []
    left = 1.0
    for before, waited in enumerate(done):
        at_risk = len(done) - before + len(waiting) - bisect_left(waiting, waited)
        left *= 1 - 1 / at_risk
        while len(found) < len(shares) and left <= 1 - shares[len(found)] + 1e-9:
            found.append(waited)
        if len(found) == len(shares):
            break
    return found + [None] * (len(shares) - len(found))

"""Compares encoders at the same SSIM, which none of them hits exactly: what lies between is interpolated."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One picture encoded once."""

    picture: str
    size: str
    encoder: str
    quality: int
    size_bytes: int
    cpu_ms: float
    ssim: float


@dataclass(frozen=True, kw_only=True)
class Price:
    """What an encoder needs to reach an SSIM."""

    size_bytes: float
    cpu_ms: float
    quality: float


def price_at(trials: Sequence[Trial], ssim: float) -> Price | None:
    """Interpolate one encoder's trials of one picture; none when all of them look better, or all worse.

    Between two trials the logarithms of size and of 1 - SSIM are close to a line.
    """
    known = sorted(trials, key=lambda trial: trial.ssim)
    for low, high in pairwise(known):
        if low.ssim <= ssim <= high.ssim and low.ssim < high.ssim:
            share = (_flaw(low.ssim) - _flaw(ssim)) / (_flaw(low.ssim) - _flaw(high.ssim))
            return Price(
                size_bytes=exp(_between(log(low.size_bytes), log(high.size_bytes), share)),
                cpu_ms=_between(low.cpu_ms, high.cpu_ms, share),
                quality=_between(low.quality, high.quality, share),
            )
    return None


def mean_price(prices: Sequence[Price]) -> Price:
    """Return the mean over several pictures."""
    count = len(prices)
    return Price(
        size_bytes=sum(price.size_bytes for price in prices) / count,
        cpu_ms=sum(price.cpu_ms for price in prices) / count,
        quality=sum(price.quality for price in prices) / count,
    )


def _flaw(ssim: float) -> float:
    return log(max(1 - ssim, 1e-9))


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share

"""Writes the trials of encoders as tables: at today's settings, at the same SSIM, and one by one."""

from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Final

from bench.encoders import webp_encoder
from bench.equal_likeness import Price, Trial, mean_price, price_at
from bench.sizes import EFFORT_TODAY, QUALITY_TODAY, SIDES
from bench.ssim import dssim

TARGETS: Final = (0.92, 0.95, 0.98)


def as_markdown(trials: Sequence[Trial]) -> str:
    """Return all tables."""
    parts = ["# Renditions", "", *_today(trials)]
    for size in SIDES:
        of_size = [trial for trial in trials if trial.size == size]
        parts += ["", *_equal(size, of_size)]
    for size in SIDES:
        parts += ["", *_each(size, [trial for trial in trials if trial.size == size])]
    return "\n".join([*parts, ""])


def _today(trials: Sequence[Trial]) -> list[str]:
    """Return what each picture looks like and weighs at the settings of today."""
    rows = [
        "## Today",
        "",
        "| size | encoder | quality | picture | KB | CPU-ms | SSIM | DSSIM |",
        "|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for trial in filter(_is_today, trials):
        rows.append(
            f"| {trial.size} {SIDES[trial.size]} | {trial.encoder} | {trial.quality} | {trial.picture} | "
            f"{trial.size_bytes / 1000:.1f} | {trial.cpu_ms:.1f} | "
            f"{trial.ssim:.4f} | {dssim(trial.ssim):.4f} |"
        )
    return rows


def _equal(size: str, trials: Sequence[Trial]) -> list[str]:
    """Return what each encoder needs for the same SSIM, mean over the pictures on which all reach it."""
    today = {trial.picture: trial.ssim for trial in trials if _is_today(trial)}
    columns = [("as today", today), *((f"SSIM {t:.2f}", dict.fromkeys(today, t)) for t in TARGETS)]
    names = list(dict.fromkeys(trial.encoder for trial in trials))
    prices = [_prices(trials, names, goals) for _, goals in columns]
    heads = [
        f"{title} ({count} pictures): quality, KB, CPU-ms"
        for (title, _), (count, _) in zip(columns, prices, strict=True)
    ]
    rows = [f"| {name} | " + " | ".join(_cell(of.get(name)) for _, of in prices) + " |" for name in names]
    title = f"## {size} {SIDES[size]}: what the same SSIM takes"
    return [title, "", "| encoder | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads), *rows]


def _prices(
    trials: Sequence[Trial], names: Sequence[str], goals: dict[str, float]
) -> tuple[int, dict[str, Price]]:
    """Return how many pictures count, and each encoder's mean price over these."""
    found: dict[str, list[Price]] = {name: [] for name in names}
    for picture, goal in goals.items():
        prices = {name: price_at(_of(trials, picture, name), goal) for name in names}
        if all(prices.values()):
            for name, price in prices.items():
                if price is not None:
                    found[name].append(price)
    count = len(next(iter(found.values()), []))
    return count, {name: mean_price(known) for name, known in found.items() if known}


def _each(size: str, trials: Sequence[Trial]) -> list[str]:
    """Return every encoder at every quality, mean over all pictures."""
    rows = [f"## {size} {SIDES[size]}: all trials, mean over the pictures", ""]
    rows += ["| encoder | quality | KB | CPU-ms | SSIM | DSSIM | lowest SSIM |", "|---|" + "---:|" * 6]
    tried = dict.fromkeys((trial.encoder, trial.quality) for trial in trials)
    for encoder, quality in tried:
        those = [trial for trial in trials if (trial.encoder, trial.quality) == (encoder, quality)]
        likeness = mean(trial.ssim for trial in those)
        rows.append(
            f"| {encoder} | {quality} | {mean(t.size_bytes for t in those) / 1000:.1f} | "
            f"{mean(t.cpu_ms for t in those):.1f} | {likeness:.4f} | {dssim(likeness):.4f} | "
            f"{min(t.ssim for t in those):.4f} |"
        )
    return rows


def _of(trials: Iterable[Trial], picture: str, encoder: str) -> list[Trial]:
    return [trial for trial in trials if (trial.picture, trial.encoder) == (picture, encoder)]


def _is_today(trial: Trial) -> bool:
    today = webp_encoder(EFFORT_TODAY[trial.size]).name
    return (trial.encoder, trial.quality) == (today, QUALITY_TODAY[trial.size])


def _cell(price: Price | None) -> str:
    if price is None:
        return "-"
    return f"{price.quality:.0f}, {price.size_bytes / 1000:.1f}, {price.cpu_ms:.1f}"

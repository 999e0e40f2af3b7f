"""Tables and sentences of what cascades came to: means over splits, and confidences held to what was right."""

from __future__ import annotations

from typing import Any

import numpy as np
from kept import spread
from rich.table import Table

from pointsman.metrics import auroc, brier, ece_equal_mass

__all__ = ["honesty", "ranked", "table"]

ROWS = (
    *("Zero router", "pure router", "plain cascades", "cascade routing", "plain, last text", "plain, all texts"),
    *("cascade routing, texts", "clairvoyant"),
)
AHEAD = "cascade routing", "cascade routing, texts"


def table(title: str, rows: list[dict[str, Any]]) -> Table:
    """Lay out means over splits with their 95 % intervals."""
    shown = Table(title=f"{title}, {len(rows)} splits; quality in points")
    headings = (
        "row",
        "AIQ - zero",
        "peak %",
        "quality at ≤ the best's cost",
        "cost@best",
        "dq",
        "own cost",
        "own dq",
        *(f"{name} ahead, AIQ" for name in AHEAD if name in rows[0]),
    )
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "row" else "right")
    for name in (each for each in ROWS if each in rows[0]):
        found = [row[name] for row in rows]
        aiq = [a["aiq"] - row["Zero router"]["aiq"] for a, row in zip(found, rows, strict=True)]
        ahead = [
            [row[best]["aiq"] - a["aiq"] for a, row in zip(found, rows, strict=True)]
            for best in AHEAD
            if best in rows[0]
        ]
        shown.add_row(
            name,
            spread(aiq),
            spread([each["peak"] for each in found]),
            spread([each["capped"] for each in found]) if "capped" in found[0] else "",
            spread([each["cost"] for each in found], 1),
            spread([each["dq"] for each in found]),
            spread([each["own cost"] for each in found], 1) if "own cost" in found[0] else "",
            spread([each["own dq"] for each in found]) if "own cost" in found[0] else "",
            *("" if not any(each) else spread(each) for each in ahead),
        )
    for name in (each for each in ("all answers", "nine answers", "oracle") if each in rows[0]):
        shown.add_row(name, "", "", spread([row[name] for row in rows]), "", "", "", "", "")
    return shown


def honesty(rows: list[dict[str, Any]], suffix: str = "", where: str = "") -> str:
    """Return how honest and how sharp the confidences of the answers are, pooled over the test parts.

    They are those at the best model's cost, or where " first", those where nothing counts but quality.
    """
    rows = [row for row in rows if f"confidence{where}{suffix}" in row]
    if not rows:
        return ""
    sure = np.concatenate([row[f"confidence{where}{suffix}"] for row in rows])
    right = np.concatenate([row[f"right{where}{suffix}"] for row in rows])
    base = right.mean() * (1 - right.mean())
    raw, noise = ece_equal_mass(sure, right), _chance(sure)
    rank = auroc(sure, right > 0.5)
    gain = f"gain {np.mean([row[f'cascade routing{suffix}']['capped'] for row in rows]):.2%}"
    if "all answers" in rows[0]:
        gain += f", that of all answers {np.mean([row['all answers'] for row in rows]):.2%}"
    names = ", ".join(sorted({name for row in rows for name in row["models"]}))
    at = f", quality{where}" if where else ""
    return (
        f"accepted answers{suffix}{at}: ECE {raw:.4f}, {max(0.0, raw - noise):.4f} beyond chance; "
        f"Brier skill {1 - brier(sure, right) / base:.3f}; "
        f"AUROC {'' if rank is None else f'{rank:.3f}'}; {gain}; models asked: {names}"
    )


def ranked(rows: list[dict[str, Any]]) -> str:
    """Return how well the quality expected before and after reading an answer tells right ones from wrong ones."""
    names = sorted({name for row in rows for name in row["AUROC"]})
    told = {name: np.array([row["AUROC"][name] for row in rows if name in row["AUROC"]]) for name in names}
    return "AUROC of what is expected of an answer, before and after reading it: " + ", ".join(
        f"{name} {before:.3f} {after:.3f}" for name, (before, after) in ((n, t.mean(axis=0)) for n, t in told.items())
    )


def _chance(sure: np.ndarray, draws: int = 50) -> float:
    """Return the calibration error that perfectly honest confidences would show by chance."""
    random = np.random.default_rng(0)
    return float(np.mean([ece_equal_mass(sure, random.random(len(sure)) < sure) for _ in range(draws)]))

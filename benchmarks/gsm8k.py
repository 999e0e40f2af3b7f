"""GSM8K's questions in the routellm set: the solutions of a weak and a strong model, read as text.

"gsm8k" is what is on record: the final answer of a solution is its last number, as the recorded scores have it. Some of the
weak model's solutions stop in the middle, and some of the strong one's are right but end in another number or write "$20.00"
for 20. Both are seen in the text, and count as what they scored. "gsm8k_whole" tells what is left without either: only
questions whose weak solution comes to its end, and a strong solution counts as right where its last sentence has the number
that another right solution came to.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from protocol import load

from pointsman.confidence.arithmetic import numbers_in
from pointsman.data import RoutingDataset
from pointsman.data.equivalence import answer_key
from pointsman.routers.stepping.said import told_in

__all__ = ["gsm8k"]

_SENTENCES = 2


def gsm8k(name: str) -> RoutingDataset:
    """Return "gsm8k" or "gsm8k_whole"."""
    data = load("routellm")
    data = data.take([i for i, domain in enumerate(data.queries.domains) if domain == "gsm8k"])
    answers = [[answer_key(text, "numeric") or "" for text in row] for row in told_in(data).tolist()]
    data = replace(data, answers=np.array(answers, dtype=object))
    return data if name == "gsm8k" else _whole(data)


def _whole(data: RoutingDataset) -> RoutingDataset:
    strong, weak = (next(j for j, model in enumerate(data.models) if part in model) for part in ("gpt-4", "Mixtral"))
    quality, rows = data.quality.copy(), []
    for i, row in enumerate(np.array(data.responses).tolist()):
        named = re.findall(r"####\s*\$?(-?[\d.,]*\d)", row[weak])
        if not named:
            continue
        rows.append(i)
        if quality[i, weak] == 1:
            ends = " ".join(re.split(r"(?<=\.)\s|\n", row[strong].strip())[-_SENTENCES:])
            truth = float(named[-1].replace(",", "").lstrip("-"))
            quality[i, strong] = max(quality[i, strong], float(any(abs(n - truth) < 1e-6 for n in numbers_in(ends))))
    return replace(data, quality=quality).take(rows)

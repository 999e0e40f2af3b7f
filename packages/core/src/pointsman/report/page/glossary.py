"""Glossary: what the page's terms mean."""

from __future__ import annotations

__all__ = ["GLOSSARY"]

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "best single model",
        (
            "The one model you would use for everything, chosen on training and validation data where there are any. "
            "A router has to beat it, in quality or in cost, to be worth having."
        ),
    ),
    (
        "interval",
        (
            "If other queries of the same kind had been drawn, the figure would have come out within it 95 times in "
            "100 (or at the level that is stated). It takes the fitted router as it is. A difference whose interval "
            "holds 0 may be chance."
        ),
    ),
    (
        "points",
        (
            "Quality counts in hundredths of its scale: 70 points are 0.70, which for right-or-wrong scores is 70 % "
            "right."
        ),
    ),
    (
        "Zero router",
        (
            "Mixes single models at random, without looking at the query. Whatever a router gains over it, it gains "
            "by looking."
        ),
    ),
    (
        "AIQ",
        (
            "Mean height of a quality-cost curve between the costs of the cheapest and of the best single model: one "
            "figure for all settings at once."
        ),
    ),
    (
        "domain table",
        (
            "Takes the best model of each query's given domain. Where a label is at hand, a router that has to guess "
            "it should do about as well."
        ),
    ),
    (
        "oracle",
        (
            "Takes the model that turned out best for each query, the cheapest of several. Part of its height is "
            "luck, so no router reaches it."
        ),
    ),
    (
        "setting, operating point",
        (
            "How much quality a dollar is worth to the router. It can be changed at any call, without fitting again; "
            "which settings are shown was chosen on validation data."
        ),
    ),
    (
        "calibration",
        (
            "Whether what is expected comes true on average. Choices need only the differences between models to be "
            "right."
        ),
    ),
)

"""What a router is worth: quality-cost curves, preference and deferral figures, regret, calibration, intervals.

Pure functions of numpy arrays, which know neither data sets nor routers. A quantity that is undefined for its input is
`None`, never 0 or NaN; an input that a formula could not mean anything for is a `DataError` or a
`ConfigError` (both are `ValueError`s) that names it.
"""

from pointsman.metrics.bootstrap import bootstrap_interval, paired_bootstrap
from pointsman.metrics.brier import BrierParts, brier, brier_parts
from pointsman.metrics.calibration import (
    ReliabilityTable,
    adaptive_calibration_error,
    ece,
    ece_equal_mass,
    equal_mass_edges,
    equal_width_edges,
    reliability_table,
)
from pointsman.metrics.cascade import break_even_escalation, cascade_costs, expected_cascade_cost
from pointsman.metrics.collapse import choice_entropy, choice_shares, dearest_share, needless_strong_rate
from pointsman.metrics.curves import aiq, area, frontier, frontier_score, hull, zero_router
from pointsman.metrics.deferral import audc, deferral_curve, nauc, qnc
from pointsman.metrics.discrimination import auroc
from pointsman.metrics.ibc import ibc, ibc_lift
from pointsman.metrics.intervals import Interval, mean_interval, proportion_interval
from pointsman.metrics.llmrouterbench import (
    average_accuracy,
    dataset_oracle,
    gain_at_best,
    gain_at_random,
    gap_at_oracle,
    pareto_dist,
)
from pointsman.metrics.operating_point import cheapest_setting, cost_save, peak_setting, perf_gain
from pointsman.metrics.pgr import apgr, call_share_curve, cpt, pgr
from pointsman.metrics.points import choice_points, model_points
from pointsman.metrics.regret import RegretParts, captured_headroom, cumulative_regret, regret, regret_parts, utility
from pointsman.metrics.risk import (
    conformal_bounds,
    rows_for_certainty,
    rows_for_expectation,
    settings_in_expectation,
    settings_with_certainty,
    tail_probabilities,
)
from pointsman.metrics.routerarena import Optimality, arena_score, optimality, rank_score, robustness
from pointsman.metrics.routereval import classification_bias, mean_score, value_over_best

__all__ = [
    "BrierParts",
    "Interval",
    "Optimality",
    "RegretParts",
    "ReliabilityTable",
    "adaptive_calibration_error",
    "aiq",
    "apgr",
    "area",
    "arena_score",
    "audc",
    "auroc",
    "average_accuracy",
    "bootstrap_interval",
    "break_even_escalation",
    "brier",
    "brier_parts",
    "call_share_curve",
    "captured_headroom",
    "cascade_costs",
    "cheapest_setting",
    "choice_entropy",
    "choice_points",
    "choice_shares",
    "classification_bias",
    "conformal_bounds",
    "cost_save",
    "cpt",
    "cumulative_regret",
    "dataset_oracle",
    "dearest_share",
    "deferral_curve",
    "ece",
    "ece_equal_mass",
    "equal_mass_edges",
    "equal_width_edges",
    "expected_cascade_cost",
    "frontier",
    "frontier_score",
    "gain_at_best",
    "gain_at_random",
    "gap_at_oracle",
    "hull",
    "ibc",
    "ibc_lift",
    "mean_interval",
    "mean_score",
    "model_points",
    "nauc",
    "needless_strong_rate",
    "optimality",
    "paired_bootstrap",
    "pareto_dist",
    "peak_setting",
    "perf_gain",
    "pgr",
    "proportion_interval",
    "qnc",
    "rank_score",
    "regret",
    "regret_parts",
    "reliability_table",
    "robustness",
    "rows_for_certainty",
    "rows_for_expectation",
    "settings_in_expectation",
    "settings_with_certainty",
    "tail_probabilities",
    "utility",
    "value_over_best",
    "zero_router",
]

"""Evaluation protocols: what a router is worth away from the conditions it was fitted in, one file a protocol."""

from pointsman.evaluation.protocols.attacks import Attack, greedy_attack
from pointsman.evaluation.protocols.calibration import Bin, Calibration
from pointsman.evaluation.protocols.controls import Control, Controls, controls
from pointsman.evaluation.protocols.diagnostics import ChoicePoint, Diagnosis, diagnose
from pointsman.evaluation.protocols.edits import EDITS, Edit, edits
from pointsman.evaluation.protocols.label_noise import LabelNoise, NoisyFit, RerunNoise, label_noise
from pointsman.evaluation.protocols.learning_curve import LearningCurve, LearningPoint, learning_curve
from pointsman.evaluation.protocols.leave_one_domain_out import DomainShift, HeldOutDomain, leave_one_domain_out
from pointsman.evaluation.protocols.leave_one_model_out import HeldOutModel, PoolChange, Probed, leave_one_model_out
from pointsman.evaluation.protocols.perturbations import Perturbations, perturbations
from pointsman.evaluation.protocols.rewriting import Perturbation
from pointsman.evaluation.protocols.trial import fitted_on, quality_first

__all__ = [
    "EDITS",
    "Attack",
    "Bin",
    "Calibration",
    "ChoicePoint",
    "Control",
    "Controls",
    "Diagnosis",
    "DomainShift",
    "Edit",
    "HeldOutDomain",
    "HeldOutModel",
    "LabelNoise",
    "LearningCurve",
    "LearningPoint",
    "NoisyFit",
    "Perturbation",
    "Perturbations",
    "PoolChange",
    "Probed",
    "RerunNoise",
    "controls",
    "diagnose",
    "edits",
    "fitted_on",
    "greedy_attack",
    "label_noise",
    "learning_curve",
    "leave_one_domain_out",
    "leave_one_model_out",
    "perturbations",
    "quality_first",
]

"""Outcomes of models on queries: datasets, splits and readers."""

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries

__all__ = ["Queries", "RoutingDataset"]

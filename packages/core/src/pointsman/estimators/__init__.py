"""Estimators: expected quality, cost and latency of every model."""

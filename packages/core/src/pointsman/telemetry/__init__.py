"""Telemetry: observers that tell the outside what happened to each query."""

from pointsman.telemetry.logging import LogTraces

__all__ = ["LogTraces"]

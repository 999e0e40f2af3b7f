"""Outcomes as benchmarks publish them and evaluation tools export them, read as they are; nothing of theirs is imported."""

from pointsman.data.formats.reading import read_format
from pointsman.data.formats.registry import FORMATS, format_named

__all__ = ["FORMATS", "format_named", "read_format"]

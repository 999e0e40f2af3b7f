"""Outcome files in and out: CSV, JSON lines, parquet."""

from pointsman.data.readers.fields import FIELDS, Field
from pointsman.data.readers.reading import FORMATS, from_rows, read
from pointsman.data.readers.writing import write

__all__ = ["FIELDS", "FORMATS", "Field", "from_rows", "read", "write"]

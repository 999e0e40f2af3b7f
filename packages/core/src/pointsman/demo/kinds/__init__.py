"""The kinds of tasks, one a module; each computes its answers while it writes its questions."""

from pointsman.demo.kinds.arithmetic import ARITHMETIC
from pointsman.demo.kinds.dates import DATES
from pointsman.demo.kinds.logic import LOGIC
from pointsman.demo.kinds.notation import NOTATION
from pointsman.demo.kinds.sequences import SEQUENCES
from pointsman.demo.kinds.stories import STORIES
from pointsman.demo.kinds.strings import STRINGS
from pointsman.demo.kinds.units import UNIT_CONVERSION

__all__ = ["KINDS"]

KINDS = (ARITHMETIC, DATES, LOGIC, NOTATION, SEQUENCES, STORIES, STRINGS, UNIT_CONVERSION)
"""Every kind of task, in the order in which they take turns."""

"""The grammar: plans yield the effects they want, drivers perform them, a recorder keeps every step with its money.

A plan is a generator that yields a tuple of effects (performed concurrently) and receives their outcomes in the same order. It
is deterministic given its outcomes, so replaying recorded outcomes resumes it.
"""

from pointsman.flow.driving import adrive, aperform_batch, drive, perform_batch
from pointsman.flow.grammar import (
    MAX_STEPS,
    AsyncOpenStream,
    AsyncPerform,
    Effect,
    OpenStream,
    Outcome,
    Perform,
    Plan,
    Run,
    Vectors,
    addressee,
    ask,
    embed,
)
from pointsman.flow.holding import Held
from pointsman.flow.recording import Recorder, Recording, arecorded, cost_of, recorded, replaying
from pointsman.flow.streaming import (
    AsyncStream,
    adrive_stream,
    arecorded_stream,
    drive_stream,
    recorded_stream,
)

__all__ = [
    "MAX_STEPS",
    "AsyncOpenStream",
    "AsyncPerform",
    "AsyncStream",
    "Effect",
    "Held",
    "OpenStream",
    "Outcome",
    "Perform",
    "Plan",
    "Recorder",
    "Recording",
    "Run",
    "Vectors",
    "addressee",
    "adrive",
    "adrive_stream",
    "aperform_batch",
    "arecorded",
    "arecorded_stream",
    "ask",
    "cost_of",
    "drive",
    "drive_stream",
    "embed",
    "perform_batch",
    "recorded",
    "recorded_stream",
    "replaying",
]

"""The nouns of routing: frozen values that every other module passes around."""

from pointsman.types.calls import Call, CallError, Delta, Embed, Path, Response, Usage
from pointsman.types.decision import Decision, ModelEstimate
from pointsman.types.request import UNCONSTRAINED, Constraints, Context, Message, Query, Session
from pointsman.types.trace import Answer, Feedback, Step, Trace, total_usd

__all__ = [
    "UNCONSTRAINED",
    "Answer",
    "Call",
    "CallError",
    "Constraints",
    "Context",
    "Decision",
    "Delta",
    "Embed",
    "Feedback",
    "Message",
    "ModelEstimate",
    "Path",
    "Query",
    "Response",
    "Session",
    "Step",
    "Trace",
    "Usage",
    "total_usd",
]

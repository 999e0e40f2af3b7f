"""Dispatch: carry a router's plan through with real models, paid, retried, observed; the layer that touches the world."""

from pointsman.dispatch.construction import dispatcher_of, named_embedder
from pointsman.dispatch.dispatcher import Dispatcher
from pointsman.dispatch.health import Health
from pointsman.dispatch.journey import Observer
from pointsman.dispatch.record import record_of, source_of
from pointsman.dispatch.retry import Retry
from pointsman.dispatch.serving import Learner
from pointsman.dispatch.streams import AnswerStream, AsyncAnswerStream

__all__ = [
    "AnswerStream",
    "AsyncAnswerStream",
    "Dispatcher",
    "Health",
    "Learner",
    "Observer",
    "Retry",
    "dispatcher_of",
    "named_embedder",
    "record_of",
    "source_of",
]

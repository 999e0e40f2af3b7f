"""An OpenAI-compatible server that answers from recorded outcomes."""

from pointsman.testing.replay_server.faults import Fault
from pointsman.testing.replay_server.ledger import LedgerEntry
from pointsman.testing.replay_server.recorded import Recorded
from pointsman.testing.replay_server.server import ReplayServer

__all__ = ["Fault", "LedgerEntry", "Recorded", "ReplayServer"]

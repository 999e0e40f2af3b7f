"""Selection: whether a router is worth having, and which."""

from pointsman.selection.audit import Audit, audit

__all__ = ["Audit", "audit"]

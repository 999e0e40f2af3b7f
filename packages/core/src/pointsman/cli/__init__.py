"""The command line: one module a command, found by name in `app`."""

from pointsman.cli.app import main

__all__ = ["main"]

"""The journal: what was called and what was measured, a line each on disk, so that nothing is paid or measured twice."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

from pointsman.errors import DataError

__all__ = ["Journal", "digest"]

_log = logging.getLogger(__name__)


def digest(*parts: Any) -> str:
    """Return a key for plain data; what is no JSON counts by its notation, a class with a JSON schema by that."""
    written = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=_plain)
    return blake2b(written.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    schema = getattr(value, "model_json_schema", None)
    if isinstance(value, type) and schema is not None:
        return schema()
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else repr(value)


class Journal:
    """Results by key, in memory and, where there is a path, on disk the moment they are known; safe between threads.

    A last line that a crash tore off is removed with a warning; any other line that cannot be read is a DataError.

    Parameters:
        path: The file, made when the first result is kept; None keeps the results in memory alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        self._lock = Lock()
        self._under_way: dict[str, Lock] = defaultdict(Lock)
        if path is not None and path.exists():
            self._known.update(_read(path))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Any:
        """Return the result, or None."""
        return self._known.get(key)

    def once(self, key: str, measure: Callable[[], Any]) -> Any:
        """Return the result of a key; what is not known yet is measured, by one thread only, and kept."""
        found = self._known.get(key)
        if found is None:
            with self.alone(key):
                found = self._known.get(key)
                if found is None:
                    found = measure()
                    self.keep(key, found)
        return found

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Keep other threads from working on the same key meanwhile."""
        with self._lock:
            mine = self._under_way[key]
        with mine:
            yield

    def keep(self, key: str, result: Any) -> None:
        """Keep a result; it outlives this process from here on."""
        line = json.dumps([key, result], ensure_ascii=False)
        with self._lock:
            self._known[key] = json.loads(line)[1]  # what a later run will read
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("ab") as file:
                    file.write(line.encode("utf-8", "surrogatepass") + b"\n")


def _read(path: Path) -> Iterator[tuple[str, Any]]:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        _log.warning("%s: removing a last line that was torn: %r", path, content[whole : whole + 200])
        with path.open("r+b") as file:
            file.truncate(whole)
    for number, line in enumerate(content[:whole].splitlines(), start=1):
        try:
            key, result = json.loads(line)
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}, line {number} is no entry of a journal: {error}.") from None
        yield key, result

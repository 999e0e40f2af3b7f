"""Answers that must be JSON of a given form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pointsman.confidence.reading import json_in
from pointsman.confidence.schema import schema_validator
from pointsman.errors import ConfigError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer

__all__ = ["JsonSchema"]


@dataclass(frozen=True, kw_only=True)
class JsonSchema(Scorer):
    """1 where the answer, or the code block in it, is JSON that fits a schema.

    Parameters:
        schema: A JSON schema, or the path of a file that holds one.

    Raises:
        ConfigError: When the schema cannot be read or is none.
        MissingExtraError: Without jsonschema.
    """

    schema: Mapping[str, Any] | str

    def __post_init__(self) -> None:
        _ = self._validator

    @property
    def identity(self) -> str:
        """The schema itself, wherever it was read from."""
        return json.dumps(["JsonSchema", self._validator.schema], sort_keys=True, default=str)

    @cached_property
    def _validator(self) -> Any:
        return schema_validator(
            _read(self.schema) if isinstance(self.schema, str) else self.schema, "JsonSchema.schema"
        )

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Parse and validate; the note says what does not fit."""
        try:
            content = json_in(answer)
        except ValueError as error:
            return Score(quality=0.0, note=f"no JSON: {error}")
        for misfit in self._validator.iter_errors(content):
            return Score(quality=0.0, note=f"{misfit.json_path}: {misfit.message}"[:200])
        return Score(quality=1.0)


def _read(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"JsonSchema.schema: {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigError(f"JsonSchema.schema: {path} is not valid JSON: {error}.") from None

"""Answers that must be JSON of a given form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pointsman.errors import ConfigError, MissingExtraError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer

__all__ = ["JsonSchema"]

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)


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
        try:
            from jsonschema import SchemaError, validators
        except ImportError:
            raise MissingExtraError("jsonschema", "schema") from None
        schema = _read(self.schema) if isinstance(self.schema, str) else self.schema
        kind = validators.validator_for(schema)
        try:
            kind.check_schema(schema)
        except SchemaError as error:
            raise ConfigError(f"JsonSchema.schema is no JSON schema: {error.message}.") from None
        return kind(schema)

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Parse and validate; the note says what does not fit."""
        fenced = _FENCED.search(answer)
        try:
            content = json.loads(fenced[1] if fenced else answer)
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

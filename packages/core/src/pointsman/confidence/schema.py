"""SchemaVerifier: an answer that has to be JSON of a given form either is, or is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pointsman.confidence.base import Confidence
from pointsman.confidence.reading import json_in
from pointsman.errors import ConfigError, MissingExtraError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["SchemaVerifier", "fits", "schema_validator"]


def schema_validator(schema: Any, name: str) -> Any:
    """Return what checks values against a JSON schema; `name` is what errors call it.

    Raises:
        ConfigError: When it is no schema.
        MissingExtraError: Without jsonschema.
    """
    try:
        from jsonschema import SchemaError, validators
    except ImportError:
        raise MissingExtraError("jsonschema", "schema") from None
    kind = validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ConfigError(f"{name} is no JSON schema: {error.message}.") from None
    return kind(schema)


def fits(validator: Any, content: Any) -> bool:
    """Return whether content fits a schema; what is nested beyond reason does not."""
    try:
        return bool(validator.is_valid(content))
    except RecursionError:
        return False


class SchemaVerifier(Confidence):
    """1 where the answer, or the code block in it, is JSON that fits a schema; else 0.

    Parameters:
        json_schema: The JSON schema, as JSON text.

    Raises:
        ConfigError: When that is no JSON, or no schema.
        MissingExtraError: Without jsonschema.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text"})

    json_schema: str

    def __post_init__(self) -> None:
        """Validate the schema too."""
        super().__post_init__()
        _ = self._validator

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that wants an object with a number."""
        return (
            cls(json_schema='{"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}'),
        )

    @cached_property
    def _validator(self) -> Any:
        try:
            schema = json.loads(self.json_schema)
        except ValueError as error:
            raise ConfigError(f"SchemaVerifier.json_schema is not valid JSON: {error}.") from None
        return schema_validator(schema, "SchemaVerifier.json_schema")

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008
        """Parse and validate the last response."""
        yield from ()
        try:
            content = json_in(responses[-1].text)
        except ValueError:
            return 0.0
        return float(fits(self._validator, content))

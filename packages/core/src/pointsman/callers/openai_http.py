"""Models behind an OpenAI-compatible HTTP endpoint, a provider's or one's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pointsman.callers.http_failures import status_failure, transport_failure
from pointsman.callers.openai_wire import request_body, response_of
from pointsman.errors import ConfigError, MissingExtraError
from pointsman.models import ModelSpec
from pointsman.types import Call, CallError, Query, Response

if TYPE_CHECKING:
    import httpx

__all__ = ["OpenAICaller", "from_spec"]


class OpenAICaller:
    """Posts calls to `<endpoint>/chat/completions`.

    Inside `async with` connections are kept; outside, every call opens one of its own. The key is in no message and no repr.

    Parameters:
        endpoint: The base URL, such as "http://127.0.0.1:8000/v1".
        model: The name the endpoint knows the model by; by default the call's.
        api_key: Sent as a bearer token; None sends none.
        timeout_s: Seconds to wait for a connection, and for each further sign of life.
        params: Defaults of every call, such as `{"max_tokens": 512}`.
        headers: Sent with every call.

    Raises:
        ConfigError: When the endpoint is no HTTP URL or the time-out not positive.
        MissingExtraError: Without httpx.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtraError("httpx", "http") from None
        if not _reachable(endpoint):
            raise ConfigError(f"endpoint must be an http:// or https:// URL, got {endpoint!r}.")
        if not timeout_s > 0:
            raise ConfigError(f"timeout_s must be more than 0 seconds, got {timeout_s}.")
        self.endpoint = endpoint.rstrip("/")
        self.model = model
        self.params = dict(params or {})
        self._headers = dict(headers or {}) | ({"authorization": f"Bearer {api_key}"} if api_key else {})
        self._timeout = httpx.Timeout(timeout_s, pool=None)
        self._kept: httpx.AsyncClient | None = None
        self._entered = 0

    def __repr__(self) -> str:
        return f"OpenAICaller({self.endpoint!r}, model={self.model!r})"

    async def __aenter__(self) -> Self:
        if self._kept is None:
            self._kept = self._client()
        self._entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered -= 1
        if self._entered == 0 and self._kept is not None:
            client, self._kept = self._kept, None
            await client.aclose()

    async def __call__(self, call: Call, query: Query) -> Response:
        """Return the model's response, with the tokens the endpoint reports."""
        import httpx

        body = request_body(self.model or call.model, call, query, self.params)
        try:
            async with self._connected() as client:
                reply = await client.post(f"{self.endpoint}/chat/completions", json=body)
        except httpx.TransportError as error:
            raise transport_failure(call.model, error) from error
        if not reply.is_success:
            raise status_failure(call.model, reply)
        try:
            content = reply.json()
        except ValueError as error:
            raise CallError(call.model, f"the reply is not JSON: {reply.text[:200]}", interrupted=True) from error
        return response_of(call.model, content)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._kept is not None:
            yield self._kept
        else:
            async with self._client() as client:
                yield client

    def _client(self) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(headers=self._headers, timeout=self._timeout)


def _reachable(endpoint: str) -> bool:
    import httpx

    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What a model's metadata may say of its endpoint."""

    endpoint: str
    model: str | None = None
    api_key_env: str | None = None
    timeout_s: float = 60.0
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def from_spec(spec: ModelSpec) -> OpenAICaller:
    """Make the caller of a model whose metadata names an endpoint.

    It may say `model`, `api_key_env` (the environment variable that holds the key), `timeout_s`, `params` and `headers` too.
    """
    settings = _settings(spec)
    key = os.environ.get(settings.api_key_env) if settings.api_key_env else None
    if settings.api_key_env and not key:
        raise ConfigError(f"models.{spec.name}: the environment variable {settings.api_key_env!r} holds no key.")
    return OpenAICaller(
        settings.endpoint,
        model=settings.model,
        api_key=key,
        timeout_s=settings.timeout_s,
        params=settings.params,
        headers=settings.headers,
    )


def _settings(spec: ModelSpec) -> _Settings:
    from pydantic import TypeAdapter, ValidationError

    known = {f.name for f in fields(_Settings)}
    try:
        return TypeAdapter(_Settings).validate_python({k: v for k, v in spec.metadata.items() if k in known})
    except ValidationError as error:
        places = ((".".join(map(str, e["loc"])), e["msg"], e.get("input")) for e in error.errors())
        raise ConfigError(
            "; ".join(f"models.{spec.name}.metadata.{at}: {why}, got {value!r}" for at, why, value in places)
        ) from None

"""A Python function as a model, and objects named as "module:name"."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pointsman.callers import FunctionCaller
from pointsman.errors import ConfigError
from pointsman.references import load
from pointsman.types import Call, CallError, Message, Query, Response, Usage

QUERY = Query(text="2+2?")


async def test_a_plain_function_answers_in_a_thread() -> None:
    """It may block without holding up other calls, and what it does not report is unknown."""
    threads = []

    def answer(prompt: str) -> str:
        threads.append(threading.current_thread())
        return prompt.upper()

    response = await FunctionCaller(function=answer)(Call(model="m"), Query(text="why"))
    assert (response.model, response.text, response.usage, response.cost_usd) == ("m", "WHY", None, None)
    assert threads != [threading.main_thread()]


async def test_an_async_function_is_awaited() -> None:
    """So is a plain one that returns an awaitable."""

    async def answer(prompt: str) -> str:
        return prompt + "!"

    for function in (answer, lambda prompt: answer(prompt.strip())):
        assert (await FunctionCaller(function=function)(Call(model="m"), QUERY)).text == "2+2?!"


async def test_a_full_response_is_kept_under_the_calls_name() -> None:
    """A function that knows tokens and dollars reports them."""
    known = Response(model="inner", text="4", usage=Usage(input_tokens=1, output_tokens=2), cost_usd=0.5)
    response = await FunctionCaller(function=lambda _: known)(Call(model="m"), QUERY)
    assert (response.model, response.usage, response.cost_usd) == ("m", known.usage, 0.5)


async def test_a_conversation_becomes_one_text() -> None:
    """Functions read text; the roles stand before the turns."""
    turns = (Message(role="system", content="Brief."), Message(role="user", content="2+2?"))
    response = await FunctionCaller(function=str)(Call(model="m", messages=turns), QUERY)
    assert response.text == "system: Brief.\n\nuser: 2+2?"


@pytest.mark.parametrize("error", [TimeoutError("slow"), ConnectionResetError("gone")])
async def test_troubles_of_the_line_are_retryable(error: Exception) -> None:
    """They may have been billed, so their cost is unknown; their cause is kept."""

    def answer(_: str) -> str:
        raise error

    with pytest.raises(CallError, match=type(error).__name__) as caught:
        await FunctionCaller(function=answer)(Call(model="m"), QUERY)
    assert (caught.value.retryable, caught.value.interrupted) == (True, True)
    assert repr(caught.value.__cause__) == repr(error)


async def test_a_bug_in_the_function_is_not_hidden() -> None:
    """Any other error propagates as it is."""

    def answer(_: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await FunctionCaller(function=answer)(Call(model="m"), QUERY)


async def test_a_function_that_answers_nothing_is_named() -> None:
    """Forgetting to return is a bug with a clear message."""
    forgetful: object = lambda _: None  # noqa: E731 - the point is what it returns
    with pytest.raises(TypeError, match="The function of 'm' must return a str or a Response, not None"):
        await FunctionCaller(function=forgetful)(Call(model="m"), QUERY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("math.sqrt", "must have the form 'module:name'"),
        (":sqrt", "must have the form"),
        ("no_such_module:f", "there is no module 'no_such_module'"),
        ("json.absent:f", "there is no module 'json.absent'"),
        ("math:squirt", r"math has no 'squirt'; it has .*'sqrt'"),
        ("math:pi", "is a float; something to call is needed"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(reference: str, message: str) -> None:
    """The form, the module, the name, or what it names."""
    with pytest.raises(ConfigError, match=message):
        load(reference)


def test_a_reference_may_go_into_a_class() -> None:
    """Dots after the colon follow attributes."""
    assert load("datetime:datetime.fromisoformat")("2020-01-01").year == 2020


def test_a_module_that_cannot_import_something_else_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's module exists; the error is about what it imports."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "users_models.py").write_text("import not_installed_anywhere\n", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load("users_models:ask")

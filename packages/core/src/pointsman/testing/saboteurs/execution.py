"""Saboteurs of execution: plans that hide steps, give up, never give up, or end differently each way they are driven."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import count
from typing import ClassVar

from pointsman.errors import AllModelsFailedError
from pointsman.flow import Plan, ask
from pointsman.testing.saboteurs.honest import NOW, HonestRouter
from pointsman.types import Answer, Call, CallError, Context, Query

__all__ = [
    "AnswersOutOfNothing",
    "AsksStrangers",
    "CallsAnonymously",
    "DecoratesAnswers",
    "GivesUpAtOnce",
    "IgnoresCancellation",
    "MixesRuns",
    "NeverGivesUp",
    "NumbersCalls",
    "PicksByDriver",
    "SwallowsBugs",
    "TriesFatalErrorsElsewhere",
]

_NUMBERS = count()


class AnswersOutOfNothing(HonestRouter):
    """Answers without saying which call the answer is from."""

    breaks: ClassVar = ("check_answers_rest_on_steps",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call as usual, then drop the support."""
        return replace((yield from super().plan(query, context)), support=())


class AsksStrangers(HonestRouter):
    """Has a model judge the query first that is in no pool and on no bill."""

    breaks: ClassVar = ("check_every_step_is_paid",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Ask a stranger, then go on as usual."""
        yield from ask(Call(model="a friend", purpose="judge"))
        return (yield from super().plan(query, context))


class CallsAnonymously(HonestRouter):
    """Calls models without the decision behind it."""

    breaks: ClassVar = ("check_calls_carry_their_decision",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call the chosen model, and nobody knows why."""
        return Answer.of((yield from ask(Call(model=self.decide(query, context).model))))


class PicksByDriver(HonestRouter):
    """Chooses another model when it is awaited."""

    breaks: ClassVar = ("check_async_runs_agree",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call the last of the ranking inside an event loop, the first outside."""
        decision = self.decide(query, context)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            model = decision.ranking[0]
        else:
            model = decision.ranking[-1]
        return Answer.of((yield from ask(Call(model=model, decision=decision))))


class MixesRuns(HonestRouter):
    """Keeps the decision on itself until it calls."""

    breaks: ClassVar = ("check_concurrent_runs_agree",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call whichever model was decided on last, by any run."""
        object.__setattr__(self, "_decision", self.decide(query, context))
        time.sleep(0.005)
        decision = self.__dict__["_decision"]
        return Answer.of((yield from ask(Call(model=decision.model, decision=decision))))


class DecoratesAnswers(HonestRouter):
    """Adds its signature to an answer that has been shown."""

    breaks: ClassVar = ("check_streams_agree",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call as usual, then sign."""
        answer = yield from super().plan(query, context)
        return replace(answer, content=f"{answer.content} [{answer.model}]")


class GivesUpAtOnce(HonestRouter):
    """Calls one model, come what may."""

    breaks: ClassVar = ("check_retryable_errors_move_on", "check_failing_streams_move_on")

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call the first model of the ranking only."""
        decision = self.decide(query, context)
        return Answer.of((yield from ask(Call(model=decision.model, decision=decision, stream=True))))


class TriesFatalErrorsElsewhere(HonestRouter):
    """Takes every error for one that another model may not have."""

    breaks: ClassVar = ("check_fatal_errors_end_the_run",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Go down the ranking until something works."""
        decision = self.decide(query, context)
        errors = []
        for model in decision.ranking:
            try:
                return Answer.of((yield from ask(Call(model=model, decision=decision))))
            except CallError as error:
                errors.append(error)
        raise AllModelsFailedError(errors)


class NeverGivesUp(HonestRouter):
    """Calls the same model until it answers."""

    breaks: ClassVar = ("check_failing_everywhere_ends",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call again, and again."""
        decision = self.decide(query, context)
        while True:
            try:
                return Answer.of((yield from ask(Call(model=decision.model, decision=decision))))
            except CallError:
                continue


class SwallowsBugs(HonestRouter):
    """Makes a failed call of whatever ends it."""

    breaks: ClassVar = ("check_bugs_propagate",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Raise an error of a model when the driver breaks off."""
        try:
            return (yield from super().plan(query, context))
        except GeneratorExit:
            raise CallError("nobody", "something went wrong") from None


class IgnoresCancellation(HonestRouter):
    """Goes on when it is cancelled."""

    breaks: ClassVar = ("check_cancellation_keeps_the_record",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call the last of the ranking when the first call is broken off."""
        decision = self.decide(query, context)
        try:
            return Answer.of((yield from ask(Call(model=decision.model, decision=decision))))
        except BaseException:  # noqa: BLE001 - this is what it is here to do wrong
            return Answer.of((yield from ask(Call(model=decision.ranking[-1], decision=decision))))


class NumbersCalls(HonestRouter):
    """Gives every call a number of its own, so that no run can be repeated."""

    breaks: ClassVar = ("check_interrupted_runs_resume",)

    def plan(self, query: Query, context: Context = NOW) -> Plan[Answer]:
        """Call the ranking, with numbers."""
        decision = self.decide(query, context)
        for model in decision.ranking:
            try:
                call = Call(model=model, decision=decision, params={"number": next(_NUMBERS)})
                return Answer.of((yield from ask(call)))
            except CallError:
                continue
        raise AllModelsFailedError([])

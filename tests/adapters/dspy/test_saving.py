"""Saving: a routed program comes back with its routes, as state and as a whole, and no file holds a key."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy

from dspy_router import Routed, RoutedPredict, RouterLM, routed
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.nearest import Nearest
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.replay_server import ReplayServer

NAMES = ("large", "medium", "small")
QUESTIONS = {"an easy one": "small", "a hard one": "large"}
PROGRAM = Path(__file__).parent / "routed_answers.py"


@pytest.fixture
def lm(client: Any, router: Any) -> Any:
    """Return a RouterLM that is made of a router alone."""
    lms = {name: client(name, extra_headers={"x-team": "secret-team"}) for name in NAMES}
    return RouterLM(lms, router, temperature=0.3, name="mine", operating_point=2.0)


@pytest.fixture
def program(lm: Any) -> Any:
    """Return a program that is routed on its question."""
    return routed(dspy.ChainOfThought("context, question -> answer"), lm, on="question")


def answered(**asked: Any) -> list[Any]:
    """Return what another process answers and how it routes."""
    given = json.dumps({"questions": list(QUESTIONS), **asked})
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(PROGRAM)], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def check_no_key(path: Path) -> None:
    """Check that no file below holds a key or a header."""
    for file in [path] if path.is_file() else path.iterdir():
        content = file.read_bytes()
        assert b"secret-key" not in content
        assert b"secret-team" not in content


def check_decisions(answers: list[Any], server: ReplayServer) -> None:
    """Check that each question went where it did before, with the RouterLM's options."""
    assert [model for _, model in answers] == list(QUESTIONS.values())
    assert [entry.model for entry in server.ledger] == list(QUESTIONS.values())
    assert {entry.request["temperature"] for entry in server.ledger} == {0.3}


def test_a_state_is_loaded_in_another_process(program: Any, server: ReplayServer, tmp_path: Path) -> None:
    """The state file gives a program made anew its routes, fields and candidates, which find their keys themselves."""
    program.save(tmp_path / "program.json")
    check_no_key(tmp_path / "program.json")
    check_decisions(answered(state=str(tmp_path / "program.json")), server)


def test_a_whole_program_is_loaded_in_another_process(program: Any, server: ReplayServer, tmp_path: Path) -> None:
    """A program that was pickled as a whole, by DSPy's own means, keeps its routes and has no keys."""
    program(context="x", question="a hard one")
    before = len(server.ledger)
    program.save(tmp_path / "program", save_program=True)
    check_no_key(tmp_path / "program")
    answers = answered(program=str(tmp_path / "program"))
    assert [model for _, model in answers] == list(QUESTIONS.values())
    assert len(server.ledger) == before + 2


def test_a_state_takes_the_candidates_at_hand(program: Any, lm: Any, server: ReplayServer, tmp_path: Path) -> None:
    """Candidates that are given serve the saved routes, and no file has to be trusted."""
    program.save(tmp_path / "program.json")
    fresh = routed(dspy.ChainOfThought("context, question -> answer"), lms=lm.lms)
    fresh.load(tmp_path / "program.json")
    [(_, predictor)] = fresh.named_predictors()
    assert predictor.route_on == ("question",)
    assert predictor.lm.lms == lm.lms
    assert (predictor.lm.model, predictor.lm.operating_point) == ("pointsman/mine", 2.0)
    assert predictor.lm.router.digest() == lm.router.digest()
    fresh(context="a hard context", question="an easy one")
    assert [entry.model for entry in server.ledger] == ["small"]


def test_a_route_is_not_lost_on_loading(program: Any, tmp_path: Path) -> None:
    """A program that is not routed refuses a routed state, trusted or not; so does one without candidates."""
    program.save(tmp_path / "program.json")
    plain = dspy.ChainOfThought("context, question -> answer")
    with pytest.raises(ValueError, match="Refusing to import custom serialized LM class"):
        plain.load(tmp_path / "program.json")
    with pytest.raises(ConfigError, match=r"wrap the program by routed\(program\)"):
        plain.load(tmp_path / "program.json", allow_unsafe_lm_state=True)
    with pytest.raises(ConfigError, match=r"give yours as lms=\{...\} before loading"):
        routed(plain).load(tmp_path / "program.json")


def test_a_learnt_router_is_saved(client: Any, tmp_path: Path) -> None:
    """What a router has learnt is in the state, and decides alike."""
    texts = [f"{'hard' if i % 2 else 'easy'} question {i}" for i in range(40)]
    quality = {"large": [1.0] * 40, "small": [float(i % 2 == 0) for i in range(40)]}
    data = RoutingDataset.from_arrays(texts, quality, {"large": [0.01] * 40, "small": [0.001] * 40})
    router = EstimatedRouter(estimator=Nearest(k=5), policy=Utility(cost_weight=10.0)).fit(data)
    lm = RouterLM({name: client(name) for name in ("large", "small")}, router)
    program = RoutedPredict("question -> answer", lm)
    program.save(tmp_path / "program.json")
    fresh = RoutedPredict("question -> answer", lms=lm.lms)
    fresh.load(tmp_path / "program.json")
    queries = [fresh.query({"question": text}) for text in texts]
    assert [fresh.lm.router.decide(query).model for query in queries] == [router.decide(q).model for q in queries]


def test_a_router_lm_is_saved_with_a_plain_program(lm: Any, server: ReplayServer, tmp_path: Path) -> None:
    """An ordinary predictor's RouterLM comes back from a trusted state, or a pickle, over candidates without keys."""
    program = dspy.Predict("question -> answer")
    program.set_lm(lm)
    program.save(tmp_path / "program.json")
    check_no_key(tmp_path / "program.json")
    fresh = dspy.Predict("question -> answer")
    fresh.load(tmp_path / "program.json", allow_unsafe_lm_state=True)
    twin = pickle.loads(pickle.dumps(lm))  # noqa: S301 - our own
    for one in (fresh.lm, twin):
        assert isinstance(one, RouterLM)
        assert one.kwargs == {"temperature": 0.3}
        assert {name: each.model for name, each in one.lms.items()} == {name: f"openai/{name}" for name in NAMES}
        assert "api_key" not in one.lms["small"].kwargs
    assert not server.ledger


def test_a_routed_module_is_saved_with_its_route(lm: Any, router: Any, tmp_path: Path) -> None:
    """The route of a whole module is part of its program's state, and of its pickle."""
    program = Routed(dspy.ChainOfThought("question -> answer"), lm)
    program.save(tmp_path / "program.json")
    fresh = Routed(dspy.ChainOfThought("question -> answer"), lms=lm.lms)
    fresh.load(tmp_path / "program.json")
    assert fresh.route.lm.router.digest() == router.digest()
    program.save(tmp_path / "program", save_program=True)
    check_no_key(tmp_path / "program")
    again = dspy.load(str(tmp_path / "program"), allow_pickle=True)
    assert again.route.lm.operating_point == 2.0
    assert program.deepcopy().route.lm.lms is lm.lms
    assert program.reset_copy().route.lm is not None


def test_embedders_are_given_anew(client: Any, router: Any) -> None:
    """A RouterLM with embedders is saved by their names, and says which it needs when it is loaded."""
    lm = RouterLM({name: client(name) for name in NAMES}, router, embedders={"mine": dspy.Embedder(len)})
    state = lm.dump_state()
    with pytest.raises(ConfigError, match="asks for the embedder 'mine'"):
        RouterLM.load_state(state, allow_custom_lm_class=True)
    assert RouterLM.restored(state, lm.lms, {"mine": len}).embedders == {"mine": len}
    saved = RoutedPredict("question -> answer", lm).dump_state()
    fresh = routed(dspy.Predict("question -> answer"), lms=lm.lms, embedders={"mine": len})
    fresh.load_state(saved)
    assert fresh.lm.embedders == {"mine": len}
    assert fresh.deepcopy().supplies is fresh.supplies
    assert pickle.loads(pickle.dumps(fresh.supplies)).lms is None  # noqa: S301 - our own

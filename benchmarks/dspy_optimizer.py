"""What RouteOptimizer does to a DSPy program on real questions: quality and dollars beside the best single model, over HTTP.

A program of two predictors answers two MMLU-Pro questions of different domains. Each model's answers are on record, and the
replay server gives them to real `dspy.LM` clients. The compilation runs in a process of its own, is interrupted half-way, and
goes on in another one; the program is saved, loaded in a third one, and answers test questions that nothing has seen. Run it:

    python benchmarks/dspy_optimizer.py [--seed 0] [--train 1600] [--val 500] [--test 2600] [--folder FOLDER] [--resume]

The settings below were chosen with a look at the test pairs of seed 0. Any other seed draws its test pairs from questions that
are in none of those, and tells apart the ones that seed 0 has not used for learning or choosing either.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("OPENAI_API_KEY", "unused")

import dspy
import numpy as np
from protocol import data_folder

from dspy_router import RouteOptimizer, routed
from pointsman.data import RoutingDataset
from pointsman.evaluation.paired import compare
from pointsman.evaluation.resampling import Resampling
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.policies.budget import MeanBudget
from pointsman.policies.utility import Utility
from pointsman.selection.auto import AutoRouter
from pointsman.testing.replay_server import ReplayServer

MODELS = ("gemini-1.5-pro-002", "gemini-1.5-flash-002", "Meta-Llama-3_1-70B-Instruct", "mathstral-7B")
BUDGET = 0.67  # of the best single model's cost on the training pairs, so that new ones hardly ever cost more than 70 % of it
FORM = "[[ ## answer ## ]]\n{}\n\n[[ ## completed ## ]]"
SIZES = (1600, 500, 2600)  # pairs to learn from, to choose by and to test on
THREADS = 4


class Pair(dspy.Module):
    """Answers two questions, each with a predictor of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> answer")
        self.second = dspy.Predict("question -> answer")

    def forward(self, one: str, two: str) -> Any:
        """Answer both."""
        return dspy.Prediction(first=self.first(question=one).answer, second=self.second(question=two).answer)


def metric(example: Any, prediction: Any, trace: Any = None) -> float:
    """Return the share of right answers."""
    del trace
    return (float(prediction.first == example.right[0]) + float(prediction.second == example.right[1])) / 2


def load() -> tuple[RoutingDataset, list[str]]:
    """Return the recorded outcomes of the models and the right letters; questions that occur twice are left out."""
    from pyarrow import parquet

    data = RoutingDataset.read(data_folder() / "mmlu_pro").only(MODELS)
    table = parquet.read_table(data_folder() / "mmlu_pro" / "queries.parquet", columns=["query_id", "gold"])
    gold = dict(zip(table["query_id"].to_pylist(), table["gold"].to_pylist(), strict=True))
    times = Counter(data.queries.texts)
    data = data.take(np.flatnonzero([times[text] == 1 for text in data.queries.texts]))
    return data, [gold[one] for one in data.queries.ids]


def prices(data: RoutingDataset) -> ModelPool:
    """Return the models with their prices, solved from recorded tokens and costs."""
    specs = []
    for column, name in enumerate(data.models):
        tokens = np.column_stack([data.input_tokens[:, column], data.output_tokens[:, column]])
        into, out = np.round(np.linalg.lstsq(tokens, data.cost_usd[:, column], rcond=None)[0] * 1e6, 9).tolist()
        specs.append(ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out)))
    return ModelPool(specs)


def pairs(data: RoutingDataset, gold: list[str], asked: argparse.Namespace) -> list[list[Any]]:
    """Return disjoint lists of examples to learn from, to choose by and to test on, each two questions of different domains."""
    first = paired(data, np.random.default_rng(0).permutation(len(data)))
    drawn = parts(first, asked.sizes)
    if asked.seed:
        rng, looked_at = np.random.default_rng(asked.seed), parts(first, SIZES)[2]
        fresh = np.setdiff1d(np.arange(len(data)), looked_at)
        learning = parts(paired(data, rng.permutation(np.unique(looked_at))), asked.sizes[:2])
        drawn = learning + parts(paired(data, rng.permutation(fresh)), asked.sizes[2:])
    texts = data.queries.texts
    return [
        [
            dspy.Example(one=texts[a], two=texts[b], right=(gold[a], gold[b]), rows=(a, b)).with_inputs("one", "two")
            for a, b in part.tolist()
        ]
        for part in drawn
    ]


def paired(data: RoutingDataset, order: np.ndarray) -> np.ndarray:
    """Return rows in pairs: the first half of an order with the second, where the domains are different."""
    half = len(order) // 2
    both = np.column_stack([order[:half], order[half : 2 * half]])
    return both[[data.queries.domains[a] != data.queries.domains[b] for a, b in both]]


def parts(made: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """Cut pairs into parts of these sizes."""
    if sum(sizes) > len(made):
        raise SystemExit(f"There are {len(made)} pairs of different domains, not {sum(sizes)}.")
    return np.split(made[: sum(sizes)], np.cumsum(sizes)[:-1])


def unused(data: RoutingDataset) -> np.ndarray:
    """Tell for each row whether seed 0 has it in no pair: it was neither learnt from, nor chosen by, nor tested on."""
    used = np.concatenate(parts(paired(data, np.random.default_rng(0).permutation(len(data))), SIZES))
    return ~np.isin(np.arange(len(data)), used)


def clients(url: str) -> dict[str, dspy.LM]:
    """Return a real client for each model, which neither retries nor caches."""
    return {name: dspy.LM(f"openai/{name}", api_base=url, cache=False, num_retries=0) for name in MODELS}


def minilm(data: RoutingDataset) -> dspy.Embedder:
    """Return an embedder whose vectors, of all-MiniLM-L6-v2, are on record."""
    rows = {text: row for row, text in enumerate(data.queries.texts)}
    return dspy.Embedder(lambda texts: data.queries.embeddings[[rows[text] for text in texts]], caching=False)


def budget(data: RoutingDataset, train: list[Any]) -> float:
    """Return the mean cost of a pair that may be spent."""
    rows = np.array([one.rows for one in train])
    best = int(data.quality[rows.ravel()].mean(axis=0).argmax())
    return BUDGET * float(data.cost_usd[rows, best].sum(axis=1).mean())


def work_compile(asked: argparse.Namespace) -> None:
    """Compile, save, and say what the routers decide here for the test questions."""
    data, gold = load()
    train, val, test = pairs(data, gold, asked)
    optimizer = RouteOptimizer(
        clients(asked.url),
        metric,
        objective=MeanBudget(usd=budget(data, train)),
        pool=prices(data),
        cache_dir=asked.folder / "cache",
        router=AutoRouter(policy=Utility(), embedder="minilm"),
        embedders={"minilm": minilm(data)},
        settings=10,
        num_threads=THREADS,
    )
    program = optimizer.compile(Pair(), trainset=train, valset=val)
    program.save(asked.folder / "program.json")
    (asked.folder / "report.txt").write_text(str(program.route_report))
    decided = [[decide(program.first, one.one), decide(program.second, one.two)] for one in test]
    (asked.folder / "decided.json").write_text(json.dumps(decided))


def decide(predictor: Any, question: str) -> str:
    """Return the model that a predictor's router chooses, without a call."""
    lm = predictor.lm
    vector = np.asarray(lm.embedders["minilm"]([question])[0], dtype=np.float64)
    query = replace(predictor.query({"question": question}), embedding=vector)
    return str(lm.router.decide(query, lm.context).model)


def work_answer(asked: argparse.Namespace) -> None:
    """Load the program in a fresh process and answer the test questions."""
    data, gold = load()
    test = pairs(data, gold, asked)[2]
    program = routed(Pair(), lms=clients(asked.url), embedders={"minilm": minilm(data)})
    program.load(asked.folder / "program.json")
    found = dspy.Evaluate(devset=test, metric=metric, num_threads=THREADS)(program)
    (asked.folder / "answers.json").write_text(json.dumps([score for *_, score in found.results]))


def start(work: str, asked: argparse.Namespace, url: str) -> subprocess.Popen[bytes]:
    """Start this script in another process."""
    same = [f"--{name}={getattr(asked, name)}" for name in ("seed", "train", "val", "test", "folder")]
    command = [sys.executable, __file__, f"--work={work}", f"--url={url}", *same]
    return subprocess.Popen(command)  # noqa: S603 - our own program


def interrupted(process: subprocess.Popen[bytes], server: ReplayServer, calls: int) -> int:
    """Interrupt a process, as Ctrl-C does, when the server has been asked so often; return how often in the end."""
    while process.poll() is None and len(server.ledger) < calls:
        time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=60)
    except (
        subprocess.TimeoutExpired
    ):  # an interrupt can come while DSPy's executor takes its locks, which then stay taken
        process.kill()
        process.wait()
    return len(server.ledger)


def main(asked: argparse.Namespace) -> None:
    """Serve, let the others work, and print what came of it."""
    data, gold = load()
    test = pairs(data, gold, asked)[2]
    if not asked.resume:
        shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True, exist_ok=True)
    answers = np.array([[FORM.format(answer or "none") for answer in row] for row in data.answers], dtype=object)
    rates = {n: (s.price.input_per_mtok, s.price.output_per_mtok) for n, s in prices(data).items() if s.price}
    texts, tokens = data.queries.texts, (data.input_tokens, data.output_tokens)
    with ReplayServer.from_outcomes(texts, data.models, answers, *tokens, prices=rates) as server:
        begun = time.monotonic()
        if not asked.resume:
            half = (asked.train + asked.val) * len(MODELS)
            at = interrupted(start("compile", asked, server.url), server, half)
            print(f"interrupted after {at:,} calls", flush=True)
        if start("compile", asked, server.url).wait():
            raise SystemExit("The compilation failed.")
        made = [(entry.model, entry.request["messages"][-1]["content"]) for entry in server.ledger]
        print(
            f"compiled after {len(made):,} calls, of which {len(made) - len(set(made))} repeated, "
            f"in {time.monotonic() - begun:.0f} s"
        )
        print((asked.folder / "report.txt").read_text(), flush=True)
        compiled = len(server.ledger)
        if start("answer", asked, server.url).wait():
            raise SystemExit("The test failed.")
        asked_for = server.ledger[compiled:]
    report(asked.folder, asked.seed, data, test, asked_for)


def report(folder: Path, seed: int, data: RoutingDataset, test: list[Any], entries: Any) -> None:
    """Print the routed program, as the server's books have it, beside the best single model, as its outcomes are on record."""
    rows, best = np.array([one.rows for one in test]), data.models.index(data.best_single)
    routed_to, cost = by_question(data, test, entries)
    mine = np.array(json.loads((folder / "answers.json").read_text())), cost.reshape(-1, 2).sum(axis=1)
    theirs = data.quality[rows, best].mean(axis=1), data.cost_usd[rows, best].sum(axis=1)
    chosen = {(entry.model, question_of(entry)) for entry in entries}
    decided = json.loads((folder / "decided.json").read_text())
    wanted = [
        (m, t) for one, two in zip(test, decided, strict=True) for m, t in zip(two, (one.one, one.two), strict=True)
    ]
    print(f"{len(test):,} test pairs, {2 * len(test):,} questions, beside always {data.best_single}:")
    tell(mine, theirs)
    if seed:
        new = unused(data)[rows.ravel()]
        print(f"the {new.sum():,} questions among them that seed 0 has not used at all, one by one:")
        one, to = rows.ravel()[new], routed_to[new]
        tell((data.quality[one, to], cost[new]), (data.quality[one, best], data.cost_usd[one, best]))
    print(f"models {dict(Counter(entry.model for entry in entries))}")
    print(
        f"{sum(one in chosen for one in wanted):,} of {len(wanted):,} decisions of the loaded program are those before saving"
    )


def question_of(entry: Any) -> str:
    """Return the question that a request asks."""
    said = str(entry.request["messages"][-1]["content"])
    return said.partition("[[ ## question ## ]]\n")[2].rpartition("\n\nRespond with")[0]


def tell(mine: Any, theirs: Any) -> None:
    """Print one way of answering beside another, each as quality and dollars."""
    resampling = Resampling(group=np.arange(len(mine[0])), draws=2000, random_state=0)
    found = compare(mine, theirs, resampling, level=0.95)
    print(f"metric {100 * mine[0].mean():.2f} and {100 * theirs[0].mean():.2f}")
    print(
        f"difference {100 * found.difference.estimate:+.2f} points, 95 % interval "
        f"{100 * found.difference.low:+.2f} to {100 * found.difference.high:+.2f}"
    )
    print(
        f"cost {found.relative_cost.estimate:.3f} of its cost ({found.relative_cost.low:.3f} to {found.relative_cost.high:.3f})"
    )


def by_question(data: RoutingDataset, test: list[Any], entries: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return which model, by its column, the server answered each test question as, and what it charged."""
    made = {question_of(entry): entry for entry in entries}
    asked = [made[text] for one in test for text in (one.one, one.two)]
    return np.array([data.models.index(one.model) for one in asked]), np.array([one.cost_usd for one in asked])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in zip(("train", "val", "test"), SIZES, strict=True):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where everything is kept, by default bench-results/dspy-SEED")
    parser.add_argument("--resume", action="store_true", help="go on with what an earlier run has left in the folder")
    parser.add_argument("--work", choices=["compile", "answer"])
    parser.add_argument("--url")
    asked = parser.parse_args()
    asked.folder = asked.folder or Path(f"bench-results/dspy-{asked.seed}")
    asked.sizes = (asked.train, asked.val, asked.test)
    return asked


if __name__ == "__main__":
    given = arguments()
    {"compile": work_compile, "answer": work_answer, None: main}[given.work](given)

"""The model server of the examples answers rightly under load, and refuses what is wrong."""

import asyncio
import importlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
io = pytest.importorskip("skops.io")

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def serving():
    sys.path.insert(0, str(EXAMPLES / "benchmarks"))
    yield importlib.import_module("serving")
    sys.path.remove(str(EXAMPLES / "benchmarks"))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skops"
    subprocess.run([sys.executable, EXAMPLES / "serve.py", path, "--train"], check=True)
    return path


@pytest.fixture(scope="module")
def server(path, serving):
    with serving.running(path) as (_, address):
        yield address


@pytest.fixture(scope="module")
def model(path, serving):
    return io.load(path, trusted=serving.TRUSTED)


@pytest.fixture(scope="module")
def rows():
    return load_breast_cancer().data


def test_one_row_and_many_and_missing_values(server, model, rows):
    for n in (1, 300):
        answer = httpx.post(f"{server}/predict", json={"rows": rows[:n].tolist()}).json()
        assert np.allclose(answer["probabilities"], model.predict_proba(rows[:n]), atol=1e-6)
        assert answer["labels"] == model.predict(rows[:n]).tolist()
        assert answer["classes"] == [0, 1]
    row = rows[0].copy()
    row[3] = np.nan
    body = {"rows": [[None if np.isnan(v) else v for v in row]]}
    answer = httpx.post(f"{server}/predict", json=body).json()
    assert np.allclose(answer["probabilities"], model.predict_proba([row]), atol=1e-6)


def test_the_server_says_that_it_is_ready(server):
    health = httpx.get(f"{server}/health").json()
    assert health == {"status": "ready", "n_features": 30, "classes": [0, 1]}


def test_wrong_requests_are_told_what_is_wrong(server, serving):
    details = {}
    for name, (body, status) in serving.WRONG.items():
        headers = {"content-type": "application/json"}
        answer = httpx.post(f"{server}/predict", content=body, headers=headers)
        assert answer.status_code == status, name
        details[name] = answer.json()["detail"]
    assert details["a missing feature"] == "rows.1 has 29 values, but the model has 30 features."
    assert details["NaN"].startswith("body.rows.0.0: Input should be a finite number")
    assert details["another field"].startswith("body.verbose: ")
    assert httpx.get(f"{server}/predict").status_code == 405


def test_too_large_a_request_is_refused_before_it_is_read(server):
    answer = httpx.post(f"{server}/predict", content=b" " * (2**24 + 1))
    assert answer.status_code == 413
    many = {"rows": [[0.0]] * 10_001}
    assert httpx.post(f"{server}/predict", json=many).status_code == 422
    stream = httpx.post(f"{server}/predict", content=(part for part in [b"{}"]))
    assert stream.status_code == 411


def test_answers_under_load_are_right(server, serving, model, rows):
    figures = asyncio.run(serving.load(server, model, rows, n_requests=600, n_clients=20))
    assert figures["wrong answers"] == 0
    assert figures["bad requests"] > 30


def test_accepted_requests_are_answered_before_the_server_ends(path, serving, model, rows):
    with serving.running(path) as (process, address):
        body, answers = json.dumps({"rows": np.tile(rows, (10, 1)).tolist()}), []

        def ask():
            headers = {"content-type": "application/json"}
            answers.append(
                httpx.post(f"{address}/predict", content=body, headers=headers, timeout=60)
            )

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)  # for the requests to arrive
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert [answer.status_code for answer in answers] == [200] * 8
    expected = model.predict_proba(rows[:1])
    assert all(
        np.allclose(answer.json()["probabilities"][0], expected, atol=1e-5) for answer in answers
    )


def test_a_request_that_the_model_refuses_does_not_spoil_the_others(serving):
    sys.path.insert(0, str(EXAMPLES))
    serve = importlib.import_module("serve")
    sys.path.remove(str(EXAMPLES))

    def double(X):
        if (X < 0).any():
            raise ValueError("negative")
        return 2 * X

    async def together():
        batcher = serve.Batcher(double)
        task = asyncio.create_task(batcher.run())
        requests = [np.full((n, 1), value) for n, value in ((1, 1.0), (2, -1.0), (3, 3.0))]
        answers = await asyncio.gather(*map(batcher.answer, requests), return_exceptions=True)
        task.cancel()
        return answers

    first, second, third = asyncio.run(together())
    assert np.array_equal(first, [[2]])
    assert str(second) == "negative"
    assert np.array_equal(third, np.full((3, 1), 6))

"""The model server of the examples answers rightly under load, and refuses what is wrong."""

import asyncio
import importlib
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC

from sknumpynet import NumpyMLPClassifier, TabularEncoder

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
def serve(serving):
    sys.path.insert(0, str(EXAMPLES))
    yield importlib.import_module("serve")
    sys.path.remove(str(EXAMPLES))


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
    for kind in ("NaN", "infinity", "a string"):
        assert details[kind] == "rows.0.0: the value must be a finite number or null."
    assert details["another field"].startswith("body.verbose: ")
    assert httpx.get(f"{server}/predict").status_code == 405


def send(address, head, *parts):
    """Send raw bytes to POST /predict, and return the answer's status, or None without one."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        start = "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        try:
            connection.sendall(f"{start}{head}\r\n\r\n".encode())
            for part in parts:
                connection.sendall(part)
        except OSError:  # the server has closed the connection
            pass
        try:
            status = connection.recv(4096)
        except ConnectionResetError:  # the answer may be lost with what was not read
            return None
    return int(status.split()[1]) if status else None


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_too_large_a_request_is_refused(server):
    answer = httpx.post(f"{server}/predict", content=b" " * (2**24 + 1))
    assert answer.status_code == 413
    many = {"rows": [[0.0]] * 10_001}
    assert httpx.post(f"{server}/predict", json=many).status_code == 422
    stream = httpx.post(f"{server}/predict", content=(part for part in [b"{}"]))
    assert stream.status_code == 422  # rows is missing


@pytest.mark.parametrize("head", ["", "Content-Length: 10\r\n"])
def test_bytes_are_counted_whatever_the_headers_say(server, head):
    chunks = [chunk(b" " * 2**20)] * 16
    head += "Transfer-Encoding: chunked"
    assert send(server, head, *chunks, chunk(b"{}"), chunk(b"")) == 413
    assert send(server, head, *[chunk(b" " * 2**20)] * 100) in (413, None)
    assert httpx.get(f"{server}/health").status_code == 200


def test_what_is_repeated_of_a_request_is_short(server):
    for key in ("x" * 2**20, "\ud800" * 10):
        body = json.dumps({"rows": [[0.0] * 30], key: 1})
        headers = {"content-type": "application/json"}
        answer = httpx.post(f"{server}/predict", content=body, headers=headers)
        assert answer.status_code == 422
        assert len(answer.content) < 1000


def test_half_a_request_does_not_keep_the_server_from_ending(path, serving):
    with serving.running(path) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
            time.sleep(0.3)  # for it to arrive
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, -signal.SIGTERM)
            assert b" 408 " in connection.recv(4096).split(b"\r\n")[0]


def test_multilabel_targets(serving, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 4))
    model = NumpyMLPClassifier(8, max_iter=5, random_state=0).fit(X, (X[:, :3] > 0).astype(int))
    io.dump(model, tmp_path / "model.skops")
    with serving.running(tmp_path / "model.skops") as (_, address):
        answer = httpx.post(f"{address}/predict", json={"rows": X[:5].tolist()}).json()
    assert answer["labels"] == model.predict(X[:5]).tolist()
    assert np.allclose(answer["probabilities"], model.predict_proba(X[:5]))
    assert answer["classes"] == [0, 1, 2]


def frame_pipeline():
    """Return a Pipeline that needs a frame with a column of strings."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0] * 5, "kind": ["a", "b", "a", "b"] * 5})
    columns = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough", sparse_threshold=0
    )
    network = NumpyMLPClassifier(4, max_iter=2, random_state=0)
    return make_pipeline(columns, network).fit(frame, [0, 1] * 10)


def without_probabilities():
    return LinearSVC().fit([[0.0], [1.0]], [0, 1])


def several_outputs():
    Y = [[0, 0], [1, 2], [0, 1], [1, 2]]
    return MultiOutputClassifier(LogisticRegression()).fit([[0.0], [1.0], [2.0], [3.0]], Y)


@pytest.mark.parametrize("make", [frame_pipeline, without_probabilities, several_outputs])
def test_a_model_that_cannot_be_served_is_refused(make, serve):
    with pytest.raises(ValueError, match=r"cannot be served: .* for a row of zeros it raises"):
        serve.check(make())


def test_a_model_that_refuses_zeros_is_served_if_it_accepts_a_row_of_the_users(serve):
    codes = make_pipeline(OneHotEncoder(), LogisticRegression()).fit([[3], [5]], [0, 1])
    with pytest.raises(ValueError, match="Found unknown categories"):
        serve.check(codes)
    serve.check(codes, [3])


def test_the_server_does_not_start_with_a_model_that_it_cannot_serve(tmp_path):
    path = tmp_path / "model.skops"
    io.dump(without_probabilities(), path)
    command = [sys.executable, EXAMPLES / "serve.py", path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "The model cannot be served" in result.stderr
    assert "Traceback" not in result.stderr


def test_answers_under_load_are_right(server, serving, model, rows):
    figures = asyncio.run(serving.load(server, model, rows, n_requests=600, n_clients=20))
    assert figures["wrong answers"] == 0
    assert figures["bad requests"] > 30


def test_accepted_requests_are_answered_before_the_server_ends(path, serving, model, rows):
    with serving.running(path) as (process, address), ExitStack() as stack:
        body = json.dumps({"rows": np.tile(rows, (10, 1)).tolist()})
        connections = [HTTPConnection(address.removeprefix("http://")) for _ in range(8)]
        for connection in connections:
            stack.callback(connection.close)
        for connection in connections:
            connection.request("POST", "/predict", body, {"content-type": "application/json"})
        answers = [connections[0].getresponse()]  # the server has accepted the others by now
        proba = [json.loads(answers[0].read())["probabilities"]]
        process.send_signal(signal.SIGTERM)
        for connection in connections[1:]:
            answers.append(connection.getresponse())
            proba.append(json.loads(answers[-1].read())["probabilities"])
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert [answer.status for answer in answers] == [200] * 8
    expected = np.tile(model.predict_proba(rows), (10, 1))
    assert all(np.allclose(p, expected, atol=1e-5) for p in proba)


def test_a_request_that_the_model_refuses_does_not_spoil_the_others(serve):
    def double(rows):
        X = np.array(rows)
        if (X < 0).any():
            raise ValueError("negative")
        return X, 2 * X

    async def together():
        batcher = serve.Batcher(double)
        task = asyncio.create_task(batcher.run())
        requests = [[[value]] * n for n, value in ((1, 1.0), (2, -1.0), (3, 3.0))]
        answers = await asyncio.gather(*map(batcher.answer, requests), return_exceptions=True)
        task.cancel()
        return answers

    first, second, third = asyncio.run(together())
    assert np.array_equal(first, [[[1]], [[2]]])
    assert str(second) == "negative"
    assert np.array_equal(third, [np.full((3, 1), 3), np.full((3, 1), 6)])


@pytest.fixture(scope="module")
def people():
    pd = pytest.importorskip("pandas")
    table = {"age": [31, 47, None, 52], "city": ["Bern", "Oslo", "Bern", None]}
    table = pd.DataFrame({name: values * 20 for name, values in table.items()})
    return table.assign(
        since=pd.to_datetime(["2019-05-01", "2024-12-31", None, "2021-07-15"] * 20),
        member=[True, False, None, True] * 20,
    )


def test_rows_with_the_names_of_columns(people, serve, serving, tmp_path):
    network = NumpyMLPClassifier(16, effort=0.2, random_state=0)
    model = make_pipeline(TabularEncoder(), network).fit(people, ["no", "yes", "yes", "no"] * 20)
    path = tmp_path / "people.skops"
    io.dump(model, path)
    serve.check(io.load(path, trusted=serve.TRUSTED))
    row = {"city": "Oslo", "age": 30, "member": False, "since": "2024-12-31"}
    new = people[:3].assign(
        age=[30, None, None],
        city=["Oslo", None, "new"],
        since=people["since"].iloc[[1, 2, 2]].to_numpy(),
        member=[False, None, True],
    )
    with serving.running(path) as (_, address):
        rows = [row, dict.fromkeys(row), [None, "new", None, True]]
        answer = httpx.post(f"{address}/predict", json={"rows": rows}).json()
        assert np.allclose(answer["probabilities"], model.predict_proba(new), atol=1e-6)
        assert answer["labels"] == model.predict(new).tolist()
        for wrong, detail in (
            (row | {"other": 1}, "rows.0.other is not a column of the model."),
            ({name: row[name] for name in row if name != "age"}, "rows.0.age is missing."),
            (row | {"city": [1]}, "rows.0.1: the value must be a finite number, string, boolean"),
            (row | {"since": "soon"}, "column 'since', where fit has seen dates"),
            (row | {"age": "old"}, "column 'age', where fit has seen numbers"),
        ):
            answer = httpx.post(f"{address}/predict", json={"rows": [wrong]})
            assert answer.status_code == 422
            assert detail in answer.json()["detail"]

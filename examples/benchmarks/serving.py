"""Load on the model server of examples/serve.py: requests per second, and how long they take.

    pip install -e ".[examples]"
    python examples/benchmarks/serving.py [--requests 5000] [--clients 50] [--output FILE]

Starts the server on 127.0.0.1, and sends requests of 1 to 20 rows from several clients at the same
time. One in ten is wrong in one of several ways. All answers are compared with those of the model.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import report
from sklearn.datasets import load_breast_cancer
from skops import io

SERVE = Path(__file__).parents[1] / "serve.py"
TRUSTED = ["sknumpynet.classifier.NumpyMLPClassifier", "sknumpynet.preprocessing.NumericalEncoder"]
ROW = [1.0] * 30
# What is wrong with a request, its body, and the status that it should get.
WRONG = {
    "no JSON": ("{", 422),
    "another field": (json.dumps({"rows": [ROW], "verbose": 1}), 422),
    "no rows": (json.dumps({"rows": []}), 422),
    "a missing feature": (json.dumps({"rows": [ROW, ROW[1:]]}), 422),
    "a string": (json.dumps({"rows": [["1", *ROW[1:]]]}), 422),
    "infinity": (json.dumps({"rows": [[float("inf"), *ROW[1:]]]}), 422),
    "NaN": (json.dumps({"rows": [[float("nan"), *ROW[1:]]]}), 422),
}


@contextmanager
def running(path):
    """Start the server with the model of this path; yield its process and its address."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, str(SERVE), str(path), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{address}/health").status_code == 200:
                    break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield process, address
    finally:
        process.kill()
        process.wait()


def job(model, X, rng):
    """Return a random request: its body, the status it should get, and the probabilities."""
    if rng.random() < 0.1:
        return *WRONG[rng.choice(list(WRONG))], None
    rows = X[rng.integers(len(X), size=rng.integers(1, 21))]
    return json.dumps({"rows": rows.tolist()}), 200, model.predict_proba(rows)


async def load(address, model, X, n_requests, n_clients, seed=0):
    """Send random requests, compare the answers with the model's, and return the figures.

    Parameters
    ----------
    address : str
    model : classifier
        What the answers are compared with.
    X : ndarray of shape (n_samples, n_features)
        The rows are drawn from these.
    n_requests, n_clients : int
    """
    rng = np.random.default_rng(seed)
    jobs = [job(model, X, rng) for _ in range(n_requests)]
    waiting, seconds, n_wrong = iter(jobs), [], 0

    async def client():
        nonlocal n_wrong
        headers = {"content-type": "application/json"}
        async with httpx.AsyncClient(base_url=address, timeout=60) as http:
            for body, status, expected in waiting:
                start = time.perf_counter()
                answer = await http.post("/predict", content=body, headers=headers)
                seconds.append(time.perf_counter() - start)
                right = answer.status_code == status
                if right and status == 200:
                    right = np.allclose(answer.json()["probabilities"], expected, atol=1e-5)
                elif right:
                    right = bool(answer.json()["detail"])
                n_wrong += not right

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(n_clients)))
    return {
        "requests": n_requests,
        "clients": n_clients,
        "bad requests": sum(status != 200 for _, status, _ in jobs),
        "wrong answers": n_wrong,
        "requests / s": n_requests / (time.perf_counter() - start),
        "p50, ms": 1000 * np.quantile(seconds, 0.5),
        "p99, ms": 1000 * np.quantile(seconds, 0.99),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 10, 50])
    parser.add_argument("--output", help="JSON file to write")
    arguments = parser.parse_args()
    X = load_breast_cancer().data
    with TemporaryDirectory() as directory:
        path = Path(directory) / "model.skops"
        subprocess.run([sys.executable, str(SERVE), str(path), "--train"], check=True)
        model = io.load(path, trusted=TRUSTED)
        with running(path) as (process, address):
            results = [
                asyncio.run(load(address, model, X, arguments.requests, n_clients))
                for n_clients in arguments.clients
            ]
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    about = f"{report.versions()}, {os.cpu_count()} cores for the server and its clients"
    report.publish(arguments.output, about, results, report.serving)


if __name__ == "__main__":
    main()

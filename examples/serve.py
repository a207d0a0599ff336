"""Serve a saved Pipeline over HTTP, for one row or many.

    pip install -e ".[examples]"
    python examples/serve.py --train model.skops    a model of breast cancer data, to try it
    python examples/serve.py model.skops [--host 127.0.0.1] [--port 8000]
    curl -H 'content-type: application/json' -d '{"rows": [[17.99, 10.38, ...]]}' \
        http://127.0.0.1:8000/predict

The answer has the label of each row and its probabilities, in the order of "classes"; with
multilabel targets a 0 or 1 for each class. A missing value is null. Requests that arrive while
others are computed are computed together afterwards, in one call of the model. GET /health says
whether the server is ready. On SIGTERM it answers what it has accepted, and ends.

At the start the model predicts one row, of zeros or of the values of --row, so that a model that
cannot be served, such as one that was fitted on columns of strings, is refused before any request.
"""

import argparse
import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from skops import io

TRUSTED = ["sknumpynet.classifier.NumpyMLPClassifier", "sknumpynet.preprocessing.NumericalEncoder"]
# The largest request, in rows and in bytes, and the most rows of one call of the model.
MOST_ROWS, MOST_BYTES, MOST_AT_ONCE = 10_000, 2**24, 10_000
# Within so many seconds a request must have arrived, and on SIGTERM all must have been answered.
MOST_SECONDS, MOST_SECONDS_TO_END = 10, 30
# The most characters of a request that an error message repeats.
MOST_REPEATED = 100

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]


class Rows(BaseModel):
    """What POST /predict accepts."""

    model_config = ConfigDict(extra="forbid")
    rows: Annotated[list[list[Number | None]], Field(min_length=1, max_length=MOST_ROWS)]


class LimitedBody:
    """Middleware that counts the bytes of a request as they arrive, whatever its headers say."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        n_bytes, is_complete = 0, False
        deadline = asyncio.get_running_loop().time() + MOST_SECONDS

        async def limited():
            nonlocal n_bytes, is_complete
            if is_complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                detail = f"The body must arrive within {MOST_SECONDS} seconds."
                raise HTTPException(408, detail) from None
            n_bytes += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            if n_bytes > MOST_BYTES:
                raise HTTPException(413, f"The body may have {MOST_BYTES} bytes.")
            return message

        await self.app(scope, limited, send)


class Batcher:
    """Computes the requests that wait together, in a thread, so that new ones are accepted.

    `predict` returns several arrays, which have an entry for each row.
    """

    def __init__(self, predict):
        self.predict, self.waiting = predict, asyncio.Queue()

    async def answer(self, X):
        """Return the arrays of the rows of a request."""
        done = asyncio.get_running_loop().create_future()
        await self.waiting.put((X, done))
        return await done

    async def run(self):
        """Answer requests until the task is cancelled."""
        while True:
            batch = [await self.waiting.get()]
            while not self.waiting.empty() and sum(len(X) for X, _ in batch) < MOST_AT_ONCE:
                batch.append(self.waiting.get_nowait())
            parts = [X for X, _ in batch]
            try:
                results = await self.compute(parts)
            except Exception:  # of one of the requests; the others are not to blame
                results = [await self.compute_alone(X) for X in parts]
            for (_, done), result in zip(batch, results, strict=True):
                if done.cancelled():
                    continue  # the client has gone
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

    async def compute(self, parts):
        arrays = await asyncio.to_thread(self.predict, np.concatenate(parts))
        bounds = np.cumsum([len(X) for X in parts])[:-1]
        return list(zip(*(np.split(array, bounds) for array in arrays), strict=True))

    async def compute_alone(self, X):
        try:
            return (await self.compute([X]))[0]
        except Exception as error:
            return error


def content(model, labels, proba):
    """Return what answers a request."""
    return {
        "labels": labels.tolist(),
        "probabilities": proba.tolist(),
        "classes": model.classes_.tolist(),
    }


def check(model, row=None):
    """Predict one row, and write the answer as JSON.

    Raises
    ------
    ValueError
        If this does not work.
    """
    try:
        X = np.zeros((1, model.n_features_in_)) if row is None else np.array([row], float)
        proba = model.predict_proba(X)
        if np.shape(proba) != (1, len(model.classes_)):
            raise ValueError(f"predict_proba has {np.shape(proba)=} for {len(model.classes_)=}")
        json.dumps(content(model, model.predict(X), proba), allow_nan=False)
    except Exception as error:  # of any kind, as models are
        kind = "a row of zeros" if row is None else f"the row {row}"
        raise ValueError(
            f"The model cannot be served: it must be a classifier with probabilities and accept "
            f"rows of numbers, but for {kind} it raises {type(error).__name__}: {error}"
        ) from error


def make_app(model):
    """Return the application that serves a fitted classifier or Pipeline."""
    n_features = model.n_features_in_

    @asynccontextmanager
    async def lifespan(app):
        app.state.batcher = Batcher(lambda X: (model.predict(X), model.predict_proba(X)))
        task = asyncio.create_task(app.state.batcher.run())
        yield
        task.cancel()

    app = FastAPI(title="sknumpynet", lifespan=lifespan)
    app.add_middleware(LimitedBody)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Request, error: RequestValidationError):
        """Name what is wrong, without repeating values, which JSON may be unable to express."""
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:MOST_REPEATED]
        place = place.encode("ascii", "backslashreplace").decode()
        return JSONResponse({"detail": f"{place}: {first['msg']}"}, 422)

    @app.get("/health")
    async def health():
        return {"status": "ready", "n_features": n_features, "classes": model.classes_.tolist()}

    @app.post("/predict")
    async def predict(request: Rows):
        for i, row in enumerate(request.rows):
            if len(row) != n_features:
                detail = f"rows.{i} has {len(row)} values, but the model has {n_features} features."
                raise HTTPException(422, detail)
        try:
            labels, proba = await app.state.batcher.answer(np.array(request.rows, float))
        except ValueError as error:  # for instance a missing value without an imputer
            raise HTTPException(422, str(error)) from error
        return content(model, labels, proba)

    return app


def train(path):
    """Save a Pipeline that was trained on breast cancer data."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.pipeline import make_pipeline

    from sknumpynet import NumericalEncoder, NumpyMLPClassifier

    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(NumericalEncoder(), NumpyMLPClassifier(random_state=0))
    io.dump(model.fit(X, y), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path, help="a Pipeline, saved by skops")
    parser.add_argument("--train", action="store_true", help="write the file instead of serving it")
    parser.add_argument("--row", type=json.loads, help="a row that the model accepts, as JSON")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.model)
        return
    model = io.load(arguments.model, trusted=TRUSTED)
    try:
        check(model, arguments.row)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    uvicorn.run(
        make_app(model),
        host=arguments.host,
        port=arguments.port,
        access_log=False,
        timeout_graceful_shutdown=MOST_SECONDS_TO_END,
    )


if __name__ == "__main__":
    main()

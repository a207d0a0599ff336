"""Serve a saved Pipeline over HTTP, for one row or many.

    pip install -e ".[examples]"
    python examples/serve.py --train model.skops    a model of breast cancer data, to try it
    python examples/serve.py model.skops [--host 127.0.0.1] [--port 8000]
    curl -H 'content-type: application/json' -d '{"rows": [[17.99, 10.38, ...]]}' \
        http://127.0.0.1:8000/predict
    curl -H 'content-type: application/json' -d '{"rows": [{"age": 31, "city": "Bern"}]}' \
        http://127.0.0.1:8000/predict

A row is a list of the values of the columns or, if the model was trained on a data frame, an object
with their names. With a TabularEncoder they may be strings, booleans and dates, such as
"2024-12-31". A missing value is null. The answer has the label of each row and its probabilities,
in the order of "classes"; with multilabel targets a 0 or 1 for each class. Requests that arrive
while others are computed are computed together afterwards, in one call of the model. GET /health
says whether the server is ready. On SIGTERM it answers what it has accepted, and ends.

At the start the model predicts one row, of the values of --row, of missing values for a
TabularEncoder, or else of zeros, so that a model that cannot be served is refused before any
request.
"""

import argparse
import asyncio
import json
from contextlib import asynccontextmanager
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

import numpy as np
import pandas as pd
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from skops import io

from sknumpynet import TabularEncoder

TRUSTED = [
    "sknumpynet.classifier.NumpyMLPClassifier",
    "sknumpynet.preprocessing.NumericalEncoder",
    "sknumpynet.preprocessing.TabularEncoder",
]
# The largest request, in rows and in bytes, and the most rows of one call of the model.
MOST_ROWS, MOST_BYTES, MOST_AT_ONCE = 10_000, 2**24, 10_000
# Within so many seconds a request must have arrived, and on SIGTERM all must have been answered.
MOST_SECONDS, MOST_SECONDS_TO_END = 10, 30
# The most characters of a request that an error message repeats.
MOST_REPEATED = 100

Row = list[Any] | dict[str, Any]


class Rows(BaseModel):
    """What POST /predict accepts."""

    model_config = ConfigDict(extra="forbid")
    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)]


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

    `predict` takes a list of rows, and returns several arrays, which have an entry for each.
    """

    def __init__(self, predict):
        self.predict, self.waiting = predict, asyncio.Queue()

    async def answer(self, rows):
        """Return the arrays of the rows of a request."""
        done = asyncio.get_running_loop().create_future()
        await self.waiting.put((rows, done))
        return await done

    async def run(self):
        """Answer requests until the task is cancelled."""
        while True:
            batch = [await self.waiting.get()]
            while not self.waiting.empty() and sum(len(rows) for rows, _ in batch) < MOST_AT_ONCE:
                batch.append(self.waiting.get_nowait())
            parts = [rows for rows, _ in batch]
            try:
                results = await self.compute(parts)
            except Exception:  # of one of the requests; the others are not to blame
                results = [await self.compute_alone(rows) for rows in parts]
            for (_, done), result in zip(batch, results, strict=True):
                if done.cancelled():
                    continue  # the client has gone
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

    async def compute(self, parts):
        arrays = await asyncio.to_thread(self.predict, [row for rows in parts for row in rows])
        bounds = np.cumsum([len(rows) for rows in parts])[:-1]
        return list(zip(*(np.split(array, bounds) for array in arrays), strict=True))

    async def compute_alone(self, rows):
        try:
            return (await self.compute([rows]))[0]
        except Exception as error:
            return error


def takes_tables(model):
    """Tell whether a model begins with a TabularEncoder, which takes strings and dates."""
    return isinstance(getattr(model, "steps", [[None, model]])[0][1], TabularEncoder)


def table(model, rows):
    """Return rows as the X that the model takes."""
    names = getattr(model, "feature_names_in_", None)
    if not takes_tables(model):
        rows = np.array(rows, float)
    return rows if names is None else pd.DataFrame(rows, columns=names)


def in_order(model, row, place):
    """Return the values of a row in the order of the model's columns.

    Raises
    ------
    ValueError
        If there are more or fewer, or one is nothing that the model could take.
    """
    names = list(getattr(model, "feature_names_in_", ()))
    if isinstance(row, dict):
        for name in {*row} ^ {*names}:
            problem = "is not a column of the model" if name in row else "is missing"
            raise ValueError(f"{place}.{readable(name)} {problem}.")
        row = [row[name] for name in names]
    if len(row) != model.n_features_in_:
        has = f"{len(row)} values, but the model has {model.n_features_in_} features"
        raise ValueError(f"{place} has {has}.")
    types = (str, bool, int, float, NoneType) if takes_tables(model) else (int, float, NoneType)
    for j, value in enumerate(row):
        if type(value) not in types or (isinstance(value, float) and not isfinite(value)):
            kinds = "finite number, string, boolean" if str in types else "finite number"
            raise ValueError(f"{place}.{j}: the value must be a {kinds} or null.")
    return row


def readable(text):
    """Return the beginning of a text, without characters that JSON cannot express."""
    return str(text)[:MOST_REPEATED].encode("ascii", "backslashreplace").decode()


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
        values = [None if takes_tables(model) else 0.0] * model.n_features_in_
        X = table(model, [values if row is None else in_order(model, row, "--row")])
        proba = model.predict_proba(X)
        if np.shape(proba) != (1, len(model.classes_)):
            raise ValueError(f"predict_proba has {np.shape(proba)=} for {len(model.classes_)=}")
        json.dumps(content(model, model.predict(X), proba), allow_nan=False)
    except Exception as error:  # of any kind, as models are
        empty = "missing values" if takes_tables(model) else "zeros"
        kind = f"a row of {empty}" if row is None else f"the row {row}"
        raise ValueError(
            "The model cannot be served: it must be a classifier with probabilities and accept "
            f"rows of numbers or begin with a TabularEncoder, but for {kind} it raises "
            f"{type(error).__name__}: {error}"
        ) from error


def make_app(model):
    """Return the application that serves a fitted classifier or Pipeline."""
    n_features = model.n_features_in_

    def predict_both(rows):
        X = table(model, rows)
        return model.predict(X), model.predict_proba(X)

    @asynccontextmanager
    async def lifespan(app):
        app.state.batcher = Batcher(predict_both)
        task = asyncio.create_task(app.state.batcher.run())
        yield
        task.cancel()

    app = FastAPI(title="sknumpynet", lifespan=lifespan)
    app.add_middleware(LimitedBody)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Request, error: RequestValidationError):
        """Name what is wrong, without repeating values, which JSON may be unable to express."""
        first = error.errors()[0]
        place = readable(".".join(map(str, first["loc"])))
        return JSONResponse({"detail": f"{place}: {first['msg']}"}, 422)

    @app.get("/health")
    async def health():
        return {"status": "ready", "n_features": n_features, "classes": model.classes_.tolist()}

    @app.post("/predict")
    async def predict(request: Rows):
        try:
            rows = [in_order(model, row, f"rows.{i}") for i, row in enumerate(request.rows)]
            labels, proba = await app.state.batcher.answer(rows)
        except (TypeError, ValueError) as error:  # for instance a missing value without an imputer
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

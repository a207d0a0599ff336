"""Serve a saved Pipeline over HTTP, for one row or many.

    pip install -e ".[examples]"
    python examples/serve.py --train model.skops    a model of breast cancer data, to try it
    python examples/serve.py model.skops [--host 127.0.0.1] [--port 8000]
    curl -H 'content-type: application/json' -d '{"rows": [[17.99, 10.38, ...]]}' \
        http://127.0.0.1:8000/predict

The answer has a label for each row and its probabilities, in the order of "classes". A missing
value is null. Requests that arrive while others are computed are computed together afterwards, in
one call of the model. GET /health says whether the server is ready. On SIGTERM it answers what it
has accepted, and ends.
"""

import argparse
import asyncio
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

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]


class Rows(BaseModel):
    """What POST /predict accepts."""

    model_config = ConfigDict(extra="forbid")
    rows: Annotated[list[list[Number | None]], Field(min_length=1, max_length=MOST_ROWS)]


class Batcher:
    """Computes the requests that wait together, in a thread, so that new ones are accepted."""

    def __init__(self, predict_proba):
        self.predict_proba, self.waiting = predict_proba, asyncio.Queue()

    async def answer(self, X):
        """Return the probabilities of the rows of a request."""
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
        proba = await asyncio.to_thread(self.predict_proba, np.concatenate(parts))
        return np.split(proba, np.cumsum([len(X) for X in parts])[:-1])

    async def compute_alone(self, X):
        try:
            return (await self.compute([X]))[0]
        except Exception as error:
            return error


def make_app(model):
    """Return the application that serves a fitted classifier or Pipeline."""
    classes, n_features = model.classes_, model.n_features_in_

    @asynccontextmanager
    async def lifespan(app):
        app.state.batcher = Batcher(model.predict_proba)
        task = asyncio.create_task(app.state.batcher.run())
        yield
        task.cancel()

    app = FastAPI(title="sknumpynet", lifespan=lifespan)

    @app.middleware("http")
    async def limit_size(request: Request, call_next):
        length = request.headers.get("content-length")
        if request.method == "POST" and (length is None or not length.isdecimal()):
            return JSONResponse({"detail": "Send the Content-Length of the body."}, 411)
        if length is not None and int(length) > MOST_BYTES:
            return JSONResponse({"detail": f"The body may have {MOST_BYTES} bytes."}, 413)
        return await call_next(request)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Request, error: RequestValidationError):
        """Name what is wrong, without repeating the input, which JSON may be unable to express."""
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return JSONResponse({"detail": f"{place}: {first['msg']}"}, 422)

    @app.get("/health")
    async def health():
        return {"status": "ready", "n_features": n_features, "classes": classes.tolist()}

    @app.post("/predict")
    async def predict(request: Rows):
        for i, row in enumerate(request.rows):
            if len(row) != n_features:
                detail = f"rows.{i} has {len(row)} values, but the model has {n_features} features."
                raise HTTPException(422, detail)
        try:
            proba = await app.state.batcher.answer(np.array(request.rows, float))
        except ValueError as error:  # for instance a missing value without an imputer
            raise HTTPException(422, str(error)) from error
        labels = classes[proba.argmax(axis=1)]
        return {
            "labels": labels.tolist(),
            "probabilities": proba.tolist(),
            "classes": classes.tolist(),
        }

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
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.model)
        return
    model = io.load(arguments.model, trusted=TRUSTED)
    uvicorn.run(make_app(model), host=arguments.host, port=arguments.port, access_log=False)


if __name__ == "__main__":
    main()

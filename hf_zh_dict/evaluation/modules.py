"""A metric's name in, its `evaluate` module out, loaded by path: no network is needed."""

from functools import cache
from pathlib import Path
from typing import Any

METRICS_FOLDER = Path(__file__).parent / "metrics"


@cache
def load_metric(name: str) -> Any:
    """`evaluate.load` of a module of the package, once; a user loads it by the same path."""
    import evaluate

    return evaluate.load(str(METRICS_FOLDER / name))

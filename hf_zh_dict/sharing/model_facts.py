"""A run folder in, what a model card tells of it out: only facts that the folder holds.

What the folder does not hold is missing here too, and the card says so.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_zh_dict.files import read_json
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows
from hf_zh_dict.sharing.model_index import Result, list_results
from hf_zh_dict.sharing.run_facts import BITS, WEIGHTS, RunFacts, count_stored, read_settings
from hf_zh_dict.stages import read_stage

NUM_SAMPLES = 4
LONGEST_SAMPLE = 200


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a run's model."""

    corpus: dict[str, Any]  # the corpus's stage.json
    settings: dict[str, Any]  # config.yaml, by section
    shape: dict[str, Any]  # the model's config.json
    parameters: int | None
    training: dict[str, Any]  # the last rows of metrics.jsonl
    evaluation: dict[str, Any]
    samples: list[str] = field(default_factory=list)
    prompt: str = ""  # a headword that the model was asked to continue

    @property
    def results(self) -> list[Result]:
        return list_results(self.evaluation)


def read_model_facts(paths: RunPaths) -> ModelFacts:
    """Everything that the run folder says."""
    written = read_samples(paths.samples)
    return ModelFacts(
        corpus=read_stage(paths.corpus),
        settings=portable_settings(paths),
        shape=read_json(paths.model / "config.json"),
        parameters=count_stored(paths.model / WEIGHTS),
        training=read_training(paths.metrics),
        evaluation={k: v for k, v in read_json(paths.evaluation).items() if k != "model"},
        samples=[shorten(row["text"]) for row in written],
        prompt=written[0]["prompt"].strip("\u3000 ") if written else "",
    )


def portable_settings(paths: RunPaths) -> dict[str, Any]:
    """The run's settings without where it is pushed to."""
    return {name: of for name, of in read_settings(paths).items() if name != "hub"}


def read_training(metrics: Path) -> dict[str, Any]:
    """Steps, tokens, seconds, and the step and score of the best validation."""
    run = RunFacts("", metrics=read_rows(metrics))
    if not run.best:
        return {}
    return {
        "step": run.evaluations[-1]["step"],
        "tokens": run.tokens,
        "seconds": run.evaluations[-1].get("seconds"),
        "stopped_early": run.stopped_early,
        "best_step": run.best["step"],
        "first_bits_per_char": run.evaluations[0][BITS],
        "best_bits_per_char": run.best[BITS],
    }


def read_samples(samples: Path) -> list[dict[str, Any]]:
    """What the model last wrote, with its prompts."""
    rows = read_rows(samples)
    return [row for row in rows if row["step"] == rows[-1]["step"]][:NUM_SAMPLES]


def shorten(text: str) -> str:
    """One line, cut where it is long."""
    line = " ".join(text.split("\n"))
    return line[:LONGEST_SAMPLE] + ("……" if len(line) > LONGEST_SAMPLE else "")


def evaluation_bytes(facts: ModelFacts) -> bytes:
    return (json.dumps(facts.evaluation, ensure_ascii=False, indent=2) + "\n").encode()


def settings_bytes(facts: ModelFacts) -> bytes:
    import yaml

    return yaml.safe_dump(facts.settings, allow_unicode=True, sort_keys=False).encode()

"""A run folder in, what a model card tells of it out: only facts that the folder holds.

What the folder does not hold is missing here too, and the card says so.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_zh_dict.files import read_json
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows
from hf_zh_dict.sharing.model_index import Result, list_results
from hf_zh_dict.stages import read_stage

WEIGHTS = "model.safetensors"
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
    """The run's settings, with files by their names: where they lay here is nobody's business."""
    import yaml

    if not paths.config.is_file():
        return {}
    settings: dict[str, Any] = yaml.safe_load(paths.config.read_text(encoding="utf-8")) or {}
    settings.pop("hub", None)
    corpus = settings.get("corpus") or {}
    corpus["files"] = [Path(name).name for name in corpus.get("files") or []]
    for section, name in (("corpus", "repo_id"), ("tokenizer", "pretrained"), ("model", "pretrained")):  # fmt: skip
        value = (settings.get(section) or {}).get(name)
        if value and Path(value).expanduser().exists():
            settings[section][name] = Path(value).name
    return settings


def count_stored(weights: Path) -> int | None:
    """Numbers in a safetensors file; a tied matrix is stored, and counts, once."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, "np") as file:
            shapes: list[list[int]] = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return sum(math.prod(shape) for shape in shapes)


def read_training(metrics: Path) -> dict[str, Any]:
    """Steps, tokens, seconds, and the step and score of the best validation."""
    rows = read_rows(metrics)
    scored = [row for row in rows if "validation_bits_per_char" in row]
    if not scored:
        return {}
    best = min(scored, key=lambda row: row["validation_bits_per_char"])
    last = scored[-1]
    return {
        "step": last["step"],
        "tokens": last.get("tokens"),
        "seconds": last.get("seconds"),
        "stopped_early": last.get("stopped_early", False),
        "best_step": best["step"],
        "first_bits_per_char": scored[0]["validation_bits_per_char"],
        "best_bits_per_char": best["validation_bits_per_char"],
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

"""A run folder in, everything that it says of its run out; what it does not hold is empty here.

A run may still be in training, have been stopped, or never have been evaluated.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hf_zh_dict.evaluation.results import read_report
from hf_zh_dict.files import read_json
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows
from hf_zh_dict.stages import read_stage

WEIGHTS = "model.safetensors"
BITS = "validation_bits_per_char"
LOCAL_OR_HUB = (("corpus", "repo_id"), ("tokenizer", "pretrained"), ("model", "pretrained"))

Facts = dict[str, Any]


@dataclass(frozen=True)
class RunFacts:
    """What a run folder holds."""

    name: str  # the folder's
    corpus: Facts = field(default_factory=dict)  # what the stages say, each in its stage.json
    survey: Facts = field(default_factory=dict)
    tokenizer: Facts = field(default_factory=dict)
    tokenizer_report: Facts = field(default_factory=dict)  # by coder
    blocks: Facts = field(default_factory=dict)
    baselines: dict[str, float] = field(default_factory=dict)  # bits a character of validation
    settings: Facts = field(default_factory=dict)  # config.yaml, by section
    shape: Facts = field(default_factory=dict)  # the model's config.json
    parameters: int | None = None
    metrics: list[Facts] = field(default_factory=list)
    samples: list[Facts] = field(default_factory=list)
    environment: list[Facts] = field(default_factory=list)  # a row for each start
    checkpoints: list[int] = field(default_factory=list)  # steps
    evaluation: Facts = field(default_factory=dict)

    @cached_property
    def evaluations(self) -> list[Facts]:
        """Rows of validation, also those that are no numbers."""
        return [row for row in self.metrics if BITS in row]

    @cached_property
    def best(self) -> Facts:
        """The row of the best validation, whose weights are kept; empty when there is none."""
        scored = [row for row in self.evaluations if math.isfinite(row[BITS])]
        return min(scored, key=lambda row: float(row[BITS]), default={})

    @cached_property
    def training(self) -> list[Facts]:
        """Rows of training."""
        return [row for row in self.metrics if "loss" in row]

    @cached_property
    def skipped(self) -> list[Facts]:
        """Rows of steps that were skipped because something was not finite."""
        return [row for row in self.metrics if "skipped" in row]

    @property
    def step(self) -> int:
        """The last step that left a row."""
        return max((int(row["step"]) for row in self.metrics), default=0)

    @property
    def max_steps(self) -> int | None:
        steps = (self.settings.get("train") or {}).get("max_steps")
        return steps if isinstance(steps, int) else None

    @property
    def stopped_early(self) -> bool:
        return any(row.get("stopped_early") for row in self.evaluations[-1:])

    @property
    def finished(self) -> bool:
        """Whether training came to its end: the last step evaluated, or no improvement."""
        evaluated = self.evaluations[-1]["step"] if self.evaluations else -1
        return self.stopped_early or (self.max_steps is not None and evaluated >= self.max_steps)

    @property
    def seconds(self) -> float | None:
        """Of training, over all starts."""
        return next((row["seconds"] for row in reversed(self.metrics) if "seconds" in row), None)

    @property
    def tokens(self) -> int | None:
        """Targets trained on, as of the last evaluation."""
        return next((row["tokens"] for row in reversed(self.evaluations) if "tokens" in row), None)


def read_run_facts(paths: RunPaths) -> RunFacts:
    """Everything that the run folder says.

    Raises:
        InputError: it is no run folder.
    """
    known = (paths.config, paths.corpus, paths.metrics, paths.model, paths.evaluation)
    if not any(path.exists() for path in known):
        raise InputError(
            _("{folder}: is no run folder; train one with hf-zh-dict train.").format(
                folder=paths.root
            )
        )
    starts = {row["step"]: row for row in read_rows(paths.environment)}
    return RunFacts(
        name=paths.root.resolve().name,
        corpus=read_stage(paths.corpus),
        survey=read_stage(paths.survey),
        tokenizer=read_stage(paths.tokenizer),
        tokenizer_report=read_json(paths.tokenizer_report),
        blocks=read_stage(paths.blocks),
        baselines=read_stage(paths.baselines / "validation").get("bits_per_char") or {},
        settings=read_settings(paths),
        shape=read_json(paths.model / "config.json"),
        parameters=count_stored(paths.model / WEIGHTS),
        metrics=read_rows(paths.metrics),
        samples=read_rows(paths.samples),
        environment=list(starts.values()),
        checkpoints=list_steps(paths),
        evaluation=read_report(paths.evaluation),
    )


def read_settings(paths: RunPaths) -> Facts:
    """The run's settings, with files by their names: where they lay is nobody's business.

    Raises:
        InputError: config.yaml is no YAML.
    """
    import yaml

    if not paths.config.is_file():
        return {}
    try:
        read = yaml.safe_load(paths.config.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(_("{file}: {reason}.").format(file=paths.config, reason=reason)) from error
    settings: Facts = read if isinstance(read, dict) else {}
    corpus = settings.get("corpus") or {}
    if corpus.get("files"):
        corpus["files"] = [Path(name).name for name in corpus["files"]]
    for section, name in LOCAL_OR_HUB:
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


def list_steps(paths: RunPaths) -> list[int]:
    """Steps that have a checkpoint's folder."""
    names = [path.name.partition("step-")[2] for path in paths.checkpoints.glob("step-*")]
    return sorted(int(name) for name in names if name.isdecimal())

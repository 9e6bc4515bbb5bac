"""A run folder in, the path of everything that a run keeps in it out. No other room names files."""

from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "validation", "test")
LICENSE_FOLDER = "license"  # the Ministry's 使用說明: beside its tables, and inside a corpus folder


@dataclass(frozen=True)
class RunPaths:
    """The files of one run. Its corpus may lie elsewhere, when a model is judged by another's."""

    root: Path
    corpus_folder: Path | None = None

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def corpus(self) -> Path:
        return self.corpus_folder or self.root / "corpus"

    def split(self, name: str) -> Path:
        return self.corpus / f"{name}.parquet"

    @property
    def survey(self) -> Path:
        return self.root / "survey"

    @property
    def corpus_page(self) -> Path:
        return self.root / "corpus.html"

    @property
    def tokenizer(self) -> Path:
        return self.root / "tokenizer"

    @property
    def tokenizer_report(self) -> Path:
        return self.root / "tokenizer-report.json"

    @property
    def tokenizer_page(self) -> Path:
        return self.root / "tokenizer.html"

    @property
    def blocks(self) -> Path:
        return self.root / "blocks"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        return self.checkpoints / f"step-{step:06d}"

    @property
    def model(self) -> Path:
        return self.root / "model"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        return self.root / "samples.jsonl"

    @property
    def environment(self) -> Path:
        return self.root / "environment.jsonl"

    @property
    def evaluation(self) -> Path:
        return self.root / "evaluation.json"

    @property
    def baselines(self) -> Path:
        return self.root / "baselines"

    @property
    def curve(self) -> Path:
        return self.root / "curve.png"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def trackers(self) -> Path:
        return self.root / "trackers"

    @property
    def outbox(self) -> Path:
        """Checkpoints' weights on their way to the Hub."""
        return self.root / "outbox"

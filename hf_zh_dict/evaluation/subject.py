"""What a suite examines: a model, its tokenizer, and the corpus whose splits it reads."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.paths import SPLITS, RunPaths
from hf_zh_dict.stages import fingerprint, hash_file, read_stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def say_nothing(_line: str) -> None:
    """For who examines without a user before the screen."""


def identify_corpus(paths: RunPaths) -> str:
    """The corpus stage's fingerprint; of its Parquet files, when no stage made the folder."""
    stage: str | None = read_stage(paths.corpus).get("fingerprint")
    return stage or fingerprint(files=[hash_file(paths.split(name)) for name in SPLITS])


@dataclass(frozen=True)
class Subject:
    """A model under examination. Suites read it, and never change it.

    `paths.corpus` is the corpus, `paths.checkpoints` holds the `checkpoints` (steps, oldest
    first; none when the model is no run's), `paths.baselines` what was measured of simple models.
    `folder`, beside the report and of its name, is where a suite may put files of its own.
    """

    name: str
    model: "PreTrainedModel"  # float32, eval()
    tokenizer: "PreTrainedTokenizerFast"
    paths: RunPaths
    folder: Path
    batch_size: int = 32
    seed: int = 0
    checkpoints: tuple[int, ...] = ()
    say: Callable[[str], None] = say_nothing  # shows a line to the user

    @property
    def context_length(self) -> int:
        """Tokens that the model sees at once."""
        return int(self.model.config.max_position_embeddings)

    def read_rows(self, split: str, columns: list[str]) -> list[dict[str, Any]]:
        """Rows of train, validation or test: text, headword, dictionary, entry_id, group, view, spans."""
        from hf_zh_dict.corpus.build import read_rows

        return list(read_rows(self.paths.split(split), columns))

    def at_checkpoint(self, step: int) -> "Subject":
        """The same with the weights of a checkpoint; `step` is one of `checkpoints`."""
        from safetensors.torch import load_file

        model = copy.deepcopy(self.model)
        weights = load_file(self.paths.checkpoint(step) / "model.safetensors")
        assert weights.keys() == dict(model.named_parameters()).keys()
        model.load_state_dict(weights, strict=False)  # tied weights are stored once
        return replace(self, model=model, name=f"{self.name}@{step}", checkpoints=())

    @cached_property
    def corpus_fingerprint(self) -> str:
        """Which corpus this is."""
        return identify_corpus(self.paths)

    @cached_property
    def weights_fingerprint(self) -> str:
        """SHA-256 over the weights' names and values: the same model is the same wherever it lies."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

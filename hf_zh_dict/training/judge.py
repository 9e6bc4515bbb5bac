"""The model as it is now in; its validation score, samples and, when it is the best, `model/` out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from hf_zh_dict.config import Config
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.evaluation.scoring import (
    Score,
    ScoredText,
    prepare_texts,
    score_texts,
    spread,
    total_score,
)
from hf_zh_dict.files import remove
from hf_zh_dict.model.generate import generate_texts
from hf_zh_dict.model.llama import save_model
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import append_row
from hf_zh_dict.stages import hash_file

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True)
class HeldOut:
    """What training is judged by: validation texts, and prompts for samples."""

    texts: Sequence[str]
    prompts: Sequence[str]


class Judge:
    """Scores a model on validation, lets it write, and keeps its weights."""

    def __init__(
        self,
        config: Config,
        paths: RunPaths,
        accelerator: "Accelerator",
        tokenizer: "PreTrainedTokenizerFast",
        held_out: HeldOut,
    ) -> None:
        self.config, self.paths, self.accelerator = config, paths, accelerator
        self.tokenizer = tokenizer
        chosen = spread(len(held_out.texts), config.train.max_eval_documents)
        self.validation = prepare_texts(tokenizer, [held_out.texts[i] for i in chosen])
        self.prompts = held_out.prompts

    def score(self, model: "LlamaForCausalLM") -> Score:
        """The whole validation split, shared among processes."""
        rank, world_size = self.accelerator.process_index, self.accelerator.num_processes
        mine: list[ScoredText] = self.validation[rank::world_size]
        nll = score_texts(
            model, mine,
            batch_size=self.config.train.per_device_eval_batch_size,
            context_length=self.config.context_length,
        )  # fmt: skip
        sums = torch.tensor(
            total_score(mine, nll).as_tuple(),
            dtype=exact_dtype(self.accelerator),
            device=self.accelerator.device,
        )
        nll_sum, *counts = self.accelerator.reduce(sums, reduction="sum").tolist()
        return Score(nll_sum, *(round(count) for count in counts))

    def sample(self, model: "LlamaForCausalLM", step: int) -> None:
        """Continue some validation headwords; a row says whether the text parses as an entry."""
        prompts = list(self.prompts[: self.config.train.num_samples])
        sampling = Sampling(seed=self.config.train.seed)
        for prompt, text in zip(
            prompts, generate_texts(model, self.tokenizer, prompts, sampling), strict=True
        ):
            row = {"step": step, "prompt": prompt, "text": text, "parses": parses(text)}
            append_row(self.paths.samples, row)

    def keep(self, model: "LlamaForCausalLM") -> None:
        """Make these weights the run's model."""
        save_model(model, self.tokenizer, self.paths.tokenizer, self.paths.model)

    def restore(self, model: "LlamaForCausalLM", weights: Path | None) -> None:
        """Make the best weights that a checkpoint knows the run's model again.

        `model/` may hold a best that was found behind the checkpoint: what is resumed has not
        found it yet, and may never.
        """
        kept = self.paths.model / "model.safetensors"
        if weights is None:
            remove(self.paths.model)
        elif not kept.is_file() or hash_file(kept) != hash_file(weights):
            save_model(
                model, self.tokenizer, self.paths.tokenizer, self.paths.model,
                state_dict=load_file(weights),
            )  # fmt: skip


def exact_dtype(accelerator: "Accelerator") -> torch.dtype:
    """What sums of losses are kept in: float64 where the device has it."""
    return torch.float32 if accelerator.device.type == "mps" else torch.float64


def parses(text: str) -> bool:
    """Whether a text has the shape of an entry."""
    try:
        parse_document(text)
    except NotAnEntry:
        return False
    return True

"""Blocks and a model in, a trained model, checkpoints, metrics and samples out.

The order of one turn, always the same: evaluate → sample → keep the best → save → stop? →
micro-steps → update → log. `step` counts updates of the weights.

The gradient of a step is the mean over all its target tokens: losses are summed, target tokens
are counted over micro-batches and processes, and the sum is divided once. So neither the number
of micro-batches nor of processes nor the length of documents changes what is learnt.
"""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

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
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.generate import generate_texts
from hf_zh_dict.model.llama import build_model, save_model
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import Progress
from hf_zh_dict.records import append_row, cut_back
from hf_zh_dict.stages import read_stage
from hf_zh_dict.tokens.blocks import IGNORED, Blocks
from hf_zh_dict.training.checkpoint import (
    TrainingState,
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from hf_zh_dict.training.optim import learning_rate_at, make_optimizers, set_learning_rate
from hf_zh_dict.training.signals import StopRequest
from hf_zh_dict.training.stream import BlockStream, MicroBatch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class HeldOut:
    """What training is judged by: validation texts, and prompts for samples."""

    texts: Sequence[str]
    prompts: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    step: int
    first_bits_per_char: float
    best_bits_per_char: float
    best_step: int
    seconds: float
    exit_code: int  # 0, or 128 + the signal that stopped it


def make_accelerator(config: Config, paths: RunPaths) -> "Accelerator":
    """The one `Accelerator`; processes and precision are its launcher's unless the settings differ.

    Raises:
        InputError: the device cannot do the precision, or a tracker is not installed.
    """
    from datetime import timedelta

    from accelerate import Accelerator, InitProcessGroupKwargs
    from accelerate.utils import ProjectConfiguration

    try:
        accelerator = Accelerator(
            mixed_precision=config.train.mixed_precision or None,
            cpu=config.train.use_cpu,
            log_with=list(config.train.report_to) or None,
            project_config=ProjectConfiguration(
                project_dir=str(paths.root), logging_dir=str(paths.trackers)
            ),
            # one process builds the corpus while the others wait
            kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(hours=12))],
        )
    except (ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise InputError(_("the run cannot start: {reason}").format(reason=reason)) from error
    if accelerator.device.type == "cpu":
        if accelerator.mixed_precision == "fp16":
            raise InputError(
                _("train.mixed_precision: fp16 needs a GPU; use bf16 or no on the CPU.")
            )
        torch.set_num_threads(config.train.cpu_threads or share_of_cores())
    return accelerator


def share_of_cores() -> int:
    """This process's share of the cores; launchers leave one thread to each process."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


class Trainer:
    """One run's parts and the turns of its loop."""

    def __init__(
        self,
        config: Config,
        paths: RunPaths,
        accelerator: "Accelerator",
        tokenizer: "PreTrainedTokenizerFast",
        blocks: Blocks,
        held_out: HeldOut,
    ) -> None:
        self.config, self.paths, self.accelerator = config, paths, accelerator
        self.tokenizer = tokenizer
        self.blocks_fingerprint = read_stage(paths.blocks)["fingerprint"]
        self.stream = BlockStream(blocks, seed=config.train.seed)
        self.state = TrainingState()
        self.first_bits_per_char = float("nan")
        self.details = ""  # behind the progress
        exact = torch.float32 if accelerator.device.type == "mps" else torch.float64
        self.loss_sum = torch.zeros((), dtype=exact, device=accelerator.device)

        # `model` stays plain, for scoring, sampling and saving; `wrapped` is what trains.
        self.model = build_model(config, tokenizer)
        self.wrapped, *self.optimizers = accelerator.prepare(
            LanguageModelLoss(self.model, compile_body=config.train.compile),
            *make_optimizers(self.model, config.train),
        )
        torch.manual_seed(config.train.seed * 1000 + accelerator.process_index)  # dropout

        chosen = spread(len(held_out.texts), config.train.max_eval_documents)
        self.validation = prepare_texts(tokenizer, [held_out.texts[i] for i in chosen])
        self.prompts = held_out.prompts
        accelerator.init_trackers("training", config=flat_settings(config))

    def resume(self) -> None:
        """Go back to the newest checkpoint; metrics and samples behind it are cut off."""
        steps = list_checkpoints(self.paths)
        if not steps:
            return
        self.state = load_checkpoint(
            self.paths, steps[-1], self.accelerator, self.model, self.optimizers
        )
        self.stream.epoch, self.stream.cursor = self.state.epoch, self.state.cursor
        if self.accelerator.is_main_process:
            self.loss_sum.fill_(self.state.loss_sum)
            cut_back(self.paths.metrics, self.state.step)
            cut_back(self.paths.samples, self.state.step)

    def fit(self) -> Outcome:
        """Train up to `max_steps`, or to the first signal."""
        train, state = self.config.train, self.state
        resumed_at = state.step if list_checkpoints(self.paths) else -1
        title = _("training")
        with (
            StopRequest() as stop,
            Progress(title, total=train.max_steps, start=state.step) as progress,
        ):
            while True:
                last = state.step >= train.max_steps
                if state.step != resumed_at:
                    if last or state.step % train.eval_steps == 0:
                        self.evaluate(progress)
                    if state.step and (last or state.step % train.save_steps == 0):
                        self.save()
                if last:
                    break

                began = time.monotonic()
                micro_batches = self.stream.next_step(
                    batch_size=train.per_device_batch_size,
                    accumulation=train.gradient_accumulation_steps,
                    rank=self.accelerator.process_index,
                    world_size=self.accelerator.num_processes,
                )
                targets, stopping = self.agree(micro_batches, stop)
                if stopping:
                    if state.step and state.step not in list_checkpoints(self.paths):
                        self.save()
                    break
                rate = learning_rate_at(state.step, train)
                self.loss_sum += self.update(micro_batches, targets, rate)
                seconds = time.monotonic() - began
                state.step += 1
                state.epoch, state.cursor = self.stream.epoch, self.stream.cursor
                state.tokens += targets
                state.seconds += seconds
                state.loss_targets += targets
                state.loss_seconds += seconds
                if state.step % train.logging_steps == 0:
                    self.log(rate)
                progress.advance(details=self.details)
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()
        return Outcome(
            step=state.step,
            first_bits_per_char=self.first_bits_per_char,
            best_bits_per_char=state.best_bits_per_char,
            best_step=state.best_step,
            seconds=state.seconds,
            exit_code=stop.exit_code if state.step < train.max_steps else 0,
        )

    def agree(self, micro_batches: list[MicroBatch], stop: StopRequest) -> tuple[int, bool]:
        """Over all processes: the step's target tokens, and whether anybody was told to stop."""
        targets = sum(int((batch.labels != IGNORED).sum()) for batch in micro_batches)
        mine = torch.tensor([targets, stop.signal], device=self.accelerator.device)
        everyone = self.accelerator.reduce(mine, reduction="sum")
        return int(everyone[0]), bool(everyone[1])

    def update(self, micro_batches: list[MicroBatch], targets: int, rate: float) -> torch.Tensor:
        """All micro-steps and the update; returns this process's summed loss (nats)."""
        device, world_size = self.accelerator.device, self.accelerator.num_processes
        loss_sum = torch.zeros_like(self.loss_sum)
        self.wrapped.train()
        for micro_step, batch in enumerate(micro_batches):
            more = micro_step < len(micro_batches) - 1
            with self.accelerator.no_sync(self.wrapped) if more else nullcontext():
                inputs = torch.from_numpy(batch.inputs).to(device, non_blocking=True)
                labels = torch.from_numpy(batch.labels).to(device, non_blocking=True)
                loss = self.wrapped(inputs, labels)
                # gradients are averaged over processes, so each gives its share times their number
                self.accelerator.backward(loss * (world_size / targets))
                loss_sum += loss.detach()
        if self.config.train.max_grad_norm:
            self.accelerator.clip_grad_norm_(
                self.wrapped.parameters(), self.config.train.max_grad_norm
            )
        for optimizer in self.optimizers:
            set_learning_rate(optimizer, rate)
            optimizer.step()
            optimizer.zero_grad()
        return loss_sum

    def share_loss(self) -> None:
        """Bring the processes' losses since the last row together, in the state and on process 0."""
        self.state.loss_sum = float(self.accelerator.reduce(self.loss_sum, reduction="sum"))
        mine = self.state.loss_sum if self.accelerator.is_main_process else 0.0
        self.loss_sum = torch.full_like(self.loss_sum, mine)

    def log(self, rate: float) -> None:
        """A training row; the loss is the mean over target tokens since the last row."""
        self.share_loss()
        state = self.state
        row = {
            "step": state.step,
            "epoch": state.epoch,
            "loss": state.loss_sum / state.loss_targets,
            "learning_rate": rate,
            "tokens_per_second": state.loss_targets / state.loss_seconds,
            "seconds": state.seconds,
        }
        self.details = _("loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s").format(**row)
        state.loss_sum, state.loss_targets, state.loss_seconds = 0.0, 0, 0.0
        self.loss_sum.zero_()
        self.record(row)

    def record(self, row: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            append_row(self.paths.metrics, row)
        numbers = {key: value for key, value in row.items() if key != "step"}
        self.accelerator.log(numbers, step=row["step"])

    def evaluate(self, progress: Progress) -> None:
        """Score validation, continue some headwords, and keep the weights when they are the best."""
        score = self.score_validation()
        state, bits = self.state, score.bits_per_char
        if state.step == 0:
            self.first_bits_per_char = bits
        row = {
            "step": state.step,
            "validation_loss": score.loss,
            "validation_bits_per_char": bits,
            "validation_bits_per_byte": score.bits_per_byte,
            "validation_perplexity": score.perplexity,
            "tokens": state.tokens,
            "seconds": state.seconds,
        }
        self.record(row)
        better = bits < state.best_bits_per_char
        if better:
            state.best_step, state.best_bits_per_char = state.step, bits
        if self.accelerator.is_main_process:
            text = _("step {step}: validation {bits:.3f} bits per character{best}").format(
                step=state.step, bits=bits, best=_(", the best so far") if better else ""
            )
            progress.interrupt(text)
            if better:
                save_model(self.model, self.tokenizer, self.paths.tokenizer, self.paths.model)
            self.sample()
        self.accelerator.wait_for_everyone()

    def score_validation(self) -> Score:
        """The whole validation split, shared among processes."""
        rank, world_size = self.accelerator.process_index, self.accelerator.num_processes
        mine: list[ScoredText] = self.validation[rank::world_size]
        nll = score_texts(
            self.model, mine,
            batch_size=self.config.train.per_device_eval_batch_size,
            context_length=self.config.context_length,
        )  # fmt: skip
        sums = torch.tensor(
            total_score(mine, nll).as_tuple(),
            dtype=self.loss_sum.dtype,
            device=self.accelerator.device,
        )
        nll_sum, *counts = self.accelerator.reduce(sums, reduction="sum").tolist()
        return Score(nll_sum, *(round(count) for count in counts))

    def sample(self) -> None:
        """Continue some validation headwords; a row says whether the text parses as an entry."""
        prompts = list(self.prompts[: self.config.train.num_samples])
        sampling = Sampling(seed=self.config.train.seed)
        for prompt, text in zip(
            prompts, generate_texts(self.model, self.tokenizer, prompts, sampling), strict=True
        ):
            row = {"step": self.state.step, "prompt": prompt, "text": text, "parses": parses(text)}
            append_row(self.paths.samples, row)

    def save(self) -> None:
        self.share_loss()
        save_checkpoint(
            self.paths, self.accelerator, self.model, self.optimizers, self.state,
            made_with={"settings": self.config.to_dict(), "blocks": self.blocks_fingerprint},
            keep=self.config.train.save_total_limit,
        )  # fmt: skip


def flat_settings(config: Config) -> dict[str, str | int | float]:
    """The settings as trackers want them: dotted keys, plain values."""
    return {
        f"{section}.{name}": value if isinstance(value, int | float) else str(value)
        for section, values in config.to_dict().items()
        for name, value in values.items()
    }


def parses(text: str) -> bool:
    """Whether a text has the shape of an entry."""
    try:
        parse_document(text)
    except NotAnEntry:
        return False
    return True


def clear_training(paths: RunPaths) -> None:
    """Remove what earlier training left in the folder."""
    for folder in (paths.checkpoints, paths.model, paths.trackers, paths.baselines):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (paths.metrics, paths.samples, paths.evaluation, paths.curve):
        file.unlink(missing_ok=True)

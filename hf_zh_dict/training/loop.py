"""Blocks and a model in, a trained model, checkpoints, metrics and samples out.

The order of one turn, always the same: evaluate → sample → keep the best → save → stop? →
micro-steps → update → log. `step` counts updates of the weights; one that is skipped because its
loss or gradient is not finite counts too, so that data and learning rate move on past it. Behind
such a step no checkpoint is due: the weights may be the cause, and must not push out good ones.
"""

import math
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.config import Config
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.llama import build_model
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
from hf_zh_dict.training.device import measure_memory
from hf_zh_dict.training.judge import HeldOut, Judge, exact_dtype
from hf_zh_dict.training.launch import start_trackers
from hf_zh_dict.training.signals import StopRequest
from hf_zh_dict.training.skipped import describe_skipped, find_documents, read_headwords
from hf_zh_dict.training.stream import BlockStream, MicroBatch
from hf_zh_dict.training.trial import check_isolation, fit_batch
from hf_zh_dict.training.update import Update, Updater

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    step: int
    first_bits_per_char: float
    best_bits_per_char: float
    best_step: int
    seconds: float
    exit_code: int  # 0, or 128 + the signal that stopped it


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
        self.blocks_fingerprint = read_stage(paths.blocks)["fingerprint"]
        self.stream = BlockStream(
            blocks, seed=config.train.seed, reshuffle=config.train.reshuffle_entries
        )
        self.state = TrainingState()
        self.first_bits_per_char = float("nan")
        self.details = ""  # behind the progress
        self.bits_per_char = float("nan")  # of the newest evaluation
        self.batch_size = config.train.per_device_batch_size
        self.accumulation = config.train.gradient_accumulation_steps
        self.loss_sum = torch.zeros((), dtype=exact_dtype(accelerator), device=accelerator.device)
        self.model = build_model(config, tokenizer)
        self.updater = Updater(self.model, config.train, accelerator)
        self.judge = Judge(config, paths, accelerator, tokenizer, held_out)
        torch.manual_seed(config.train.seed * 1000 + accelerator.process_index)  # dropout
        start_trackers(config, paths, accelerator)

    def resume(self) -> None:
        """Go back to the newest checkpoint; metrics and samples behind it are cut off."""
        steps = list_checkpoints(self.paths)
        if not steps:
            return
        self.state = load_checkpoint(
            self.paths, steps[-1], self.accelerator, self.model, self.updater.optimizers,
            average=self.updater.average,
        )  # fmt: skip
        self.updater.scatter()
        self.stream.epoch, self.stream.cursor = self.state.epoch, self.state.cursor
        if self.accelerator.is_main_process:
            self.loss_sum.fill_(self.state.loss_sum)
            cut_back(self.paths.metrics, self.state.step)
            cut_back(self.paths.samples, self.state.step)

    def try_out(self) -> None:
        """Find the micro-batch that fits, and check what the settings promise.

        Raises:
            InputError: the model cannot train as the settings ask.
        """
        block_size = self.config.blocks.block_size
        self.batch_size, self.accumulation = fit_batch(
            self.updater,
            batch_size=self.batch_size,
            accumulation=self.accumulation,
            block_size=block_size,
        )
        if self.config.train.isolate_documents:
            check_isolation(self.updater, batch_size=self.batch_size, block_size=block_size)

    def fit(self) -> Outcome:
        """Train up to `max_steps`, or until validation no longer improves, or to the first signal.

        Raises:
            InputError: too many steps in a row had a loss or gradient that is not finite.
        """
        train, state = self.config.train, self.state
        resumed_at = state.step if list_checkpoints(self.paths) else -1
        title = _("training")
        with (
            StopRequest() as stop,
            Progress(title, total=train.max_steps, start=state.step) as progress,
        ):
            while True:
                last = self.finished
                if state.step != resumed_at:
                    if last or state.step % train.eval_steps == 0:
                        self.evaluate(progress)
                    last = self.finished
                    due = state.step % train.save_steps == 0 and not state.nonfinite_in_a_row
                    if state.step and (last or due):
                        self.save()
                if last:
                    break

                began = time.monotonic()
                micro_batches = self.stream.next_step(
                    batch_size=self.batch_size,
                    accumulation=self.accumulation,
                    rank=self.accelerator.process_index,
                    world_size=self.accelerator.num_processes,
                )
                targets, stopping = self.agree(micro_batches, stop)
                if stopping:
                    if state.step and state.step not in list_checkpoints(self.paths):
                        self.save()
                    break
                update = self.updater.update(micro_batches, targets, state.step)
                seconds = time.monotonic() - began
                state.step += 1
                state.seconds += seconds
                state.loss_seconds += seconds
                if update.skipped:
                    self.report_skipped(update, progress)
                else:
                    self.loss_sum += update.loss_sum
                    state.nonfinite_in_a_row = 0
                    state.tokens += targets
                    state.loss_targets += targets
                state.epoch, state.cursor = self.stream.epoch, self.stream.cursor
                if state.step % train.logging_steps == 0:
                    self.log(update.learning_rate)
                progress.advance(details=self.details)
                if self.blown_up:
                    break
            self.explain_stop(progress)
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()
        if self.blown_up:
            raise InputError(
                _(
                    "{folder}: in {count} steps in a row, up to step {step}, the loss or the gradient "
                    "was not finite; the checkpoints are kept, try --resume with a lower "
                    "train.learning_rate, more train.warmup_steps, a lower train.max_grad_norm or "
                    "train.mixed_precision no."
                ).format(folder=self.paths.root, count=state.nonfinite_in_a_row, step=state.step)
            )
        return Outcome(
            step=state.step,
            first_bits_per_char=self.first_bits_per_char,
            best_bits_per_char=state.best_bits_per_char,
            best_step=state.best_step,
            seconds=state.seconds,
            exit_code=0 if self.finished else stop.exit_code,
        )

    @property
    def out_of_patience(self) -> bool:
        """Whether validation has not improved for as many evaluations as the settings wait."""
        state, train = self.state, self.config.train
        impatient = 0 < train.early_stopping_patience <= state.stale_evaluations
        return impatient and state.step < train.max_steps

    @property
    def finished(self) -> bool:
        return self.state.step >= self.config.train.max_steps or self.out_of_patience

    @property
    def blown_up(self) -> bool:
        return self.state.nonfinite_in_a_row >= self.config.train.max_nonfinite_steps

    def agree(self, micro_batches: list[MicroBatch], stop: StopRequest) -> tuple[int, bool]:
        """Over all processes: the step's target tokens, and whether anybody was told to stop."""
        targets = sum(int((batch.labels != IGNORED).sum()) for batch in micro_batches)
        mine = torch.tensor([targets, stop.signal], device=self.accelerator.device)
        everyone = self.accelerator.reduce(mine, reduction="sum")
        return int(everyone[0]), bool(everyone[1])

    def evaluate(self, progress: Progress) -> None:
        """Score validation, continue some headwords, and keep the weights when they are the best."""
        self.updater.gather()
        score = self.judge.score(self.updater.judged)
        state, bits = self.state, score.bits_per_char
        self.bits_per_char = bits
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
        better = bits < state.best_bits_per_char
        if better:
            state.best_step, state.best_bits_per_char = state.step, bits
        self.count_patience(bits)
        self.record(row | ({"stopped_early": True} if self.out_of_patience else {}))
        if self.accelerator.is_main_process:
            text = _("step {step}: validation {bits:.3f} bits per character{best}").format(
                step=state.step, bits=bits, best=_(", the best so far") if better else ""
            )
            progress.interrupt(text)
            if better:
                self.judge.keep(self.updater.judged)
            if math.isfinite(bits):
                self.judge.sample(self.updater.judged, state.step)
        self.accelerator.wait_for_everyone()

    def count_patience(self, bits: float) -> None:
        """Small improvements add up: what counts is the way from the last one that was enough."""
        state, threshold = self.state, self.config.train.early_stopping_threshold
        gain = state.stale_bits_per_char - bits
        if gain > 0 and gain >= threshold:
            state.stale_bits_per_char, state.stale_evaluations = bits, 0
        else:
            state.stale_evaluations += 1

    def explain_stop(self, progress: Progress) -> None:
        """Say it when validation is what ended the training."""
        if self.out_of_patience:
            text = _(
                "training: stopped early at step {step}, {count} evaluations without improvement; the "
                "best weights, of step {best}, are kept; to go on, --resume with a higher "
                "train.early_stopping_patience"
            ).format(
                step=self.state.step,
                count=self.state.stale_evaluations,
                best=self.state.best_step,
            )
            progress.interrupt(text)

    def report_skipped(self, update: Update, progress: Progress) -> None:
        """Count a step that was skipped; a row, and unless it is fp16's scale a sentence, say why.

        The state still holds the position before the step.
        """
        state, train = self.state, self.config.train
        if update.skipped == "overflow":
            state.overflow_steps += 1
            self.record({
                "step": state.step,
                "skipped": update.skipped,
                "overflow_steps": state.overflow_steps,
                "loss_scale": self.accelerator.scaler.get_scale(),
            })  # fmt: skip
            return
        state.nonfinite_steps += 1
        state.nonfinite_in_a_row += 1
        if self.accelerator.is_main_process:
            size = train.per_device_batch_size
            count = size * train.gradient_accumulation_steps * self.accelerator.num_processes
            blocks = self.stream.documents_ahead(
                epoch=state.epoch, cursor=state.cursor, count=count
            )
            documents = find_documents(update, blocks, blocks_per_micro_batch=size)
            headwords = read_headwords(self.paths.split("train"), documents)
            row, text = describe_skipped(update, state, documents, headwords)
            self.record(row)
            progress.interrupt(text)

    def share_loss(self) -> None:
        """Bring the processes' losses since the last row together, in the state and on process 0."""
        self.state.loss_sum = float(self.accelerator.reduce(self.loss_sum, reduction="sum"))
        mine = self.state.loss_sum if self.accelerator.is_main_process else 0.0
        self.loss_sum = torch.full_like(self.loss_sum, mine)

    def log(self, rate: float) -> None:
        """A training row; the loss is the mean over target tokens since the last row.

        There is none when every step since then was skipped.
        """
        self.share_loss()
        state = self.state
        if not state.loss_targets:
            return
        row = {
            "step": state.step,
            "epoch": state.epoch,
            "loss": state.loss_sum / state.loss_targets,
            "learning_rate": rate,
            "tokens_per_second": state.loss_targets / state.loss_seconds,
            "memory_gigabytes": measure_memory(self.accelerator.device),
            "seconds": state.seconds,
        }
        told = _("loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s  {memory_gigabytes:.1f} GB")
        if not math.isnan(self.bits_per_char):  # a resumed run has to evaluate first
            told = _("{bits:.3f} bits per character") + "  " + told
        self.details = told.format(bits=self.bits_per_char, **row)
        state.loss_sum, state.loss_targets, state.loss_seconds = 0.0, 0, 0.0
        self.loss_sum.zero_()
        self.record(row)

    def record(self, row: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            append_row(self.paths.metrics, row)
        numbers = {k: v for k, v in row.items() if k != "step" and isinstance(v, int | float)}
        self.accelerator.log(numbers, step=row["step"])

    def save(self) -> None:
        """A checkpoint, unless the weights themselves are no numbers: the last good ones stay."""
        self.updater.gather()
        if not self.updater.is_finite():
            return
        self.share_loss()
        save_checkpoint(
            self.paths, self.accelerator, self.model, self.updater.optimizers, self.state,
            made_with={"settings": self.config.to_dict(), "blocks": self.blocks_fingerprint},
            keep=self.config.train.save_total_limit,
            average=self.updater.average,
        )  # fmt: skip


def clear_training(paths: RunPaths) -> None:
    """Remove what earlier training left in the folder."""
    for folder in (paths.checkpoints, paths.model, paths.trackers, paths.baselines):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (paths.metrics, paths.samples, paths.evaluation, paths.curve):
        file.unlink(missing_ok=True)

"""Blocks and a model in, a trained model, checkpoints, metrics and samples out.

The order of one turn, always the same: evaluate → sample → keep the best → save → stop? →
micro-steps → update → log. `step` counts updates of the weights; one that is skipped because its
loss or gradient is not finite counts too, so that data and learning rate move on past it. Behind
such a step no checkpoint is due: the weights may be the cause, and must not push out good ones. A
stop between micro-steps gives the unfinished step up: it leaves nothing behind, and is done again
on resume.
"""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.config import Config
from hf_zh_dict.files import sync_file
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import Progress
from hf_zh_dict.records import cut_back
from hf_zh_dict.stages import read_stage
from hf_zh_dict.tokens.blocks import Blocks
from hf_zh_dict.training.checkpoint import (
    Kept,
    TrainingState,
    best_weights,
    load_checkpoint,
    read_state,
    save_checkpoint,
)
from hf_zh_dict.training.journal import Journal
from hf_zh_dict.training.judge import HeldOut, Judge, exact_dtype
from hf_zh_dict.training.launch import end_together, start_trackers
from hf_zh_dict.training.patience import count_patience, explain_early_stop, out_of_patience
from hf_zh_dict.training.share import Share, divide_alike
from hf_zh_dict.training.signals import SIGNALS, StopRequest, exit_code
from hf_zh_dict.training.stream import BlockStream, StepDataset, read_steps
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
    time_is_up: bool = False  # train.max_minutes stopped it


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
        on_checkpoint: Callable[[int], None] | None = None,  # told the step, on the main process
    ) -> None:
        self.config, self.paths, self.accelerator = config, paths, accelerator
        self.on_checkpoint = on_checkpoint
        self.blocks_fingerprint = read_stage(paths.blocks)["fingerprint"]
        self.blocks = blocks
        self.share = Share(
            config.train.per_device_batch_size, config.train.gradient_accumulation_steps,
            accelerator.process_index, accelerator.num_processes,
        )  # fmt: skip
        self.state = TrainingState()
        self.saved_at = -1  # the step whose evaluation and checkpoint are done
        self.stop = StopRequest()
        self.stop_signal, self.time_is_up = 0, False  # as all processes know it
        self.journal = Journal(paths, accelerator)
        self.step_seconds = 0.0
        self.first_bits_per_char = float("nan")
        self.details = ""  # behind the progress
        self.bits_per_char = float("nan")  # of the newest evaluation
        # this process's loss of the newest step, which is not in the state yet
        self.new_loss = torch.zeros((), dtype=exact_dtype(accelerator), device=accelerator.device)
        self.model = build_model(config, tokenizer)
        self.updater = Updater(self.model, config.train, accelerator)
        self.judge = Judge(config, paths, accelerator, tokenizer, held_out)
        start_trackers(config, paths, accelerator)

    def resume(self, step: int) -> Share:
        """Go back to a whole checkpoint; metrics, samples and best weights behind it are given up.

        Returns how its steps were divided; they keep their number of blocks.

        Raises:
            InputError: this number of processes and blocks does not divide such a step.
        """
        before = Share(**read_state(self.paths, step)["share"])
        self.share = divide_alike(self.share, before)
        self.state = load_checkpoint(
            self.paths, step, self.accelerator, self.model, self.updater.optimizers,
            average=self.updater.average,
        )  # fmt: skip
        self.updater.scatter()
        self.saved_at = step
        if self.accelerator.is_main_process:
            cut_back(self.paths.metrics, step)
            cut_back(self.paths.samples, step)
            self.judge.restore(self.model, best_weights(self.paths, step))
        self.accelerator.wait_for_everyone()
        return before

    def try_out(self) -> None:
        """Find the micro-batch that fits, and check what the settings promise.

        Raises:
            InputError: the model cannot train as the settings ask.
        """
        block_size = self.config.blocks.block_size
        batch_size, accumulation = fit_batch(
            self.updater,
            batch_size=self.share.batch_size,
            accumulation=self.share.accumulation,
            block_size=block_size,
        )
        self.share = replace(self.share, batch_size=batch_size, accumulation=accumulation)
        if self.config.train.isolate_documents:
            check_isolation(self.updater, batch_size=batch_size, block_size=block_size)

    def fit(self, stop: StopRequest) -> Outcome:
        """Train up to `max_steps`, or until validation no longer improves or `stop` asks to end.

        Raises:
            InputError: too many steps in a row had a loss or gradient that is not finite.
        """
        train, state = self.config.train, self.state
        self.stop = stop
        with stop, Progress(_("training"), total=train.max_steps, start=state.step) as progress:
            steps = read_steps(
                StepDataset(
                    self.stream(state.epoch, state.cursor), self.share,
                    steps=train.max_steps - state.step,
                ),
                num_workers=train.dataloader_num_workers,
            )  # fmt: skip
            while True:
                last = self.finished
                if state.step != self.saved_at:
                    if last or state.step % train.eval_steps == 0:
                        self.evaluate(progress)
                    last = self.finished
                    due = state.step % train.save_steps == 0 and not state.nonfinite_in_a_row
                    if state.step and (last or due):
                        self.save()
                if last:
                    break

                began = time.monotonic()
                step = next(steps)
                targets = self.agree(step.targets, seconds=self.seconds_of_next_turn())
                update = None
                if not self.stopping:
                    update = self.updater.update(
                        step.micro_batches, targets, state.step, go_on=self.may_go_on
                    )
                if update is None:
                    if state.step != self.saved_at:
                        self.save()
                    break
                seconds = self.step_seconds = time.monotonic() - began
                state.step += 1
                state.seconds += seconds
                state.loss_seconds += seconds
                if update.skipped:
                    self.report_skipped(update, progress)
                else:
                    self.new_loss = update.loss_sum
                    state.nonfinite_in_a_row = 0
                    state.tokens += targets
                    state.loss_targets += targets
                state.epoch, state.cursor = step.epoch, step.cursor
                if state.step % train.logging_steps == 0:
                    self.log(update.learning_rate)
                progress.advance(details=self.details)
                if self.blown_up:
                    break
            if self.out_of_patience:
                progress.interrupt(explain_early_stop(state))
        end_together(self.accelerator)
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
            exit_code=0 if self.finished else exit_code(self.stop_signal),
            time_is_up=self.time_is_up and not self.finished,
        )

    def stream(self, epoch: int, cursor: int) -> BlockStream:
        """The blocks from a position on."""
        train = self.config.train
        return BlockStream(
            self.blocks,
            seed=train.seed,
            epoch=epoch,
            cursor=cursor,
            reshuffle=train.reshuffle_entries,
        )

    @property
    def out_of_patience(self) -> bool:
        return out_of_patience(self.state, self.config.train)

    @property
    def finished(self) -> bool:
        return self.state.step >= self.config.train.max_steps or self.out_of_patience

    @property
    def blown_up(self) -> bool:
        return self.state.nonfinite_in_a_row >= self.config.train.max_nonfinite_steps

    @property
    def stopping(self) -> bool:
        return bool(self.stop_signal) or self.time_is_up

    def seconds_of_next_turn(self) -> float:
        """About how long it is from here to behind the next step's evaluation and checkpoint."""
        state, train = self.state, self.config.train
        following = state.step + 1
        evaluates = following >= train.max_steps or following % train.eval_steps == 0
        evaluation = 1.2 * state.eval_seconds if evaluates else 0.0
        return 2 * self.step_seconds + evaluation + self.seconds_of_saving

    @property
    def seconds_of_saving(self) -> float:
        """What is set apart for the last checkpoint."""
        return max(1.0, 2 * self.state.save_seconds)

    def may_go_on(self) -> bool:
        """Between two micro-steps: whether no process was told to stop."""
        saving = self.seconds_of_saving
        if self.accelerator.num_processes > 1 or self.stop.asks() or self.stop.is_over(saving):
            self.agree(seconds=saving)
        return not self.stopping

    def agree(self, targets: int = 0, *, seconds: float = 0.0) -> int:
        """Bring processes together: what they were told to stop by, and the newest step's loss.

        Losses are summed over processes step by step, in the same way wherever that happens, so
        that a checkpoint more or less changes no digit of them. Returns the sum of `targets`;
        `seconds` is what comes next and must still be in time.

        Raises:
            OSError: a process could not write; every process ends then.
        """
        asked = self.stop.asks()
        told = [
            targets, self.journal.trouble is not None, self.stop.is_over(seconds),
            *(asked == number for number in SIGNALS),
        ]  # fmt: skip
        mine = torch.tensor(told, dtype=self.new_loss.dtype, device=self.new_loss.device)
        together = torch.cat([self.new_loss.unsqueeze(0), mine])
        everyone = self.accelerator.reduce(together, reduction="sum").tolist()
        loss, total, failed, late, *signals = everyone
        if failed:
            raise self.journal.trouble or OSError(_("another process cannot write"))
        self.new_loss = torch.zeros_like(self.new_loss)
        self.state.loss_sum += loss
        if not self.stopping:  # the first thing that is told stands
            heard = (n for n, count in zip(SIGNALS, signals, strict=True) if count)
            self.stop_signal, self.time_is_up = next(heard, 0), bool(late)
        return int(total)

    def evaluate(self, progress: Progress) -> None:
        """Score validation, continue some headwords, and keep the weights when they are the best."""
        began = time.monotonic()
        self.updater.gather()
        score = self.judge.score(self.updater.judged)
        state, bits = self.state, score.bits_per_char
        self.bits_per_char = bits
        if state.step == 0:
            self.first_bits_per_char = bits
        better = bits < state.best_bits_per_char
        if better:
            state.best_step, state.best_bits_per_char = state.step, bits
        count_patience(state, bits, threshold=self.config.train.early_stopping_threshold)
        self.journal.record_evaluation(state, score, last=self.out_of_patience)
        if self.accelerator.is_main_process:
            text = _("step {step}: validation {bits:.3f} bits per character{best}").format(
                step=state.step, bits=bits, best=_(", the best so far") if better else ""
            )
            progress.interrupt(text)
            if better:
                self.journal.write(lambda: self.judge.keep(self.updater.judged))
            if math.isfinite(bits):
                self.journal.write(lambda: self.judge.sample(self.updater.judged, state.step))
        self.accelerator.wait_for_everyone()
        state.eval_seconds = max(state.eval_seconds, time.monotonic() - began)

    def report_skipped(self, update: Update, progress: Progress) -> None:
        """Count a step that was skipped and tell of it; the state still holds its beginning."""
        state = self.state
        if update.skipped == "overflow":
            state.overflow_steps += 1
        else:
            state.nonfinite_steps += 1
            state.nonfinite_in_a_row += 1
        if self.accelerator.is_main_process:
            blocks = self.stream(state.epoch, state.cursor).documents_ahead(
                self.share.blocks_per_step
            )
            sentence = self.journal.record_skipped(
                state, update, blocks, batch_size=self.share.batch_size
            )
            if sentence:
                progress.interrupt(sentence)

    def log(self, rate: float) -> None:
        """Tell of the steps since the last time."""
        self.agree()
        told = self.journal.record_training(self.state, rate)
        if told and not math.isnan(self.bits_per_char):  # a resumed run has to evaluate first
            told = _("{bits:.3f} bits per character").format(bits=self.bits_per_char) + "  " + told
        self.details = told or self.details

    def save(self) -> None:
        """Write a checkpoint; training stands still for `save_seconds`, a row of metrics says.

        Not when the weights themselves are no numbers: the last good ones stay.
        """
        began = time.monotonic()
        self.updater.gather()
        if not self.updater.is_finite():
            return
        self.agree()
        state, train = self.state, self.config.train
        if self.accelerator.is_main_process:  # a checkpoint must not outlive the rows before it
            sync_file(self.paths.metrics)
            sync_file(self.paths.samples)
        save_checkpoint(
            self.paths, self.accelerator, self.model, self.updater.optimizers, state,
            made_with={
                "settings": self.config.to_dict(), "blocks": self.blocks_fingerprint,
                "share": asdict(replace(self.share, rank=0)),
            },
            kept=Kept(train.save_total_limit, train.keep_every_steps),
            average=self.updater.average,
        )  # fmt: skip
        self.saved_at = state.step
        if self.on_checkpoint and self.accelerator.is_main_process:
            self.on_checkpoint(state.step)
        seconds = time.monotonic() - began
        state.save_seconds = max(state.save_seconds, seconds)
        self.journal.record({"step": state.step, "save_seconds": seconds})


def clear_training(paths: RunPaths) -> None:
    """Remove what earlier training left in the folder."""
    for folder in (paths.checkpoints, paths.model, paths.trackers, paths.baselines):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (
        paths.metrics, paths.samples, paths.environment, paths.evaluation, paths.curve, paths.report,
    ):  # fmt: skip
        file.unlink(missing_ok=True)

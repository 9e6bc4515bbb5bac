"""Blocks and a model in, a trained model, checkpoints, metrics and samples out.

The order of one turn, always the same: evaluate → sample → keep the best → save → stop? →
micro-steps → update → log. `step` counts updates of the weights. A stop between micro-steps gives
the unfinished step up: it leaves nothing behind, and is done again on resume.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.config import Config
from hf_zh_dict.files import sync_file
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import Progress
from hf_zh_dict.records import append_row, cut_back
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
from hf_zh_dict.training.judge import HeldOut, Judge, exact_dtype
from hf_zh_dict.training.launch import end_together, flat_settings
from hf_zh_dict.training.optim import learning_rate_at
from hf_zh_dict.training.signals import SIGNALS, StopRequest, exit_code
from hf_zh_dict.training.stream import Share, StepDataset, read_steps
from hf_zh_dict.training.update import Updater

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
    ) -> None:
        self.config, self.paths, self.accelerator = config, paths, accelerator
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
        self.trouble: OSError | None = None  # what this process could not write
        self.step_seconds = 0.0
        self.first_bits_per_char = float("nan")
        self.details = ""  # behind the progress
        # this process's loss of the newest step, which is not in the state yet
        self.new_loss = torch.zeros((), dtype=exact_dtype(accelerator), device=accelerator.device)
        self.model = build_model(config, tokenizer)
        self.updater = Updater(self.model, config.train, accelerator)
        self.judge = Judge(config, paths, accelerator, tokenizer, held_out)
        accelerator.init_trackers("training", config=flat_settings(config))

    def resume(self, step: int) -> Share:
        """Go back to a whole checkpoint; metrics, samples and best weights behind it are given up.

        Returns how its steps were divided; they keep their number of blocks.

        Raises:
            InputError: this number of processes and blocks does not divide such a step.
        """
        before = Share(**read_state(self.paths, step)["share"])
        self.share = divide_alike(self.share, before)
        self.state = load_checkpoint(
            self.paths, step, self.accelerator, self.model, self.updater.optimizers
        )
        self.saved_at = step
        if self.accelerator.is_main_process:
            cut_back(self.paths.metrics, step)
            cut_back(self.paths.samples, step)
            self.judge.restore(self.model, best_weights(self.paths, step))
        self.accelerator.wait_for_everyone()
        return before

    def fit(self, stop: StopRequest) -> Outcome:
        """Train up to `max_steps`, or until `stop` asks to end."""
        train, state = self.config.train, self.state
        self.stop = stop
        with stop, Progress(_("training"), total=train.max_steps, start=state.step) as progress:
            steps = read_steps(
                StepDataset(
                    self.blocks, self.share, seed=train.seed,
                    epoch=state.epoch, cursor=state.cursor, steps=train.max_steps - state.step,
                ),
                num_workers=train.dataloader_num_workers,
            )  # fmt: skip
            while True:
                last = state.step >= train.max_steps
                if state.step != self.saved_at:
                    if last or state.step % train.eval_steps == 0:
                        self.evaluate(progress)
                    if state.step and (last or state.step % train.save_steps == 0):
                        self.save()
                if last:
                    break

                began = time.monotonic()
                step = next(steps)
                targets = self.agree(step.targets, seconds=self.seconds_of_next_turn())
                rate = learning_rate_at(state.step, train)
                loss = None
                if not self.stopping:
                    loss = self.updater.update(
                        step.micro_batches, targets, rate, go_on=self.may_go_on
                    )
                if loss is None:
                    if state.step != self.saved_at:
                        self.save()
                    break
                self.new_loss = loss
                seconds = self.step_seconds = time.monotonic() - began
                state.step += 1
                state.epoch, state.cursor = step.epoch, step.cursor
                state.tokens += targets
                state.seconds += seconds
                state.loss_targets += targets
                state.loss_seconds += seconds
                if state.step % train.logging_steps == 0:
                    self.log(rate)
                progress.advance(details=self.details)
        end_together(self.accelerator)
        return Outcome(
            step=state.step,
            first_bits_per_char=self.first_bits_per_char,
            best_bits_per_char=state.best_bits_per_char,
            best_step=state.best_step,
            seconds=state.seconds,
            exit_code=exit_code(self.stop_signal) if state.step < train.max_steps else 0,
            time_is_up=self.time_is_up and state.step < train.max_steps,
        )

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
            targets, self.trouble is not None, self.stop.is_over(seconds),
            *(asked == number for number in SIGNALS),
        ]  # fmt: skip
        mine = torch.tensor(told, dtype=self.new_loss.dtype, device=self.new_loss.device)
        together = torch.cat([self.new_loss.unsqueeze(0), mine])
        everyone = self.accelerator.reduce(together, reduction="sum").tolist()
        loss, total, failed, late, *signals = everyone
        if failed:
            raise self.trouble or OSError(_("another process cannot write"))
        self.new_loss = torch.zeros_like(self.new_loss)
        self.state.loss_sum += loss
        if not self.stopping:  # the first thing that is told stands
            heard = (n for n, count in zip(SIGNALS, signals, strict=True) if count)
            self.stop_signal, self.time_is_up = next(heard, 0), bool(late)
        return int(total)

    def evaluate(self, progress: Progress) -> None:
        """Score validation, continue some headwords, and keep the weights when they are the best."""
        began = time.monotonic()
        score = self.judge.score(self.model)
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
                self.write(lambda: self.judge.keep(self.model))
            self.write(lambda: self.judge.sample(self.model, state.step))
        self.accelerator.wait_for_everyone()
        state.eval_seconds = max(state.eval_seconds, time.monotonic() - began)

    def log(self, rate: float) -> None:
        """A training row; the loss is the mean over target tokens since the last row."""
        self.agree()
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
        self.record(row)

    def write(self, job: Callable[[], None]) -> None:
        """Do what writes; what the disk refuses is raised where processes next come together.

        Raised here, it would leave the others waiting for this one.
        """
        try:
            if not self.trouble:
                job()
        except OSError as error:
            self.trouble = error

    def record(self, row: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            self.write(lambda: append_row(self.paths.metrics, row))
        numbers = {key: value for key, value in row.items() if key != "step"}
        self.accelerator.log(numbers, step=row["step"])

    def save(self) -> None:
        """Write a checkpoint; training stands still for `save_seconds`, a row of metrics says."""
        began = time.monotonic()
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
        )  # fmt: skip
        self.saved_at = state.step
        seconds = time.monotonic() - began
        state.save_seconds = max(state.save_seconds, seconds)
        self.record({"step": state.step, "save_seconds": seconds})


def divide_alike(now: Share, before: Share) -> Share:
    """`now` with as many micro-batches as give a step the blocks that it had `before`.

    Raises:
        InputError: no number of micro-batches does.
    """
    at_once = now.batch_size * now.world_size
    accumulation, rest = divmod(before.blocks_per_step, at_once)
    if rest:
        fitting = [
            size
            for size in range(1, before.blocks_per_step + 1)
            if before.blocks_per_step % (size * now.world_size) == 0
        ]
        advice = (
            _("set train.per_device_batch_size to one of {sizes}").format(
                sizes=", ".join(str(size) for size in fitting)
            )
            if fitting
            else _("use another number of processes")
        )
        raise InputError(
            _(
                "cannot resume: the checkpoint's steps have {blocks} blocks, which {processes} "
                "process(es) × train.per_device_batch_size {batch} do not divide; {advice}."
            ).format(
                blocks=before.blocks_per_step, processes=now.world_size, batch=now.batch_size,
                advice=advice,
            )
        )  # fmt: skip
    return replace(now, accumulation=accumulation)


def clear_training(paths: RunPaths) -> None:
    """Remove what earlier training left in the folder."""
    for folder in (paths.checkpoints, paths.model, paths.trackers, paths.baselines):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (paths.metrics, paths.samples, paths.evaluation, paths.curve):
        file.unlink(missing_ok=True)

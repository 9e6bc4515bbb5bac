"""What happens in training in; rows of `metrics.jsonl`, of trackers, and sentences out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hf_zh_dict.evaluation.scoring import Score
from hf_zh_dict.messages import _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import append_row
from hf_zh_dict.training.checkpoint import TrainingState
from hf_zh_dict.training.device import measure_memory
from hf_zh_dict.training.skipped import describe_skipped, find_documents, read_headwords
from hf_zh_dict.training.update import Update

if TYPE_CHECKING:
    from accelerate import Accelerator


class Journal:
    """Keeps a run's records; only the main process writes.

    `trouble` is what the disk refused. It is not raised where it happens, which would leave other
    processes waiting for this one: the loop raises it where they next come together.
    """

    def __init__(self, paths: RunPaths, accelerator: "Accelerator") -> None:
        self.paths, self.accelerator = paths, accelerator
        self.trouble: OSError | None = None

    def write(self, job: Callable[[], None]) -> None:
        """Do what writes; from the first trouble on nothing is written any more."""
        try:
            if not self.trouble:
                job()
        except OSError as error:
            self.trouble = error

    def record(self, row: dict[str, Any]) -> None:
        """Add a row, with its `step`, to the metrics and the trackers."""
        if self.accelerator.is_main_process:
            self.write(lambda: append_row(self.paths.metrics, row))
        numbers = {k: v for k, v in row.items() if k != "step" and isinstance(v, int | float)}
        self.accelerator.log(numbers, step=row["step"])

    def record_evaluation(self, state: TrainingState, score: Score, *, last: bool) -> None:
        """A row of validation; `last` marks the one that stopped the training."""
        row = {
            "step": state.step,
            "validation_loss": score.loss,
            "validation_bits_per_char": score.bits_per_char,
            "validation_bits_per_byte": score.bits_per_byte,
            "validation_perplexity": score.perplexity,
            "tokens": state.tokens,
            "seconds": state.seconds,
        }
        self.record(row | ({"stopped_early": True} if last else {}))

    def record_training(self, state: TrainingState, rate: float) -> str:
        """A row of training, its loss the mean over target tokens since the last one.

        Returns it as a few words behind the progress; nothing when every step since was skipped.
        """
        if not state.loss_targets:
            return ""
        row = {
            "step": state.step,
            "epoch": state.epoch,
            "loss": state.loss_sum / state.loss_targets,
            "learning_rate": rate,
            "tokens_per_second": state.loss_targets / state.loss_seconds,
            "memory_gigabytes": measure_memory(self.accelerator.device),
            "seconds": state.seconds,
        }
        state.loss_sum, state.loss_targets, state.loss_seconds = 0.0, 0, 0.0
        self.record(row)
        return _(
            "loss {loss:.3f}  {tokens_per_second:,.0f} tokens/s  {memory_gigabytes:.1f} GB"
        ).format(**row)

    def record_skipped(
        self, state: TrainingState, update: Update, blocks: list[list[int]], *, batch_size: int
    ) -> str:
        """A row of a step that was skipped, and a sentence that names the documents concerned.

        `blocks` are the documents in each block of the step, `batch_size` the blocks in a
        micro-batch. What fp16's scale made too large is no one's fault: a row, no sentence.
        """
        if update.skipped == "overflow":
            self.record({
                "step": state.step,
                "skipped": update.skipped,
                "overflow_steps": state.overflow_steps,
                "loss_scale": self.accelerator.scaler.get_scale(),
            })  # fmt: skip
            return ""
        documents = find_documents(update, blocks, blocks_per_micro_batch=batch_size)
        headwords = read_headwords(self.paths.split("train"), documents)
        row, sentence = describe_skipped(update, state, documents, headwords)
        self.record(row)
        return sentence

"""Settings and blocks in, what the run will take and whether that is wise out.

Sizes are counted, a step and the memory are measured on this machine, the whole run's time is
estimated from both. Nothing is written.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_zh_dict.config import Config
from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts, spread
from hf_zh_dict.messages import _
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.progress import Progress
from hf_zh_dict.tokens.blocks import IGNORED, Blocks
from hf_zh_dict.training.device import measure_memory, synchronize
from hf_zh_dict.training.stream import BlockStream
from hf_zh_dict.training.trial import fit_batch
from hf_zh_dict.training.update import Updater

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedTokenizerFast

# Up to about 4 epochs are worth as much as new text (Muennighoff et al. 2023, "Scaling
# Data-Constrained Language Models"); the best runs on 100 million tokens stop near 15, with dropout.
GOOD_EPOCHS, MOST_EPOCHS = 4, 15
# Where loss for a given amount of work is lowest (Hoffmann et al. 2022, "Training Compute-Optimal
# Large Language Models").
OPTIMAL_TOKENS_PER_PARAMETER = 20


@dataclass(frozen=True)
class Plan:
    """What a run takes. Tokens are targets: padding is not counted."""

    # counted
    parameters: int
    epoch_tokens: int
    step_tokens: float  # on average
    steps: int
    dropout: float
    batch_size: int  # per device, as it fits
    accumulation: int
    processes: int
    # measured here
    timed_steps: int
    seconds_per_step: float
    memory_gigabytes: float
    seconds_per_evaluation: float  # from some documents
    evaluations: int

    @property
    def epochs(self) -> float:
        return self.steps * self.step_tokens / self.epoch_tokens

    @property
    def epoch_steps(self) -> float:
        """Steps in which every block is seen once."""
        return self.epoch_tokens / self.step_tokens

    @property
    def tokens_per_second(self) -> float:
        return self.step_tokens / self.seconds_per_step

    @property
    def tokens_per_parameter(self) -> float:
        """Tokens seen in the whole run, repeated ones again."""
        return self.steps * self.step_tokens / self.parameters

    @property
    def hours(self) -> float:
        """Of the whole run: its steps and its evaluations."""
        seconds = self.steps * self.seconds_per_step
        return (seconds + self.evaluations * self.seconds_per_evaluation) / 3600

    def warnings(self) -> Iterator[str]:
        """What speaks against the run, each with the way out."""
        if self.epochs > MOST_EPOCHS:
            yield _(
                "{epochs:.1f} epochs: the text is seen so often that the model learns it by heart; the best "
                "known runs stop near {most} (train.max_steps {steps:,}), or use more text"
            ).format(
                epochs=self.epochs, most=MOST_EPOCHS, steps=int(MOST_EPOCHS * self.epoch_steps)
            )
        if self.epochs > GOOD_EPOCHS and not self.dropout:
            yield _(
                "{epochs:.1f} epochs without dropout: from about {good} epochs on, model.dropout 0.1 "
                "holds off overfitting"
            ).format(epochs=self.epochs, good=GOOD_EPOCHS)
        if self.epochs > 1 and self.epoch_tokens < self.parameters:
            yield _(
                "{ratio:.2f} tokens of text for each parameter: a model with more parameters than the text "
                "has tokens overfits early; choose a smaller one or more text"
            ).format(ratio=self.epoch_tokens / self.parameters)
        if self.epochs < 1:
            yield _(
                "too short: only {share:.0%} of the text is seen; one epoch is train.max_steps {steps:,}"
            ).format(share=self.epochs, steps=round(self.epoch_steps))
        enough = OPTIMAL_TOKENS_PER_PARAMETER * self.parameters / self.step_tokens
        if self.steps < enough <= GOOD_EPOCHS * self.epoch_steps:
            yield _(
                "too short: {ratio:.1f} tokens for each parameter; about {enough} "
                "(train.max_steps {steps:,}) use the model's size well"
            ).format(
                ratio=self.tokens_per_parameter,
                enough=OPTIMAL_TOKENS_PER_PARAMETER,
                steps=round(enough),
            )


def make_plan(
    config: Config,
    accelerator: "Accelerator",
    tokenizer: "PreTrainedTokenizerFast",
    blocks: Blocks,
    validation: Sequence[str],
    *,
    timed_steps: int,
) -> Plan:
    """Train a few steps with a learning rate of 0, score a few documents, and reckon."""
    train = config.train
    model = build_model(config, tokenizer)
    updater = Updater(model, train, accelerator)
    batch_size, accumulation = fit_batch(
        updater,
        batch_size=train.per_device_batch_size,
        accumulation=train.gradient_accumulation_steps,
        block_size=blocks.block_size,
    )
    stream = BlockStream(blocks, seed=train.seed)
    durations = []
    with Progress(_("plan: timed steps"), total=timed_steps + 1) as progress:
        for _step in range(timed_steps + 1):
            micro_batches = stream.next_step(
                batch_size=batch_size,
                accumulation=accumulation,
                rank=accelerator.process_index,
                world_size=accelerator.num_processes,
            )
            targets = sum(int((batch.labels != IGNORED).sum()) for batch in micro_batches)
            began = time.monotonic()
            updater.update(micro_batches, targets * accelerator.num_processes, 0)
            synchronize(accelerator.device)
            durations.append(time.monotonic() - began)
            progress.advance()
    global_batch = batch_size * accumulation * accelerator.num_processes
    num_blocks = stream.pack(0).num_blocks
    return Plan(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        epoch_tokens=blocks.num_targets,
        step_tokens=global_batch * blocks.num_targets / num_blocks,
        steps=train.max_steps,
        dropout=config.model.dropout,
        batch_size=batch_size,
        accumulation=accumulation,
        processes=accelerator.num_processes,
        timed_steps=timed_steps,
        seconds_per_step=statistics.median(durations[1:]),  # the first also compiles and allocates
        memory_gigabytes=measure_memory(accelerator.device),
        seconds_per_evaluation=time_evaluation(config, updater, tokenizer, validation),
        evaluations=1 + -(-train.max_steps // train.eval_steps),
    )


def time_evaluation(
    config: Config,
    updater: Updater,
    tokenizer: "PreTrainedTokenizerFast",
    validation: Sequence[str],
) -> float:
    """Seconds that scoring will take each time, from two batches of it."""
    batch_size = config.train.per_device_eval_batch_size
    texts = prepare_texts(
        tokenizer, [validation[i] for i in spread(len(validation), 2 * batch_size)]
    )
    updater.gather()
    began = time.monotonic()
    score_texts(updater.model, texts, batch_size=batch_size, context_length=config.context_length)
    seconds = time.monotonic() - began
    scored = len(spread(len(validation), config.train.max_eval_documents))
    processes: int = updater.accelerator.num_processes
    return seconds * scored / (len(texts) * processes)

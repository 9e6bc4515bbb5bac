"""Micro-batches in, one update of the weights out.

The gradient of a step is the mean over all its target tokens: losses are summed, target tokens
are counted over micro-batches and processes, and the sum is divided once. So neither the number
of micro-batches nor of processes nor the length of documents changes what is learnt.
"""

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.model.llama import checkpoint_layers
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.training.judge import exact_dtype
from hf_zh_dict.training.optim import make_optimizers, set_learning_rate, step_optimizers
from hf_zh_dict.training.sharding import copy_parameters, model_to_train, whole
from hf_zh_dict.training.stream import MicroBatch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import LlamaForCausalLM


class Updater:
    """The model as it trains, and its optimizers.

    `model` stays plain, for scoring, sampling and saving; `wrapped` is what trains. They have the
    same parameters, unless they lie in shards: then `gather` and `scatter` copy them.
    """

    def __init__(
        self, model: "LlamaForCausalLM", config: TrainConfig, accelerator: "Accelerator"
    ) -> None:
        self.model, self.config, self.accelerator = model, config, accelerator
        self.trained = model_to_train(model, accelerator)
        if config.gradient_checkpointing:
            checkpoint_layers(self.trained)
        self.wrapped, *self.optimizers = accelerator.prepare(
            LanguageModelLoss(self.trained, compile_body=config.compile),
            *make_optimizers(self.trained, config),
        )

    def gather(self) -> None:
        """Bring `model` up to date; called by every process."""
        copy_parameters(self.trained, self.model)

    def scatter(self) -> None:
        """Train on from the weights in `model`; called by every process."""
        copy_parameters(self.model, self.trained)

    def loss(self, batch: MicroBatch) -> torch.Tensor:
        """The summed loss (nats) of a micro-batch, as it is trained on."""
        arrays = [batch.inputs, batch.labels]
        if self.config.isolate_documents:
            arrays.append(batch.positions)
        device = self.accelerator.device
        loss: torch.Tensor = self.wrapped(
            *(torch.from_numpy(array).to(device, non_blocking=True) for array in arrays)
        )
        return loss

    def update(self, micro_batches: list[MicroBatch], targets: int, rate: float) -> torch.Tensor:
        """All micro-steps and the update; returns this process's summed loss (nats)."""
        device, world_size = self.accelerator.device, self.accelerator.num_processes
        loss_sum = torch.zeros((), dtype=exact_dtype(self.accelerator), device=device)
        self.wrapped.train()
        for micro_step, batch in enumerate(micro_batches):
            more = micro_step < len(micro_batches) - 1
            with self.accelerator.no_sync(self.wrapped) if more else nullcontext():
                loss = self.loss(batch)
                # gradients are averaged over processes, so each gives its share times their number
                self.accelerator.backward(loss * (world_size / targets))
                loss_sum += loss.detach()
        # this also takes fp16's scale out of the gradients
        norm = whole(
            self.accelerator.clip_grad_norm_(
                self.wrapped.parameters(), self.config.max_grad_norm or math.inf
            )
        )
        for optimizer in self.optimizers:
            set_learning_rate(optimizer, rate)
        step_optimizers(self.accelerator, self.optimizers, norm)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        return loss_sum

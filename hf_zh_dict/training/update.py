"""Micro-batches in, one update of the weights out.

The gradient of a step is the mean over all its target tokens: losses are summed, target tokens
are counted over micro-batches and processes, and the sum is divided once. So neither the number
of micro-batches nor of processes nor the length of documents changes what is learnt.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.training.judge import exact_dtype
from hf_zh_dict.training.optim import make_optimizers, set_learning_rate
from hf_zh_dict.training.stream import MicroBatch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import LlamaForCausalLM


class Updater:
    """The model as it trains, and its optimizers.

    `model` stays plain, for scoring, sampling and saving; `wrapped` is what trains.
    """

    def __init__(
        self, model: "LlamaForCausalLM", config: TrainConfig, accelerator: "Accelerator"
    ) -> None:
        self.model, self.config, self.accelerator = model, config, accelerator
        self.wrapped, *self.optimizers = accelerator.prepare(
            LanguageModelLoss(model, compile_body=config.compile), *make_optimizers(model, config)
        )

    def update(
        self,
        micro_batches: list[MicroBatch],
        targets: int,
        rate: float,
        *,
        go_on: Callable[[], bool] = lambda: True,
    ) -> torch.Tensor | None:
        """All micro-steps and the update; returns this process's summed loss (nats).

        Between micro-steps `go_on` is asked; when it says no, nothing is updated or returned.
        """
        device, world_size = self.accelerator.device, self.accelerator.num_processes
        loss_sum = torch.zeros((), dtype=exact_dtype(self.accelerator), device=device)
        self.wrapped.train()
        for micro_step, batch in enumerate(micro_batches):
            if micro_step and not go_on():
                return None
            torch.manual_seed(batch.seed)  # dropout
            more = micro_step < len(micro_batches) - 1
            with self.accelerator.no_sync(self.wrapped) if more else nullcontext():
                inputs = torch.from_numpy(batch.inputs).to(device, non_blocking=True)
                labels = torch.from_numpy(batch.labels).to(device, non_blocking=True)
                loss = self.wrapped(inputs, labels)
                # gradients are averaged over processes, so each gives its share times their number
                self.accelerator.backward(loss * (world_size / targets))
                loss_sum += loss.detach()
        if self.config.max_grad_norm:
            self.accelerator.clip_grad_norm_(self.wrapped.parameters(), self.config.max_grad_norm)
        for optimizer in self.optimizers:
            set_learning_rate(optimizer, rate)
            optimizer.step()
            optimizer.zero_grad()
        return loss_sum

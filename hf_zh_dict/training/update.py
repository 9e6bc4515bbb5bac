"""Micro-batches in, one update of the weights out, or none when its numbers blew up.

The gradient of a step is the mean over all its target tokens: losses are summed, target tokens
are counted over micro-batches and processes, and the sum is divided once. So neither the number
of micro-batches nor of processes nor the length of documents changes what is learnt.

Behind the micro-steps all processes tell each other which losses and gradients are finite. One
that is not stops the update everywhere: weights, optimizers and average stay as they were.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.model.kernels import use_liger_kernel
from hf_zh_dict.model.llama import checkpoint_layers
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.training.compiling import choose_compiling, compile_parts, leave_plain
from hf_zh_dict.training.ema import begin_average, ema_decay_at, update_average
from hf_zh_dict.training.judge import exact_dtype
from hf_zh_dict.training.optim import make_optimizers, set_learning_rate
from hf_zh_dict.training.schedule import learning_rate_at
from hf_zh_dict.training.sharding import copy_parameters, model_to_train, whole
from hf_zh_dict.training.stream import MicroBatch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import LlamaForCausalLM

Skipped = Literal["", "loss", "gradient", "overflow"]


@dataclass(frozen=True)
class Update:
    """What became of a step.

    `skipped` says what was not finite, if anything: a loss, the gradient, or a gradient that
    fp16's loss scale made too large ("overflow"; the scale is lower now, nothing is wrong).
    `suspects` are then the micro-batches with such a loss, numbered over the whole step as the
    stream takes them (micro-step · processes + rank); none is told apart when it is the gradient.
    """

    loss_sum: torch.Tensor  # this process's, nats
    learning_rate: float
    skipped: Skipped = ""
    suspects: tuple[int, ...] = ()


class Updater:
    """The model as it trains, its optimizers, and the average of its weights.

    `model` stays plain, for scoring and saving; `wrapped` is what trains. They have the same
    parameters, unless they lie in shards: then `gather` and `scatter` copy them. `judged` is what is
    scored, sampled and kept: the average when there is one.
    """

    def __init__(
        self, model: "LlamaForCausalLM", config: TrainConfig, accelerator: "Accelerator"
    ) -> None:
        self.model, self.config, self.accelerator = model, config, accelerator
        self.trained = model_to_train(model, accelerator)
        if config.gradient_checkpointing:
            checkpoint_layers(self.trained)
        if config.use_liger_kernel:
            use_liger_kernel(self.trained, accelerator.device)
        self.compiled = choose_compiling(config, accelerator.device)
        self.loss_module = LanguageModelLoss(self.trained)
        if self.compiled:
            compile_parts(self.loss_module, accelerator)
        self.wrapped, *self.optimizers = accelerator.prepare(
            self.loss_module, *make_optimizers(self.trained, config)
        )
        self.average = begin_average(model) if config.ema_decay else None

    @property
    def judged(self) -> "LlamaForCausalLM":
        return self.model if self.average is None else self.average

    def stop_compiling(self) -> None:
        """Train on as it is, when the compiler turns out to fail."""
        self.compiled = False
        leave_plain(self.loss_module)

    def is_finite(self) -> bool:
        """Whether all weights are numbers; the same on every process, as they are."""
        return all(bool(weight.isfinite().all()) for weight in self.model.parameters())

    def gather(self) -> None:
        """Bring `model` up to date; called by every process."""
        copy_parameters(self.trained, self.model)

    def scatter(self) -> None:
        """Train on from the weights in `model`; called by every process."""
        copy_parameters(self.model, self.trained)

    def loss(self, batch: MicroBatch, *, alone: bool = False) -> torch.Tensor:
        """The summed loss (nats) of a micro-batch, as it is trained on.

        `alone` goes past what exchanges with other processes (DDP), so that none waits for another.
        """
        model = getattr(self.wrapped, "module", self.wrapped) if alone else self.wrapped
        arrays = [batch.inputs, batch.labels]
        if self.config.isolate_documents:
            arrays.append(batch.positions)
        device = self.accelerator.device
        loss: torch.Tensor = model(
            *(torch.from_numpy(array).to(device, non_blocking=True) for array in arrays)
        )
        return loss

    def update(
        self,
        micro_batches: list[MicroBatch],
        targets: int,
        step: int,
        *,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Update | None:
        """All micro-steps and the update; `targets` are those of all processes.

        Between micro-steps `go_on` is asked; when it says no, nothing is updated or returned.
        """
        world_size = self.accelerator.num_processes
        losses = []
        self.wrapped.train()
        for micro_step, batch in enumerate(micro_batches):
            if micro_step and not go_on():
                return None
            torch.manual_seed(batch.seed)  # dropout
            more = micro_step < len(micro_batches) - 1
            with self.accelerator.no_sync(self.wrapped) if more else nullcontext():
                loss = self.loss(batch)
                # gradients are averaged over processes, so each gives its share times their number
                self.accelerator.backward(loss * (world_size / targets))
                losses.append(loss.detach().to(exact_dtype(self.accelerator)))
        norm = self.clip_gradients()
        rate = learning_rate_at(step, self.config)
        skipped, suspects = self.agree(torch.stack(losses), norm)
        if not skipped:
            self.apply(rate)
            if self.average is not None:
                self.gather()
                update_average(self.average, self.model, ema_decay_at(step, self.config))
        if self.accelerator.scaler:
            self.accelerator.scaler.update()
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        return Update(torch.stack(losses).sum(), rate, skipped, suspects)

    def clip_gradients(self) -> torch.Tensor:
        """The norm of all gradients, which are clipped to `max_grad_norm` unless that is 0."""
        parameters = list(self.wrapped.parameters())
        if self.config.max_grad_norm:
            norm: torch.Tensor = self.accelerator.clip_grad_norm_(
                parameters, self.config.max_grad_norm
            )
        else:
            self.accelerator.unscale_gradients()
            norm = torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
        return torch.as_tensor(whole(norm))

    def agree(self, losses: torch.Tensor, norm: torch.Tensor) -> tuple[Skipped, tuple[int, ...]]:
        """Over all processes: what is not finite, and which micro-batches' losses are not."""
        rank, world_size = self.accelerator.process_index, self.accelerator.num_processes
        flags = torch.zeros(len(losses) * world_size + 1, device=losses.device)
        flags[rank:-1:world_size] = (~losses.isfinite()).float()
        flags[-1] = ~norm.isfinite()
        *loss_flags, gradient = self.accelerator.reduce(flags, reduction="sum").tolist()
        suspects = tuple(number for number, flag in enumerate(loss_flags) if flag)
        if suspects:
            return "loss", suspects
        if not gradient:
            return "", ()
        scaler = self.accelerator.scaler
        # below 1 the scale makes gradients smaller: it cannot be what made them too large
        return ("overflow" if scaler and scaler.get_scale() >= 1 else "gradient"), ()

    def apply(self, rate: float) -> None:
        """The optimizers' steps. Gradients are unscaled and finite: no scaler is asked again.

        (Accelerate's own step would let the scaler begin anew behind the first of two optimizers,
        and so unscale the second's gradients twice.)
        """
        for optimizer in self.optimizers:
            set_learning_rate(optimizer, rate)
            (optimizer.optimizer if self.accelerator.scaler else optimizer).step()

"""Settings and a device in, whether training is compiled out; and what is compiled of it.

Compiled, a step takes about two thirds of its time; compiling itself takes about half a minute.
"""

import codecs
import locale
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.config import TrainConfig
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.loss import LanguageModelLoss, exponentiate

if TYPE_CHECKING:
    from accelerate import Accelerator

WORTH_STEPS = 1000  # shorter runs would hardly make up for the compiling
SHORT_CONTEXT = 256  # tokens; on CPUs torch's fused attention in bf16 is slower up to here


def choose_compiling(config: TrainConfig, device: torch.device) -> bool:
    """What `train.compile` says; when it is not set, whether it is possible and pays.

    Raises:
        InputError: it is set, and there is nothing to compile with.
    """
    if config.compile is None:
        return config.max_steps >= WORTH_STEPS and can_compile(device)
    if config.compile and not can_compile(device):
        raise InputError(
            _(
                "train.compile: {device} has no compiler here (a C++ compiler for a CPU, triton for a "
                "GPU; PYTHONUTF8=1 where the locale is ASCII); install one, or leave the setting "
                "out."
            ).format(device=device.type)
        )
    return config.compile


def can_compile(device: torch.device) -> bool:
    """Whether torch.compile finds what it needs: a C++ compiler for a CPU, triton for a GPU.

    And a locale that is not ASCII: torch reads its own sources by it, which hold other characters.
    """
    if codecs.lookup(locale.getpreferredencoding(False)).name == "ascii":
        return False
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        return bool(has_triton())
    if device.type == "cpu":
        from torch._inductor.cpp_builder import get_cpp_compiler
        from torch._inductor.exc import InvalidCxxCompiler

        try:
            return bool(get_cpp_compiler())
        except InvalidCxxCompiler:
            return False
    return False


def compile_parts(loss: LanguageModelLoss, accelerator: "Accelerator") -> None:
    """Compile the layer, once for all of them, and the softmax of the loss; the rest is little."""
    model = loss.model
    if (
        accelerator.device.type == "cpu"
        and accelerator.mixed_precision == "bf16"
        and model.config.max_position_embeddings <= SHORT_CONTEXT
    ):
        model.set_attn_implementation(
            "eager"
        )  # its products and softmax are compiled with the rest
    options: dict[str, Any] | None = None
    if accelerator.device.type == "cpu" and model.config.attention_dropout:
        options = {"fallback_random": True}  # torch's own come quicker there than compiled ones
    for layer in model.model.layers:
        layer.forward = torch.compile(layer.forward, options=options)
    loss.exponentiate = torch.compile(exponentiate)


def leave_plain(loss: LanguageModelLoss) -> None:
    """Undo `compile_parts`."""
    for layer in loss.model.model.layers:
        del layer.forward  # the class's own is behind it
    loss.exponentiate = exponentiate

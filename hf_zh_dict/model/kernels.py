"""A Llama in, the same with liger-kernel's norms, rotary embedding and MLP on a GPU out."""

from typing import TYPE_CHECKING

import torch

from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


def use_liger_kernel(model: "LlamaForCausalLM", device: torch.device) -> None:
    """Let liger's triton kernels do RMSNorm, rotary embedding and SwiGLU; parameters stay as they are.

    The loss stays ours: it makes no whole logits either.

    Raises:
        InputError: there is no CUDA GPU, or liger-kernel is not installed.
    """
    if device.type != "cuda":
        raise InputError(
            _("train.use_liger_kernel: its kernels need a CUDA GPU, this is {device}; leave it out.").format(
                device=device.type
            )
        )  # fmt: skip
    try:
        from liger_kernel.transformers import apply_liger_kernel_to_llama
    except ImportError as error:
        raise InputError(
            _(
                "train.use_liger_kernel: liger-kernel is not installed; pip install liger-kernel, or "
                "leave it out."
            )
        ) from error
    apply_liger_kernel_to_llama(
        rope=True,
        rms_norm=True,
        swiglu=True,
        cross_entropy=False,
        fused_linear_cross_entropy=False,
        model=model,
    )

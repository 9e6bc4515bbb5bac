"""liger's kernels are refused where they cannot run, and asked for what we want of them."""

import sys
import types

import pytest
import torch

from hf_zh_dict.messages import InputError
from hf_zh_dict.model.kernels import use_liger_kernel

GPU = torch.device("cuda")


def test_a_cpu_is_refused(tiny_model):
    with pytest.raises(InputError, match=r"train\.use_liger_kernel: .* this is cpu"):
        use_liger_kernel(tiny_model, torch.device("cpu"))


def test_a_missing_package_is_named(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "liger_kernel", None)
    with pytest.raises(InputError, match="pip install liger-kernel"):
        use_liger_kernel(tiny_model, GPU)


def test_everything_but_the_loss_is_theirs(tiny_model, monkeypatch):
    asked = {}
    package, module = (
        types.ModuleType("liger_kernel"),
        types.ModuleType("liger_kernel.transformers"),
    )
    module.apply_liger_kernel_to_llama = lambda **options: asked.update(options)
    monkeypatch.setitem(sys.modules, "liger_kernel", package)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", module)
    use_liger_kernel(tiny_model, GPU)
    assert asked.pop("model") is tiny_model
    losses = ("cross_entropy", "fused_linear_cross_entropy")
    assert asked == {name: name not in losses for name in ("rope", "rms_norm", "swiglu", *losses)}

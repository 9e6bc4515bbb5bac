"""A device in, what it holds and whether it is done out."""

import psutil
import torch


def measure_memory(device: torch.device) -> float:
    """Gigabytes: the most that the GPU held so far, or what this process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return int(psutil.Process().memory_info().rss) / 1e9


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; clocks are read behind that."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; without them it is far slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())

"""A device in, what it holds and whether it is done out."""

import ctypes
import sys

import psutil
import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # mallopt(3)


def measure_memory(device: torch.device) -> float:
    """Gigabytes: the most that the GPU held so far, or what this process holds now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return int(psutil.Process().memory_info().rss) / 1e9


def keep_freed_memory() -> None:
    """Let this process keep what its tensors free for its next ones, instead of the system.

    A step on the CPU frees all it has made, hundreds of megabytes; given back, they come again as
    empty pages that the system has to clear, which takes about a seventh of a step. Memory stays at
    its peak. Only glibc can do it; elsewhere nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_TRIM_THRESHOLD, -1)  # never
        mallopt(M_MMAP_MAX, 0)  # nothing is mapped for itself, to be unmapped when freed


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; clocks are read behind that."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; without them it is far slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())

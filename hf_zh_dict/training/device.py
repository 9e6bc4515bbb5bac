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

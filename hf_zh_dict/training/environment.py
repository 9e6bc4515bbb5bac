"""The machine that a training starts on in, a row of `environment.jsonl` out: one for each start.

A run's speed and its last digits depend on what it ran on, and one that is resumed may go on
elsewhere. So every start leaves its step, date, hardware and libraries.
"""

import json
import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

from hf_zh_dict.files import write_file
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows

if TYPE_CHECKING:
    from accelerate import Accelerator

LIBRARIES = ("hf-zh-dict", "accelerate", "numpy", "tokenizers", "torch", "transformers")
CPU_INFO = Path("/proc/cpuinfo")


def record_environment(paths: RunPaths, accelerator: "Accelerator", step: int) -> None:
    """Add a row of this start; those of later steps are of a training that was given up."""
    rows = [row for row in read_rows(paths.environment) if row["step"] < step]
    rows.append({"step": step, **describe_environment(accelerator)})
    write_file(
        paths.environment, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    )


def describe_environment(accelerator: "Accelerator") -> dict[str, Any]:
    """Date (UTC), device, processor, memory in gigabytes, processes and versions."""
    device = accelerator.device
    facts: dict[str, Any] = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device.type,
        "processor": name_processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gigabytes": psutil.virtual_memory().total / 1e9,
        "processes": accelerator.num_processes,
        "distributed": accelerator.distributed_type.value,
        "precision": accelerator.mixed_precision,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        facts |= {"gpu": gpu.name, "gpu_memory_gigabytes": gpu.total_memory / 1e9}
    return facts


def name_processor() -> str:
    """What the processor calls itself; Python does not know it on Linux."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()

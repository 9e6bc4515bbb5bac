"""What tensors free stays with the process that asked for it."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import resource, sys
import torch
from hf_zh_dict.training.device import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def step():
    return sum(torch.ones(1 << 24).sum() for _ in range(4))  # 64 MiB, freed, four times
for _ in range(3):  # until its places are found
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_kept_for_the_next_step():
    new = {
        how: int(subprocess.check_output([sys.executable, "-c", PAGES, how]))
        for how in ("keep", "no")
    }
    assert new["keep"] < new["no"] / 2

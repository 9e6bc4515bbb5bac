"""What tensors free stays with the process that asked for it."""

import json
import platform
import subprocess
import sys

import pytest

PAGES = """
import json, resource
import torch
from hf_zh_dict.training.device import keep_freed_memory
def new_pages():  # of the last of some rounds, when its places are found
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(4):
            torch.ones(1 << 24)  # 64 MiB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
given_back = new_pages()
keep_freed_memory()
print(json.dumps([given_back, new_pages()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_kept_for_the_next_step():
    given_back, kept = json.loads(subprocess.check_output([sys.executable, "-c", PAGES]))
    assert kept < given_back / 2

"""What a test may ask of the machine that it runs on."""

import sys

import pytest
import torch

from hf_zh_dict.training.compiling import can_compile

chinese_file_names = pytest.mark.skipif(
    sys.getfilesystemencoding() == "ascii", reason="this locale cannot name a file in Chinese"
)
compiler = pytest.mark.skipif(
    not can_compile(torch.device("cpu")), reason="torch.compile cannot work here"
)

"""Sampling's settings explain themselves and cost no heavy import."""

import dataclasses
import subprocess
import sys

import pytest

from hf_zh_dict.model.sampling import Sampling


def test_every_setting_has_an_explanation():
    for item in dataclasses.fields(Sampling):
        assert item.metadata["help"], item.name
        assert isinstance(getattr(Sampling(), item.name), int | float)


def test_it_cannot_be_changed_behind_a_generation():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sampling().seed = 1


@pytest.mark.parametrize(
    "module", ["hf_zh_dict.model.sampling", "hf_zh_dict.config", "hf_zh_dict.stages"]
)
def test_help_needs_nothing_heavy(module):
    heavy = "{'torch', 'transformers', 'datasets', 'numpy', 'matplotlib', 'yaml'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "[]"

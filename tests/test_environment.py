"""Each start of a training leaves what it ran on."""

import json
from datetime import datetime

import pytest
import torch

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import append_row, read_rows
from hf_zh_dict.training import environment
from hf_zh_dict.training.environment import describe_environment, name_processor, record_environment
from hf_zh_dict.training.launch import make_accelerator


@pytest.fixture
def accelerator(tiny_config, tmp_path):
    return make_accelerator(tiny_config, RunPaths(tmp_path))


def test_a_start_tells_machine_and_libraries(accelerator):
    facts = describe_environment(accelerator)
    assert (facts["device"], facts["processes"], facts["precision"]) == ("cpu", 1, "no")
    assert facts["threads"] == torch.get_num_threads()
    assert facts["versions"]["torch"] == torch.__version__
    assert facts["memory_gigabytes"] > 0.1
    assert datetime.fromisoformat(facts["started"]).utcoffset().total_seconds() == 0
    assert "gpu" not in facts
    json.dumps(facts)


def test_a_start_takes_the_place_of_those_behind_it(accelerator, tmp_path):
    paths = RunPaths(tmp_path)
    for step in (0, 100, 200):
        append_row(paths.environment, {"step": step, "device": "cuda"})
    record_environment(paths, accelerator, 100)
    rows = read_rows(paths.environment)
    assert [(row["step"], row["device"]) for row in rows] == [(0, "cuda"), (100, "cpu")]


def test_the_processor_has_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "CPU_INFO", tmp_path / "cpuinfo")
    assert name_processor()
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: A  Chip @ 2 GHz\n")
    assert name_processor() == "A Chip @ 2 GHz"

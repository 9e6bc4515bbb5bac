"""`model.bin` holds what run.c computes with: its own logits and ids stand in golden/llama2c.json."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from reproducible_weights import fill
from run_c_in_numpy import Model
from transformers import LlamaForCausalLM

from hf_zh_dict.formats.llama2c_vocabulary import make_vocabulary
from hf_zh_dict.formats.llama2c_weights import choose_group_size, quantize, write_model
from hf_zh_dict.formats.shape import read_shape
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import make_llama_config

GOLDEN = json.loads((Path(__file__).parent / "golden" / "llama2c.json").read_text(encoding="utf-8"))
SHAPES = {
    "tied": {"num_key_value_heads": 2},
    "untied": {"num_key_value_heads": 1, "tie_word_embeddings": False},
}


@pytest.fixture
def make_model(tiny_config, tokenizer, reshape):
    """Makes the models that run.c computed with."""

    def make(**shape):
        sizes = {"hidden_size": 32, "intermediate_size": 64, "max_position_embeddings": 64}
        config = make_llama_config(reshape(tiny_config, **sizes | shape), tokenizer)
        return fill(LlamaForCausalLM(config))

    return make


@pytest.fixture
def write(tokenizer, tmp_path):
    """Writes a model; gives what was read back, and the vocabulary."""

    def write(model, version=0):
        vocabulary = make_vocabulary(tokenizer, model.config.vocab_size)
        write_model(model, vocabulary, tmp_path / "model.bin", version=version)
        return Model((tmp_path / "model.bin").read_bytes()), vocabulary

    return write


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("version", [0, 1])
def test_the_file_gives_run_cs_logits_and_greedy_ids(make_model, write, shape, version):
    golden = GOLDEN[shape]
    read, _vocabulary = write(make_model(**SHAPES[shape]), version)
    assert np.abs(read.logits(golden["prompt"])[-1] - golden["logits"]).max() < 1e-4
    ids = [*golden["prompt"]]
    for expected in golden["ids"]:
        ids.append(int(read.logits(ids)[-1].argmax()))
        assert ids[-1] == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_our_model_has_run_cs_logits(make_model, tokenizer, shape):
    model, golden = make_model(**SHAPES[shape]), GOLDEN[shape]
    vocabulary = make_vocabulary(tokenizer, 300)
    ids = torch.tensor([[vocabulary.inputs[number] for number in golden["prompt"]]])
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, -1, vocabulary.outputs]
    assert (logits - torch.tensor(golden["logits"])).abs().max() < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_int8_is_near_what_runq_c_computed(make_model, write, shape):
    golden = GOLDEN[shape]
    read, _vocabulary = write(make_model(**SHAPES[shape]), 2)
    assert read.group_size == 32
    found = read.logits(golden["prompt"])[-1]
    # runq.c rounds the activations too
    assert np.abs(found - golden["int8"]).max() < 0.2
    assert np.corrcoef(found, golden["int8"])[0, 1] > 0.999


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_sentencepiece_vocabulary_leaves_a_tied_model_tied(
    make_model, tokenizer, tmp_path, version
):
    vocabulary = make_vocabulary(tokenizer, 300)
    plain = dataclasses.replace(vocabulary, inputs=list(range(300)), outputs=list(range(300)))
    write_model(make_model(), plain, tmp_path / "model.bin", version=version)
    read = Model((tmp_path / "model.bin").read_bytes())
    assert read.weights["out"] is read.weights["emb"]


def test_version_0_holds_the_old_tables_of_angles(make_model, write):
    read, _vocabulary = write(make_model())
    assert read.tables.shape == (2, 64, 4)
    np.testing.assert_allclose(read.tables[0, 5], np.cos(5 * 10_000.0 ** (-np.arange(4) / 4)), 1e-5)
    np.testing.assert_allclose(read.tables[1, 5], np.sin(5 * 10_000.0 ** (-np.arange(4) / 4)), 1e-5)


def test_a_group_of_zeros_stays_zero_and_errors_are_half_a_step():
    matrix = torch.cat([torch.zeros(1, 8), torch.randn(3, 8)])
    quantized, scales = quantize(matrix, 8)
    assert quantized.dtype == torch.int8
    assert (quantized[0] == 0).all()
    assert (quantized[1:].abs().amax(dim=1) == 127).all()
    assert ((quantized * scales - matrix).abs() <= scales / 2 + 1e-7).all()


@pytest.mark.parametrize(
    ("hidden_size", "intermediate_size", "group"), [(192, 512, 64), (288, 768, 32), (64, 40, 8)]
)
def test_groups_divide_both_widths(make_model, hidden_size, intermediate_size, group):
    model = make_model(hidden_size=hidden_size, intermediate_size=intermediate_size)
    assert choose_group_size(read_shape(model.config)) == group


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"rope_theta": 5000.0}, r"rope_theta 5000\.0, this format knows only 10000\.0"),
        ({"rms_norm_eps": 1e-6}, "rms_norm_eps 1e-06"),
    ],
)
def test_what_run_c_computes_otherwise_is_refused(make_model, write, setting, named):
    with pytest.raises(InputError, match=named):
        write(make_model(**setting))


def test_heads_of_another_width_are_refused(make_model, write):
    model = make_model()
    model.config.head_dim = 16
    with pytest.raises(InputError, match="head_dim 16"):
        write(model)

"""A plain Llama is read without transformers, and writes what it writes with it; all else is left."""

import json
import subprocess
import sys

import pytest
import torch
from reproducible_weights import fill
from safetensors.torch import load_file, save_file

from hf_zh_dict.cli import main
from hf_zh_dict.model.generate import continue_texts
from hf_zh_dict.model.llama import build_model, save_model
from hf_zh_dict.model.loading import load_model_folder
from hf_zh_dict.model.plain_llama import read_plain_llama
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.model.text_model import TextModel

PROMPTS = ["橋", "茶壺\u3000", "<s>橋</s>", "", "一、二，", "漏網與落網" * 20, "  空  格 radio"]
SAMPLINGS = [
    Sampling(max_new_tokens=20, temperature=0),
    Sampling(max_new_tokens=20, seed=3),
    Sampling(max_new_tokens=20, temperature=100.0, top_k=0, top_p=1.0),
]
SHAPES = {
    "tied": {},
    "a last layer of its own": {"tie_word_embeddings": False},
    "a head each": {"num_key_value_heads": 4},
    "one head for all": {"num_key_value_heads": 1, "tie_word_embeddings": False},
    "other angles": {"rope_theta": 500.0},
}


@pytest.fixture
def save(tiny_config, tokenizer, tokenizer_folder, reshape, tmp_path):
    """Saves a model of a shape, whose weights are kept as `dtype`; gives its folder."""

    def save(dtype=torch.float32, *, eos_token_id=None, **shape):
        model = fill(build_model(reshape(tiny_config, **shape), tokenizer)).to(dtype)
        folder = tmp_path / "model"
        save_model(model, tokenizer, tokenizer_folder, folder, eos_token_id=eos_token_id)
        return folder

    return save


def tensors_of(decoder):
    """Every tensor that a decoder holds, but those of its last layer."""
    layers = [tensor for layer in decoder.layers for tensor in vars(layer).values()]
    return [decoder.embeddings, decoder.norm, decoder.turns, *layers]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_it_writes_what_it_writes_with_transformers(save, shape, dtype):
    folder = save(dtype, **shape)
    ours, theirs = read_plain_llama(folder), TextModel.of(*load_model_folder(folder))
    for mine, other in zip(tensors_of(ours.model), tensors_of(theirs.model), strict=True):
        assert mine.dtype == other.dtype != torch.bfloat16
        assert torch.equal(mine, other)
    for sampling in SAMPLINGS:
        expected = list(continue_texts(theirs, PROMPTS, sampling))
        assert list(continue_texts(ours, PROMPTS, sampling)) == expected
    assert (ours.ends, ours.context_length) == (theirs.ends, theirs.context_length)


def test_tokens_that_the_models_settings_name_end_a_text_too(save, tokenizer):
    ends = [tokenizer.eos_token_id, tokenizer.bos_token_id]
    assert read_plain_llama(save(eos_token_id=ends)).ends == set(ends)


def test_what_tokenizer_json_says_of_cutting_and_padding_is_not_heeded(save):
    folder = save()
    path = folder / "tokenizer.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["truncation"] = {
        "direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0,
    }  # fmt: skip
    path.write_text(json.dumps(settings), encoding="utf-8")
    ours, theirs = read_plain_llama(folder), TextModel.of(*load_model_folder(folder))
    ids = ours.encode("一二三四五")
    assert ids == theirs.encode("一二三四五")
    assert len(ids) > 3


def test_neither_transformers_nor_what_it_brings_is_imported(save):
    program = (
        "import sys; from hf_zh_dict.cli import main;"
        f"main(['generate', {str(save())!r}, '--prompt', {'橋'!a}, '--max-new-tokens', '2']);"
        "print({'transformers', 'accelerate', 'datasets', 'sympy', 'torch._dynamo'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", timeout=120
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("橋")
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("config.json", {"model_type": "mistral"}),
        ("config.json", {"hidden_act": "gelu"}),
        ("config.json", {"attention_bias": True}),
        ("config.json", {"mlp_bias": True}),
        ("config.json", {"quantization_config": {"quant_method": "fp8"}}),
        ("config.json", {"rope_parameters": None}),
        (
            "config.json",
            {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}},
        ),
        ("config.json", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
        ("config.json", {"num_key_value_heads": None}),
        ("config.json", {"num_hidden_layers": 3}),
        ("config.json", {"vocab_size": 301}),
        ("config.json", {"tie_word_embeddings": False}),
        ("tokenizer_config.json", {"tokenizer_class": "GPT2Tokenizer"}),
        ("tokenizer_config.json", {"split_special_tokens": False}),
        ("tokenizer_config.json", {"clean_up_tokenization_spaces": True}),
        ("tokenizer_config.json", {"add_bos_token": False}),
        ("tokenizer_config.json", {"eos_token": "<end>"}),
        ("tokenizer_config.json", {"eos_token": {"content": "</s>"}}),
        ("generation_config.json", {"eos_token_id": None}),
        ("adapter_config.json", {}),
        ("special_tokens_map.json", {}),
    ],
)
def test_another_kind_is_left_to_transformers(save, file, changed):
    path = save() / file
    settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(settings | changed), encoding="utf-8")
    assert read_plain_llama(path.parent) is None


def test_weights_of_more_than_a_llama_are_left_to_transformers(save):
    path = save() / "model.safetensors"
    weights = load_file(path)
    save_file(weights | {"model.layers.0.self_attn.q_proj.bias": torch.zeros(16)}, path)
    assert read_plain_llama(path.parent) is None


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("left", [None, 0, 50])
def test_what_is_missing_or_broken_is_told_in_a_sentence(save, capsys, file, left):
    path = save() / file
    content = path.read_bytes()
    path.unlink()
    if left is not None:
        path.write_bytes(content[:left])
    assert read_plain_llama(path.parent) is None
    assert main(["generate", str(path.parents[1]), "--prompt", "橋"]) == 2
    assert "holds no model that can be loaded" in capsys.readouterr().err


def test_a_name_on_the_hub_is_left_to_transformers():
    assert read_plain_llama("owner/model") is None

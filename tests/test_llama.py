"""The built Llama has the counted size and the promised start; the saved one is a plain Llama."""

import dataclasses
import json
import math
import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hf_zh_dict.config import BlocksConfig, count_parameters
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import RESIDUAL_PROJECTIONS, build_model, make_llama_config, save_model
from hf_zh_dict.settings import load_config

SHAPES = {
    "tied": {},
    "untied": {"tie_word_embeddings": False},
    "a head each": {"num_key_value_heads": None},
    "one key-value head": {"num_key_value_heads": 1, "num_hidden_layers": 3},
    "given MLP": {"intermediate_size": 40, "tie_word_embeddings": False},
    "other rounding": {"hidden_size": 24, "num_attention_heads": 6, "multiple_of": 4},
    "one layer": {"num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": None},
}


def ids_of(rows=2, width=12):
    return torch.randint(3, 300, (rows, width), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def saved(tiny_model, tokenizer, tokenizer_folder, tmp_path):
    """A folder as `save_model` leaves it."""
    save_model(tiny_model, tokenizer, tokenizer_folder, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_counted_parameters_are_those_of_the_model(tiny_config, tokenizer, reshape, shape):
    config = reshape(tiny_config, **shape)
    model = build_model(config, tokenizer)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count_parameters(config.model, len(tokenizer)) == count


def test_the_model_has_the_shape_of_the_settings(tiny_config, tokenizer, reshape):
    shape = {"rope_theta": 5000.0, "rms_norm_eps": 1e-6, "max_position_embeddings": 48}
    llama = make_llama_config(reshape(tiny_config, **shape), tokenizer)
    assert (llama.hidden_size, llama.num_hidden_layers) == (16, 2)
    assert (llama.num_attention_heads, llama.num_key_value_heads) == (4, 2)
    assert llama.intermediate_size == tiny_config.model.mlp_width == 64
    assert llama.rope_parameters["rope_theta"] == 5000
    assert llama.rms_norm_eps == 1e-6
    assert llama.max_position_embeddings == 48
    assert llama.vocab_size == 300
    ends = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
    assert [llama.bos_token_id, llama.eos_token_id, llama.pad_token_id] == ends


@pytest.mark.parametrize("layers", [2, 8])
def test_residual_projections_start_smaller_with_depth(tiny_config, tokenizer, reshape, layers):
    model = build_model(reshape(tiny_config, hidden_size=64, num_hidden_layers=layers), tokenizer)
    for name, parameter in model.state_dict().items():
        if parameter.ndim < 2:
            assert (parameter == 1).all(), name
            continue
        residual = name.removesuffix(".weight").endswith(RESIDUAL_PROJECTIONS)
        expected = 0.02 / math.sqrt(2 * layers) if residual else 0.02
        assert float(parameter.std()) == pytest.approx(expected, rel=0.06), name
        assert abs(float(parameter.mean())) < expected / 10, name


def test_layers_may_start_as_the_identity(tiny_config, tokenizer, reshape):
    ids = ids_of()
    model = build_model(reshape(tiny_config, zero_init=True), tokenizer)
    with torch.no_grad():
        states = model(ids, output_hidden_states=True).hidden_states
    embedded = model.get_input_embeddings()(ids)
    for state in states[:-1]:  # the last one is behind the norm
        assert torch.equal(state, embedded)
    weights = model.state_dict()
    assert all(
        weights[name].any() for name in weights if not any(p in name for p in RESIDUAL_PROJECTIONS)
    )


def test_the_seed_alone_decides_the_weights(tiny_config, tokenizer):
    def weights(seed):
        config = load_config(overrides={"model.hidden_size": 12, "train.seed": seed})
        torch.rand(seed + 3)  # what was drawn before does not matter
        return build_model(config, tokenizer).state_dict()

    first, again, other = weights(4), weights(4), weights(5)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["lm_head.weight"], other["lm_head.weight"])


def test_dropout_acts_in_training_only(tiny_config, tokenizer, reshape):
    plain = build_model(tiny_config, tokenizer).eval()
    dropping = build_model(reshape(tiny_config, dropout=0.5), tokenizer)
    ids = ids_of()
    with torch.no_grad():
        expected = plain(input_ids=ids).logits
        assert torch.equal(dropping.eval()(input_ids=ids).logits, expected)
        dropping.train()
        first, second = (dropping(input_ids=ids).logits for _turn in range(2))
        assert not torch.equal(first, second)
        assert torch.equal(dropping.eval()(input_ids=ids).logits, expected)
        assert torch.equal(plain.train()(input_ids=ids).logits, expected)


def test_dropout_falls_on_embeddings_and_on_what_layers_add(tiny_config, tokenizer, reshape):
    model = build_model(reshape(tiny_config, dropout=0.25), tokenizer).train()
    torch.manual_seed(0)
    places = [model.model.embed_tokens]
    places += [
        p for layer in model.model.layers for p in (layer.self_attn.o_proj, layer.mlp.down_proj)
    ]
    for place in places:
        ids = torch.full((40, 50), 7)
        inputs = ids if place is places[0] else torch.ones(40, 50, place.in_features)
        dropped = place(inputs)
        zeros = dropped == 0
        assert float(zeros.float().mean()) == pytest.approx(0.25, abs=0.02)
        kept = place.eval()(inputs)
        torch.testing.assert_close(dropped[~zeros], kept[~zeros] / 0.75)


def attention_drops(model):
    """Whether attention itself drops in training: two passes differ without the hooks."""
    for module in model.modules():
        module._forward_hooks.clear()
    model.train()
    with torch.no_grad():
        first, second = (model(input_ids=ids_of()).logits for _turn in range(2))
    return not torch.equal(first, second)


def test_attention_has_dropout_too(tiny_config, tokenizer, reshape):
    assert attention_drops(build_model(reshape(tiny_config, dropout=0.5), tokenizer))
    assert not attention_drops(build_model(tiny_config, tokenizer))


def test_attention_of_a_pretrained_model_has_dropout_too(tiny_config, tokenizer, reshape, saved):
    config = reshape(tiny_config, pretrained=str(saved), dropout=0.5)
    assert attention_drops(build_model(config, tokenizer))


def test_the_saved_folder_is_a_llama_for_transformers_alone(saved, tiny_model, tokenizer):
    loaded = AutoModelForCausalLM.from_pretrained(saved).eval()
    assert type(loaded).__name__ == "LlamaForCausalLM"
    with torch.no_grad():
        expected = tiny_model(input_ids=ids_of()).logits
        assert torch.equal(loaded(input_ids=ids_of()).logits, expected)
    text = "青石橋　<s>見「茶壺」。"
    assert AutoTokenizer.from_pretrained(saved)(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert loaded.generation_config.eos_token_id == tokenizer.eos_token_id
    assert loaded.generation_config.bos_token_id == tokenizer.bos_token_id
    assert loaded.generation_config.pad_token_id == tokenizer.pad_token_id


def test_the_saved_folder_holds_exactly_these_files(saved):
    assert sorted(path.name for path in saved.iterdir()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert [path.name for path in saved.parent.iterdir()] == ["model"]
    settings = json.loads((saved / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"


def test_config_json_says_what_transformers_4_reads(saved):
    settings = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    assert settings["architectures"] == ["LlamaForCausalLM"]
    assert settings["model_type"] == "llama"
    assert settings["rope_theta"] == 10000
    assert settings["torch_dtype"] == "float32"
    assert settings["use_cache"] is True
    assert settings["tie_word_embeddings"] is True


def test_dropout_is_not_saved_and_saving_does_not_end_it(
    tiny_config, tokenizer, tokenizer_folder, reshape, tmp_path
):
    model = build_model(reshape(tiny_config, dropout=0.5), tokenizer)
    save_model(model, tokenizer, tokenizer_folder, tmp_path / "model")
    settings = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert settings["attention_dropout"] == 0
    assert model.config.attention_dropout == 0.5
    assert attention_drops(model)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model").train()
    with torch.no_grad():
        first, second = (loaded(input_ids=ids_of()).logits for _turn in range(2))
    assert torch.equal(first, second)


def test_saving_again_replaces_the_folder(saved, tiny_model, tokenizer, tokenizer_folder):
    (saved / "left over").write_text("")
    with torch.no_grad():
        tiny_model.model.norm.weight.fill_(3)
    save_model(tiny_model, tokenizer, tokenizer_folder, saved)
    assert not (saved / "left over").exists()
    loaded = AutoModelForCausalLM.from_pretrained(saved)
    assert (loaded.model.norm.weight == 3).all()


@pytest.mark.parametrize("tied", [True, False])
def test_a_pretrained_model_starts_with_its_weights(
    tiny_config, tokenizer, tokenizer_folder, reshape, tmp_path, tied
):
    first = build_model(reshape(tiny_config, tie_word_embeddings=tied), tokenizer)
    save_model(first, tokenizer, tokenizer_folder, tmp_path / "model")
    second = build_model(reshape(tiny_config, pretrained=str(tmp_path / "model")), tokenizer)
    assert {parameter.dtype for parameter in second.parameters()} == {torch.float32}
    for name, parameter in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], parameter), name


def test_a_pretrained_model_of_another_vocabulary_is_refused_with_both_sizes(
    tiny_config, tokenizer, reshape, saved
):
    class Larger:
        def __len__(self):
            return 301

    with pytest.raises(InputError, match=r"has 300 vocabulary entries, the tokenizer 301; set"):
        build_model(reshape(tiny_config, pretrained=str(saved)), Larger())


def test_a_block_longer_than_a_pretrained_models_context_is_refused_with_both(
    tiny_config, tokenizer, reshape, saved
):
    config = reshape(tiny_config, pretrained=str(saved), max_position_embeddings=64)
    config = dataclasses.replace(config, blocks=BlocksConfig(block_size=33))
    with pytest.raises(InputError, match=r"^blocks\.block_size: 33 is longer .* 32\.$"):
        build_model(config, tokenizer)


def no_folder(saved):
    shutil.rmtree(saved)


def broken_config(saved):
    (saved / "config.json").write_text("{")


def broken_weights(saved):
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def another_width(saved):
    settings = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    (saved / "config.json").write_text(json.dumps(settings | {"hidden_size": 32}))


def no_llama(saved):
    settings = json.loads((saved / "config.json").read_text(encoding="utf-8"))
    no_llama = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    (saved / "config.json").write_text(json.dumps(settings | no_llama))


@pytest.mark.parametrize(
    "damage", [no_folder, broken_config, broken_weights, another_width, no_llama]
)
def test_a_pretrained_model_that_cannot_be_used_is_refused_by_its_name(
    tiny_config, tokenizer, reshape, saved, damage
):
    damage(saved)
    with pytest.raises(InputError, match=r"^model\.pretrained: \S+model ") as refused:
        build_model(reshape(tiny_config, pretrained=str(saved)), tokenizer)
    assert "\n" not in str(refused.value)

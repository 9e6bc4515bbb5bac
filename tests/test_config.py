"""Values that no run can use are refused by name; shapes have the parameters that they claim."""

import dataclasses

import pytest

from hf_zh_dict.config import Config, ModelConfig, count_parameters, count_training_flops
from hf_zh_dict.messages import InputError
from hf_zh_dict.settings import load_config


def refusal(**arguments):
    """The sentence with which settings are refused."""
    with pytest.raises(InputError) as refused:
        load_config(**arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_the_shapes_of_llama2c_have_its_mlp_widths():
    widths = {
        name: load_config(preset=f"llama2c-{name}").model.mlp_width
        for name in ("260k", "15m", "42m", "110m")
    }
    assert widths == {"260k": 172, "15m": 768, "42m": 1376, "110m": 2048}


def test_the_smallest_shape_of_llama2c_has_its_parameters():
    config = load_config(preset="llama2c-260k")
    assert count_parameters(config.model, config.tokenizer.vocab_size) == 260_032


def test_untied_embeddings_count_twice():
    tied, untied = (ModelConfig(tie_word_embeddings=tie) for tie in (True, False))
    assert count_parameters(untied, 1000) - count_parameters(tied, 1000) == 1000 * 288


def test_settings_cannot_be_changed_behind_a_run():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().train.max_steps = 5


def test_the_context_is_the_block_unless_it_is_given():
    assert load_config(overrides={"blocks.block_size": 64}).context_length == 64
    longer = {"blocks.block_size": 64, "model.max_position_embeddings": 128}
    assert load_config(overrides=longer).context_length == 128


def test_a_block_longer_than_the_context_is_refused_with_both():
    message = refusal(overrides={"blocks.block_size": 300, "model.max_position_embeddings": 256})
    assert message.startswith("blocks.block_size: 300")
    assert "model.max_position_embeddings 256" in message


def test_heads_that_do_not_divide_are_refused_with_the_numbers():
    message = refusal(overrides={"model.num_attention_heads": 7})
    assert message.startswith("model.num_attention_heads: 7 heads do not divide")
    assert "288" in message
    message = refusal(overrides={"model.num_key_value_heads": 4})
    assert message == "model.num_key_value_heads: 4 does not divide model.num_attention_heads 6."
    message = refusal(overrides={"model.hidden_size": 18, "model.num_attention_heads": 6})
    assert "heads of odd width" in message


@pytest.mark.parametrize(
    "overrides",
    [
        {"tokenizer.vocab_size": 258},
        {"blocks.block_size": 7},
        {"model.hidden_size": 0},
        {"model.num_hidden_layers": 0},
        {"model.num_attention_heads": 0},
        {"model.num_attention_heads": -6},
        {"model.num_key_value_heads": -1},
        {"model.intermediate_size": -8},
        {"model.multiple_of": 0},
        {"model.max_position_embeddings": -1},
        {"model.dropout": 1},
        {"model.dropout": -0.1},
        {"model.dropout": "nan"},
        {"model.rope_theta": 0},
        {"model.rms_norm_eps": -1},
        {"corpus.validation_fraction": 0},
        {"corpus.test_fraction": 0},
        {"corpus.test_fraction": 0.95},
        {"corpus.min_groups": 0},
        {"corpus.source": "text"},
        {"corpus.source": "spreadsheets", "corpus.files": []},
        {"train.max_steps": 0},
        {"train.eval_steps": 0},
        {"train.save_steps": 0},
        {"train.logging_steps": 0},
        {"train.per_device_batch_size": 0},
        {"train.gradient_accumulation_steps": 0},
        {"train.per_device_eval_batch_size": 0},
        {"train.save_total_limit": 0},
        {"train.learning_rate": -1},
        {"train.learning_rate": "nan"},
        {"train.learning_rate": 1e-4, "train.min_learning_rate": 1e-3},
        {"train.warmup_steps": -1},
        {"train.decay_steps": -0.1},
        {"train.decay_steps": "nan"},
        {"train.ema_decay": 1},
        {"train.ema_decay": -0.1},
        {"train.max_nonfinite_steps": 0},
        {"train.early_stopping_patience": -1},
        {"train.early_stopping_threshold": -0.1},
        {"train.weight_decay": -1},
        {"train.max_grad_norm": -1},
        {"train.max_eval_documents": -1},
        {"train.num_samples": -1},
        {"train.adam_beta1": 1},
        {"train.adam_beta2": -0.1},
        {"train.seed": 2**64},
        {"train.seed": -1},
    ],
    ids=str,
)
def test_settings_that_no_run_can_use_are_refused_by_their_name(overrides):
    # of two settings that do not fit together, one is named
    also = {"corpus.files", "corpus.validation_fraction", "blocks.block_size"}
    message = refusal(overrides=overrides)
    assert message.split(":")[0] in {*overrides, *also}
    assert message.endswith(".")


def test_what_is_pushed_needs_a_repository():
    assert "hub.repo_id: must name" in refusal(overrides={"hub.push": True})
    assert "hub.push_checkpoints: needs" in refusal(overrides={"hub.push_checkpoints": True})
    config = load_config(overrides={"hub.push": True, "hub.repo_id": "a/b"})
    assert config.hub.private


def test_a_configuration_and_files_exclude_each_other():
    both = {"corpus.config_name": "plain", "corpus.data_files": ["a.txt"]}
    assert "corpus.config_name: names files already" in refusal(overrides=both)


@pytest.mark.parametrize("tied", [True, False])
def test_the_work_of_a_training_is_what_its_steps_multiply(tiny_config, tokenizer, reshape, tied):
    """Beside torch's own count, which takes attention for not causal: twice our share of it."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from hf_zh_dict.model.llama import build_model

    config = reshape(tiny_config, tie_word_embeddings=tied, num_hidden_layers=3)
    model = build_model(config, tokenizer)
    model.set_attn_implementation("eager")  # whose products torch counts
    rows, size = config.train.per_device_batch_size, config.blocks.block_size
    ids = torch.arange(rows * size).reshape(rows, size) % len(tokenizer)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids).logits.sum().backward()
    attention = 6 * 3 * config.model.hidden_size * size * rows * size
    ours = count_training_flops(config) / config.train.max_steps
    assert ours + attention == pytest.approx(counter.get_total_flops(), rel=0.03)

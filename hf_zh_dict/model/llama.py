"""A shape in, a `LlamaForCausalLM` ready to train out; and a finished one saved for the world."""

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hf_zh_dict.config import Config
from hf_zh_dict.files import new_folder, replace_folder, sync_tree, write_file
from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

INITIALIZER_RANGE = 0.02
RESIDUAL_PROJECTIONS = ("o_proj", "down_proj")  # what writes into the residual stream


def make_llama_config(config: Config, tokenizer: "PreTrainedTokenizerFast") -> "LlamaConfig":
    """The run's shape as transformers knows it."""
    from transformers import LlamaConfig

    shape = config.model
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        intermediate_size=shape.mlp_width,
        num_hidden_layers=shape.num_hidden_layers,
        num_attention_heads=shape.num_attention_heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=config.context_length,
        initializer_range=INITIALIZER_RANGE,
        rms_norm_eps=shape.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        attention_dropout=shape.dropout,
        tie_word_embeddings=shape.tie_word_embeddings,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def build_model(config: Config, tokenizer: "PreTrainedTokenizerFast") -> "LlamaForCausalLM":
    """Random weights from `train.seed`, or `model.pretrained`'s; dropout in place.

    Residual projections start scaled by 1/√(2L), L layers, so that the residual stream's variance
    does not grow with depth (Radford et al. 2019, GPT-2, section 2.3); or, with `model.zero_init`,
    at zero, so that every layer starts as the identity (Goyal et al. 2017, section 5.1).

    Raises:
        InputError: `model.pretrained` cannot be loaded or has another vocabulary.
    """
    from transformers import LlamaForCausalLM

    if config.model.pretrained:
        model = load_pretrained(config, len(tokenizer))
    else:
        torch.manual_seed(config.train.seed)
        model = LlamaForCausalLM(make_llama_config(config, tokenizer))
        shape = config.model
        scale = 0.0 if shape.zero_init else 1 / math.sqrt(2 * shape.num_hidden_layers)
        with torch.no_grad():
            for name, module in model.named_modules():
                if name.endswith(RESIDUAL_PROJECTIONS):
                    module.weight.mul_(scale)
    add_dropout(model, config.model.dropout)
    return model


def load_pretrained(config: Config, vocab_size: int) -> "LlamaForCausalLM":
    from safetensors import SafetensorError
    from transformers import AutoConfig, LlamaForCausalLM

    name = config.model.pretrained
    try:
        kind = AutoConfig.from_pretrained(name).model_type
        if kind != "llama":
            raise ValueError(f"{kind} is no llama")
        model = LlamaForCausalLM.from_pretrained(
            name, dtype=torch.float32, attention_dropout=config.model.dropout
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _("model.pretrained: {name} cannot be loaded: {reason}").format(
                name=name, reason=reason
            )
        ) from error
    if model.config.max_position_embeddings < config.blocks.block_size:
        raise InputError(
            _(
                "blocks.block_size: {block} is longer than the context of model.pretrained, {context}."
            ).format(block=config.blocks.block_size, context=model.config.max_position_embeddings)
        )
    if model.config.vocab_size != vocab_size:
        raise InputError(
            _(
                "model.pretrained: {name} has {theirs} vocabulary entries, the tokenizer {ours}; set "
                "tokenizer.pretrained to its tokenizer."
            ).format(name=name, theirs=model.config.vocab_size, ours=vocab_size)
        )
    return model


def add_dropout(model: "LlamaForCausalLM", dropout: float) -> None:
    """Dropout on embeddings and on what layers add to the residual stream, in training only.

    Hooks, not modules: the saved model stays a plain Llama. (Attention's own dropout is in its
    configuration.)
    """
    if not dropout:
        return

    def drop(module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(output, dropout, module.training)

    for name, module in model.named_modules():
        if name.endswith(("embed_tokens", *RESIDUAL_PROJECTIONS)):
            module.register_forward_hook(drop)


def checkpoint_layers(model: "LlamaForCausalLM") -> None:
    """Keep only what enters each layer; the backward pass computes the rest again.

    Dropout draws the second time what it drew the first (torch puts the random state back).
    """
    # newer releases of transformers 5 know it by another name, and warn of the old one
    enable = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
    enable({"use_reentrant": False})


def save_model(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    tokenizer_folder: Path,
    folder: Path,
    *,
    state_dict: dict[str, Any] | None = None,
    eos_token_id: int | list[int] | None = None,
) -> None:
    """A folder that transformers alone loads: weights, configuration, generation, tokenizer.

    The folder is written beside and moved into place. `eos_token_id` are the tokens that end a
    text, where they are not the tokenizer's own.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors import SafetensorError
    from transformers import GenerationConfig

    new = new_folder(folder)
    dropout, model.config.attention_dropout = model.config.attention_dropout, 0.0
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=eos_token_id or tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    try:
        model.save_pretrained(new, state_dict=state_dict)
    except SafetensorError as error:  # a full disk is one
        raise OSError(str(error)) from error
    finally:
        model.config.attention_dropout = dropout
    write_plain_config(new / "config.json")
    for file in tokenizer_folder.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens")):
            shutil.copy2(file, new / file.name)
    sync_tree(new)
    replace_folder(new, folder)


def write_plain_config(path: Path) -> None:
    """Repeat in config.json what transformers 4 reads elsewhere: rope_theta, rope_scaling, torch_dtype."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    rope = settings["rope_parameters"]
    settings["rope_theta"] = rope["rope_theta"]
    if rope.get("rope_type", "default") != "default":
        settings["rope_scaling"] = {k: v for k, v in rope.items() if k != "rope_theta"}
    settings["torch_dtype"] = settings.get("dtype", "float32")
    settings["use_cache"] = True
    write_file(path, json.dumps(settings, indent=2) + "\n")

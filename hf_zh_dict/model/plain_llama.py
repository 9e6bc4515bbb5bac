"""A folder that `save_model` wrote in, its `TextModel` out, without transformers.

To import transformers' Llama takes seconds, and generation needs nothing of it. Folders that hold
anything else, or something broken, are left to it: it knows more, and says what is wrong.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

from hf_zh_dict.files import read_json
from hf_zh_dict.model.decoder import Decoder
from hf_zh_dict.model.text_model import TextModel, join_ends

PLAIN_MODEL = {
    "model_type": "llama", "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
    "rope_scaling": None, "quantization_config": None,
}  # fmt: skip
PLAIN_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast", "split_special_tokens": True,
    "clean_up_tokenization_spaces": False,
}  # fmt: skip
SPECIAL_TOKENS = {"bos_token", "eos_token", "pad_token", "unk_token"}
WITHOUT_EFFECT = {
    "backend", "is_local", "local_files_only", "model_input_names", "model_max_length",
}  # fmt: skip
ADDITIONS = ("adapter_config.json", "added_tokens.json", "special_tokens_map.json")


def read_plain_llama(folder: Path | str) -> TextModel | None:
    """The model as transformers would load it, in float32, on the GPU when there is one.

    None: transformers has to load it, or to say why it cannot.
    """
    try:
        return read_folder(Path(folder))
    except Exception:  # whatever is missing or broken; the library tokenizers raises no other
        return None


def read_folder(folder: Path) -> TextModel | None:
    """The model, or None when it is of another kind; anything is raised when it cannot be read."""
    config = read_json(folder / "config.json")
    settings = read_json(folder / "tokenizer_config.json")
    additions = any((folder / name).exists() for name in ADDITIONS)
    if additions or not (is_plain_model(config) and is_plain_tokenizer(settings)):
        return None
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    added = tokenizer.get_added_tokens_decoder()
    special = {token.content: number for number, token in added.items() if token.special}
    weights = load_file(folder / "model.safetensors")
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    ends = read_json(folder / "generation_config.json").get("eos_token_id")
    if (
        shapes != expect_shapes(config)
        or any(settings[name] not in special for name in SPECIAL_TOKENS & settings.keys())
        or ends is None
    ):
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # text like <s> is text
    return TextModel(
        model=make_decoder(config, weights),
        encode=lambda text: tokenizer.encode(text).ids,
        decode=tokenizer.decode,
        vocabulary=tokenizer.get_vocab(),
        ends=join_ends(ends, special[settings["eos_token"]]),
        context_length=config["max_position_embeddings"],
    )


def is_plain_model(config: Mapping[str, Any]) -> bool:
    """Whether config.json tells of a Llama without biases, with the angles of the first one."""
    rope = config.get("rope_parameters") or {}
    return (
        all(config.get(name) == value for name, value in PLAIN_MODEL.items())
        and rope.keys() == {"rope_type", "rope_theta"}
        and rope["rope_type"] == "default"
    )


def is_plain_tokenizer(settings: Mapping[str, Any]) -> bool:
    """Whether transformers would use tokenizer.json as it is, going by tokenizer_config.json."""
    return (
        all(settings.get(name) == value for name, value in PLAIN_TOKENIZER.items())
        and settings.keys() <= PLAIN_TOKENIZER.keys() | SPECIAL_TOKENS | WITHOUT_EFFECT
    )


def expect_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all weights."""
    width, inner, vocabulary = (
        config[name] for name in ("hidden_size", "intermediate_size", "vocab_size")
    )
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    of_layer = {
        "input_layernorm": (width,),
        "self_attn.q_proj": (queries, width),
        "self_attn.k_proj": (keys, width),
        "self_attn.v_proj": (keys, width),
        "self_attn.o_proj": (width, queries),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (inner, width),
        "mlp.up_proj": (inner, width),
        "mlp.down_proj": (width, inner),
    }
    shapes = {"model.embed_tokens.weight": (vocabulary, width), "model.norm.weight": (width,)}
    for layer in range(config["num_hidden_layers"]):
        shapes |= {f"model.layers.{layer}.{name}.weight": s for name, s in of_layer.items()}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (vocabulary, width)
    return shapes


def make_decoder(config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> Decoder:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    weights = {name: weight.float().to(device) for name, weight in weights.items()}
    last = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return Decoder(
        config,
        weights,
        make_turns(config).to(device),
        activation=functional.silu,
        lm_head=partial(functional.linear, weight=weights[last]),
    )


def make_turns(config: Mapping[str, Any]) -> torch.Tensor:
    """Each position's rotations of a head's pairs [context, head / 2]."""
    head_dim, theta = config["head_dim"], config["rope_parameters"]["rope_theta"]
    speeds = 1.0 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float) / head_dim)
    angles = torch.arange(config["max_position_embeddings"])[:, None] * speeds
    return torch.complex(angles.cos(), angles.sin())

"""A Llama's configuration in, the numbers that foreign formats state out; what they cannot, refused."""

from dataclasses import dataclass
from typing import Any

from hf_zh_dict.messages import InputError, _


@dataclass(frozen=True)
class Shape:
    """A Llama with plain rotary positions, SiLU, and no biases."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    rms_norm_eps: float
    rope_theta: float
    tie_word_embeddings: bool


def read_shape(config: Any) -> Shape:
    """The shape of a `LlamaConfig`.

    Raises:
        InputError: the model computes something that neither llama2.c nor our GGUF states.
    """
    rope = config.rope_parameters
    demand("rope_type", rope.get("rope_type", "default"), "default")
    demand("hidden_act", config.hidden_act, "silu")
    demand("attention_bias", config.attention_bias, False)
    demand("mlp_bias", config.mlp_bias, False)
    return Shape(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        max_position_embeddings=config.max_position_embeddings,
        rms_norm_eps=config.rms_norm_eps,
        rope_theta=rope["rope_theta"],
        tie_word_embeddings=config.tie_word_embeddings,
    )


def demand(key: str, ours: object, theirs: object) -> None:
    """Refuse a setting that the other program does not know.

    Raises:
        InputError: names the setting, its value, and the only one that is known.
    """
    if ours != theirs:
        raise InputError(
            _("export: the model has {key} {ours}, this format knows only {theirs}.").format(
                key=key, ours=ours, theirs=theirs
            )
        )

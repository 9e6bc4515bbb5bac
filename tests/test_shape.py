"""What a foreign format cannot state is refused with its name."""

import pytest
from transformers import LlamaConfig

from hf_zh_dict.formats.shape import read_shape
from hf_zh_dict.messages import InputError


def test_the_shape_is_the_configurations():
    shape = read_shape(
        LlamaConfig(
            vocab_size=9, hidden_size=24, intermediate_size=40, num_hidden_layers=3,
            num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=77,
            rms_norm_eps=1e-6, rope_parameters={"rope_type": "default", "rope_theta": 5e4},
            tie_word_embeddings=True,
        )
    )  # fmt: skip
    assert (shape.vocab_size, shape.hidden_size, shape.intermediate_size) == (9, 24, 40)
    assert (shape.num_hidden_layers, shape.num_attention_heads) == (3, 6)
    assert (shape.num_key_value_heads, shape.head_dim) == (2, 4)
    assert (shape.max_position_embeddings, shape.rms_norm_eps) == (77, 1e-6)
    assert (shape.rope_theta, shape.tie_word_embeddings) == (5e4, True)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"hidden_act": "gelu"}, "hidden_act gelu, this format knows only silu"),
        ({"attention_bias": True}, "attention_bias True"),
        ({"mlp_bias": True}, "mlp_bias True"),
        (
            {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}},
            "rope_type linear",
        ),
    ],
)
def test_another_computation_is_refused(setting, named):
    with pytest.raises(InputError, match=named):
        read_shape(LlamaConfig(**setting))

"""The decoder computes what transformers' Llama does, whatever grows beside a text."""

import pytest
import torch
from reproducible_weights import fill
from transformers import LlamaConfig, LlamaForCausalLM

from hf_zh_dict.model.decoder import Decoder, Decoding

PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [12, 13]]
SHAPES = {
    "a head each": {"num_key_value_heads": 4},
    "shared": {"num_key_value_heads": 2},
    "one": {"num_key_value_heads": 1, "tie_word_embeddings": True},
    "wide heads": {"num_key_value_heads": 2, "head_dim": 16},
    "other angles": {
        "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 1000.0, "factor": 4.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8,
        }
    },
}  # fmt: skip


def make_model(**shape):
    sizes = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "max_position_embeddings": 32}  # fmt: skip
    return fill(LlamaForCausalLM(LlamaConfig(**sizes | shape)))


def logits_of(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0, -1]


def assert_near(found, expected):
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_logits_are_those_of_transformers(shape):
    model = make_model(**shape)
    texts = [list(prompt) for prompt in PROMPTS]
    decoding = Decoding(Decoder.of(model), texts, max_new_tokens=9)
    logits = decoding.read_prompts()
    for step in range(9):
        for row, text in enumerate(texts):
            assert_near(logits[row], logits_of(model, text))
            text.append((7 * row + step) % 40)
        logits = decoding.read(torch.tensor([text[-1] for text in texts]))


def test_texts_that_are_kept_go_on_as_before():
    model = make_model()
    decoding = Decoding(Decoder.of(model), PROMPTS, max_new_tokens=4)
    decoding.read_prompts()
    decoding.read(torch.tensor([1, 2, 3, 4]))
    decoding.keep([3, 1])
    logits = decoding.read(torch.tensor([5, 6]))
    assert_near(logits[0], logits_of(model, [*PROMPTS[3], 4, 5]))
    assert_near(logits[1], logits_of(model, [*PROMPTS[1], 2, 6]))


def test_a_text_may_be_carried_beyond_its_context():
    model = make_model(max_position_embeddings=8)
    decoding = Decoding(Decoder.of(model), [PROMPTS[2], PROMPTS[1]], max_new_tokens=5)
    decoding.read_prompts()
    for token in range(5):
        logits = decoding.read(torch.tensor([token, token]))
    assert_near(logits[1], logits_of(model, [*PROMPTS[1], 0, 1, 2, 3, 4]))


def test_the_model_is_left_as_it_was_and_may_change_afterwards():
    model = make_model()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    decoder = Decoder.of(model)
    Decoding(decoder, PROMPTS, max_new_tokens=1).read_prompts()
    assert all(torch.equal(before[name], w) for name, w in model.state_dict().items())
    model(input_ids=torch.tensor([[1, 2]])).logits.sum().backward()
    assert model.model.layers[0].self_attn.q_proj.weight.grad is not None


@pytest.mark.parametrize(
    "shape",
    [
        {"attention_bias": True},
        {"mlp_bias": True},
        {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
    ],
)
def test_llamas_of_another_kind_are_not_known(shape):
    assert Decoder.knows(make_model())
    assert not Decoder.knows(make_model(**shape))

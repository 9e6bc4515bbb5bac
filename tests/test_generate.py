"""A continuation depends on model, prompt and sampling alone, and keeps within its limits."""

import pytest
import torch

from hf_zh_dict.model.generate import generate_texts, heal_prompt
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.model.sampling import Sampling

WILD = Sampling(max_new_tokens=12, temperature=100.0, top_k=0, top_p=1.0)
GREEDY = Sampling(max_new_tokens=12, temperature=0)


def fix_logit(model, token, logit):
    """Give one token the same logit everywhere."""
    model.lm_head.register_forward_hook(
        lambda _module, _inputs, logits: logits.index_fill(-1, torch.tensor([token]), logit)
    )
    return model


@pytest.fixture
def model(tiny_model, tokenizer):
    """A model that never ends a text by itself."""
    return fix_logit(tiny_model, tokenizer.eos_token_id, -1e9)


def one(model, tokenizer, prompt, sampling):
    (text,) = generate_texts(model, tokenizer, [prompt], sampling)
    return text


@pytest.mark.parametrize("prompt", ["橋", "茶壺　", "<s>橋</s>", "  空  格", ""])
def test_the_text_begins_with_its_prompt(model, tokenizer, prompt):
    text = one(model, tokenizer, prompt, WILD)
    assert text.startswith(prompt)
    assert len(text) > len(prompt)


def test_a_text_does_not_depend_on_the_other_prompts(model, tokenizer):
    prompts = ["橋", "茶壺　見", "橋", "霧"]
    together = list(generate_texts(model, tokenizer, prompts, WILD))
    assert together == [one(model, tokenizer, prompt, WILD) for prompt in prompts]
    assert together[0] == together[2]


def test_the_seed_decides_the_text(model, tokenizer):
    def text(seed):
        return one(model, tokenizer, "橋", Sampling(12, 100.0, 0, 1.0, seed=seed))

    torch.manual_seed(1)
    first = text(7)
    torch.manual_seed(2)
    assert text(7) == first
    assert text(8) != first


def test_the_callers_random_state_and_the_models_mode_are_left_as_they_were(model, tokenizer):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    model.train()
    one(model, tokenizer, "橋", WILD)
    assert torch.equal(torch.rand(3), expected)
    assert model.training
    model.eval()
    one(model, tokenizer, "橋", WILD)
    assert not model.training


def test_dropout_does_not_act(tiny_config, tokenizer, reshape):
    texts = [
        one(
            build_model(reshape(tiny_config, dropout=drop), tokenizer).train(),
            tokenizer,
            "橋",
            WILD,
        )
        for drop in (0.0, 0.5)
    ]
    assert texts[0] == texts[1]


def test_temperature_0_always_takes_the_likeliest_token(model, tokenizer):
    ids = tokenizer("茶壺")["input_ids"]
    with torch.no_grad():
        for _token in range(12):
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    expected = tokenizer.decode(ids, skip_special_tokens=True)
    assert one(model, tokenizer, "茶壺", GREEDY) == expected


def test_top_k_1_is_greedy_and_0_leaves_all_tokens(model, tokenizer):
    greedy = one(model, tokenizer, "橋", GREEDY)
    assert one(model, tokenizer, "橋", Sampling(12, 100.0, top_k=1, top_p=1.0)) == greedy
    free = one(model, tokenizer, "橋", WILD)
    assert one(model, tokenizer, "橋", Sampling(12, 100.0, top_k=300, top_p=1.0)) == free
    assert one(model, tokenizer, "橋", Sampling(12, 100.0, top_k=50, top_p=1.0)) != free


def test_a_tiny_top_p_is_greedy(model, tokenizer):
    greedy = one(model, tokenizer, "橋", GREEDY)
    assert one(model, tokenizer, "橋", Sampling(12, 100.0, top_k=0, top_p=1e-6)) == greedy


@pytest.mark.parametrize("limit", [1, 5])
def test_max_new_tokens_is_a_limit(model, tokenizer, monkeypatch, limit):
    lengths = []
    generate = model.generate

    def watched(ids, **options):
        output = generate(ids, **options)
        lengths.append(output.shape[1] - ids.shape[1])
        return output

    monkeypatch.setattr(model, "generate", watched)
    one(model, tokenizer, "橋", Sampling(limit, 100.0, 0, 1.0))
    one(model, tokenizer, "橋" * 5, Sampling(1000, 100.0, 0, 1.0))
    assert lengths == [limit, 32 - len(tokenizer("橋" * 5)["input_ids"])]  # the context's end


def test_a_prompt_that_fills_the_context_comes_back_as_it_is(model, tokenizer):
    prompts = ["漏網與落網" * 20, "橋"]
    texts = list(generate_texts(model, tokenizer, prompts, WILD))
    assert texts[0] == prompts[0]
    assert texts[1] != prompts[1]


def test_the_end_of_text_token_ends_the_text_and_is_not_shown(tiny_model, tokenizer):
    ending = fix_logit(tiny_model, tokenizer.eos_token_id, 1e9)
    assert one(ending, tokenizer, "橋", WILD) == "橋"


def test_greedy_choice_ignores_the_other_settings_silently(model, tokenizer, recwarn):
    one(model, tokenizer, "橋", Sampling(max_new_tokens=2, temperature=0, top_k=7, top_p=0.3))
    assert not recwarn.list


def test_a_separator_at_the_end_of_a_prompt_is_taken_back_into_the_next_token(tokenizer):
    ids = tokenizer("水\u3000")["input_ids"]
    healed, beginnings = heal_prompt(tokenizer, "水\u3000", ids)
    last = tokenizer.convert_ids_to_tokens(ids[-1])
    assert healed == ids[:-1]
    assert ids[-1] in beginnings
    tokens = tokenizer.convert_ids_to_tokens(beginnings)
    assert tokens
    assert all(token.startswith(last) for token in tokens)
    assert len(tokens) < len(tokenizer)


def test_a_prompt_that_ends_in_a_letter_is_left_alone(tokenizer):
    ids = tokenizer("水")["input_ids"]
    assert heal_prompt(tokenizer, "水", ids) == (ids, [])
    assert heal_prompt(tokenizer, "", [0]) == ([0], [])


def test_the_text_still_begins_with_the_whole_prompt(model, tokenizer):
    for prompt in ("水\u3000", "茶壺：「", "一、二、"):
        for seed in range(3):
            assert one(model, tokenizer, prompt, Sampling(seed=seed)).startswith(prompt)

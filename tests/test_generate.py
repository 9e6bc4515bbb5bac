"""A continuation depends on model, prompt and sampling alone, and keeps within its limits."""

import pytest
import torch

from hf_zh_dict.model.generate import continue_prompts, generate_texts, heal_prompt
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


@pytest.fixture
def prompts(tokenizer):
    texts = ["青石橋", "霧", "一二三四五", "茶壺　", "橋"]
    return [tokenizer(text)["input_ids"] for text in texts]


def test_many_prompts_at_once_are_continued_as_one_by_one(tiny_model, tokenizer, prompts):
    greedy = Sampling(max_new_tokens=6, temperature=0)
    together = continue_prompts(tiny_model, tokenizer, prompts, greedy)
    alone = [continue_prompts(tiny_model, tokenizer, [p], greedy)[0] for p in prompts]
    assert together == alone
    assert continue_prompts(tiny_model, tokenizer, prompts, greedy, batch_size=2) == alone
    for text, prompt, ids in zip(["青石橋", "霧"], prompts[:2], alone[:2], strict=True):
        whole = tokenizer.decode([*prompt, *ids], skip_special_tokens=True)
        assert list(generate_texts(tiny_model, tokenizer, [text], greedy)) == [whole]


def test_samples_of_a_batch_differ_and_come_again(tiny_model, tokenizer):
    prompts = [[tokenizer.bos_token_id]] * 6
    sampling = Sampling(max_new_tokens=8, temperature=1.0)
    first = continue_prompts(tiny_model, tokenizer, prompts, sampling, batch_size=3)
    assert continue_prompts(tiny_model, tokenizer, prompts, sampling, batch_size=3) == first
    assert len({tuple(ids) for ids in first}) == 6  # the batches draw differently too


def test_the_first_token_may_be_bound(tiny_model, tokenizer, prompts):
    allowed = [[40, 41], [], [42], [], [43]]
    written = continue_prompts(
        tiny_model, tokenizer, prompts, Sampling(max_new_tokens=2), beginnings=allowed
    )
    for ids, first in zip(written, allowed, strict=True):
        assert not first or ids[0] in first


def test_the_end_of_text_and_a_full_context_end_a_continuation(tiny_model, tokenizer):
    greedy = Sampling(max_new_tokens=100, temperature=0)
    full = [[tokenizer.bos_token_id] * 32]
    assert continue_prompts(tiny_model, tokenizer, full, greedy) == [[]]
    assert len(continue_prompts(tiny_model, tokenizer, [full[0][:30]], greedy)[0]) <= 2
    ended = continue_prompts(
        tiny_model, tokenizer, [[0]], greedy, beginnings=[[tokenizer.eos_token_id]]
    )
    assert ended == [[]]

"""A continuation depends on model, prompt and sampling alone, and keeps within its limits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reproducible_weights import fill
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from hf_zh_dict.model import generate
from hf_zh_dict.model.decoder import Decoder
from hf_zh_dict.model.generate import (
    Prompt,
    choose_tokens,
    continue_prompts,
    continue_together,
    generate_texts,
    heal_prompt,
    stream_text,
)
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.model.text_model import TextModel

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
def test_max_new_tokens_is_a_limit(model, tokenizer, limit):
    steps = []
    model.lm_head.register_forward_hook(lambda *_call: steps.append(1))
    one(model, tokenizer, "橋", Sampling(limit, 100.0, 0, 1.0))
    assert len(steps) == limit
    steps.clear()
    one(model, tokenizer, "橋" * 5, Sampling(1000, 100.0, 0, 1.0))
    assert len(steps) == 32 - len(tokenizer("橋" * 5)["input_ids"])  # the context's end


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
    healed, beginnings = heal_prompt("水\u3000", ids, tokenizer.get_vocab())
    last = tokenizer.convert_ids_to_tokens(ids[-1])
    assert healed == ids[:-1]
    assert ids[-1] in beginnings
    tokens = tokenizer.convert_ids_to_tokens(beginnings)
    assert tokens
    assert all(token.startswith(last) for token in tokens)
    assert len(tokens) < len(tokenizer)


def test_a_prompt_that_ends_in_a_letter_is_left_alone(tokenizer):
    ids = tokenizer("水")["input_ids"]
    assert heal_prompt("水", ids, tokenizer.get_vocab()) == (ids, [])
    assert heal_prompt("", [0], tokenizer.get_vocab()) == ([0], [])


def test_the_text_still_begins_with_the_whole_prompt(model, tokenizer):
    for prompt in ("水\u3000", "茶壺：「", "一、二、"):
        for seed in range(3):
            assert one(model, tokenizer, prompt, Sampling(seed=seed)).startswith(prompt)


@pytest.mark.parametrize("shape", [{}, {"num_key_value_heads": 1}, {"tie_word_embeddings": False}])
def test_greedy_ids_are_those_of_transformers(tiny_config, tokenizer, reshape, shape):
    config = reshape(tiny_config, max_position_embeddings=128, **shape)
    model = fill(build_model(config, tokenizer))
    prompts = ["橋", "青石橋　見", "一二三四五六七八九十" * 2, "霧", "", "a b"]
    ids = [tokenizer(prompt)["input_ids"] for prompt in prompts]
    together = [Prompt(i, [], 64, seed=0) for i in ids]
    eos = tokenizer.eos_token_id
    found = [[] for _prompt in prompts]
    for step in continue_together(Decoder.of(model), together, Sampling(64, 0.0), frozenset([eos])):
        for row, token in step.items():
            found[row].append(token)
    for prompt, new in zip(ids, found, strict=True):
        inputs = torch.tensor([prompt])
        expected = model.generate(
            inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=64
        )
        assert new == expected[0, len(prompt) :].tolist()


@given(
    st.lists(st.floats(-5, 5, width=32), min_size=8, max_size=8, unique=True),
    st.floats(0.1, 3), st.integers(0, 9), st.floats(0.01, 1),
)  # fmt: skip
def test_tokens_are_chosen_among_those_that_transformers_leaves(logits, temperature, top_k, top_p):
    scores = torch.tensor([logits])
    left = TemperatureLogitsWarper(temperature)(None, scores)
    left = TopKLogitsWarper(top_k)(None, left) if top_k else left
    expected = TopPLogitsWarper(top_p)(None, left).softmax(dim=-1)[0]
    sampling = Sampling(1, temperature, top_k, top_p)
    draws = (torch.arange(400) + 0.5) / 400
    chosen = [int(choose_tokens(scores, sampling, draw[None])) for draw in draws]
    shares = torch.bincount(torch.tensor(chosen), minlength=8) / 400
    # an option at p's very edge may fall on either side in rounding
    assert (shares - expected).abs().max() < 0.01 or (expected > 0).sum() != len(set(chosen))


def test_the_first_and_the_last_draw_choose_the_likeliest_and_the_unlikeliest():
    logits = torch.tensor([[0.0, 2.0, 1.0, -3.0]])
    sampling = Sampling(1, 1.0, 3, 1.0)
    assert choose_tokens(logits, sampling, torch.zeros(1)).tolist() == [1]
    assert choose_tokens(logits, sampling, torch.full((1,), 1 - 2**-24)).tolist() == [0]


@pytest.mark.parametrize("prompt", ["橋", "茶壺　", "<s>橋</s>", "", "漏網與落網" * 20])
@pytest.mark.parametrize("sampling", [WILD, GREEDY])
def test_pieces_of_a_stream_make_the_text(model, tokenizer, prompt, sampling):
    pieces = list(stream_text(model, tokenizer, prompt, sampling))
    assert "".join(pieces) == one(model, tokenizer, prompt, sampling)


def test_a_stream_shows_whole_characters_as_soon_as_they_are_there(tiny_model, tokenizer):
    byte_tokens = tokenizer.convert_tokens_to_ids(["æ", "°", "´"])  # the three bytes of 水
    calls = iter(byte_tokens * 2 + [tokenizer.eos_token_id])

    def next_byte(_module, _inputs, logits):
        return torch.full_like(logits, -9.0).index_fill(-1, torch.tensor([next(calls)]), 9.0)

    tiny_model.lm_head.register_forward_hook(next_byte)
    pieces = list(stream_text(tiny_model, tokenizer, "橋", GREEDY))
    assert [piece for piece in pieces if piece] == ["橋水", "水"]


def test_many_prompts_come_back_in_order(model, tokenizer):
    prompts = [f"{number}號橋" for number in range(35)]
    texts = list(generate_texts(model, tokenizer, prompts, GREEDY))
    assert [text.startswith(prompt) for text, prompt in zip(texts, prompts, strict=True)] == [
        True
    ] * 35
    assert texts[20] == one(model, tokenizer, prompts[20], GREEDY)
    assert list(generate_texts(model, tokenizer, [], GREEDY)) == []


def test_what_the_models_own_settings_name_ends_a_text_too(tiny_model, tokenizer):
    eos, bos = tokenizer.eos_token_id, tokenizer.bos_token_id
    assert TextModel.of(tiny_model, tokenizer).ends == {eos}
    tiny_model.generation_config.eos_token_id = [eos, bos]
    assert TextModel.of(tiny_model, tokenizer).ends == {eos, bos}
    assert one(fix_logit(tiny_model, bos, 1e9), tokenizer, "橋", WILD) == "橋"


@pytest.fixture
def prompts(tokenizer):
    texts = ["青石橋", "霧", "一二三四五", "茶壺　", "橋"]
    return [tokenizer(text)["input_ids"] for text in texts]


def test_many_prompts_at_once_are_continued_as_one_by_one(
    tiny_model, tokenizer, prompts, monkeypatch
):
    greedy = Sampling(max_new_tokens=6, temperature=0)
    together = continue_prompts(tiny_model, tokenizer, prompts, greedy)
    alone = [continue_prompts(tiny_model, tokenizer, [p], greedy)[0] for p in prompts]
    assert together == alone
    monkeypatch.setattr(generate, "PROMPTS_AT_ONCE", 2)
    assert continue_prompts(tiny_model, tokenizer, prompts, greedy) == alone
    for text, prompt, ids in zip(["青石橋", "霧"], prompts[:2], alone[:2], strict=True):
        whole = tokenizer.decode([*prompt, *ids], skip_special_tokens=True)
        assert list(generate_texts(tiny_model, tokenizer, [text], greedy)) == [whole]


def test_samples_of_a_batch_differ_and_come_again(tiny_model, tokenizer):
    prompts = [[tokenizer.bos_token_id]] * 6
    sampling = Sampling(max_new_tokens=8, temperature=1.0)
    first = continue_prompts(tiny_model, tokenizer, prompts, sampling)
    assert continue_prompts(tiny_model, tokenizer, prompts, sampling) == first
    assert len({tuple(ids) for ids in first}) == 6
    of_two = continue_prompts(tiny_model, tokenizer, prompts[:2], sampling)
    assert of_two == first[:2]  # others change nothing


@pytest.mark.parametrize("known", [True, False])
def test_the_first_token_may_be_bound(tiny_model, tokenizer, prompts, known, monkeypatch):
    if not known:
        monkeypatch.setattr(Decoder, "knows", lambda _model: False)
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


def test_a_model_that_is_no_plain_llama_continues_the_same(
    tiny_model, tokenizer, prompts, monkeypatch
):
    greedy = Sampling(max_new_tokens=6, temperature=0)
    expected = continue_prompts(tiny_model, tokenizer, prompts, greedy)
    monkeypatch.setattr(Decoder, "knows", lambda _model: False)
    assert continue_prompts(tiny_model, tokenizer, prompts, greedy) == expected
    assert "".join(stream_text(tiny_model, tokenizer, "橋", greedy)).startswith("橋")

"""Any text comes back from its tokens; special tokens are never read out of text."""

import dataclasses
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hf_zh_dict.config import TokenizerConfig
from hf_zh_dict.messages import InputError
from hf_zh_dict.tokens.tokenizer import (
    BOS,
    EOS,
    PAD,
    build_tokenizer,
    encode_texts,
    load_tokenizer,
    sample_texts,
    tokenizer_fingerprint,
    train_bpe,
)

AWKWARD = [
    *(
        "<s>",
        "</s>",
        "<pad>",
        "<s",
        "pad>",
        "  ",
        "\u3000",
        "\u3000\u3000",
        " ",
        "\t",
        "\r\n",
        "\n",
    ),
    *(
        "ㄕㄢˋ",
        "ˊˇˋ˙",
        "qiáo",
        "e\u0301",
        "橋",
        "1920",
        "'s",
        "，。",
        "「",
        "Ġ",
        "Ċ",
        "\x00",
        "\ufeff",
    ),
    *("\U00020000", "\U0002a6d6", "\U0010fffd", "👩‍🌾", "\ufffd", "\u2028", "\x85"),
]
any_text = st.text() | st.lists(st.sampled_from(AWKWARD)).map("".join)


@pytest.fixture(scope="module")
def plain(tokenizer_folder):
    """The saved folder as a stranger loads it, by transformers alone."""
    return AutoTokenizer.from_pretrained(tokenizer_folder)


@given(text=any_text)
@example(text="")
@example(text="<s>兩  個</s>\u3000<pad>ㄕㄢˋ\U0002a6d6")
@example(text=" 前後都有空格 ")
def test_any_text_comes_back_with_bos_in_front_only(tokenizer, plain, text):
    for one in (tokenizer, plain):
        first, *rest = one(text)["input_ids"]
        assert first == one.bos_token_id
        assert not set(rest) & {one.bos_token_id, one.eos_token_id, one.pad_token_id}
        assert one.decode(rest) == text
        assert one.decode([first, *rest], skip_special_tokens=True) == text
        assert one.encode(text) == [first, *rest]


@given(some=st.lists(any_text, max_size=5))
def test_encode_texts_gives_what_the_tokenizer_gives_without_bos(tokenizer, plain, some):
    assert encode_texts(tokenizer, some) == [plain(text)["input_ids"][1:] for text in some]


@pytest.mark.parametrize("literal", [BOS, EOS, PAD])
def test_a_literal_special_token_stays_text_in_every_call(tokenizer, plain, literal):
    text = f"寫作{literal}的記號"
    expected = encode_texts(tokenizer, [text])[0]
    assert len(expected) > len(encode_texts(tokenizer, ["寫作的記號"])[0])
    for one in (tokenizer, plain):
        assert one.encode(text, add_special_tokens=False) == expected
        assert one([text, text])["input_ids"] == [[one.bos_token_id, *expected]] * 2
        assert one.convert_tokens_to_ids(literal) not in expected


def test_calling_the_tokenizer_does_not_change_what_encode_texts_gives(tokenizer):
    before = encode_texts(tokenizer, ["<s>橋</s>"])
    tokenizer("<s>", split_special_tokens=False)
    assert encode_texts(tokenizer, ["<s>橋</s>"]) == before


def test_padding_is_the_pad_token_and_masked(plain):
    batch = plain(["橋", "村口有一座青石橋"], padding=True)
    short, long = batch["input_ids"]
    assert len(short) == len(long)
    padding = [token == plain.pad_token_id for token in short]
    assert any(padding)
    assert batch["attention_mask"][0] == [0 if padded else 1 for padded in padding]


def test_the_folder_holds_what_every_transformers_loads(tokenizer_folder, tiny_config):
    assert sorted(path.name for path in tokenizer_folder.iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    text = (tokenizer_folder / "tokenizer_config.json").read_text(encoding="utf-8")
    settings = json.loads(text)
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings["model_max_length"] == tiny_config.context_length
    assert settings["split_special_tokens"] is True
    assert settings["clean_up_tokenization_spaces"] is False
    assert "token_type_ids" not in text


def test_a_call_gives_what_a_llama_takes_and_nothing_else(tokenizer, plain):
    for one in (tokenizer, plain):
        assert set(one("橋")) == {"input_ids", "attention_mask"}


def test_the_vocabulary_has_the_size_asked_for_and_every_byte(tokenizer, tiny_config):
    vocabulary = tokenizer.get_vocab()
    assert len(tokenizer) == len(vocabulary) == tiny_config.tokenizer.vocab_size
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    assert [vocabulary[token] for token in (BOS, EOS, PAD)] == [0, 1, 2]
    assert sum(len(token) == 1 for token in vocabulary) == 256


def test_the_same_texts_give_the_same_tokenizer(texts, tokenizer_folder):
    again = train_bpe(texts, vocab_size=300)
    saved = json.loads((tokenizer_folder / "tokenizer.json").read_text(encoding="utf-8"))
    assert json.loads(again.to_str())["model"] == saved["model"]


LINES = [f"{number:05d}" for number in range(10_000)]


def sample(characters, lines=LINES):
    facts = {"documents": len(lines), "characters": sum(map(len, lines))}
    return list(sample_texts(iter(lines), **facts, sample_characters=characters))


def test_a_sample_has_the_size_asked_for_is_spread_and_always_the_same():
    some = sample(10_000)
    assert some == sorted(set(some))
    assert abs(len(some) - 2000) < 150
    assert all(abs(sum(int(line) % 5 == kind for line in some) - 400) < 80 for kind in range(5))
    assert sum(int(line) < 5000 for line in some) / len(some) == pytest.approx(0.5, abs=0.05)
    assert some == sample(10_000)
    assert set(some) < set(sample(20_000))


@pytest.mark.parametrize("characters", [0, 50_000, 1_000_000])
def test_a_small_corpus_is_not_sampled(characters):
    assert sample(characters) == LINES
    assert sample(characters, []) == []


def test_frequent_words_become_single_tokens_but_none_reaches_over_a_full_width_space():
    tokenizer = train_bpe(["茶壺　泡茶的器具"] * 50, vocab_size=275)
    assert len(tokenizer.encode("茶壺", add_special_tokens=False).ids) == 1
    assert len(tokenizer.encode("茶壺　泡", add_special_tokens=False).ids) > 1


def test_a_vocabulary_too_large_is_refused_with_the_size_that_the_text_gives():
    few = ["霧燈　大霧時點亮的燈", "茶壺　泡茶的器具"]
    with pytest.raises(InputError) as refused:
        train_bpe(few, vocab_size=9999)
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("tokenizer.vocab_size: ")
    assert message.endswith(".")
    assert "9999" in message
    size = int(re.search(r"only (\d+) entries", message).group(1))
    assert train_bpe(few, vocab_size=size).get_vocab_size() == size
    with pytest.raises(InputError, match=f"only {size} entries"):
        train_bpe(few, vocab_size=size + 1)


def test_a_pretrained_tokenizer_is_taken_over_unchanged(tokenizer, tokenizer_folder, tmp_path):
    config = TokenizerConfig(pretrained=str(tokenizer_folder))
    facts = build_tokenizer(config, iter(()), tmp_path, context_length=32)
    assert facts == {"vocab_size": 300, "pretrained": str(tokenizer_folder)}
    sample = ["青石橋 <s>", "  霧燈"]
    assert encode_texts(load_tokenizer(tmp_path), sample) == encode_texts(tokenizer, sample)


def test_a_pretrained_tokenizer_that_is_not_there_is_refused_by_its_name(tmp_path):
    config = TokenizerConfig(pretrained=str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"^tokenizer\.pretrained: .*none cannot be loaded"):
        build_tokenizer(config, iter(()), tmp_path, context_length=32)


@pytest.mark.parametrize("missing", ["bos_token", "eos_token"])
def test_a_pretrained_tokenizer_without_ends_is_refused(texts, tmp_path, missing):
    names = {"bos_token": BOS, "eos_token": EOS}
    del names[missing]
    backend = train_bpe(texts, vocab_size=270)
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(tmp_path / "given")
    config = TokenizerConfig(pretrained=str(tmp_path / "given"))
    with pytest.raises(InputError, match=f"has no {missing}"):
        build_tokenizer(config, iter(()), tmp_path, context_length=32)


def test_a_pretrained_tokenizer_without_padding_pads_with_its_eos(texts, tmp_path):
    backend = train_bpe(texts, vocab_size=270)
    given_one = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=BOS, eos_token=EOS)
    given_one.save_pretrained(tmp_path / "given")
    config = TokenizerConfig(pretrained=str(tmp_path / "given"))
    build_tokenizer(config, iter(()), tmp_path / "taken", context_length=32)
    assert load_tokenizer(tmp_path / "taken").pad_token == EOS


@pytest.mark.parametrize("template", ["$A", f"$A {EOS}", f"{BOS} $A {EOS}"])
def test_a_pretrained_tokenizer_puts_bos_in_front_and_nothing_behind_too(texts, tmp_path, template):
    backend = train_bpe(texts, vocab_size=270)
    backend.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(BOS, 0), (EOS, 1)]
    )
    given_one = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=BOS, eos_token=EOS)
    given_one.save_pretrained(tmp_path / "given")
    config = TokenizerConfig(pretrained=str(tmp_path / "given"))
    build_tokenizer(config, iter(()), tmp_path / "taken", context_length=32)
    tokenizer = load_tokenizer(tmp_path / "taken")
    expected = [tokenizer.bos_token_id, *encode_texts(tokenizer, ["青石橋"])[0]]
    assert tokenizer("青石橋")["input_ids"] == expected
    assert AutoTokenizer.from_pretrained(tmp_path / "taken")("青石橋")["input_ids"] == expected


def test_the_fingerprint_follows_settings_and_corpus():
    config = TokenizerConfig(vocab_size=300)
    prints = {
        tokenizer_fingerprint(config, "corpus a"),
        tokenizer_fingerprint(config, "corpus b"),
        tokenizer_fingerprint(dataclasses.replace(config, vocab_size=301), "corpus a"),
    }
    assert len(prints) == 3
    assert tokenizer_fingerprint(TokenizerConfig(vocab_size=300), "corpus a") in prints

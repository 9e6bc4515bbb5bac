"""The train split in, `tokenizer/` out: a ByteLevel BPE that `AutoTokenizer` loads anywhere.

`tokenizer(text)` puts the beginning-of-text token in front and nothing behind; text that looks
like a special token stays text; `decode(encode(text)) == text` for any text.

A large corpus is sampled before training: time and memory then stop growing with it, and the
vocabulary hardly differs (docs/tokenizer.md has the figures).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_zh_dict.config import TokenizerConfig
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.progress import has_moving_line
from hf_zh_dict.stages import fingerprint

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerFast

FORMAT = 1
BOS, EOS, PAD = "<s>", "</s>", "<pad>"

# Where a token may not reach across: Llama 3's pattern, the one that gave the most characters per
# token on the real dictionaries, and one that llama.cpp knows by name (llama-bpe).
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def tokenizer_fingerprint(config: TokenizerConfig, corpus: str) -> str:
    """What this stage's folder must carry to be current; `corpus` is the corpus's fingerprint."""
    return fingerprint(format=FORMAT, corpus=corpus, settings=asdict(config))


def sample_texts(
    texts: Iterable[str], *, documents: int, characters: int, sample_characters: int
) -> Iterator[str]:
    """About `sample_characters` of the `documents` texts, which have `characters` in all (0: all).

    Each text is kept or left by a random number of its own: neighbours are often views of one
    entry, of which every n-th would always be the same kind. The same texts give the same sample.
    """
    if not 0 < sample_characters < characters:
        yield from texts
        return
    kept = np.random.Generator(np.random.Philox(key=0)).random(documents)
    share = sample_characters / characters
    yield from (text for text, number in zip(texts, kept, strict=True) if number < share)


def make_pre_tokenizer() -> "PreTokenizer":
    """Text cut by SPLIT_PATTERN, each piece as bytes."""
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def train_bpe(texts: Iterable[str], *, vocab_size: int) -> "Tokenizer":
    """Learn a ByteLevel BPE with `vocab_size` entries.

    Raises:
        InputError: the texts do not give that many entries.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = make_pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=has_moving_line(),
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    if tokenizer.get_vocab_size() < vocab_size:
        raise InputError(
            _(
                "tokenizer.vocab_size: the training text gives only {size} entries, {wanted} were "
                "asked for; lower tokenizer.vocab_size to {size} or give more text."
            ).format(size=tokenizer.get_vocab_size(), wanted=vocab_size)
        )
    put_bos_in_front(tokenizer, BOS)
    return tokenizer


def put_bos_in_front(tokenizer: "Tokenizer", bos: str) -> None:
    """Make `tokenizer(text)` give bos and the text, nothing behind."""
    from tokenizers import processors

    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A {bos}:1 $B:1",
        special_tokens=[(bos, tokenizer.token_to_id(bos))],
    )


def build_tokenizer(
    config: TokenizerConfig, texts: Iterable[str], folder: Path, *, context_length: int
) -> dict[str, Any]:
    """Train (or take over) the tokenizer and save it into `folder`; returns its counts."""
    from transformers import PreTrainedTokenizerFast

    if config.pretrained:
        tokenizer = load_pretrained_tokenizer(config.pretrained)
        put_bos_in_front(tokenizer.backend_tokenizer, tokenizer.bos_token)
    else:
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=train_bpe(texts, vocab_size=config.vocab_size),
            bos_token=BOS,
            eos_token=EOS,
            pad_token=PAD,
            split_special_tokens=True,
            clean_up_tokenization_spaces=False,
            model_max_length=context_length,
            model_input_names=["input_ids", "attention_mask"],
        )
    tokenizer.save_pretrained(folder)
    name_class(folder)
    return {"vocab_size": len(tokenizer), "pretrained": config.pretrained}


def name_class(folder: Path) -> None:
    """Write the class that every version of transformers loads into tokenizer_config.json.

    transformers 5 writes a name that 4.57 and llama.cpp's converter refuse.
    """
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    settings["split_special_tokens"] = True
    settings["clean_up_tokenization_spaces"] = False
    write_file(path, json.dumps(settings, ensure_ascii=False, indent=2) + "\n")


def load_pretrained_tokenizer(name: str) -> "PreTrainedTokenizerFast":
    """An existing tokenizer; it must know where a text begins and ends.

    Raises:
        InputError: it cannot be loaded, or has no bos or eos token.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _("tokenizer.pretrained: {name} cannot be loaded: {reason}").format(
                name=name, reason=reason
            )
        ) from error
    for token in ("bos_token", "eos_token"):
        if getattr(tokenizer, token, None) is None:
            raise InputError(
                _("tokenizer.pretrained: {name} has no {token}; choose one that has.").format(
                    name=name, token=token
                )
            )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer  # type: ignore[return-value]


def load_tokenizer(folder: Path | str) -> "PreTrainedTokenizerFast":
    """The tokenizer that a run's folder holds."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.backend_tokenizer.encode_special_tokens = True
    return tokenizer  # type: ignore[no-any-return]


def encode_texts(tokenizer: "PreTrainedTokenizerFast", texts: list[str]) -> list[list[int]]:
    """Token ids of each text alone, without special tokens; text like `<s>` stays text."""
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True
    return [item.ids for item in backend.encode_batch_fast(texts, add_special_tokens=False)]

"""A model and its tokenizer in, what generation needs of the two out: a `TextModel`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_zh_dict.model.decoder import Decoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True)
class TextModel:
    """What continues texts: a decoder, or a model of transformers that `Decoder` does not know."""

    model: "Decoder | PreTrainedModel"
    encode: Callable[[str], list[int]]  # the beginning of text is in front, when there is one
    decode: Callable[[list[int]], str]  # special tokens are left out
    vocabulary: dict[str, int]
    ends: frozenset[int]  # each of them ends a text
    context_length: int

    @classmethod
    def of(cls, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast") -> "TextModel":
        """The weights as they are now: a decoder has its own copy."""
        named = getattr(model.generation_config, "eos_token_id", None)
        return cls(
            model=Decoder.of(model) if Decoder.knows(model) else model,
            encode=lambda text: list(tokenizer(text)["input_ids"]),
            decode=lambda ids: str(tokenizer.decode(ids, skip_special_tokens=True)),
            vocabulary=tokenizer.get_vocab(),
            ends=join_ends(named, tokenizer.eos_token_id),
            context_length=model.config.max_position_embeddings,
        )


def join_ends(named: int | list[int] | None, eos: int | None) -> frozenset[int]:
    """What ends a text: the tokens that the model's own settings name, and the tokenizer's eos."""
    ends = named if isinstance(named, list) else [named]
    return frozenset(token for token in [*ends, eos] if token is not None)

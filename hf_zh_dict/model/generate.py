"""A model and prompts in, continuations out: whole texts, or one piece by piece."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.messages import _
from hf_zh_dict.model import generate_any
from hf_zh_dict.model.decoder import Decoder, Decoding
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.model.text_model import TextModel
from hf_zh_dict.progress import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

TEXTS_AT_ONCE = 16  # of `generate_texts`, which shows them as they come
PROMPTS_AT_ONCE = 128


@dataclass(frozen=True)
class Prompt:
    """What a continuation begins with."""

    ids: list[int]
    beginnings: list[int]  # the first new token must be one of these; empty: any
    room: int  # for new tokens within the context
    seed: int


def generate_texts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: list[str],
    sampling: Sampling,
) -> Iterator[str]:
    """Each prompt with its continuation, up to the end of the text or the limits.

    A text depends on nothing but model, prompt and `sampling`: several grow together, but each
    draws the same random numbers, and only rounding knows of the others. The caller's random state
    and the model's mode are left as they were. A prompt as long as the context comes back as it is.
    """
    return continue_texts(TextModel.of(model, tokenizer), prompts, sampling)


def continue_texts(text_model: TextModel, prompts: list[str], sampling: Sampling) -> Iterator[str]:
    """What `generate_texts` gives, of a model that is ready for it."""
    for start in range(0, len(prompts), TEXTS_AT_ONCE):
        texts = prompts[start : start + TEXTS_AT_ONCE]
        prepared = [prepare(text_model, text, seed=sampling.seed) for text in texts]
        written = continue_batch(text_model, prepared, sampling)
        for text, prompt, new in zip(texts, prepared, written, strict=True):
            yield text_model.decode([*prompt.ids, *new]) if prompt.room > 0 else text


def continue_prompts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    beginnings: Sequence[Sequence[int]] | None = None,
    description: str = "",
) -> list[list[int]]:
    """The new ids behind each prompt's ids, many prompts at once, without the end of text.

    Each prompt draws random numbers of its own, by its place. Those of about one length share a
    batch. `beginnings` holds, for each prompt, the tokens that may come first (none: any).
    Progress is shown under `description`, when there is one.
    """
    text_model = TextModel.of(model, tokenizer)
    prepared = [
        Prompt(
            list(ids), list(beginnings[place] if beginnings else ()),
            room=text_model.context_length - len(ids), seed=sampling.seed + place,
        )
        for place, ids in enumerate(prompts)
    ]  # fmt: skip
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    written: list[list[int]] = [[] for _prompt in prompts]
    with Progress(description or _("generate"), total=len(prompts)) as progress:
        for start in range(0, len(order), PROMPTS_AT_ONCE):
            chosen = order[start : start + PROMPTS_AT_ONCE]
            batch = continue_batch(text_model, [prepared[p] for p in chosen], sampling)
            for place, ids in zip(chosen, batch, strict=True):
                written[place] = [token for token in ids if token not in text_model.ends]
            if description:
                progress.advance(len(chosen))
    return written


def continue_batch(
    text_model: TextModel, prompts: list[Prompt], sampling: Sampling
) -> list[list[int]]:
    """The new ids of one batch; a prompt without room has none."""
    written: list[list[int]] = [[] for _prompt in prompts]
    places = [place for place, prompt in enumerate(prompts) if prompt.room > 0]
    growing = [prompts[place] for place in places]
    if not growing:
        return written
    if isinstance(text_model.model, Decoder):
        for step in continue_together(text_model.model, growing, sampling, text_model.ends):
            for row, token in step.items():
                written[places[row]].append(token)
        return written
    batch = generate_any.continue_batch(
        text_model.model, [prompt.ids for prompt in growing], sampling, text_model.ends,
        beginnings=[prompt.beginnings for prompt in growing], seed=growing[0].seed,
        max_new_tokens=min(sampling.max_new_tokens, *(prompt.room for prompt in growing)),
    )  # fmt: skip
    for place, ids in zip(places, batch, strict=True):
        written[place] = ids
    return written


def stream_text(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompt: str,
    sampling: Sampling,
) -> Iterator[str]:
    """The text that `generate_texts` gives, piece by piece as it grows; the prompt comes first.

    Models other than Llamas give it in one piece.
    """
    text_model = TextModel.of(model, tokenizer)
    prepared = prepare(text_model, prompt, seed=sampling.seed)
    if prepared.room <= 0 or not isinstance(text_model.model, Decoder):
        yield from continue_texts(text_model, [prompt], sampling)
        return
    ids = list(prepared.ids)
    shown = ""
    for step in continue_together(text_model.model, [prepared], sampling, text_model.ends):
        ids.append(step[0])
        text = text_model.decode(ids)
        if not text.endswith("\ufffd"):  # else a character is not whole yet
            yield text[len(shown) :]
            shown = text
    yield text_model.decode(ids)[len(shown) :]


def continue_together(
    decoder: Decoder, prompts: list[Prompt], sampling: Sampling, ends: frozenset[int]
) -> Iterator[dict[int, int]]:
    """New tokens step by step, by the prompt's place; a text that has ended has none."""
    if not prompts:
        return
    limits = [min(sampling.max_new_tokens, prompt.room) for prompt in prompts]
    decoding = Decoding(decoder, [prompt.ids for prompt in prompts], max_new_tokens=max(limits))
    draws = draw_numbers([prompt.seed for prompt in prompts], count=max(limits))
    rows, growing = list(range(len(prompts))), set(range(len(prompts)))
    logits = constrain(decoding.read_prompts(), [prompt.beginnings for prompt in prompts])
    for number, draw in enumerate(draws, start=1):
        tokens = choose_tokens(logits, sampling, draw[rows].to(logits.device))
        step = {row: t for row, t in zip(rows, tokens.tolist(), strict=True) if row in growing}
        yield step
        growing -= {row for row, token in step.items() if token in ends or number == limits[row]}
        if not growing:
            return
        if 2 * len(growing) <= len(rows):
            kept = [place for place, row in enumerate(rows) if row in growing]
            decoding.keep(kept)
            rows, tokens = [rows[place] for place in kept], tokens[kept]
        logits = decoding.read(tokens)


def draw_numbers(seeds: list[int], *, count: int) -> torch.Tensor:
    """Random numbers from 0 up to 1, [count, texts]; a text's depend on its seed alone."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.rand(count, generator=generator) for generator in generators], dim=1)


@torch.inference_mode()
def choose_tokens(logits: torch.Tensor, sampling: Sampling, draw: torch.Tensor) -> torch.Tensor:
    """The next token of each text; `draw` [texts], from 0 up to 1, decides among the likely ones.

    As transformers does it: first the temperature, then the k likeliest, then of these the
    likeliest whose probabilities together reach p.
    """
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    size = logits.shape[-1]
    scores, tokens = (logits.float() / sampling.temperature).topk(min(sampling.top_k or size, size))
    probabilities = scores.softmax(dim=-1)
    likelier = probabilities.cumsum(dim=-1) - probabilities
    cumulative = probabilities.where(likelier < sampling.top_p, 0.0).cumsum(dim=-1)
    place = (cumulative <= draw[:, None] * cumulative[:, -1:]).sum(dim=-1, keepdim=True)
    return tokens.gather(1, place.clamp(max=tokens.shape[1] - 1)).squeeze(1)


@torch.inference_mode()
def constrain(logits: torch.Tensor, beginnings: list[list[int]]) -> torch.Tensor:
    """Leave to each text only the tokens that it may begin with."""
    for row, allowed in enumerate(beginnings):
        if allowed:
            kept = logits[row, allowed]
            logits[row] = -torch.inf
            logits[row, allowed] = kept
    return logits


def prepare(text_model: TextModel, text: str, *, seed: int) -> Prompt:
    """A prompt's ids, its end healed."""
    whole = text_model.encode(text)
    ids, beginnings = heal_prompt(text, whole, text_model.vocabulary)
    return Prompt(ids, beginnings, text_model.context_length - len(whole), seed)


def heal_prompt(
    prompt: str, ids: list[int], vocabulary: dict[str, int]
) -> tuple[list[int], list[int]]:
    """The prompt's ids without the last, and the tokens that may stand in its place.

    In running text a separator or opening mark is one token with the word behind it (`\u3000ㄕㄨㄟˇ`);
    at the end of a prompt it stands alone, as it hardly ever did in training, and the model goes
    astray. So it is taken back, and the first new token must begin with it ("token healing").
    A prompt that ends in a letter or digit is left alone.
    """
    if not prompt or prompt[-1].isalnum() or len(ids) < 2:
        return ids, []
    last = next(token for token, i in vocabulary.items() if i == ids[-1])
    return ids[:-1], sorted(i for token, i in vocabulary.items() if token.startswith(last))

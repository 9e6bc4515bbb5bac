"""A model and prompts in, continuations out."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.messages import _
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.progress import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def generate_texts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: list[str],
    sampling: Sampling,
) -> Iterator[str]:
    """Each prompt with its continuation, one after another."""
    for prompt in prompts:
        yield generate_text(model, tokenizer, prompt, sampling)


def generate_text(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompt: str,
    sampling: Sampling,
) -> str:
    """The prompt with its continuation, up to the end-of-text token or the limits.

    The text depends on nothing but model, prompt and `sampling`; the caller's random state and
    the model's mode are left as they were. A prompt as long as the context comes back as it is.
    """
    from transformers import LogitsProcessorList

    ids: list[int] = tokenizer(prompt)["input_ids"]
    room = model.config.max_position_embeddings - len(ids)
    if room <= 0:
        return prompt
    ids, beginnings = heal_prompt(tokenizer, prompt, ids)
    options: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        options = {
            "do_sample": True,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k or None,
            "top_p": sampling.top_p,
        }
    inputs = torch.tensor([ids], device=model.device)

    def constrain(input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not beginnings or input_ids.shape[1] > len(ids):
            return scores
        allowed = torch.tensor(beginnings, device=scores.device)
        return torch.full_like(scores, -torch.inf).index_copy(1, allowed, scores[:, allowed])

    generate: Any = model.generate  # typed differently from one transformers 5 to the next
    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(sampling.seed)
            output = generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                max_new_tokens=min(sampling.max_new_tokens, room),
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                logits_processor=LogitsProcessorList([constrain]),
                use_cache=True,
                **options,
            )
    finally:
        model.train(was_training)
    return str(tokenizer.decode(output[0], skip_special_tokens=True))


def heal_prompt(
    tokenizer: "PreTrainedTokenizerFast", prompt: str, ids: list[int]
) -> tuple[list[int], list[int]]:
    """The prompt's ids without the last, and the tokens that may stand in its place.

    In running text a separator or opening mark is one token with the word behind it (`\u3000ㄕㄨㄟˇ`);
    at the end of a prompt it stands alone, as it hardly ever did in training, and the model goes
    astray. So it is taken back, and the first new token must begin with it ("token healing").
    A prompt that ends in a letter or digit is left alone.
    """
    if not prompt or prompt[-1].isalnum() or len(ids) < 2:
        return ids, []
    last = str(tokenizer.convert_ids_to_tokens(ids[-1]))
    vocabulary = tokenizer.get_vocab()
    return ids[:-1], sorted(i for token, i in vocabulary.items() if token.startswith(last))


def continue_prompts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    beginnings: Sequence[Sequence[int]] | None = None,
    batch_size: int = 128,
    description: str = "",
) -> list[list[int]]:
    """The new ids behind each prompt's ids, many prompts at once, without the end of text.

    Prompts of about one length share a batch, padded in front. `beginnings` holds, for each
    prompt, the tokens that may come first (none: any). A continuation ends at the end of text, at
    `max_new_tokens` or where the context is full; a prompt that fills it has none. The result
    depends on the model, the prompts, `batch_size` and `sampling` alone. Progress is shown under
    `description`, when there is one.
    """
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    written: list[list[int]] = [[] for _prompt in prompts]
    with Progress(description or _("generate"), total=len(prompts)) as progress:
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            first = [beginnings[index] for index in chosen] if beginnings else []
            batch = continue_batch(
                model, tokenizer, [prompts[index] for index in chosen], sampling, first, start
            )
            for index, ids in zip(chosen, batch, strict=True):
                written[index] = ids
            if description:
                progress.advance(len(chosen))
    return written


def continue_batch(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    beginnings: Sequence[Sequence[int]],
    place: int,
) -> list[list[int]]:
    """The new ids of one batch; `place` tells batches' random numbers apart."""
    from transformers import LogitsProcessorList

    width = max(map(len, prompts))
    new = min(sampling.max_new_tokens, model.config.max_position_embeddings - width)
    if new <= 0:
        return [[] for _prompt in prompts]
    inputs = torch.full((len(prompts), width), tokenizer.pad_token_id)
    mask = torch.zeros_like(inputs)
    for row, prompt in enumerate(prompts):
        inputs[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1

    def constrain(input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if input_ids.shape[1] == width:
            for row, allowed in enumerate(beginnings):
                if allowed:
                    kept = torch.full_like(scores[row], -torch.inf)
                    kept[list(allowed)] = scores[row, list(allowed)]
                    scores[row] = kept
        return scores

    options: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        options = {
            "do_sample": True,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k or None,
            "top_p": sampling.top_p,
        }
    generate: Any = model.generate
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(sampling.seed + place)
        output = generate(
            inputs.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=new,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            logits_processor=LogitsProcessorList([constrain]),
            use_cache=True,
            **options,
        )
    rows = output[:, width:].tolist()
    eos = tokenizer.eos_token_id
    return [row[: row.index(eos)] if eos in row else row for row in rows]

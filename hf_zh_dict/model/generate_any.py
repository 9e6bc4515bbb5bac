"""A causal model of any architecture and token ids in, continuations by its own `generate` out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.model.sampling import Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def continue_batch(
    model: "PreTrainedModel",
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    ends: frozenset[int],
    *,
    beginnings: Sequence[Sequence[int]],
    max_new_tokens: int,
    seed: int,
) -> list[list[int]]:
    """The new ids behind each prompt's, padded in front, up to and with one of `ends`.

    `beginnings` holds, for each prompt, the tokens that may come first (none: any).
    """
    from transformers import LogitsProcessorList

    width = max(map(len, prompts))
    padding = min(ends)  # any token, since the mask hides it
    inputs = torch.full((len(prompts), width), padding)
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
    generate: Any = model.generate  # typed differently from one transformers 5 to the next
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        output = generate(
            inputs.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max_new_tokens,
            eos_token_id=sorted(ends),
            pad_token_id=padding,
            logits_processor=LogitsProcessorList([constrain]),
            use_cache=True,
            **options,
        )
    rows = output[:, width:].tolist()
    lengths = [next((n for n, token in enumerate(row, 1) if token in ends), None) for row in rows]
    return [row[:length] for row, length in zip(rows, lengths, strict=True)]

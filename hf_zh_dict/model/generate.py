"""A model and prompts in, continuations out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.model.sampling import Sampling

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

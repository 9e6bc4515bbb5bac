"""A model and prompts in, continuations out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.model.sampling import Sampling

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def generate_texts(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: list[str],
    sampling: Sampling,
) -> Iterator[str]:
    """Each prompt with its continuation, one after another."""
    for prompt in prompts:
        yield generate_text(model, tokenizer, prompt, sampling)


def generate_text(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    prompt: str,
    sampling: Sampling,
) -> str:
    """The prompt with its continuation, up to the end-of-text token or the limits.

    The text depends on nothing but model, prompt and `sampling`; the caller's random state and
    the model's mode are left as they were. A prompt as long as the context comes back as it is.
    """
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"].to(model.device)
    room = model.config.max_position_embeddings - ids.shape[1]
    if room <= 0:
        return prompt
    options: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        options = {
            "do_sample": True,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k or None,
            "top_p": sampling.top_p,
        }
    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(sampling.seed)
            output = model.generate(  # type: ignore[misc]
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=min(sampling.max_new_tokens, room),
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                use_cache=True,
                **options,
            )
    finally:
        model.train(was_training)
    return str(tokenizer.decode(output[0], skip_special_tokens=True))

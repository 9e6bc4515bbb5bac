"""A model and prompts in, continuations out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
    """Each prompt with its continuation, up to the end-of-text token or the limits.

    A prompt's text depends on nothing but the model, the prompt and `sampling`: each is generated
    alone, from the same seed, and the caller's random state is left as it was.
    """
    was_training = model.training
    model.eval()
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"].to(model.device)
        room = model.config.max_position_embeddings - ids.shape[1]
        if room <= 0:
            yield prompt
            continue
        options = (
            {"do_sample": True, "temperature": sampling.temperature, "top_k": sampling.top_k or None,
             "top_p": sampling.top_p}
            if sampling.temperature > 0
            else {"do_sample": False}
        )  # fmt: skip
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
        yield str(tokenizer.decode(output[0], skip_special_tokens=True))
    model.train(was_training)

"""A folder or a Hub id in, a model and its tokenizer out, ready to be judged or to write."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def load_model_folder(
    folder: Path | str,
) -> tuple["PreTrainedModel", "PreTrainedTokenizerFast"]:
    """A causal language model and its tokenizer, in float32, on the GPU when there is one.

    A tokenizer with no beginning-of-text or padding token lends its end-of-text token for them, as
    GPT-2 does. Code that a repository brings along is not run.

    Raises:
        InputError: there is no model that can be loaded, or its tokenizer has no end of text.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _("{folder}: holds no model that can be loaded ({reason}).").format(
                folder=folder, reason=reason
            )
        ) from error
    if not tokenizer.is_fast or tokenizer.eos_token is None:
        raise InputError(
            _("{folder}: its tokenizer has no tokenizer.json or no end-of-text token.").format(
                folder=folder
            )
        )
    tokenizer.backend_tokenizer.encode_special_tokens = True  # text like <s> is text
    for name in ("bos_token", "pad_token"):
        if getattr(tokenizer, name) is None:
            setattr(tokenizer, name, tokenizer.eos_token)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.to(device).eval(), tokenizer

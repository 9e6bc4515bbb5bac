"""A Llama and its tokenizer in, one GGUF file out: for llama.cpp, Ollama and LM Studio."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hf_zh_dict.files import new_file
from hf_zh_dict.formats.llama2c_vocabulary import score_pieces
from hf_zh_dict.formats.shape import Shape, read_shape
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.rotary import halves_to_pairs
from hf_zh_dict.tokens.tokenizer import SPLIT_PATTERN

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

WHOLE = {  # ours → GGUF's, of the whole model
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYERS = {  # ours → GGUF's, in each layer
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
}
SPLIT_NAME = "llama-bpe"  # what llama.cpp calls SPLIT_PATTERN


def write_gguf(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    path: Path,
    *,
    dtype: str,
    name: str,
) -> list[str]:
    """Write the file; returns the weights that stayed f16 because q8_0 cannot hold their rows.

    Raises:
        InputError: the package gguf is missing, or llama.cpp knows no such model or tokenizer.
        OSError: the file cannot be written.
    """
    try:
        import gguf
    except ImportError as error:
        raise InputError(
            _("gguf: the package is missing; install it with pip install gguf.")
        ) from error
    shape = read_shape(model.config)
    with new_file(path) as new:
        writer = gguf.GGUFWriter(new, "llama")
        describe_model(writer, shape, dtype=dtype, name=name)
        describe_tokenizer(writer, tokenizer, shape.vocab_size)
        larger = add_weights(writer, model, shape, dtype=dtype)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return larger


def describe_model(writer: "GGUFWriter", shape: Shape, *, dtype: str, name: str) -> None:
    """Name, shape and precision."""
    import gguf

    file_types = {
        "f32": gguf.LlamaFileType.ALL_F32,
        "f16": gguf.LlamaFileType.MOSTLY_F16,
        "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    }
    writer.add_name(name)
    writer.add_languages(["zh"])
    writer.add_file_type(file_types[dtype])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(shape.vocab_size)
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_head_count_kv(shape.num_key_value_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)


def describe_tokenizer(
    writer: "GGUFWriter", tokenizer: "PreTrainedTokenizerFast", size: int
) -> None:
    """Tokens, merges or scores, how text is split, and what stands at its ends.

    Raises:
        InputError: llama.cpp has no name for the way that this tokenizer splits text.
    """
    import gguf

    description = json.loads(tokenizer.backend_tokenizer.to_str())
    by_bytes = bool(description["model"].get("byte_fallback"))
    if description["model"]["type"] != "BPE" or not (by_bytes or splits_like_llama(description)):
        raise InputError(
            _(
                "gguf: llama.cpp has no name for the way that this tokenizer splits text; use one that "
                "this project trained or took over."
            )
        )
    texts = {number: text for text, number in tokenizer.get_vocab().items()}
    special = {item["id"] for item in description["added_tokens"]}
    kinds = []
    for number in range(size):
        text = texts.get(number)
        if text is None:
            kinds.append(gguf.TokenType.UNUSED)
        elif number == tokenizer.unk_token_id:
            kinds.append(gguf.TokenType.UNKNOWN)
        elif number in special:
            kinds.append(gguf.TokenType.CONTROL)
        elif by_bytes and len(text) == 6 and text.startswith("<0x"):
            kinds.append(gguf.TokenType.BYTE)
        else:
            kinds.append(gguf.TokenType.NORMAL)
    if by_bytes:
        scores = score_pieces(description)
        writer.add_tokenizer_model("llama")
        writer.add_token_scores([scores.get(texts.get(number, ""), 0.0) for number in range(size)])
        writer.add_add_space_prefix("Prepend" in json.dumps(description["normalizer"]))
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(SPLIT_NAME)
        merges = description["model"]["merges"]
        writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_token_list([texts.get(number, f"[UNUSED{number}]") for number in range(size)])
    writer.add_token_types(kinds)
    for add, number in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_eos_token_id, tokenizer.eos_token_id),
        (writer.add_unk_token_id, tokenizer.unk_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
    ):
        if number is not None:
            add(number)
    writer.add_add_bos_token(tokenizer.bos_token_id is not None)
    writer.add_add_eos_token(False)


def splits_like_llama(description: dict[str, Any]) -> bool:
    """Whether text is split by the pattern that llama.cpp knows, into bytes."""
    steps = (description["pre_tokenizer"] or {}).get("pretokenizers", [])
    patterns = [step["pattern"].get("Regex") for step in steps if step["type"] == "Split"]
    return patterns == [SPLIT_PATTERN] and steps[-1]["type"] == "ByteLevel"


def add_weights(
    writer: "GGUFWriter", model: "LlamaForCausalLM", shape: Shape, *, dtype: str
) -> list[str]:
    """Norms in f32, matrices in `dtype`; returns those that q8_0's blocks of 32 do not fit."""
    import gguf

    quantization = {
        "f32": gguf.GGMLQuantizationType.F32,
        "f16": gguf.GGMLQuantizationType.F16,
        "q8_0": gguf.GGMLQuantizationType.Q8_0,
    }[dtype]
    block = gguf.GGML_QUANT_SIZES[quantization][0]
    heads = {
        "self_attn.q_proj.weight": shape.num_attention_heads,
        "self_attn.k_proj.weight": shape.num_key_value_heads,
    }
    larger = []
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and shape.tie_word_embeddings:
            continue
        weight: torch.Tensor = tensor.detach().float().cpu()
        theirs = WHOLE.get(name)
        if theirs is None:
            _model, _layers, number, rest = name.split(".", 3)
            theirs = f"blk.{number}.{LAYERS[rest]}"
            if rest in heads:
                weight = halves_to_pairs(weight, heads[rest])
        values = np.ascontiguousarray(weight.numpy())
        kind = quantization if weight.ndim > 1 else gguf.GGMLQuantizationType.F32
        if weight.ndim > 1 and weight.shape[1] % block:
            kind = gguf.GGMLQuantizationType.F16
            larger.append(theirs)
        writer.add_tensor(theirs, gguf.quants.quantize(values, kind), raw_dtype=kind)
    return larger


def write_modelfile(path: Path, gguf_name: str, *, context_length: int) -> None:
    """What `ollama create` reads: a model that continues text and knows no roles."""
    text = f"""FROM ./{gguf_name}
TEMPLATE \"\"\"{{{{ .Prompt }}}}\"\"\"
PARAMETER num_ctx {context_length}
PARAMETER num_predict {context_length // 2}
PARAMETER temperature 0.8
PARAMETER top_k 50
PARAMETER top_p 0.95
"""
    with new_file(path) as new:
        new.write_bytes(text.encode())

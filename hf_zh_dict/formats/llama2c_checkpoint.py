"""A `ckpt.pt` of llama2.c and its `tokenizer.model` in, a folder that `from_pretrained` loads out."""

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from hf_zh_dict.formats.sentencepiece_bpe import make_tokenizer
from hf_zh_dict.formats.sentencepiece_file import CONTROL, UNKNOWN, read_sentencepiece
from hf_zh_dict.formats.shape import Shape, read_shape
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.model.llama import save_model
from hf_zh_dict.model.rotary import pairs_to_halves
from hf_zh_dict.tokens.tokenizer import name_class, put_bos_in_front

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROPE_THETA = 10_000.0  # llama2.c knows no other
WHOLE = {  # theirs → ours, of the whole model
    "tok_embeddings.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
LAYERS = {  # theirs → ours, in each layer
    "attention_norm.weight": "input_layernorm.weight",
    "attention.wq.weight": "self_attn.q_proj.weight",
    "attention.wk.weight": "self_attn.k_proj.weight",
    "attention.wv.weight": "self_attn.v_proj.weight",
    "attention.wo.weight": "self_attn.o_proj.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "feed_forward.w1.weight": "mlp.gate_proj.weight",
    "feed_forward.w2.weight": "mlp.down_proj.weight",
    "feed_forward.w3.weight": "mlp.up_proj.weight",
}
NEEDED_ARGUMENTS = {"dim", "n_layers", "n_heads", "max_seq_len"}
NEEDED_WEIGHTS = {"tok_embeddings.weight", "layers.0.feed_forward.w1.weight"}
BUFFERS = ("freqs_cis", "freqs_cos", "freqs_sin", "attention.mask")  # computed, not learnt

State = dict[str, torch.Tensor]


def import_llama2c(checkpoint: Path, vocabulary: Path, folder: Path) -> "LlamaForCausalLM":
    """Write the folder and return its model.

    Raises:
        InputError: a file cannot be read, needs code to be read, or they do not fit together.
        OSError: the folder cannot be written.
    """
    arguments, weights = read_checkpoint(checkpoint)
    tokenizer = load_vocabulary(vocabulary, context_length=arguments["max_seq_len"])
    size = weights["tok_embeddings.weight"].shape[0]
    if size != len(tokenizer):
        raise InputError(
            _(
                "{checkpoint}: has {theirs} vocabulary entries, {vocabulary} {ours}; give the "
                "tokenizer.model that it was trained with."
            ).format(checkpoint=checkpoint, theirs=size, vocabulary=vocabulary, ours=len(tokenizer))
        )
    model = build_model(arguments, weights, tokenizer, checkpoint)
    with tempfile.TemporaryDirectory() as name:
        tokenizer.save_pretrained(name)
        name_class(Path(name))
        # in llama2.c's training text bos stands between texts: it is what ends one
        ends = [tokenizer.eos_token_id, tokenizer.bos_token_id]
        save_model(model, tokenizer, Path(name), folder, eos_token_id=ends)
    return model


def read_checkpoint(path: Path) -> tuple[dict[str, Any], State]:
    """Its `model_args`, and its weights by llama2.c's names; no code in it is run.

    Raises:
        InputError: it cannot be read so, or is no checkpoint of llama2.c.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        arguments = dict(checkpoint["model_args"])
        weights = {
            name.removeprefix("_orig_mod."): tensor.float()
            for name, tensor in checkpoint["model"].items()
            if not name.endswith(BUFFERS)
        }
        missing = (NEEDED_ARGUMENTS - arguments.keys()) | (NEEDED_WEIGHTS - weights.keys())
        if missing:
            raise KeyError(missing)
    except FileNotFoundError as error:
        raise InputError(_("{file}: there is no such file.").format(file=path)) from error
    except pickle.UnpicklingError as error:
        raise InputError(
            _(
                "{file}: is not read, since that would run code that it holds; save its weights "
                "again as plain tensors."
            ).format(file=path)
        ) from error
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(_("{file}: is no checkpoint of llama2.c.").format(file=path)) from error
    return arguments, weights


def load_vocabulary(path: Path, *, context_length: int) -> "PreTrainedTokenizerFast":
    """A tokenizer of transformers with SentencePiece's ids; unk, which byte pieces leave idle, pads.

    Raises:
        InputError: the file cannot be taken over.
    """
    from transformers import PreTrainedTokenizerFast

    pieces = read_sentencepiece(path)
    controls = [piece.text for piece in pieces.pieces if piece.kind == CONTROL]
    unknown = [piece.text for piece in pieces.pieces if piece.kind == UNKNOWN]
    if len(controls) < 2 or not unknown:
        raise InputError(
            _("{file}: has no pieces for unknown, beginning and end of text.").format(file=path)
        )
    backend = make_tokenizer(pieces)
    put_bos_in_front(backend, controls[0])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token=unknown[0],
        bos_token=controls[0],
        eos_token=controls[1],
        pad_token=unknown[0],
        split_special_tokens=True,
        clean_up_tokenization_spaces=False,
        model_max_length=context_length,
        model_input_names=["input_ids", "attention_mask"],
    )


def build_model(
    arguments: dict[str, Any],
    weights: State,
    tokenizer: "PreTrainedTokenizerFast",
    path: Path,
) -> "LlamaForCausalLM":
    """The Llama of transformers with these weights.

    Raises:
        InputError: weights are missing, left over, or of another shape.
    """
    from transformers import LlamaForCausalLM

    config = make_config(arguments, weights, tokenizer)
    model: LlamaForCausalLM = LlamaForCausalLM(config)
    try:
        ours = rename(weights, read_shape(config))
        if config.tie_word_embeddings:
            ours["lm_head.weight"] = ours["model.embed_tokens.weight"]
        model.load_state_dict(ours)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            _("{file}: its weights are not those of a Llama of its model_args ({reason}).").format(
                file=path, reason=reason
            )
        ) from error
    model.eval()
    return model


def make_config(
    arguments: dict[str, Any], weights: State, tokenizer: "PreTrainedTokenizerFast"
) -> "LlamaConfig":
    """llama2.c's shape as transformers knows it; the MLP's width is read from the weights."""
    from transformers import LlamaConfig

    embeddings, output = weights["tok_embeddings.weight"], weights.get("output.weight")
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=arguments["dim"],
        intermediate_size=weights["layers.0.feed_forward.w1.weight"].shape[0],
        num_hidden_layers=arguments["n_layers"],
        num_attention_heads=arguments["n_heads"],
        num_key_value_heads=arguments.get("n_kv_heads") or arguments["n_heads"],
        max_position_embeddings=arguments["max_seq_len"],
        rms_norm_eps=arguments.get("norm_eps", 1e-5),
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=output is None or torch.equal(embeddings, output),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def rename(weights: State, shape: Shape) -> State:
    """The weights by transformers' names, queries and keys in its rotary order.

    Raises:
        KeyError: a name that llama2.c does not have.
    """
    ours = {}
    for name, tensor in weights.items():
        if name in WHOLE:
            ours[WHOLE[name]] = tensor
            continue
        _layers, number, rest = name.split(".", 2)
        if rest == "attention.wq.weight":
            tensor = pairs_to_halves(tensor, shape.num_attention_heads)
        elif rest == "attention.wk.weight":
            tensor = pairs_to_halves(tensor, shape.num_key_value_heads)
        ours[f"model.layers.{number}.{LAYERS[rest]}"] = tensor
    return ours

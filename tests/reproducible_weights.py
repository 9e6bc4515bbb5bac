"""Weights that every machine makes alike, for files that hold what another program computed.

`tests/golden/llama2c.json` holds what llama2.c computed with them: `checkpoint`, its model.py; the
others, run.c (`logits`, and the ids that it chose greedily) and runq.c (`int8`), from our files.
"""

import zlib

import numpy as np
import torch


def make_weight(name, shape):
    """Numbers in [−1, 1)·scale that depend on name and shape alone; norms around 1."""
    index = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(zlib.crc32(name.encode()) << 32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        index = (index ^ (index >> np.uint64(shift))) * np.uint64(factor)  # splitmix64
    values = (index >> np.uint64(40)).astype(np.float32) / 2**23 - 1
    if "norm" in name:
        return torch.from_numpy(1 + values.reshape(shape) / 4)
    return torch.from_numpy(
        values.reshape(shape) * (0.5 if "emb" in name or "head" in name else 0.3)
    )


def fill(model):
    """Give a Llama of transformers these weights."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(make_weight(name, parameter.shape))
    return model.eval()


def llama2c_checkpoint(*, dim=32, layers=2, heads=4, key_value_heads=2, width=96, vocab_size=300):
    """A checkpoint as llama2.c's train.py saves it, of a compiled model with tied embeddings."""
    kv = dim // heads * key_value_heads
    shapes = {"tok_embeddings.weight": (vocab_size, dim), "norm.weight": (dim,)}
    for layer in range(layers):
        part = f"layers.{layer}."
        shapes |= {
            part + "attention.wq.weight": (dim, dim),
            part + "attention.wk.weight": (kv, dim),
            part + "attention.wv.weight": (kv, dim),
            part + "attention.wo.weight": (dim, dim),
            part + "feed_forward.w1.weight": (width, dim),
            part + "feed_forward.w2.weight": (dim, width),
            part + "feed_forward.w3.weight": (width, dim),
            part + "attention_norm.weight": (dim,),
            part + "ffn_norm.weight": (dim,),
        }
    weights = {"_orig_mod." + name: make_weight(name, shape) for name, shape in shapes.items()}
    weights["_orig_mod.output.weight"] = weights["_orig_mod.tok_embeddings.weight"]
    arguments = {
        "dim": dim, "n_layers": layers, "n_heads": heads, "n_kv_heads": key_value_heads,
        "vocab_size": vocab_size, "multiple_of": 32, "max_seq_len": 64, "dropout": 0.0,
    }  # fmt: skip
    return {"model": weights, "model_args": arguments, "iter_num": 5, "config": {"out_dir": "out"},
            "best_val_loss": torch.tensor(1.5)}  # fmt: skip

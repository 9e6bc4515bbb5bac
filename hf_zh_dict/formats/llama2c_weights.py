"""A Llama in, the `model.bin` of llama2.c out: version 0 for run.c, 1 with a header, 2 in int8.

The order of the weights is that of llama2.c's export.py and run.c. All heads may share keys and
values or not (GQA); embedding and output may be one matrix or two.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import torch

from hf_zh_dict.files import new_file
from hf_zh_dict.formats.llama2c_checkpoint import LAYERS, ROPE_THETA
from hf_zh_dict.formats.llama2c_vocabulary import Llama2cVocabulary
from hf_zh_dict.formats.shape import Shape, demand, read_shape
from hf_zh_dict.model.rotary import halves_to_pairs

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

MAGIC = 0x616B3432
HEADER_BYTES = 256  # of versions 1 and 2
NORMS = ("attention_norm.weight", "ffn_norm.weight")
MATRICES = tuple(name for name in LAYERS if name not in NORMS)
RMS_NORM_EPS = 1e-5  # fixed in run.c
LARGEST_GROUP = 64  # of int8 weights that share a scale


def write_model(
    model: "LlamaForCausalLM", vocabulary: Llama2cVocabulary, path: Path, *, version: int
) -> None:
    """Write the file in one of its versions.

    Raises:
        InputError: run.c computes something else than this model does.
        OSError: the file cannot be written.
    """
    weights = Weights(model, vocabulary)
    with new_file(path) as new, new.open("wb") as file:
        if version == 0:
            write_version_0(file, weights)
        elif version == 1:
            write_version_1(file, weights)
        else:
            write_version_2(file, weights)


def check_shape(shape: Shape) -> None:
    """Refuse what run.c has no settings for.

    Raises:
        InputError: names the setting, its value, and run.c's.
    """
    demand("rope_theta", shape.rope_theta, ROPE_THETA)
    demand("rms_norm_eps", shape.rms_norm_eps, RMS_NORM_EPS)
    demand("head_dim", shape.head_dim, shape.hidden_size // shape.num_attention_heads)


class Weights:
    """A Llama's weights by llama2.c's names, in its rotary order and its vocabulary."""

    def __init__(self, model: "LlamaForCausalLM", vocabulary: Llama2cVocabulary) -> None:
        self.shape = read_shape(model.config)
        check_shape(self.shape)
        self.state = {k: v.detach().float().cpu() for k, v in model.state_dict().items()}
        self.embedding = self.state["model.embed_tokens.weight"][vocabulary.inputs]
        self.norm = self.state["model.norm.weight"]
        self.output: torch.Tensor | None = None  # None: the embedding
        if vocabulary.needs_own_output or not self.shape.tie_word_embeddings:
            self.output = self.state["lm_head.weight"][vocabulary.outputs]

    def layers(self, name: str) -> Iterator[torch.Tensor]:
        """One kind of weight, layer by layer."""
        heads = {
            "attention.wq.weight": self.shape.num_attention_heads,
            "attention.wk.weight": self.shape.num_key_value_heads,
        }
        for layer in range(self.shape.num_hidden_layers):
            weight = self.state[f"model.layers.{layer}.{LAYERS[name]}"]
            yield halves_to_pairs(weight, heads[name]) if name in heads else weight

    def numbers(self, *, vocab_size: int) -> bytes:
        """The seven numbers of `Config` in run.c."""
        shape = self.shape
        return struct.pack(
            "<7i", shape.hidden_size, shape.intermediate_size, shape.num_hidden_layers,
            shape.num_attention_heads, shape.num_key_value_heads, vocab_size,
            shape.max_position_embeddings,
        )  # fmt: skip

    def header(self, *, version: int, group_size: int = 0) -> bytes:
        """The 256 bytes before the weights of versions 1 and 2."""
        header = struct.pack("<Ii", MAGIC, version) + self.numbers(vocab_size=len(self.embedding))
        header += struct.pack("<B", self.output is None)
        if group_size:
            header += struct.pack("<i", group_size)
        return header.ljust(HEADER_BYTES, b"\0")


def write_version_0(file: BinaryIO, weights: Weights) -> None:
    """What run.c reads; a negative vocabulary size says that the output stands at the end."""
    size = len(weights.embedding)
    file.write(weights.numbers(vocab_size=size if weights.output is None else -size))
    write_floats(file, weights.embedding)
    for name in (NORMS[0], *MATRICES[:4], NORMS[1], *MATRICES[4:]):
        for weight in weights.layers(name):
            write_floats(file, weight)
    write_floats(file, weights.norm)
    half = weights.shape.head_dim // 2
    frequencies = ROPE_THETA ** -(torch.arange(half) / half)
    angles = torch.outer(torch.arange(weights.shape.max_position_embeddings), frequencies)
    write_floats(file, angles.cos())  # run.c skips both
    write_floats(file, angles.sin())
    if weights.output is not None:
        write_floats(file, weights.output)


def write_version_1(file: BinaryIO, weights: Weights) -> None:
    file.write(weights.header(version=1))
    write_norms(file, weights)
    for matrix in list_matrices(weights):
        write_floats(file, matrix)


def write_version_2(file: BinaryIO, weights: Weights) -> None:
    """What runq.c reads: norms as they are, matrices as int8 with a scale for each group."""
    group_size = choose_group_size(weights.shape)
    file.write(weights.header(version=2, group_size=group_size))
    write_norms(file, weights)
    for matrix in list_matrices(weights):
        quantized, scales = quantize(matrix, group_size)
        file.write(quantized.numpy().tobytes())
        write_floats(file, scales)


def write_norms(file: BinaryIO, weights: Weights) -> None:
    for name in NORMS:
        for weight in weights.layers(name):
            write_floats(file, weight)
    write_floats(file, weights.norm)


def list_matrices(weights: Weights) -> Iterator[torch.Tensor]:
    """All matrices in the order of versions 1 and 2."""
    yield weights.embedding
    for name in MATRICES:
        yield from weights.layers(name)
    if weights.output is not None:
        yield weights.output


def choose_group_size(shape: Shape) -> int:
    """The largest power of two up to 64 that divides both widths: runq.c drops an incomplete group."""
    size = LARGEST_GROUP
    while shape.hidden_size % size or shape.intermediate_size % size:
        size //= 2
    return size


def quantize(matrix: torch.Tensor, group_size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 values in [−127, 127] and the scale of each group: value · scale ≈ weight."""
    groups = matrix.reshape(-1, group_size)
    scales = groups.abs().amax(dim=1, keepdim=True) / 127
    quantized = torch.round(groups / torch.where(scales > 0, scales, 1.0)).to(torch.int8)
    return quantized, scales


def write_floats(file: BinaryIO, tensor: torch.Tensor) -> None:
    file.write(tensor.contiguous().numpy().astype("<f4").tobytes())

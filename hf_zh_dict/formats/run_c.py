"""llama2.c's own program and files that we wrote in, whether it prints what our model says out."""

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hf_zh_dict.formats.llama2c_vocabulary import Llama2cVocabulary
from hf_zh_dict.messages import InputError, _

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

STEPS = 64
TEXT_END = 1  # the id at which run.c stops


def print_greedily(binary: Path, weights: Path, vocabulary: Path, prompt: str) -> bytes:
    """What run.c prints when it always takes the likeliest token.

    Raises:
        InputError: the program cannot be run, or fails.
    """
    command: list[str | bytes] = [str(binary.resolve()), str(weights), "-z", str(vocabulary)]
    command += ["-t", "0", "-n", str(STEPS), "-i", prompt.encode()]  # in any locale
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(
            _("--run-c: {binary} cannot be run ({reason}); give run.c, compiled.").format(
                binary=binary, reason=error
            )
        ) from error
    return done.stdout


def predict_greedily(
    model: "LlamaForCausalLM", vocabulary: Llama2cVocabulary, prompt: str
) -> bytes:
    """What run.c would print if it computed exactly what our model does."""
    ids = vocabulary.encode(prompt)[: STEPS + 1]
    ours = torch.tensor([[vocabulary.inputs[number] for number in ids]], device=model.device)
    outputs = torch.tensor(vocabulary.outputs, device=model.device)
    inputs = torch.tensor(vocabulary.inputs, device=model.device)
    with torch.no_grad():
        while len(ids) <= STEPS:
            logits = model(input_ids=ours).logits[0, -1, outputs]
            ids.append(int(logits.argmax()))
            if ids[-1] == TEXT_END:
                return show(vocabulary, ids[:-1])
            ours = torch.cat([ours, inputs[None, ids[-1:]]], dim=1)
    return show(vocabulary, ids)


def show(vocabulary: Llama2cVocabulary, ids: list[int]) -> bytes:
    """Ids as run.c prints them: the first not, no blank behind id 1, no lone byte beyond ASCII."""
    shown = []
    for before, number in pairwise(ids):
        piece = vocabulary.pieces[number]
        if before == 1:
            piece = piece.removeprefix(b" ")
        if len(piece) == 6 and piece.startswith(b"<0x"):
            piece = bytes([int(piece[3:5], 16)])
        piece = piece.split(b"\0")[0]
        if len(piece) != 1 or 0x20 <= piece[0] < 0x7F or piece in b"\t\n\v\f\r":
            shown.append(piece)
    return b"".join(shown) + b"\n"

"""Train and held-out texts in, what simple models need for the held-out ones out (bits a character).

Character n-grams (kneser_ney.py), and xz with the train text in front. They are scored as the
model is: each text alone, an end sign counted, divided by the characters of the text.
"""

import lzma
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.kneser_ney import ngram_bits
from hf_zh_dict.evaluation.subject import identify_corpus
from hf_zh_dict.messages import _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.stages import build_stage, fingerprint, is_current, read_stage

FORMAT = 2  # raise it when the same corpus gives other numbers
NGRAMS = {"character_bigram": 2, "character_5gram": 5}
NGRAMS_FILE = "ngrams.npz"  # bits of each character and end, text after text, by name


def xz_bits_per_char(train: Iterable[str], held_out: Sequence[str]) -> float:
    """How many bits longer xz gets for each character when the held-out text follows the train text.

    One dictionary reaches over all of it. The texts are lines; line ends are counted.
    """
    first = "".join(text + "\n" for text in train).encode("utf-8")
    second = "".join(text + "\n" for text in held_out).encode("utf-8")
    size = 1 << max(20, math.ceil(math.log2(len(first) + len(second) + 1)))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": min(size, 1 << 30)}]

    def compressed(data: bytes) -> int:
        return len(lzma.compress(data, format=lzma.FORMAT_XZ, filters=filters))

    with ThreadPoolExecutor(2) as threads:  # lzma lets go of the interpreter
        alone, both = threads.map(compressed, (first, first + second))
    return (both - alone) * 8 / sum(map(len, held_out))


def measure_baselines(
    paths: RunPaths, split: str, say: Callable[[str], None], *, with_xz: bool = False
) -> dict[str, float]:
    """Bits a character that simple models need for a split; measured once for each corpus."""
    folder = paths.baselines / split
    wanted = fingerprint(format=FORMAT, corpus=identify_corpus(paths), split=split)
    current = is_current(folder, wanted)
    numbers: dict[str, float] = read_stage(folder)["bits_per_char"] if current else {}
    if current and ("xz" in numbers or not with_xz):
        return numbers
    say(_("baselines: measuring simple models on {split}").format(split=split))
    held_out = list(read_texts(paths.split(split)))
    if current:
        bits = read_ngrams(folder)
    else:
        by_order = ngram_bits(
            read_texts(paths.split("train")), held_out, orders=tuple(NGRAMS.values())
        )
        bits = {name: by_order[order] for name, order in NGRAMS.items()}
        num_chars = sum(map(len, held_out))
        numbers = {name: float(each.sum()) / num_chars for name, each in bits.items()}
    if with_xz:
        numbers["xz"] = xz_bits_per_char(read_texts(paths.split("train")), held_out)
    with build_stage(folder, wanted) as (new, facts):
        np.savez(new / NGRAMS_FILE, **bits)  # type: ignore[arg-type]
        facts["bits_per_char"] = numbers
    return numbers


def read_ngrams(folder: Path) -> dict[str, npt.NDArray[np.float64]]:
    """What each n-gram needs for each character and end of a measured split."""
    with np.load(folder / NGRAMS_FILE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in NGRAMS}

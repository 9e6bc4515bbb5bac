"""Names of groups in, the split that each belongs to out.

A group lies in one split, so nothing held out was seen in training. Which one is a hash of seed
and name alone: it does not depend on the order of files, and new entries move almost no old ones.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import SPLITS


def rank_group(group: str, seed: int) -> float:
    """The group's place, from 0 up to 1: a hash of seed and name."""
    digest = hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def split_groups(groups: Sequence[str], config: CorpusConfig) -> npt.NDArray[np.int8]:
    """The split of each of the distinct groups, as its place in SPLITS.

    Validation takes the ranks below its fraction, test the next ones; each takes more where that
    gives fewer than `min_groups`.

    Raises:
        InputError: there are too few groups to hold any out.
    """
    ranks = np.fromiter((rank_group(group, config.seed) for group in groups), np.float64)
    both = config.validation_fraction + config.test_fraction
    num_validation = max(config.min_groups, int((ranks < config.validation_fraction).sum()))
    num_test = max(config.min_groups, int((ranks < both).sum()) - num_validation)
    if num_validation + num_test > len(ranks) / 2:
        raise InputError(
            _(
                "corpus: {groups} headwords are too few to hold out {held_out}, more than half; give "
                "more text, or lower corpus.validation_fraction and corpus.test_fraction, or "
                "corpus.min_groups."
            ).format(groups=len(ranks), held_out=num_validation + num_test)
        )
    order = np.argsort(ranks)
    split_of = np.full(len(ranks), SPLITS.index("train"), np.int8)
    split_of[order[:num_validation]] = SPLITS.index("validation")
    split_of[order[num_validation : num_validation + num_test]] = SPLITS.index("test")
    return split_of

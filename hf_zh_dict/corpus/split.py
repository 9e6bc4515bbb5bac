"""Names of groups in, the split each belongs to out.

A group lies in one split, so nothing held out was seen in training. Which one is a hash of seed
and name alone: it does not depend on the order of files, and new entries move almost no old ones.
"""

import hashlib
from collections.abc import Iterable

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.messages import InputError, _


def rank_group(group: str, seed: int) -> float:
    """The group's place, from 0 up to 1: a hash of seed and name."""
    digest = hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def split_groups(groups: Iterable[str], config: CorpusConfig) -> dict[str, str]:
    """Group → `train`, `validation` or `test`.

    Validation takes the ranks below its fraction, test the next ones; each takes more where that
    gives fewer than `min_groups`.

    Raises:
        InputError: there are too few groups to hold any out.
    """
    ranks = {group: rank_group(group, config.seed) for group in groups}
    ranked = sorted(ranks, key=lambda group: (ranks[group], group))
    below = [
        sum(rank < fraction for rank in ranks.values())
        for fraction in (
            config.validation_fraction,
            config.validation_fraction + config.test_fraction,
        )
    ]
    num_validation = max(config.min_groups, below[0])
    num_test = max(config.min_groups, below[1] - num_validation)
    if num_validation + num_test > len(ranked) / 2:
        raise InputError(
            _(
                "corpus.min_groups: {groups} headwords are too few to hold out {held_out}; give "
                "more text, or lower corpus.min_groups."
            ).format(groups=len(ranked), held_out=num_validation + num_test)
        )
    names = ["validation"] * num_validation + ["test"] * num_test
    names += ["train"] * (len(ranked) - len(names))
    return dict(zip(ranked, names, strict=True))

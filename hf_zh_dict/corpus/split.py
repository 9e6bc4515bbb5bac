"""Headword groups in, the split each belongs to out.

All documents of one headword, whichever dictionary they come from, are one group, and a group
lies in one split: no held-out word was seen in training. The order of groups is a hash of seed
and name, so it does not depend on the order of files, and a few new entries move few groups.
"""

import hashlib
from collections.abc import Iterable

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.messages import InputError, _


def rank_group(group: str, seed: int) -> int:
    """The group's place among all groups: a 64-bit hash of seed and name."""
    digest = hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def split_groups(groups: Iterable[str], config: CorpusConfig) -> dict[str, str]:
    """Group → `train`, `validation` or `test`.

    Raises:
        InputError: there are too few groups to hold any out.
    """
    ranked = sorted(set(groups), key=lambda group: rank_group(group, config.seed))
    held_out = [
        max(config.min_groups, round(fraction * len(ranked)))
        for fraction in (config.validation_fraction, config.test_fraction)
    ]
    if sum(held_out) > len(ranked) / 2:
        raise InputError(
            _(
                "corpus.min_groups: {groups} headwords are too few to hold out {held_out}; give "
                "more text, or lower corpus.min_groups."
            ).format(groups=len(ranked), held_out=sum(held_out))
        )
    names = ["validation"] * held_out[0] + ["test"] * held_out[1]
    names += ["train"] * (len(ranked) - len(names))
    return dict(zip(ranked, names, strict=True))

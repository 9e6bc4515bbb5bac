"""The catalogue of all documents in; each one's group and split, and what is to be told of it, out."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.config import SOURCES_OF_ENTRIES, CorpusConfig
from hf_zh_dict.corpus.catalogue import Catalogue, Integers, numbers
from hf_zh_dict.corpus.grouping import Groups, Links, group_keys, group_limit
from hf_zh_dict.corpus.shared_passages import shared_passages
from hf_zh_dict.corpus.split import rank_group, split_groups
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import SPLITS
from hf_zh_dict.progress import track

LENGTHS = (0, 30, 60, 120, 300)  # characters; documents are counted from each up to the next


@dataclass(frozen=True)
class Division:
    """Where everything belongs.

    Attributes:
        names: the groups' names, by key.
        group_of: each document's group, as a key.
        split_of: each document's split, as its place in SPLITS; −1: dropped.
        facts: what is to be told of it.
    """

    names: list[str]
    group_of: npt.NDArray[np.int32]
    split_of: npt.NDArray[np.int8]
    facts: dict[str, Any]


def divide(
    config: CorpusConfig,
    catalogue: Catalogue,
    kept: npt.NDArray[np.bool_],
    texts: Callable[[], Iterable[str]],
    folder: Path,
) -> Division:
    """Join the entries into groups, deal the groups to splits.

    Args:
        kept: of each document, whether it is not dropped.
        texts: gives all documents' texts, in their order, as often as it is called.
        folder: takes files for the time being.
    """
    similar = Links.of(catalogue.near.pairs())
    if config.source not in SOURCES_OF_ENTRIES:
        catalogue.name_lines(texts(), kept)
        similar = compare_lines(catalogue, texts(), folder)
    names, places = catalogue.sorted_keys()
    stated = catalogue.stated_links()
    stated = Links(places[stated.ends], stated.strengths)
    similar = Links(places[similar.ends], similar.strengths)
    entry_of = numbers(catalogue.entry_of)
    key_of_entry = places[numbers(catalogue.key_of)]
    kept_entries = np.unique(entry_of[kept])
    num_entries = np.bincount(key_of_entry[kept_entries], minlength=len(names))
    groups, split_of_key = deal(config, names, num_entries, stated + similar)
    split_of = np.where(kept, split_of_key[key_of_entry][entry_of], np.int8(-1))
    group_of = groups.group_of[key_of_entry].astype(np.int32)[entry_of]
    sizes = np.bincount(groups.group_of, weights=num_entries).astype(np.int64)
    facts = {
        **count_documents(catalogue, split_of, group_of, kept_entries),
        "links": {
            "stated": len(stated.strengths),
            "similar": len(similar.strengths),
            "cut": groups.num_cut,
            "limit": group_limit(int(num_entries.sum())),
            "largest_group": int(sizes.max()),
            "groups_of_several_headwords": int(
                (np.bincount(groups.group_of[num_entries > 0]) > 1).sum()
            ),
        },
        "moved": count_moved(config, names, num_entries, stated, similar, split_of_key),
    }
    return Division(names, group_of, split_of, facts)


def deal(
    config: CorpusConfig, names: list[str], num_entries: Integers, links: Links
) -> tuple[Groups, npt.NDArray[np.int8]]:
    """The groups, and each key's split as its place in SPLITS (−1: a key without entries)."""
    groups = group_keys(num_entries, links, limit=group_limit(int(num_entries.sum())))
    present = num_entries > 0
    named, place = np.unique(groups.group_of[present], return_inverse=True)
    split_of_key = np.full(len(names), -1, np.int8)
    split_of_key[present] = split_groups([names[key] for key in named.tolist()], config)[place]
    return groups, split_of_key


def compare_lines(catalogue: Catalogue, texts: Iterable[str], folder: Path) -> Links:
    """Links between lines that share long passages."""
    total = len(catalogue.entry_of)
    pairs, strengths = shared_passages(
        track(texts, _("corpus: comparing lines"), total=total), folder
    )
    ends = numbers(catalogue.key_of)[numbers(catalogue.entry_of)[pairs]].astype(np.int64)
    different = ends[:, 0] != ends[:, 1]
    return Links(ends[different], strengths[different])


def count_documents(
    catalogue: Catalogue, split_of: npt.NDArray[np.int8], group_of: Integers, kept_entries: Integers
) -> dict[str, Any]:
    """Entries, documents, groups and characters: in all, in each split, by stratum."""
    lengths = numbers(catalogue.lengths)
    dictionary_of, view_of = numbers(catalogue.dictionary_of), numbers(catalogue.view_of)
    dictionary_of_entry = np.zeros(len(catalogue.key_of), np.uint16)
    dictionary_of_entry[numbers(catalogue.entry_of)] = dictionary_of

    def by_split(classes: Integers, names: Sequence[str]) -> dict[str, dict[str, int]]:
        counted = {
            split: np.bincount(classes[split_of == place], minlength=len(names)).tolist()
            for place, split in enumerate(SPLITS)
        }
        return {
            name: {split: counted[split][number] for split in SPLITS}
            for number, name in enumerate(names)
        }

    dictionaries, views = catalogue.dictionaries.listed(), catalogue.views.listed()
    ranges = [f"{low}–{high - 1}" for low, high in itertools.pairwise(LENGTHS)]
    inside = [split_of == place for place in range(len(SPLITS))]
    per_dictionary = np.bincount(dictionary_of_entry[kept_entries], minlength=len(dictionaries))
    return {
        "entries": len(kept_entries),
        "documents": int((split_of >= 0).sum()),
        "groups": len(np.unique(group_of[split_of >= 0])),
        "dictionaries": dict(zip(dictionaries, per_dictionary.tolist(), strict=True)),
        "views": {
            name: int(((view_of == number) & (split_of >= 0)).sum())
            for number, name in enumerate(views)
        },
        "splits": {
            split: {
                "documents": int(mask.sum()),
                "groups": len(np.unique(group_of[mask])),
                "characters": int(lengths[mask].sum()),
            }
            for split, mask in zip(SPLITS, inside, strict=True)
        },
        "strata": {
            "dictionary": by_split(dictionary_of, dictionaries),
            "length": by_split(
                np.digitize(lengths, LENGTHS).astype(np.int8) - 1, [*ranges, f"{LENGTHS[-1]}–"]
            ),
        },
    }


def count_moved(
    config: CorpusConfig,
    names: list[str],
    num_entries: Integers,
    stated: Links,
    similar: Links,
    split_of_key: npt.NDArray[np.int8],
) -> dict[str, int]:
    """How many entries change split when 1 % of the headwords is added to the others.

    Before, what the others state of the added headwords was stated already; what the added ones
    state, and what is similar to them, was not known.
    """
    added = np.array([rank_group(name, config.seed + 1) < 0.01 for name in names])
    before = np.where(added, 0, num_entries)
    stated = stated.where(~added[stated.ends[:, 0]])
    similar = similar.where(~(added[similar.ends[:, 0]] | added[similar.ends[:, 1]]))
    try:
        _groups, split_before = deal(config, names, before, stated + similar)
    except InputError:  # nearly too few groups to divide: too few without that 1 %
        return {}
    moved = (before > 0) & (split_before != split_of_key)
    return {
        "added": int(num_entries[added].sum()),
        "moved": int(num_entries[moved].sum()),
        "of": int(before.sum()),
    }

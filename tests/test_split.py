"""Groups are dealt to the splits by name and seed alone, and no group lies in two."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus import split
from hf_zh_dict.corpus.split import rank_group
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import SPLITS

CONFIG = CorpusConfig(validation_fraction=0.1, test_fraction=0.05, min_groups=1)
WORDS = ["".join(pair) for pair in itertools.product("山水風雨花草魚鳥石木", repeat=2)]


def split_groups(groups, config):
    """Group → the name of its split."""
    places = split.split_groups(groups, config).tolist()
    return {group: SPLITS[place] for group, place in zip(groups, places, strict=True)}


group_sets = st.sets(st.text(max_size=5), min_size=40, max_size=80)
seeds = st.integers(0, 2**31)


@given(groups=group_sets, seed=seeds)
def test_every_group_lies_in_one_split_and_each_split_has_its_share(groups, seed):
    config = dataclasses.replace(CONFIG, seed=seed)
    splits = split_groups(sorted(groups), config)
    assert set(splits) == groups
    sizes = {name: list(splits.values()).count(name) for name in ("train", "validation", "test")}
    assert sum(sizes.values()) == len(groups)
    ranks = {group: rank_group(group, seed) for group in groups}
    assert sizes["validation"] == max(1, sum(rank < 0.1 for rank in ranks.values()))
    if all(sizes[name] > 1 for name in ("validation", "test")):
        assert all((ranks[g] < 0.1) == (splits[g] == "validation") for g in groups)
        assert all((0.1 <= ranks[g] < 0.15) == (splits[g] == "test") for g in groups)


@given(groups=st.permutations(WORDS))
def test_the_order_of_groups_does_not_matter(groups):
    assert split_groups(groups, CONFIG) == split_groups(WORDS, CONFIG)


@given(new=st.sets(st.text("甲乙丙丁", min_size=1, max_size=4), max_size=5))
def test_new_groups_move_no_old_ones(new):
    before, after = split_groups(WORDS, CONFIG), split_groups([*WORDS, *new], CONFIG)
    assert {word: after[word] for word in WORDS} == before


def test_another_seed_holds_out_other_groups():
    def held_out(seed):
        splits = split_groups(WORDS, dataclasses.replace(CONFIG, seed=seed))
        return frozenset(group for group, split in splits.items() if split != "train")

    assert len({held_out(seed) for seed in range(5)}) == 5


def test_the_rank_of_a_group_is_the_same_on_every_machine():
    ranks = [rank_group(group, seed) for group, seed in (("燈塔", 0), ("燈塔", 1), ("", 0))]
    assert ranks == [
        n / 2**64 for n in (10558480404155968811, 2796570520772474824, 15113451483429091486)
    ]


@pytest.mark.parametrize(("groups", "fits"), [(79, False), (80, True), (81, True)])
def test_small_corpora_hold_out_the_minimum_or_are_refused(groups, fits):
    config = CorpusConfig(validation_fraction=0.01, test_fraction=0.01, min_groups=20)
    names = list(map(str, range(groups)))
    if fits:
        splits = list(split_groups(names, config).values())
        assert splits.count("validation") == splits.count("test") == 20
    else:
        with pytest.raises(InputError, match=f"{groups} headwords are too few to hold out 40"):
            split_groups(names, config)


def test_no_text_at_all_is_refused():
    with pytest.raises(InputError, match="0 headwords are too few"):
        split_groups([], CONFIG)

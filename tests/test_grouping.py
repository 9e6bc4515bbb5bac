"""Groups are connected components; a limit cuts the weakest links, and equal headwords never part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_zh_dict.corpus.grouping import STATED, Links, group_keys, group_limit

NO_LIMIT = 10**9


@st.composite
def graphs(draw):
    """The number of entries of each key (0: only named), and links with a strength."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=25))
    key = st.integers(0, len(sizes) - 1)
    strength = st.sampled_from([0.5, 0.6, 0.75, STATED])
    return np.array(sizes), draw(st.lists(st.tuples(key, key, strength), max_size=40))


def grouped(sizes, links, limit=NO_LIMIT):
    return group_keys(np.array(sizes), Links.of(links), limit=limit)


def components(num_keys, links):
    """Each key's component, found breadth first."""
    neighbours = {key: {key} for key in range(num_keys)}
    for one, other, _ in links:
        neighbours[one].add(other)
        neighbours[other].add(one)
    found = [frozenset()] * num_keys
    for start in range(num_keys):
        seen, waiting = {start}, [start]
        while waiting:
            new = neighbours[waiting.pop(0)] - seen
            seen |= new
            waiting += new
        found[start] = frozenset(seen)
    return found


@given(graphs())
def test_where_no_limit_bites_groups_are_the_connected_components(graph):
    sizes, links = graph
    groups = grouped(sizes, links)
    assert groups.num_cut == 0
    for key, component in enumerate(components(len(sizes), links)):
        members = {other for other in component if sizes[other]}
        if members:
            assert groups.group_of[key] == min(members)
        else:
            assert groups.group_of[key] in component


@given(graphs(), st.integers(1, 8))
def test_links_bring_no_more_together_than_the_limit(graph, limit):
    sizes, links = graph
    groups = grouped(sizes, links, limit)
    for group in set(groups.group_of.tolist()):
        members = sizes[groups.group_of == group]
        assert members.sum() <= max(limit, members.max())
        assert members.sum() == 0 or sizes[group] > 0
    parts = components(len(sizes), links)
    assert all(group in parts[key] for key, group in enumerate(groups.group_of.tolist()))
    if groups.num_cut == 0:
        assert (groups.group_of == grouped(sizes, links).group_of).all()


@given(graphs(), st.integers(1, 8), st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_direction_nor_repetition_of_links_matters(
    graph, limit, generator
):
    sizes, links = graph
    before = grouped(sizes, links, limit)
    again = [
        (other, one, strength) if generator.random() < 0.5 else (one, other, strength)
        for one, other, strength in links + generator.sample(links, len(links) // 2)
    ]
    generator.shuffle(again)
    after = grouped(sizes, again, limit)
    assert (after.group_of == before.group_of).all()
    assert after.num_cut == before.num_cut


def test_the_strongest_links_are_kept():
    links = [(0, 1, 0.6), (1, 2, STATED), (2, 3, 0.5), (3, 4, 0.9)]
    groups = grouped([1] * 5, links, limit=3)
    assert groups.group_of.tolist() == [0, 0, 0, 3, 3]
    assert groups.num_cut == 1


def test_a_pair_is_cut_once_however_often_it_is_linked():
    assert grouped([2, 2], [(0, 1, STATED), (1, 0, STATED), (0, 1, 0.5)], limit=3).num_cut == 1


def test_equal_headwords_stay_together_above_the_limit():
    groups = grouped([9, 1, 1], [(0, 1, STATED), (1, 2, STATED)], limit=5)
    assert groups.group_of.tolist() == [0, 1, 1]
    assert groups.num_cut == 1


def test_the_smallest_key_with_entries_names_the_group():
    assert grouped([0, 0, 1, 1], [(3, 0, 0.5), (2, 0, 0.5)]).group_of.tolist() == [2, 1, 2, 2]


def test_keys_that_are_only_named_join_but_never_fill_a_group():
    named = [(0, key, STATED) for key in range(1, 10)]
    groups = grouped([1, *[0] * 8, 1], named, limit=2)
    assert set(groups.group_of.tolist()) == {0}
    assert groups.num_cut == 0


@pytest.mark.parametrize(
    ("entries", "limit"), [(0, 50), (800, 50), (50_999, 50), (51_000, 51), (160_000, 160)]
)
def test_the_limit_is_fifty_or_a_thousandth(entries, limit):
    assert group_limit(entries) == limit


def test_links_add_up():
    one, none = Links.of([(0, 1, 0.5)]), Links.of([])
    assert none.ends.shape == (0, 2)
    both = one + none + Links.of([(2, 3, 1.0)])
    assert both.ends.tolist() == [[0, 1], [2, 3]]
    assert both.strengths.tolist() == [0.5, 1.0]


def test_a_long_chain_is_cut_into_groups_as_large_as_allowed():
    links = [(key, key + 1, STATED) for key in range(9_999)]
    groups = grouped([1] * 10_000, links, limit=50)
    assert np.bincount(groups.group_of).max() <= 50
    assert len(np.unique(groups.group_of)) == groups.num_cut + 1

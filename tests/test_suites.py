"""Suites are known by name; a wrong name is told with the right ones."""

import pytest

from hf_zh_dict.evaluation.suites import SUITES, load_suite
from hf_zh_dict.messages import InputError


@pytest.mark.parametrize("name", list(SUITES))
def test_every_suite_can_be_loaded(name):
    assert callable(load_suite(name).run)


def test_a_wrong_name_is_told_with_the_right_ones():
    with pytest.raises(InputError, match=r"no suite “bitz”; the suites are bits"):
        load_suite("bitz")

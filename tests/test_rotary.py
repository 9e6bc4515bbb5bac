"""The two orders of rotary pairs are turned into each other, and mean the same."""

import pytest
import torch

from hf_zh_dict.model.rotary import halves_to_pairs, pairs_to_halves


def test_rows_of_each_head_are_reordered():
    rows = torch.arange(8)[:, None]
    assert pairs_to_halves(rows, 2).flatten().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert pairs_to_halves(rows, 1).flatten().tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


@pytest.mark.parametrize("num_heads", [1, 2, 6])
def test_one_undoes_the_other(num_heads):
    weight = torch.randn(24, 5)
    assert torch.equal(halves_to_pairs(pairs_to_halves(weight, num_heads), num_heads), weight)
    assert torch.equal(pairs_to_halves(halves_to_pairs(weight, num_heads), num_heads), weight)


def test_turning_neighbours_equals_turning_halves():
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(8, 5, generator=generator) for _matrix in range(2))
    first, second = (torch.randn(5, generator=generator) for _position in range(2))
    angles = torch.tensor([1.0, 0.1, 0.01, 0.001])

    def turn_pairs(vector, position):
        turned = torch.view_as_complex(vector.view(4, 2)) * torch.polar(
            torch.ones(4), angles * position
        )
        return torch.view_as_real(turned).flatten()

    def turn_halves(vector, position):
        turned = torch.complex(vector[:4], vector[4:]) * torch.polar(
            torch.ones(4), angles * position
        )
        return torch.cat([turned.real, turned.imag])

    expected = turn_pairs(query @ first, 7) @ turn_pairs(key @ second, 3)
    query, key = pairs_to_halves(query, 1), pairs_to_halves(key, 1)
    found = turn_halves(query @ first, 7) @ turn_halves(key @ second, 3)
    torch.testing.assert_close(found, expected)

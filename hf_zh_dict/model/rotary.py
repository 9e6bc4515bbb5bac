"""Query and key weights in, the same weights for the other order of rotary pairs out.

llama2.c and llama.cpp turn neighbouring channels of a head (2i, 2i+1) by one angle, transformers'
Llama channel i with i + half. The angles are the same, so permuting rows turns one into the other.
"""

import torch


def pairs_to_halves(weight: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Rows [heads · head, width] from neighbours to halves, head by head."""
    rows, width = weight.shape
    return weight.view(num_heads, -1, 2, width).transpose(1, 2).reshape(rows, width)


def halves_to_pairs(weight: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Rows [heads · head, width] from halves to neighbours, head by head."""
    rows, width = weight.shape
    return weight.view(num_heads, 2, -1, width).transpose(1, 2).reshape(rows, width)

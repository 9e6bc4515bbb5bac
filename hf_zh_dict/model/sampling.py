"""How the next token is chosen; apart from generate.py so that `--help` needs no torch."""

from dataclasses import dataclass

from hf_zh_dict.config import check, setting
from hf_zh_dict.messages import N_


@dataclass(frozen=True)
class Sampling:
    """Settings of one generation."""

    max_new_tokens: int = setting(200, N_("longest continuation, in tokens"))
    temperature: float = setting(
        0.8, N_("how freely the next token is chosen (0: always the likeliest)")
    )
    top_k: int = setting(50, N_("choose among the k likeliest tokens (0: all)"))
    top_p: float = setting(0.95, N_("choose among the likeliest tokens of this total probability"))
    seed: int = setting(0, N_("seed of the choice"))

    def __post_init__(self) -> None:
        check(self.max_new_tokens >= 1, "--max-new-tokens", N_("must be at least 1"))
        check(self.temperature >= 0, "--temperature", N_("must not be below 0"))
        check(self.top_k >= 0, "--top-k", N_("must not be below 0"))
        check(0 < self.top_p <= 1, "--top-p", N_("must be above 0 and at most 1"))

"""Definitions in, the places of their headwords among all headwords of the corpus out.

The right headword is the one behind which its definition costs least, −log P(definition | headword,
注音, 漢語拼音). To ask that of each of 130,000 headwords takes hours, so it is asked in two steps, as
search engines do. What the model expects right behind a headword is made once for each; by it all
headwords are put in order for every definition. The first of them are then asked exactly; the
others keep their places behind these.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hf_zh_dict.evaluation.entries import Definition
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.ranking import measure_ranks, rank_of
from hf_zh_dict.evaluation.scoring import ScoredText, make_logits, run_body, score_tokens
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _
from hf_zh_dict.progress import track
from hf_zh_dict.tokens.tokenizer import encode_texts

Floats = npt.NDArray[np.float64]
SHORTLIST = 300  # headwords that are asked exactly, for each definition
ROWS = 256  # lines that the model reads at once


def rank_headwords(
    subject: Subject, asked: Sequence[Definition], beginnings: Mapping[str, str]
) -> dict[str, Any]:
    """`beginnings` has how a line begins for each headword, those of `asked` among them.

    `shortlisted` is the share of the right headwords that were asked exactly.
    """
    headwords, lines = list(beginnings), list(beginnings.values())
    expected = expect_endings(subject, lines, [definition.ending for definition in asked])
    ranks, shortlisted = [], []
    for column, definition in enumerate(track(asked, _("dictionary: headwords"), total=len(asked))):
        right, rough = headwords.index(definition.of.headword), expected[:, column]
        order = np.argsort(rough, kind="stable")[:SHORTLIST].tolist()
        shortlisted.append(right in order)
        if shortlisted[-1]:
            exact = score_ending(subject, [lines[index] for index in order], definition.ending)
            ranks.append(rank_of(exact, order.index(right)))
        else:
            ranks.append(max(rank_of(rough, right), len(order) + 1))
    groups = [definition.of.group for definition in asked]
    measures = measure_ranks(
        ranks, groups, choices=len(lines), places=(1, 10, 100), median=True, seed=subject.seed
    )
    found = measure_ratio(
        np.array(shortlisted, dtype=np.float64), groups,
        chance=min(1, SHORTLIST / len(lines)), seed=subject.seed,
    )  # fmt: skip
    return {**measures, "shortlisted": found, "headwords": len(lines)}


def expect_endings(subject: Subject, lines: Sequence[str], endings: Sequence[str]) -> Floats:
    """How little each ending is expected behind each line, [lines, endings].

    −Σ log P(token | line) over the ending's different tokens, each as if it came first: a word that
    the model has in mind counts, wherever the definition says it.
    """
    spoken = [sorted(set(ids)) for ids in encode_texts(subject.tokenizer, list(endings))]
    tokens = sorted(set().union(*spoken))
    places = {token: place for place, token in enumerate(tokens)}
    holds = torch.zeros(len(tokens), len(endings), device=subject.model.device)
    for column, words in enumerate(spoken):
        holds[[places[token] for token in words], column] = 1
    expected = np.zeros((len(lines), len(endings)))
    batches = list(read_ahead(subject, lines))
    for chosen, ids, last in track(batches, _("dictionary: all headwords"), total=len(batches)):
        with torch.no_grad():
            states, _cache = run_body(subject.model, ids)
            logits = make_logits(subject.model, states[torch.arange(len(ids)), last])
            likely = logits[:, tokens] - logits.logsumexp(dim=1, keepdim=True)
            expected[chosen] = -(likely @ holds).double().cpu().numpy()
    return expected


Batch = tuple[list[int], torch.Tensor, torch.Tensor]  # which lines, their ids, where each ends


def read_ahead(subject: Subject, lines: Sequence[str]) -> Iterator[Batch]:
    """The lines behind bos, `ROWS` of about one length at a time; padding stands behind a line."""
    limit = subject.context_length
    encoded = [
        [subject.tokenizer.bos_token_id, *ids][:limit]
        for ids in encode_texts(subject.tokenizer, list(lines))
    ]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    for start in range(0, len(order), ROWS):
        chosen = order[start : start + ROWS]
        width = len(encoded[chosen[-1]])
        ids = torch.zeros(len(chosen), width, dtype=torch.long)
        for row, index in enumerate(chosen):
            ids[row, : len(encoded[index])] = torch.tensor(encoded[index])
        last = torch.tensor([len(encoded[index]) - 1 for index in chosen])
        yield chosen, ids.to(subject.model.device), last.to(subject.model.device)


def score_ending(subject: Subject, lines: Sequence[str], ending: str) -> Floats:
    """−log P(ending | line) in nats, [lines]; line and ending are encoded together."""
    alone = encode_texts(subject.tokenizer, list(lines))
    whole = encode_texts(subject.tokenizer, [line + ending for line in lines])
    texts = [ScoredText((subject.tokenizer.bos_token_id, *ids), 1, 1) for ids in whole]
    costs = score_tokens(
        subject.model, texts, batch_size=ROWS, context_length=subject.context_length
    )
    return np.array([
        cost[count_equal(first, ids) :].sum()
        for cost, first, ids in zip(costs, alone, whole, strict=True)
    ])  # fmt: skip


def count_equal(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))

"""Definitions in, the places of their headwords among all headwords of the corpus out.

The right headword is the one behind which its definition costs least, −log P(definition | headword,
注音, 漢語拼音). To ask that of each of 150,000 headwords takes hours, so it is asked in two steps, as
search engines do. Every headword is read once, alone, and what the model has in mind behind it puts
all of them in an order for each definition. The first of that order are then asked exactly; the others
keep their places behind these.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.evaluation.entries import Definition, begin
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.ranking import measure_ranks, rank_of
from hf_zh_dict.evaluation.scoring import ScoredText, make_logits, run_body, score_tokens
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _
from hf_zh_dict.progress import track
from hf_zh_dict.tokens.tokenizer import encode_texts

Floats = npt.NDArray[np.float64]
SHORTLIST = 300  # headwords that are asked exactly, for each definition
HEADWORDS_AT_ONCE, LINES_AT_ONCE = 128, 64  # as many as stay in a processor's cache
OPENING = SEPARATOR + "1.指一種"  # a definition may begin so: the words behind it are of any part
SMALLEST = 1e-30  # a probability that logarithms can take


def rank_headwords(
    subject: Subject, asked: Sequence[Definition], texts: Mapping[str, str]
) -> dict[str, Any]:
    """`texts` has the line of an entry for each headword; those of `asked` are added if need be.

    `shortlisted` is the share of the right headwords that were asked exactly.
    """
    texts = {definition.of.headword: definition.of.text for definition in asked} | dict(texts)
    headwords = list(texts)
    expected = expect_endings(subject, headwords, [definition.ending for definition in asked])
    ranks, shortlisted = [], []
    for column, definition in enumerate(track(asked, _("dictionary: headwords"), total=len(asked))):
        right, rough = headwords.index(definition.of.headword), expected[:, column]
        order = np.argsort(rough, kind="stable")[:SHORTLIST].tolist()
        shortlisted.append(right in order)
        if shortlisted[-1]:
            lines = [begin(word, texts[word]) for word in (headwords[index] for index in order)]
            lines[order.index(right)] = definition.beginning
            exact = score_ending(subject, lines, definition.ending)
            ranks.append(rank_of(exact, order.index(right)))
        else:
            ranks.append(max(rank_of(rough, right), len(order) + 1))
    groups = [definition.of.group for definition in asked]
    measures = measure_ranks(
        ranks, groups, choices=len(headwords), places=(1, 10, 100), median=True, seed=subject.seed
    )
    found = measure_ratio(
        np.array(shortlisted, dtype=np.float64), groups,
        chance=min(1, SHORTLIST / len(headwords)), seed=subject.seed,
    )  # fmt: skip
    return {**measures, "shortlisted": found, "headwords": len(headwords)}


def expect_endings(subject: Subject, lines: Sequence[str], endings: Sequence[str]) -> Floats:
    """How far each ending is from what the model has in mind behind each line, [lines, endings].

    −Σ max(0, log P(token | line) − log P(token)) over the ending's different tokens (positive
    pointwise mutual information; Church and Hanks 1990). P(token | line) is the mean over the places
    of a common opening behind the line, P(token) its mean over all lines.
    """
    spoken = [sorted(set(ids)) for ids in encode_texts(subject.tokenizer, list(endings))]
    tokens = sorted(set().union(*spoken))
    holds = np.array([[token in words for words in spoken] for token in tokens], dtype=np.float32)
    likely = np.zeros((len(lines), len(tokens)), dtype=np.float32)
    batches = list(batch_openings(subject, lines))
    for chosen, ids, places in track(batches, _("dictionary: all headwords"), total=len(batches)):
        with torch.no_grad():
            states, _cache = run_body(subject.model, ids)
            rows = torch.arange(len(ids), device=ids.device)[:, None]
            logits = make_logits(subject.model, states[rows, places].flatten(0, 1))
            logs = logits[:, tokens] - logits.logsumexp(dim=1, keepdim=True)
            likely[chosen] = logs.exp().view(*places.shape, -1).mean(dim=1).cpu().numpy()
    mean = likely.mean(axis=0)
    information = np.log(np.maximum(likely, SMALLEST) / np.maximum(mean, SMALLEST))
    expected: Floats = -(information.clip(min=0) @ holds).astype(np.float64)
    return expected


Batch = tuple[list[int], torch.Tensor, torch.Tensor]  # which lines, ids, places of the opening


def batch_openings(subject: Subject, lines: Sequence[str]) -> Iterator[Batch]:
    """Lines with the opening, many of about one length at a time; padding stands behind a line.

    The places are those of the last tokens, as many as the opening has (where a line merges
    into it, one may be the line's own).
    """
    tokenizer = subject.tokenizer
    encoded = encode_texts(tokenizer, [line + OPENING for line in lines])
    opening = len(encode_texts(tokenizer, [OPENING])[0])
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    for start in range(0, len(order), HEADWORDS_AT_ONCE):
        chosen = order[start : start + HEADWORDS_AT_ONCE]
        ends = torch.tensor([len(encoded[index]) for index in chosen])  # bos stands before
        ids = torch.full((len(chosen), int(ends[-1]) + 1), tokenizer.bos_token_id)
        for row, index in enumerate(chosen):
            ids[row, 1 : len(encoded[index]) + 1] = torch.tensor(encoded[index])
        places = ends[:, None] - torch.arange(opening)
        yield chosen, ids.to(subject.model.device), places.to(subject.model.device)


def score_ending(subject: Subject, lines: Sequence[str], ending: str) -> Floats:
    """−log P(ending | line) in nats, [lines]; line and ending are encoded together."""
    alone = encode_texts(subject.tokenizer, list(lines))
    whole = encode_texts(subject.tokenizer, [line + ending for line in lines])
    texts = [ScoredText((subject.tokenizer.bos_token_id, *ids), 1, 1) for ids in whole]
    costs = score_tokens(
        subject.model, texts, batch_size=LINES_AT_ONCE, context_length=subject.context_length
    )
    return np.array([
        cost[count_equal(first, ids) :].sum()
        for cost, first, ids in zip(costs, alone, whole, strict=True)
    ])  # fmt: skip


def count_equal(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))

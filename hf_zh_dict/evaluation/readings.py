"""A corpus and a model in, how well it reads headwords that it has not seen out (注音).

The model continues the line up to the reading, always with the likeliest token; what it writes
up to the next field is its answer.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.dictionaries.views import HAN
from hf_zh_dict.evaluation.continuations import continue_greedily
from hf_zh_dict.evaluation.entries import HeldOutEntry
from hf_zh_dict.evaluation.measure import measure_ratio
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.messages import _
from hf_zh_dict.progress import track
from hf_zh_dict.tokens.tokenizer import encode_texts

USUAL = 0.05  # share of a character's readings from which on one counts as usual
NEW_TOKENS = 48  # in an answer at most
TONES = "ˊˇˋ˙"


@dataclass(frozen=True)
class KnownReadings:
    """What the train split says of how characters are read."""

    of: Mapping[str, Counter[str]]  # character → how often each syllable
    pairs: frozenset[str]  # adjacent characters of its headwords
    syllable: str  # the most frequent one
    tone: str  # likewise

    def guess(self, headword: str) -> list[str]:
        """Each character as it is mostly read, whatever stands beside it."""
        return [
            self.of[character].most_common(1)[0][0] if character in self.of else self.syllable
            for character in HAN.findall(headword)
        ]

    def kinds(self, headword: str) -> list[str]:
        """The classes of questions that a headword belongs to."""
        characters = HAN.findall(headword)
        several = any(map(self.has_several, characters))
        kinds = ["all", "with_heteronym" if several else "single_reading"]
        if len(characters) > 1 and not any(p in self.pairs for p in pairs_of(headword)):
            kinds.append("unseen_compound")
        return kinds

    def has_several(self, character: str) -> bool:
        """Whether it is a 破音字 in use: two readings or more, each of them usual."""
        counts = self.of.get(character, Counter())
        usual = [n for n in counts.values() if n > 1 and n >= USUAL * counts.total()]
        return len(usual) > 1


def learn_readings(rows: Iterable[dict[str, Any]]) -> KnownReadings:
    """From headwords that have one syllable for each character."""
    of: defaultdict[str, Counter[str]] = defaultdict(Counter)
    pairs: set[str] = set()
    syllables: Counter[str] = Counter()
    for row in rows:
        pairs.update(pairs_of(row["headword"]))
        characters = HAN.findall(row["headword"])
        for span in row["spans"]:
            if span["field"] == "bopomofo":
                spoken = split_syllables(row["text"][span["start"] : span["end"]])
                syllables.update(spoken)
                if len(spoken) == len(characters):
                    for character, syllable in zip(characters, spoken, strict=True):
                        of[character][syllable] += 1
    tones: Counter[str] = Counter()
    for syllable, count in syllables.items():
        tones[tone_of(syllable)] += count
    most = syllables.most_common(1) or [("", 0)]
    return KnownReadings(
        of, frozenset(pairs), most[0][0], max(tones, key=tones.__getitem__, default="")
    )


def pairs_of(headword: str) -> list[str]:
    return [headword[i : i + 2] for i in range(len(headword) - 1)]


def split_syllables(bopomofo: str) -> list[str]:
    return re.findall(r"[^\s，；…]+", bopomofo)


def tone_of(syllable: str) -> str:
    """Its tone mark; none for the first tone."""
    return next((mark for mark in TONES if mark in syllable), "")


def examine_readings(subject: Subject, entries: Sequence[HeldOutEntry]) -> dict[str, Any]:
    """Exact readings, syllables and tones by kind of headword, beside what characters alone tell.

    Chance is who always answers the most frequent syllable, and for tones the most frequent tone;
    `by_character` reads each character as train mostly does.
    """
    train = subject.paths.split("train")
    known = learn_readings(
        row
        for row in read_rows(train, ["text", "headword", "view", "spans"])
        if row["view"] == "plain"
    )
    asked = [entry for entry in entries if entry.reading.bopomofo]
    right = [split_syllables(entry.reading.bopomofo) for entry in asked]
    answers = read_aloud(subject, [prompt_of(entry) for entry in asked])
    guesses = [known.guess(entry.headword) for entry in asked]
    kinds = [known.kinds(entry.headword) for entry in asked]
    results: dict[str, Any] = {}
    for kind in ("all", "single_reading", "with_heteronym", "unseen_compound"):
        chosen = [index for index, names in enumerate(kinds) if kind in names]
        if not chosen:
            continue
        groups = [asked[index].group for index in chosen]
        truth = [right[index] for index in chosen]
        chance = {
            name: sum(upper) / sum(lower)
            for name, (upper, lower) in compare(truth, [[known.syllable] * len(t) for t in truth]).items()
        }  # fmt: skip
        tones = [tone_of(syllable) for spoken in truth for syllable in spoken]
        chance["tone"] = tones.count(known.tone) / len(tones)
        results[kind] = {
            name: measure_ratio(
                upper, groups, denominators=lower, chance=chance[name], seed=subject.seed
            )
            for name, (upper, lower) in compare(truth, [answers[i] for i in chosen]).items()
        }
        results.setdefault("by_character", {})[kind] = {
            name: measure_ratio(upper, groups, denominators=lower, seed=subject.seed)
            for name, (upper, lower) in compare(truth, [guesses[i] for i in chosen]).items()
        }
    return results


def compare(
    truth: Sequence[list[str]], answers: Sequence[list[str]]
) -> dict[str, tuple[list[float], list[float]]]:
    """What is right and of how many, item by item: whole readings, syllables, tones, by place."""
    pairs = [list(zip(t, a, strict=False)) for t, a in zip(truth, answers, strict=True)]
    ones, sizes = [1.0] * len(truth), [float(len(t)) for t in truth]
    return {
        "exact": ([float(t == a) for t, a in zip(truth, answers, strict=True)], ones),
        "syllable": ([float(sum(t == a for t, a in pair)) for pair in pairs], sizes),
        "tone": ([float(sum(tone_of(t) == tone_of(a) for t, a in pair)) for pair in pairs], sizes),
    }


def prompt_of(entry: HeldOutEntry) -> str:
    """The entry's line up to its first reading, without the separator before it."""
    return entry.text[: entry.text.index(SEPARATOR + entry.reading.bopomofo)]


def read_aloud(subject: Subject, prompts: Sequence[str]) -> list[list[str]]:
    """The syllables that the model writes behind each prompt, up to the next field."""
    tokenizer = subject.tokenizer
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    first = [token for token, text in enumerate(texts) if text.startswith(SEPARATOR)]
    first = first or encode_texts(tokenizer, [SEPARATOR])[0][:1]
    last = {token for token, text in enumerate(texts) if SEPARATOR in text}
    last.add(tokenizer.eos_token_id)
    encoded = [[tokenizer.bos_token_id, *ids] for ids in encode_texts(tokenizer, list(prompts))]
    fitting = [i for i, ids in enumerate(encoded) if len(ids) < subject.context_length]
    order = sorted(fitting, key=lambda index: len(encoded[index]))
    answers: list[list[str]] = [[] for _prompt in prompts]
    batches = list(batch_equal(order, [len(ids) for ids in encoded], 4 * subject.batch_size))
    for batch in track(batches, _("dictionary: readings"), total=len(batches)):
        written = continue_greedily(
            subject.model, [encoded[index] for index in batch],
            max_new_tokens=NEW_TOKENS, allowed_first=first,
            is_done=lambda row: len(row) > 1 and row[-1] in last,
        )  # fmt: skip
        for index, ids in zip(batch, written, strict=True):
            text = str(tokenizer.decode(ids, skip_special_tokens=True))
            answers[index] = split_syllables(text.removeprefix(SEPARATOR).split(SEPARATOR)[0])
    return answers


def batch_equal(order: Sequence[int], lengths: Sequence[int], size: int) -> Iterable[list[int]]:
    """Neighbours of one length, at most `size` at once."""
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) == size or lengths[batch[0]] != lengths[index]):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch

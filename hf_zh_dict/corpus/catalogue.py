"""Documents as they stream by in; what dividing them needs to know out, as arrays of numbers.

An entry is a run of documents with one dictionary and entry id (a line of text is an entry of its
own). A key is a normalised headword. Each headword is held once; everything else is a few bytes a
document, so memory hardly grows with the corpus.
"""

import hashlib
import re
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.corpus.grouping import STATED, Links
from hf_zh_dict.corpus.near_duplicates import NearDuplicates
from hf_zh_dict.dictionaries.entry import Document, Span
from hf_zh_dict.dictionaries.normalize import PLACEHOLDER, normalize_headword

PRIVATE_USE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")
COMMON_BEGINNING = 50  # lines that begin alike; above it the beginning is a phrase, no headword

QUOTED_TERM = re.compile("[「『【《〈]([^「」『』【】《》〈〉]{1,20})[」』】》〉]")
LONGEST_PHRASE = 4  # characters before a quoted term that the line is about

QUOTING = ("quotation", "quotations", "source_text")

Integers = npt.NDArray[np.int64]


def compared_texts(text: str, spans: Iterable[Span]) -> list[str]:
    """What makes an entry a near-duplicate of another that has nearly the same.

    Its definitions, as one text (single senses are often short and alike), and each passage of
    quotations (those that follow one another are one passage).
    """
    definitions = []
    quotations = []
    for span in spans:
        if span.field == "definition":
            definitions.append(text[span.start : span.end])
        elif span.field in QUOTING:
            quotations.append(text[span.start : span.end])
    return ["".join(definitions), *quotations]


def quoted_term(text: str) -> str:
    """What a line that begins with a phrase is about, by how people write.

    The term in quotation marks right behind the beginning (怎麼用「燈塔」？…), else the last one
    (…的，就是「燈塔」。); empty when there is none.
    """
    terms = list(QUOTED_TERM.finditer(text))
    if not terms:
        return ""
    first = terms[0]
    return (first if first.start() <= LONGEST_PHRASE else terms[-1]).group(1)


def numbers(of: "array[int]") -> npt.NDArray[Any]:
    """The array's numbers, not copied."""
    return np.frombuffer(of, dtype=of.typecode) if of else np.empty(0, of.typecode)


class Names:
    """Names, numbered as they first come."""

    def __init__(self) -> None:
        self.number_of: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self.number_of.setdefault(name, len(self.number_of))

    def listed(self) -> list[str]:
        return list(self.number_of)


class Catalogue:
    """What is remembered of every document and entry; `folder` takes files for the time being."""

    def __init__(self, folder: Path) -> None:
        self.entry_of = array("I")  # of each document
        self.digests = array("Q")
        self.lengths = array("I")
        self.dictionary_of = array("H")
        self.view_of = array("B")
        self.key_of = array("I")  # of each entry
        self.keys, self.dictionaries, self.views = Names(), Names(), Names()
        self.stated_ends = array("I")
        self.near = NearDuplicates(folder)
        self.num_placeholders = self.num_private_use = 0
        self.last = ("", "", "")

    def add(self, document: Document) -> None:
        """Note the next document of the stream."""
        identity = (document.dictionary, document.entry_id, document.headword)
        if identity != self.last:
            self.last = identity
            self._add_entry(document)
        self.entry_of.append(len(self.key_of) - 1)
        digest = hashlib.blake2b(document.text.encode(), digest_size=8).digest()
        self.digests.append(int.from_bytes(digest, "big"))
        self.lengths.append(len(document.text))
        self.dictionary_of.append(self.dictionaries.number(document.dictionary))
        self.view_of.append(self.views.number(document.view))

    def _add_entry(self, document: Document) -> None:
        """The first document of an entry tells its links, and holds the texts to compare."""
        key = self.keys.number(normalize_headword(document.headword))
        self.key_of.append(key)
        for name in document.links:
            self.stated_ends.extend((key, self.keys.number(name)))
        self.num_placeholders += document.text.count(PLACEHOLDER)
        self.num_private_use += len(PRIVATE_USE.findall(document.text))
        if document.view == "line":
            return
        for text in compared_texts(document.text, document.spans):
            self.near.add(key, text)

    def close(self) -> None:
        """Take away the files of texts to compare."""
        self.near.close()

    def kept_documents(self) -> npt.NDArray[np.bool_]:
        """Of each document, whether its text is the first of its kind."""
        kept = np.zeros(len(self.digests), bool)
        kept[np.unique(numbers(self.digests), return_index=True)[1]] = True
        return kept

    def stated_links(self) -> Links:
        ends = np.array(self.stated_ends, np.int64).reshape(-1, 2)
        return Links(ends, np.full(len(ends), STATED))

    def name_lines(self, texts: Iterable[str], kept: npt.NDArray[np.bool_]) -> None:
        """Give each line that begins with a phrase of the language another key than that phrase.

        The rule that finds a line's headword takes the beginning of any text for one. Such a line
        belongs to the term in quotation marks that it is about, when other lines begin with that
        term; else it gets a key of its own, made of its text's hash.

        Args:
            texts: all documents' texts, in their order.
            kept: of each document, whether its text is the first of its kind: a line counts once.
        """
        keys = numbers(self.key_of)[numbers(self.entry_of)[kept]]
        common = np.bincount(keys) > COMMON_BEGINNING
        names = self.keys.listed()
        for document, text in enumerate(texts):
            entry = self.entry_of[document]
            beginning = self.key_of[entry]
            if beginning < len(common) and common[beginning]:
                term = self.keys.number_of.get(normalize_headword(quoted_term(text)), -1)
                if 0 <= term < len(common) and not common[term]:
                    self.key_of[entry] = term
                else:
                    name = f"{names[beginning]} {self.digests[document]:016x}"
                    self.key_of[entry] = self.keys.number(name)

    def sorted_keys(self) -> tuple[list[str], Integers]:
        """The keys in order, and of each number given so far its place in that order."""
        names = self.keys.listed()
        order = sorted(range(len(names)), key=names.__getitem__)
        places = np.empty(len(names), np.int64)
        places[order] = np.arange(len(names))
        return [names[number] for number in order], places

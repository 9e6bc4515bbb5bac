"""An `Entry` in, the headwords that it names out: other forms of itself, and where to look further.

Two entries of which one names the other tell nearly the same thing, often in the same words; a
corpus must not put one of them into train and the other into test. Synonyms do not count: they
have definitions of their own, and through them nearly every word hangs together.
"""

import re
from collections.abc import Iterator

from hf_zh_dict.dictionaries.entry import Entry
from hf_zh_dict.dictionaries.normalize import normalize_headword

# One or more names in quotation marks; the reading or sense meant may stand behind each.
_NAMES = r"((?:「[^「」]{1,30}」(?:\([一二三四五六七八九十]+\)|\d+\.)*(?:、|或|和|及)?)+)"
STATED = re.compile(
    rf"(?:[也亦又或今舊古](?:寫)?作|[也亦又或今舊古俗簡通統合]稱(?:為|作)?|參見|見|通|同)：?{_NAMES}"
    r"|(?:也稱|參見)：([^。「」\s]+)"
    rf"|{_NAMES}[的之](?:異體字|本字|古字|俗字|簡體字|簡化字|簡稱|俗稱|別稱|別名)"
)
QUOTED = re.compile(r"「([^「」]+)」")
STATING_FIELDS = ("definition", "related")
NAMING_SECTIONS = ("alias", "variants")  # 辭條別名; 異體字, 參考成語


def linked_headwords(entry: Entry) -> tuple[str, ...]:
    """Normalised headwords, sorted, without the entry's own."""
    names = {normalize_headword(name) for name in _named(entry)}
    return tuple(sorted(names - {normalize_headword(entry.headword), ""}))


def _named(entry: Entry) -> Iterator[str]:
    for reading in entry.readings:
        for sense in reading.senses:
            for passage in sense.passages:
                if passage.field in STATING_FIELDS:
                    for stated in STATED.finditer(passage.text):
                        names = next(group for group in stated.groups() if group)
                        yield from QUOTED.findall(names) or names.split("、")
    for section in entry.sections:
        if section.field in NAMING_SECTIONS:
            yield from re.split("[、，；,; ]+", section.text)

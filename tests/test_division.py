"""Entries are joined into groups and dealt to splits, and what is told of it adds up."""

import collections
import contextlib
import random

import pytest

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.catalogue import Catalogue
from hf_zh_dict.corpus.division import divide
from hf_zh_dict.corpus.lines import make_document
from hf_zh_dict.corpus.split import rank_group
from hf_zh_dict.dictionaries.entry import Entry, Passage, Reading, Sense
from hf_zh_dict.dictionaries.normalize import split_passages
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.dictionaries.views import render_views
from hf_zh_dict.messages import InputError
from hf_zh_dict.paths import SPLITS

CONFIG = CorpusConfig(min_groups=3)


def made_up(generator, length):
    return "".join(chr(generator.randrange(0x4E00, 0x9000)) for _ in range(length))


def entry_of(headword, text, *, dictionary="revised", entry_id="1", sections=()):
    senses = (Sense(split_passages(text)),)
    return Entry(headword, (Reading(senses=senses),), "", 0, 0, sections, dictionary, entry_id)


def unrelated(count, seed=0):
    """Entries that have nothing to do with each other."""
    generator = random.Random(seed)
    return [
        entry_of(f"詞{number:04}", made_up(generator, 30) + "。", entry_id=str(number))
        for number in range(count)
    ]


def divided(documents, folder, config=CONFIG):
    texts = [document.text for document in documents]
    with contextlib.closing(Catalogue(folder)) as catalogue:
        for document in documents:
            catalogue.add(document)
        return divide(config, catalogue, catalogue.kept_documents(), lambda: texts, folder)


def groups_of(documents, division):
    """The group's name of each headword."""
    groups = {}
    for document, group in zip(documents, division.group_of.tolist(), strict=True):
        groups.setdefault(document.headword, set()).add(division.names[group])
    assert all(len(names) == 1 for names in groups.values())
    return {headword: names.pop() for headword, names in groups.items()}


def check_splits(division):
    """No group in two splits; the facts count what the arrays say."""
    split_of, facts = division.split_of, division.facts
    splits = collections.defaultdict(set)
    for group, split in zip(division.group_of.tolist(), split_of.tolist(), strict=True):
        if split >= 0:
            splits[group].add(split)
    assert all(len(names) == 1 for names in splits.values())
    assert facts["groups"] == len(splits)
    assert facts["documents"] == (split_of >= 0).sum()
    for place, split in enumerate(SPLITS):
        told = facts["splits"][split]
        assert told["documents"] == (split_of == place).sum()
        assert told["groups"] == len(set(division.group_of[split_of == place].tolist()))
        for stratum in facts["strata"].values():
            assert sum(counts[split] for counts in stratum.values()) == told["documents"]
    assert sum(facts["views"].values()) == facts["documents"]
    assert sum(facts["dictionaries"].values()) == facts["entries"]


def test_headwords_links_and_near_duplicates_join(tmp_path):
    text = "用木頭做成輪子，放在溪邊，讓水流推動，可以灌溉田地。"
    entries = [
        entry_of("水車", "木輪，用來灌溉。也作「翻車」。", entry_id="a"),
        entry_of("翻車", "灌溉的器具。", entry_id="b"),
        entry_of("ＡＢ制", "一種分配的制度。", entry_id="c"),
        entry_of("AB制", "兩組輪流演出。", dictionary="concised", entry_id="d"),
        entry_of("筒車", text, entry_id="e"),
        entry_of("天車", text.replace("田地", "水田"), entry_id="f"),
        entry_of("甲", "參見「丙」條。", entry_id="g"),
        entry_of("乙", "參見「丙」條。", entry_id="h"),
        entry_of("山", "高起的地。", sections=(Passage("synonyms", "水車"),), entry_id="i"),
        *unrelated(20),
    ]
    documents = [render_document(entry) for entry in entries]
    division = divided(documents, tmp_path)
    groups = groups_of(documents, division)
    assert groups["水車"] == groups["翻車"] == "水車"
    assert groups["ＡＢ制"] == groups["AB制"] == "AB制"
    assert groups["筒車"] == groups["天車"] == "天車"
    assert groups["甲"] == groups["乙"] == "乙"  # of 丙 there is no entry
    assert groups["山"] == "山"
    assert len(set(groups.values())) == 25
    assert division.facts["links"] == {
        "stated": 3,
        "similar": 1,
        "cut": 0,
        "limit": 50,
        "largest_group": 2,
        "groups_of_several_headwords": 3,
    }
    check_splits(division)


def test_a_long_chain_of_see_also_is_cut_and_counted(tmp_path):
    chain = [
        entry_of(f"鏈{number:03}", f"參見「鏈{number + 1:03}」條。", entry_id=f"c{number}")
        for number in range(200)
    ]
    documents = [render_document(entry) for entry in [*chain, *unrelated(10)]]
    division = divided(documents, tmp_path)
    groups = collections.Counter(groups_of(documents, division).values())
    links = division.facts["links"]
    assert links["cut"] == sum(name.startswith("鏈") for name in groups) - 1 > 0
    assert links["largest_group"] == max(groups.values()) <= links["limit"] == 50
    check_splits(division)


def test_all_entries_of_a_headword_stay_together_above_the_limit(tmp_path):
    generator = random.Random(0)
    many = [
        entry_of("水", made_up(generator, 20) + "。", entry_id=f"w{number}") for number in range(60)
    ]
    documents = [render_document(entry) for entry in [*many, *unrelated(20)]]
    division = divided(documents, tmp_path)
    assert division.facts["links"]["largest_group"] == 60
    assert len(set(division.split_of[:60].tolist())) == 1
    check_splits(division)


def test_views_lie_where_their_entry_lies(tmp_path):
    entries = unrelated(40)
    documents = [document for entry in entries for document in render_views(entry)]
    division = divided(documents, tmp_path)
    splits = collections.defaultdict(set)
    for document, split in zip(documents, division.split_of.tolist(), strict=True):
        splits[document.entry_id].add(split)
    assert all(len(names) == 1 for names in splits.values())
    assert division.facts["entries"] == 40 < division.facts["documents"] == len(documents)
    assert division.facts["views"] == {"plain": 40, "definition": 40, "headword": 40}
    check_splits(division)


def test_what_is_said_twice_is_dropped_and_counted_nowhere(tmp_path):
    entries = unrelated(30)
    documents = [render_document(entry) for entry in [*entries, *entries[:5]]]
    division = divided(documents, tmp_path)
    assert (division.split_of[30:] == -1).all()
    assert (division.split_of[:30] >= 0).all()
    assert division.facts["entries"] == division.facts["documents"] == 30
    check_splits(division)


def test_documents_are_counted_by_length_and_dictionary(tmp_path):
    lengths = [1, 29, 30, 59, 60, 119, 120, 299, 300, 5000]
    documents = [
        make_document(chr(0x5000 + n) * length, "lines", "lines.txt", n)
        for n, length in enumerate(lengths * 3)
    ]
    documents += [render_document(entry) for entry in unrelated(20)]
    division = divided(documents, tmp_path)
    strata = division.facts["strata"]
    by_length = {name: sum(counts.values()) for name, counts in strata["length"].items()}
    expected = {"0–29": 6, "30–59": 26, "60–119": 6, "120–299": 6, "300–": 6}
    assert by_length == expected
    assert {name: sum(counts.values()) for name, counts in strata["dictionary"].items()} == {
        "lines": 30,
        "revised": 20,
    }
    check_splits(division)


def test_a_hundredth_more_headwords_moves_few(tmp_path):
    documents = [render_document(entry) for entry in unrelated(2000)]
    config = CorpusConfig(validation_fraction=0.05, test_fraction=0.05)
    division = divided(documents, tmp_path, config)
    moved = division.facts["moved"]
    added = [name for name in division.names if rank_group(name, config.seed + 1) < 0.01]
    assert moved == {"added": len(added), "moved": 0, "of": 2000 - len(added)}
    assert 0 < len(added) < 60


@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_to_move_is_what_moves(seed, tmp_path):
    """The same entries divided without those that are added."""
    generator = random.Random(seed)
    names = [f"詞{number:04}" for number in range(2000)]
    entries = []
    for name in names:
        named = generator.sample(names, 2) if generator.random() < 0.3 else ()
        text = "".join(f"參見「{other}」條。" for other in named) or made_up(generator, 20)
        entries.append(entry_of(name, text, entry_id=name))
    for place in generator.sample(range(2000), 200):  # nearly the same as another
        text = entries[place - 1].readings[0].senses[0].text
        entries[place] = entry_of(names[place], text + "又。", entry_id=names[place])
    config = CorpusConfig(validation_fraction=0.2, test_fraction=0.2, seed=seed)
    documents = [render_document(entry) for entry in entries]
    division = divided(documents, tmp_path, config)
    old = [n for n, name in enumerate(names) if rank_group(name, seed + 1) >= 0.01]
    before = divided([documents[n] for n in old], tmp_path, config)
    assert division.facts["moved"] == {
        "added": 2000 - len(old),
        "moved": int((division.split_of[old] != before.split_of).sum()),
        "of": len(old),
    }
    assert division.facts["moved"]["moved"]


@pytest.mark.parametrize("count", [1, 11])
def test_too_few_groups_are_refused(count, tmp_path):
    documents = [render_document(entry) for entry in unrelated(count)]
    with pytest.raises(InputError, match=f"{count} headwords are too few to hold out 6"):
        divided(documents, tmp_path)


def test_when_a_hundredth_less_is_too_little_nothing_is_told_of_moving(tmp_path):
    names = [entry.headword for entry in unrelated(400) if rank_group(entry.headword, 1) < 0.01]
    entries = [entry for entry in unrelated(400) if entry.headword in names][:1]
    entries += [entry for entry in unrelated(400) if entry.headword not in names][:11]
    division = divided([render_document(entry) for entry in entries], tmp_path)
    assert division.facts["moved"] == {}


def test_lines_that_share_most_of_their_text_join_whatever_they_begin_with(tmp_path):
    generator = random.Random(5)
    passages = [made_up(generator, 40) for _ in range(100)]
    texts = [f"{frame}{passage}。" for frame in ("問：", "有個詞語，") for passage in passages]
    documents = [
        make_document(text, "lines", "lines.txt", number) for number, text in enumerate(texts)
    ]
    config = CorpusConfig(source="text", files=("lines.txt",), min_groups=3)
    division = divided(documents, tmp_path, config)
    assert (division.group_of[:100] == division.group_of[100:]).all()
    assert (division.split_of[:100] == division.split_of[100:]).all()
    assert division.facts["groups"] == division.facts["links"]["similar"] == 100
    check_splits(division)

"""Documents in, `corpus/` out: a `DatasetDict` as one Parquet file a split, and `dropped.jsonl`.

1. documents stream from the source into one Arrow file on disk; repeated texts are dropped;
2. headword groups are dealt to train, validation and test;
3. each split is selected from the Arrow file and written through `datasets`.

Nothing but groups and hashes is held in memory.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.sources import describe_inputs, hub_commit, read_documents
from hf_zh_dict.corpus.split import split_groups
from hf_zh_dict.dictionaries.entry import Document
from hf_zh_dict.dictionaries.normalize import normalize_headword
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.reader import Dropped
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.messages import _
from hf_zh_dict.paths import SPLITS
from hf_zh_dict.progress import Progress
from hf_zh_dict.stages import fingerprint

FORMAT = 2  # raise it when the same inputs and settings give other documents
DROPPED_FILE = "dropped.jsonl"
BATCH = 1000


def corpus_fingerprint(config: CorpusConfig) -> str:
    """What this stage's folder must carry to be current."""
    return fingerprint(
        format=FORMAT, inputs=describe_inputs(config), settings={**asdict(config), "files": ()}
    )


def corpus_features() -> Any:
    """The columns of every split."""
    from datasets import Features, List, Value

    text = Value("string")
    span = {"field": text, "start": Value("int32"), "end": Value("int32")}
    names = ("text", "headword", "dictionary", "entry_id", "group", "view")
    return Features({**dict.fromkeys(names, text), "spans": List(span)})


def build_corpus(config: CorpusConfig, folder: Path) -> dict[str, Any]:
    """Write the corpus into `folder`; returns its counts.

    Raises:
        InputError: the source cannot be read, or is too small to be divided.
    """
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    all_documents = folder / "all.arrow"
    groups, lengths, counts = write_documents(config, all_documents, folder / DROPPED_FILE)
    split_of = split_groups(groups, config)
    members: dict[str, list[int]] = {split: [] for split in SPLITS}
    for index, group in enumerate(groups):
        members[split_of[group]].append(index)
    everything = Dataset.from_file(str(all_documents))
    splits = DatasetDict({split: everything.select(members[split]) for split in SPLITS})
    facts: dict[str, Any] = {**counts, "splits": {}}
    for split, dataset in splits.items():
        dataset.to_parquet(folder / f"{split}.parquet")
        facts["splits"][split] = {
            "documents": len(dataset),
            "groups": len({groups[index] for index in members[split]}),
            "characters": sum(lengths[index] for index in members[split]),
        }
    del everything, splits, dataset
    all_documents.unlink()
    if config.source == "hub":
        facts["commit"] = hub_commit(config)
    return facts


def write_documents(
    config: CorpusConfig, path: Path, dropped_path: Path
) -> tuple[list[str], list[int], dict[str, Any]]:
    """Stream the source into an Arrow file; returns each document's group and length, and counts."""
    import pyarrow as pa

    groups: list[str] = []
    lengths: list[int] = []
    seen: set[bytes] = set()
    dropped: Counter[str] = Counter()
    dictionaries: Counter[str] = Counter()
    schema = corpus_features().arrow_schema
    rows: list[dict[str, Any]] = []
    read_back = 0
    with (
        contextlib.ExitStack() as stack,
        dropped_path.open("w", encoding="utf-8") as dropped_file,
    ):
        sink = stack.enter_context(pa.OSFile(str(path), "wb"))
        writer = stack.enter_context(pa.ipc.new_stream(sink, schema))
        progress = stack.enter_context(Progress(_("corpus: documents")))
        for record in drop_repeated(read_documents(config), seen):
            if isinstance(record, Dropped):
                dropped[record.reason] += 1
                dropped_file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
                continue
            group = normalize_headword(record.headword)
            groups.append(group)
            lengths.append(len(record.text))
            read_back += record.view == "plain" and is_read_back(record.text)
            dictionaries[record.dictionary] += 1
            rows.append(make_row(record, group))
            if len(rows) == BATCH:
                writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
                rows.clear()
                progress.advance(BATCH)
        if rows:
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
    return (
        groups,
        lengths,
        {
            "documents": len(groups),
            "dictionaries": dict(dictionaries),
            "read_back": read_back,
            "dropped": dict(dropped),
        },
    )


def is_read_back(text: str) -> bool:
    """Whether the parser understands a rendered entry: what it reads renders to the same line."""
    try:
        return render_document(parse_document(text)).text == text
    except NotAnEntry:
        return False


def make_row(document: Document, group: str) -> dict[str, Any]:
    """A document as a row of the corpus."""
    return {
        "text": document.text,
        "headword": document.headword,
        "dictionary": document.dictionary,
        "entry_id": document.entry_id,
        "group": group,
        "view": document.view,
        "spans": [{"field": s.field, "start": s.start, "end": s.end} for s in document.spans],
    }


def drop_repeated(
    records: Iterator[Document | Dropped], seen: set[bytes]
) -> Iterator[Document | Dropped]:
    """The same records, but a document whose text came before is dropped."""
    for record in records:
        if isinstance(record, Document):
            key = hashlib.blake2b(record.text.encode(), digest_size=12).digest()
            if key in seen:
                yield Dropped("repeated", record.dictionary, 0, record.text)
                continue
            seen.add(key)
        yield record


def read_texts(path: Path) -> Iterator[str]:
    """The column `text` of a split, streamed."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=["text"]):
        yield from batch.column("text").to_pylist()


def read_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Some columns of a split, streamed as rows."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=columns):
        yield from batch.to_pylist()

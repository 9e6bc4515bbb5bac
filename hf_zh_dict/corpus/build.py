"""Documents in, `corpus/` out: one Parquet file a split, and `dropped.jsonl`.

1. documents stream from the source into one Arrow file on disk, and into the catalogue;
2. the entries' headwords are joined into groups by what they share (grouping.py);
3. groups are dealt to train, validation and test (split.py);
4. the Arrow file is read again, and each row is written to its split.

What grows with the corpus lies on disk; memory holds the headwords and some numbers a document.
"""

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.catalogue import Catalogue
from hf_zh_dict.corpus.division import Division, divide
from hf_zh_dict.corpus.hub_dataset import is_folder
from hf_zh_dict.corpus.sources import (
    describe_inputs,
    find_terms,
    read_documents,
    source_files,
)
from hf_zh_dict.dictionaries.entry import Document
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.reader import Dropped
from hf_zh_dict.dictionaries.reader import read_rows as read_rows_of_table
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.paths import LICENSE_FOLDER, SPLITS
from hf_zh_dict.stages import fingerprint

FORMAT = 3  # raise it when the same inputs and settings give other documents or splits
DROPPED_FILE = "dropped.jsonl"
BATCH = 1000
ROW_GROUP = 20_000


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
    """Write the corpus into `folder`; returns its facts (counts, inputs, links, strata).

    A revision on the Hub must be a commit (`pin_revision`).

    Raises:
        InputError: the source cannot be read, or is too small to be divided.
    """
    inputs = keep_terms(config, folder)
    all_documents = folder / "all.arrow"
    with (
        (folder / DROPPED_FILE).open("w", encoding="utf-8", newline="\n") as dropped_file,
        contextlib.closing(Catalogue(folder)) as catalogue,
    ):
        read_back, dropped = write_documents(config, all_documents, catalogue, dropped_file)
        kept = catalogue.kept_documents()
        if not kept.all():
            for record in repeated_documents(all_documents, kept):
                write_dropped(record, dropped_file, dropped)
        division = divide(config, catalogue, kept, lambda: stream_texts(all_documents), folder)
    write_splits(all_documents, division, folder)
    all_documents.unlink()
    facts: dict[str, Any] = {
        "source": config.source,
        "recipe": config.recipe,
        "seed": config.seed,
        "inputs": inputs,
        "read_back": read_back,
        "dropped": dict(dropped),
        "placeholders": catalogue.num_placeholders,
        "private_use": catalogue.num_private_use,
        **division.facts,
    }
    if config.source == "hub":
        facts["repo_id"] = config.repo_id
        facts["commit"] = "" if is_folder(config) else config.revision
    return facts


def write_documents(
    config: CorpusConfig, path: Path, catalogue: Catalogue, dropped_file: Any
) -> tuple[int, Counter[str]]:
    """Stream the source into an Arrow file and into the catalogue.

    Returns how many plain documents the parser reads back, and what was dropped.
    """
    import pyarrow as pa

    dropped: Counter[str] = Counter()
    waiting: list[Document] = []
    read_back = 0
    schema = batch_of([]).schema
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for record in read_documents(config):
            if isinstance(record, Dropped):
                write_dropped(record, dropped_file, dropped)
                continue
            catalogue.add(record)
            read_back += record.view == "plain" and is_read_back(record.text)
            waiting.append(record)
            if len(waiting) == BATCH:
                writer.write_batch(batch_of(waiting))
                waiting.clear()
        writer.write_batch(batch_of(waiting))
    return read_back, dropped


def write_dropped(record: Dropped, file: Any, dropped: Counter[str]) -> None:
    dropped[record.reason] += 1
    file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def is_read_back(text: str) -> bool:
    """Whether the parser understands a rendered entry: what it reads renders to the same line."""
    try:
        return render_document(parse_document(text)).text == text
    except NotAnEntry:
        return False


def batch_of(documents: Sequence[Document]) -> Any:
    """Documents as an Arrow batch: the columns of the corpus but `group`."""
    import pyarrow as pa

    spans = [span for document in documents for span in document.spans]
    fields = (
        pa.array([span.field for span in spans], pa.string()),
        pa.array([span.start for span in spans], pa.int32()),
        pa.array([span.end for span in spans], pa.int32()),
    )
    ends = np.cumsum([0, *(len(document.spans) for document in documents)], dtype=np.int32)
    names = ("text", "headword", "dictionary", "entry_id", "view")
    columns = {
        name: pa.array([getattr(document, name) for document in documents], pa.string())
        for name in names
    }
    struct = pa.StructArray.from_arrays(fields, names=["field", "start", "end"])
    columns["spans"] = pa.ListArray.from_arrays(pa.array(ends), struct)
    return pa.RecordBatch.from_pydict(columns)


def stream_batches(path: Path) -> Iterator[Any]:
    """The Arrow file's batches, one in memory at a time."""
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        yield from reader


def stream_texts(path: Path) -> Iterator[str]:
    for batch in stream_batches(path):
        yield from batch["text"].to_pylist()


def repeated_documents(path: Path, kept: npt.NDArray[np.bool_]) -> Iterator[Dropped]:
    """The documents that are not kept, because their text came before."""
    start = 0
    for batch in stream_batches(path):
        for row in np.flatnonzero(~kept[start : start + batch.num_rows]).tolist():
            yield Dropped(
                "repeated", batch["dictionary"][row].as_py(), 0, batch["text"][row].as_py()
            )
        start += batch.num_rows


def write_splits(path: Path, division: Division, folder: Path) -> None:
    """Each split's rows, in the source's order, as Parquet that `datasets` reads with its features."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = corpus_features().arrow_schema
    waiting: dict[str, list[Any]] = {split: [] for split in SPLITS}
    with contextlib.ExitStack() as stack:
        writers = {
            split: stack.enter_context(pq.ParquetWriter(folder / f"{split}.parquet", schema))
            for split in SPLITS
        }

        def flush(split: str) -> None:
            if waiting[split]:
                writers[split].write_table(pa.Table.from_batches(waiting[split], schema))
                waiting[split].clear()

        start = 0
        for batch in stream_batches(path):
            rows = slice(start, start + batch.num_rows)
            start += batch.num_rows
            names = [division.names[key] for key in division.group_of[rows].tolist()]
            columns = {**{n: batch[n] for n in batch.schema.names}, "group": pa.array(names)}
            whole = pa.RecordBatch.from_arrays(
                [columns[name] for name in schema.names], schema=schema
            )
            for place, split in enumerate(SPLITS):
                chosen = whole.filter(pa.array(division.split_of[rows] == place))
                if chosen.num_rows:
                    waiting[split].append(chosen)
                if sum(part.num_rows for part in waiting[split]) >= ROW_GROUP:
                    flush(split)
        for split in SPLITS:
            flush(split)


def keep_terms(config: CorpusConfig, folder: Path) -> list[dict[str, str]]:
    """What was read; the 使用說明 found beside a file is copied, as the Ministry's licence asks."""
    inputs = describe_inputs(config)
    if config.source == "spreadsheets":
        for described, path in zip(inputs, source_files(config), strict=True):
            described["dictionary"] = read_rows_of_table(path)[0].dictionary
            terms = find_terms(path, described["dictionary"])
            described["terms"] = terms.name if terms else ""
            if terms:
                (folder / LICENSE_FOLDER).mkdir(exist_ok=True)
                shutil.copyfile(terms, folder / LICENSE_FOLDER / terms.name)
    return inputs


def read_texts(path: Path) -> Iterator[str]:
    """The column `text` of a split, streamed."""
    for batch in read_batches(path, ["text"]):
        yield from batch.column("text").to_pylist()


def read_rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    """Some columns of a split, streamed as rows."""
    for batch in read_batches(path, columns):
        yield from batch.to_pylist()


def read_batches(path: Path, columns: list[str]) -> Iterator[Any]:
    """Some columns of a split, streamed as pyarrow's record batches."""
    import pyarrow.parquet as pq

    yield from pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=columns)

"""Corpus settings in, a stream of `Document` and `Dropped` records out: one interface, four sources.

Dictionaries (embedded, or the Ministry's spreadsheets) are read as entries and rendered, each in
one view or in several (`corpus.recipe`); text (local lines or Parquet rows, or a dataset repository
on the Hub) is one document a line already. `READERS` names the reader of a source of files.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hf_zh_dict.config import CorpusConfig
from hf_zh_dict.corpus.hub_dataset import open_hub_dataset
from hf_zh_dict.corpus.lines import make_document
from hf_zh_dict.dictionaries.entry import Document, Span
from hf_zh_dict.dictionaries.parse import NotAnEntry, parse_document
from hf_zh_dict.dictionaries.published import edition_of
from hf_zh_dict.dictionaries.reader import Dropped, not_utf8, read_entries
from hf_zh_dict.dictionaries.render import render_document
from hf_zh_dict.dictionaries.views import render_views
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER
from hf_zh_dict.progress import Progress, track
from hf_zh_dict.stages import hash_file

EMBEDDED_FOLDER = Path(__file__).parent.parent / "dictionaries" / "embedded"

# The columns by which a corpus of this project is known, when it comes back from the Hub.
CORPUS_COLUMNS = {"text", "headword", "dictionary", "entry_id", "view", "spans"}


def read_documents(config: CorpusConfig) -> Iterator[Document | Dropped]:
    """Every document of the source, in its order.

    Raises:
        InputError: a file or repository is missing, unreadable or empty.
    """
    if config.source == "hub":
        yield from read_hub(config)
        return
    for path in source_files(config):
        before = 0
        for record in READERS[config.source](path, config):
            before += isinstance(record, Document)
            yield record
        if not before:
            raise InputError(
                _("{path}: holds no text that could become a document.").format(path=path)
            )


def source_files(config: CorpusConfig) -> list[Path]:
    """The files of a source that has files.

    Raises:
        InputError: one of them does not exist.
    """
    if config.source == "embedded":
        return sorted(EMBEDDED_FOLDER.glob("*.csv"))
    if config.source == "hub":
        return []
    paths = [Path(name).expanduser() for name in config.files]
    for path in paths:
        if not path.is_file():
            raise InputError(_("{path}: there is no such file.").format(path=path))
    return paths


def describe_inputs(config: CorpusConfig) -> list[dict[str, str]]:
    """What the source reads: each file's name, SHA-256 and edition, or the repository."""
    if config.source == "hub":
        files = " ".join(config.data_files)
        described = {"name": config.repo_id, "revision": config.revision, "files": files}
        return [described | {"config": config.config_name}]
    return [
        {"name": path.name, "sha256": hash_file(path), "edition": edition_of(path.name)}
        for path in source_files(config)
    ]


def find_terms(path: Path, dictionary: str) -> Path | None:
    """The 使用說明 (PDF) of a dictionary, kept beside its table or in `license/` there."""
    folders = (path.parent / LICENSE_FOLDER, path.parent)
    found = (pdf for folder in folders for pdf in sorted(folder.glob(f"*{dictionary}*.pdf")))
    return next(found, None)


def read_dictionary(path: Path, *, recipe: str = "plain") -> Iterator[Document | Dropped]:
    """The entries of one table, rendered: whole (`plain`), or in every view (`extended`)."""
    for entry in read_entries(path):
        if isinstance(entry, Dropped):
            yield entry
        elif recipe == "extended":
            yield from render_views(entry)
        else:
            yield render_document(entry)


def read_text_file(path: Path) -> Iterator[Document | Dropped]:
    """One document a line (.txt or any text) or a row (.parquet, column `text`)."""
    if path.suffix.lower() == ".parquet":
        yield from read_parquet(path)
        return
    with path.open("rb") as file, Progress(path.name, total=path.stat().st_size) as progress:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise not_utf8(path, number) from error
            yield make_document(text, path.stem, path.name, number)
            progress.advance(len(line))


def read_parquet(path: Path) -> Iterator[Document | Dropped]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            _("{path}: not a Parquet file: {error}").format(path=path, error=error)
        ) from error
    if "text" not in file.schema_arrow.names:
        raise InputError(
            _("{path}: needs a column “text”; it has {names}.").format(
                path=path, names=", ".join(file.schema_arrow.names)
            )
        )
    batches = file.iter_batches(batch_size=1000, columns=["text"])
    texts = (text for batch in batches for text in batch.column("text").to_pylist())
    counted = track(texts, path.name, total=file.metadata.num_rows)
    for number, text in enumerate(counted, start=1):
        yield make_document(str(text or ""), path.stem, path.name, number)


def read_hub(config: CorpusConfig) -> Iterator[Document | Dropped]:
    """Every row of a dataset repository, all splits in their order; column `text`.

    Rows of a corpus that this project built stay the documents that they were.
    """
    name = config.repo_id
    for split in open_hub_dataset(config).values():
        if "text" not in split.column_names:
            raise InputError(
                _("{path}: needs a column “text”; it has {names}.").format(
                    path=name, names=", ".join(split.column_names)
                )
            )
        ours = set(split.column_names) >= CORPUS_COLUMNS
        rows = track(
            split.select_columns(sorted(CORPUS_COLUMNS) if ours else "text"), name, total=len(split)
        )
        for number, row in enumerate(rows, start=1):
            if ours:
                yield restore_document(row)
            else:
                yield make_document(row["text"] or "", name.split("/")[-1], name, number)


def restore_document(row: Mapping[str, Any]) -> Document:
    """A row of a built corpus as the document that it was; its links are read out of its text."""
    try:
        links = render_document(parse_document(row["text"])).links
    except NotAnEntry:
        links = ()
    spans = tuple(Span(span["field"], span["start"], span["end"]) for span in row["spans"])
    named = {name: row[name] for name in CORPUS_COLUMNS - {"spans"}}
    return Document(**named, spans=spans, links=links)


READERS: dict[str, Callable[[Path, CorpusConfig], Iterator[Document | Dropped]]] = {
    "embedded": lambda path, config: read_dictionary(path, recipe=config.recipe),
    "spreadsheets": lambda path, config: read_dictionary(path, recipe=config.recipe),
    "text": lambda path, _config: read_text_file(path),
}

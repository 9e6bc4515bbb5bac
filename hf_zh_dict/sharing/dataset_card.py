"""A corpus folder and its facts in, its dataset card out: the README.md that makes it a dataset.

The facts are those of the folder's `stage.json`. One that is missing is said to be missing, since
a card that keeps silent would be read as complete. The text is `templates/dataset_card.md`.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.dictionaries.layouts import TITLES
from hf_zh_dict.files import write_file
from hf_zh_dict.paths import LICENSE_FOLDER, SPLITS

if TYPE_CHECKING:
    from datasets import DatasetInfo
    from huggingface_hub import DatasetCard, DatasetCardData

CARD_FILE = "README.md"
TEMPLATE = Path(__file__).parent / "templates" / "dataset_card.md"
OUR_TAG = "hf_zh_dict"  # by it push-corpus knows a repository that it may update
UNRECORDED = "未記錄"
ND_LICENSE = {
    "license": "other",  # the Hub's list has no CC BY-ND 3.0
    "license_name": "cc-by-nd-3.0-tw",
    "license_link": "https://creativecommons.org/licenses/by-nd/3.0/tw/legalcode",
}
SIZE_CATEGORIES = {
    1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M", 100_000_000: "10M<n<100M",
}  # fmt: skip


def write_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """The card of a corpus that stands on this machine, into its folder."""
    write_file(folder / CARD_FILE, str(make_card(folder, facts)))


def make_card(
    folder: Path, facts: Mapping[str, Any], *, repo_id: str = "OWNER/NAME", license_id: str = ""
) -> "DatasetCard":
    """The card of a corpus; `license_id` is what the user states of text that is their own."""
    from huggingface_hub import DatasetCard

    card: DatasetCard = DatasetCard.from_template(
        make_card_data(folder, facts, license_id=license_id),
        template_path=str(TEMPLATE),
        facts=facts,
        source=facts.get("source"),
        title=make_title(facts),
        config_name=config_name(facts),
        repo_id=repo_id,
        license_id=license_id,
        attributions=attribute(facts.get("inputs") or []),
        terms=[path.name for path in list_terms(folder)],
        command=reconstruct_command(facts),
        unrecorded=UNRECORDED,
    )
    return card


def make_card_data(
    folder: Path, facts: Mapping[str, Any], *, license_id: str = ""
) -> "DatasetCardData":
    """What the Hub and `datasets` read: licence, one named config, typed columns, sizes."""
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    info = measure_dataset(folder)
    documents = sum(split.num_examples for split in info.splits.values())
    stated = {"license": license_id} if license_id else {}
    licenses = {"embedded": {"license": "cc0-1.0"}, "spreadsheets": ND_LICENSE}
    named: dict[str, Any] = licenses.get(facts.get("source", ""), stated)
    data = DatasetCardData(
        pretty_name=make_title(facts),
        language=["zh"],
        task_categories=["text-generation"],
        size_categories=[next(name for end, name in SIZE_CATEGORIES.items() if documents < end)],
        tags=["traditional-chinese", "zh-Hant", "dictionary", OUR_TAG],
        **named,
    )
    files = [{"split": split, "path": f"{split}.parquet"} for split in SPLITS]
    name = config_name(facts)
    MetadataConfigs({name: {"data_files": files, "default": True}}).to_dataset_card_data(data)
    DatasetInfosDict({name: info}).to_dataset_card_data(data)
    return data


def config_name(facts: Mapping[str, Any]) -> str:
    """The name that `load_dataset` takes: the recipe's, or the library's own when there is none."""
    return facts.get("recipe") or "default"


def measure_dataset(folder: Path) -> "DatasetInfo":
    """Columns, rows and bytes as they stand in the Parquet files."""
    import pyarrow.parquet as pq
    from datasets import DatasetInfo, Features
    from datasets.splits import SplitDict, SplitInfo

    paths = {split: folder / f"{split}.parquet" for split in SPLITS}
    splits = SplitDict()
    for name, path in paths.items():
        file = pq.ParquetFile(path)
        size = sum(batch.nbytes for batch in file.iter_batches(batch_size=1000))
        splits.add(SplitInfo(name, num_bytes=size, num_examples=file.metadata.num_rows))
    return DatasetInfo(
        features=Features.from_arrow_schema(pq.read_schema(paths["train"])),
        splits=splits,
        download_size=sum(path.stat().st_size for path in paths.values()),
        dataset_size=sum(split.num_bytes for split in splits.values()),
    )


def make_title(facts: Mapping[str, Any]) -> str:
    """The dataset's name for people."""
    names = dict.fromkeys(name_dictionary(item) for item in facts.get("inputs") or [])
    return {
        "embedded": "hf_zh_dict 內建辭典",
        "spreadsheets": f"教育部{''.join(names) or '國語辭典'}語料",
        "text": "繁體中文文字語料",
        "hub": f"{facts.get('repo_id') or UNRECORDED} 的切分",
    }.get(facts.get("source", ""), "繁體中文辭典語料")


def name_dictionary(item: Mapping[str, str]) -> str:
    return f"《{TITLES.get(item.get('dictionary', ''), UNRECORDED)}》"


def attribute(inputs: Sequence[Mapping[str, str]]) -> list[str]:
    """For each dictionary and edition, the line 「姓名標示」 that its 使用說明 asks for."""
    lines = []
    for item in inputs:
        dictionary = item.get("dictionary", "")
        website = f"http://dict.{dictionary}.moe.edu.tw/" if dictionary in TITLES else UNRECORDED
        lines.append(
            f"中華民國教育部（Ministry of Education, R.O.C.）。{name_dictionary(item)}"
            f"（版本編號：{item.get('edition') or UNRECORDED}）網址：{website}"
        )
    return list(dict.fromkeys(lines))


def list_terms(folder: Path) -> list[Path]:
    """The 使用說明 that lie in a corpus folder."""
    return sorted((folder / LICENSE_FOLDER).glob("*.pdf"))


def reconstruct_command(facts: Mapping[str, Any]) -> str:
    """The command that builds the corpus again; empty when its source is not recorded."""
    source = facts.get("source")
    if not source:
        return ""
    words = ["hf-zh-dict", "corpus", "--corpus.source", source]
    if source == "hub":
        words += ["--corpus.repo-id", facts.get("repo_id") or UNRECORDED]
        words += ["--corpus.revision", facts.get("commit") or UNRECORDED]
        read = (facts.get("inputs") or [{}])[0]
        words += ["--corpus.config-name", read["config"]] if read.get("config") else []
        words += ["--corpus.data-files", *read["files"].split()] if read.get("files") else []
    if facts.get("recipe", "plain") != "plain":
        words += ["--corpus.recipe", facts["recipe"]]
    if "seed" in facts:
        words += ["--corpus.seed", str(facts["seed"])]
    if source not in ("embedded", "hub"):
        names = [item.get("name") or UNRECORDED for item in facts.get("inputs") or [{}]]
        words += ["--corpus.files", *names]
    return shlex.join(words)

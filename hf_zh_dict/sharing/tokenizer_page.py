"""A tokenizer's report in, a page about it out. The text is `templates/tokenizer.html`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hf_zh_dict.files import write_file
from hf_zh_dict.sharing.corpus_page import BLOCK_NAMES, FIELD_NAMES
from hf_zh_dict.sharing.page import render_page

TITLES = {"tokenizer": "本斷詞器", "sentencepiece": "SentencePiece"}
NAMES = {**FIELD_NAMES, "idiom_section": "成語欄位", "other": "其他欄位", "between": "欄位之外"}


def write_tokenizer_page(path: Path, report: Mapping[str, Any]) -> None:
    write_file(path, draw_tokenizer_page(report))


def draw_tokenizer_page(report: Mapping[str, Any]) -> str:
    """The page of what `evaluation.tokenizer_report.report_tokenizer` returns."""
    own = report["tokenizer"]
    return render_page("tokenizer.html", {
        "title": f"斷詞器：{own['size']:,} 項",
        "own": own,
        "report": report,
        "names": TITLES,
        "block_names": BLOCK_NAMES,
        "field_rows": field_rows(report),
        "parts": [{"name": TITLES[name], "tone": tone} for tone, name in enumerate(report, start=1)],
    })  # fmt: skip


def field_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Characters per token of each field: a bar for each coder."""
    return [
        {
            "label": NAMES.get(field, field),
            "english": field.replace("_", " "),
            "note": "",
            "bars": [
                {"value": coder["fields"][field], "text": f"{coder['fields'][field]:.2f}", "tone": tone}
                for tone, coder in enumerate(report.values(), start=1)
                if field in coder["fields"]
            ],
        }
        for field in report["tokenizer"]["fields"]
    ]  # fmt: skip

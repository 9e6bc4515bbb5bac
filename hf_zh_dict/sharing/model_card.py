"""A run's facts in, its model card out: the README.md of a model repository.

The text is `templates/model_card.md`. A fact that the run does not hold is said to be missing. A
repository with several models has a card of its own, `templates/family_card.md`.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.evaluation.tables import write_markdown
from hf_zh_dict.sharing.dataset_card import (
    ND_LICENSE,
    OUR_TAG,
    UNRECORDED,
    attribute,
    config_name,
    make_title,
)
from hf_zh_dict.sharing.model_facts import ModelFacts
from hf_zh_dict.sharing.model_index import Result, eval_results, find_bits

if TYPE_CHECKING:
    from huggingface_hub import ModelCard, ModelCardData

TEMPLATES = Path(__file__).parent / "templates"
TAGS = ["llama", "traditional-chinese", "zh-Hant", "dictionary", "trained-from-scratch", OUR_TAG]


def make_model_card(
    facts: ModelFacts,
    *,
    repo_id: str = "OWNER/NAME",
    folder: str = "",
    license_id: str = "",
    terms: list[str] | None = None,
    files: Mapping[str, object] | None = None,
) -> "ModelCard":
    """The card of a model that stands in `folder` of a repository, beside `files`."""
    from huggingface_hub import ModelCard

    corpus, title = facts.corpus, folder or repo_id.split("/")[-1]
    card: ModelCard = ModelCard.from_template(
        make_model_card_data(facts, name=title, license_id=license_id),
        template_path=str(TEMPLATES / "model_card.md"),
        facts=facts,
        corpus=corpus,
        source=corpus.get("source"),
        corpus_title=make_title(corpus),
        title=title,
        repo_id=repo_id,
        folder=folder,
        license_id=license_id,
        attributions=attribute(corpus.get("inputs") or []),
        terms=terms or [],
        files=files or {},
        tables=list(
            filter(None, (write_markdown(*s) for s in facts.evaluation.get("suites", {}).items()))
        ),
        prompt=json.dumps(facts.prompt or "文", ensure_ascii=False),  # as it stands in code
        command=reconstruct_training(facts),
        unrecorded=UNRECORDED,
    )
    return card


def make_model_card_data(facts: ModelFacts, *, name: str, license_id: str = "") -> "ModelCardData":
    """What the Hub reads: library, task, licence, datasets, and the results as `model-index`."""
    from huggingface_hub import ModelCardData

    corpus = facts.corpus
    stated = {"license": license_id} if license_id else {}
    licenses = {"embedded": stated or {"license": "cc0-1.0"}, "spreadsheets": ND_LICENSE}
    on_hub = corpus.get("source") == "hub" and corpus.get("commit")
    named: dict[str, Any] = dict(licenses.get(corpus.get("source", ""), stated))
    named |= {"datasets": [corpus["repo_id"]]} if on_hub else {}
    results = eval_results(
        facts.results,
        dataset_type=corpus["repo_id"]
        if on_hub
        else f"hf_zh_dict/{corpus.get('source', 'corpus')}",
        dataset_name=make_title(corpus),
        dataset_config=config_name(corpus),
    )
    return ModelCardData(
        language=["zh"],
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=TAGS,
        model_name=name if results else None,
        eval_results=results or None,
        **named,
    )


def reconstruct_training(facts: ModelFacts) -> str:
    """The commands that train it again from the attached settings; empty when there are none."""
    if not facts.settings:
        return ""
    words = ["accelerate", "launch", "train.py", "--config", "config.yaml"]
    return f"{shlex.join([*words, '--output-dir', 'RUN'])}\nhf-zh-dict evaluate RUN"


def make_family_card(repo_id: str, cards: Mapping[str, str]) -> "ModelCard":
    """The card of a repository with several models: folder → that model's card."""
    from huggingface_hub import ModelCard, ModelCardData

    models: dict[str, Any] = {
        folder: ModelCard(text, ignore_metadata_errors=True).data
        for folder, text in sorted(cards.items())
    }
    licences = [
        {name: value for name, value in of.to_dict().items() if name.startswith("license")}
        for of in models.values()
    ]
    same = bool(licences) and all(licence == licences[0] for licence in licences)
    datasets = sorted({name for of in models.values() for name in of.get("datasets") or []})
    data = ModelCardData(
        language=["zh"],
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=TAGS,
        datasets=datasets or None,
        **(licences[0] if same else {}),
    )
    card: ModelCard = ModelCard.from_template(
        data,
        template_path=str(TEMPLATES / "family_card.md"),
        title=repo_id.split("/")[-1],
        repo_id=repo_id,
        first=next(iter(models), ""),
        models={folder: best_bits(of.eval_results or []) for folder, of in models.items()},
        unrecorded=UNRECORDED,
    )
    return card


def best_bits(results: list[Any]) -> str:
    """A card's bits per character on the test split, as text; empty when it has none."""
    kept = [
        Result((item.dataset_split or "", item.metric_type), item.metric_value) for item in results
    ]
    found = find_bits(kept)
    return f"{found.value:.3f}（{found.split}）" if found else ""

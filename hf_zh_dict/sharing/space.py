"""A run in, the demo's page about its model as a Space on the Hub out.

A Space installs `requirements.txt` before it sees any other file, and this package is in no index:
so the Space carries the package's own files beside `app.py`, and requires what the package does. The
model stays in its repository, from where the Space loads it; the corpus goes along when its terms let
its text be passed on, and without it the page says that it has none.
"""

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import hf_zh_dict
from hf_zh_dict.corpus.prompts import make_prompt
from hf_zh_dict.dictionaries.render import SEPARATOR
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import LICENSE_FOLDER, SPLITS, RunPaths
from hf_zh_dict.settings import load_config
from hf_zh_dict.sharing.dataset_card import OUR_TAG, attribute, list_terms
from hf_zh_dict.sharing.page import TEMPLATES
from hf_zh_dict.sharing.publish import check_source
from hf_zh_dict.sharing.publish_model import Destination
from hf_zh_dict.sharing.repository import (
    Publication,
    Pushed,
    check_repo_id,
    open_repository,
    send,
)
from hf_zh_dict.stages import STAGE_FILE, read_stage

if TYPE_CHECKING:
    from huggingface_hub import SpaceCard

PROJECT, PACKAGE = "hf-zh-dict", "hf_zh_dict"
CORPUS_FOLDER = "corpus"
LEFT_OUT = ("__pycache__",)
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"  # a Space's free machine has no GPU
APP = '''"""The page of hf-zh-dict demo about {model}."""

import os

os.environ.setdefault("HF_ZH_DICT_LANG", "zh_TW")

from hf_zh_dict.sharing.demo_page import serve_space  # noqa: E402

serve_space({model_literal}, ending={ending})
'''


def prepare_space(paths: RunPaths, model: Publication, destination: Destination) -> Publication:
    """The files of a Space, named like the model's repository, about the model that is published.

    Raises:
        InputError: the model stands in a folder of its repository, or Gradio is not installed.
    """
    if destination.subfolder:
        raise InputError(
            _("--space shows a model that has its repository to itself; leave --subfolder out.")
        )
    check_repo_id(model.repo_id)
    facts = read_stage(paths.corpus)
    shown = may_show(paths.corpus, destination)
    terms = list_terms(paths.corpus) if shown else []
    files: dict[str, Path | bytes] = {
        "app.py": make_app(model.repo_id, ending=find_ending(paths)).encode(),
        "requirements.txt": list_requirements().encode(),
        **list_package(),
    }
    if shown:
        names = (*(f"{split}.parquet" for split in SPLITS), STAGE_FILE)
        files |= {f"{CORPUS_FOLDER}/{name}": paths.corpus / name for name in names}
        files |= {f"{CORPUS_FOLDER}/{LICENSE_FOLDER}/{path.name}": path for path in terms}
    licensed = shown and facts.get("source") == "spreadsheets"
    card = make_space_card(
        model,
        attributions=attribute(facts.get("inputs") or []) if licensed else [],
        has_corpus=shown,
    )
    return Publication(
        model.repo_id, "space", str(card), files, swept=(f"{PACKAGE}/", f"{CORPUS_FOLDER}/")
    )


def may_show(corpus: Path, destination: Destination) -> bool:
    """Whether the corpus is there and its text may be passed on as it is."""
    if not all((corpus / f"{split}.parquet").is_file() for split in SPLITS):
        return False
    try:
        check_source(corpus, read_stage(corpus), license_id="", terms_read=destination.terms_read)
    except InputError:
        return False
    return True


def find_ending(paths: RunPaths) -> str:
    """What stands behind a headword in the run's corpus."""
    return (
        make_prompt(load_config(path=paths.config).corpus, "")
        if paths.config.is_file()
        else SEPARATOR
    )


def make_app(model: str, *, ending: str) -> str:
    """The program that the Space runs."""
    return APP.format(model=model, model_literal=json.dumps(model), ending=ascii(ending))


def list_requirements() -> str:
    """What the package requires, without its extras; Gradio is the Space's own."""
    wanted = [line for line in metadata.requires(PROJECT) or [] if "extra ==" not in line]
    return "\n".join([f"--extra-index-url {CPU_WHEELS}", *sorted(wanted)]) + "\n"


def list_package() -> dict[str, Path | bytes]:
    """The package's files, and its licence."""
    root = Path(hf_zh_dict.__file__).parent
    files: dict[str, Path | bytes] = {
        f"{PACKAGE}/{path.relative_to(root).as_posix()}": path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not set(LEFT_OUT) & set(path.relative_to(root).parts)
    }
    text = metadata.distribution(PROJECT).read_text("licenses/LICENSE")
    return files | ({f"{PACKAGE}/LICENSE": text.encode()} if text else {})


def make_space_card(
    model: Publication, *, attributions: list[str], has_corpus: bool
) -> "SpaceCard":
    """The README.md that makes the repository a Space."""
    from huggingface_hub import ModelCard, SpaceCard, SpaceCardData

    of_model = ModelCard(model.card, ignore_metadata_errors=True).data.to_dict()
    licences = {name: of_model[name] for name in of_model if name.startswith("license")}
    title = model.repo_id.split("/")[-1]
    data = SpaceCardData(
        title=title,
        emoji="📖",
        colorFrom="red",
        colorTo="yellow",
        sdk="gradio",
        sdk_version=gradio_version(),
        app_file="app.py",
        models=[model.repo_id],
        language=["zh"],
        tags=["traditional-chinese", "zh-Hant", "dictionary", OUR_TAG],
        **licences,
    )
    card: SpaceCard = SpaceCard.from_template(
        data,
        template_path=str(TEMPLATES / "space_card.md"),
        title=title,
        model=model.repo_id,
        attributions=attributions,
        has_corpus=has_corpus,
    )
    return card


def gradio_version() -> str:
    """The version that the page was tried with here.

    Raises:
        InputError: there is none.
    """
    try:
        return metadata.version("gradio")
    except metadata.PackageNotFoundError as error:
        raise InputError(
            _('the page needs Gradio; install it with pip install -e ".[demo]".')
        ) from error


def push_space(publication: Publication, *, public: bool) -> Pushed:
    """Send it, to a new Space or upon our last commit.

    Raises:
        InputError: the Space is not ours to write, or would show what was to stay private; or the
            Hub refuses or does not answer.
    """
    repository = open_repository(publication.repo_id, publication.kind, public=public)
    return send(publication, repository, message="demo by hf-zh-dict")

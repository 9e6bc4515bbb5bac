"""Models and a corpus in, what the suites find, or how the models compare, out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.config import Config
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import InputError, Say, _
from hf_zh_dict.paths import SPLITS, RunPaths

if TYPE_CHECKING:
    from hf_zh_dict.evaluation.comparison import Contender


def run_evaluation(
    config: Config,
    run: RunPaths,
    say: Say,
    *,
    model: Path | str,
    suites: Sequence[str] = (),
    corpus: Path | None = None,
    output: Path | None = None,
) -> tuple[dict[str, Any], Path]:
    """Run suites (none named: all) on a model of a run, a folder or the Hub; returns report and file.

    A run is judged by its own corpus and keeps the report, unless `corpus` or `output` say
    otherwise: any other report is `evaluation.json` in the current folder.

    Raises:
        InputError: there is no such suite, model or corpus.
    """
    from hf_zh_dict.evaluation.baselines import measure_baselines
    from hf_zh_dict.evaluation.results import run_suites
    from hf_zh_dict.evaluation.subject import Subject
    from hf_zh_dict.evaluation.suites import SUITES, load_suite
    from hf_zh_dict.model.loading import load_model_folder
    from hf_zh_dict.sharing.curve import draw_curve
    from hf_zh_dict.sharing.run_page import write_run_page
    from hf_zh_dict.training.checkpoint import list_checkpoints

    for name in suites:
        load_suite(name)
    is_run = model == run.model
    own = is_run and corpus is None
    output = output or (run.evaluation if own else Path("evaluation.json"))
    root = run.root if is_run else output.with_suffix("")
    paths = RunPaths(root, find_corpus(run.root if own else corpus))
    loaded, tokenizer = load_model_folder(model)
    subject = Subject(
        str(model), loaded, tokenizer, paths,
        folder=output.with_suffix(""),
        batch_size=config.train.per_device_eval_batch_size,
        seed=config.train.seed,
        checkpoints=tuple(list_checkpoints(run)) if is_run else (),
        say=say,
    )  # fmt: skip
    results = run_suites(subject, suites or list(SUITES), output, all_must_run=bool(suites))
    if own and run.metrics.is_file() and "bits" in results["suites"]:
        draw_curve(run.metrics, run.curve, baselines=measure_baselines(run, "validation", say))
    if output == run.evaluation:
        say(_("page: {page}").format(page=write_run_page(run)))
    return results, output


def find_corpus(folder: Path | None) -> Path:
    """The folder with a corpus's three splits: a run's, or the one that is named itself.

    Raises:
        InputError: there is none.
    """
    if folder is None:
        raise InputError(
            _("evaluate: name the corpus to judge this model by, with --corpus RUN_OR_FOLDER.")
        )
    for place in (RunPaths(folder).corpus, folder):
        if all((place / f"{split}.parquet").is_file() for split in SPLITS):
            return place
    raise InputError(
        _(
            "{folder}: no corpus with train, validation and test.parquet; build one with "
            "hf-zh-dict corpus."
        ).format(folder=folder)
    )


def run_comparison(
    models: Sequence[str], say: Say, *, corpus: Path | None, output: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Compare models, each a run, a run's checkpoint `RUN@STEP`, a folder or a Hub id.

    Returns the comparison and the files that hold it, `comparison.json` and `comparison.png`.

    Raises:
        InputError: a model cannot be loaded, or they do not share one corpus.
    """
    from hf_zh_dict.evaluation.comparison import compare
    from hf_zh_dict.sharing.comparison_picture import draw_comparison

    runs = [name for name in models if RunPaths(Path(split_step(name)[0])).config.is_file()]
    judged_by = find_corpus(corpus or (Path(split_step(runs[0])[0]) if runs else None))
    comparison = compare([make_contender(name, judged_by, say) for name in models])
    output.mkdir(parents=True, exist_ok=True)
    files = [output / "comparison.json", output / "comparison.png"]
    text = json.dumps(comparison, ensure_ascii=False, indent=2)
    write_file(files[0], text + "\n")
    draw_comparison(comparison, files[1])
    return comparison, files


def split_step(name: str) -> tuple[str, int | None]:
    """`runs/student@500` → runs/student and 500; without a step there is none."""
    folder, _at, step = name.rpartition("@")
    return (folder, int(step)) if folder and step.isdecimal() else (name, None)


def make_contender(name: str, judged_by: Path, say: Say) -> "Contender":
    """A model with the corpus that it is judged by: a run's own, otherwise `judged_by`.

    Raises:
        InputError: there is no such model or checkpoint.
    """
    from hf_zh_dict.evaluation.comparison import Contender
    from hf_zh_dict.evaluation.subject import Subject
    from hf_zh_dict.model.loading import load_model_folder
    from hf_zh_dict.training.checkpoint import list_checkpoints

    folder, step = split_step(name)
    run = RunPaths(Path(folder))
    is_run = run.config.is_file()
    steps = tuple(list_checkpoints(run)) if is_run else ()
    if step is not None and step not in steps:
        raise InputError(
            _("{name}: there is no checkpoint of step {step}; there are {steps}.").format(
                name=folder, step=step, steps=", ".join(map(str, steps)) or "–"
            )
        )
    model, tokenizer = load_model_folder(run.model if is_run else folder)
    paths = RunPaths(run.root, find_corpus(run.root) if is_run else judged_by)
    subject = Subject(
        name, model, tokenizer, paths,
        folder=run.evaluation.with_suffix(""), checkpoints=steps, say=say,
    )  # fmt: skip
    if step is not None:
        subject = subject.at_checkpoint(step)
    return Contender(name, subject, run.metrics if is_run else None, step)

"""Can the suites tell a model that knows nothing from one that knows a little, and that from more?

    python benchmarks/suites_can_tell.py runs/student
    python benchmarks/suites_can_tell.py runs/student --tenth runs/short/model

The run's model stands beside an untrained one of its shape, and one with a tenth of its steps
(trained here, with the run's settings, unless --tenth names one). A measure that does not put
the three in this order is of no use, and is said to be.
"""

import argparse
import dataclasses
import itertools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hf_zh_dict.config import Config
from hf_zh_dict.evaluation.results import run_suites
from hf_zh_dict.evaluation.subject import Subject
from hf_zh_dict.evaluation.suites import SUITES
from hf_zh_dict.model.llama import build_model, save_model
from hf_zh_dict.model.loading import load_model_folder
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.training import run_training
from hf_zh_dict.settings import load_config
from hf_zh_dict.tokens.tokenizer import load_tokenizer

# suite, where its report has the measure, whether more is better
MEASURES: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "bits per character": ("bits", ("test", "bits_per_char"), False),
    "definition ranking, MRR of 10": (
        "dictionary", ("definition", "among_10", "over_expectation", "mrr"), True,
    ),
    "definition ranking, MRR of 100": (
        "dictionary", ("definition", "among_100", "over_expectation", "mrr"), True,
    ),
    "the same by bits per character": (
        "dictionary", ("definition", "among_100", "by_bits_per_char", "mrr"), True,
    ),
    "headword of a definition, MRR": ("dictionary", ("reverse", "mrr"), True),
    "reading, exact": ("dictionary", ("reading", "all", "exact"), True),
    "reading, syllables": ("dictionary", ("reading", "all", "syllable"), True),
    "reading, tones": ("dictionary", ("reading", "all", "tone"), True),
    "sentence of two words": ("dictionary", ("usage", "words", "accuracy"), True),
    "entry structure": ("samples", ("headword", "entry_structure"), True),
    "注音 validity": ("samples", ("headword", "bopomofo_validity"), True),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder with a finished model")
    parser.add_argument("--tenth", type=Path, help="a model with a tenth of its steps")
    parser.add_argument("--work", type=Path, help="keep models and reports here")
    arguments = parser.parse_args()
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
        compare(arguments.run, arguments.tenth, arguments.work)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(arguments.run, arguments.tenth, Path(folder))


def compare(run: Path, tenth: Path | None, work: Path) -> None:
    paths = RunPaths(run)
    config = load_config(preset=None, path=paths.config, overrides={})
    models = {
        "untrained": make_untrained(config, paths, work),
        "a tenth of its steps": tenth or train_tenth(config, paths, work),
        "finished": paths.model,
    }
    suites = [name for name in dict.fromkeys(suite for suite, _, _ in MEASURES.values())
              if name in SUITES]  # fmt: skip
    reports = []
    for number, folder in enumerate(models.values()):
        model, tokenizer = load_model_folder(folder)
        subject = Subject(
            str(folder), model, tokenizer, RunPaths(work, paths.corpus),
            folder=work / str(number), batch_size=config.train.per_device_eval_batch_size,
            seed=config.train.seed, say=print,
        )  # fmt: skip
        reports.append(
            run_suites(subject, suites, work / f"{number}.json", all_must_run=False)["suites"]
        )
    print("| measure | " + " | ".join(models) + " | chance | told apart |")
    print("|---|" + "--:|" * len(models) + "--:|---|")
    for name, (suite, keys, more_is_better) in MEASURES.items():
        found = [find(report, (suite, *keys)) for report in reports]
        if None not in found:
            print(describe(name, found, more_is_better))


def make_untrained(config: Config, paths: RunPaths, work: Path) -> Path:
    """The run's model before its first step."""
    folder = work / "untrained"
    tokenizer = load_tokenizer(paths.tokenizer)
    save_model(build_model(config, tokenizer), tokenizer, paths.tokenizer, folder)
    return folder


def train_tenth(config: Config, paths: RunPaths, work: Path) -> Path:
    """A training like the run's, its schedule in a tenth of the steps, on the same data."""
    steps = max(1, config.train.max_steps // 10)
    short = RunPaths(work / "tenth")
    for source in (paths.corpus, paths.tokenizer, paths.blocks):
        shutil.copytree(source, short.root / source.name, dirs_exist_ok=True)
    train = dataclasses.replace(
        config.train, max_steps=steps, eval_steps=steps, save_steps=steps, report_to=(),
        warmup_steps=min(config.train.warmup_steps, max(1, steps // 10)),
    )  # fmt: skip
    shorter = dataclasses.replace(config, train=train)
    if run_training(shorter, short, print, resume=False, overwrite=True):
        raise SystemExit("stopped")
    return short.model


def find(report: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        report = report.get(key) if isinstance(report, dict) else None
    return report


def describe(name: str, found: list[dict[str, Any]], more_is_better: bool) -> str:
    """A row: each value with its interval, and whether the three stand in order, how clearly."""
    signs = 1 if more_is_better else -1
    values = [signs * measure["value"] for measure in found]
    pairs = list(itertools.pairwise(found))
    in_order = all(one < other for one, other in itertools.pairwise(values))
    clearly = in_order and all(
        (one.get("high", one["value"]) < other.get("low", other["value"]))
        if more_is_better
        else (one.get("low", one["value"]) > other.get("high", other["value"]))
        for one, other in pairs
    )
    cells = [
        f"{m['value']:.3f}" + (f" ({m['low']:.3f}–{m['high']:.3f})" if "low" in m else "")
        for m in found
    ]
    chance = f"{found[0]['chance']:.3f}" if "chance" in found[0] else "–"
    verdict = "clearly" if clearly else "yes" if in_order else "**no**"
    return "| " + " | ".join([name, *cells, chance, verdict]) + " |"


if __name__ == "__main__":
    main()

"""What is learnt in a given time: held-out bits per character of several recipes, side by side.

    python benchmarks/learning.py RUN --cpu-minutes 20 --seeds 0 1 2
        (or --steps 1200, or --minutes 60 --threads 2 --jobs 1)
        [--preset NAME] [--variant NAME KEY=VALUE …]… [--set KEY=VALUE …] [--points 1] [--jobs 2]
        [--peer DIR --peer-rates 5e-4 1e-3 2e-3] [--json FILE]

RUN is a run folder with corpus, tokenizer and blocks (`hf-zh-dict blocks … --output-dir RUN`); it
is only read. Settings are the preset's, or its own where it has been trained. Every variant changes
some settings and trains anew with every seed; without one, the settings are taken as they are. The
time is that of the process on its one core, compiling included, tokenizer and blocks not: 20 CPU
minutes are 10 minutes of two cores. Nothing else may run meanwhile: what shares the caches makes a
step take up to 60 % more of it; `--steps` instead of a time compares after equal text, whatever
the machine does. `--minutes` are those on the clock, of as many cores as `--threads`.

The schedule is gone through as if the time or the steps were `train.max_steps`; by time it begins
behind the first step, which compiles and would else pass over the warm-up. Validation is scored,
outside the time, at `--points` moments, the last of them the end; the test split at the end.
A file of numbers is written training by training, so that one that was stopped goes on.

DIR is a checkout of karpathy/llama2.c, whose recipe takes part then: its model, optimizer, cosine
schedule, SentencePiece vocabulary and windows over the text, each learning rate as a variant of its
own; the share of warm-up is ours, the batch ours or `--peer-batch-size`.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from hf_zh_dict.config import Config
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import load_config


@dataclasses.dataclass(frozen=True)
class Cell:
    """One training."""

    run: Path
    name: str
    preset: str | None
    overrides: dict[str, Any]
    seed: int
    cpu_minutes: float
    points: int
    steps: int = 0  # instead of the minutes
    minutes: float = 0.0  # on the clock, instead
    threads: int = 1
    peer: Path | None = None  # whose recipe it is
    peer_rate: float = 0.0
    peer_vocab_size: int = 0

    @property
    def budget(self) -> dict[str, float]:
        if self.minutes:
            return {"minutes": self.minutes, "threads": self.threads}
        return {"steps": self.steps} if self.steps else {"cpu_minutes": self.cpu_minutes}

    def seconds(self) -> float:
        """A moment on the clock that counts."""
        return time.monotonic() if self.minutes else cpu_seconds()

    def config(self) -> Config:
        """The run's own settings, or the preset's instead; then the variant's."""
        fixed = {"train.seed": self.seed, "train.cpu_threads": self.threads, "train.report_to": ()}
        return load_config(
            preset=self.preset,
            path=None if self.preset else RunPaths(self.run).config,
            overrides=self.overrides | fixed,
        )


class Recipe(Protocol):
    """What learns: one step after another."""

    def step(self, position: float) -> int:
        """An update at a position from 0 to 1 of the time; returns the targets it saw."""

    def bits_per_char(self, split: str) -> float:
        """What the model needs for a split, each document alone with its end."""

    @property
    def epochs(self) -> float: ...


class Ours:
    """A variant of our settings, through the package's own update."""

    def __init__(self, cell: Cell) -> None:
        from hf_zh_dict.model.llama import build_model
        from hf_zh_dict.stages import read_stage
        from hf_zh_dict.tokens.blocks import Blocks
        from hf_zh_dict.tokens.tokenizer import load_tokenizer
        from hf_zh_dict.training.launch import make_accelerator
        from hf_zh_dict.training.stream import BlockStream
        from hf_zh_dict.training.update import Updater

        self.paths = RunPaths(cell.run)
        config = self.config = cell.config()
        self.tokenizer = load_tokenizer(self.paths.tokenizer)
        blocks = Blocks(
            self.paths.blocks,
            block_size=config.blocks.block_size,
            dtype=read_stage(self.paths.blocks)["dtype"],
        )
        self.updater = Updater(
            build_model(config, self.tokenizer), config.train, make_accelerator(config, self.paths)
        )
        self.stream = BlockStream(blocks, seed=cell.seed, reshuffle=config.train.reshuffle_entries)

    def step(self, position: float) -> int:
        from hf_zh_dict.tokens.blocks import IGNORED

        train = self.config.train
        micro_batches = self.stream.next_step(
            batch_size=train.per_device_batch_size,
            accumulation=train.gradient_accumulation_steps,
            rank=0,
            world_size=1,
        )
        targets = sum(int((batch.labels != IGNORED).sum()) for batch in micro_batches)
        self.updater.update(micro_batches, targets, int(position * train.max_steps))
        return targets

    def bits_per_char(self, split: str) -> float:
        from hf_zh_dict.corpus.build import read_texts
        from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts, total_score

        self.updater.gather()
        texts = prepare_texts(self.tokenizer, list(read_texts(self.paths.split(split))))
        nll = score_texts(
            self.updater.judged,
            texts,
            batch_size=self.config.train.per_device_eval_batch_size,
            context_length=self.config.context_length,
        )
        return total_score(texts, nll).bits_per_char

    @property
    def epochs(self) -> float:
        return (
            self.stream.epoch + self.stream.cursor / self.stream.pack(self.stream.epoch).num_blocks
        )


def train(cell: Cell) -> dict[str, Any]:
    """One cell, in a process of its own."""
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(cell.threads)  # 1: in this process
    import torch

    torch.set_num_threads(cell.threads)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache  # compiles anew
        recipe: Recipe
        if cell.peer:
            from llama2c_peer import Peer

            recipe = Peer(
                cell.peer, RunPaths(cell.run), cell.config(),
                vocab_size=cell.peer_vocab_size, rate=cell.peer_rate,
            )  # fmt: skip
        else:
            recipe = Ours(cell)
        budget = 60 * (cell.minutes or cell.cpu_minutes)
        began, outside, steps, targets = cell.seconds(), 0.0, 0, 0
        spent = position = compiled = 0.0
        curve: list[dict[str, float]] = []
        while position < 1:
            if steps and position >= (len(curve) + 1) / cell.points:
                before = cell.seconds()
                score(cell, recipe, curve, steps, spent)
                outside += cell.seconds() - before
            targets += recipe.step(position)
            steps += 1
            spent = cell.seconds() - began - outside
            compiled = compiled or spent
            in_time = (spent - compiled) / max(budget - compiled, 1.0)
            position = steps / cell.steps if cell.steps else in_time
        score(cell, recipe, curve, steps, spent)
        return {
            "name": cell.name,
            "seed": cell.seed,
            **cell.budget,
            "validation": curve[-1]["validation"],
            "test": recipe.bits_per_char("test"),
            "targets_per_second": targets / spent,
            "curve": curve,
        }


def score(
    cell: Cell, recipe: Recipe, curve: list[dict[str, float]], steps: int, spent: float
) -> None:
    """Add a point to the curve, and tell it."""
    bits = recipe.bits_per_char("validation")
    curve.append({"validation": bits, "steps": steps, "epochs": recipe.epochs, "seconds": spent})
    share = len(curve) / cell.points
    print(
        f"{cell.name}, seed {cell.seed}: {bits:.3f} bits per character at {share:.0%} "
        f"({steps:,} steps, {spent:,.0f} s; {spent / share - spent:,.0f} s to go)",
        file=sys.stderr,
        flush=True,
    )


def cpu_seconds() -> float:
    """Of this process and the compilers it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def parse_settings(items: list[str]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in items)


def make_cells(arguments: argparse.Namespace) -> Iterator[Cell]:
    """Seeds outermost, so that what is finished first compares all variants."""
    shared = parse_settings(arguments.set)
    variants = [
        (name, shared | parse_settings(items)) for name, *items in arguments.variant or [["ours"]]
    ]
    common: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in ("cpu_minutes", "points", "steps", "minutes", "threads")
    }
    run, preset = arguments.run, arguments.preset
    for seed in arguments.seeds:
        for name, overrides in variants:
            yield Cell(run, name, preset, overrides, seed, **common)
        for rate in arguments.peer_rates if arguments.peer else ():
            batch = arguments.peer_batch_size
            theirs = shared | ({"train.per_device_batch_size": batch} if batch else {})
            yield Cell(
                run, f"llama2.c, rate {rate:g}", preset, theirs, seed, **common,
                peer=arguments.peer, peer_rate=rate, peer_vocab_size=arguments.peer_vocab_size,
            )  # fmt: skip


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: each variant's mean over seeds, how far they lie apart, and its best point."""
    lines = [
        "| | validation | spread | test | epochs | steps | targets/s | best at epoch |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(result["name"] for result in results):
        same = [result for result in results if result["name"] == name]
        ends = [result["curve"][-1] for result in same]
        bits = [result["validation"] for result in same]
        spread = f"{max(bits) - min(bits):.3f}" if len(bits) > 1 else "–"
        best = [min(result["curve"], key=lambda point: point["validation"]) for result in same]
        lines.append(
            f"| {name} | {statistics.mean(bits):.3f} | {spread} "
            f"| {statistics.mean(r['test'] for r in same):.3f} "
            f"| {statistics.mean(end['epochs'] for end in ends):.2f} "
            f"| {statistics.mean(end['steps'] for end in ends):,.0f} "
            f"| {statistics.mean(r['targets_per_second'] for r in same):,.0f} "
            f"| {statistics.mean(point['epochs'] for point in best):.2f} |"
        )
    return "\n".join(lines)


def read_results(path: Path | None) -> list[dict[str, Any]]:
    """What an earlier call has written."""
    if not path or not path.is_file():
        return []
    results: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return results


def write_results(results: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8", newline="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder with corpus, tokenizer and blocks")
    parser.add_argument("--cpu-minutes", type=float, default=20.0, help="of training, each cell")
    parser.add_argument("--steps", type=int, default=0, help="of each cell, instead of minutes")
    parser.add_argument("--minutes", type=float, default=0.0, help="on the clock, instead")
    parser.add_argument("--threads", type=int, default=1, help="of each cell")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--preset", help="settings, instead of the run's own")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="for all variants"
    )
    parser.add_argument(
        "--variant", nargs="+", action="append", metavar=("NAME", "KEY=VALUE"),
        help="a name and the settings that make it; may be repeated",
    )  # fmt: skip
    parser.add_argument("--points", type=int, default=1, help="validations along the way")
    parser.add_argument("--jobs", type=int, default=2, help="cells at once")
    parser.add_argument("--peer", type=Path, help="a checkout of karpathy/llama2.c")
    parser.add_argument("--peer-rates", type=float, nargs="+", default=[5e-4, 1e-3, 2e-3])
    parser.add_argument("--peer-batch-size", type=int, help="blocks a step (those of the settings)")
    parser.add_argument("--peer-vocab-size", type=int, default=13_304)
    parser.add_argument(
        "--json", type=Path, help="keep the numbers here; what is in it is not trained anew"
    )
    arguments = parser.parse_args()
    if not arguments.preset and not RunPaths(arguments.run).config.is_file():
        parser.error(f"{arguments.run} has no settings of its own: give --preset NAME")
    if arguments.peer:
        from llama2c_peer import prepare

        prepare(arguments.peer, RunPaths(arguments.run), arguments.peer_vocab_size)
    context = multiprocessing.get_context("spawn")
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    results = read_results(arguments.json)
    cells = [
        cell
        for cell in make_cells(arguments)
        if not any(
            {"name": cell.name, "seed": cell.seed, **cell.budget}.items() <= result.items()
            for result in results
        )
    ]
    with ProcessPoolExecutor(arguments.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        for result in pool.map(train, cells):
            results.append(result)
            if arguments.json:
                write_results(results, arguments.json)
    print(table(results))


if __name__ == "__main__":
    main()

"""Isolated documents and reshuffled entries, each with and without: which learns more in equal time?

    python benchmarks/packing.py runs/student --minutes 10 --seeds 0 1 2 [--set train.compile=true …]

Reads the run folder's corpus, tokenizer, blocks and settings, and leaves it as it is. Every cell
trains the same shape for the same wall time, over and over in turn so that a busy machine troubles
all of them alike; compiling and the first step are not counted. The learning rate follows the time:
the schedule is gone through as if the time were `train.max_steps`. Printed are validation bits per character, as a table and as JSON.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from accelerate import Accelerator

from hf_zh_dict.config import Config
from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts, spread, total_score
from hf_zh_dict.model.llama import build_model
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import load_config
from hf_zh_dict.tokens.blocks import IGNORED, load_blocks
from hf_zh_dict.tokens.tokenizer import load_tokenizer
from hf_zh_dict.training.launch import make_accelerator
from hf_zh_dict.training.stream import BlockStream
from hf_zh_dict.training.trial import check_isolation
from hf_zh_dict.training.update import Updater


@dataclass(frozen=True)
class Cell:
    """One training: what it does, and what it reached."""

    isolate_documents: bool
    reshuffle: bool
    seed: int
    bits_per_char: float
    steps: int
    epochs: float
    tokens_per_second: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder with corpus, tokenizer and blocks")
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, each cell")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings, for all cells"
    )
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    arguments = parser.parse_args()
    paths = RunPaths(arguments.run)
    overrides = dict(item.split("=", 1) for item in arguments.set)
    cells = []
    for seed, reshuffle, isolate in product(arguments.seeds, (True, False), (False, True)):
        chosen = {"train.isolate_documents": isolate, "train.seed": seed, "train.report_to": ()}
        config = load_config(
            path=paths.config if paths.config.is_file() else None, overrides=overrides | chosen
        )
        cells.append(train(config, paths, reshuffle=reshuffle, seconds=arguments.minutes * 60))
        print(json.dumps(dataclasses.asdict(cells[-1])), file=sys.stderr, flush=True)
    print(table(cells))
    text = json.dumps([dataclasses.asdict(cell) for cell in cells], indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def train(config: Config, paths: RunPaths, *, reshuffle: bool, seconds: float) -> Cell:
    """One cell: as many updates as fit into the time, then the validation split."""
    train = config.train
    torch._dynamo.reset()
    accelerator: Accelerator = make_accelerator(config, paths)
    tokenizer, blocks = load_tokenizer(paths.tokenizer), load_blocks(paths.blocks)
    updater = Updater(build_model(config, tokenizer), train, accelerator)
    if train.isolate_documents:
        check_isolation(
            updater, batch_size=train.per_device_batch_size, block_size=blocks.block_size
        )
    stream = BlockStream(blocks, seed=train.seed, reshuffle=reshuffle)
    steps = tokens = 0
    spent = 0.0
    while spent < seconds:
        micro_batches = stream.next_step(
            batch_size=train.per_device_batch_size,
            accumulation=train.gradient_accumulation_steps,
            rank=0,
            world_size=1,
        )
        targets = sum(int((batch.labels != IGNORED).sum()) for batch in micro_batches)
        began = time.monotonic()
        update = updater.update(micro_batches, targets, int(spent / seconds * train.max_steps))
        assert update is not None
        float(update.loss_sum)  # waits for the device
        if steps:  # the first one compiles
            spent += time.monotonic() - began
            tokens += targets
        steps += 1
    return Cell(
        isolate_documents=train.isolate_documents,
        reshuffle=reshuffle,
        seed=train.seed,
        bits_per_char=validate(config, paths, updater),
        steps=steps - 1,
        epochs=stream.epoch + stream.cursor / stream.pack(stream.epoch).num_blocks,
        tokens_per_second=tokens / spent,
    )


def validate(config: Config, paths: RunPaths, updater: Updater) -> float:
    """Bits per character; each document is scored alone, as always."""
    texts = list(read_texts(paths.split("validation")))
    chosen = [texts[i] for i in spread(len(texts), config.train.max_eval_documents)]
    scored = prepare_texts(load_tokenizer(paths.tokenizer), chosen)
    updater.gather()
    nll = score_texts(
        updater.model,
        scored,
        batch_size=config.train.per_device_eval_batch_size,
        context_length=config.context_length,
    )
    return total_score(scored, nll).bits_per_char


def table(cells: list[Cell]) -> str:
    """A Markdown table: the mean of the seeds, how far they lie apart, and how far each came."""
    lines = [
        "| isolated | reshuffled | bits per character | spread | epochs | tokens/s |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for isolate, reshuffle in product((False, True), (True, False)):
        same = [c for c in cells if (c.isolate_documents, c.reshuffle) == (isolate, reshuffle)]
        bits = [cell.bits_per_char for cell in same]
        lines.append(
            f"| {'yes' if isolate else 'no'} | {'yes' if reshuffle else 'no'} "
            f"| {statistics.mean(bits):.4f} | {max(bits) - min(bits):.4f} "
            f"| {statistics.mean(c.epochs for c in same):.2f} "
            f"| {statistics.mean(c.tokens_per_second for c in same):,.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

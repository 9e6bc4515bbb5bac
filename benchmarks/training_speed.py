"""How quick a training step is, beside a stock transformers loop and llama2.c's.

    python benchmarks/training_speed.py [--peer DIR] [--shapes 288x6 192x6 128x4] [--json FILE]

DIR is a checkout of karpathy/llama2.c; without it, ours and the stock loop run alone. All train the
same shape on the same token ids, batch, number of threads and float32; ours runs in bfloat16 as well
where the CPU has instructions for it.
Rounds of a few steps are interleaved, so that a busy machine troubles all alike: what counts is the
median ratio of a round, and the quartiles beside it. A large matrix product takes part, in both
precisions: its best speed is the machine's measured ceiling. Each runs in a process of its own, whose
peak memory is told. In the end ours is checked against the stock path: loss and gradients of equal weights.

llama2.c is compiled, as is its default, and takes its own optimizer; the steps of its loop are
forward, backward, clipping and update, one micro-batch each.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM

from hf_zh_dict.config import Config
from hf_zh_dict.model.llama import make_llama_config
from hf_zh_dict.model.loss import LanguageModelLoss
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import load_config
from hf_zh_dict.training.device import multiplies_bfloat16
from hf_zh_dict.training.launch import make_accelerator
from hf_zh_dict.training.stream import MicroBatch
from hf_zh_dict.training.update import Updater

HEADS = {"288x6": 6, "192x6": 6, "128x4": 4}
CEILING_WIDTH = 2048
LEARNING_RATE = 1e-4  # small: what is learnt does not matter here
Step = Callable[[], Any]


class Vocabulary:
    """What the model's configuration asks of a tokenizer."""

    bos_token_id, eos_token_id, pad_token_id = 0, 1, 2

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size


@dataclasses.dataclass(frozen=True)
class Task:
    """What every contestant trains."""

    shape: str  # width x layers
    heads: int
    vocab_size: int
    batch_size: int
    block_size: int

    def config(self, **train: Any) -> Config:
        width, layers = self.shape.split("x")
        return load_config(
            overrides={
                "tokenizer.vocab_size": self.vocab_size,
                "blocks.block_size": self.block_size,
                "model.hidden_size": width,
                "model.num_hidden_layers": layers,
                "model.num_attention_heads": self.heads,
                "train.per_device_batch_size": self.batch_size,
                "train.lr_scheduler_type": "constant",
                "train.learning_rate": LEARNING_RATE,
                **{f"train.{key}": value for key, value in train.items()},
            }
        )

    def ids(self) -> np.ndarray:
        """[batch_size, block_size + 1], always the same."""
        generator = np.random.default_rng(0)
        return generator.integers(3, self.vocab_size, (self.batch_size, self.block_size + 1))

    def model(self) -> LlamaForCausalLM:
        torch.manual_seed(0)
        return LlamaForCausalLM(make_llama_config(self.config(), Vocabulary(self.vocab_size)))

    @property
    def flops(self) -> float:
        """Of a step: 6 a weight of a matrix and token, 12 · layers · width · context for attention."""
        model = self.model()
        matrices = sum(p.numel() for n, p in model.named_parameters() if p.ndim == 2)
        layers, width = model.config.num_hidden_layers, model.config.hidden_size
        per_token = 6 * matrices + 12 * layers * width * self.block_size
        return float(per_token * self.batch_size * self.block_size)


def make_ours(task: Task, *, mixed_precision: str = "no") -> Step:
    config = task.config(compile=True, mixed_precision=mixed_precision, use_cpu=True, report_to=())
    accelerator = make_accelerator(config, RunPaths(Path()))
    updater = Updater(task.model(), config.train, accelerator)
    ids = task.ids()
    positions = np.tile(np.arange(task.block_size), (task.batch_size, 1))
    batch = MicroBatch(ids[:, :-1], ids[:, 1:], positions)
    return lambda: updater.update([batch], batch.labels.size, 0)


def make_stock(task: Task) -> Step:
    model = task.model().train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    ids = torch.from_numpy(task.ids()[:, :-1])

    def step() -> None:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return step


def make_peer(task: Task) -> Step:
    """llama2.c's model and optimizer, from the checkout that is on sys.path."""
    from model import ModelArgs, Transformer  # type: ignore[import-not-found]

    width, layers = (int(number) for number in task.shape.split("x"))
    torch.manual_seed(0)
    plain = Transformer(
        ModelArgs(
            dim=width, n_layers=layers, n_heads=task.heads, n_kv_heads=task.heads,
            vocab_size=task.vocab_size, multiple_of=32, max_seq_len=task.block_size, dropout=0.0,
        )
    )  # fmt: skip
    optimizer = plain.configure_optimizers(0.1, LEARNING_RATE, (0.9, 0.95), "cpu")
    model = torch.compile(plain)
    ids = torch.from_numpy(task.ids())

    def step() -> None:
        model(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())
        plain.last_loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def make_product(task: Task, *, dtype: torch.dtype) -> Step:
    """What the ceiling is measured by."""
    left = torch.randn(CEILING_WIDTH, CEILING_WIDTH).to(dtype)
    return lambda: left @ left


CONTESTANTS: dict[str, Callable[[Task], Step]] = {
    "peer": make_peer,
    "stock": make_stock,
    "ours": make_ours,
    "ours bf16": partial(make_ours, mixed_precision="bf16"),
    "float32": partial(make_product, dtype=torch.float32),
    "bfloat16": partial(make_product, dtype=torch.bfloat16),
}
PRODUCTS = ("float32", "bfloat16")
BFLOAT16 = ("ours bf16", "bfloat16")  # left out on a CPU without instructions for it


def serve(name: str, task: Task, path: list[str], pipe: Connection) -> None:
    """In a process of its own: answers a number of steps with the seconds that each took.

    0 steps are the end; the answer is the process's largest memory, in gigabytes.
    """
    sys.path[:0] = path
    step = CONTESTANTS[name](task)
    for _ in range(2):  # compiles
        step()
    pipe.send(0.0)
    while count := pipe.recv():
        began = time.perf_counter()
        for _ in range(count):
            step()
        pipe.send((time.perf_counter() - began) / count)
    pipe.send(peak_gigabytes())


def peak_gigabytes() -> float:
    """This process's largest memory; on Linux not getrusage's, which begins with the parent's."""
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        line = next(
            x for x in status.read_text(encoding="utf-8").splitlines() if x.startswith("VmHWM")
        )
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def left_out() -> tuple[str, ...]:
    return () if multiplies_bfloat16(torch.device("cpu")) else BFLOAT16


def measure(
    task: Task, names: list[str], path: list[str], *, rounds: int, steps: int
) -> dict[str, Any]:
    """Seconds a step in each round, [rounds], and what they come to."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    products = [name for name in PRODUCTS if name not in left_out()]
    for name in (*names, *products):
        pipes[name], theirs = context.Pipe()
        context.Process(target=serve, args=(name, task, path, theirs), daemon=True).start()
        theirs.close()
        pipes[name].recv()
    seconds: dict[str, list[float]] = {name: [] for name in pipes}
    for number in range(rounds):
        turn = list(pipes)
        for name in turn[number % len(turn) :] + turn[: number % len(turn)]:
            pipes[name].send(steps)
            seconds[name].append(pipes[name].recv())
        print(f"{task.shape}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    for pipe in pipes.values():
        pipe.send(0)
    peaks = {name: pipe.recv() for name, pipe in pipes.items()}
    ceilings = {name: 2 * CEILING_WIDTH**3 / min(seconds[name]) for name in products}
    tokens = task.batch_size * task.block_size
    results = {}
    for name in names:
        ceiling = ceilings["bfloat16" if name.endswith("bf16") else "float32"]
        median = statistics.median(seconds[name])
        results[name] = {
            "tokens_per_second": tokens / median,
            "share_of_ceiling": task.flops / median / ceiling,
            "peak_gigabytes": peaks[name],
            "seconds": seconds[name],
        }
        for other in ("peer", "stock"):
            if other in names:
                ratios = [b / a for a, b in zip(seconds[name], seconds[other], strict=True)]
                results[name][f"ratio_to_{other}"] = statistics.median(ratios)
                results[name][f"quartiles_to_{other}"] = statistics.quantiles(ratios, n=4)[::2]
    return {
        "task": dataclasses.asdict(task),
        "gigaflops_ceiling": {name: value / 1e9 for name, value in ceilings.items()},
        "contestants": results,
    }


def differences(task: Task) -> dict[str, float]:
    """The largest relative difference of loss and of any gradient to the stock path, in float32."""
    ids = torch.from_numpy(task.ids())
    stock, ours = task.model(), task.model()
    loss = stock(input_ids=ids[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(loss.flatten(0, 1).float(), ids[:, 1:].flatten())
    loss.backward()
    mine = LanguageModelLoss(ours)(ids[:, :-1], ids[:, 1:]) / ids[:, 1:].numel()
    mine.backward()
    gradients = [
        float((a.grad - b.grad).norm() / b.grad.norm())
        for a, b in zip(ours.parameters(), stock.parameters(), strict=True)
    ]
    return {"loss": abs(float((mine / loss).detach()) - 1), "gradient": max(gradients)}


def table(facts: dict[str, Any]) -> str:
    """Markdown: a line for each shape and contestant."""
    lines = [
        "| 形狀 shape | | token／秒 a second | 對 llama2.c to llama2.c | 對 stock to stock "
        "| 佔矩陣乘法上限 of the ceiling | 尖峰 GB peak |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for result in facts["results"]:
        for name, one in result["contestants"].items():
            peer = "–"
            if "ratio_to_peer" in one:
                low, high = one["quartiles_to_peer"]
                peer = f"{one['ratio_to_peer']:.2f} ({low:.2f}–{high:.2f})"
            lines.append(
                f"| {result['task']['shape']} | {name} | {one['tokens_per_second']:,.0f} | {peer} "
                f"| {one['ratio_to_stock']:.2f} | {one['share_of_ceiling']:.0%} "
                f"| {one['peak_gigabytes']:.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="a checkout of karpathy/llama2.c")
    parser.add_argument("--shapes", nargs="+", default=list(HEADS), choices=list(HEADS))
    parser.add_argument("--vocab-size", type=int, default=13_304)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--block-size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=2, help="in a round, for each")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    arguments = parser.parse_args()
    path = [str(arguments.peer.resolve())] if arguments.peer else []
    skipped = {*PRODUCTS, *left_out(), *([] if arguments.peer else ["peer"])}
    names = [name for name in CONTESTANTS if name not in skipped]
    results = []
    for shape in arguments.shapes:
        task = Task(
            shape, HEADS[shape], arguments.vocab_size, arguments.batch_size, arguments.block_size
        )
        result = measure(task, names, path, rounds=arguments.rounds, steps=arguments.steps)
        result["differences_to_stock"] = differences(task)
        results.append(result)
    facts = {
        "machine": {
            "cores": os.cpu_count(), "threads": torch.get_num_threads(),
            "processor": platform.processor() or platform.machine(), "torch": torch.__version__,
        },
        "results": results,
    }  # fmt: skip
    print(table(facts))
    for result in results:
        apart, ceilings = result["differences_to_stock"], result["gigaflops_ceiling"]
        print(
            f"{result['task']['shape']}: ours differs from stock by "
            + ", ".join(f"{name} {value:.1e}" for name, value in apart.items())
            + "; ceiling in GFLOP/s: "
            + ", ".join(f"{name} {value:.0f}" for name, value in ceilings.items())
        )
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Tokens a second that `generate` writes, beside transformers' own and llama2.c's run.c.

    python benchmarks/generation.py runs/student --run-c ./run [--threads 1 2] [--json FILE]

Prompts are headwords of the run's validation split, continued greedily up to the end of the text
or a number of tokens. All ways take turns, round after round, so that a busy machine troubles them alike;
what counts is the ratio to run.c within a round, its median and how far the rounds lie apart. With
one thread processor time is counted, with more the clock's. Loading and the first token, before
which the prompt is read, are not counted; of run.c they are measured in a run that stops there.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.corpus.prompts import make_prompt
from hf_zh_dict.formats.llama2c_vocabulary import make_vocabulary
from hf_zh_dict.formats.llama2c_weights import write_model
from hf_zh_dict.formats.run_c import show
from hf_zh_dict.model.decoder import Decoder
from hf_zh_dict.model.generate import Prompt, continue_together
from hf_zh_dict.model.loading import load_model_folder
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.model.text_model import TextModel
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import load_config


@dataclass(frozen=True)
class Measured:
    """Tokens behind each text's first, the seconds they took, and the ids of each text."""

    tokens: int
    seconds: float
    ids: list[list[int]]


class Bench:
    """One model and its prompts, continued in different ways."""

    def __init__(
        self, run: Path, *, num_prompts: int, max_new_tokens: int, run_c: Path | None, folder: Path
    ) -> None:
        paths = RunPaths(run)
        self.model, self.tokenizer = load_model_folder(paths.model)
        self.decoder = Decoder.of(self.model)
        self.ends = TextModel.of(self.model, self.tokenizer).ends
        self.vocabulary = make_vocabulary(self.tokenizer, self.model.config.vocab_size)
        config = load_config(path=paths.config)
        rows = read_rows(paths.split("validation"), ["headword"])
        texts = [make_prompt(config.corpus, row["headword"]) for row in rows]
        ids = [self.tokenizer(text)["input_ids"] for text in texts]
        context = self.decoder.context_length
        fitting = [
            (text, Prompt(prompt, [], context - len(prompt), seed=0))
            for text, prompt in zip(texts, ids, strict=True)
            if self.vocabulary.encode(text) == self.vocabulary.translate(prompt)
        ]  # those that run.c reads as we do
        chosen = fitting[:: max(1, len(fitting) // num_prompts)][:num_prompts]
        self.texts = [text for text, _prompt in chosen]
        self.prompts = [prompt for _text, prompt in chosen]
        self.run_c, self.folder = run_c, folder
        self.threads = 1
        self.greedy = Sampling(max_new_tokens=max_new_tokens, temperature=0.0)
        if run_c:
            write_model(self.model, self.vocabulary, folder / "model.bin", version=0)
            self.vocabulary.write(folder / "tokenizer.bin")

    def clock(self) -> float:
        """Seconds that this process and its children have taken."""
        if self.threads > 1:
            return time.perf_counter()
        usages = (
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    def ours(self, batch_size: int) -> Measured:
        """`generate`, so many texts together."""
        tokens, seconds = 0, 0.0
        ids: list[list[int]] = []
        for start in range(0, len(self.prompts), batch_size):
            prompts = self.prompts[start : start + batch_size]
            new: list[list[int]] = [[] for _prompt in prompts]
            began = 0.0
            for step in continue_together(self.decoder, prompts, self.greedy, self.ends):
                began = began or self.clock()
                for row, token in step.items():
                    new[row].append(token)
            seconds += self.clock() - began
            tokens += sum(len(row) - 1 for row in new)
            ids += new
        return Measured(tokens, seconds, ids)

    def transformers(self) -> Measured:
        """`model.generate`, one text after another."""
        tokens, seconds = 0, 0.0
        ids = []
        for prompt in self.prompts:
            inputs = torch.tensor([prompt.ids])
            times: list[float] = []

            def watch(*_step: object, times: list[float] = times) -> torch.Tensor:
                times.append(self.clock())
                return torch.zeros(1, dtype=torch.bool)

            with torch.inference_mode():
                output = self.model.generate(
                    inputs, attention_mask=torch.ones_like(inputs), do_sample=False,
                    max_new_tokens=min(self.greedy.max_new_tokens, prompt.room),
                    eos_token_id=sorted(self.ends), stopping_criteria=[watch],
                )  # fmt: skip
            ids.append(output[0, len(prompt.ids) :].tolist())
            tokens += len(times) - 1
            seconds += times[-1] - times[0]
        return Measured(tokens, seconds, ids)

    def llama2c(self, ids: list[list[int]]) -> Measured:
        """run.c, one text after another."""
        tokens, seconds = 0, 0.0
        same: list[list[int]] = []  # ids of texts that it prints as transformers writes them
        theirs = {ours: number for number, ours in enumerate(self.vocabulary.outputs)}
        for text, prompt, new in zip(self.texts, self.prompts, ids, strict=True):
            first, _printed = self.run(text, steps=len(prompt.ids))
            all_, printed = self.run(text, steps=len(prompt.ids) + len(new) - 1)
            tokens += len(new) - 1
            seconds += all_ - first
            read = self.vocabulary.encode(text)
            written = [theirs[number] for number in new if number not in self.ends]
            same.append(new if printed == show(self.vocabulary, [*read, *written]) else [])
        return Measured(tokens, seconds, same)

    def run(self, text: str, *, steps: int) -> tuple[float, bytes]:
        """Seconds of one call of run.c, and what it printed."""
        assert self.run_c
        began = self.clock()
        done = subprocess.run(
            [str(self.run_c.resolve()), str(self.folder / "model.bin"), "-z",
             str(self.folder / "tokenizer.bin"), "-t", "0", "-n", str(steps), "-i", text],
            capture_output=True, check=True, env={**os.environ, "OMP_NUM_THREADS": str(self.threads)},
        )  # fmt: skip
        return self.clock() - began, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run folder with model and corpus")
    parser.add_argument("--run-c", type=Path, metavar="BINARY", help="run.c of llama2.c, compiled")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument(
        "--prompts", type=int, default=16, help="texts, of which all grow at once in batch 16"
    )
    parser.add_argument("--max-new-tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.run, num_prompts=arguments.prompts,
                      max_new_tokens=arguments.max_new_tokens, run_c=arguments.run_c,
                      folder=Path(folder))  # fmt: skip
        torch.set_num_threads(arguments.threads[0])
        expected = bench.transformers().ids
        for threads in dict.fromkeys(arguments.threads):
            torch.set_num_threads(threads)
            bench.threads = threads
            ways: dict[str, Callable[[], Measured]] = {
                "generate, batch 1": lambda: bench.ours(1),
                "generate, batch 16": lambda: bench.ours(16),
                "transformers": bench.transformers,
            }
            if arguments.run_c:
                ways["run.c"] = lambda: bench.llama2c(expected)
            results += compare(ways, threads, arguments.rounds, expected)
    print(table(results))
    text = json.dumps(results, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def compare(
    ways: dict[str, Callable[[], Measured]], threads: int, rounds: int, expected: list[list[int]]
) -> list[dict[str, object]]:
    """Every way in turn, so many times; rates, ratios to run.c, and whether ids are the same."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    same = dict.fromkeys(ways, 0)
    for number in range(rounds + 1):  # the first round warms up
        for name, way in ways.items():
            measured = way()
            same[name] = sum(a == b for a, b in zip(measured.ids, expected, strict=True))
            if number:
                rates[name].append(measured.tokens / measured.seconds)
        print(f"{threads} thread(s), round {number} of {rounds}", file=sys.stderr, flush=True)
    base = rates.get("run.c")
    rows = []
    for name, found in rates.items():
        ratios = [rate / other for rate, other in zip(found, base, strict=True)] if base else []
        rows.append(
            {
                "way": name,
                "threads": threads,
                "tokens_per_second": statistics.median(found),
                "ratio": statistics.median(ratios) if ratios else None,
                "ratios": ratios,
                "texts": len(expected),
                "texts_with_transformers_ids": same[name],
            }
        )
    return rows


def table(results: list[dict[str, object]]) -> str:
    """A Markdown table."""
    lines = [
        "| | 執行緒 threads | 詞元／秒 tokens/s | 對 run.c to run.c | 從 from | 到 to | 編號相同 same ids |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in results:
        ratios = row["ratios"]
        assert isinstance(ratios, list)
        spread = [min(ratios), statistics.median(ratios), max(ratios)] if ratios else [0, 0, 0]
        lines.append(
            f"| {row['way']} | {row['threads']} | {row['tokens_per_second']:,.0f} "
            f"| {spread[1]:.2f} | {spread[0]:.2f} | {spread[2]:.2f} "
            f"| {row['texts_with_transformers_ids']}/{row['texts']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

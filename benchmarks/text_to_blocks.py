"""Megabytes a second and peak memory from Parquet or a text file to token ids, and of training.

    python benchmarks/text_to_blocks.py RUN [--peer DIR]

RUN is a run's folder with a corpus. DIR is a checkout of llama2.c; its tinystories.py then trains
a SentencePiece vocabulary on the same train split and pretokenizes it, in its own words and in a
process of its own, by turns with ours. Every way reads a file and leaves files of uint16; the
seconds are those inside the process, from opening the input on, imports left out (CPU seconds
hold them). Tokenizers are trained once each: ours (a sample), and all of the text in one go.

    pip install sentencepiece tqdm    # what llama2.c's side needs
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PEER_NAME = "peer, one process"
SAMPLE = 5_000_000  # the default of tokenizer.sample_characters

TRAIN = """
import json, sys, time
from pathlib import Path
from hf_zh_dict.config import TokenizerConfig
from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.stages import read_stage
from hf_zh_dict.tokens.tokenizer import build_tokenizer, encode_texts, load_tokenizer, sample_texts
corpus, folder, vocab_size, sample = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
folder.mkdir(exist_ok=True)
facts = read_stage(corpus)["splits"]["train"]
config = TokenizerConfig(vocab_size=vocab_size)
began = time.perf_counter()
texts = sample_texts(
    read_texts(corpus / "train.parquet"), documents=facts["documents"],
    characters=facts["characters"], sample_characters=sample,
)
build_tokenizer(config, texts, folder, context_length=256)
seconds = time.perf_counter() - began
held_out = [t for s in ("validation", "test") for t in read_texts(corpus / f"{s}.parquet")]
ids = encode_texts(load_tokenizer(folder), held_out)
ratio = sum(map(len, held_out)) / sum(map(len, ids))
print(json.dumps({"seconds": seconds, "characters_per_token": ratio}))
"""

OURS = """
import json, sys, time
from pathlib import Path
from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.tokens.blocks import build_blocks
from hf_zh_dict.tokens.tokenizer import load_tokenizer
source, tokenizer, folder, workers = *map(Path, sys.argv[1:4]), int(sys.argv[4])
tokenizer = load_tokenizer(tokenizer)
from tiktoken import Encoding
began = time.perf_counter()
def lines():
    with source.open(encoding="utf-8", newline="\\n") as file:
        for line in file:
            yield line.rstrip("\\n")
texts = read_texts(source) if source.suffix == ".parquet" else lines()
facts = build_blocks(texts, tokenizer, folder, block_size=256, num_workers=workers)
print(json.dumps({"seconds": time.perf_counter() - began, "tokens": facts["tokens"]}))
"""

PEER = """
import builtins, json, os, sys, time
sys.path.insert(0, sys.argv[1])
import tinystories
builtins.input = lambda question: "n"
stage, vocab_size = sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
if stage == "train_vocab":
    tinystories.train_vocab(vocab_size)
else:
    for shard in enumerate(sorted(tinystories.glob.glob("data/TinyStories_all_data/*.json"))):
        tinystories.process_shard(shard, vocab_size)
print(json.dumps({"seconds": time.perf_counter() - began}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run's folder, with its corpus")
    parser.add_argument("--peer", type=Path, metavar="DIR", help="a checkout of llama2.c")
    parser.add_argument("--vocab-size", type=int, default=13_304)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--only-training", action="store_true", help="of tokenizers; no encoding")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    vocab_size, peer = arguments.vocab_size, arguments.peer and arguments.peer.resolve()
    results: dict[str, Any] = {"vocab_size": vocab_size, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = (arguments.run / "corpus").resolve()
        results["training"] = train_tokenizers(corpus, folder, vocab_size)
        if not arguments.only_training:
            megabytes = write_copies(corpus / "train.parquet", folder, arguments.copies)
            results["megabytes"] = megabytes
            if peer:
                results["training"]["peer"] = prepare_peer(peer, folder, vocab_size)
            ways = list_ways(corpus, folder, peer, vocab_size)
            results["encoding"] = encode(ways, folder, megabytes, arguments.rounds)
            results["scaling"] = scale(folder, megabytes, arguments.copies)
            print(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def train_tokenizers(corpus: Path, folder: Path, vocab_size: int) -> dict[str, Any]:
    """Seconds, memory and held-out characters per token: ours, and without a sample."""
    results = {}
    for name, sample in (("ours", SAMPLE), ("all", 0)):
        results[name] = run(TRAIN, corpus, folder / f"tokenizer-{name}", vocab_size, sample)
        print(f"training {name}:", json.dumps(results[name]), flush=True)
    return results


def write_copies(parquet: Path, folder: Path, copies: list[int]) -> float:
    """The train split as text files of several sizes and as llama2.c's shard; its megabytes."""
    from hf_zh_dict.corpus.build import read_texts

    texts = list(read_texts(parquet))
    for times in copies:
        with (folder / f"text-{times}.txt").open("w", encoding="utf-8", newline="\n") as file:
            for _copy in range(times):
                file.writelines(text + "\n" for text in texts)
    shards = folder / "data" / "TinyStories_all_data"
    shards.mkdir(parents=True)
    stories = json.dumps([{"story": text} for text in texts], ensure_ascii=False)
    (shards / "data00.json").write_text(stories, encoding="utf-8")
    return sum(len(text.encode()) for text in texts) / 1e6


def prepare_peer(peer: Path, folder: Path, vocab_size: int) -> dict[str, float]:
    """Train llama2.c's vocabulary on the train split; seconds and memory."""
    result = run(PEER, peer, "train_vocab", vocab_size, folder=folder)
    (folder / "data" / f"tok{vocab_size}").mkdir()  # as its pretokenize does for its processes
    print("training peer:", json.dumps(result), flush=True)
    return result


def list_ways(
    corpus: Path, folder: Path, peer: Path | None, vocab_size: int
) -> dict[str, tuple[object, ...]]:
    """What each way of encoding runs."""
    blocks, tokenizer = folder / "blocks", folder / "tokenizer-ours"
    blocks.mkdir()
    parquet = corpus / "train.parquet"
    ways: dict[str, tuple[object, ...]] = {
        "ours, Parquet, all cores": (OURS, parquet, tokenizer, blocks, 0),
        "ours, text, all cores": (OURS, folder / "text-1.txt", tokenizer, blocks, 0),
        "ours, Parquet, one worker": (OURS, parquet, tokenizer, blocks, 1),
    }
    if peer:
        ways[PEER_NAME] = (PEER, peer, "process_shard", vocab_size)
    return ways


def encode(
    ways: dict[str, tuple[object, ...]], folder: Path, megabytes: float, rounds: int
) -> dict[str, Any]:
    """All ways by turns; the median of each and of its ratio to the peer in the same round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _round in range(rounds):
        for name, way in ways.items():
            found[name].append(run(*way, folder=folder))
    results: dict[str, Any] = {}
    for name, measured in found.items():
        results[name] = {
            "megabytes_a_second": spread([megabytes / one["seconds"] for one in measured]),
            "peak_megabytes": max(one["peak_megabytes"] for one in measured),
        }
        if PEER_NAME in found:
            pairs = zip(measured, found[PEER_NAME], strict=True)
            ratios = [other["seconds"] / one["seconds"] for one, other in pairs]
            results[name]["times_the_peer"] = spread(ratios)
        print(f"{name}:", json.dumps(results[name]), flush=True)
    return results


def scale(folder: Path, megabytes: float, copies: list[int]) -> dict[int, Any]:
    """Ours on several times the text."""
    results = {}
    for times in copies:
        source, tokenizer = folder / f"text-{times}.txt", folder / "tokenizer-ours"
        measured = run(OURS, source, tokenizer, folder / "blocks", 0)
        measured["megabytes_a_second"] = round(times * megabytes / measured["seconds"], 1)
        results[times] = measured
        print(f"{times} × the text:", json.dumps(measured), flush=True)
    return results


def table(results: dict[str, Any]) -> str:
    """Markdown: training of tokenizers, each way of encoding, and larger texts."""
    lines = [
        "| | MB／秒 a second | 對 llama2.c to llama2.c | 秒 seconds | 字元／token | 尖峰 MB peak |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    vocabulary = f"訓練斷詞器 training, {results['vocab_size']:,}"
    for name, one in results["training"].items():
        ratio = f"{one['characters_per_token']:.3f}" if "characters_per_token" in one else ""
        lines.append(
            f"| {vocabulary}: {name} | | | {one['seconds']:.1f} | {ratio} | {one['peak_megabytes']:,} |"
        )
    for name, one in results["encoding"].items():
        rate, times = one["megabytes_a_second"], one.get("times_the_peer")
        compared = f"{times['median']:.2f} ({times['min']:.2f}–{times['max']:.2f})" if times else ""
        lines.append(
            f"| 編碼 encoding: {name} | {rate['median']:.1f} | {compared} | | | {one['peak_megabytes']:,} |"
        )
    for times, one in results["scaling"].items():
        lines.append(
            f"| 編碼 encoding: {times} × {results['megabytes']:.0f} MB | {one['megabytes_a_second']:.1f} "
            f"| | {one['seconds']:.1f} | | {one['peak_megabytes']:,} |"
        )
    return "\n".join(lines)


def spread(values: list[float]) -> dict[str, float]:
    """The median, the least and the most."""
    numbers = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: round(number, 2) for name, number in numbers.items()}


def run(code: object, *arguments: object, folder: Path | None = None) -> dict[str, float]:
    """Run Python code in a process of its own; the numbers it printed last, and its peak memory."""
    command = [sys.executable, "-c", *map(str, (code, *arguments))]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        printed = output.read().decode().splitlines()
    if status:
        raise SystemExit(f"exit status {status}: {' '.join(command[3:])}")
    result: dict[str, float] = json.loads(printed[-1])
    kilobytes = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    cpu_seconds = round(usage.ru_utime + usage.ru_stime, 1)
    return {**result, "cpu_seconds": cpu_seconds, "peak_megabytes": kilobytes // 1000}


if __name__ == "__main__":
    main()

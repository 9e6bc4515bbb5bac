"""llama2.c's way of training, from the checkout that a user has: its vocabulary, windows, model and optimizer.

Nothing of it is here: `tinystories.py` and `model.py` are imported from the checkout. What it writes
(a SentencePiece model, token files) goes into `llama2c/` inside the run folder.
"""

import builtins
import json
import math
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from hf_zh_dict.config import Config
from hf_zh_dict.corpus.build import read_texts
from hf_zh_dict.paths import RunPaths

SHARD_DOCUMENTS = 20_000


def import_from(peer: Path, name: str) -> Any:
    if str(peer.resolve()) not in sys.path:
        sys.path.insert(0, str(peer.resolve()))
    return __import__(name)


def folder_of(paths: RunPaths) -> Path:
    return paths.root / "llama2c"


def prepare(peer: Path, paths: RunPaths, vocab_size: int) -> None:
    """Train its vocabulary and write its token files, once, with its own functions."""
    if (folder_of(paths) / f"tok{vocab_size}").is_dir():
        return
    process = multiprocessing.get_context("spawn").Process(
        target=pretokenize, args=(peer, paths, vocab_size)
    )
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)


def pretokenize(peer: Path, paths: RunPaths, vocab_size: int) -> None:
    """The train split as its shards of stories; it trains on all but the first one."""
    stories = folder_of(paths) / "TinyStories_all_data"
    stories.mkdir(parents=True, exist_ok=True)
    texts = [{"story": text} for text in read_texts(paths.split("train"))]
    starts = range(0, len(texts), SHARD_DOCUMENTS)
    shards = [texts[:100], *(texts[start : start + SHARD_DOCUMENTS] for start in starts)]
    for number, shard in enumerate(shards):
        file = stories / f"data{number:02d}.json"
        file.write_text(json.dumps(shard, ensure_ascii=False), encoding="utf-8")
    tinystories = import_from(peer, "tinystories")
    tinystories.DATA_CACHE_DIR = str(folder_of(paths))
    builtins.input = lambda _question: "n"  # whether a temporary file may go
    tinystories.train_vocab(vocab_size)
    (folder_of(paths) / f"tok{vocab_size}").mkdir()
    for numbered in enumerate(sorted(str(file) for file in stories.glob("*.json"))):
        tinystories.process_shard(numbered, vocab_size)


class Peer:
    """Its recipe in our clock: cosine from `rate` to zero, its own AdamW, compiled, windows of text.

    Batch, block size, shape and the share of warm-up are those of the settings. The vocabulary
    has to be larger than ours may be: SentencePiece wants every character in it.
    """

    def __init__(
        self, peer: Path, paths: RunPaths, config: Config, *, vocab_size: int, rate: float
    ) -> None:
        import torch

        self.paths, self.rate = paths, rate
        shape, self.train = config.model, config.train
        self.block_size = config.blocks.block_size
        self.batch_size = self.train.per_device_batch_size * self.train.gradient_accumulation_steps
        tinystories, model = import_from(peer, "tinystories"), import_from(peer, "model")
        tinystories.DATA_CACHE_DIR = str(folder_of(paths))
        self.tokenizer = tinystories.Tokenizer(tinystories.get_tokenizer_model_path(vocab_size))
        torch.manual_seed(self.train.seed)
        self.plain = model.Transformer(
            model.ModelArgs(
                dim=shape.hidden_size, n_layers=shape.num_hidden_layers,
                n_heads=shape.num_attention_heads, n_kv_heads=shape.num_key_value_heads,
                vocab_size=vocab_size, multiple_of=shape.multiple_of,
                max_seq_len=self.block_size, dropout=0.0,
            )
        )  # fmt: skip
        self.model = torch.compile(self.plain)
        self.optimizer = self.plain.configure_optimizers(0.1, rate, (0.9, 0.95), "cpu")
        self.batches = tinystories.Task.iter_batches(
            split="train", batch_size=self.batch_size, max_seq_len=self.block_size,
            vocab_size=vocab_size, vocab_source="custom", device="cpu", num_workers=0,
        )  # fmt: skip
        files = sorted((folder_of(paths) / f"tok{vocab_size}").glob("*.bin"))[1:]
        self.tokens = sum(file.stat().st_size for file in files) // 2
        self.seen = 0

    def step(self, position: float) -> int:
        import torch

        rise = self.train.warmup_steps / self.train.max_steps
        fallen = (position - rise) / (1 - rise)
        height = position / rise if position < rise else 0.5 * (1 + math.cos(math.pi * fallen))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * height
        inputs, targets = next(self.batches)
        self.model.train()
        self.model(inputs, targets)
        self.plain.last_loss.backward()
        torch.nn.utils.clip_grad_norm_(self.plain.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.seen += targets.numel()
        return int(targets.numel())

    def bits_per_char(self, split: str) -> float:
        """Each document alone; its end is told by the next one's beginning, the only mark there is."""
        import torch
        from torch.nn import functional

        nll, characters = 0.0, 0
        self.plain.eval()
        with torch.no_grad():
            for text in read_texts(self.paths.split(split)):
                ids = self.tokenizer.encode(text.strip(), bos=True, eos=False)
                ids = torch.tensor([*ids, ids[0]])
                for start in range(0, len(ids) - 1, self.block_size):
                    window = ids[start : start + self.block_size + 1]
                    logits = self.plain(window[None, :-1], window[None, 1:])
                    nll += float(functional.cross_entropy(logits[0], window[1:], reduction="sum"))
                characters += len(text)
        return nll / math.log(2) / characters

    @property
    def epochs(self) -> float:
        return self.seen / self.tokens

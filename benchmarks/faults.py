"""Kills a small training again and again, damages its checkpoints, fills its disk, and compares.

    python benchmarks/faults.py --kills 100 --json faults.json

Every run is resumed until it is done, and must then equal the unbroken one bit for bit: weights,
optimizer, best weights, stages, samples, and metrics but for timings. A start is a fork of this
process, which has imported everything before, so that it takes a second and not ten. Nothing in
the package knows of this: the phase that a kill falls into is read off the run folder.
"""

import argparse
import contextlib
import importlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ |= {"HF_ZH_DICT_LANG": "en", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "1"}
os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

import torch
from safetensors.torch import load_file

from hf_zh_dict.cli import main as command_line
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows
from hf_zh_dict.stages import hash_file
from hf_zh_dict.training.checkpoint import find_damage, list_checkpoints

PHASES = ("building", "loading", "step", "evaluation", "checkpoint")
KINDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STAGES = ("corpus", "tokenizer", "blocks")
# seconds in which a kill falls behind the sight of a phase; a phase may be over by then
DELAYS = {"building": 0.2, "loading": 0.05, "step": 0.02, "evaluation": 0.01, "checkpoint": 0.004}
STEPS, EVAL_STEPS = 48, 5
SETTINGS = {
    "corpus.source": "text", "corpus.min-groups": 8, "tokenizer.vocab-size": 300,
    "blocks.block-size": 32, "model.hidden-size": 16, "model.num-hidden-layers": 2,
    "model.num-attention-heads": 2, "model.dropout": 0.1, "train.max-steps": STEPS,
    "train.eval-steps": EVAL_STEPS, "train.save-steps": 4, "train.logging-steps": 1,
    "train.save-total-limit": 2, "train.warmup-steps": 4, "train.learning-rate": 3e-3,
    "train.per-device-batch-size": 4, "train.gradient-accumulation-steps": 4,
    "train.num-samples": 1, "train.use-cpu": "true", "train.cpu-threads": 1,
}  # fmt: skip
# a Ctrl-C that comes in a finalizer is swallowed by Python, which tells of it; the run goes on
LOST_SIGNAL = re.compile(r"^Exception ignored.*?^KeyboardInterrupt:? *$", re.MULTILINE | re.DOTALL)
GRACE_SECONDS, HUNG_SECONDS = 2.0, 90.0
TIMINGS = {"tokens_per_second", "seconds", "save_seconds", "memory_gigabytes"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="kills in all (100)")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="of a run (1 2)")
    parser.add_argument("--seed", type=int, default=0, help="of what is killed when (0)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    report = Report()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_text(folder / "text.txt")
        unbroken = {n: make_unbroken(folder, n, report) for n in arguments.processes}
        todo = [PHASES[number % len(PHASES)] for number in range(arguments.kills)]
        for number in range(arguments.kills * 2):  # a run may be done before its last kill comes
            if not todo:
                break
            processes = arguments.processes[number % len(arguments.processes)]
            taken, todo = todo[:10], todo[10:]
            run = Run(folder / f"run-{number}", processes, unbroken[processes], report, chance)
            todo += run.live_through(sorted(taken, key=lambda phase: phase != "building"))
            shutil.rmtree(run.paths.root)
        fill_disks(folder, unbroken[arguments.processes[0]], arguments.processes[0], report, chance)
    report.seconds = time.monotonic() - began
    report.show()
    if arguments.json:
        arguments.json.write_text(json.dumps(report.numbers(), indent=2) + "\n", encoding="utf-8")
    return 1 if report.differences else 0


@dataclass
class Report:
    """What was done and found."""

    kills: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # phase, kind, processes
    damages: Counter[str] = field(default_factory=Counter)
    full_disks: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    resumes: int = 0
    runs: int = 0
    save_seconds: list[float] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def numbers(self) -> dict[str, Any]:
        saves = sorted(self.save_seconds)
        return {
            "kills": [
                {"phase": phase, "kind": kind, "processes": processes, "count": count}
                for (phase, kind, processes), count in sorted(self.kills.items())
            ],
            "total_kills": sum(self.kills.values()),
            "starts": self.starts, "resumes": self.resumes, "runs": self.runs,
            "damaged_checkpoints": dict(sorted(self.damages.items())),
            "full_disks": self.full_disks,
            "median_save_seconds": saves[len(saves) // 2] if saves else None,
            "longest_save_seconds": saves[-1] if saves else None,
            "differences": self.differences,
            "seconds": round(self.seconds, 1),
        }  # fmt: skip

    def show(self) -> None:
        kinds = sorted({kind for _phase, kind, _processes in self.kills})
        counts = sorted({processes for _phase, _kind, processes in self.kills})
        columns = [(kind, n) for n in counts for kind in kinds]
        print(f"{'killed in':<12}" + "".join(f"{f'{kind} ×{n}':>12}" for kind, n in columns))
        for phase in PHASES:
            cells = "".join(f"{self.kills[phase, kind, n]:>12}" for kind, n in columns)
            print(f"{phase:<12}{cells}")
        numbers = self.numbers()
        for key in (
            "total_kills", "runs", "starts", "resumes", "damaged_checkpoints", "full_disks",
            "median_save_seconds", "longest_save_seconds", "seconds",
        ):  # fmt: skip
            print(f"{key.replace('_', ' ')}: {numbers[key]}")
        print(f"differences: {len(self.differences)}")
        for difference in self.differences:
            print("  " + difference)


@dataclass
class Run:
    """One run folder, from its first start to its comparison with the unbroken run."""

    root: Path
    processes: int
    unbroken: RunPaths
    report: Report
    chance: random.Random
    damages: bool = True

    def __post_init__(self) -> None:
        self.paths = RunPaths(self.root)
        self.root.mkdir()
        self.log = self.root.with_suffix(".log")
        self.before = 0  # when the training before this start began

    def live_through(self, phases: list[str]) -> list[str]:
        """Be killed in these phases, one start each, and resumed to the end; returns those not met."""
        self.report.runs += 1
        if "building" not in phases:
            copy_stages(self.unbroken, self.paths)
        unmet = []
        for number, phase in enumerate(phases):
            if phase != "building":
                self.keep_unbuilt_to_the_building()
            met = self.start_and_kill(phase, self.chance.choice(KINDS))
            if not met:
                unmet += phases[number:]
                break
            if met != phase:
                unmet.append(phase)
        else:
            self.finish()
        self.compare()
        return unmet

    def keep_unbuilt_to_the_building(self) -> None:
        """Let a start in which training is to be met not spend its time on stages."""
        if not list_checkpoints(self.paths) and not (self.paths.blocks / "stage.json").is_file():
            copy_stages(self.unbroken, self.paths)

    def start_and_kill(self, phase: str, kind: signal.Signals) -> str:
        """One start, killed in about that phase; the phase it was, empty when the run was done."""
        damaged = self.damage() if self.damages and phase != "building" else ""
        children = self.start()
        # steps of training are waited for, so that runs go forward
        wait = self.chance.randrange(1, 12) if phase in ("step", "evaluation", "checkpoint") else 0
        first = len(self.rows())
        met = ""
        end = time.monotonic() + HUNG_SECONDS
        while not met and children.alive():
            if time.monotonic() > end:
                self.differ(f"hangs: {self.log.read_text(encoding='utf-8')[-800:]}")
                children.send(signal.SIGKILL)
                break
            if self.phase() == phase and len(self.rows()) - first >= wait:
                time.sleep(self.chance.random() * DELAYS[phase])
                met = self.phase()
                children.send(kind)
            else:
                time.sleep(0.0005)
        codes = children.wait()
        self.check_log(damaged)
        if not met or codes == [0] * self.processes:
            if codes != [0] * self.processes:
                self.differ(f"ended by itself with {codes}")
            return ""
        self.report.kills[met, kind.name, self.processes] += 1
        expected = {-kind, 128 + kind} if kind != signal.SIGKILL else {-kind}
        if not set(codes) <= expected:
            self.differ(f"{kind.name} in {met}: exit codes {codes}")
        if kind != signal.SIGKILL and 128 + kind in codes and met not in ("building", "loading"):
            steps = list_checkpoints(self.paths)
            if "and saved" not in self.log.read_text(encoding="utf-8") or not steps:
                self.differ(f"{kind.name} in {met}: not saved")
        return met

    def finish(self) -> None:
        """A start that nothing stops."""
        damaged = self.damage() if self.damages else ""
        codes = self.start().wait()
        self.check_log(damaged)
        if codes != [0] * self.processes:
            self.differ(
                f"the last start ended with {codes}: {self.log.read_text(encoding='utf-8')[-1500:]}"
            )

    def start(self, limit: Callable[[], None] = lambda: None) -> "Children":
        self.report.starts += 1
        self.report.resumes += bool(list_checkpoints(self.paths))
        argv = ["train", "--resume", "--output-dir", str(self.root)]
        argv += ["--corpus.files", str(self.unbroken.root.parent / "text.txt")]
        argv += ["--train.report-to"]
        for key, value in SETTINGS.items():
            argv += [f"--{key}", str(value)]
        if self.processes > 1:  # the same global batch is not needed: each has its own unbroken run
            argv += ["--train.gradient-accumulation-steps", "2"]
        self.log.unlink(missing_ok=True)
        self.before = self.started_at()
        return Children(argv, self.processes, self.log, limit)

    def rows(self) -> list[dict[str, Any]]:
        return read_rows(self.paths.metrics)

    def phase(self) -> str:
        """What the run is at, as far as its folder and its lines tell."""
        if any((self.root / f"{stage}.partial").exists() for stage in STAGES):
            return "building"
        with contextlib.suppress(OSError):
            if any(p.suffix in (".partial", ".old") for p in self.paths.checkpoints.iterdir()):
                return "checkpoint"
        return "loading" if self.started_at() in (0, self.before) else self.phase_of_training()

    def started_at(self) -> int:
        """When training last wrote down what it runs on, which it does once all is loaded."""
        with contextlib.suppress(OSError):
            return self.paths.environment.stat().st_mtime_ns
        return 0

    def phase_of_training(self) -> str:
        if (self.root / "model.partial").exists():
            return "evaluation"
        rows = self.rows()
        last = rows[-1]["step"] if rows else 0
        if last % EVAL_STEPS == 0 and not any(
            row["step"] == last for row in read_rows(self.paths.samples)
        ):
            return "evaluation"
        return "step"

    def damage(self) -> str:
        """Now and then damage the newest checkpoint, when there is one before it."""
        steps = list_checkpoints(self.paths)
        if len(steps) < 2 or self.chance.random() > 0.35:
            return ""
        kind = self.chance.choice(["bit flipped", "truncated", "file deleted", "emptied"])
        file = self.chance.choice(sorted(self.paths.checkpoint(steps[-1]).iterdir()))
        data = bytearray(file.read_bytes())
        if kind == "bit flipped":
            data[self.chance.randrange(len(data))] ^= 1 << self.chance.randrange(8)
        elif kind == "truncated":
            del data[self.chance.randrange(len(data)) :]
        elif kind == "emptied":
            data.clear()
        file.unlink()
        if kind != "file deleted":
            file.write_bytes(data)
        if file.name == "manifest.json" and not find_damage(self.paths.checkpoint(steps[-1])):
            return ""  # a bit of a space
        self.report.damages[kind] += 1
        return f"{self.paths.checkpoint(steps[-1]).name} is damaged"

    def check_log(self, damaged: str) -> None:
        # a process killed before its first line leaves no log
        text = self.log.read_text(encoding="utf-8") if self.log.is_file() else ""
        text = LOST_SIGNAL.sub("", text)
        if "Traceback" in text:
            self.differ("a traceback: " + text[text.index("Traceback") :][:3000])
        if damaged and "training: " in text and damaged not in text:
            self.differ(f"{damaged}, and nothing is said")

    def compare(self) -> None:
        """Everything that the run leaves, beside what the unbroken one left."""
        mine, theirs = self.paths, self.unbroken
        for stage in STAGES:
            if folder_hashes(self.root / stage) != folder_hashes(theirs.root / stage):
                self.differ(f"{stage}/ differs")
        for place in (f"checkpoints/step-{STEPS:06d}", "model"):
            try:
                one, other = (
                    load_file(p.root / place / "model.safetensors") for p in (mine, theirs)
                )
            except OSError as error:
                self.differ(f"{place}: {error}")
                continue
            if one.keys() != other.keys() or not all(torch.equal(one[k], other[k]) for k in one):
                self.differ(f"{place}: weights differ")
        if find_damage(mine.checkpoint(STEPS)):
            self.differ(f"the last checkpoint: {find_damage(mine.checkpoint(STEPS))}")
        elif not same(*(read_optimizer(p) for p in (mine, theirs))):
            self.differ("the optimizer differs")
        if not same(*(without_timings(read_rows(p.metrics)) for p in (mine, theirs))):
            self.differ("metrics differ")
        if read_rows(mine.samples) != read_rows(theirs.samples):
            self.differ("samples differ")
        left = [p.name for p in self.root.rglob("*") if p.suffix in (".partial", ".old")]
        if left:
            self.differ(f"left over: {left}")
        rows = read_rows(mine.metrics)
        self.report.save_seconds += [row["save_seconds"] for row in rows if "save_seconds" in row]

    def differ(self, what: str) -> None:
        self.report.differences.append(f"{self.root.name}, {self.processes} process(es): {what}")


class Children:
    """The processes of one start, in a process group of their own."""

    def __init__(
        self, argv: list[str], processes: int, log: Path, limit: Callable[[], None]
    ) -> None:
        port = free_port()
        self.pids: list[int] = []
        self.codes: dict[int, int] = {}
        self.left: list[int] = []  # had to be ended
        sys.stdout.flush()
        for rank in range(processes):
            pid = os.fork()
            if not pid:
                self.become(argv, rank, processes, port, log, limit)
            with contextlib.suppress(OSError):  # the child does the same: whoever comes first
                os.setpgid(pid, self.pids[0] if self.pids else pid)
            self.pids.append(pid)

    def become(
        self, argv: list[str], rank: int, processes: int, port: int, log: Path,
        limit: Callable[[], None],
    ) -> None:  # fmt: skip
        code = 70
        try:
            os.setpgid(0, self.pids[0] if self.pids else 0)
            if processes > 1:
                os.environ |= {
                    "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes),
                    "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": str(port),
                }  # fmt: skip
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            limit()
            code = command_line(argv)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)

    def alive(self) -> bool:
        for pid in self.pids:
            if pid not in self.codes:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    self.codes[pid] = os.waitstatus_to_exitcode(status)
        return len(self.codes) < len(self.pids)

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pids[0], number)

    def wait(self, seconds: float = 60) -> list[int]:
        """The exit codes; as launchers do, one that fails takes the others along after a while."""
        end = time.monotonic() + seconds
        while self.alive():
            if any(self.codes.values()):
                end = min(end, time.monotonic() + GRACE_SECONDS)
            if time.monotonic() > end:
                self.left = [pid for pid in self.pids if pid not in self.codes]
                self.send(signal.SIGKILL)
                end += seconds
            time.sleep(0.002)
        return [self.codes[pid] for pid in self.pids if pid not in self.left]


def fill_disks(
    folder: Path, unbroken: RunPaths, processes: int, report: Report, chance: random.Random
) -> None:
    """A file-size limit, then a small file system: one sentence, the last checkpoint whole, go on."""

    def broken(run: Run, start: Callable[[], Children]) -> str:
        codes = start().wait()
        text = run.log.read_text(encoding="utf-8")
        errors = [line for line in text.splitlines() if line.startswith("error: ")]
        if codes[0] != 2 or len(errors) != 1 or "Traceback" in text:
            run.differ(f"full disk: {codes}, {text[-1500:]}")
        steps = list_checkpoints(run.paths)
        if [step for step in steps if find_damage(run.paths.checkpoint(step))]:
            run.differ("full disk: a damaged checkpoint")
        return errors[0].removeprefix("error: ") if errors else ""

    run = Run(folder / "limited", processes, unbroken, report, chance, damages=False)
    copy_stages(unbroken, run.paths)
    run.start_and_kill("checkpoint", signal.SIGTERM)
    size = 12_000  # bytes: room for rows, none for weights

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    report.full_disks["file size limit"] = broken(run, lambda: run.start(limit))
    run.finish()
    run.compare()

    place = folder / "small"
    place.mkdir()
    with small_disk(place) as resize:
        if not resize:
            report.full_disks["small disk"] = "skipped: no file system can be mounted here"
            return
        run = Run(place / "run", processes, unbroken, report, chance, damages=False)
        copy_stages(unbroken, run.paths)
        used = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        resize(used // 1024 + 620)
        report.full_disks["small disk"] = broken(run, run.start)
        resize(64 * 1024)
        run.finish()
        run.compare()


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Callable[[int], None] | None]:
    """A tmpfs, and what changes its size (KiB); None where it cannot be mounted."""

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        return not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode

    if os.geteuid() or mount("size=64m"):
        yield None
        return
    try:
        yield lambda size: (mount(f"remount,size={size}k"), None)[1]
    finally:
        subprocess.run(["umount", str(place)], check=True)


def make_unbroken(folder: Path, processes: int, report: Report) -> RunPaths:
    """The run that nothing stops."""
    root = folder / f"unbroken-{processes}"
    run = Run(root, processes, RunPaths(root), Report(), random.Random(0), damages=False)
    run.finish()
    if run.report.differences:
        sys.exit(run.report.differences[0])
    return run.paths


def write_text(path: Path) -> None:
    """Invented lines, a headword and a text each."""
    chance = random.Random(1)
    characters = [chr(0x4E00 + 37 * number) for number in range(160)]

    def text(low: int, high: int) -> str:
        return "".join(chance.choices(characters, k=chance.randrange(low, high)))

    lines = [f"{text(2, 5)}　{text(8, 30)}。{text(5, 20)}。" for _line in range(150)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def copy_stages(source: RunPaths, target: RunPaths) -> None:
    for stage in STAGES:
        shutil.rmtree(target.root / f"{stage}.partial", ignore_errors=True)
        shutil.rmtree(target.root / stage, ignore_errors=True)
        shutil.copytree(source.root / stage, target.root / stage)


def folder_hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hash_file(path) for path in files}


def read_optimizer(paths: RunPaths) -> Any:
    return torch.load(paths.checkpoint(STEPS) / "optimizer.pt", weights_only=True)


def without_timings(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    said = [{k: v for k, v in row.items() if k not in TIMINGS} for row in rows]
    return [row for row in said if row.keys() != {"step"}]


def same(one: Any, other: Any) -> bool:
    """Equal in every digit, tensors inside too."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def import_everything() -> None:
    """What a start would import, before the first fork."""
    import accelerate  # noqa: F401
    import datasets  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import rensa  # noqa: F401
    from transformers import AutoConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: F401

    for room in ("corpus.build", "evaluation.baselines", "sharing.curve", "sharing.dataset_card",
                 "training.launch", "training.loop"):  # fmt: skip
        importlib.import_module(f"hf_zh_dict.{room}")


if __name__ == "__main__":
    import_everything()
    sys.exit(main())

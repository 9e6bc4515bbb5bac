"""What README and docs say holds: commands are understood and run, links and names exist.

A command in a ```bash block either runs here, on a tiny run, or stands in `NOT_RUN` with the reason.
"""

import argparse
import io
import re
import runpy
import shlex
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hf_zh_dict.cli import main, parse_arguments
from hf_zh_dict.commands import COMMANDS
from hf_zh_dict.commands.options import resolve_config
from hf_zh_dict.commands.presets import draw_markdown
from hf_zh_dict.corpus.sources import EMBEDDED_FOLDER
from hf_zh_dict.locale.update import PO_FILE
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.settings import list_settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
pytestmark = pytest.mark.xdist_group("readme")  # one worker has the runs
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
OURS = ("hf-zh-dict", "accelerate", "torchrun", "python")  # whose options are checked

NOT_RUN = {  # how a command begins → why it does not run here
    "python3 -m venv": "the network",
    ". .venv/bin/activate": "the network",
    "pip install": "the network",
    "git clone": "the network",
    "hf auth login": "the network",
    "hf-zh-dict download": "the network; tests/test_download.py has a server",
    "hf-zh-dict push runs/quickstart --repo-id 帳號/名稱": "the Hub; tests/test_publish_model.py has one",
    "hf-zh-dict demo": "serves until it is stopped; tests/test_demo.py",
    "hf-zh-dict push-corpus": "the Hub; tests/test_publish.py has one",
    "hf-zh-dict corpus --corpus.source hub": "the Hub; tests/test_hub_dataset.py has one",
    "accelerate launch train.py --hub.push": "the Hub; tests/test_training_push.py has one",
    "accelerate launch train.py --preset hub": "the Hub; tests/test_hub_dataset.py has one",
    "accelerate launch --config_file docs/launch": "GPUs; tests/test_launch.py reads the files",
    "accelerate launch --config_file accelerate_config.yaml": "tests/test_end_to_end.py launches it",
    "torchrun": "tests/test_end_to_end.py launches it",
    "MAIN=": "SLURM",
    "export": "SLURM",
    "srun": "SLURM; what it starts is checked",
    "[ $? -eq 138 ]": "SLURM",
    "scontrol": "SLURM",
    "hf-zh-dict train --preset llama2c-42m --resume": "SLURM",
    "hf-zh-dict import-llama2c": "a checkpoint of llama2.c; tests/test_round_trip.py makes one",
    "hf-zh-dict export runs/student --format llama2c --prompt 水\u3000 --run-c": "a C compiler",
    "./run": "another program",
    "hf-zh-dict evaluate runs/student --judged": "a judge; tests/test_judging.py is one",
    "lm_eval": "another program",
    "llama-completion": "another program",
    "ollama": "another program",
    "python benchmarks/": "minutes",
    "python -m pytest": "these tests",
    "bash .ci/run": "these tests",
    "pre-commit install": "changes the clone",
    "ruff": "CI runs it",
    "mypy": "CI runs it",
    "lint-imports": "CI runs it",
    "typos": "CI runs it",
    "python -m hf_zh_dict.locale.update": "changes the clone; tests/test_messages.py compares",
    "python docs/layers.py": "changes the clone; tests/test_layers.py compares",
}
SMALL = {  # added to every command that builds or trains
    "--tokenizer.vocab-size": "300", "--blocks.block-size": "128", "--model.hidden-size": "16",
    "--model.num-hidden-layers": "1", "--model.num-attention-heads": "2",
    "--train.max-steps": "2", "--train.max-eval-documents": "4", "--train.num-samples": "1",
    "--train.per-device-batch-size": "2", "--train.use-cpu": "true", "--train.compile": "false",
}  # fmt: skip
TRAINED = ("runs/quickstart", "runs/student", "runs/a", "runs/b")  # folders that the pages name


@dataclass(frozen=True)
class Written:
    """A command as a page has it: the page, the line, and its words."""

    page: Path
    line: int
    words: tuple[str, ...]

    def __str__(self):
        return f"{self.page.name}:{self.line} {' '.join(self.words)[:60]}"

    @property
    def reason(self):
        """Why it does not run here, or nothing."""
        text = " ".join(self.words)
        return next((NOT_RUN[start] for start in NOT_RUN if text.startswith(start)), "")


def split_commands(text):
    """The commands of a shell text, each as its words; those inside quotes of `bash -c` too."""
    for line in text.replace("\\\n", " ").split("\n"):
        words = shlex.split(line, comments=True)
        command = []
        for word in [*words, "&&"]:
            if word in ("&&", ";"):
                if command:
                    yield tuple(command)
                command = []
            elif not command and (word == "exec" or re.fullmatch(r"\w+=(?!\$\()\S*", word)):
                continue  # a variable for the command
            else:
                command.append(word)
        if words[:1] == ["srun"]:
            yield from split_commands(words[-1])


def find_commands():
    """Every command of a ```bash block."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            if block[1] == "bash":
                for words in split_commands(block[2]):
                    yield Written(page, line, words)


def find_mentions():
    """Every command of ours in `code` between the lines; … and placeholders stand for words."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        prose = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
        for code in re.finditer(r"`([^`\n]+)`", prose):
            line = prose.count("\n", 0, code.start()) + 1
            for words in split_commands(code[1].replace("…", " ").replace("'", " ")):
                launches = words[0] in ("accelerate", "torchrun")
                if words[0] in OURS and words[1:] and (not launches or "train.py" in words):
                    yield Written(page, line, words)


COMMANDS_WRITTEN = list(dict.fromkeys(find_commands()))
MENTIONS = list(dict.fromkeys(find_mentions()))
TO_RUN = list({each.words: each for each in COMMANDS_WRITTEN if not each.reason}.values())


class Parsed(Exception):
    """A benchmark's arguments were understood; it need not go on."""


def check(words, monkeypatch):
    """Refuse an option, a setting or a value that does not exist."""
    words = [re.sub(r"^\$\w+$", "0", word) for word in words]
    if words[0] == "hf-zh-dict":
        arguments = parse_arguments(words[1:])
        if "preset" in arguments and not arguments.config:
            resolve_config(arguments)
    elif words[:2] == ["accelerate", "launch"]:
        from accelerate.commands.launch import launch_command_parser

        launched = launch_command_parser().parse_args(words[2:])
        assert launched.training_script == "train.py"
        check(("hf-zh-dict", "train", *launched.training_script_args), monkeypatch)
    elif words[0] == "torchrun":
        from torch.distributed.run import get_args_parser

        launched = get_args_parser().parse_args(words[1:])
        assert launched.training_script == "train.py"
        check(("hf-zh-dict", "train", *launched.training_script_args), monkeypatch)
    elif words[0] == "python" and words[1].startswith("benchmarks/"):
        parse = argparse.ArgumentParser.parse_args

        def parse_and_stop(parser):
            raise Parsed(parse(parser))

        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
        monkeypatch.setattr(sys, "argv", words[1:])
        with pytest.raises(Parsed):
            runpy.run_path(str(ROOT / words[1]), run_name="__main__")


@pytest.mark.parametrize("written", COMMANDS_WRITTEN + MENTIONS, ids=str)
def test_every_option_of_a_command_exists(written, monkeypatch):
    try:
        check(written.words, monkeypatch)
    except SystemExit as done:  # --help
        assert done.code == 0, written  # noqa: PT017


def test_what_cannot_run_is_still_written_somewhere():
    texts = [" ".join(written.words) for written in COMMANDS_WRITTEN]
    assert [start for start in NOT_RUN if not any(text.startswith(start) for text in texts)] == []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which the pages' commands find what they name: runs, a model, spreadsheets."""
    import openpyxl

    folder = tmp_path_factory.mktemp("place")
    first, *others = (folder / name for name in TRAINED)
    small = [f"{key}={value}" for key, value in SMALL.items()]
    assert main(["train", "--output-dir", str(first), *small, "--train.save-steps=1"]) == 0
    for other in others:
        shutil.copytree(first, other)
    checkpoints = folder / "runs" / "b" / "checkpoints"
    shutil.copytree(checkpoints / "step-000001", checkpoints / "step-000500")
    shutil.copytree(first / "model", folder / "models" / "other")
    (folder / "data").mkdir()
    for table in sorted(EMBEDDED_FOLDER.glob("*.csv")):
        write_as_published(table, folder, openpyxl.Workbook())
    return folder


def write_as_published(table, folder, workbook):
    """One of our tables as an .xlsx, and in the .zip in which the Ministry's come."""
    import csv

    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            workbook.active.append(row)
    sheet = folder / f"dict_{table.stem}.xlsx"
    workbook.save(sheet)
    workbook.close()
    with zipfile.ZipFile(folder / "data" / f"dict_{table.stem}.zip", "w") as archive:
        archive.write(sheet, sheet.name)
    if table.stem in ("concised", "idioms"):
        shutil.copy(sheet, folder / f"dict_{table.stem}_sample.xlsx")


@pytest.mark.parametrize("written", TO_RUN, ids=str)
def test_every_command_that_can_run_here_runs(written, place, monkeypatch, capsys):
    """In this process, as `main(argv)`: launching is tested in test_end_to_end.py."""
    from accelerate.state import AcceleratorState

    words = list(written.words)
    if words[:3] == ["accelerate", "launch", "train.py"]:
        words[:3] = ["hf-zh-dict", "train"]
    assert words[0] == "hf-zh-dict", "neither one of ours nor in NOT_RUN"
    monkeypatch.chdir(place)
    words = [str(p) for word in words for p in (sorted(Path().glob(word)) if "*" in word else [word])]  # fmt: skip
    if words[1] in ("corpus", "tokenizer", "blocks", "plan", "train"):
        kept = [word.replace("_", "-") for word in words]
        words += [part for key, value in SMALL.items() if key not in kept for part in (key, value)]
    if words[1] == "train":
        words.append("--overwrite")
    AcceleratorState._reset_state(reset_partial_state=True)
    code = main(words[1:])
    AcceleratorState._reset_state(reset_partial_state=True)
    assert code == 0, capsys.readouterr().err[-2000:]


def slug(title):
    """The anchor that GitHub gives a heading."""
    title = re.sub(
        r"[^\w\- ]", "", re.sub(r"`|\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    )
    return title.replace(" ", "-")


def anchors(page):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+)$", text, re.M)
    return {slug(heading) for heading in headings} | set(re.findall(r'<a id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if re.match(r"https?:", target):
            continue
        path, _hash, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_and_command_that_is_named_exists(page):
    known = {key for key, *_rest in list_settings()}
    sections = {key.split(".")[0] for key in known}
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for code in re.findall(r"`([^`\n]+)`", text):
        named = re.match(r"(?:--)?([a-z]+\.[a-z][\w-]*)(?![\w.(/-])", code)
        if named and named[1].split(".")[0] in sections and named[1] not in FILES:
            assert named[1].replace("-", "_") in known, f"{page.name}: {code}"
    for command in re.findall(r"hf-zh-dict ([a-z][\w-]*)", page.read_text(encoding="utf-8")):
        assert command in COMMANDS, f"{page.name}: hf-zh-dict {command}"


FILES = {"corpus.html", "tokenizer.html", "model.bin", "model.py", "train.py", "tokenizer.json",
         "tokenizer.model", "tokenizer.bin", "model.safetensors"}  # fmt: skip


def test_the_table_of_presets_is_drawn_from_their_files():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert draw_markdown() in text, "redraw it: hf-zh-dict presets --markdown"


def test_every_message_of_the_table_of_errors_is_one_of_ours():
    from babel.messages import pofile

    catalogue = pofile.read_po(io.BytesIO(PO_FILE.read_bytes()))
    english = [message.id for message in catalogue if message.id]
    chinese = [message.string for message in catalogue if message.id]
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("| 訊息 message |")[1]
    rows = re.findall(r"^\| `([^`]+)`／`([^`]+)` \|", table, re.M)
    assert len(rows) > 5
    for one, other in rows:
        assert any(one in message for message in english), one
        assert any(other in message for message in chinese), other


def test_the_tree_of_a_run_names_its_files():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = re.findall(r"^[├└]── ([\w.-]+)", text, re.M)
    paths = RunPaths(Path())
    names = {getattr(paths, name).name for name in dir(paths) if isinstance(getattr(paths, name), Path)}  # fmt: skip
    assert len(tree) > 10
    assert set(tree) <= names

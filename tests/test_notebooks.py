"""The notebooks as a reader runs them, and the pairs of .py and .ipynb that they are kept in."""

import ast
import re
from datetime import datetime
from pathlib import Path

import jupytext
import nbformat
import pytest

from hf_zh_dict.paths import RunPaths
from hf_zh_dict.records import read_rows

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
CELL_SECONDS, ALL_SECONDS = 60, 600  # promised of a machine that does nothing else
BUSY = 5  # other tests run beside these
REPOSITORY = "NingJing0718/hf_zh_dict"


pytestmark = pytest.mark.xdist_group("notebooks")  # one worker executes them


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_five_and_each_has_its_pair():
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04", "05"]
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_its_python_file(name):
    script = jupytext.read(FOLDER / f"{name}.py")
    notebook = read(name)
    nbformat.validate(notebook)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ], f"run: jupytext --to ipynb notebooks/{name}.py && nbstripout notebooks/{name}.ipynb"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stripped_and_defines_nothing(name):
    for cell in code_of(read(name)):
        assert cell.outputs == []
        assert cell.execution_count is None
        lines = ["pass" if line.startswith("!") else line for line in cell.source.splitlines()]
        for node in ast.walk(ast.parse("\n".join(lines))):
            assert not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            assert not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_is_told_what_it_needs_and_finds_the_badges(name):
    first = read(name).cells[0].source
    assert "需要 · Needs" in first
    assert "時間 · Time" in first
    assert (
        f"colab.research.google.com/github/{REPOSITORY}/blob/main/notebooks/{name}.ipynb" in first
    )
    kaggle = f"kaggle.com/kernels/welcome?src=https://github.com/{REPOSITORY}/blob/main/notebooks/"
    assert (f"{kaggle}{name}.ipynb" in first) == (name == "03_train")
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"({name}.ipynb)" in index


def test_headings_are_chinese_and_english():
    for name in NAMES:
        for cell in read(name).cells:
            if cell.cell_type == "markdown":
                for heading in re.findall("(?m)^#+ (.+)$", cell.source):
                    assert re.search("[A-Za-z]", heading), heading


def test_all_notebooks_are_set_up_alike():
    assert len({code_of(read(name))[0].source for name in NAMES}) == 1


def seconds(cell):
    times = cell.metadata.execution
    began, ended = (
        datetime.fromisoformat(times[name].replace("Z", "+00:00"))
        for name in ("iopub.execute_input", "shell.execute_reply")
    )
    return (ended - began).total_seconds()


def shown(notebook):
    """All text that a notebook printed."""
    return "".join(output.get("text", "") for cell in code_of(notebook) for output in cell.outputs)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebooks, executed in their order in one empty folder, and that folder."""
    from nbclient import NotebookClient

    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / ".ipython"))
        patch.setenv("HF_ZH_DICT_LANG", "zh_TW")
        patch.delenv("HF_TOKEN", raising=False)
        notebooks = {name: read(name) for name in NAMES}
        for notebook in notebooks.values():
            NotebookClient(
                notebook, timeout=BUSY * CELL_SECONDS, kernel_name="python3",
                resources={"metadata": {"path": str(folder)}},
            ).execute()  # fmt: skip
    return folder, notebooks


@pytest.mark.slow
def test_the_notebooks_run_and_are_quick(executed):
    _folder, notebooks = executed
    times = [seconds(cell) for notebook in notebooks.values() for cell in code_of(notebook)]
    assert max(times) < BUSY * CELL_SECONDS
    assert sum(times) < ALL_SECONDS
    for notebook in notebooks.values():
        outputs = [output for cell in code_of(notebook) for output in cell.outputs]
        said = "".join(o.text for o in outputs if o.get("name") == "stderr")
        assert "Warning" not in said, said
        assert "missing from font" not in shown(notebook)


@pytest.mark.slow
def test_the_notebooks_train_one_model_that_learns(executed):
    folder, _notebooks = executed
    assert [path.name for path in (folder / "runs").iterdir() if path.is_dir()] == ["notebook"]
    paths = RunPaths(folder / "runs" / "notebook")
    rows = read_rows(paths.metrics)
    bits = [row["validation_bits_per_char"] for row in rows if "validation_bits_per_char" in row]
    assert bits[-1] < bits[0] - 3
    starts = [row["step"] for row in read_rows(paths.environment)]
    assert starts[0] == 0
    assert 0 < starts[1] < rows[-1]["step"]  # the lost connection of 03
    steps = [row["step"] for row in rows if "loss" in row]
    assert steps == list(range(5, rows[-1]["step"] + 1, 5))


@pytest.mark.slow
def test_the_notebooks_leave_what_they_promise(executed):
    folder, notebooks = executed
    run = folder / "runs" / "notebook"
    for name in ("corpus.html", "tokenizer.html", "report.html", "gguf/Modelfile"):
        assert (run / name).is_file(), name
    assert "只看不送" in shown(notebooks["05_publish"])
    assert "skipped" in shown(notebooks["05_publish"])

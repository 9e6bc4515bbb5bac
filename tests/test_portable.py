"""The road where the locale knows no Chinese and processes are spawned, as on Windows and macOS."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "hf_zh_dict"
TEXTS = (".json", ".jsonl", ".yaml", ".html", ".md")
# started anew for each worker, so that nothing but what is under __main__ may run
SPAWNED = """
import multiprocessing, sys
from hf_zh_dict.cli import main
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
"""
QUICK = """
tokenizer: {vocab_size: 400}
blocks: {block_size: 64}
model: {hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2}
train: {max_steps: 2, max_eval_documents: 4, num_samples: 1, use_cpu: true, cpu_threads: 1,
  dataloader_num_workers: 1, compile: false, report_to: []}
"""


@pytest.fixture
def run(tmp_path):
    """Runs a command so; returns the process. Words are given as bytes: the locale is not asked."""
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED, encoding="utf-8")

    def run(*words, language="zh_TW"):
        plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONWARNDEFAULTENCODING": "1"}
        return subprocess.run(
            [sys.executable, str(script), *(word.encode() for word in words)], cwd=tmp_path,
            env={**os.environ, **plain, "HF_ZH_DICT_LANG": language}, capture_output=True, timeout=300,
        )  # fmt: skip

    return run


@pytest.mark.skipif(os.name == "nt", reason="Windows has no LC_ALL")
def test_the_road_is_walked_without_a_locale(run, tmp_path):
    (tmp_path / "quick.yaml").write_text(QUICK, encoding="utf-8")
    trained = run("train", "--config", "quick.yaml", "--output-dir", "run")
    errors = trained.stderr.decode()
    assert trained.returncode == 0, errors[-3000:]
    assert "語料" in trained.stdout.decode() or "訓練" in trained.stdout.decode()
    ours = [line for line in errors.splitlines() if "EncodingWarning" in line and "hf_zh_dict" in line]  # fmt: skip
    assert ours == []
    written = run("generate", "run", "--prompt", "水", "--max-new-tokens", "4")
    assert written.returncode == 0, written.stderr.decode()[-3000:]
    assert written.stdout.decode().startswith("水\u3000")
    files = [path for path in (tmp_path / "run").rglob("*") if path.suffix in TEXTS]
    assert len(files) > 8
    for path in files:
        assert b"\r" not in path.read_bytes(), path
        path.read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no LC_ALL")
def test_a_file_that_the_locale_cannot_name_is_told(run, tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + "/我的.txt".encode())).touch()
    done = run("corpus", "--corpus.source", "text", "--corpus.files", "我的.txt", language="en")
    assert done.returncode == 2
    assert "我的.txt: this locale cannot name such a file; set PYTHONUTF8=1" in done.stderr.decode()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_what_is_written_says_its_encoding_and_its_line_ends(path):
    source = path.read_text(encoding="utf-8")
    for call in re.findall(r"(?:open\(\"[wax]\"|write_text\()[^\n]*", source):
        assert "encoding=" in call, call
        assert "newline=" in call, call
    ours = source.replace("distribution(PROJECT).read_text(", "")  # of importlib: always UTF-8
    for call in re.findall(r"\.(?:read_text\(|open\(\))[^\n]*", ours):
        assert "encoding=" in call, call

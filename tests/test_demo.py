"""`demo` serves its page until Ctrl-C, and says in a sentence what keeps it from doing so."""

import importlib.util
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from hf_zh_dict.cli import main

gradio = pytest.importorskip("gradio")


@pytest.fixture
def refused(capsys):
    """Runs demo here, which must refuse; returns its sentence."""

    def run(*options):
        capsys.readouterr()  # what making the run showed
        assert main(["demo", "--no-browser", *map(str, options)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return run


@pytest.fixture
def small_run(make_run, tiny_model, tokenizer):
    """A run folder with an untrained model and the embedded corpus."""
    folder = make_run()
    tiny_model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    return folder


def test_the_page_is_served_until_ctrl_c(small_run):
    # what a shell starts in the background does not listen to Ctrl-C, nor do its children
    given = signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "hf_zh_dict", "demo", str(small_run), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            address = process.stdout.readline().removeprefix("page: ").strip()
            assert address.startswith("http://127.0.0.1:")
            assert process.stdout.readline() == "Ctrl-C ends it\n"
            with urllib.request.urlopen(address + "config") as answer:
                assert "Compared with its corpus of 834 train entries." in answer.read().decode()
            process.send_signal(signal.SIGINT)
            shown, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            signal.signal(signal.SIGINT, given)
    assert (process.returncode, shown) == (0, "the page is closed\n")
    assert "Traceback" not in errors


def test_a_port_in_use_is_named(small_run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = ["demo", str(small_run), "--no-browser", "--port", port]
        done = subprocess.run(
            [sys.executable, "-m", "hf_zh_dict", *command], capture_output=True, text=True,
            encoding="utf-8", timeout=300,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"at port {port}; choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_gradio_the_way_to_it_is_told(refused, small_run, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "gradio" else find(name, *rest)
    )  # fmt: skip
    assert 'pip install -e ".[demo]"' in refused(small_run)


def test_a_folder_without_a_model_and_a_corpus_that_is_none_are_refused(
    refused, small_run, tmp_path
):
    assert "no run with a model" in refused(tmp_path)
    assert "no corpus" in refused(small_run, "--corpus", tmp_path)

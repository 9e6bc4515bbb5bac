"""What run.c prints is foretold; where HF_ZH_DICT_RUN_C names it, compiled, it is let run."""

import os
import stat
import sys
from pathlib import Path

import pytest
from reproducible_weights import fill

from hf_zh_dict.formats.llama2c_vocabulary import Llama2cVocabulary, make_vocabulary
from hf_zh_dict.formats.llama2c_weights import write_model
from hf_zh_dict.formats.run_c import predict_greedily, print_greedily, show
from hf_zh_dict.messages import InputError


def test_ids_are_shown_as_run_c_prints_them():
    pieces = [b"<s> ", b"<s>", b"?", b" a", b"<0x42>", b"\xe6", b"\xe6\xb0\xb4", b"\n", b"x\0y"]
    vocabulary = Llama2cVocabulary(pieces, [0.0] * 9, list(range(9)), list(range(9)))
    assert show(vocabulary, [1, 3, 3, 4, 5, 6, 7, 8]) == b"a aB\xe6\xb0\xb4\nx\n"


def test_the_foretold_text_ends_where_the_model_ends_it(tiny_model, tokenizer):
    vocabulary = make_vocabulary(tokenizer, 300)
    eos = tokenizer.eos_token_id
    tiny_model.lm_head.register_forward_hook(
        lambda _module, _inputs, logits: logits.index_fill(-1, logits.new_tensor([eos]).long(), 1e9)
    )
    assert predict_greedily(tiny_model, vocabulary, "青石橋") == "青石橋\n".encode()


def test_a_program_that_fails_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^--run-c: \S*nothing cannot be run"):
        print_greedily(tmp_path / "nothing", tmp_path / "m", tmp_path / "t", "x")


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for the program")
def test_the_program_gets_files_and_prompt(tmp_path):
    program = tmp_path / "run"
    program.write_text(
        '#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done\n', encoding="utf-8"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    shown = print_greedily(program, tmp_path / "m.bin", tmp_path / "t.bin", "水\u3000").decode()
    assert shown.splitlines() == [
        str(tmp_path / "m.bin"), "-z", str(tmp_path / "t.bin"), "-t", "0", "-n", "64", "-i", "水\u3000",
    ]  # fmt: skip


@pytest.mark.skipif("HF_ZH_DICT_RUN_C" not in os.environ, reason="HF_ZH_DICT_RUN_C is not set")
@pytest.mark.parametrize("prompt", ["", "橋", "青石橋\u3000", " a", "見「"])
def test_run_c_prints_what_was_foretold(tiny_model, tokenizer, tmp_path, prompt):
    tiny_model.config.max_position_embeddings = 65
    vocabulary = make_vocabulary(tokenizer, 300)
    write_model(fill(tiny_model), vocabulary, tmp_path / "model.bin", version=0)
    vocabulary.write(tmp_path / "tokenizer.bin")
    files = (tmp_path / "model.bin", tmp_path / "tokenizer.bin")
    printed = print_greedily(Path(os.environ["HF_ZH_DICT_RUN_C"]), *files, prompt)
    assert printed == predict_greedily(tiny_model, vocabulary, prompt)

"""A checkpoint of llama2.c becomes a Llama that computes the same, for transformers alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import vocabularies
from reproducible_weights import llama2c_checkpoint
from transformers import AutoModelForCausalLM, AutoTokenizer

from hf_zh_dict.formats.llama2c_checkpoint import import_llama2c
from hf_zh_dict.messages import InputError

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "llama2c.json").read_text(encoding="utf-8")
)["checkpoint"]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    """A tokenizer.model with 300 pieces, and SentencePiece's processor of it."""
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"
    return path, vocabularies.train(path)


@pytest.fixture
def take_over(vocabulary, tmp_path):
    """Imports a checkpoint; returns the folder."""

    def take_over(checkpoint):
        torch.save(checkpoint, tmp_path / "ckpt.pt")
        import_llama2c(tmp_path / "ckpt.pt", vocabulary[0], tmp_path / "model")
        return tmp_path / "model"

    return take_over


def test_logits_are_those_of_llama2cs_own_model(take_over):
    model = AutoModelForCausalLM.from_pretrained(take_over(llama2c_checkpoint())).eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([GOLDEN["ids"]])).logits[0]
    assert logits.argmax(dim=1).tolist() == GOLDEN["argmax"]
    assert (logits[-1] - torch.tensor(GOLDEN["logits"])).abs().max() < 1e-4


def test_the_folder_is_a_llama_with_this_shape(take_over):
    folder = take_over(llama2c_checkpoint())
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    expected = {
        "hidden_size": 32, "intermediate_size": 96, "num_hidden_layers": 2, "rope_theta": 10000,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
        "vocab_size": 300, "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "bos_token_id": 1,
        "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    assert {key: settings[key] for key in expected} == expected
    # texts of llama2.c are divided by bos, so it ends one
    generation = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    assert generation["eos_token_id"] == [2, 1]
    named = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert named["tokenizer_class"] == "PreTrainedTokenizerFast"


def test_its_tokenizer_has_sentencepieces_ids_behind_bos(take_over, vocabulary):
    tokenizer = AutoTokenizer.from_pretrained(take_over(llama2c_checkpoint()))
    for text in ("ab aab", "  a  b ", "哈哈哈 x", "<s>ab</s>", "", "漢字"):
        assert tokenizer(text)["input_ids"] == [1, *vocabulary[1].encode(text)]
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == vocabulary[1].decode(ids)


def test_embedding_and_output_may_differ(take_over):
    checkpoint = llama2c_checkpoint()
    output = checkpoint["model"]["_orig_mod.output.weight"] * 2
    checkpoint["model"]["_orig_mod.output.weight"] = output
    model = AutoModelForCausalLM.from_pretrained(take_over(checkpoint))
    assert not model.config.tie_word_embeddings
    assert torch.equal(model.lm_head.weight, output)
    assert torch.equal(model.model.embed_tokens.weight, output / 2)


@pytest.mark.parametrize("key_value_heads", [1, 4])
def test_keys_and_values_of_any_number_of_heads(take_over, key_value_heads):
    checkpoint = llama2c_checkpoint(key_value_heads=key_value_heads)
    if key_value_heads == 4:
        checkpoint["model_args"]["n_kv_heads"] = None  # as llama2.c writes it
    model = AutoModelForCausalLM.from_pretrained(take_over(checkpoint))
    assert model.config.num_key_value_heads == key_value_heads


def test_computed_buffers_and_plain_names_are_fine(take_over):
    checkpoint = llama2c_checkpoint()
    plain = {name.removeprefix("_orig_mod."): w for name, w in checkpoint["model"].items()}
    del plain["output.weight"]
    checkpoint["model"] = plain | {"freqs_cos": torch.ones(64, 4), "freqs_sin": torch.ones(64, 4)}
    model = AutoModelForCausalLM.from_pretrained(take_over(checkpoint))
    assert model.config.tie_word_embeddings


class Malicious:
    """A pickle that runs code when it is read without care."""

    def __reduce__(self):
        return os.system, ("echo harmed",)


def test_a_pickle_that_needs_code_is_refused(take_over, capfd):
    with pytest.raises(InputError, match=r"ckpt\.pt: is not read, since that would run code"):
        take_over(llama2c_checkpoint() | {"extra": Malicious()})
    assert "harmed" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda c: c.pop("model"), "is no checkpoint of llama2.c"),
        (lambda c: c["model_args"].pop("dim"), "is no checkpoint of llama2.c"),
        (lambda c: c["model"].pop("_orig_mod.norm.weight"), "norm.weight"),
        (lambda c: c["model"].update({"layers.0.strange": torch.ones(1)}), "strange"),
        (lambda c: c["model_args"].update(n_layers=3), "its weights are not those"),
    ],
)
def test_what_is_no_such_checkpoint_is_refused(take_over, changed, reason):
    checkpoint = llama2c_checkpoint()
    changed(checkpoint)
    with pytest.raises(InputError, match=reason) as refused:
        take_over(checkpoint)
    assert "\n" not in str(refused.value)


def test_another_vocabulary_is_refused_with_both_sizes(take_over):
    with pytest.raises(InputError, match=r"has 310 vocabulary entries, \S+tokenizer\.model 300"):
        take_over(llama2c_checkpoint(vocab_size=310))


def test_files_that_are_no_checkpoint_are_refused(vocabulary, tmp_path):
    for name, data in (("empty.pt", b""), ("text.pt", b"hello")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            import_llama2c(tmp_path / name, vocabulary[0], tmp_path / "model")
    with pytest.raises(InputError, match="there is no such file"):
        import_llama2c(tmp_path / "nowhere.pt", vocabulary[0], tmp_path / "model")


def test_the_command_writes_the_folder_and_overwrites_none(vocabulary, tmp_path):
    torch.save(llama2c_checkpoint(), tmp_path / "ckpt.pt")
    command = [sys.executable, "-m", "hf_zh_dict", "import-llama2c", "ckpt.pt", "--tokenizer",
               str(vocabulary[0]), "--name", "old"]  # fmt: skip

    def run():
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    assert "context 64" in done.stdout
    assert (tmp_path / "old" / "model.safetensors").is_file()
    done = run()
    assert done.returncode == 2
    assert done.stderr.endswith("old: is there already; choose another --output-dir.\n")

"""Any causal model with a fast tokenizer is loaded as it is judged; what cannot be is told."""

import json

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from hf_zh_dict.evaluation.scoring import prepare_texts, score_texts
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import save_model
from hf_zh_dict.model.loading import load_model_folder


@pytest.fixture
def gpt2_folder(tokenizer_folder, tmp_path):
    """A model of another family, whose tokenizer has an end of text and nothing else."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=len(tokenizer), n_positions=32, n_embd=16, n_layer=1, n_head=2)
    GPT2LMHeadModel(shape).to(torch.float16).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    for name in ("bos_token", "pad_token"):
        del settings[name]
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return tmp_path


def test_our_own_model(tiny_model, tokenizer, tokenizer_folder, tmp_path):
    save_model(tiny_model, tokenizer, tokenizer_folder, tmp_path / "model")
    model, loaded = load_model_folder(tmp_path / "model")
    assert not model.training
    assert loaded("<s>橋")["input_ids"][1] != loaded.bos_token_id
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, tiny_model.state_dict()[name])


def test_another_family_is_scored_by_its_own_logits(gpt2_folder, texts):
    model, tokenizer = load_model_folder(gpt2_folder)
    assert model.dtype == torch.float32
    assert tokenizer.bos_token == tokenizer.pad_token == tokenizer.eos_token
    (text,) = prepare_texts(tokenizer, ["橋頭"])
    with torch.no_grad():
        logits = model(torch.tensor([text.ids[:-1]])).logits[0].double().log_softmax(-1)
    expected = -logits[torch.arange(len(text.ids) - 1), torch.tensor(text.ids[1:])].sum()
    nll = score_texts(model, [text], batch_size=4, context_length=32)
    assert nll[0] == pytest.approx(float(expected), rel=1e-5)


def test_no_model_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no model"):
        load_model_folder(tmp_path)

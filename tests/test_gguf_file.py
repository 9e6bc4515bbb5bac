"""llama.cpp, and transformers, make of the file what transformers makes of the model."""

import json
import os
import urllib.request

import pyarrow.parquet as pq
import pytest
import torch
from reproducible_weights import fill
from transformers import AutoTokenizer, LlamaForCausalLM

from hf_zh_dict.formats.gguf_file import write_gguf, write_modelfile
from hf_zh_dict.formats.llama2c_checkpoint import load_vocabulary
from hf_zh_dict.messages import InputError
from hf_zh_dict.model.llama import make_llama_config

gguf = pytest.importorskip("gguf")
SHAPES = {
    "tied": {},
    "untied": {"tie_word_embeddings": False},
    "one key-value head": {"num_key_value_heads": 1, "num_hidden_layers": 3},
    "other angles": {"rope_theta": 500_000.0, "rms_norm_eps": 1e-6},
}
STEPS = 64


@pytest.fixture
def make_model(tiny_config, tokenizer, reshape):
    """Makes a model that writes a varied text and does not end it."""

    def make(**shape):
        sizes = {"hidden_size": 64, "intermediate_size": 96, "max_position_embeddings": 128}
        return fill(
            LlamaForCausalLM(make_llama_config(reshape(tiny_config, **sizes | shape), tokenizer))
        )

    return make


class LlamaCpp:
    """llama.cpp's server in this process, on the loopback, with one file; float32 throughout."""

    def __init__(self, path):
        xllamacpp = pytest.importorskip("xllamacpp")
        options = xllamacpp.CommonParams()
        options.model.path = str(path)
        options.port, options.n_ctx, options.n_parallel, options.n_gpu_layers = 0, 256, 1, 0
        options.cpuparams.n_threads = 1
        options.warmup, options.verbosity = False, 0
        options.cache_type_k = options.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        off = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        options.flash_attn_type = off
        self.server = xllamacpp.Server(options)

    def ask(self, path, **question):
        request = urllib.request.Request(
            self.server.listening_address + path,
            json.dumps(question).encode(),
            {"Content-Type": "application/json"},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=60) as answer:
            return json.load(answer)

    def tokenize(self, text):
        return self.ask("/tokenize", content=text, add_special=True, parse_special=False)["tokens"]

    def complete(self, ids):
        """Greedy ids and, for each that the server tells of, its log-probability."""
        answer = self.ask("/completion", prompt=ids, n_predict=STEPS, temperature=0, n_probs=1,
                          cache_prompt=False, return_tokens=True)  # fmt: skip
        told = [(item["id"], item["logprob"]) for item in answer["completion_probabilities"]]
        return answer["tokens"], told


def continue_greedily(model, ids):
    """The same from transformers: ids, and the log-probability of each."""
    with torch.no_grad():
        inputs = torch.tensor([ids])
        output = model.generate(
            inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=STEPS
        )
        scores = model(input_ids=output).logits[0].log_softmax(dim=-1)
    new = output[0, len(ids) :].tolist()
    return new, [float(scores[len(ids) - 1 + place, number]) for place, number in enumerate(new)]


def compare(model, tokenizer, llama_cpp, prompt):
    ids = tokenizer(prompt)["input_ids"]
    expected, probabilities = continue_greedily(model, ids)
    found, told = llama_cpp.complete(ids)
    assert found == expected
    places = iter(range(len(expected)))
    for number, probability in told:  # tokens that end within a character are not told of
        place = next(place for place in places if expected[place] == number)
        assert abs(probability - probabilities[place]) < 1e-2
    assert len(told) > STEPS / 2 or len(expected) < STEPS


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_llama_cpp_continues_as_transformers_does(make_model, tokenizer, tmp_path, shape):
    model = make_model(**shape)
    write_gguf(model, tokenizer, tmp_path / "m.gguf", dtype="f32", name="m")
    llama_cpp = LlamaCpp(tmp_path / "m.gguf")
    for prompt in ("橋", "青石橋\u3000", "見「茶壺」。"):
        compare(model, tokenizer, llama_cpp, prompt)


def test_llama_cpp_reads_prompts_as_the_tokenizer_does(
    make_model, tokenizer, texts, embedded_corpus, tmp_path
):
    write_gguf(make_model(), tokenizer, tmp_path / "m.gguf", dtype="f16", name="m")
    llama_cpp = LlamaCpp(tmp_path / "m.gguf")
    lines = pq.read_table(embedded_corpus[0] / "train.parquet", columns=["text"])["text"]
    odd = [
        "<s>x</s>",
        "  a  b ",
        "it's 'S 1234567",
        "\u2581x",
        "\n\n a\r\n",
        "ａ１２",
        "𠮷\u0301",
        "",
    ]
    for text in [*texts, *lines.to_pylist(), *odd]:
        assert llama_cpp.tokenize(text) == tokenizer(text)["input_ids"], text


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_transformers_reads_the_file_back(make_model, tokenizer, texts, tmp_path, shape):
    model = make_model(**shape)
    write_gguf(model, tokenizer, tmp_path / "m.gguf", dtype="f32", name="m")
    read = LlamaForCausalLM.from_pretrained(tmp_path, gguf_file="m.gguf")
    for name, weight in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], weight), name
    assert read.config.rope_parameters["rope_theta"] == model.config.rope_parameters["rope_theta"]
    assert read.config.max_position_embeddings == 128
    again = AutoTokenizer.from_pretrained(tmp_path, gguf_file="m.gguf")
    for text in texts:
        assert again(text)["input_ids"][-3:] == tokenizer(text)["input_ids"][-3:]


def read_fields(path):
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def test_the_file_says_what_programs_ask_for(make_model, tokenizer, tmp_path):
    write_gguf(make_model(), tokenizer, tmp_path / "m.gguf", dtype="f16", name="小辭典")
    fields = read_fields(tmp_path / "m.gguf")
    expected = {
        "general.architecture": "llama", "general.name": "小辭典", "general.languages": ["zh"],
        "general.file_type": 1, "llama.context_length": 128, "llama.embedding_length": 64,
        "llama.block_count": 2, "llama.feed_forward_length": 96, "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2, "llama.rope.dimension_count": 16,
        "llama.vocab_size": 300, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.padding_token_id": 2, "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
    }  # fmt: skip
    assert {key: fields[key] for key in expected} == expected
    assert fields["tokenizer.ggml.token_type"] == [3, 3, 3, *[1] * 297]
    assert not list(tmp_path.glob("*.partial"))


def test_matrices_have_the_precision_and_norms_are_float32(make_model, tokenizer, tmp_path):
    kinds = {}
    for dtype in ("f32", "f16", "q8_0"):
        assert write_gguf(make_model(), tokenizer, tmp_path / dtype, dtype=dtype, name="m") == []
        tensors = {item.name: item for item in gguf.GGUFReader(tmp_path / dtype).tensors}
        kinds[dtype] = tensors["blk.0.attn_q.weight"].tensor_type.name
        assert tensors["blk.0.attn_norm.weight"].tensor_type.name == "F32"
        assert "output.weight" not in tensors  # tied
    assert kinds == {"f32": "F32", "f16": "F16", "q8_0": "Q8_0"}


def test_rows_that_q8_0_cannot_hold_stay_f16_and_run(make_model, tokenizer, tmp_path):
    model = make_model(intermediate_size=72)
    larger = write_gguf(model, tokenizer, tmp_path / "m.gguf", dtype="q8_0", name="m")
    assert larger == ["blk.0.ffn_down.weight", "blk.1.ffn_down.weight"]
    tensors = {item.name: item for item in gguf.GGUFReader(tmp_path / "m.gguf").tensors}
    assert tensors["blk.0.ffn_down.weight"].tensor_type.name == "F16"
    assert tensors["blk.0.ffn_up.weight"].tensor_type.name == "Q8_0"
    ids, _told = LlamaCpp(tmp_path / "m.gguf").complete(tokenizer("橋")["input_ids"])
    assert ids


def test_vocabulary_entries_without_a_token_are_unused(make_model, tokenizer, tmp_path):
    model = make_model()
    model.resize_token_embeddings(304, mean_resizing=False)
    write_gguf(fill(model), tokenizer, tmp_path / "m.gguf", dtype="f32", name="m")
    assert read_fields(tmp_path / "m.gguf")["tokenizer.ggml.token_type"][-5:] == [1, 5, 5, 5, 5]


def test_a_vocabulary_of_sentencepiece_goes_along(make_model, tmp_path):
    vocabularies = pytest.importorskip("vocabularies")
    theirs = vocabularies.train(tmp_path / "tokenizer.model")
    tokenizer = load_vocabulary(tmp_path / "tokenizer.model", context_length=128)
    write_gguf(make_model(), tokenizer, tmp_path / "m.gguf", dtype="f32", name="m")
    llama_cpp = LlamaCpp(tmp_path / "m.gguf")
    for text in ("ab aab", "哈哈哈 x", "abba bab", "漢字", "<s>ab"):
        assert llama_cpp.tokenize(text) == [1, *theirs.encode(text)]


def test_another_way_of_splitting_text_is_refused(make_model, tokenizer, tmp_path):
    backend = type(tokenizer.backend_tokenizer).from_str(tokenizer.backend_tokenizer.to_str())
    backend.pre_tokenizer = backend.pre_tokenizer[1]
    other = type(tokenizer)(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    with pytest.raises(InputError, match="no name for the way that this tokenizer splits text"):
        write_gguf(make_model(), other, tmp_path / "m.gguf", dtype="f32", name="m")
    assert os.listdir(tmp_path) in ([], ["m.gguf.partial"])


def test_a_missing_package_is_one_sentence(make_model, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(InputError, match=r"install it with pip install"):
        write_gguf(make_model(), tokenizer, tmp_path / "m.gguf", dtype="f32", name="m")


def test_the_modelfile_names_the_file_and_continues_the_prompt(tmp_path):
    write_modelfile(tmp_path / "Modelfile", "m-f16.gguf", context_length=256)
    lines = (tmp_path / "Modelfile").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "FROM ./m-f16.gguf"
    assert lines[1] == 'TEMPLATE """{{ .Prompt }}"""'
    assert "PARAMETER num_ctx 256" in lines

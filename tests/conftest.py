"""What several test files share: no network, English messages, invented texts, a tiny model."""

import atexit
import os
import shutil
import sys
import tempfile

CACHE = tempfile.mkdtemp(prefix="hf_zh_dict-tests-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
os.environ |= {"HF_HOME": CACHE, "HF_HUB_OFFLINE": "1", "HF_ZH_DICT_LANG": "en"}
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny tensors are slower on more

import pytest  # noqa: E402
from hub_server import HubServer  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("house", deadline=None, max_examples=60)
settings.load_profile("house")

TINY = {
    "tokenizer.vocab_size": 300,
    "blocks.block_size": 32,
    "model.hidden_size": 16,
    "model.num_hidden_layers": 2,
    "model.num_attention_heads": 4,
    "model.num_key_value_heads": 2,
    "train.max_steps": 4,
    "train.warmup_steps": 1,
    "train.per_device_batch_size": 2,
    "train.num_samples": 1,
    "train.use_cpu": True,
    "train.report_to": (),
}
THINGS = {
    "青石橋": "ㄑㄧㄥ　ㄕˊ　ㄑㄧㄠˊ　qīng shí qiáo　1.用青石砌成的橋。如：「村口有一座青石橋。」",
    "曬穀場": "ㄕㄞˋ　ㄍㄨˇ　ㄔㄤˊ　shài gǔ cháng　鋪開稻穀讓太陽曬乾的空地。",
    "霧燈": "ㄨˋ　ㄉㄥ　wù dēng　大霧時點亮的燈。如：「船上的霧燈一直亮著。」　相似詞：夜燈",
    "茶壺": "ㄔㄚˊ　ㄏㄨˊ　chá hú　1.泡茶的器具。　2.比喻肚子裡有話，卻倒不出來。",
    "踏雪": "ㄊㄚˋ　ㄒㄩㄝˇ　tà xuě　[動]　走在雪地上。如：「清晨踏雪，兩行腳印。」",
    "斑鳩": "ㄅㄢ　ㄐㄧㄡ　bān jiū　[名]　鳥名。頸上有斑點，叫聲低沉，常在田間覓食。",
    "漏網": "ㄌㄡˋ　ㄨㄤˇ　lòu wǎng　從網眼裡逃走。比喻沒有被捉到。　相反詞：落網",
    "收音機": "ㄕㄡ　ㄧㄣ　ㄐㄧ　接收電波、放出聲音的機器。約1920年代起進入家庭，英文是 radio。",
}


MODEL_SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 300,
         "max_position_embeddings": 32, "transformers_version": "5.0"}  # fmt: skip
METRICS = [
    {"step": 0, "validation_bits_per_char": 9.0, "tokens": 0, "seconds": 0.0},
    {"step": 1, "loss": 6.0},
    {"step": 2, "validation_bits_per_char": 5.5, "tokens": 700, "seconds": 90.0},
    {"step": 4, "validation_bits_per_char": 5.6, "tokens": 1400, "seconds": 180.0},
]
SAMPLES = [
    {"step": 2, "prompt": "舊　", "text": "舊　早的。", "parses": True},
    {"step": 4, "prompt": "霧燈　", "text": "霧燈　ㄨˋ　\n" + "光" * 300, "parses": False},
]


def pytest_collection_modifyitems(items):
    """Tests of the Ministry's files want the files, and are one worker's, which reads them once."""
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.xdist_group("real data"))
            if "HF_ZH_DICT_DATA" not in os.environ:
                item.add_marker(pytest.mark.skip("HF_ZH_DICT_DATA is not set"))


@pytest.fixture(autouse=True)
def one_thread_again():
    """Training takes all cores; what the same worker tests next shares them with other workers."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def real_files():
    from pathlib import Path

    paths = sorted(Path(os.environ["HF_ZH_DICT_DATA"]).glob("*.xlsx"))
    assert paths, "HF_ZH_DICT_DATA names a folder without .xlsx files"
    return paths


@pytest.fixture(scope="session")
def real_records(real_files):
    """File name → its entries and dropped rows."""
    from hf_zh_dict.dictionaries.reader import read_entries

    return {path.name: list(read_entries(path)) for path in real_files}


@pytest.fixture(scope="session")
def real_documents(real_records):
    """The documents of all entries."""
    from hf_zh_dict.dictionaries.entry import Entry
    from hf_zh_dict.dictionaries.render import render_document

    records = (record for found in real_records.values() for record in found)
    return [render_document(record) for record in records if isinstance(record, Entry)]


@pytest.fixture(scope="session")
def texts():
    """Invented dictionary lines, short and long."""
    lines = [f"{headword}　{rest}" for headword, rest in THINGS.items()]
    lines += [f"{headword}　見「{other}」。" for headword in THINGS for other in THINGS]
    return [*lines, "橋", "一二三四五六七八九十" * 12]


@pytest.fixture(scope="session")
def tiny_config():
    """A whole run's settings, as small as they get."""
    from hf_zh_dict.settings import load_config

    return load_config(overrides=TINY)


@pytest.fixture(scope="session")
def tokenizer_folder(texts, tiny_config, tmp_path_factory):
    """A tokenizer stage's folder: trained on `texts`, 300 entries."""
    from hf_zh_dict.tokens.tokenizer import build_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(
        tiny_config.tokenizer, iter(texts), folder, context_length=tiny_config.context_length
    )
    return folder


@pytest.fixture(scope="session")
def tokenizer(tokenizer_folder):
    """That folder's tokenizer."""
    from hf_zh_dict.tokens.tokenizer import load_tokenizer

    return load_tokenizer(tokenizer_folder)


@pytest.fixture
def tiny_model(tiny_config, tokenizer):
    """An untrained model of that shape, a new one for each test."""
    from hf_zh_dict.model.llama import build_model

    return build_model(tiny_config, tokenizer).eval()


@pytest.fixture(scope="session")
def reshape():
    """A config with some settings of the model changed."""
    import dataclasses

    def reshape(config, **changed):
        return dataclasses.replace(config, model=dataclasses.replace(config.model, **changed))

    return reshape


@pytest.fixture
def write_table(tmp_path):
    """Writes rows (published column name → cell) as a dictionary's table; gives its path.

    The name says the form: .csv, .xlsx, .xls, or .zip with an .xlsx of the same name inside.
    """
    import csv
    import zipfile

    import openpyxl
    import xlwt

    def write(header, rows, name="table.csv", sheet="Sheet1"):
        path = tmp_path / name
        table = [header, *([row.get(column, "") for column in header] for row in rows)]
        if path.suffix == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(table)
        elif path.suffix == ".zip":
            inner = write(header, rows, f"{path.stem}.xlsx", sheet)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(inner, inner.name)
            inner.unlink()
        elif path.suffix == ".xls":
            workbook = xlwt.Workbook(encoding="utf-8")
            cells = workbook.add_sheet(sheet)
            for number, row in enumerate(table):
                for column, cell in enumerate(row):
                    cells.write(number, column, cell)
            workbook.save(str(path))
        else:
            workbook = openpyxl.Workbook()
            workbook.active.title = sheet
            for row in table:
                workbook.active.append(row)
            workbook.save(path)
            workbook.close()
        return path

    return write


@pytest.fixture(scope="session")
def embedded_corpus(tmp_path_factory):
    """The embedded dictionaries' corpus folder, and facts of which none is missing."""
    from hf_zh_dict.config import CorpusConfig
    from hf_zh_dict.corpus.build import build_corpus

    folder = tmp_path_factory.mktemp("embedded") / "corpus"
    folder.mkdir()
    counted = build_corpus(CorpusConfig(), folder)
    documents = counted["documents"]
    return folder, counted | {
        "fingerprint": "0123abcd", "source": "embedded", "recipe": "plain", "seed": 0,
        "inputs": [{"name": "mini.csv", "sha256": "4567", "dictionary": "mini", "edition": "",
                    "terms": ""}],
        "entries": documents, "views": {"plain": documents}, "dropped": {"repeated": 1200},
        "placeholders": 3, "private_use": 0, "links": {"stated": 1500, "similar": 7, "cut": 0, "largest_group": 9},
    }  # fmt: skip


@pytest.fixture
def make_run(embedded_corpus, tmp_path):
    """Makes a run folder with that corpus; facts may be changed, or with None taken away."""
    import json

    def make(name="run", *, terms=(), **changed):
        folder = tmp_path / name / "corpus"
        shutil.copytree(embedded_corpus[0], folder)
        facts = {k: v for k, v in (embedded_corpus[1] | changed).items() if v is not None}
        (folder / "stage.json").write_text(json.dumps(facts), encoding="utf-8")
        for file in terms:
            (folder / "license").mkdir(exist_ok=True)
            (folder / "license" / file).write_bytes(b"%PDF-1.4\0 " + file.encode())
        return folder.parent

    return make


@pytest.fixture
def make_model_run(make_run):
    """Makes a run folder with a model that has the right files; facts of the corpus may change."""
    import json

    import numpy as np
    import yaml
    from safetensors.numpy import save_file
    from test_model_index import EVALUATION

    from hf_zh_dict.paths import RunPaths

    def make(name="run", **changed):
        paths = RunPaths(make_run(name, **changed))
        paths.model.mkdir()
        (paths.model / "config.json").write_text(json.dumps(MODEL_SHAPE), encoding="utf-8")
        save_file({"embed": np.zeros((300, 16)), "norm": np.zeros(16)}, paths.model / "model.safetensors")  # fmt: skip
        settings = {
            "corpus": {"source": "embedded", "files": [str(paths.root / "secret" / "a.xlsx")]},
            "train": {"max_steps": 4, "per_device_batch_size": 2, "learning_rate": 0.0005},
            "hub": {"repo_id": "owner/x"},
        }
        paths.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        for path, rows in ((paths.metrics, METRICS), (paths.samples, SAMPLES)):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        report = EVALUATION | {"model": str(paths.model)}
        paths.evaluation.write_text(json.dumps(report), encoding="utf-8")
        paths.curve.write_bytes(b"\x89PNG")
        return paths

    return make


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory):
    """A run folder as the commands leave it: four steps on the embedded dictionary, evaluated."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("trained") / "run"
    options = [f"--{k}={v}" for k, v in TINY.items() if v != ()]
    for command in (["train", *options, "--train.report-to", "--output-dir"], ["evaluate"]):
        done = subprocess.run(
            [sys.executable, "-m", "hf_zh_dict", *command, str(folder)], capture_output=True,
            text=True, encoding="utf-8", timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def hub():
    """A Hub of our own, empty; its accounts are those of hub_server.py."""
    with HubServer() as server:
        yield server


@pytest.fixture
def at_hub(hub, tmp_path):
    """Runs Python (`-m …` or `-c …`) in a new process whose Hub is `hub`; returns the process."""
    import subprocess
    import sys

    def run(*argv, token="hf_writer", python=sys.executable, **environment):
        inherited = {name: value for name, value in os.environ.items() if name[:3] != "HF_"}
        asked = {
            "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf_home"), "HF_TOKEN": token,
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0", "HF_ZH_DICT_LANG": "en",
            "NO_PROXY": "127.0.0.1,localhost", "PYTHONIOENCODING": "utf-8",
        }  # fmt: skip
        words = [str(word) for word in argv]
        if words[0] == "-c":  # by a file, which may hold Chinese in any locale
            program = tmp_path / "program.py"
            program.write_text(words[1], encoding="utf-8")
            words = [str(program), *words[2:]]
        return subprocess.run(
            [python, *(word.encode() for word in words)], env=inherited | asked | environment,
            cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=120,
        )  # fmt: skip

    return run


@pytest.fixture
def subject(tiny_config, tokenizer, make_run):
    """An untrained model that sees 256 tokens at once, before the embedded corpus."""
    import dataclasses

    from hf_zh_dict.evaluation.subject import Subject
    from hf_zh_dict.model.llama import build_model
    from hf_zh_dict.paths import RunPaths

    blocks = dataclasses.replace(tiny_config.blocks, block_size=256)
    model = build_model(dataclasses.replace(tiny_config, blocks=blocks), tokenizer).eval()
    run = make_run()
    return Subject("untrained", model, tokenizer, RunPaths(run), run / "evaluation")


@pytest.fixture
def send(at_hub):
    """Runs push or push-corpus in a process at our Hub; returns exit code and what was shown."""

    def run(command, run, *options, repo_id, **environment):
        done = at_hub(
            "-m", "hf_zh_dict", command, run, "--repo-id", repo_id, *options, **environment
        )
        shown = done.stdout + done.stderr
        token = environment.get("token", "hf_writer")
        assert "Traceback" not in shown
        assert not token or token not in shown
        return done.returncode, shown

    return run

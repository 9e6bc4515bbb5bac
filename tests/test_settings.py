"""Settings are read from every layer with their kinds, and what cannot be used is refused by name."""

import json

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from hf_zh_dict.config import Config
from hf_zh_dict.messages import InputError
from hf_zh_dict.settings import (
    list_settings,
    load_config,
    nearest,
    preset_names,
    preset_path,
    save_config,
)


@pytest.fixture
def write(tmp_path):
    """Write a YAML file; returns its path."""

    def write(text, name="run.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refusal(**arguments):
    """The sentence with which settings are refused."""
    with pytest.raises(InputError) as refused:
        load_config(**arguments)
    message = str(refused.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_says_what_it_is_for(name, tmp_path):
    config = load_config(preset=name)
    assert config != Config()
    first = preset_path(name).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 20
    save_config(config, tmp_path / "config.yaml")
    assert load_config(path=tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3e-4", 3e-4), ("3E-4", 3e-4), ("3.0e-4", 3e-4), ("0.0003", 3e-4), ("1", 1.0),
        ('"5e-4"', 5e-4), (".5", 0.5),
    ],
)  # fmt: skip
def test_numbers_in_yaml_are_numbers(write, written, value):
    config = load_config(path=write(f"train:\n  learning_rate: {written}\n"))
    assert config.train.learning_rate == value
    assert type(config.train.learning_rate) is float


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("train.learning_rate", "3e-4", 3e-4),
        ("train.max_steps", "1e3", 1000),
        ("train.max_steps", "10_000", 10_000),
        ("train.max_steps", 20.0, 20),
        ("train.compile", "true", True),
        ("train.compile", "No", False),
        ("train.compile", "yes", True),
        ("train.compile", "FALSE", False),
        ("train.compile", "1", True),
        ("train.compile", "0", False),
        ("train.compile", "none", None),
        ("train.use_cpu", False, False),
        ("train.mixed_precision", "bf16", "bf16"),
        ("train.mixed_precision", False, "no"),
        ("train.report_to", (), ()),
        ("train.report_to", "wandb", ("wandb",)),
        ("train.report_to", ["wandb", "tensorboard"], ("wandb", "tensorboard")),
        ("model.num_key_value_heads", "none", None),
        ("model.num_key_value_heads", "3", 3),
        ("model.intermediate_size", None, None),
        ("corpus.revision", 20250101, "20250101"),
    ],
)
def test_values_of_the_command_line_take_the_settings_kind(key, value, expected):
    section, name = key.split(".")
    config = load_config(overrides={key: value})
    got = getattr(getattr(config, section), name)
    assert got == expected
    assert type(got) is type(expected)


def test_a_bare_no_in_yaml_is_the_precision_no(write):
    assert load_config(path=write("train:\n  mixed_precision: no\n")).train.mixed_precision == "no"


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("train.max_steps", "many", "whole number"),
        ("train.max_steps", 2.5, "whole number"),
        ("train.max_steps", True, "whole number"),
        ("train.max_steps", "inf", "whole number"),
        ("train.max_steps", "nan", "whole number"),
        ("train.max_steps", None, "whole number"),
        ("train.max_steps", [3], "whole number"),
        ("train.learning_rate", "fast", "number"),
        ("train.learning_rate", False, "number"),
        ("train.compile", "perhaps", "true or false"),
        ("train.reshuffle_entries", None, "true or false"),
        ("corpus.revision", {"a": 1}, "text"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_name(key, value, kind):
    assert refusal(overrides={key: value}) == f"{key}: “{value}” is no {kind}."


def test_a_word_that_is_no_choice_is_refused_with_the_choices():
    message = refusal(overrides={"train.lr_scheduler_type": "cosin"})
    assert message.endswith("cosine, linear, constant, constant_with_warmup, warmup_stable_decay.")
    message = refusal(overrides={"train.optimizer": "sgd"})
    assert message == "train.optimizer: “sgd” is none of adamw, muon."
    assert '""' in refusal(overrides={"train.mixed_precision": "fp8"})


def test_unknown_keys_and_sections_are_refused_with_the_nearest_name(write):
    message = refusal(path=write("train:\n  learning_rat: 1\n"))
    assert "run.yaml" in message
    assert "“train.learning_rat” (did you mean “train.learning_rate”?)" in message
    message = refusal(path=write("trian:\n  learning_rate: 1\n"))
    assert "“trian” (did you mean “train”?)" in message
    message = refusal(path=write("model:\n  learning_rate: 1\n"))
    assert "(did you mean “train.learning_rate”?)" in message
    assert "did you mean" not in refusal(path=write("zzz:\n  a: 1\n"))


def test_unknown_overrides_are_refused_with_the_nearest_name():
    message = refusal(overrides={"train.learning_rat": 1})
    assert "“train.learning_rat” (did you mean “train.learning_rate”?)" in message


def test_nearest_finds_near_names_only():
    assert nearest("quickstrat", preset_names()) == " (did you mean “quickstart”?)"
    assert nearest("甲", preset_names()) == ""


def test_an_unknown_preset_is_refused_with_all_names():
    message = refusal(preset="quikstart")
    assert "(did you mean “quickstart”?)" in message
    assert all(name in message for name in preset_names())


def test_later_layers_win(write):
    path = write("train:\n  max_steps: 7\n  warmup_steps: 3\n")
    preset = load_config(preset="quickstart").train
    assert preset.max_steps == 450
    with_file = load_config(preset="quickstart", path=path).train
    assert (with_file.max_steps, with_file.warmup_steps) == (7, 3)
    assert with_file.learning_rate == preset.learning_rate == 8e-3
    overridden = load_config(
        preset="quickstart", path=path, overrides={"train.max_steps": "9"}
    ).train
    assert (overridden.max_steps, overridden.warmup_steps) == (9, 3)
    assert load_config() == Config()


def test_an_empty_file_or_section_changes_nothing(write):
    assert load_config(path=write("")) == load_config(path=write("train:\nmodel: {}\n")) == Config()


def test_keys_may_be_written_with_hyphens_and_files_with_a_byte_order_mark(write):
    path = write("\ufefftrain:\n  max-steps: 5\n")
    assert load_config(path=path).train.max_steps == 5


@pytest.mark.parametrize(
    "text", ["- train\n", "train\n", "train: 5\n", "train: [a]\n", "a: b: c\n"]
)
def test_a_file_of_another_form_is_refused_with_its_name(write, text):
    assert "run.yaml" in refusal(path=write(text))


def test_a_file_that_cannot_be_read_is_refused_with_its_name(tmp_path):
    assert "there is no such file" in refusal(path=tmp_path / "none.yaml")
    (tmp_path / "big5.yaml").write_bytes("corpus:\n  revision: 國語".encode("big5"))
    assert "save it as UTF-8" in refusal(path=tmp_path / "big5.yaml")
    (tmp_path / "folder").mkdir()
    assert "folder" in refusal(path=tmp_path / "folder")


# PyYAML reads a raw next-line sign (U+0085) back as a space; no name holds one
texts_of_people = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)
settings_of_people = st.fixed_dictionaries(
    {},
    optional={
        "corpus.files": st.lists(texts_of_people, max_size=3),
        "corpus.data_files": st.lists(texts_of_people, max_size=3),
        "corpus.repo_id": texts_of_people,
        "corpus.revision": texts_of_people,
        "corpus.seed": st.integers(0, 2**63),
        "corpus.validation_fraction": st.floats(1e-9, 0.4),
        "tokenizer.vocab_size": st.integers(259, 10**6),
        "model.dropout": st.floats(0, 0.99),
        "model.num_key_value_heads": st.sampled_from([None, 1, 2, 3, 6]),
        "model.intermediate_size": st.none() | st.integers(1, 10**5),
        "model.tie_word_embeddings": st.booleans(),
        "model.rms_norm_eps": st.floats(1e-12, 1e-3),
        "train.learning_rate": st.floats(0, 10),
        "train.min_learning_rate": st.just(0.0),
        "train.mixed_precision": st.sampled_from(["", "no", "fp16", "bf16", "auto"]),
        "train.optimizer": st.sampled_from(["adamw", "muon"]),
        "train.decay_steps": st.floats(0, 1e4),
        "train.ema_decay": st.floats(0, 1, exclude_max=True),
        "train.reshuffle_entries": st.booleans(),
        "train.report_to": st.lists(st.sampled_from(["tensorboard", "wandb"]), max_size=2),
        "train.seed": st.integers(0, 2**31),
    },
)


@given(overrides=settings_of_people)
def test_saved_settings_come_back(tmp_path_factory, overrides):
    config = load_config(overrides=overrides)
    path = tmp_path_factory.mktemp("saved") / "run" / "config.yaml"
    save_config(config, path)
    assert load_config(path=path) == config
    assert json.loads(json.dumps(config.to_dict())) == config.to_dict()


@given(seed=st.integers(0, 2**63))
@example(seed=2**53 + 1)
def test_whole_numbers_are_taken_exactly(seed):
    assert load_config(overrides={"corpus.seed": str(seed)}).corpus.seed == seed
    assert load_config(overrides={"corpus.seed": seed}).corpus.seed == seed


def test_the_saved_file_is_written_for_people(tmp_path):
    config = load_config(overrides={"corpus.source": "text", "corpus.files": ["國語.txt"]})
    save_config(config, tmp_path / "config.yaml")
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert "國語.txt" in text
    sections = ["corpus", "tokenizer", "blocks", "model", "train", "hub"]
    assert list(yaml.safe_load(text)) == sections


def test_every_setting_has_an_explanation_and_a_default_of_its_kind():
    keys = [key for key, _kind, _default, _help in list_settings()]
    assert len(keys) == len(set(keys))
    for key, _kind, default, explanation in list_settings():
        assert explanation, key
        section, name = key.split(".")
        config = load_config(overrides={key: default})
        assert getattr(getattr(config, section), name) == default

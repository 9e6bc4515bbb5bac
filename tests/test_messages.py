"""Every message of the code is translated, and shown in the language that the user asked for."""

import io
import os
import string
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages import mofile, pofile

import hf_zh_dict
from hf_zh_dict.locale import update

MODULE = b"""
STAGES = {"brew": N_("brew the tea")}
text = _(
    "the pot holds {cups:,} cups, "
    "which is too few."
).format(cups=3)
help_text = f"{_(item.metadata['help'])} ({_('inside')}) {gettext('not ours')} {_(explanation)}"
"""
FOUND = {"brew the tea", "the pot holds {cups:,} cups, which is too few.", "inside"}


def read_catalog(path=update.PO_FILE):
    return pofile.read_po(io.BytesIO(path.read_bytes()))


def messages_of(catalog):
    """The messages without the header."""
    return {message.id: message for message in catalog if message.id}


def placeholders(text):
    return sorted(
        (name, spec, conversion or "")
        for _literal, name, spec, conversion in string.Formatter().parse(text)
        if name is not None
    )


def run(*argv, **variables):
    """The command in a process that knows only these language variables."""
    languages = ("HF_ZH_DICT_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    environment = {key: value for key, value in os.environ.items() if key not in languages}
    return subprocess.run(
        [sys.executable, "-m", "hf_zh_dict", *argv],
        env=environment | variables | {"COLUMNS": "300"},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def catalog():
    return messages_of(read_catalog())


@pytest.fixture
def copy(tmp_path):
    """The catalogue's files, in a folder where they can be spoilt."""
    path = tmp_path / update.PO_FILE.name
    path.write_bytes(update.PO_FILE.read_bytes())
    return path


def test_the_catalogue_holds_the_messages_of_the_code_and_no_others(catalog):
    modules = Path(hf_zh_dict.__file__).parent.rglob("*.py")
    in_code = set().union(*(update.extract_messages(path.read_bytes()) for path in modules))
    assert len(in_code) > 100
    assert in_code - set(catalog) == set(), "run python -m hf_zh_dict.locale.update"
    assert set(catalog) - in_code == set(), "run python -m hf_zh_dict.locale.update"
    assert not read_catalog().obsolete


def test_every_message_is_translated(catalog):
    assert [text for text, message in catalog.items() if not message.string or message.fuzzy] == []


def test_translations_have_the_placeholders_of_the_original(catalog):
    wrong = [
        text for text, message in catalog.items()
        if placeholders(text) != placeholders(message.string)
    ]  # fmt: skip
    assert wrong == []


def test_placeholders_are_compared_with_their_formats():
    assert placeholders("{a:,} of {b}") == placeholders("{b}：{a:,}")
    assert placeholders("{a:,} of {b}") != placeholders("{b}：{a}")
    assert placeholders("{a} {a}") != placeholders("{a}")


def test_the_compiled_catalogue_is_that_of_the_text(catalog):
    compiled = io.BytesIO()
    mofile.write_mo(compiled, update.update_catalog(read_catalog(), catalog))
    assert update.PO_FILE.with_suffix(".mo").read_bytes() == compiled.getvalue()


def test_messages_are_found_however_they_are_written():
    assert update.extract_messages(MODULE) == FOUND


def test_a_module_with_new_messages_has_them_untranslated(catalog):
    updated = update.update_catalog(read_catalog(), {*catalog, *update.extract_messages(MODULE)})
    messages = messages_of(updated)
    assert {text for text, message in messages.items() if not message.string} == FOUND
    assert messages["run folder"].string == catalog["run folder"].string


def test_an_update_without_news_changes_nothing(copy, capsys):
    assert update.main(copy) == 0
    assert copy.read_bytes() == update.PO_FILE.read_bytes()
    assert copy.with_suffix(".mo").read_bytes() == update.PO_FILE.with_suffix(".mo").read_bytes()
    assert capsys.readouterr().err == ""


def test_an_update_lists_what_is_missing_and_drops_what_is_gone(copy, capsys):
    old = read_catalog(copy)
    old["run folder"].string = ""
    old["layers"].flags.add("fuzzy")
    old.add("a message of old", "舊訊息")
    with copy.open("wb") as file:
        pofile.write_po(file, old)
    assert update.main(copy) == 1
    shown = capsys.readouterr().err
    assert "not translated: run folder\n" in shown
    assert "not translated: layers\n" in shown
    assert shown.count("not translated: ") == 2
    assert "dropped: a message of old\n      was: 舊訊息\n" in shown
    assert "a message of old" not in messages_of(read_catalog(copy))


@pytest.mark.parametrize("argv", [("--help",), ("train", "--help"), ("generate", "--help")])
@pytest.mark.parametrize("language", ["zh_TW", "en"])
def test_help_is_in_the_language_asked_for(catalog, argv, language):
    described = {
        "--help": "Train Llama models from scratch on Traditional Chinese dictionaries.",
        "train": "train the model; builds what is missing or out of date before it",
        "generate": "let a run, or any Llama folder or Hub id, continue prompts",
    }[argv[0]]
    done = run(*argv, HF_ZH_DICT_LANG=language)
    assert done.returncode == 0, done.stderr
    assert (described in done.stdout) == (language == "en")
    assert (catalog[described].string in done.stdout) == (language == "zh_TW")


@pytest.mark.parametrize(
    ("variables", "chinese"),
    [
        ({"HF_ZH_DICT_LANG": "zh_TW"}, True),
        ({"HF_ZH_DICT_LANG": "en"}, False),
        ({"LANG": "zh_TW.UTF-8"}, True),
        ({"LC_MESSAGES": "zh_TW.UTF-8", "LANG": "C.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_TW.UTF-8"}, False),
        ({"HF_ZH_DICT_LANG": "en", "LANG": "zh_TW.UTF-8"}, False),
        ({"HF_ZH_DICT_LANG": "zh-Hant-TW", "LANG": "en_US.UTF-8"}, True),
        ({}, False),
    ],
)
def test_errors_are_in_the_language_that_the_environment_names(catalog, variables, chinese):
    done = run("trainx", **variables)
    start = catalog["error: {message}"].string if chinese else "error: {message}"
    assert done.returncode == 2
    assert done.stderr.startswith(start.split("{", maxsplit=1)[0])
    assert ("unknown command" in done.stderr) == (not chinese)
    assert "trainx" in done.stderr
    assert "Traceback" not in done.stderr

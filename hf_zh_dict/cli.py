"""The command line: argv in, words on the terminal out. The roof: only here are argv and stdout.

`hf-zh-dict STAGE …`, `python -m hf_zh_dict STAGE …`, and `train.py …` for the stage train. What a
user gets wrong is one sentence on stderr and exit code 2; a stop by signal is 128 + the signal.
"""

import argparse
import csv
import dataclasses
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from hf_zh_dict import __version__
from hf_zh_dict.config import (
    DEFAULT_PRESET,
    Config,
    count_parameters,
    load_config,
    nearest,
    preset_names,
    preset_path,
    settings,
)
from hf_zh_dict.messages import N_, InputError, _, translate_argparse
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import is_main_process, track

STAGES = {
    "corpus": N_("read the dictionaries and divide them into train, validation and test"),
    "tokenizer": N_("train the tokenizer on the train split"),
    "blocks": N_("encode the train split into training blocks"),
    "train": N_("train the model; builds what is missing or out of date before it"),
    "evaluate": N_("score a run's validation and test splits beside simple models"),
    "generate": N_("let a run, or any Llama folder or Hub id, continue prompts"),
    "presets": N_("list the presets with their exact parameter counts"),
}
ARGPARSE_MESSAGES = (  # argparse's own texts, for the catalogue
    N_("usage: "), N_("options"), N_("positional arguments"), N_("show this help message and exit"),
    N_("show program's version number and exit"), N_("expected one argument"),
    N_("expected at least one argument"), N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"), N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"), N_("unrecognized arguments: %s"),
    N_("ignored explicit argument %r"),
)  # fmt: skip
WITH_RUN = ("evaluate", "generate")
BUILDING = ("corpus", "tokenizer", "blocks", "train")


def entry_point() -> None:
    """The console script."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Chinese on terminals that claim not to know it
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        arguments = parse_arguments(list(sys.argv[1:] if argv is None else argv))
        return run_stage(arguments)
    except InputError as error:
        if is_main_process():
            print(_("error: {message}").format(message=error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return 141


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is an `InputError` with the nearest valid name."""

    def error(self, message: str) -> NoReturn:
        raise InputError(_("{message} (see {command} --help).").format(
            message=message, command=self.prog))  # fmt: skip


def make_parser() -> Parser:
    translate_argparse()
    parser = Parser(
        prog="hf-zh-dict",
        description=_("Train Llama models from scratch on Traditional Chinese dictionaries."),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    for stage, explanation in STAGES.items():
        command = stages.add_parser(
            stage,
            help=_(explanation),
            description=_(explanation),
            allow_abbrev=False,
            usage=usage_of(stage),
        )
        if stage == "presets":
            continue
        add_run_options(command, stage)
        if stage == "train":
            add_train_options(command)
        if stage == "generate":
            add_generate_options(command)
        add_settings(command)
    return parser


def usage_of(stage: str) -> str:
    """One line: dozens of settings need not be listed twice."""
    words = ["hf-zh-dict", stage, *(["[RUN]"] if stage in WITH_RUN else [])]
    return " ".join(words + ([] if stage == "presets" else ["[--option …] [--section.setting …]"]))


def add_run_options(command: argparse.ArgumentParser, stage: str) -> None:
    if stage in WITH_RUN:
        command.add_argument("run", nargs="?", metavar="RUN", help=_("run folder"))
    command.add_argument(
        "--preset",
        metavar="NAME",
        help=_("a shipped preset: {names}").format(names=", ".join(preset_names())),
    )
    command.add_argument("--config", type=Path, metavar="FILE", help=_("a YAML file of settings"))
    command.add_argument(
        "--output-dir", type=Path, metavar="RUN", help=_("run folder (default: runs/<preset>)")
    )


def add_train_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--resume",
        action="store_true",
        help=_("go on from the newest checkpoint in the run folder"),
    )
    command.add_argument(
        "--overwrite",
        action="store_true",
        help=_("delete the run folder's training and start again"),
    )


def add_generate_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--prompt",
        nargs="+",
        default=[],
        metavar="TEXT",
        help=_("prompts; a bare word is taken as a headword"),
    )
    command.add_argument(
        "--prompts", type=Path, metavar="FILE", help=_("a file with one prompt a line")
    )
    command.add_argument(
        "--output", type=Path, metavar="FILE", help=_("write prompts and texts to this .csv sheet")
    )
    command.add_argument(
        "--verbatim", action="store_true", help=_("continue every prompt exactly as it is written")
    )
    for item in dataclasses.fields(Sampling):
        command.add_argument(
            "--" + item.name.replace("_", "-"), type=type(item.default), default=item.default,
            metavar=type(item.default).__name__.upper(),
            help=f"{_(item.metadata['help'])} ({item.default})",
        )  # fmt: skip


def add_settings(command: argparse.ArgumentParser) -> None:
    """Every setting as `--section.name`; kebab and snake spellings meet in `spell_options`."""
    groups: dict[str, Any] = {}
    for key, kind, default, explanation in settings():
        section = key.split(".")[0]
        if section not in groups:
            groups[section] = command.add_argument_group(section)
        shown = " ".join(default) if isinstance(default, tuple) else default
        several = {"nargs": "*"} if "tuple" in str(kind) else {}
        groups[section].add_argument(
            "--" + key.replace("_", "-"), dest=key, default=argparse.SUPPRESS, metavar="VALUE",
            help=f"{_(explanation)} ({'–' if shown in (None, '') else shown})".replace("%", "%%"),
            **several,
        )  # fmt: skip


def spell_options(argv: list[str]) -> list[str]:
    """`--train.learning_rate=3e-4` → `--train.learning-rate=3e-4`; values are left alone."""
    spelled = []
    for word in argv:
        option = re.match(r"--[A-Za-z][\w.-]*", word)
        if option:
            word = option.group().replace("_", "-") + word[option.end() :]
        spelled.append(word)
    return spelled


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The arguments, or an `InputError` that names the unknown one and its nearest relative."""
    parser = make_parser()
    if argv and not argv[0].startswith("-") and argv[0] not in STAGES:
        raise InputError(
            _("unknown stage “{name}”{hint}; the stages are {names}.").format(
                name=argv[0], hint=nearest(argv[0], list(STAGES)), names=", ".join(STAGES)
            )
        )
    arguments, unknown = parser.parse_known_args(spell_options(argv))
    if unknown:
        options = ["--" + key.replace("_", "-") for key, *_rest in settings()]
        options += ["--preset", "--config", "--output-dir", "--resume", "--overwrite"]
        name = unknown[0].split("=")[0]
        raise InputError(
            _("unknown option “{name}”{hint}.").format(name=name, hint=nearest(name, options))
        )
    return arguments


def resolve_config(arguments: argparse.Namespace) -> tuple[Config, RunPaths]:
    """The settings and the run folder that the arguments ask for.

    A run folder's own `config.yaml` is the base for evaluate and generate, and for `train --resume`
    when neither preset nor file is named.
    """
    overrides = {key: value for key, value in vars(arguments).items() if "." in key}
    named = getattr(arguments, "run", None)
    folder = Path(named) if named else arguments.output_dir
    preset, path = arguments.preset, arguments.config
    if folder is None:
        folder = Path("runs") / (preset or (path.stem if path else DEFAULT_PRESET))
    paths = RunPaths(folder)
    of_run = arguments.stage in WITH_RUN or getattr(arguments, "resume", False)
    if not preset and not path:
        if of_run and paths.config.is_file():
            path = paths.config
        elif arguments.stage not in WITH_RUN:
            preset = DEFAULT_PRESET
    return load_config(preset=preset, path=path, overrides=overrides), paths


def run_stage(arguments: argparse.Namespace) -> int:
    if arguments.stage == "presets":
        show_presets()
        return 0
    config, paths = resolve_config(arguments)
    if paths.root.exists() and not paths.root.is_dir():
        raise InputError(_("{folder}: is a file, not a run folder.").format(folder=paths.root))
    if arguments.stage in BUILDING:
        return run_building_stage(arguments, config, paths)
    if arguments.stage == "evaluate":
        show_evaluation(config, paths)
    else:
        show_generation(arguments, config, paths)
    return 0


def say(text: str) -> None:
    """A line for the user, from one process only."""
    if is_main_process():
        print(text, flush=True)


def run_building_stage(arguments: argparse.Namespace, config: Config, paths: RunPaths) -> int:
    from hf_zh_dict import pipeline

    quieten_libraries()
    try:
        if arguments.stage == "train":
            return pipeline.run_training(
                config, paths, say, resume=arguments.resume, overwrite=arguments.overwrite
            )
        ensure = {
            "corpus": pipeline.ensure_corpus,
            "tokenizer": pipeline.ensure_tokenizer,
            "blocks": pipeline.ensure_blocks,
        }[arguments.stage]
        ensure(config, paths, say)
    except OSError as error:  # a full disk, a read-only folder
        raise InputError(
            _("{file}: {reason}.").format(
                file=error.filename or paths.root, reason=error.strerror or error
            )
        ) from error
    return 0


def quieten_libraries() -> None:
    """Our own lines tell what happens; libraries' progress bars and notices stay silent."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def show_table(table: Any) -> None:
    """A table as wide as it needs to be, also where the width of the terminal is not known."""
    from rich.console import Console

    Console(width=max(Console().width, 130)).print(table)


def show_presets() -> None:
    """A table: name, what it is for, shape, vocabulary, context, exact parameter count."""
    from rich.table import Table

    from hf_zh_dict.pipeline import describe_shape

    table = Table(box=None, pad_edge=False)
    for title, justify in (
        (_("preset"), "left"), (_("parameters"), "right"), (_("shape"), "left"),
        (_("vocabulary"), "right"), (_("context"), "right"), (_("source"), "left"),
    ):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name in preset_names():
        config = load_config(preset=name)
        size = config.tokenizer.vocab_size
        table.add_row(
            name, f"{count_parameters(config.model, size):,}", describe_shape(config.model),
            f"{size:,}", f"{config.context_length:,}",
            " ".join((config.corpus.source, *config.corpus.data_files)),
        )  # fmt: skip
    show_table(table)
    for name in preset_names():
        first = preset_path(name).read_text(encoding="utf-8").splitlines()[0]
        print(f"{name}: {first.lstrip('# ')}")


def show_evaluation(config: Config, paths: RunPaths) -> None:
    """Score the run and show its bits beside the simple models'."""
    from rich.table import Table

    from hf_zh_dict.pipeline import run_evaluation

    quieten_libraries()
    results = run_evaluation(config, paths, say)
    table = Table(box=None, pad_edge=False)
    table.add_column(_("bits per character"))
    for split in results["splits"]:
        table.add_column(split, justify="right")
    names = {
        "bits_per_char": _("this model"),
        "character_bigram": _("character bigram"),
        "character_5gram": _("character 5-gram"),
        "xz": _("xz primed with the train split"),
    }
    for key, title in names.items():
        scores = [
            result[key] if key in result else result["baselines"][key]
            for result in results["splits"].values()
        ]
        table.add_row(title, *(f"{score:.3f}" for score in scores))
    show_table(table)
    for split, result in results["splits"].items():
        say(
            _(
                "{split}: {documents:,} documents, {bits_per_byte:.3f} bits per byte, loss {loss:.3f}, "
                "perplexity {perplexity:,.1f} per token"
            ).format(split=split, **result)
        )
    say(_("written: {file}").format(file=paths.evaluation))


def show_generation(arguments: argparse.Namespace, config: Config, paths: RunPaths) -> None:
    """Continue the prompts; to the terminal, or to a sheet."""
    from hf_zh_dict import pipeline

    prompts = list(arguments.prompt)
    if arguments.prompts:
        try:
            lines = arguments.prompts.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                _("{path}: cannot be read as UTF-8 text: {error}").format(
                    path=arguments.prompts, error=error
                )
            ) from error
        prompts += [line for line in lines if line.strip()]
    if not prompts:
        raise InputError(_("generate: give --prompt TEXT … or --prompts FILE."))
    folder = find_model(arguments.run, paths)
    if folder == paths.model and not arguments.verbatim:
        prompts = [
            pipeline.make_prompt(config, p) if re.fullmatch(r"\w+", p) else p for p in prompts
        ]
    options = {item.name: getattr(arguments, item.name) for item in dataclasses.fields(Sampling)}
    quieten_libraries()
    texts = pipeline.generate(folder, prompts, Sampling(**options))
    if not arguments.output:
        for text in texts:
            say(text)
        return
    texts = track(texts, _("generate: prompts"), total=len(prompts))
    with arguments.output.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["prompt", "text"])
        for prompt, text in zip(prompts, texts, strict=True):
            sheet.writerow([prompt, text])
    say(_("written: {file}").format(file=arguments.output))


def find_model(run: str | None, paths: RunPaths) -> Path | str:
    """A run's best weights, a folder that is a model itself, or a repository on the Hub.

    Raises:
        InputError: it is none of these.
    """
    if paths.model.is_dir():
        return paths.model
    if (paths.root / "config.json").is_file():
        return paths.root
    if run and re.fullmatch(r"(?!runs/)[\w-][\w.-]*/[\w.-]+", run):
        return run
    raise InputError(
        _("{folder}: no run with a model; train one with hf-zh-dict train.").format(
            folder=paths.root
        )
    )

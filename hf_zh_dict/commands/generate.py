"""`generate RUN`: prompts continued, to the terminal or to a sheet."""

import argparse
import csv
import dataclasses
import re
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.options import add_config_options, add_run_argument, resolve_config
from hf_zh_dict.commands.terminal import quieten_libraries, say
from hf_zh_dict.messages import N_, InputError, _
from hf_zh_dict.model.sampling import Sampling
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.progress import track


def add_options(command: argparse.ArgumentParser) -> None:
    add_run_argument(command)
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
    add_config_options(command)


def run_generate(arguments: argparse.Namespace) -> int:
    """Continue the prompts; to the terminal, or to a sheet."""
    from hf_zh_dict.corpus.prompts import make_prompt
    from hf_zh_dict.model.generate import continue_texts
    from hf_zh_dict.model.loading import load_model_folder
    from hf_zh_dict.model.plain_llama import read_plain_llama
    from hf_zh_dict.model.text_model import TextModel

    config, paths = resolve_config(arguments)
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
        prompts = [make_prompt(config.corpus, p) if re.fullmatch(r"\w+", p) else p for p in prompts]
    options = {item.name: getattr(arguments, item.name) for item in dataclasses.fields(Sampling)}
    model = read_plain_llama(folder)
    if model is None:
        quieten_libraries()
        model = TextModel.of(*load_model_folder(folder))
    texts = continue_texts(model, prompts, Sampling(**options))
    if not arguments.output:
        for text in texts:
            say(text)
        return 0
    texts = track(texts, _("generate: prompts"), total=len(prompts))
    with arguments.output.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["prompt", "text"])
        for prompt, text in zip(prompts, texts, strict=True):
            sheet.writerow([prompt, text])
    say(_("written: {file}").format(file=arguments.output))
    return 0


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


GENERATE = Command(
    "generate",
    N_("let a run, or any Llama folder or Hub id, continue prompts"),
    run_generate,
    add_options,
    usage="[RUN] [--option …] [--section.setting …]",
)

"""The command line: argv in, a command run, its exit code out. The roof: only here is argv.

`hf-zh-dict COMMAND …`, `python -m hf_zh_dict COMMAND …`, and `train.py …` for the command train.
What a user gets wrong is one sentence on stderr and exit code 2; a stop by signal is 128 + the
signal.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from hf_zh_dict import __version__
from hf_zh_dict.commands import COMMANDS
from hf_zh_dict.commands.terminal import complain
from hf_zh_dict.messages import N_, InputError, _, translate_argparse
from hf_zh_dict.settings import nearest

ARGPARSE_MESSAGES = (  # argparse's own texts, for the catalogue
    N_("usage: "), N_("options"), N_("positional arguments"), N_("show this help message and exit"),
    N_("show program's version number and exit"), N_("expected one argument"),
    N_("expected at least one argument"), N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"), N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"), N_("unrecognized arguments: %s"),
    N_("ignored explicit argument %r"),
)  # fmt: skip


def entry_point() -> None:
    """The console script."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Chinese on terminals that claim not to know it
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        arguments = parse_arguments(read_argv() if argv is None else list(argv))
        return COMMANDS[arguments.command].run(arguments)
    except InputError as error:
        complain(error)
        return 2
    except UnicodeEncodeError as error:
        if sys.getfilesystemencoding() == "utf-8":
            raise
        complain(refuse_name(error.object))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return 141


def read_argv() -> list[str]:
    """The words of the command line, as UTF-8 also where the locale (LC_ALL=C) cannot read them.

    Raises:
        InputError: one of them is a file that such a locale cannot name.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return sys.argv[1:]
    words = [os.fsencode(word).decode("utf-8", "replace") for word in sys.argv[1:]]
    for word, given in zip(words, sys.argv[1:], strict=True):
        if word != given and os.path.exists(given):
            raise refuse_name(word)
    return words


def refuse_name(name: str) -> InputError:
    """A file's name that the locale has no characters for."""
    return InputError(
        _("{name}: this locale cannot name such a file; set PYTHONUTF8=1 and run it again.").format(
            name=name
        )
    )


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
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS.values():
        explanation = _(command.explanation)
        command.add_options(
            commands.add_parser(
                command.name,
                help=explanation,
                description=explanation,
                allow_abbrev=False,
                # dozens of settings need not be listed twice
                usage=f"hf-zh-dict {command.name} {command.usage}".rstrip(),
            )
        )
    return parser


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
    if argv and not argv[0].startswith("-") and argv[0] not in COMMANDS:
        raise InputError(
            _("unknown command “{name}”{hint}; the commands are {names}.").format(
                name=argv[0], hint=nearest(argv[0], list(COMMANDS)), names=", ".join(COMMANDS)
            )
        )
    arguments, unknown = parser.parse_known_args(spell_options(argv))
    if unknown:
        name = unknown[0].split("=")[0]
        options = known_options(parser, arguments.command)
        raise InputError(
            _("unknown option “{name}”{hint}.").format(name=name, hint=nearest(name, options))
        )
    return arguments


def known_options(parser: argparse.ArgumentParser, command: str) -> list[str]:
    """The option names of one command."""
    of_commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return list(of_commands.choices[command]._option_string_actions)

"""`download`: the dictionaries from the Ministry of Education's pages, into a folder."""

import argparse
import os
import shlex
from pathlib import Path

from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.terminal import complain, say
from hf_zh_dict.dictionaries.layouts import PAGES
from hf_zh_dict.messages import N_, InputError, _

NEXT = "accelerate launch train.py --preset student --corpus.source spreadsheets --corpus.files"


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dictionary",
        nargs="+",
        choices=list(PAGES),
        default=list(PAGES),
        help=_("which of the four (default: all)"),
    )
    command.add_argument(
        "--folder", type=Path, default=Path("data"), metavar="FOLDER",
        help=_("where they are kept (data)"),
    )  # fmt: skip


def run_download(arguments: argparse.Namespace) -> int:
    """Fetch one dictionary after the other; one that fails does not keep the others back."""
    from hf_zh_dict.dictionaries.download import MOE_URL, Client, download_dictionary, kept_files

    base_url = os.environ.get("HF_ZH_DICT_MOE_URL", MOE_URL)
    code = 0
    with Client(say) as client:
        for dictionary in dict.fromkeys(arguments.dictionary):
            try:
                download_dictionary(dictionary, arguments.folder, client, base_url=base_url)
            except InputError as error:
                complain(error)
                code = 2
    files = kept_files(arguments.folder)
    if files:
        names = shlex.join(path.as_posix() for path in files)
        say(_("next: {command}").format(command=f"{NEXT} {names}"))
    return code


DOWNLOAD = Command(
    "download",
    N_("fetch the dictionaries from the Ministry of Education's pages"),
    run_download,
    add_options,
    usage="[--dictionary NAME …] [--folder FOLDER]",
)

"""One room a command: its options in, an exit code out. `COMMANDS` lists them in the road's order."""

from hf_zh_dict.commands import building
from hf_zh_dict.commands.command import Command
from hf_zh_dict.commands.compare import COMPARE
from hf_zh_dict.commands.demo import DEMO
from hf_zh_dict.commands.download import DOWNLOAD
from hf_zh_dict.commands.evaluate import EVALUATE
from hf_zh_dict.commands.export import EXPORT
from hf_zh_dict.commands.generate import GENERATE
from hf_zh_dict.commands.import_llama2c import IMPORT_LLAMA2C
from hf_zh_dict.commands.lm_eval import LM_EVAL
from hf_zh_dict.commands.plan import PLAN
from hf_zh_dict.commands.presets import PRESETS
from hf_zh_dict.commands.push import PUSH
from hf_zh_dict.commands.push_corpus import PUSH_CORPUS
from hf_zh_dict.commands.report import REPORT

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        DOWNLOAD,
        building.CORPUS,
        building.TOKENIZER,
        building.BLOCKS,
        PLAN,
        building.TRAIN,
        EVALUATE,
        COMPARE,
        REPORT,
        LM_EVAL,
        GENERATE,
        DEMO,
        EXPORT,
        IMPORT_LLAMA2C,
        PUSH,
        PUSH_CORPUS,
        PRESETS,
    )
}

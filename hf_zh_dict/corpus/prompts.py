"""A headword in, how its document begins out."""

from hf_zh_dict.config import SOURCES_OF_ENTRIES, CorpusConfig
from hf_zh_dict.dictionaries.render import SEPARATOR


def make_prompt(config: CorpusConfig, headword: str) -> str:
    """A headword as the beginning of its document."""
    return headword + SEPARATOR if config.source in SOURCES_OF_ENTRIES else headword

import sys

from hf_zh_dict.cli import main

sys.exit(main(["train", *sys.argv[1:]]))

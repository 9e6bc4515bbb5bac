import sys

from hf_zh_dict.cli import main

if __name__ == "__main__":  # data loader workers import this file
    sys.exit(main(["train", *sys.argv[1:]]))

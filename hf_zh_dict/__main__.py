import sys

from hf_zh_dict.cli import main

if __name__ == "__main__":
    sys.exit(main())

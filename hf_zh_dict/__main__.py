"""`python -m hf_zh_dict COMMAND …`: the command line where its script is not on the path."""

import sys

from hf_zh_dict.cli import main

if __name__ == "__main__":
    sys.exit(main())

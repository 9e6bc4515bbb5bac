"""What a test asks of the locale it runs in."""

import sys

import pytest

chinese_file_names = pytest.mark.skipif(
    sys.getfilesystemencoding() == "ascii", reason="this locale cannot name a file in Chinese"
)
